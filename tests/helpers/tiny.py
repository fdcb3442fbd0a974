"""A model of a few thousand weights, and the project's scripts started as a user starts them."""

import os
import subprocess
import sys

import torch

from model import LanguageModel, ModelConfig

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def tiny_config(**changes) -> ModelConfig:
    return ModelConfig(**{"vocab_size": 900, "hidden_size": 48, "intermediate_size": 80, "num_hidden_layers": 2,
                          "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 64,
                          "initializer_range": 0.2} | changes)


def tiny_model(**changes) -> LanguageModel:
    """Random weights, large enough that every part matters to the logits."""
    torch.manual_seed(0)
    return LanguageModel(tiny_config(**changes)).eval()


def environment(**changes) -> dict:
    """A user's environment: two threads, and nothing of the process group that this process may have joined."""
    of_a_rank = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
    return {**{k: v for k, v in os.environ.items() if k not in of_a_rank}, "OMP_NUM_THREADS": "2", **changes}


def launch(*words: str, timeout: int = 300, **changes) -> subprocess.CompletedProcess:
    """Run one of the project's scripts as a user does."""
    return subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, timeout=timeout,
                          env=environment(**changes))
