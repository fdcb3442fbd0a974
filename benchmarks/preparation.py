"""Preparing data against bare SentencePiece: CPU seconds of `data.prepare`, end to end, and of `encode` on the same text.

    python benchmarks/preparation.py --files DIR/*.json --megabytes 500

The files are repeated to the size as JSON lines, duplicates kept (or nothing would be left to measure), the tokenizer
trained beforehand. Everything counts: reading, converting, cleaning, splitting, tokenizing, packing, the report.
With --near, signatures and near-duplicate search are counted, too. Peak memory is per process.
"""

import argparse
import json
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


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", nargs="+", required=True)
    parser.add_argument("--megabytes", type=int, default=500)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--near", action="store_true")
    parser.add_argument("--skip-bare", action="store_true", help="memory only")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        samples = [sample for path in args.files for _, _, sample in sources.read({**SOURCE, "path": os.path.abspath(path)}, "")
                   if isinstance(sample, dict)]
        lines = [json.dumps(sample, ensure_ascii=False).encode() + b"\n" for sample in samples]
        texts = (m["content"] for s in samples for m in s.get("messages", [{"content": s.get("text", "")}]))
        train_tokenizer(texts, folder, 8000, max_train_chars=10_000_000)
        path, size = os.path.join(folder, "x.jsonl"), 0
        with open(path, "wb") as file:
            while size < args.megabytes * 10**6:
                file.writelines(lines)
                size += sum(map(len, lines))
        del samples, lines
        options = {"data_root": folder, "deduplicate": False, "near_duplicates": 0.8 if args.near else None,
                   "processes": args.processes}
        config = deep_merge(DEFAULTS, {"out_dir": os.path.join(folder, "out"), "tokenizer": {"path": folder}, "data": options,
                                       "model": {"max_position_embeddings": 512}})
        config["stages"] = [{"name": "sft", "data": [{**SOURCE, "path": path}], "validation": [], "loss_on": "assistant"}]
        begun, wall = cpu(), time.time()
        prepared = data.prepare(config)
        whole, wall = cpu() - begun, time.time() - wall
        peak = {name: resource.getrusage(who).ru_maxrss / 1024 for name, who in (
            ("parent", resource.RUSAGE_SELF), ("largest child", resource.RUSAGE_CHILDREN))}
        print(f"{size / 1e6:.0f} MB prepared: {whole:.1f} CPU s, {wall:.1f} s with {args.processes} process(es); peak memory "
              + ", ".join(f"{name} {value:.0f} MB" for name, value in peak.items()))
        if args.skip_bare:
            return
        pieces, bare = data.Tokenizer(folder).pieces, 0.0
        for split in data.SPLITS:
            for sample in packing.samples(os.path.join(prepared, f"sft.{split}")):
                chunk = [m["content"] for m in sample["messages"]] if "messages" in sample else [sample["text"]]
                begun = time.process_time()
                for text in chunk:
                    pieces.encode(text)
                bare += time.process_time() - begun
        print(f"bare SentencePiece on the same text: {bare:.1f} CPU s; preparing has {bare / whole:.0%} of its speed per core")


if __name__ == "__main__":
    main()
