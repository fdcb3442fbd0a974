"""The precision to chat in."""

import torch


def chat_dtype(name: str) -> torch.dtype:
    """The precision that `--dtype` names; "auto": bf16 on a processor that multiplies it natively, fp32 elsewhere."""
    able = {} if name != "auto" or torch.cuda.is_available() else torch.cpu.get_capabilities()
    return torch.bfloat16 if name == "bf16" or able.get("avx512_bf16") or able.get("amx_bf16") else torch.float32
