"""LoRA of several ranks beside all weights, on the FAQ of `recipes/`: what it learns, holds and takes at equal steps.

    python benchmarks/lora.py --steps 40          # needs models/smollm2; four runs of minutes each

Each run is a process of its own, one after the other. LoRA keeps the recipe's rate, all weights a tenth of it (a rate
of 1e-3 ruins them). Memory is the highest that the training process held; time is from its start to its end."""

import argparse
import os
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [ROOT, os.path.join(ROOT, "benchmarks")]

import faq

from zerochat.text import markdown

CONFIG = os.path.join(ROOT, "recipes", "faq.json")


def trained(rank: int, steps: int, folder: str) -> tuple[float, float]:
    """Train in a process of its own; its seconds and the GiB that it held at most."""
    values = {"out_dir": folder, "evaluate.data": "[]", "stages.sft.lora.rank": rank}
    values |= {f"stages.sft.{key}": steps for key in ("steps", "evaluate_every", "checkpoint_every")}
    values |= {} if rank else {"deepspeed.optimizer.params.lr": 1e-4}
    settings = [word for key, value in values.items() for word in ("--set", f"{key}={value}")]
    begun = time.monotonic()
    with open(f"{folder}.log", "w", encoding="utf-8") as log:
        process = subprocess.Popen(
            [sys.executable, "train.py", "--config", CONFIG, *settings], cwd=ROOT, stdout=log, stderr=log
        )
        _, status, usage = os.wait4(process.pid, 0)  # what this process held, not the largest of all before it
    if status:
        with open(f"{folder}.log", encoding="utf-8") as log:
            raise SystemExit(f"error: rank {rank} failed: {log.read()[-500:]}")
    return time.monotonic() - begun, usage.ru_maxrss / 2**20


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--ranks", type=int, nargs="+", default=[16, 0, 4, 8], help="0: all weights")
    args = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as work:
        for rank in args.ranks:
            folder = os.path.join(work, f"rank{rank}")
            seconds, held = trained(rank, args.steps, folder)
            found = faq.measure(faq.load(folder), "faq", chats=False)[0]
            quality = [f"{share:.1%} of {count}" for share, count in found.values()]
            rows.append(
                [f"LoRA, rank {rank}" if rank else "all weights", *quality, f"{held:.2f} GiB", f"{seconds:.0f} s"]
            )
            print(rows[-1], flush=True)
    print("\n".join(markdown(f"{args.steps} steps | held out | free | out of scope | memory | time", rows)))


if __name__ == "__main__":
    main()
