"""Preparing data against bare SentencePiece: CPU seconds of `data.prepare`, end to end, and of `encode` on the same text.

    python benchmarks/preparation.py --data DIR --megabytes 500

DIR/pretrain holds plain texts, DIR/sft and DIR/chat conversations. They are repeated to the size by links, duplicates
kept (or nothing would be left to measure), with a tokenizer of 8,000 pieces trained beforehand. Everything counts:
reading, converting, cleaning, splitting, tokenizing, packing, the report. Bare is one `encode` a text, its result
thrown away; also given for long texts encoded some lines at a time, as `Tokenizer.encode` does. With --near, signatures and the search for near-duplicates count, too.
"""

import argparse
import glob
import os
import resource
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import data  # noqa: E402
import packing  # noqa: E402
import sources  # noqa: E402
from config import DEFAULTS, SOURCE, deep_merge  # noqa: E402
from tokenizer import train_tokenizer  # noqa: E402


def cpu() -> float:
    """Seconds of this process and its finished children."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def texts_of(sample: dict) -> list[str]:
    return [sample["text"]] if "text" in sample else [message["content"] for message in sample["messages"]]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--megabytes", type=int, default=500)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--near", action="store_true")
    args = parser.parse_args()
    stages = {"pretrain": ["pretrain"], "sft": ["sft", "chat"]}
    with tempfile.TemporaryDirectory() as folder:
        every = [(stage, part, path) for stage, parts in stages.items() for part in parts
                 for path in glob.glob(os.path.join(os.path.abspath(args.data), part, "**", "*.*"), recursive=True)]
        size = sum(os.path.getsize(path) for *_, path in every)
        for copy in range(max(1, round(args.megabytes * 1e6 / size))):
            for stage, part, path in every:
                os.makedirs(os.path.join(folder, stage, f"{copy}"), exist_ok=True)
                os.symlink(path, os.path.join(folder, stage, f"{copy}", os.path.basename(path)))
        train_tokenizer((text for *_, path in every for _, _, sample in sources.read({**SOURCE, "path": path}, "")
                         if isinstance(sample, dict) for text in texts_of(sample)), folder, 8000, max_train_chars=40_000_000)
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
        tokenizer, bare, by_lines = data.Tokenizer(folder), 0.0, 0.0
        for stage in stages:
            for split in data.SPLITS:
                for sample in packing.samples(os.path.join(prepared, f"{stage}.{split}")):
                    chunk = texts_of(sample)
                    begun = time.process_time()
                    for text in chunk:
                        tokenizer.pieces.encode(text)
                    spent = time.process_time() - begun
                    bare += spent
                    if max(map(len, chunk)) >= 4000:
                        begun = time.process_time()
                        for text in chunk:
                            tokenizer.encode(text)
                        spent = time.process_time() - begun
                    by_lines += spent
        print(f"bare SentencePiece on the same text: {bare:.1f} CPU s, {by_lines:.1f} by lines; preparing has "
              f"{bare / whole:.0%} ({by_lines / whole:.0%}) of its speed per core")


if __name__ == "__main__":
    main()
