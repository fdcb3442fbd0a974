"""Rotary frequencies of models whose context was stretched after pretraining."""

import math

from torch import Tensor

NEEDS = {
    "linear": ("factor",),
    "llama3": ("factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings"),
}


def check(scaling: object) -> None:
    """ValueError for what is no `rope_scaling` that `scaled` understands."""
    kind = scaling.get("rope_type") if isinstance(scaling, dict) else scaling
    if not isinstance(scaling, dict) or not isinstance(kind, str) or kind not in NEEDS:
        raise ValueError(f"rope_scaling of type {kind!r} is not supported, only {' and '.join(NEEDS)}")
    if missing := [key for key in NEEDS[kind] if key not in scaling]:
        raise ValueError(f"rope_scaling of type {kind!r} needs {', '.join(missing)}")
    if wrong := [key for key in NEEDS[kind] if type(scaling[key]) not in (int, float) or not 0 < scaling[key] < 1e12]:
        raise ValueError(f"rope_scaling.{wrong[0]} should be a number above 0, found {scaling[wrong[0]]!r}")


def scaled(frequencies: Tensor, scaling: dict) -> Tensor:
    """The frequencies [E/2], in radians per position, for a longer context than that of pretraining. "linear" slows all
    of them down (Chen et al. 2023); "llama3" only those of long wavelength, and blends in between (Llama 3, 2024)."""
    slowed = frequencies / scaling["factor"]
    if scaling["rope_type"] == "linear":
        return slowed
    turns = scaling["original_max_position_embeddings"] * frequencies / (2 * math.pi)  # within the old context
    low, high = scaling["low_freq_factor"], scaling["high_freq_factor"]
    kept = ((turns - low) / (high - low)).clamp(0, 1)
    return kept * frequencies + (1 - kept) * slowed
