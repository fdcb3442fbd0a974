"""What a sample may look like in another epoch."""

import json

import pytest

from zerochat.preparation import augment

CHAT = {"source": "x", "line": 1, "messages": [{"role": role, "content": text} for role, text in zip(
    ("user", "assistant") * 3, ("Hi!", "Hello.", "Bye", "See you.", "Where is my order, please?", "On its way."))]}
LOUD = {"variants": 3, "typos": 0.2, "case": 0.5, "punctuation": 0.5, "width": 0.5, "subword": 0.3}


def test_augmentation_is_a_function_of_seed_epoch_and_sample_and_changes_what_the_user_says_alone(tokenizer):
    def made(seed, epoch, sample=CHAT):
        found, encode = augment.version(sample, tokenizer, LOUD, seed, epoch)
        return found["messages"], tokenizer.render(found, encode=encode)
    assert made(1, 0) == made(1, 0) and len({json.dumps(made(seed, epoch)) for seed in range(3) for epoch in range(3)}) == 9
    assert made(1, 0) == made(1, 0, {**CHAT, "line": 99}), "where a sample lies does not matter"
    answers = [m["content"] for m in CHAT["messages"] if m["role"] == "assistant"]
    changed = set()
    for epoch in range(60):
        sample, encode = augment.version(CHAT, tokenizer, LOUD, 0, epoch)
        assert [m["content"] for m in sample["messages"] if m["role"] == "assistant"] == answers
        ids, mask = tokenizer.render(sample, encode=encode)
        assert [t for t, s in zip(ids, mask) if s] == [t for a in answers for t in [*tokenizer.encode(a), tokenizer.template.end_id]]
        changed.add([m["content"] for m in sample["messages"] if m["role"] == "user"][-1])
        assert tokenizer.decode(ids) == "".join(m["content"] for m in sample["messages"]), "other pieces, the same text"
    assert len(changed) > 40


@pytest.mark.parametrize("kind", ["typos", "case", "punctuation", "width"])
def test_each_kind_of_augmentation_does_something_and_zero_does_nothing(tokenizer, kind):
    quiet = {key: 0 for key in LOUD}
    assert augment.version(CHAT, tokenizer, quiet, 0, 0) == (CHAT, None)
    assert any(augment.version(CHAT, tokenizer, {**quiet, kind: 1.0}, 0, e)[0] != CHAT for e in range(10))
