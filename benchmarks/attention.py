"""Forward and backward of attention on packed rows: `model.attend` beside PyTorch's fused CPU kernel.

    python benchmarks/attention.py

Prints, per context, the time of `attend` in bf16 over that of the fused kernel (in fp32 `attend` is that kernel), medians
of rounds in turns, with the middle half of the rounds' ratios. Documents of 64 tokens, 4 query heads of 48 on 2
key-value heads, as in `small.json`; at least 1,024 tokens in all. Output and gradients have to agree first."""

import os
import statistics
import sys
import time

import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

sys.path[:0] = [os.path.dirname(os.path.dirname(os.path.abspath(__file__))), os.path.dirname(os.path.abspath(__file__))]

from training import processor

from model import attend, document_layout


def fused(q, k, v, mask):
    with sdpa_kernel(SDPBackend.FLASH_ATTENTION):
        return F.scaled_dot_product_attention(q, k, v, mask, enable_gqa=True)


def measure(kernel, tensors, mask) -> tuple[float, list]:
    """Seconds of five passes, and the output with the three gradients of the last."""
    begun = time.perf_counter()
    for _ in range(5):
        for tensor in tensors:
            tensor.grad = None
        y = kernel(*tensors, mask)
        y.backward(torch.ones_like(y))
    return time.perf_counter() - begun, [y.detach(), *(tensor.grad for tensor in tensors)]


def main() -> None:
    print(f"{processor()}\n\n| context | attend / fused | middle half |\n|---:|---:|---|")
    for context in (128, 256, 512, 1024, 2048):
        torch.manual_seed(0)
        shapes = [(max(1, 1024 // context), context, heads, 48) for heads in (4, 2, 2)]
        tensors = [torch.randn(shape, dtype=torch.bfloat16).transpose(1, 2).detach().requires_grad_() for shape in shapes]
        _, mask = document_layout((torch.arange(context) % 64 == 0).expand(shapes[0][0], -1))
        ratios = []
        for round in range(24):
            (mine, found), (theirs, expected) = (measure(kernel, tensors, mask) for kernel in (attend, fused))
            for ours, other in zip(found, expected):
                torch.testing.assert_close(ours, other, rtol=0.05, atol=0.05)
            ratios += [mine / theirs] * (round > 3)
        low, middle, high = statistics.quantiles(ratios, n=4)
        print(f"| {context} | {middle:.2f} | {low:.2f} to {high:.2f} |", flush=True)


if __name__ == "__main__":
    main()
