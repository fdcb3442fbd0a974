"""Forward and backward of attention on packed rows: PyTorch's fused CPU kernel beside plain matrix products.

    python benchmarks/attention.py

Prints, per context and precision, the time of the fused kernel over that of the plain one, measured in turns.
"""

import time

import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel


def seconds(kernel: SDPBackend, tensors, mask, repeats: int) -> float:
    begun = time.perf_counter()
    with sdpa_kernel(kernel):
        for _ in range(repeats):
            F.scaled_dot_product_attention(*tensors, attn_mask=mask, enable_gqa=True).sum().backward()
    return time.perf_counter() - begun


def main() -> None:
    torch.backends.cuda.allow_fp16_bf16_reduction_math_sdp(True)
    print("context  precision  fused / plain")
    for context in (128, 256, 512, 1024):
        for dtype in (torch.bfloat16, torch.float32):
            tensors = [torch.randn(8, heads, context, 48, dtype=dtype, requires_grad=True) for heads in (4, 2, 2)]
            document = torch.arange(context) // 64
            mask = (document[:, None] == document) & (torch.arange(context)[:, None] >= torch.arange(context))
            mask = mask.expand(8, 1, context, context)
            kernels, spent = (SDPBackend.FLASH_ATTENTION, SDPBackend.MATH), [0.0, 0.0]
            for round in range(6):
                for i, kernel in enumerate(kernels):
                    spent[i] += seconds(kernel, tensors, mask, 3) * (round > 0)
            print(f"{context:7d}  {str(dtype)[6:]:9s}  {spent[0] / spent[1]:.2f}")


if __name__ == "__main__":
    main()
