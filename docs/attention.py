"""The picture docs/attention.png: where each head looks while a model writes a name that it was told.

    python docs/attention.py --model out/small
    python docs/attention.py --model out/small --said "My order number is 5731." --asked "Where is my order?"

Each row is a head, each column a token of the conversation so far; the fuller a cell, the more of the head's attention
lies there when the longest token of the copied value is predicted. `model.Attention.project` gives the queries and
keys; the weights, which the fused kernel of the forward pass never shows, are written out here."""

import argparse
import math
import os
import sys

import matplotlib
import torch

matplotlib.use("Agg")
import matplotlib.pyplot as plt

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [ROOT, os.path.join(ROOT, "docs")]
from walk import pieces

from model import LanguageModel
from tokenizer import Tokenizer
from zerochat.generation.engine import Engine, Sampling

GREY = "#808080"  # is read on white and on black


@torch.inference_mode()
def attention_weights(model: LanguageModel, ids: list[int]) -> torch.Tensor:
    """How the last of the ids attends to all of them: softmax(q k / sqrt(E)) (Vaswani et al. 2017, eq. 1), [L, H, T].
    An uncached forward pass; what enters each attention layer is caught on the way in."""
    weights = []

    def catch(attention, args) -> None:
        q, k, _ = attention.project(*args[:3])  # [1, H, T, E] and [1, K, T, E]
        k = k.repeat_interleave(q.shape[1] // k.shape[1], dim=1)
        scores = q[:, :, -1:] @ k.transpose(2, 3) / math.sqrt(attention.head_size)
        weights.append(scores.float().softmax(-1)[0, :, 0])

    hooks = [layer.self_attn.register_forward_pre_hook(catch) for layer in model.model.layers]
    model(torch.tensor([ids]))
    for hook in hooks:
        hook.remove()
    return torch.stack(weights)


def copied(engine: Engine, said: str, asked: str) -> tuple[list[int], int]:
    """What is said, answered, asked and answered again, as ids up to where the second answer copies from what was said;
    and the id that it copies."""
    messages: list[dict] = []
    for question in (said, asked):
        messages.append({"role": "user", "content": question})
        prompt = engine.tokenizer.render(messages, add_generation_prompt=True)[0]
        answer = engine.answer_all([prompt], Sampling(temperature=0, max_new_tokens=60))[0]
        messages.append({"role": "assistant", "content": answer.text})
    told, common = engine.tokenizer.encode(said), set(engine.tokenizer.encode(asked))
    places = [at for at, i in enumerate(answer.tokens) if i in told and i not in common and engine.tokenizer.decode([i]).strip(" .,。，")]
    if not places:
        raise SystemExit(f"error: nothing in {answer.text!r} is copied from {said!r}; try another --said and --asked")
    # The longest copied token is the value: letters that happen to be shared are shorter.
    at = max(places, key=lambda place: len(engine.tokenizer.decode([answer.tokens[place]])))
    return prompt + answer.tokens[:at], answer.tokens[at]


def draw(weights: torch.Tensor, names: list[str], copied: str, picture: str) -> None:
    """weights [L, H, T] as a table of heads by tokens."""
    layers, heads, length = weights.shape
    figure, axes = plt.subplots(figsize=(0.24 * length + 1.2, 0.2 * layers * heads + 1.6))
    axes.imshow(weights.flatten(0, 1), cmap=matplotlib.colors.LinearSegmentedColormap.from_list("", ["#e8590c00", "#e8590c"]), aspect="auto", vmin=0, vmax=1)
    axes.set_xticks(range(length), names, rotation=90, fontsize=8)
    axes.set_yticks([heads * layer + (heads - 1) / 2 for layer in range(layers)], range(1, layers + 1), fontsize=8)
    for layer in range(1, layers):
        axes.axhline(heads * layer - 0.5, color=GREY, linewidth=0.4)
    axes.set_title(f"→ {copied}", color="#e8590c", loc="right", fontsize=10)
    axes.tick_params(colors=GREY, length=0)
    for side in axes.spines.values():
        side.set_color(GREY)
    figure.savefig(picture, dpi=110, transparent=True, bbox_inches="tight")


def main(argv=None) -> None:
    parser = argparse.ArgumentParser(description="draw where each head looks while a model copies a value")
    parser.add_argument("--model", default="out/small")
    parser.add_argument("--said", default="Hi, my name is Clara.")
    parser.add_argument("--asked", default="What is my name?")
    parser.add_argument("--picture", default=os.path.join(ROOT, "docs", "attention.png"))
    args = parser.parse_args(argv)
    engine = Engine(LanguageModel.load(args.model), Tokenizer(args.model))
    ids, following = copied(engine, args.said, args.asked)
    weights, (*names, next_name) = attention_weights(engine.model, ids), pieces(engine.tokenizer, [*ids, following])
    draw(weights, names, next_name, args.picture)
    most, where = weights.flatten(0, 1)[:, [at for at, i in enumerate(ids) if i == following]].sum(1).max(0)
    layer, head = divmod(int(where), weights.shape[1])
    print(f"of {weights.shape[0] * weights.shape[1]} heads, layer {layer + 1} head {head + 1} looks hardest at {next_name!r}: {most:.0%} of its attention")


if __name__ == "__main__":
    main()
