"""The generation engine that the terminal chat, the evaluation and the server share.

    engine = Engine(LanguageModel.load("out/small"), Tokenizer("out/small"), slots=4)
    kept, prompt, left_out = engine.fit([{"role": "user", "content": "Hello!"}], reserve=256)
    for text in engine.stream(prompt, Sampling(temperature=0)):
        print(text, end="", flush=True)

A slot of the KV cache holds one sequence. A request waits for a free slot, its prompt is read there chunk
by chunk (prefill), and from then on it gains one token in every `step` together with all other slots
(decode), so requests of any length join and leave while others run. A prompt that begins like the last one
of some slot, as the next turn of a conversation does, takes over what that slot has read. For all that,
what a request yields does not depend on its neighbours or predecessors, bit for bit: decoding computes all
slots, used or not, and only whole chunks of prompts are taken over, which any prompt would compute alike.
Left out on purpose: beam search, speculative decoding, one forward pass for prompts and answers together."""

import bisect
import math
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from zerochat.generation.decode import CachedModel
from zerochat.generation.sampling import Sampling, choose

if TYPE_CHECKING:
    from model import LanguageModel
    from tokenizer import Tokenizer


class Request:
    """One prompt and what it has grown.

    tokens: the ids so far, also those that spell a stop string.
    finish_reason: None while it runs, then "stop" (an end marker or a stop string), "length", or "error".
    error: what went wrong with this request alone.
    logprobs: where asked for, each token's log-probability and its alternatives (id, log-probability), likeliest
    first, by the model's own distribution: before temperature, penalty and exclusions."""

    def __init__(self, prompt: list[int], sampling: Sampling, tokenizer: "Tokenizer"):
        self.prompt, self.sampling, self.decoder = prompt, sampling, tokenizer.stream()
        self.tokens: list[int] = []
        self.logprobs: list[tuple[float, list[tuple[int, float]]]] = []
        self.finish_reason: str | None = None
        self.error: Exception | None = None
        self.decoded, self.shown = "", 0  # all whole characters, and how many of them `read` has returned
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
        begun = (stop[:size] for stop in self.sampling.stop for size in range(1, len(stop)))
        held = max((len(part) for part in begun if self.decoded.endswith(part)), default=0)
        return self.decoded[: len(self.decoded) - held]

    def read(self) -> str:
        """The part of `text` that the last call did not return yet."""
        text = self.text
        new, self.shown = text[self.shown :], len(text)
        return new


class Engine:
    """A model, its tokenizer and a cache of `slots` sequences, each as long as the model's context."""

    def __init__(self, model: "LanguageModel", tokenizer: "Tokenizer", slots: int = 1):
        vocabulary = model.config.vocab_size
        if not 0.9 * vocabulary <= len(tokenizer) <= vocabulary:  # a few less: rows that nothing names
            pieces = f"the tokenizer of {tokenizer.folder} has {len(tokenizer)} pieces"
            raise ValueError(f"{pieces}, the model a vocabulary of {vocabulary}")
        if slots < 1:
            raise ValueError(f"slots should be at least 1, found {slots}")
        self.model, self.tokenizer, self.context = model, tokenizer, model.config.max_position_embeddings
        self.cached, self.device = CachedModel(model, slots), model.lm_head.weight.device
        self.running: list[Request | None] = [None] * slots
        self.waiting: deque[Request] = deque()
        self.known: list[list[int]] = [[] for _ in range(slots)]  # whole chunks of the last prompt of each slot
        self.chunk = 32 if self.device.type == "cpu" else 256  # tokens; enough that arithmetic, not memory, limits
        self.idle = list(range(slots))  # free slots, the longest unused first
        # Markers that may not appear inside an answer: a model that writes one has left the template.
        never = [*tokenizer.forbidden_ids, *range(len(tokenizer), vocabulary)]
        self.forbidden = torch.tensor(never, device=self.device)

    def fit(self, messages: list[dict], reserve: int) -> tuple[list[dict], list[int], int]:
        """Leave out the oldest exchanges until the prompt fits beside `reserve` tokens (at most a quarter of the
        context) for the answer. Returns the messages kept (the system message always), their prompt, and how many
        exchanges are left out; ValueError when the last message alone does not fit."""
        system, turns = [m for m in messages if m["role"] == "system"], [m for m in messages if m["role"] != "system"]
        cuts = [0, *(i for i, m in enumerate(turns) if i and m["role"] == "user")]
        prompts: dict[int, list[int]] = {}

        def fits(cut: int) -> bool:
            prompts[cut] = self.tokenizer.render(system + turns[cut:], add_generation_prompt=True)[0]
            return len(prompts[cut]) <= self.context - min(reserve, self.context // 4)

        # Bisection, since a client may send thousands of turns and each look costs the whole text.
        at = bisect.bisect_left(cuts, True, key=fits)
        if at == len(cuts):
            size = f"{len(prompts[cuts[-1]])} tokens with its markers"
            room = f"the context of {self.context} must also hold the answer"
            raise ValueError(f"the message is too long: {size}, and {room}")
        cut = cuts[at]
        return system + turns[cut:], prompts[cut], sum(m["role"] == "user" for m in turns[:cut])

    def submit(self, prompt: list[int], sampling: Sampling) -> Request:
        """Queue a prompt of token ids; `step` until its `finish_reason` is set."""
        sampling.check(self.model.config.vocab_size)
        if len(prompt) >= self.context:
            room = f"no room for an answer in the context of {self.context}"
            raise ValueError(f"the prompt's {len(prompt)} tokens leave {room}")
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
        """Give every request that has a slot one more token, admitting waiting ones first; returns those advanced. What
        goes wrong with one of them ends that one, with `error`."""
        decoding = [slot for slot, request in enumerate(self.running) if request]
        advanced = []
        while self.idle and self.waiting:
            request = self.waiting.popleft()
            try:
                slot, logits = self._admit(request)
            except Exception as error:
                advanced.append(self._fail(request, error))
            else:
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

    def _fail(self, request: Request, error: Exception) -> Request:
        request.finish_reason, request.error = "error", error
        if request in self.running:  # whatever its slot holds is nothing to begin with
            self.known[self.running.index(request)] = []
        self.cancel(request)
        return request

    def _accept(self, slots: list[int], logits: Tensor) -> list[Request]:
        """Choose the next token of these slots' requests from logits [slots, V]."""
        requests = [self.running[slot] for slot in slots]
        likely = logits.float().log_softmax(-1) if any(r.sampling.logprobs is not None for r in requests) else None
        logits.index_fill_(1, self.forbidden, -math.inf)
        largest, greedy = (part.tolist() for part in logits.float().max(-1))  # in bf16 a CPU takes twice the time
        for row, (slot, request) in enumerate(zip(slots, requests)):
            try:
                if not math.isfinite(largest[row]):
                    raise ValueError(f"the logits after {len(request.tokens)} tokens of an answer are not finite")
                token = greedy[row]
                if request.sampling.temperature or request.sampling.repetition_penalty != 1.0:
                    token = choose(logits[row], request.sampling, request.prompt + request.tokens, request.generator)
                self._append(request, token, None if likely is None else likely[row])
            except Exception as error:
                self._fail(request, error)
            else:
                if request.finish_reason:
                    self._free(slot)
        return requests

    def _append(self, request: Request, token: int, likely: Tensor | None) -> None:
        """Add a token to a request and end it where it is over; likely [V]: the model's log-probabilities."""
        sampling, size = request.sampling, len(request.tokens) + 1
        if sampling.logprobs is not None:
            values, ids = likely.topk(sampling.logprobs)
            request.logprobs.append((float(likely[token]), list(zip(ids.tolist(), values.tolist()))))
        full = size >= sampling.max_new_tokens or len(request.prompt) + size >= self.context
        request.add(token, "stop" if token in self.tokenizer.end_ids else "length" if full else None)

    def stream(self, prompt: list[int], sampling: Sampling) -> Iterator[str]:
        """The answer to a prompt of token ids, piece by piece, each a whole number of characters."""
        request = self.submit(prompt, sampling)
        try:
            while not request.finish_reason:
                self.step()
                if request.error:
                    raise request.error
                if text := request.read():
                    yield text
        finally:
            self.cancel(request)  # also when the listener went away in the middle

    def answer_all(self, prompts: list[list[int]], sampling: Sampling) -> list[Request]:
        """The finished requests of many prompts, in order, run longest first. One that fails ends with what it has."""
        longest_first = sorted(range(len(prompts)), key=lambda i: -len(prompts[i]))
        requests = {i: self.submit(prompts[i], sampling) for i in longest_first}
        while self.waiting or any(self.running):
            self.step()
        return [requests[i] for i in range(len(prompts))]
