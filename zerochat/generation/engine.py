"""The generation engine that the terminal chat, the evaluation and the server share.

    engine = Engine.load("out/small", slots=4)
    for text in engine.stream([{"role": "user", "content": "Hello!"}], Sampling(temperature=0)):
        print(text, end="", flush=True)

A slot of the KV cache holds one sequence. A request waits for a free slot, its prompt is read there chunk
by chunk (prefill), and from then on it gains one token in every `step` together with all other slots
(decode), so requests of any length join and leave while others run. A prompt that begins like the last one
of some slot, as the next turn of a conversation does, takes over what that slot has read. For all that,
what a request yields does not depend on its neighbours or predecessors, bit for bit: decoding computes all
slots, used or not, and only whole chunks of prompts are taken over, which any prompt would compute alike.
Left out on purpose: beam search, speculative decoding, one forward pass for prompts and answers together.
"""

import bisect
import dataclasses
import math
from collections import deque
from collections.abc import Iterator

import torch
from torch import Tensor

import model as model_file
from model import LanguageModel
from tokenizer import StreamDecoder, Tokenizer
from zerochat.generation.decode import CachedModel


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
        for name, low, high, kind, open_low in (
            ("temperature", 0, 100, float, False),
            ("top_k", 0, 2**31, int, False),
            ("top_p", 0, 1, float, True),
            ("min_p", 0, 1, float, False),
            ("repetition_penalty", 0, 100, float, True),
            ("max_new_tokens", 1, 2**31, int, False),
            ("seed", 0, 2**63 - 1, int, False),
            ("logprobs", 0, 2**31, int, False),
        ):
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


def sample(logits: Tensor, sampling: Sampling, seen: list[int], generator: torch.Generator | None) -> int:
    """Choose a token id from logits [V].

    In this order: the repetition penalty on tokens already seen (Keskar et al. 2019, section 4.1),
    temperature, top-k, top-p (Holtzman et al. 2020), min-p, and a draw from what is left.
    """
    logits = logits.float()
    if sampling.repetition_penalty != 1.0:
        index = torch.tensor(sorted(set(seen)), dtype=torch.long, device=logits.device)
        values = logits[index]
        logits = logits.clone()
        penalty = sampling.repetition_penalty
        logits[index] = torch.where(values > 0, values / penalty, values * penalty)
    if sampling.temperature == 0:
        return int(logits.argmax())
    p, ids = (logits / sampling.temperature).softmax(-1), None
    if sampling.top_k:
        p, ids = p.topk(sampling.top_k)
        p /= p.sum()
    elif sampling.top_p < 1:  # sorting 32,000 numbers takes 2 ms, as long as a small model: try with the likeliest
        first = p.topk(min(256, len(p)))
        p, ids = first if first.values.sum() > sampling.top_p else p.sort(descending=True)
    if sampling.top_p < 1:
        p[p.cumsum(-1) - p >= sampling.top_p] = 0  # the likelier tokens hold that mass already
    if sampling.min_p:
        p[p < sampling.min_p * p.max()] = 0
    reached = p.double().cumsum(-1).cpu()
    drawn = reached[-1] * torch.rand((), dtype=torch.float64, generator=generator)
    chosen = torch.searchsorted(reached, drawn, right=True)  # the first whose cumulated mass exceeds what was drawn
    return int(chosen if ids is None else ids[chosen])


class Request:
    """One prompt and what it has grown.

    tokens: the ids so far, also those that spell a stop string.
    finish_reason: None while it runs, then "stop" (an end marker or a stop string) or "length".
    logprobs: where asked for, each token's log-probability and its alternatives (id, log-probability), likeliest
    first, by the model's own distribution: before temperature, penalty and exclusions.
    """

    def __init__(self, prompt: list[int], sampling: Sampling, tokenizer: Tokenizer):
        self.prompt, self.sampling, self.decoder = prompt, sampling, StreamDecoder(tokenizer)
        self.tokens: list[int] = []
        self.logprobs: list[tuple[float, list[tuple[int, float]]]] = []
        self.finish_reason: str | None = None
        self.decoded, self.shown = "", 0  # all whole characters, and how many of them `read` has returned
        self.generator = None
        if sampling.temperature > 0:
            self.generator = torch.Generator()
            self.generator.manual_seed(sampling.seed) if sampling.seed is not None else self.generator.seed()

    def add(self, token: int, finish_reason: str | None) -> None:
        """Append a token; ends the request for the given reason, or where its text completes a stop string."""
        self.tokens.append(token)
        self.decoded += self.decoder.push(token)
        if finish_reason:
            self.decoded += self.decoder.flush()
        found = [at for stop in self.sampling.stop if (at := self.decoded.find(stop)) >= 0]
        if found:
            self.decoded = self.decoded[: min(found)]
        self.finish_reason = "stop" if found else finish_reason

    @property
    def text(self) -> str:
        """What is safe to show so far: all but an end that may be the beginning of a stop string."""
        if self.finish_reason:
            return self.decoded
        held = max(
            (size for stop in self.sampling.stop for size in range(1, len(stop)) if self.decoded.endswith(stop[:size])),
            default=0,
        )
        return self.decoded[: len(self.decoded) - held]

    def read(self) -> str:
        """The part of `text` that the last call did not return yet."""
        text = self.text
        new, self.shown = text[self.shown :], len(text)
        return new


class Engine:
    """A model, its tokenizer and a cache of `slots` sequences, each as long as the model's context."""

    def __init__(self, model: LanguageModel, tokenizer: Tokenizer, slots: int = 1):
        if slots < 1:
            raise ValueError(f"slots should be at least 1, found {slots}")
        self.model, self.tokenizer, self.context = model, tokenizer, model.config.max_position_embeddings
        self.cached, self.device = CachedModel(model, slots), model.lm_head.weight.device
        self.running: list[Request | None] = [None] * slots
        self.waiting: deque[Request] = deque()
        self.known: list[list[int]] = [[] for _ in range(slots)]  # whole chunks of the last prompt of each slot
        self.chunk = 32 if self.device.type == "cpu" else 256  # tokens; enough that arithmetic, not memory, limits
        self.idle = list(range(slots))  # free slots, the longest unused first
        self.stop_ids = {tokenizer.end_id, tokenizer.eos_id}
        # Markers that may not appear inside an answer: a model that writes one has left the template.
        self.forbidden = torch.tensor(
            [tokenizer.bos_id, tokenizer.pad_id, *tokenizer.role_ids.values()], device=self.device
        )

    @classmethod
    def load(
        cls, folder: str, slots: int = 1, device: str | None = None, dtype: torch.dtype = torch.float32
    ) -> "Engine":
        """The engine for a model folder, on the GPU where there is one. ValueError where it is not a model."""
        device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        model, tokenizer = model_file.load(folder, device, dtype), Tokenizer(folder)
        if len(tokenizer) != model.config.vocab_size:
            raise ValueError(
                f"{folder}: the tokenizer has {len(tokenizer)} pieces, "
                f"the model a vocabulary of {model.config.vocab_size}"
            )
        return cls(model, tokenizer, slots)

    def fit(self, messages: list[dict], reserve: int) -> tuple[list[dict], int]:
        """Leave out the oldest whole turns until the prompt and `reserve` new tokens fit the context.

        Returns the messages kept (the system message always) and the number of user turns left out;
        ValueError when the last message alone does not fit.
        """
        system, turns = [m for m in messages if m["role"] == "system"], [m for m in messages if m["role"] != "system"]
        cuts = [0, *(i for i, m in enumerate(turns) if i and m["role"] == "user")]

        def length(cut: int) -> int:
            return len(self.tokenizer.render(system + turns[cut:], add_generation_prompt=True)[0])

        room = self.context - min(reserve, self.context // 4)
        # Bisection, since a client may send thousands of turns and each look costs the whole text.
        cut = bisect.bisect_left(cuts, True, key=lambda cut: length(cut) <= room)
        if cut == len(cuts):
            raise ValueError(
                f"the message is too long: {length(cuts[-1])} tokens with its markers, and the context of "
                f"{self.context} must also hold the answer"
            )
        return system + turns[cuts[cut] :], sum(m["role"] == "user" for m in turns[: cuts[cut]])

    def submit(self, prompt: list[int], sampling: Sampling) -> Request:
        """Queue a prompt of token ids; `step` until its `finish_reason` is set."""
        sampling.check(self.model.config.vocab_size)
        if len(prompt) >= self.context:
            raise ValueError(
                f"the prompt's {len(prompt)} tokens leave no room for an answer in the context of {self.context}"
            )
        request = Request(prompt, sampling, self.tokenizer)
        self.waiting.append(request)
        return request

    def cancel(self, request: Request) -> None:
        """Forget a request and free its slot."""
        if request in self.running:
            self._free(self.running.index(request))
        self.waiting = deque(r for r in self.waiting if r is not request)

    @torch.inference_mode()
    def step(self) -> list[Request]:
        """Give every request that has a slot one more token, admitting waiting ones first; returns those advanced."""
        decoding = [slot for slot, request in enumerate(self.running) if request]
        advanced = []
        while self.idle and self.waiting:
            request = self.waiting.popleft()
            slot, logits = self._admit(request)
            advanced += self._accept([slot], logits)
        if decoding:
            # A slot just filled above sits this one out, as an idle one does.
            last = [self.running[slot].tokens[-1] if slot in decoding else None for slot in range(len(self.running))]
            at = [len(r.prompt) + len(r.tokens) - 1 if r else 0 for r in self.running]
            logits = self.cached.decode(last, at)
            advanced += self._accept(decoding, logits if len(decoding) == len(logits) else logits[decoding])
        return advanced

    def _admit(self, request: Request) -> tuple[int, Tensor]:
        """Give a request a slot and read its prompt; the slot, and the logits [1, V] of its first token."""
        prompt, size = request.prompt, self.chunk

        def shared(slot):  # tokens; the last one of a prompt is always read, for its logits
            known, at = self.known[slot], 0
            while at + size < len(prompt) and known[at : at + size] == prompt[at : at + size]:
                at += size
            return at

        best = max([*self.idle, *range(len(self.running))], key=shared)
        slot, start = best if best in self.idle else self.idle[0], shared(best)
        if slot != best:  # the longest beginning is in a busy slot, as when one prompt is to have several answers
            self.cached.cache[:, :, slot, :, :start] = self.cached.cache[:, :, best, :, :start]
        self.cached.cache[:, :, slot, :, start:] = 0  # whatever was there before, a NaN too
        self.idle.remove(slot)
        self.running[slot], self.known[slot] = request, prompt[: len(prompt) // size * size]
        for at in range(start, len(prompt), size):
            logits = self.cached.prefill(slot, prompt[at : at + size], at)
        return slot, logits

    def _free(self, slot: int) -> None:
        self.running[slot] = None
        self.idle.append(slot)

    def _accept(self, slots: list[int], logits: Tensor) -> list[Request]:
        """Choose the next token of these slots' requests from logits [slots, V]."""
        requests = [self.running[slot] for slot in slots]
        likely = logits.float().log_softmax(-1) if any(r.sampling.logprobs is not None for r in requests) else None
        logits.index_fill_(1, self.forbidden, -math.inf)
        greedy = logits.float().argmax(-1).tolist()  # in bf16 a CPU takes twice the time
        for row, (slot, request) in enumerate(zip(slots, requests)):
            sampling = request.sampling
            token = greedy[row]
            if sampling.temperature or sampling.repetition_penalty != 1.0:
                token = sample(logits[row], sampling, request.prompt + request.tokens, request.generator)
            if sampling.logprobs is not None:
                values, ids = likely[row].topk(sampling.logprobs)
                request.logprobs.append((float(likely[row, token]), list(zip(ids.tolist(), values.tolist()))))
            full = (
                len(request.tokens) + 1 >= sampling.max_new_tokens
                or len(request.prompt) + len(request.tokens) + 1 >= self.context
            )
            request.add(token, "stop" if token in self.stop_ids else "length" if full else None)
            if request.finish_reason:
                self._free(slot)
        return requests

    def stream(self, messages: list[dict], sampling: Sampling) -> Iterator[str]:
        """The answer to a conversation, piece by piece, each a whole number of characters."""
        prompt, _ = self.tokenizer.render(messages, add_generation_prompt=True)
        request = self.submit(prompt, sampling)
        try:
            while not request.finish_reason:
                self.step()
                if text := request.read():
                    yield text
        finally:
            self.cancel(request)  # also when the listener went away in the middle

    def answer_all(self, prompts: list[list[int]], sampling: Sampling, progress=None) -> list[Request]:
        """Run many prompts through the slots, longest first, and return their finished requests in order."""
        sampling.check(self.model.config.vocab_size)
        requests = [Request(prompt, sampling, self.tokenizer) for prompt in prompts]
        for request in sorted(requests, key=lambda r: -len(r.prompt)):
            if len(request.prompt) >= self.context:
                request.finish_reason = "length"
            else:
                self.waiting.append(request)
        while self.waiting or any(self.running):
            for request in self.step():
                if request.finish_reason and progress:
                    progress()
        return requests
