"""What each kind of augmentation gains on noisy prompts and costs on clean ones: the same short SFT, once with each.

    python benchmarks/augmentation.py --steps 600 --seeds 1 2

Trains a model of 0.6M parameters on the built-in conversations from random weights, with plain AdamW, and measures
held-out conversations as they are, with noise in what the user says (typos in 4% of the characters, case,
punctuation and width changed in 30% of the questions each; other noise than any training saw), and behind a system
message. Given are the means over the seeds and how far the seeds lie apart.
"""

import argparse
import math
import os
import sys
import tempfile

import torch

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import data
from config import DEFAULTS, SMALL, load_config
from model import LanguageModel, ModelConfig
from zerochat.preparation import augment, shards
from zerochat.preparation.packing import SUPERVISED

OFF = DEFAULTS["data"]["augment"]
NOISE = {**OFF, "typos": 0.04, "case": 0.3, "punctuation": 0.3, "width": 0.3}
KINDS = {
    "none": {},
    "typos 0.02": {"typos": 0.02},
    "case, punctuation, width 0.15": {"case": 0.15, "punctuation": 0.15, "width": 0.15},
    "subword 0.1": {"subword": 0.1},
    "typos, case, punctuation, width": {"typos": 0.02, "case": 0.15, "punctuation": 0.15, "width": 0.15},
}


def train(config: dict, prepared: str, steps: int) -> LanguageModel:
    shard = data.PackedData(os.path.join(prepared, "sft.train"))
    tokenizer = data.Tokenizer(prepared)
    torch.manual_seed(config["seed"])
    model = LanguageModel(ModelConfig(vocab_size=len(tokenizer), **config["model"])).train()
    optimizer = torch.optim.AdamW(model.parameter_groups(), lr=1.5e-3, betas=(0.9, 0.98))
    for step in range(steps):
        rate = min(1, (step + 1) / 60) * (0.05 + 0.95 * (1 + math.cos(math.pi * step / steps)) / 2)
        for group in optimizer.param_groups:
            group["lr"] = 1.5e-3 * rate
        ids, mask = shard.batch(shard.rows_of_step(step, 8, config["seed"]))
        (model(ids, mask) / max(1, int((mask[:, 1:] == SUPERVISED).sum()))).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
    return model.eval()


@torch.no_grad()
def loss_on(model: LanguageModel, samples: list[dict], tokenizer) -> float:
    """Nats per supervised token."""
    nats = tokens = 0
    for sample in samples:
        for ids, mask in tokenizer.windows(sample, model.config.max_position_embeddings)[0]:
            nats += float(model(torch.tensor([ids]), torch.tensor([mask])))
            tokens += sum(mask[1:])
    return nats / tokens


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--only", nargs="*", default=list(KINDS))
    args = parser.parse_args()
    print("| augmentation | clean prompts | noisy prompts |\n|---|---:|---:|")
    for name in args.only:
        losses = torch.tensor([measure(name, seed, args.steps) for seed in args.seeds])
        mean, apart = losses.mean(0), losses.max(0).values - losses.min(0).values
        print(f"| {name} | " + " | ".join(f"{m:.3f} ({a:.3f})" for m, a in zip(mean, apart)) + " |", flush=True)


def measure(name: str, seed: int, steps: int) -> list[float]:
    with tempfile.TemporaryDirectory() as folder:
        config = load_config(SMALL, [f"out_dir={folder}", f"seed={seed}"])
        config["model"].update(hidden_size=128, intermediate_size=320, num_hidden_layers=3, max_position_embeddings=128)
        config["stages"] = config["stages"][1:]
        config["stages"][0]["data"][0]["count"] = 2000
        config["data"]["augment"] = {**OFF, "variants": 1 if name == "none" else 3, **KINDS[name]}
        prepared = data.prepare(config, log=lambda text: None)
        tokenizer = data.Tokenizer(prepared)
        model = train(config, prepared, steps)
        clean = list(shards.samples(os.path.join(prepared, "sft.validation")))
        noisy = [augment.version(sample, tokenizer, NOISE, 999, 0)[0] for sample in clean]
        return [loss_on(model, samples, tokenizer) for samples in (clean, noisy)]


if __name__ == "__main__":
    main()
