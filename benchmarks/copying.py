"""When a model learns to copy: texts of random tokens said twice or more, the loss on what is said again.

    python benchmarks/copying.py                                  # texts of 1 to 4 tokens
    python benchmarks/copying.py --tokens 4 30 --times 2 2 --lr 4e-3

Nothing predicts such a text but copying: the first time costs ln(vocabulary) nats a token, the second nothing once
the model has it, but for the unknown end of a text. The model of `configs/small.json`, 2 rows of 256 tokens a step,
cosine to zero. Prints the mean over copied tokens of fresh rows every hundred steps."""

import argparse
import math
import os
import random
import sys

import torch

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from model import LanguageModel, ModelConfig

CONTEXT, ROWS = 256, 2
OPENS, SUPERVISED = 2, 1


def rows(count: int, args, rng: random.Random) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """ids, mask and whether each token is copied, [count, 256] each; documents follow one another in a row."""
    found = []
    for _ in range(count):
        row = []
        while len(row) < CONTEXT:
            text = [rng.randrange(args.vocabulary) for _ in range(rng.randint(*args.tokens))]
            times = rng.randint(*args.times)
            row += [(token, SUPERVISED if i else OPENS, i >= len(text)) for i, token in enumerate(text * times)]
        found.append(row[:CONTEXT])
    return torch.tensor(found).unbind(-1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", type=int, nargs=2, default=(1, 4), help="of a text, at least and at most")
    parser.add_argument("--times", type=int, nargs=2, default=(2, 3), help="that it is said")
    parser.add_argument("--vocabulary", type=int, default=2048)
    parser.add_argument("--steps", type=int, default=800)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--theta", type=float, default=10000.0, help="of the rotary positions")
    parser.add_argument("--std", type=float, default=0.02, help="of the first weights")
    parser.add_argument("--qkv-bias", action="store_true")
    parser.add_argument("--qk-norm", action="store_true")
    args = parser.parse_args()
    torch.manual_seed(0)
    rng = random.Random(0)
    shape = {
        "hidden_size": 192,
        "intermediate_size": 512,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
    }
    options = {"rope_theta": args.theta, "initializer_range": args.std, "qkv_bias": args.qkv_bias, "qk_norm": args.qk_norm}
    model = LanguageModel(ModelConfig(vocab_size=args.vocabulary, max_position_embeddings=CONTEXT, **shape, **options))
    optimizer = torch.optim.AdamW(model.parameters(), betas=(0.9, 0.98), weight_decay=0.05)
    warmup = args.steps // 10
    print(f"{' '.join(sys.argv[1:]) or 'defaults'}; guessing costs {math.log(args.vocabulary):.2f} nats", flush=True)
    for step in range(1, args.steps + 1):
        decay = 0.5 * (1 + math.cos(math.pi * max(0, step - warmup) / (args.steps - warmup)))
        optimizer.param_groups[0]["lr"] = args.lr * min(1, step / warmup) * decay
        ids, mask, _ = rows(ROWS, args, rng)
        (model(ids, mask) / (mask == SUPERVISED).sum()).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        if step % 100 == 0:
            ids, mask, copied = rows(8, args, rng)
            only = torch.where((mask == OPENS) | copied.bool(), mask, 0)
            with torch.no_grad():
                print(f"step {step}: {model(ids, only).item() / (only == SUPERVISED).sum().item():.2f}", flush=True)


if __name__ == "__main__":
    main()
