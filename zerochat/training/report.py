"""What a run says while it trains and leaves behind: a progress bar, metrics.jsonl, loss.png, report.json, report.md."""

import json
import os
import platform
import sys
import time

import torch
import torch.distributed as dist
from tqdm import tqdm

import evaluate


def say(*parts) -> None:
    """Print on rank 0 alone, above a progress bar where there is one."""
    if int(os.environ.get("RANK", 0)) == 0:
        tqdm.write(" ".join(map(str, parts)), file=sys.stdout)
        sys.stdout.flush()


def loss_scale(engine) -> float:
    return engine.optimizer.cur_scale if hasattr(engine.optimizer, "cur_scale") else engine.optimizer.loss_scale


class Log:
    """What a person sees (a bar on a terminal, lines elsewhere) and `metrics.jsonl`, on rank 0."""

    def __init__(self, path: str, stage: str, done: int, steps: int):
        self.stage, self.steps, self.path = stage, steps, path
        self.file = self.bar = None
        self.begun = self.said = time.monotonic()
        self.tokens = 0
        self.begun_before, self.evaluated = False, set()  # the steps whose evaluation is in the log already
        if dist.get_rank() == 0:
            entries = []
            if os.path.exists(path):  # a run that was killed may have logged steps that it will now do again
                with open(path) as file:
                    entries = [line for line in file if line.endswith("\n")]  # and half a line
                self.begun_before = bool(entries)
            entries = [line for line in entries if json.loads(line)["step"] <= done and done]
            self.evaluated = {entry["step"] for entry in map(json.loads, entries) if "validation_loss" in entry}
            with open(path + ".tmp", "w") as file:
                file.writelines(entries)
            os.replace(path + ".tmp", path)
            self.file = open(path, "a")
            self.bar = tqdm(
                total=steps, initial=done, desc=stage, unit="step", disable=not sys.stderr.isatty(), dynamic_ncols=True
            )

    def step(self, step: int, loss: float, engine, tokens: int, write: bool) -> None:
        self.tokens += tokens
        if self.file is None:
            return
        speed = self.tokens / (time.monotonic() - self.begun)
        entry = {
            "step": step,
            "loss": loss,
            "lr": engine.get_lr()[0],
            "tokens_per_second": round(speed),
            "seconds": round(time.monotonic() - self.begun, 1),
        }
        if engine.fp16_enabled():
            entry |= {"loss_scale": loss_scale(engine), "skipped_steps": engine.skipped_steps}
        shown = f"loss {loss:.3f} lr {entry['lr']:.2e} {speed:,.0f} tok/s" + (
            f" scale {entry['loss_scale']:g}, {entry['skipped_steps']} skipped" if "loss_scale" in entry else ""
        )
        self.bar.set_postfix_str(shown, refresh=False)
        self.bar.update(1)
        if write:
            self.write(entry)
        tenth = step * 10 // self.steps > (step - 1) * 10 // self.steps
        if self.bar.disable and (tenth or time.monotonic() - self.said > 60):
            self.said = time.monotonic()
            say(f"  {self.stage} {step}/{self.steps} {shown}, {(self.steps - step) * tokens / speed:.0f} s left")

    def evaluation(self, step: int, figures: dict) -> None:
        if self.file:
            self.write({"step": step, **figures})
            say(
                f"  {self.stage} step {step}: "
                + ", ".join(f"{k.replace('_', ' ')} {v:.3f}" for k, v in figures.items())
            )

    def write(self, entry: dict) -> None:
        self.file.write(json.dumps(entry) + "\n")
        self.file.flush()

    def close(self) -> None:
        if self.file:
            self.bar.close()
            self.file.close()


def metrics(out_dir: str, config: dict) -> dict[str, list[dict]]:
    """The entries of every stage's metrics.jsonl."""
    found = {}
    for stage in config["stages"]:
        with open(os.path.join(out_dir, stage["name"], "metrics.jsonl")) as file:
            found[stage["name"]] = [json.loads(line) for line in file]
    return found


def draw(path: str, stages: dict[str, list[dict]]) -> None:
    """One panel per stage: training loss, validation loss, and the learning rate beside them."""
    import matplotlib  # here and not above: it takes a second, which only a finished run should pay

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, len(stages), figsize=(5.5 * len(stages), 3.8), squeeze=False)
    for panel, (name, entries) in zip(panels[0], stages.items()):
        train = [entry for entry in entries if "loss" in entry]
        held_out = [entry for entry in entries if "validation_loss" in entry]
        panel.plot([e["step"] for e in train], [e["loss"] for e in train], color="#9db8d9", lw=1, label="training")
        if held_out:
            panel.plot(
                [e["step"] for e in held_out],
                [e["validation_loss"] for e in held_out],
                "o-",
                color="#c0392b",
                ms=4,
                label="held out",
            )
        losses = [e.get("loss", e.get("validation_loss")) for e in entries]
        wide = max(losses) > 20 * max(min(losses), 1e-9)  # on a linear axis most of such a curve would lie on the floor
        panel.set(
            title=name,
            xlabel="step",
            ylabel="loss (nats per supervised token)",
            **{"yscale": "log"} if wide else {"ylim": (0, None)},
        )
        rate = panel.twinx()
        rate.plot([e["step"] for e in train], [e["lr"] for e in train], color="#7f8c8d", lw=0.8, ls=":")
        rate.set(ylabel="learning rate (dotted)", ylim=(0, None))
        panel.legend(frameon=False)
        panel.grid(alpha=0.2)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


CARD = "<!-- Written at the end of a training run; a page without this line is never replaced. -->"


def card(out_dir: str, config: dict, preparation: dict, stages: dict[str, list[dict]], figures: dict | None) -> None:
    """Write the model card, README.md, as model hubs show it: what the model was trained on, its shape, its figures."""
    path = os.path.join(out_dir, "README.md")
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            if CARD not in file.read():
                return
    with open(os.path.join(out_dir, "config.json"), encoding="utf-8") as file:
        shape = json.load(file)

    def start(stage):  # a path says little elsewhere, its last part may be a model's name
        return os.path.basename(os.path.normpath(stage["init_from"])) if stage["init_from"] else None

    base = start(config["stages"][0])
    lines = [
        "---",
        "library_name: transformers",
        "pipeline_tag: text-generation",
        *([f"base_model: {base}"] if base else []),
        "---",
        CARD,
        "",
        f"# {os.path.basename(os.path.abspath(out_dir))}",
        "",
        "A chat model in the Llama format. `AutoModelForCausalLM` and `AutoTokenizer` load it without custom code, and "
        "`apply_chat_template` renders conversations as in training, but for text that spells a marker (a typed "
        "`<|user|>`), which becomes the marker there: clean what strangers write.",
        "",
        "## Trained on",
        "",
        "| stage | from | samples kept | tokens | supervised | steps | held-out bits per byte |",
        "|---|---|---|---:|---:|---:|---:|",
    ]
    for stage in config["stages"]:
        data, entries = preparation["stages"][stage["name"]], stages[stage["name"]]
        held_out = [f"{entry['bits_per_byte']:.4f}" for entry in entries if "bits_per_byte" in entry]
        origin = start(stage) or ("the stage before" if stage is not config["stages"][0] else "random weights")
        origin += f", LoRA of rank {stage['lora']['rank']}" if stage["lora"]["rank"] else ""
        kept = ", ".join(f"{source}: {c['kept']:,} of {c['read']:,}" for source, c in data["sources"].items())
        lines.append(
            f"| {stage['name']} | {origin} | {kept} | {data['train']['tokens']:,} | "
            f"{data['train']['supervised']:,} | {entries[-1]['step']} | {' to '.join(dict.fromkeys(held_out[:1] + held_out[-1:]))} |"
        )
    if figures:
        lines += ["", "## Figures", "", evaluate.table(figures)]
    lines += ["", "## Shape", "", "| | |", "|---|---|"]
    lines += [f"| {key} | {json.dumps(value)} |" for key, value in shape.items()]
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def write(out_dir: str, config: dict, prepared: str, figures: dict | None, seconds: float) -> None:
    """Write loss.png, report.md and, last, report.json, whose presence says that the run is finished."""
    stages = metrics(out_dir, config)
    with open(os.path.join(prepared, "report.json"), encoding="utf-8") as file:
        preparation = json.load(file)
    draw(os.path.join(out_dir, "loss.png"), stages)
    machine = {
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "torch": torch.__version__,
    }
    lines = [
        f"# {out_dir}",
        "",
        f"{seconds / 60:.1f} minutes on {machine['cores']} cores"
        + (f" and {machine['gpu']}" if machine["gpu"] else ""),
        "",
        "![loss](loss.png)",
        "",
    ]
    for name, entries in stages.items():
        held_out = [entry for entry in entries if "validation_loss" in entry]
        if held_out:
            lines.append(
                f"- {name}: {held_out[0]['bits_per_byte']:.3f} bits per byte on held-out data before, "
                f"{held_out[-1]['bits_per_byte']:.3f} after {held_out[-1]['step']} steps"
            )
    if figures:
        turns = figures["turns"]
        missed = [turn for turn in turns if not turn["correct"]]
        summary = "\n".join(line for line in evaluate.table(figures).split("\n") if "| skill" not in line)
        say(summary)
        lines += [
            "",
            evaluate.table(figures),
            "",
            f"## Missed ({len(missed)} of {len(turns)})",
            "",
            evaluate.transcripts(missed, 40),
            "",
            "## Some answers",
            "",
            evaluate.transcripts(turns[:: max(1, len(turns) // 20)], 20),
        ]
    with open(os.path.join(out_dir, "report.md"), "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    card(out_dir, config, preparation, stages, figures)
    path = os.path.join(out_dir, "report.json")
    with open(path + ".tmp", "w", encoding="utf-8") as file:
        json.dump(
            {
                "seconds": seconds,
                "machine": machine,
                "config": config,
                "data": preparation,
                "stages": stages,
                "evaluation": figures,
            },
            file,
            indent=1,
            ensure_ascii=False,
        )
    os.replace(path + ".tmp", path)
