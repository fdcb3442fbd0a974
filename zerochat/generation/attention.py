"""What the model looked at: the attention weights behind one predicted token."""

import math

import torch


@torch.inference_mode()
def attention_weights(model, ids: list[int]) -> torch.Tensor:
    """How the last of the ids attends to all of them: softmax(q k / sqrt(E)) (Vaswani et al. 2017, eq. 1), [L, H, T].
    An uncached forward pass; what enters each attention layer is caught on the way in."""
    weights = []

    def catch(attention, args) -> None:
        q, k, _ = attention.project(*args[:3])  # [1, H, T, E] and [1, K, T, E]
        k = k.repeat_interleave(q.shape[1] // k.shape[1], dim=1)
        scores = q[:, :, -1:] @ k.transpose(2, 3) / math.sqrt(attention.head_size)
        weights.append(scores.float().softmax(-1)[0, :, 0])

    hooks = [layer.self_attn.register_forward_pre_hook(catch) for layer in model.model.layers]
    try:
        model(torch.tensor([ids], device=model.lm_head.weight.device))
    finally:
        for hook in hooks:
            hook.remove()
    return torch.stack(weights).cpu()
