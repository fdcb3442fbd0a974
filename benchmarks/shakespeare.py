"""Bits per byte on Tiny Shakespeare beside the usual character-level CPU recipe, in no more wall time.

    python benchmarks/shakespeare.py --text input.txt                    # ours
    python benchmarks/shakespeare.py --text input.txt --recipe DIR       # DIR: a checkout of nanoGPT, run first

The recipe is nanoGPT's own "I only have a macbook" one: 4 layers of 128, context 64, batch 12, 2,000 steps, on
characters; it ends near 2.72 bits per byte. Ours trains a tokenizer on the first 90% of the text and a model on
its tokens; each byte of the last 10% is scored once. Time is that of tokenizer and loop, not of imports or
extension builds.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RECIPE = ("config/train_shakespeare_char.py --device=cpu --compile=False --eval_iters=20 --log_interval=100 "
          "--block_size=64 --batch_size=12 --n_layer=4 --n_head=4 --n_embd=128 --max_iters=2000 "
          "--lr_decay_iters=2000 --dropout=0.0 --always_save_checkpoint=False").split()


def config(text: str, folder: str, steps: int) -> dict:
    """A run on the first 90% of the text, validated on the rest; both parts are written into `folder`."""
    with open(text, encoding="utf-8") as file:
        whole = file.read()
    cut = int(len(whole) * 0.9)
    for name, part in (("train.txt", whole[:cut]), ("validation.txt", whole[cut:])):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(part)
    return {
        "out_dir": os.path.join(folder, "out"),
        "tokenizer": {"vocab_size": 1024},
        "data": {"data_root": folder, "validation_overlap": 64, "rules": {"characters": False}},
        "model": {"hidden_size": 128, "intermediate_size": 352, "num_hidden_layers": 4, "num_attention_heads": 4,
                  "num_key_value_heads": 4, "max_position_embeddings": 128,
                  "initializer_range": 0.06},  # near 1 / sqrt(128): the usual 0.02 suits wider models
        "stages": [{"name": "pretrain", "data": ["train.txt"], "validation": ["validation.txt"], "steps": steps,
                    "evaluate_every": steps, "checkpoint_every": steps}],
        "deepspeed": {
            "train_batch_size": 8,
            "optimizer": {"type": "AdamW", "params": {"lr": 4e-3, "betas": [0.9, 0.98], "eps": 1e-8, "weight_decay": 0.1}},
            "scheduler": {"type": "WarmupCosineLR", "params": {"total_num_steps": "auto", "warmup_num_steps": 30,
                                                               "warmup_type": "linear", "cos_min_ratio": 0.02}},
            "fp16": {"enabled": "auto"}, "bf16": {"enabled": "auto"}, "zero_optimization": {"stage": 1}}}


def recipe_seconds(folder: str) -> tuple[float, float]:
    """Wall time of the recipe's loop and its best held-out bits per character (one byte each here)."""
    subprocess.run([sys.executable, "data/shakespeare_char/prepare.py"], cwd=folder, check=True, capture_output=True)
    process = subprocess.Popen([sys.executable, "-u", "train.py", *RECIPE], cwd=folder, stdout=subprocess.PIPE, text=True)
    begun, best = None, 9.0
    for line in process.stdout:
        if line.startswith("step 0:"):
            begun = time.monotonic()
        if match := re.search(r"val loss ([\d.]+)", line):
            best = min(best, float(match[1]) / 0.6931472)
    process.wait()
    return time.monotonic() - begun, best


def main(argv=None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--text", required=True)
    parser.add_argument("--recipe", metavar="DIR")
    parser.add_argument("--steps", type=int, default=1300)
    parser.add_argument("--set", action="append", default=[])
    args = parser.parse_args(argv)
    if args.recipe:
        seconds, bits = recipe_seconds(args.recipe)
        print(f"character-level recipe: {seconds:.0f} s, {bits:.3f} bits per byte", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "config.json")
        with open(path, "w") as file:
            json.dump(config(args.text, folder, args.steps), file)
        overrides = [word for pair in args.set for word in ("--set", pair)]
        subprocess.run([sys.executable, "train.py", "--config", path, *overrides], cwd=ROOT, check=True)
        with open(os.path.join(folder, "out", "report.json")) as file:
            report = json.load(file)
        entries = report["stages"]["pretrain"]
        spent = report["data"]["seconds"] + max(entry.get("seconds", 0) for entry in entries)
        print(f"zerochat: {spent:.0f} s, {entries[-1]['bits_per_byte']:.3f} bits per byte "
              f"(all of the last 10%, every byte once)")


if __name__ == "__main__":
    main()
