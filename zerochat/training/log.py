"""What a run says while it trains: a bar on a terminal, lines elsewhere, and `metrics.jsonl`."""

import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress

import torch.distributed as dist
from tqdm import tqdm

from zerochat.files import room, write_atomic

MANY = 30  # epochs: the recipes make 1 to 20


def told(epochs: float) -> str:
    """A number of epochs in words, and a warning where they are so many that little else may be left in the model."""
    many = ", very many: the data are learned by heart, and much else is forgotten; set fewer steps or add data"
    return f"{epochs:.1f} epochs{many if epochs > MANY else ''}"


def say(*parts) -> None:
    """Print on rank 0 alone, above a progress bar where there is one."""
    if int(os.environ.get("RANK", 0)) == 0:
        tqdm.write(" ".join(map(str, parts)), file=sys.stdout)
        sys.stdout.flush()


def read(path: str) -> list[dict]:
    """The entries of a `metrics.jsonl`, if there is one. A line that is none, as a crash may leave, is named and left
    out; half a line at the end, which every kill may leave, without a word."""
    entries = []
    with suppress(FileNotFoundError), open(path, encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, 1):
            with suppress(ValueError):
                if isinstance(entry := json.loads(line), dict) and isinstance(entry.get("step"), int):
                    entries.append(entry)
                    continue
            if line.endswith("\n"):
                say(f"{path}:{number} is damaged, and left out")
    return entries


class Log:
    """The log of a stage, kept by rank 0; `done` steps are in it already. monitor: called with stage and figures."""

    def __init__(self, path: str, stage: str, done: int, steps: int, monitor: Callable[[str, dict], None]):
        self.stage, self.steps, self.tokens, self.monitor = stage, steps, 0, monitor
        self.file = self.bar = None
        self.begun = self.said = time.monotonic()
        self.validated = set()  # the steps whose validation is in the log already
        if dist.get_rank() != 0:
            return
        entries = read(path)  # a run that was killed may have logged steps that it will now do again
        if entries and not done:
            say(f"stage {stage} was cut off before its first checkpoint: it begins again")
        entries = [entry for entry in entries if entry["step"] <= done and done]
        self.validated = {entry["step"] for entry in entries if "validation_loss" in entry}
        write_atomic(path, "".join(json.dumps(entry) + "\n" for entry in entries))
        self.file = open(path, "a")
        quiet = not sys.stderr.isatty()
        self.bar = tqdm(total=steps, initial=done, desc=stage, unit="step", disable=quiet, dynamic_ncols=True)

    def step(self, step: int, figures: dict, tokens: int, write: bool) -> None:
        """One step more, of so many tokens; figures: those of `engine.figures_of_step`."""
        self.tokens += tokens
        if self.file is None:
            return
        speed = self.tokens / (seconds := time.monotonic() - self.begun)
        shown = f"loss {figures['loss']:.3f} lr {figures['lr']:.2e} {speed:,.0f} tok/s"
        if "loss_scale" in figures:
            shown += f" scale {figures['loss_scale']:g}, {figures['skipped_steps']} skipped"
        self.bar.set_postfix_str(shown, refresh=False)
        self.bar.update(1)
        if write:
            self._write(step, {**figures, "tokens_per_second": round(speed), "seconds": round(seconds, 1)})
        tenth = step * 10 // self.steps > (step - 1) * 10 // self.steps
        if self.bar.disable and (tenth or time.monotonic() - self.said > 60):
            self.said, left = time.monotonic(), (self.steps - step) * tokens / speed
            say(f"  {self.stage} {step}/{self.steps} {shown}, {left:.0f} s left")

    def validation(self, step: int, figures: dict) -> None:
        if self.file:
            self._write(step, figures)
            shown = ", ".join(f"{key.replace('_', ' ')} {value:.3f}" for key, value in figures.items())
            say(f"  {self.stage} step {step}: {shown}")

    def _write(self, step: int, figures: dict) -> None:
        line = json.dumps({"step": step, **figures}) + "\n"
        with room(self.file.name, lambda: len(line)):
            self.file.write(line)
            self.file.flush()
        self.monitor(self.stage, figures)

    def close(self) -> None:
        if self.file:
            self.bar.close()
            with suppress(OSError):  # of a full disk, which has been said
                self.file.close()
