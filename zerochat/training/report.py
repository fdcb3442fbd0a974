"""What a run leaves behind: loss.png, report.md, the model card, and report.json, which says that it is finished."""

import io
import json
import os
import platform

import torch

from zerochat.evaluation import tables
from zerochat.files import read_json, write_atomic
from zerochat.run_folder import RunFolder
from zerochat.text import markdown
from zerochat.training.log import read, say

CARD = "<!-- Written at the end of a training run; a page without this line is never replaced. -->"
ABOUT = (
    "A chat model in the Llama format. `AutoModelForCausalLM` and `AutoTokenizer` load it without custom code, and "
    "`apply_chat_template` renders conversations as in training, but for text that spells a marker (a typed "
    "`<|user|>`), which becomes the marker there: clean what strangers write."
)
LANGUAGES = {"en": "English", "zh": "Chinese", "other": "other"}


def write(run: RunFolder, config: dict, prepared: str, figures: dict | None, seconds: float) -> None:
    """Write all of it, report.json last, and say in a few lines how the run came out."""
    stages = {stage["name"]: read(run.file(stage["name"], "metrics.jsonl")) for stage in config["stages"]}
    preparation = read_json(os.path.join(prepared, "report.json"))
    _draw(run.file("loss.png"), stages)
    machine = {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count()}
    machine |= {"gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None, "torch": torch.__version__}
    on = f"{machine['cores']} cores" + (f" and {machine['gpu']}" if machine["gpu"] else "")
    lines = [f"# {run.path}", "", f"{seconds / 60:.1f} minutes on {on}", "", "![loss](loss.png)", ""]
    for name, entries in stages.items():
        if held_out := [entry for entry in entries if "bits_per_byte" in entry]:
            first, last = held_out[0], held_out[-1]
            bits = f"{first['bits_per_byte']:.3f} bits per byte on held-out data before"
            lines.append(f"- {name}: {bits}, {last['bits_per_byte']:.3f} after {last['step']} steps")
    if figures:
        turns = figures["turns"]
        missed, some = [turn for turn in turns if not turn["correct"]], turns[:: max(1, len(turns) // 20)]
        lines += ["", tables.table(figures), ""]
        lines += [*tables.section("Missed", missed, 40), *tables.section("Some answers", some, 20)]
    _card(run, config, preparation, stages, figures)
    everything = {"seconds": seconds, "machine": machine, "config": config, "data": preparation}
    tables.write_report(run.path, lines, everything | {"stages": stages, "evaluation": figures})
    for line in in_short(figures) if figures else ():
        say(line)
    say(f"report: {run.file('report.md')}, {run.file('loss.png')}")
    say(f"finished in {seconds / 60:.1f} minutes; chat with it: python sample.py --model {run.path}")


def in_short(figures: dict) -> list[str]:
    """How the model did on held-out conversations, in at most four lines."""
    groups = figures["groups"]

    def told(kind: str) -> str:
        """The share of right answers in the groups of this kind, by language."""
        found = {name: groups[kind + key] for key, name in LANGUAGES.items() if kind + key in groups}
        return ", ".join(f"{group['correct']:.1%} of {group['turns']} {name}" for name, group in found.items())

    recalled = told("recall, ")
    lines = [f"correct: {told('language ')} answers to {figures['conversations']} held-out conversations"]
    lines += [f"recalled from earlier turns: {recalled}"] if recalled else []
    lines.append(f"ended by themselves: {groups['all']['ended']:.1%}")
    return [*lines, f"loss: {figures['loss']:.4f} nats per token, {figures['bits_per_byte']:.4f} bits per byte"]


def _draw(path: str, stages: dict[str, list[dict]]) -> None:
    """One panel per stage: training loss, validation loss, and the learning rate beside them."""
    import matplotlib  # here and not above: it takes a second, which only a finished run should pay

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, len(stages), figsize=(5.5 * len(stages), 3.8), squeeze=False)
    for panel, (name, entries) in zip(panels[0], stages.items()):
        train = [entry for entry in entries if "loss" in entry]
        steps = [entry["step"] for entry in train]
        panel.plot(steps, [entry["loss"] for entry in train], color="#9db8d9", lw=1, label="training")
        if held_out := [(entry["step"], entry["validation_loss"]) for entry in entries if "validation_loss" in entry]:
            panel.plot(*zip(*held_out), "o-", color="#c0392b", ms=4, label="held out")
        losses = [entry.get("loss", entry.get("validation_loss")) for entry in entries]
        # On a linear axis most of a curve that spans so much would lie on the floor.
        wide = losses and max(losses) > 20 * max(min(losses), 1e-9)
        panel.set(title=name, xlabel="step", ylabel="loss (nats per supervised token)")
        panel.set(**{"yscale": "log"} if wide else {"ylim": (0, None)})
        rate = panel.twinx()
        rate.plot(steps, [entry["lr"] for entry in train], color="#7f8c8d", lw=0.8, ls=":")
        rate.set(ylabel="learning rate (dotted)", ylim=(0, None))
        panel.legend(frameon=False)
        panel.grid(alpha=0.2)
    figure.tight_layout()
    picture = io.BytesIO()
    figure.savefig(picture, dpi=110, format="png")
    write_atomic(path, picture.getvalue())
    plt.close(figure)


def _card(run: RunFolder, config: dict, preparation: dict, stages: dict, figures: dict | None) -> None:
    """Write the model card, README.md, as model hubs show it: what the model was trained on, its shape, its figures."""
    path = run.file("README.md")
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            if CARD not in file.read():
                return

    def start(stage: dict) -> str | None:  # a path says little elsewhere, its last part may be a model's name
        return os.path.basename(os.path.normpath(stage["init_from"])) if stage["init_from"] else None

    rows = []
    for stage in config["stages"]:
        data, entries = preparation["stages"][stage["name"]], stages[stage["name"]]
        held_out = [f"{entry['bits_per_byte']:.4f}" for entry in entries if "bits_per_byte" in entry]
        origin = start(stage) or ("random weights" if stage is config["stages"][0] else "the stage before")
        origin += f", LoRA of rank {stage['lora']['rank']}" if stage["lora"]["rank"] else ""
        kept = ", ".join(f"{source}: {c['kept']:,} of {c['read']:,}" for source, c in data["sources"].items())
        sizes = [f"{data['train'][key]:,}" for key in ("tokens", "supervised")]
        bits = " to ".join(dict.fromkeys(held_out[:1] + held_out[-1:]))
        rows.append([stage["name"], origin, kept, *sizes, str(entries[-1]["step"] if entries else "-"), bits])
    base = start(config["stages"][0])
    head = ["library_name: transformers", "pipeline_tag: text-generation", *([f"base_model: {base}"] if base else [])]
    name = os.path.basename(os.path.abspath(run.path))
    lines = ["---", *head, "---", CARD, "", f"# {name}", "", ABOUT, "", "## Trained on", ""]
    columns = "stage | from | samples kept | tokens | supervised | steps | held-out bits per byte"
    lines += markdown(columns, rows, "lllrrrr")
    lines += ["", "## Figures", "", tables.table(figures)] if figures else []
    shape = read_json(run.file("config.json")).items()
    lines += ["", "## Shape", "", *markdown(" | ", ((key, json.dumps(value)) for key, value in shape), "ll")]
    write_atomic(path, "\n".join(lines) + "\n")
