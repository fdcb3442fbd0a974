"""The generation engine that the terminal chat, the evaluation and the server share.

    engine = Engine.load("out/small", slots=4)
    for text in engine.stream([{"role": "user", "content": "Hello!"}], Sampling(temperature=0)):
        print(text, end="", flush=True)

A slot of the KV cache holds one sequence. A request waits for a free slot, its prompt is read in one
forward pass (prefill), and from then on it gains one token in every `step` together with all other
slots (decode), so requests of any length join and leave while others run. Every decode step computes all
slots, used or not: what a request yields then does not depend on its neighbours, bit for bit.
Left out on purpose: beam search, speculative decoding, prefix sharing.
"""

import bisect
import dataclasses
import math
from collections import deque
from collections.abc import Iterator

import torch
from torch import Tensor

import model as model_file
from model import KVCache, LanguageModel
from tokenizer import StreamDecoder, Tokenizer


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
        for name, low, high, open_low in (("temperature", 0, 100, False), ("top_p", 0, 1, True), ("min_p", 0, 1, False),
                                          ("repetition_penalty", 0, 100, True), ("max_new_tokens", 1, 2**31, False)):
            value = getattr(self, name)
            inside = low < value <= high if open_low else low <= value <= high  # false for NaN, too
            if not inside:
                raise ValueError(f"{name} should be in {'(' if open_low else '['}{low}, {high}], found {value}")
        if isinstance(self.stop, str) or not all(isinstance(s, str) and s for s in self.stop):
            raise ValueError(f"stop should be a list of strings that are not empty, found {self.stop!r}")

    def check(self, vocabulary: int) -> None:
        """ValueError where a value does not fit this vocabulary."""
        for name, value in (("top_k", self.top_k), ("logprobs", self.logprobs or 0)):
            if not 0 <= value <= vocabulary:
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
        logits[index] = torch.where(values > 0, values / sampling.repetition_penalty, values * sampling.repetition_penalty)
    if sampling.temperature == 0:
        return int(logits.argmax())
    logits = logits / sampling.temperature
    if sampling.top_k:
        logits[logits < logits.topk(sampling.top_k).values[-1]] = -math.inf
    if sampling.top_p < 1.0:
        ordered, order = logits.sort(descending=True)
        before = ordered.softmax(-1).cumsum(-1) - ordered.softmax(-1)  # mass of all likelier tokens
        logits[order[before >= sampling.top_p]] = -math.inf
    if sampling.min_p:
        probabilities = logits.softmax(-1)
        logits[probabilities < sampling.min_p * probabilities.max()] = -math.inf
    return int(torch.multinomial(logits.softmax(-1).cpu(), 1, generator=generator))


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
            self.decoded = self.decoded[:min(found)]
        self.finish_reason = "stop" if found else finish_reason

    @property
    def text(self) -> str:
        """What is safe to show so far: all but an end that may be the beginning of a stop string."""
        if self.finish_reason:
            return self.decoded
        held = max((size for stop in self.sampling.stop for size in range(1, len(stop))
                    if self.decoded.endswith(stop[:size])), default=0)
        return self.decoded[:len(self.decoded) - held]

    def read(self) -> str:
        """The part of `text` that the last call did not return yet."""
        text = self.text
        new, self.shown = text[self.shown:], len(text)
        return new


class Engine:
    """A model, its tokenizer and a cache of `slots` sequences, each as long as the model's context."""

    def __init__(self, model: LanguageModel, tokenizer: Tokenizer, slots: int = 1):
        self.model, self.tokenizer, self.context = model, tokenizer, model.config.max_position_embeddings
        self.cache = KVCache(model.config, slots, self.context, like=model.lm_head.weight)
        self.running: list[Request | None] = [None] * slots
        self.waiting: deque[Request] = deque()
        self.stop_ids = {tokenizer.end_id, tokenizer.eos_id}
        # Markers that may not appear inside an answer: a model that writes one has left the template.
        self.forbidden = torch.tensor([tokenizer.bos_id, tokenizer.pad_id, *tokenizer.role_ids.values()])

    @classmethod
    def load(cls, folder: str, slots: int = 1, device: str | None = None) -> "Engine":
        """The engine for a model folder, on the GPU where there is one. ValueError where it is not a model."""
        device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        model, tokenizer = model_file.load(folder, device), Tokenizer(folder)
        if len(tokenizer) != model.config.vocab_size:
            raise ValueError(f"{folder}: the tokenizer has {len(tokenizer)} pieces, "
                             f"the model a vocabulary of {model.config.vocab_size}")
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
            raise ValueError(f"the message is too long: {length(cuts[-1])} tokens with its markers, and the context of "
                             f"{self.context} must also hold the answer")
        return system + turns[cuts[cut]:], sum(m["role"] == "user" for m in turns[:cuts[cut]])

    def submit(self, prompt: list[int], sampling: Sampling) -> Request:
        """Queue a prompt of token ids; `step` until its `finish_reason` is set."""
        sampling.check(self.model.config.vocab_size)
        if len(prompt) >= self.context:
            raise ValueError(f"the prompt's {len(prompt)} tokens leave no room for an answer in the context of {self.context}")
        request = Request(prompt, sampling, self.tokenizer)
        self.waiting.append(request)
        return request

    def cancel(self, request: Request) -> None:
        """Forget a request and free its slot."""
        self.running = [None if r is request else r for r in self.running]
        self.waiting = deque(r for r in self.waiting if r is not request)

    @torch.inference_mode()
    def step(self) -> list[Request]:
        """Give every request that has a slot one more token, admitting waiting ones first; returns those advanced."""
        device = self.cache.keys.device
        decoding = [slot for slot, request in enumerate(self.running) if request]
        advanced = []
        for slot, request in enumerate(self.running):
            if request is None and self.waiting:
                request = self.running[slot] = self.waiting.popleft()
                logits = self.model(torch.tensor([request.prompt], device=device), cache=self.cache,
                                    slots=slice(slot, slot + 1), start=torch.zeros(1, dtype=torch.long, device=device))
                advanced.append(self._accept(slot, logits[0, -1]))
        if decoding:
            ids, start = [[self.tokenizer.pad_id]] * len(self.running), [0] * len(self.running)
            for slot, request in enumerate(self.running):
                # A slot just filled above takes part with its newest token, whose result is not used: its keys
                # and values are those that the next step writes again.
                if request and request.tokens:
                    ids[slot], start[slot] = [request.tokens[-1]], len(request.prompt) + len(request.tokens) - 1
            logits = self.model(torch.tensor(ids, device=device), cache=self.cache,
                                start=torch.tensor(start, device=device))
            advanced += [self._accept(slot, logits[slot, -1]) for slot in decoding]
        return advanced

    def _accept(self, slot: int, logits: Tensor) -> Request:
        request = self.running[slot]
        likely = None if request.sampling.logprobs is None else logits.float().log_softmax(-1)
        logits[self.forbidden] = -math.inf
        token = sample(logits, request.sampling, request.prompt + request.tokens, request.generator)
        if likely is not None:
            values, ids = likely.topk(request.sampling.logprobs)
            request.logprobs.append((float(likely[token]), list(zip(ids.tolist(), values.tolist()))))
        full = (len(request.tokens) + 1 >= request.sampling.max_new_tokens
                or len(request.prompt) + len(request.tokens) + 1 >= self.context)
        request.add(token, "stop" if token in self.stop_ids else "length" if full else None)
        if request.finish_reason:
            self.running[slot] = None
        return request

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
