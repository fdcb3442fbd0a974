"""Seconds and memory to load a pretrained model of some shape, here and with transformers: random weights, bf16 on disk.

    python benchmarks/loading.py --config configs/large.json
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile

import torch

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, ROOT)

from model import LanguageModel, ModelConfig, save

# In a process of its own: memory that belongs to it (RssAnon), the mapped file's pages not counted, at its highest.
LOAD = """if True:
    import sys, threading, time, torch, transformers
    from model import LanguageModel
    folder, who, dtype = sys.argv[1], sys.argv[2], getattr(torch, sys.argv[3])
    own = lambda: next(int(l.split()[1]) for l in open("/proc/self/status") if l.startswith("RssAnon")) / 2**20
    load = {"here": lambda: LanguageModel.load(folder, dtype=dtype),
            "transformers": lambda: transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=dtype)}[who]
    before, highest, done = own(), 0.0, False
    def watch():
        global highest
        while not done:
            highest = max(highest, own())
            time.sleep(0.002)
    thread = threading.Thread(target=watch)
    thread.start()
    begun = time.monotonic()
    loaded = load()
    total = float(sum(p.detach().float().sum() for p in loaded.parameters()))  # until it has been read
    seconds, done = time.monotonic() - begun, True
    thread.join()
    print(f"{seconds:.1f} s, {highest - before:.2f} GiB at most")"""


def main(argv=None) -> None:
    parser = argparse.ArgumentParser(description="measure how a model folder loads")
    parser.add_argument("--config", default=os.path.join(ROOT, "configs", "large.json"), help="its model section")
    args = parser.parse_args(argv)
    with open(args.config, encoding="utf-8") as file:
        raw = json.load(file)
    config = ModelConfig(vocab_size=raw["tokenizer"]["vocab_size"], **raw["model"])
    with tempfile.TemporaryDirectory() as folder:
        with torch.device("meta"):
            names = {name: p.shape for name, p in LanguageModel(config).named_parameters()}
        state = {name: torch.empty(shape, dtype=torch.bfloat16).normal_(std=0.02) for name, shape in names.items()}
        save(folder, config, state, {"bos_token_id": 1, "eos_token_id": 2})
        print(f"{sum(t.nbytes for t in state.values()) / 2**30:.2f} GiB of weights in bf16")
        del state
        for dtype in ("bfloat16", "float32"):
            for who in ("here", "transformers"):
                result = subprocess.run([sys.executable, "-c", LOAD, folder, who, dtype], cwd=ROOT, text=True,
                                        capture_output=True, check=True)
                print(f"as {dtype}, {who}: {result.stdout.strip()}")


if __name__ == "__main__":
    main()
