"""The engine against a loop without cache, and each sampling rule against its definition."""

import collections
import math

import pytest
import torch
from tiny import refuses, tiny_model

from zerochat.generation.decode import BLOCK, CachedModel
from zerochat.generation.engine import Engine, Request
from zerochat.generation.sampling import Sampling, choose


@pytest.fixture(scope="module")
def model(tokenizer):
    return tiny_model(vocab_size=len(tokenizer), initializer_range=0.08)


def uncached_greedy(model, tokenizer, prompt, count):
    """The definition: the whole sequence through the model for every token."""
    ids = list(prompt)
    forbidden = [tokenizer.bos_id, tokenizer.pad_id, *tokenizer.role_ids.values()]
    with torch.no_grad():
        while len(ids) < len(prompt) + count:
            logits = model(torch.tensor([ids]))[0, -1]
            logits[forbidden] = -math.inf
            ids.append(int(logits.argmax()))
            if ids[-1] in (tokenizer.template.end_id, tokenizer.eos_id):
                break
    return ids[len(prompt):]


def asking(tokenizer, text):
    return tokenizer.render([{"role": "user", "content": text}], add_generation_prompt=True)[0]


def prompts(tokenizer, count):
    return [asking(tokenizer, "Hello " * (i % 5) + str(i)) for i in range(count)]


def finish(engine, request):
    while not request.finish_reason:
        engine.step()
    return request.tokens, request.logprobs


@pytest.mark.parametrize("dtype, near", [(torch.float32, 1e-4), (torch.bfloat16, 0.15)])
def test_greedy_text_parts_from_that_of_the_full_forward_pass_only_at_near_ties(tokenizer, dtype, near):
    model = tiny_model(vocab_size=len(tokenizer), initializer_range=0.2).to(dtype)
    asked, engine, parted = prompts(tokenizer, 24), Engine(model, tokenizer, slots=4), 0
    answers = engine.answer_all(asked, Sampling(temperature=0, max_new_tokens=30))
    for prompt, answer in zip(asked, answers):
        expected = uncached_greedy(model, tokenizer, prompt, 30)
        at = next((i for i, pair in enumerate(zip(answer.tokens, expected)) if pair[0] != pair[1]), None)
        if at is None:
            assert answer.tokens == expected
            continue
        parted += 1
        with torch.no_grad():
            logits = model(torch.tensor([prompt + expected[:at]]))[0, -1].float()
        assert 0 <= float(logits[expected[at]] - logits[answer.tokens[at]]) < near
    assert parted == 0 if dtype == torch.float32 else parted > 0, "bf16 rounds enough to part somewhere"


@pytest.mark.parametrize("shape", [{}, {"num_key_value_heads": 4, "tie_word_embeddings": False},
                                   {"num_key_value_heads": 1, "rope_scaling": {"rope_type": "linear", "factor": 3.0}},
                                   {"max_position_embeddings": BLOCK - 16}])
def test_cached_logits_in_any_slot_are_those_of_the_full_forward_pass_whatever_context_and_idle_slots(shape):
    model = tiny_model(**shape)
    length = min(60, model.config.max_position_embeddings)
    first, second = torch.randint(4, 900, (2, length)).tolist()
    with torch.inference_mode():
        expected = [model(torch.tensor([ids]))[0] for ids in (first, second)]
        cached = CachedModel(model, slots=3)
        assert torch.equal(model(torch.tensor([first]))[0], expected[0]), "another layout, the same model"
        torch.testing.assert_close(cached.prefill(2, first[:20], 0), expected[0][19:20], rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(cached.prefill(2, first[20:31], 20), expected[0][30:31], rtol=1e-4, atol=1e-4)
        cached.prefill(0, second[:8], 0)
        for i in range(length - 31):
            logits = cached.decode([second[8 + i], None, first[31 + i]], [8 + i, 0, 31 + i])
            torch.testing.assert_close(logits[[0, 2]], torch.stack((expected[1][8 + i], expected[0][31 + i])), rtol=1e-4, atol=1e-4)
        assert cached.decode([None] * 3, [0] * 3).isfinite().all()


def test_in_bf16_the_cached_logits_are_as_near_to_fp32_as_those_of_the_full_pass():
    ids = torch.randint(4, 900, (40,)).tolist()
    with torch.inference_mode():
        exact = tiny_model(initializer_range=0.1)(torch.tensor([ids]))[0, -1]
        model = tiny_model(initializer_range=0.1).bfloat16()
        full = float((model(torch.tensor([ids]))[0, -1].float() - exact).norm())
        cached = CachedModel(model, slots=1)
        cached.prefill(0, ids[:-1], 0)
        assert float((cached.decode(ids[-1:], [39])[0].float() - exact).norm()) < 1.5 * full


@pytest.mark.parametrize("temperature", [0, 1.0])
def test_requests_side_by_side_answer_bit_for_bit_as_each_does_alone_whatever_slots_held_before(model, tokenizer, temperature):
    asked = [(prompt, Sampling(temperature=temperature, max_new_tokens=3 + 2 * i, seed=i, logprobs=5))
             for i, prompt in enumerate(prompts(tokenizer, 9))]
    engines = [Engine(model, tokenizer, slots=3) for _ in asked]
    alone = [finish(engine, engine.submit(prompt, sampling)) for engine, (prompt, sampling) in zip(engines, asked)]
    engine, together = Engine(model, tokenizer, slots=3), []
    engine.cached.cache.fill_(math.nan)
    for prompt, sampling in asked:  # they join at different times
        together.append(engine.submit(prompt, sampling))
        engine.step()
    assert [finish(engine, request) for request in together] == alone, "the same floats, too, not only the same choices"
    assert all(r.finish_reason == ("stop" if r.tokens[-1] in tokenizer.end_ids else "length") for r in together)


@pytest.mark.parametrize("shape", [{}, {"num_key_value_heads": 1}, {"num_key_value_heads": 4, "hidden_size": 96}])
def test_bit_for_bit_also_where_slots_of_one_rounded_length_attend_together_and_others_not(tokenizer, shape):
    torch.manual_seed(5)
    model = tiny_model(vocab_size=len(tokenizer), initializer_range=0.08, max_position_embeddings=200, **shape)
    lengths = [BLOCK - 4, 20, 2 * BLOCK - 2, BLOCK - 1, 2 * BLOCK + 9, 30, 5, 2 * BLOCK - 9, 180, 33]
    asked = [[tokenizer.bos_id, *torch.randint(300, 900, (length - 1,)).tolist()] for length in lengths]
    sampling, widths = Sampling(temperature=0, max_new_tokens=16, logprobs=2), collections.Counter()
    engines = [Engine(model, tokenizer, slots=4) for _ in range(len(asked) + 1)]
    alone = [engine.answer_all([prompt], sampling)[0] for engine, prompt in zip(engines, asked)]
    forward = engines[-1].cached._forward

    def watched(ids, positions, spans):
        widths.update(end - begin for begin, end, _ in spans if len(ids) == 4)
        return forward(ids, positions, spans)
    engines[-1].cached._forward = watched
    together = engines[-1].answer_all(asked, sampling)
    assert {1, 2} < set(widths), "slots attended alone and together"
    assert [(r.tokens, r.logprobs) for r in together] == [(r.tokens, r.logprobs) for r in alone]


def test_what_a_slot_has_read_of_a_prompt_is_not_read_again_in_the_next_turn_nor_by_its_twin(model, tokenizer):
    def counting():
        """An engine, and the list to which its every prefill appends (slot, tokens, start)."""
        engine, reads = Engine(model, tokenizer, slots=3), []
        engine.chunk, prefill = 8, engine.cached.prefill
        engine.cached.prefill = lambda slot, ids, start: reads.append((slot, len(ids), start)) or prefill(slot, ids, start)
        return engine, reads

    settings = Sampling(temperature=0, max_new_tokens=6, logprobs=3)
    first = [tokenizer.bos_id] + list(range(300, 321))
    second = first + list(range(400, 420))
    (engine, reads), (fresh, _) = counting(), counting()
    finish(engine, engine.submit(first, settings))
    finish(engine, engine.submit([tokenizer.bos_id] + [500] * 12, settings))  # somebody else, who must not get in the way
    again = finish(engine, engine.submit(second, settings))
    assert reads[:5] == [(0, 8, 0), (0, 8, 8), (0, 6, 16), (1, 8, 0), (1, 5, 8)] and reads[5:] == [(0, 8, 16), (0, 8, 24), (0, 8, 32), (0, 2, 40)]
    assert again == finish(fresh, fresh.submit(second, settings)), "bit for bit, though read in another slot or before"

    engine, reads = counting()
    twins = [engine.submit(first[:20], Sampling(temperature=0, max_new_tokens=9, logprobs=2)) for _ in range(2)]
    assert finish(engine, twins[0]) == finish(engine, twins[1]) and reads == [(0, 8, 0), (0, 8, 8), (0, 4, 16), (1, 4, 16)]


def test_streamed_pieces_put_together_are_the_decoded_answer_and_a_cancelled_request_frees_its_slot(model, tokenizer):
    engine, prompt = Engine(model, tokenizer), asking(tokenizer, "你好 🙈")
    sampling = Sampling(temperature=1.5, seed=3, max_new_tokens=40)
    streamed = "".join(engine.stream(prompt, sampling))
    assert streamed == tokenizer.decode(engine.answer_all([prompt], sampling)[0].tokens)
    stream = engine.stream(asking(tokenizer, "Hi"), Sampling(temperature=0))
    next(stream)
    stream.close()
    assert engine.running == [None] and not engine.waiting


def test_a_full_context_ends_the_answer_and_the_oldest_whole_turns_go_first_while_the_system_message_stays(model, tokenizer):
    engine, prompt = Engine(model, tokenizer), [tokenizer.bos_id] + [20] * 55
    (request,) = engine.answer_all([prompt], Sampling(temperature=0, max_new_tokens=500))
    assert request.finish_reason == "stop" or len(prompt) + len(request.tokens) == 64
    refuses("64 tokens leave no room for an answer in the context of 64", engine.submit, [20] * 64, Sampling())
    system, last = {"role": "system", "content": "Be kind."}, {"role": "user", "content": "last"}
    turns = [{"role": role, "content": f"{role[0]} {i}"} for i in range(8) for role in ("user", "assistant")]
    kept, prompt, dropped = engine.fit([system, *turns, last], reserve=16)
    assert dropped > 0 and kept == [system, *turns[2 * dropped:], last]
    assert prompt == tokenizer.render(kept, add_generation_prompt=True)[0] and len(prompt) <= 64 - 16
    one_more = [system, *turns[2 * dropped - 2:], last]
    assert len(tokenizer.render(one_more, add_generation_prompt=True)[0]) > 64 - 16, "no more than needed"
    refuses("the message is too long", engine.fit, [{"role": "user", "content": "word " * 200}], reserve=16)


LOGITS = torch.tensor([2.0, 1.0, 0.0, -1.0, -2.0])


@pytest.mark.parametrize("values, allowed, temperature", [
    ({}, 5, 1.0), ({"temperature": 0.5}, 5, 0.5), ({"temperature": 2.0}, 5, 2.0), ({"top_k": 2}, 2, 1.0), ({"top_k": 5}, 5, 1.0),
    # p = .636 .234 .086 .032 .012
    ({"top_p": 0.6}, 1, 1.0), ({"top_p": 0.65}, 2, 1.0), ({"top_p": 0.9}, 3, 1.0), ({"min_p": 0.1}, 3, 1.0), ({"min_p": 0.4}, 1, 1.0)])
def test_draws_follow_the_softmax_over_what_each_rule_leaves(values, allowed, temperature):
    weights = [math.exp(float(x) / temperature) if i < allowed else 0 for i, x in enumerate(LOGITS)]
    settings, generator = Sampling(**{"temperature": 1.0} | values), torch.Generator().manual_seed(0)
    counts = collections.Counter(choose(LOGITS.clone(), settings, [], generator) for _ in range(4000))
    assert [counts[i] / 4000 for i in range(5)] == pytest.approx([w / sum(weights) for w in weights], abs=0.03)


def test_the_repetition_penalty_divides_positive_and_multiplies_negative_logits_of_seen_tokens():
    settings = Sampling(temperature=0, repetition_penalty=3.0)
    assert choose(LOGITS.clone(), settings, [], None) == 0 and choose(LOGITS.clone(), settings, [0, 0], None) == 1  # 2/3 < 1
    assert choose(torch.tensor([-1.0, -2.0]), settings, [0], None) == 1  # -3 < -2


@pytest.mark.parametrize("values", [
    {"temperature": -1}, {"temperature": float("nan")}, {"temperature": "1"}, {"top_p": -0.1}, {"top_p": 1.1}, {"min_p": -0.1},
    {"repetition_penalty": 0}, {"max_new_tokens": 0}, {"top_k": -1}, {"top_k": 2.5}, {"seed": -1}, {"seed": True},
    {"logprobs": -1}, {"stop": "end"}, {"stop": ("",)}])
def test_settings_out_of_range_are_refused_by_name(values):
    with pytest.raises(ValueError, match=next(iter(values))):
        Sampling(**values)


def test_the_same_seed_gives_the_same_text_and_another_seed_another(model, tokenizer):
    engine, prompt = Engine(model, tokenizer), prompts(tokenizer, 1)[0]
    texts = [engine.answer_all([prompt], Sampling(temperature=1.0, seed=s, max_new_tokens=15))[0].tokens for s in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2] and isinstance(Request(prompt, Sampling(seed=None), tokenizer).generator, torch.Generator)


def spell(tokenizer, text, **values):
    """A request that is given this text, token by token: what `read` returned after each, and the request."""
    request, said = Request([], Sampling(**values), tokenizer), []
    for token in tokenizer.encode(text):
        if not request.finish_reason:
            request.add(token, None)
            said.append(request.read())
    return said, request


def test_text_that_may_begin_a_stop_string_is_held_back_while_it_may_and_half_a_character_to_the_end(tokenizer):
    text = "One stop, two stones, 三个停止. The rest"
    for stop in [(".",), ("stones",), ("停止", "nowhere"), (" two stone", "stop, t"), ("stop", "One stop"), ("rest!",), ("absent",)]:
        said, request = spell(tokenizer, text, stop=stop)
        if not request.finish_reason:
            request.add(tokenizer.template.end_id, "stop")
            said.append(request.read())
        expected = min((text.split(s)[0] for s in stop), key=len)
        assert "".join(said) == request.text == expected and request.finish_reason == "stop"
        for i in range(len(said)):  # nothing shown was ever part of a stop string that completed later
            assert expected.startswith("".join(said[:i]))
    said, request = spell(tokenizer, "aXY aXb", stop=("XYZ",))
    assert request.text == "aXY aXb" == "".join(said) and spell(tokenizer, "a XY", stop=("XYZ",))[1].text == "a "
    said, request = spell(tokenizer, "🙈"[:1] + "好")
    assert all("\ufffd" not in part for part in said) and request.text == "🙈好"
    request = Request([], Sampling(), tokenizer)
    request.add(tokenizer.pieces.piece_to_id("<0xE5>"), None)
    assert request.read() == ""
    request.add(tokenizer.template.end_id, "stop")
    assert request.read() == "\ufffd"


def test_log_probabilities_are_those_of_the_full_forward_pass_before_any_transformation(model, tokenizer):
    prompt = prompts(tokenizer, 1)[0]
    (request,) = Engine(model, tokenizer).answer_all([prompt], Sampling(
        temperature=1.5, top_k=3, repetition_penalty=1.3, seed=5, max_new_tokens=10, logprobs=4))
    assert len(request.logprobs) == len(request.tokens)
    with torch.no_grad():
        likely = model(torch.tensor([prompt + request.tokens]))[0].log_softmax(-1)[len(prompt) - 1:]
    for token, (own, alternatives), row in zip(request.tokens, request.logprobs, likely):
        assert own == pytest.approx(float(row[token]), abs=1e-4) and [i for i, _ in alternatives] == row.topk(4).indices.tolist()
        assert [p for _, p in alternatives] == pytest.approx(row.topk(4).values.tolist(), abs=1e-4)
    (request,) = Engine(model, tokenizer).answer_all([prompt], Sampling(temperature=0, max_new_tokens=3, logprobs=0))
    assert all(alternatives == [] for _, alternatives in request.logprobs)
    for name in ("top_k", "logprobs"):
        with pytest.raises(ValueError, match=f"^{name} should be between 0 and the vocabulary's 900, found 901"):
            Engine(model, tokenizer).submit(prompt, Sampling(**{name: 901}))
