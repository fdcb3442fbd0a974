"""What goes wrong with one request ends that one, and no setting goes wrong by itself."""

import itertools
import math

import pytest
import torch
from tiny import load_engine, save_model, tiny_model

from zerochat.generation import engine as engines
from zerochat.generation.sampling import Sampling, choose

LEAST = math.ulp(0.0)
VALUES = {"temperature": (LEAST, 1e-46, 1e-40, 1e-20, 1.0, 100), "repetition_penalty": (LEAST, 1e-37, 0.5, 1.0, 100),
          "top_p": (0, LEAST, 1e-46, 0.5, 1.0), "min_p": (0.0, LEAST, 1.0), "top_k": (0, 1, 5)}


def test_no_combination_of_extreme_settings_overflows_and_the_likeliest_token_is_always_left():
    torch.manual_seed(0)
    largest = torch.finfo(torch.float32).max
    rows = [torch.randn(50), torch.randn(50) * 1e4, torch.full((50,), -largest), torch.cat([torch.tensor([largest]), torch.zeros(49)]),
            torch.cat([torch.randn(25), torch.full((25,), -math.inf)])]  # excluded ones
    for logits, values in itertools.product(rows, itertools.product(*VALUES.values())):
        sampling = Sampling(**dict(zip(VALUES, values)))
        token = choose(logits, sampling, [1, 2, 3], torch.Generator().manual_seed(0))
        assert 0 <= token < 50 and logits[token] > -math.inf, (logits[:5], sampling)
        cold, plain = sampling.temperature <= 1e-20, sampling.repetition_penalty == 1
        if plain and (cold and logits is not rows[2] or sampling.top_p < 0.01 or sampling.min_p == 1 or sampling.top_k == 1):
            assert logits[token] == logits.max(), sampling


@pytest.mark.parametrize("broken", ["sampling", "logits", "prompt"])
def test_a_request_that_fails_ends_alone_and_the_next_one_in_its_slot_is_as_if_it_had_never_been(
        tmp_path, tokenizer, monkeypatch, broken):
    folder, prompts = str(tmp_path), [[1, *range(20 + i, 60 + i)] for i in range(4)]
    save_model(folder, tiny_model(), tokenizer)
    sampling, engine = Sampling(temperature=0.5, seed=3, max_new_tokens=12), load_engine(folder, 3)
    alone = [load_engine(folder, 3).answer_all([prompt], sampling)[0].tokens for prompt in prompts]
    bad, choose, cached = prompts[1], engines.choose, engine.cached

    def choosing(logits, sampling, seen, generator):
        if broken == "sampling" and seen[:len(bad)] == bad and len(seen) > len(bad) + 3:
            raise OverflowError("as if")
        return choose(logits, sampling, seen, generator)

    def decode(last, at):
        logits = whole(last, at)
        for slot, request in enumerate(engine.running):
            if broken == "logits" and request and request.prompt == bad and len(request.tokens) > 3:
                logits[slot] = math.nan
        return logits

    def prefill(slot, ids, at):
        if broken == "prompt" and engine.running[slot].prompt == bad:
            raise RuntimeError("as if")
        return reading(slot, ids, at)

    whole, reading = cached.decode, cached.prefill
    monkeypatch.setattr(engines, "choose", choosing)
    monkeypatch.setattr(cached, "decode", decode)
    monkeypatch.setattr(cached, "prefill", prefill)
    found = engine.answer_all(prompts, sampling)
    assert [request.finish_reason for request in found] == ["length", "error", "length", "length"]
    assert str(found[1].error) in ("as if", "the logits after 4 tokens of an answer are not finite")
    assert [r.tokens for r in found if r is not found[1]] == [tokens for i, tokens in enumerate(alone) if i != 1]
    with pytest.raises(type(found[1].error)):
        list(engine.stream(bad, sampling))
    broken = None
    assert engine.answer_all([bad], sampling)[0].tokens == alone[1] and len(engine.idle) == 3 and not engine.waiting
