"""Three pictures of the guide: from what docs/walk.py computes a packed row, and what each rank holds under ZeRO; and
the loss scale of a short run in fp16.

    python docs/pictures.py         # docs/row.png, docs/zero.png and docs/scale.png

A processor without fp16 trains in it all the same, slowly: torch has its arithmetic everywhere, DeepSpeed's question
whether it is worth it is answered with yes. So every overflow is one of real fp16 numbers.
Colours are read on white and on black; there are no words but the tokens and the names of what is held."""

import json
import math
import os
import subprocess
import sys
import tempfile

import matplotlib
import torch

matplotlib.use("Agg")
import matplotlib.pyplot as plt

DOCS = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(DOCS), DOCS]
import walk

from model import LanguageModel, ModelConfig, document_layout
from zerochat.preparation import packing

GREY, GREEN, PURPLE, ORANGE, BLUE = "#808080", "#2f9e44", "#7a4fbf", "#e8590c", "#3b82c4"


def row(tokenizer, shard, path: str) -> None:
    """A row as tokens, and below it which token may look at which."""
    ids, mask = shard.batch([0])
    ids, mask = ids[0, ids[0] != tokenizer.pad_id], mask[0, ids[0] != tokenizer.pad_id]
    allowed = document_layout((mask == packing.OPENS)[None])[1][0, 0]
    names, length = walk.pieces(tokenizer, ids.tolist()), len(ids)
    colours = [GREEN if m == packing.SUPERVISED else PURPLE if tokenizer.bytes_of(int(i)) is None else GREY for i, m in zip(ids, mask)]
    figure, axes = plt.subplots(figsize=(8.5, 8.5))
    for query in range(length):
        for key in range(length):
            if allowed[query, key]:
                axes.add_patch(plt.Rectangle((key, query), 0.9, 0.9, color=colours[query], alpha=0.9 if key == query else 0.28, linewidth=0))
    axes.set(xlim=(0, length), ylim=(length, 0), aspect="equal")
    places = [i + 0.45 for i in range(length)]
    axes.set_xticks(places, names, rotation=90, fontsize=7)
    axes.set_yticks(places, names, fontsize=7)
    for labels in (axes.get_xticklabels(), axes.get_yticklabels()):
        for label, colour in zip(labels, colours):
            label.set_color(colour)
    axes.tick_params(length=0)
    axes.set_frame_on(False)
    figure.savefig(path, dpi=110, transparent=True, bbox_inches="tight")


def zero(tokenizer, shard, path: str) -> None:
    """For each stage the most that two ranks held at once of each kind, in numbers."""
    torch.manual_seed(0)
    model = LanguageModel(ModelConfig(vocab_size=len(tokenizer), **walk.SHAPE))
    held = walk.shares(model, tokenizer, *shard.batch([0]))
    kinds = {"weights": GREY, "gradients": ORANGE, "fp32 masters": BLUE, "Adam's moments": GREEN}
    figure, axes = plt.subplots(figsize=(8, 3.6))
    places = [number + number // 2 * 0.6 for number in range(len(held))]
    for at, (_, counts) in zip(places, held):
        left = 0
        counts["gradients"] = max(counts["gradients half-way"], counts["at the end"])
        for kind, colour in kinds.items():
            axes.barh(at, counts[kind], left=left, color=colour, height=0.85, label=kind if at == 0 else None)
            left += counts[kind]
        axes.text(left + 300, at, f"{left:,}", va="center", color=GREY, fontsize=8)
    axes.set_yticks(places, [name for name, _ in held], fontsize=8)
    axes.invert_yaxis()
    axes.set_xticks([])
    axes.tick_params(colors=GREY, length=0)
    axes.set_frame_on(False)
    axes.legend(frameon=False, labelcolor=GREY, fontsize=8, ncols=4, loc="upper center", bbox_to_anchor=(0.45, 1.12))
    figure.savefig(path, dpi=110, transparent=True, bbox_inches="tight")


RUN = """import sys
from deepspeed.accelerator import get_accelerator
type(get_accelerator()).is_fp16_supported = lambda self: True
import train
train.main(sys.argv[1:])"""


def scale(path: str) -> None:
    """Loss and loss scale of 240 steps with a window of 20; a step that was skipped is marked."""
    with tempfile.TemporaryDirectory() as place:
        demo = {"demo": "conversations", "count": 1500}
        config = {
            "out_dir": os.path.join(place, "run"), "tokenizer": {"vocab_size": 2000},
            "model": {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 256},
            "stages": [{"name": "sft", "data": [demo], "validation": [{**demo, "split": "validation", "count": 20}], "steps": 240, "log_every": 1}],
            "evaluate": {"data": []},
            "deepspeed": {
                "train_batch_size": 4, "optimizer": {"type": "AdamW", "params": {"lr": 3e-3, "weight_decay": 0.05}}, "gradient_clipping": 1.0,
                "fp16": {"enabled": True, "loss_scale": 0, "initial_scale_power": 24, "loss_scale_window": 20, "hysteresis": 1},
                "zero_optimization": {"stage": 1},
            },
        }
        with open(os.path.join(place, "fp16.json"), "w") as file:
            json.dump(config, file)
        subprocess.run([sys.executable, "-c", RUN, "--config", file.name], cwd=os.path.dirname(DOCS), check=True)
        with open(os.path.join(place, "run", "sft", "metrics.jsonl")) as file:
            steps = [entry for entry in map(json.loads, file) if "loss_scale" in entry]
    at, scales = [entry["step"] for entry in steps], [entry["loss_scale"] for entry in steps]
    skipped = [i for i in range(len(steps)) if steps[i]["skipped_steps"] > (steps[i - 1]["skipped_steps"] if i else 0)]
    print(f"{len(skipped)} of {len(steps)} steps skipped; scale from 2^24 to 2^{math.log2(scales[-1]):g}")
    figure, (upper, lower) = plt.subplots(2, figsize=(8, 4.2), sharex=True, height_ratios=(2, 1))
    upper.step(at, scales, where="post", color=BLUE)
    upper.plot([at[i] for i in skipped], [scales[i] for i in skipped], "x", color=ORANGE, label="skipped")
    upper.set_yscale("log", base=2)
    upper.set_ylabel("loss scale", color=GREY)
    upper.legend(frameon=False, labelcolor=GREY)
    lower.plot(at, [entry["loss"] for entry in steps], color=GREEN)
    lower.set_ylabel("loss", color=GREY)
    for axes in (upper, lower):
        axes.tick_params(colors=GREY, which="both", length=0)
        axes.set_frame_on(False)
        axes.grid(axis="y", color=GREY, alpha=0.25)
    figure.savefig(path, dpi=110, transparent=True, bbox_inches="tight")


if __name__ == "__main__":
    scale(os.path.join(DOCS, "scale.png"))
    with tempfile.TemporaryDirectory() as place:
        _, learned, packed = walk.prepared(place)
        row(learned, packed, os.path.join(DOCS, "row.png"))
        zero(learned, packed, os.path.join(DOCS, "zero.png"))
