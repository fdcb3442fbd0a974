"""Low-rank adapters: fine-tuning that trains a hundredth of the weights (Hu et al. 2021).

A frozen matrix W [O, I] gets a correction of rank r beside it: y = W x + (alpha / r) B A x, with A [r, I] random and
B [O, r] zero, so that training starts at the pretrained model. Adam's state and the gradients, 14 of the 16 bytes of a
weight, then exist for A and B alone. On export B A is added into W: the folder is the same as after full
fine-tuning. Left out on purpose: a file of adapters alone, ranks that differ by layer."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


class LoRALinear(nn.Module):
    """A linear layer, frozen, and its trainable correction."""

    def __init__(self, linear: nn.Linear, rank: int, alpha: float, dropout: float):
        super().__init__()
        self.weight, self.bias = linear.weight, linear.bias  # under their old names, for checkpoints and exports
        like: dict = {"dtype": self.weight.dtype, "device": self.weight.device}
        self.lora_a = nn.Parameter(torch.empty(rank, linear.in_features, **like))
        self.lora_b = nn.Parameter(torch.zeros(linear.out_features, rank, **like))
        nn.init.normal_(self.lora_a, std=linear.in_features**-0.5)
        self.dropout, self.scale = nn.Dropout(dropout), alpha / rank

    def forward(self, x: Tensor) -> Tensor:
        narrow = self.scale * F.linear(self.dropout(x), self.lora_a)
        return F.linear(x, self.weight, self.bias) + F.linear(narrow, self.lora_b)


def add(model, rank: int, alpha: float, dropout: float, train_vocabulary: bool) -> None:
    """Freeze `model` and put adapters beside the matrices of its attention and MLP. train_vocabulary: leave the
    embedding and the head trainable, as new tokens, which start as copies of one another, demand."""
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(train_vocabulary and ("embed_tokens" in name or "lm_head" in name))
    for layer in model.model.layers:
        for block in (layer.self_attn, layer.mlp):
            for name in TARGETS:
                if hasattr(block, name):
                    setattr(block, name, LoRALinear(getattr(block, name), rank, alpha, dropout))


def merge(trained: dict[str, Tensor], frozen: dict[str, Callable[[], Tensor]], alpha: float) -> dict[str, Tensor]:
    """All weights, in fp32, with the corrections in them. trained: every trained parameter by name; frozen: how to read
    each weight of the folder that training started from. What was neither trained nor corrected comes out as it was."""
    merged = {name: read().float() for name, read in frozen.items() if name not in trained}
    for name, tensor in trained.items():
        if name.endswith(".lora_a"):
            b = trained[name.removesuffix("lora_a") + "lora_b"]
            merged[name.removesuffix("lora_a") + "weight"] += alpha / len(tensor) * (b @ tensor)
        elif not name.endswith(".lora_b"):
            merged[name] = tensor
    return merged
