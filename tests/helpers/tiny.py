"""A model of a few thousand weights, and the project's scripts started as a user starts them."""

import contextlib
import os
import subprocess
import sys
import time

import pytest
import torch

import data
from config import DEFAULTS, SOURCE
from model import LanguageModel, ModelConfig, save
from tokenizer import MARKERS, MODEL_FILE, Tokenizer
from zerochat.generation.engine import Engine
from zerochat.preparation import formats, vocabulary

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def read(*parts: str) -> str:
    """A file of the checkout."""
    with open(os.path.join(ROOT, *parts), encoding="utf-8") as file:
        return file.read()


def source(**values) -> dict:
    return {**SOURCE, **values}


def read_source(folder, name: str, **values) -> list[tuple]:
    """(file, line, sample) of a file."""
    return list(formats.read(source(path=name, **values), str(folder)))


def prepared(folder, *sources: dict, tokenizer: str, **options) -> tuple[str, str]:
    """The folder of prepared data of one stage, and what was said; options: of the section `data`."""
    config: dict = {**DEFAULTS, "out_dir": str(folder / "out"), "tokenizer": {**DEFAULTS["tokenizer"], "path": tokenizer}}
    config["data"] = {**DEFAULTS["data"], "data_root": str(folder), **options}
    config["stages"] = [{"name": "sft", "data": list(sources), "validation": [], "loss_on": "assistant"}]
    said: list[str] = [""]
    return data.prepare(config, said.append), said[-1]


def tiny_config(**changes) -> ModelConfig:
    return ModelConfig(**{"vocab_size": 900, "hidden_size": 48, "intermediate_size": 80, "num_hidden_layers": 2,
                          "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 64,
                          "initializer_range": 0.2} | changes)


def tiny_model(**changes) -> LanguageModel:
    """Random weights, large enough that every part matters to the logits."""
    torch.manual_seed(0)
    return LanguageModel(tiny_config(**changes)).eval()


def save_model(folder: str, model: LanguageModel, tokenizer: Tokenizer) -> None:
    """A model folder as training writes it."""
    tokenizer.save(folder)
    save(folder, model.config, model.state_dict(), {
        "bos_token_id": tokenizer.bos_id, "pad_token_id": tokenizer.pad_id, "eos_token_id": [tokenizer.template.end_id]})


def load_engine(folder: str, slots: int = 1, device: str | None = None) -> Engine:
    return Engine(LanguageModel.load(folder, device), Tokenizer(folder), slots)


def train_tokenizer(texts, folder: str, vocab_size: int, model_type: str = "bpe") -> Tokenizer:
    """A tokenizer as preparation learns it, written into `folder`."""
    options = {**DEFAULTS["tokenizer"], "vocab_size": vocab_size, "model_type": model_type, "character_coverage": 0.98}
    proto = vocabulary.learn(texts, MARKERS, options)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, MODEL_FILE), "wb") as file:
        file.write(proto)
    Tokenizer(folder).save(folder)
    return Tokenizer(folder)


def count_parameters(config: ModelConfig) -> int:
    """Parameters of a model of this shape, a tied head counted once; nothing is allocated."""
    with torch.device("meta"):
        return sum(p.numel() for p in LanguageModel(config).parameters())


def until(condition, seconds: float) -> bool:
    """Whether it has become true within so many seconds; looked at a hundred times a second."""
    end = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < end:
        time.sleep(0.01)
    return bool(found)


def refuses(message: str, action, *words, **options) -> None:
    """`action(*words)` is a ValueError with a message like this."""
    with pytest.raises(ValueError, match=message):
        action(*words, **options)


def environment(**changes) -> dict:
    """A user's environment: two threads, and nothing of the process group that this process may have joined."""
    of_a_rank = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
    return {**{k: v for k, v in os.environ.items() if k not in of_a_rank}, "OMP_NUM_THREADS": "2", **changes}


@contextlib.contextmanager
def server_process(*words: str, terminate: bool = True, **options):
    """`serve.py` with these words on a free port, as a user starts it: (the process, its address). It should end well
    on SIGTERM, which the caller may have sent (terminate=False), and have printed nothing but its first line."""
    command = [sys.executable, *(words if "serve.py" in words else ("serve.py", *words)), "--port", "0"]
    process = subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               env=environment(OMP_NUM_THREADS="1"), **options)
    try:
        yield process, process.stdout.readline().split()[-1]
        if terminate:
            process.terminate()
        output = process.communicate(timeout=60)[0]
        assert (process.returncode, output) == (0, ""), output
    finally:
        process.kill()


def launch(*words: str, timeout: int = 300, **changes) -> subprocess.CompletedProcess:
    """Run one of the project's scripts as a user does."""
    return subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, timeout=timeout, env=environment(**changes))
