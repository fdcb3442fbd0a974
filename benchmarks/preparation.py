"""Preparing data against bare SentencePiece: CPU seconds of `data.prepare`, end to end, and of `encode` on the same text.

    python benchmarks/preparation.py --data DIR --megabytes 500 --processes 2
    python benchmarks/preparation.py --data DIR --megabytes 2000 --memory

DIR/pretrain holds plain texts, DIR/sft and DIR/chat conversations. They are repeated to the size by copies, duplicates
kept (or nothing would be left to measure), with a tokenizer of 8,000 pieces trained beforehand. Everything counts:
reading, converting, cleaning, splitting, tokenizing, packing, the report. Bare is one `encode` a text, its result
thrown away, by as many processes at once (two busy cores may share one processor's parts); also given for long texts
encoded some lines at a time, as `Tokenizer.encode` does. With --near, signatures and the search for near-duplicates
count, too. --memory prepares one JSONL file of that size, the conversations of DIR over and over behind a number that
makes them differ, as a user would (`python data.py`, its tokenizer trained on the way), and gives the largest process.
"""

import argparse
import glob
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import data
from config import DEFAULTS, SOURCE, deep_merge
from tokenizer import MARKERS, Tokenizer
from zerochat.preparation import formats, shards, vocabulary
from zerochat.preparation.parallel import parallel


def cpu() -> float:
    """Seconds of this process and its finished children."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def texts_of(sample: dict) -> list[str]:
    return [sample["text"]] if "text" in sample else [message["content"] for message in sample["messages"]]


def bare(job: tuple) -> tuple[float, float]:
    """CPU seconds of encoding one range of samples, whole texts and some lines at a time."""
    folder, path, begin, end = job
    with open(path, "rb") as file:
        file.seek(begin)
        samples = [json.loads(line) for line in file.read(end - begin).split(b"\n")[:-1]]
    tokenizer, texts = Tokenizer(folder), [text for sample in samples for text in texts_of(sample)]
    spent = []
    for encode in (tokenizer.pieces.encode, tokenizer.encode):
        begun = time.process_time()
        for text in texts:
            encode(text)
        spent.append(time.process_time() - begun)
    return tuple(spent)


def memory(args: argparse.Namespace) -> None:
    """Prepare one large file in a process of its own; prints the peak resident memory of its largest process."""
    chats = [sample["messages"] for part in ("sft", "chat") for *_, sample in formats.read(
        {**SOURCE, "path": os.path.join(os.path.abspath(args.data), part)}, "") if isinstance(sample, dict)]
    with tempfile.TemporaryDirectory() as folder:
        path, config, number = os.path.join(folder, "chats.jsonl"), os.path.join(folder, "config.json"), 0
        with open(path, "w", encoding="utf-8") as file:
            while file.tell() < args.megabytes * 1e6:
                for first, *rest in chats:
                    number += 1
                    messages = [{**first, "content": f"{number}. {first['content']}"}, *rest]
                    file.write(json.dumps({"messages": messages}, ensure_ascii=False) + "\n")
        with open(config, "w", encoding="utf-8") as file:
            json.dump({"out_dir": os.path.join(folder, "out"), "tokenizer": {"vocab_size": 8000},
                       "stages": [{"name": "sft", "data": [{"path": path}], "epochs": 1}], "data": {
                           "processes": args.processes, "near_duplicates": 0.8 if args.near else None}}, file)
        begun = time.time()
        subprocess.run([sys.executable, "data.py", "--config", config], check=True, stdout=subprocess.DEVNULL)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(f"one file of {os.path.getsize(path) / 1e6:.0f} MB, {number:,} conversations: {time.time() - begun:.0f} s with "
              f"{args.processes} process(es), the largest of them {peak:.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--megabytes", type=int, default=500)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--near", action="store_true")
    parser.add_argument("--memory", action="store_true")
    args = parser.parse_args()
    if args.memory:
        return memory(args)
    stages = {"pretrain": ["pretrain"], "sft": ["sft", "chat"]}
    with tempfile.TemporaryDirectory() as folder:
        every = [(stage, part, path) for stage, parts in stages.items() for part in parts
                 for path in glob.glob(os.path.join(os.path.abspath(args.data), part, "**", "*.*"), recursive=True)]
        size = sum(os.path.getsize(path) for *_, path in every)
        for copy in range(max(1, round(args.megabytes * 1e6 / size))):
            for stage, part, path in every:
                os.makedirs(os.path.join(folder, stage, f"{copy}"), exist_ok=True)
                shutil.copyfile(path, os.path.join(folder, stage, f"{copy}", os.path.basename(path)))
        texts = (text for *_, path in every for _, _, sample in formats.read({**SOURCE, "path": path}, "")
                 if isinstance(sample, dict) for text in texts_of(sample))
        learning = {**DEFAULTS["tokenizer"], "vocab_size": 8000, "max_train_chars": 40_000_000}
        with open(os.path.join(folder, "tokenizer.model"), "wb") as file:
            file.write(vocabulary.learn(texts, MARKERS, learning))
        Tokenizer(folder).save(folder)
        options = {"data_root": folder, "deduplicate": False, "near_duplicates": 0.8 if args.near else None,
                   "processes": args.processes}
        config = deep_merge(DEFAULTS, {"out_dir": os.path.join(folder, "out"), "tokenizer": {"path": folder}, "data": options,
                                       "model": {"max_position_embeddings": 512}})
        config["stages"] = [{"name": name, "data": [{**SOURCE, "path": name}], "validation": [], "loss_on": "assistant"}
                            for name in stages]
        begun, wall = cpu(), time.time()
        prepared = data.prepare(config)
        whole, wall = cpu() - begun, time.time() - wall
        peak = {name: resource.getrusage(who).ru_maxrss / 1024 for name, who in (
            ("the first", resource.RUSAGE_SELF), ("the largest other", resource.RUSAGE_CHILDREN))}
        print(f"{size * (copy + 1) / 1e6:.0f} MB prepared: {whole:.1f} CPU s, {wall:.1f} s with {args.processes} process(es); "
              "peak memory of " + ", ".join(f"{name} {value:.0f} MB" for name, value in peak.items()))
        paths = [os.path.join(prepared, f"{stage}.{split}", "samples.jsonl") for stage in stages for split in data.SPLITS]
        jobs = ((folder, path, *part) for path in paths for part in shards._spans(path))
        texts, by_lines = map(sum, zip(*parallel(bare, jobs, args.processes)))
        print(f"bare SentencePiece on the same text: {texts:.1f} CPU s, {by_lines:.1f} by lines; preparing has "
              f"{texts / whole:.0%} ({by_lines / whole:.0%}) of its speed per core")


if __name__ == "__main__":
    main()
