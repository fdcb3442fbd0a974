"""How the next token is chosen from the model's distribution."""

import dataclasses

import torch
from torch import Tensor

# Kind, from, to, and whether the lower end is left out.
RANGES: dict[str, tuple] = {"temperature": (float, 0, 100, False), "repetition_penalty": (float, 0, 100, True)}
RANGES |= {"top_k": (int, 0, 2**31, False), "top_p": (float, 0, 1, False), "min_p": (float, 0, 1, False)}
RANGES |= {"max_new_tokens": (int, 1, 2**31, False), "seed": (int, 0, 2**63 - 1, False)}
RANGES |= {"logprobs": (int, 0, 2**31, False)}


@dataclasses.dataclass
class Sampling:
    """How the next token is chosen. Temperature 0 is greedy; top_k 0, top_p 1 and min_p 0 exclude nothing."""

    temperature: float = 0.7
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    max_new_tokens: int = 256
    seed: int | None = None
    stop: tuple[str, ...] = ()  # the answer ends before the first of these
    logprobs: int | None = None  # k: record each token's log-probability and its k likeliest alternatives

    def __post_init__(self):
        for name, (kind, low, high, open_low) in RANGES.items():
            value = getattr(self, name)
            if value is None and name in ("seed", "logprobs"):
                continue
            if not isinstance(value, (int, kind)) or isinstance(value, bool):
                raise ValueError(f"{name} should be {'a number' if kind is float else 'an integer'}, found {value!r}")
            if not (low < value <= high if open_low else low <= value <= high):  # a NaN is nowhere
                raise ValueError(f"{name} should be in {'(' if open_low else '['}{low}, {high}], found {value}")
        if isinstance(self.stop, str) or not all(isinstance(s, str) and s for s in self.stop):
            raise ValueError(f"stop should be a list of strings that are not empty, found {self.stop!r}")

    def check(self, vocabulary: int) -> None:
        """ValueError where a value does not fit this vocabulary."""
        for name, value in (("top_k", self.top_k), ("logprobs", self.logprobs or 0)):
            if value > vocabulary:
                raise ValueError(f"{name} should be between 0 and the vocabulary's {vocabulary}, found {value}")


def choose(logits: Tensor, sampling: Sampling, seen: list[int], generator: torch.Generator | None) -> int:
    """Choose a token id from logits [V].

    In this order: the repetition penalty on tokens already seen (Keskar et al. 2019, section 4.1),
    temperature, top-k (Fan et al. 2018), top-p (Holtzman et al. 2020), min-p (Nguyen et al. 2024), and a draw.

    In fp64, and with the largest logit moved to 0 before it is divided by the temperature, no setting that `Sampling`
    takes overflows: what becomes too small is 0, and the likeliest token always stays."""
    logits = logits.double()
    if sampling.repetition_penalty != 1.0:
        index = torch.tensor(sorted(set(seen)), dtype=torch.long, device=logits.device)
        values, logits, penalty = logits[index], logits.clone(), sampling.repetition_penalty
        logits[index] = torch.where(values > 0, values / penalty, values * penalty).clamp(max=1e300)
    if sampling.temperature == 0:
        return int(logits.argmax())
    p, ids = ((logits - logits.max()) / sampling.temperature).softmax(-1), None
    if sampling.top_k:
        p, ids = p.topk(sampling.top_k)
        p /= p.sum()
    elif sampling.top_p < 1:  # sorting 32,000 numbers takes 2 ms, as long as a small model: try with the likeliest
        first = p.topk(min(256, len(p)))
        p, ids = first if first.values.sum() > sampling.top_p else p.sort(descending=True)
    if sampling.top_p < 1:
        p[1:][p.cumsum(-1)[:-1] >= sampling.top_p] = 0  # the likelier tokens hold that mass already
    if sampling.min_p:
        p[p < sampling.min_p * p.max()] = 0
    reached = p.cumsum(-1).cpu()
    drawn = reached[-1] * torch.rand((), dtype=torch.float64, generator=generator)
    chosen = torch.searchsorted(reached, drawn, right=True)  # the first whose cumulated mass exceeds what was drawn
    return int(chosen if ids is None else ids[chosen])
