"""Seconds from `deepspeed train.py` on prepared data to its first step, beside a bare script that does nothing else.

    python benchmarks/start.py

The bare script imports torch, DeepSpeed and the model, makes the model of `configs/small.json`, calls
`deepspeed.initialize` with the same section of the config and takes one step on random tokens. The extensions are built
before the clock starts; the two start in turns, and the medians are given with all times."""

import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BARE = """
import json, sys
sys.path.insert(0, {root!r})
import torch, deepspeed
from model import LanguageModel, ModelConfig
config = json.load(open({config!r}))
model = LanguageModel(ModelConfig(vocab_size=config["tokenizer"]["vocab_size"], **config["model"])).train()
settings = config["deepspeed"] | {{"train_micro_batch_size_per_gpu": config["deepspeed"]["train_batch_size"], "gradient_accumulation_steps": 1}}
settings["fp16"], settings["bf16"] = {{"enabled": False}}, {{"enabled": bool(torch.cpu.get_capabilities().get("avx512_bf16"))}}
settings.pop("scheduler")
engine = deepspeed.initialize(model=model, model_parameters=model.parameters(), config=settings)[0]
ids = torch.randint(4, 2000, (4, 256))
engine.backward(engine(ids, torch.ones_like(ids)) / 1000)
engine.step()
print("stepped", flush=True)
"""


def until(command: list[str], line: str, folder: str) -> float:
    """Seconds until the command prints a line that contains `line`; then it is ended."""
    begun = time.monotonic()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
    said = []
    for text in process.stdout:
        said.append(text)
        if line in text:
            spent = time.monotonic() - begun
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return spent
    raise SystemExit("".join(said[-20:]))


def main() -> None:
    launcher, config = shutil.which("deepspeed"), os.path.join(ROOT, "configs", "small.json")
    with tempfile.TemporaryDirectory() as folder:
        bare = os.path.join(folder, "bare.py")
        with open(bare, "w") as file:
            file.write(BARE.format(root=ROOT, config=config))
        settings = [f"out_dir={folder}/out", "stages.pretrain.validation=[]", "stages.pretrain.steps=1"]
        options = [word for setting in settings for word in ("--set", setting)]
        subprocess.run([sys.executable, "data.py", "--config", config, *options], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        ours = [launcher, "train.py", "--config", config, *options]
        sides, spent = {"train.py": (ours, "pretrain 1/1", ROOT), "a bare script": ([launcher, bare], "stepped", folder)}, {}
        for round in range(5):
            for name, side in sides.items():
                shutil.rmtree(f"{folder}/out/pretrain", ignore_errors=True)  # a checkpoint that came before the end
                seconds = until(*side)
                spent.setdefault(name, []).extend([seconds] * (round > 0))  # the first builds extensions
        middle = {name: statistics.median(times) for name, times in spent.items()}
        for name, times in spent.items():
            print(f"{name}: {middle[name]:.1f} s (of {', '.join(f'{s:.1f}' for s in sorted(times))})")
        print(f"train.py takes {middle['train.py'] / middle['a bare script']:.2f} times as long")


if __name__ == "__main__":
    main()
