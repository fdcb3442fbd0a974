"""Near-duplicates: what is like what, and which of them stay."""

import numpy as np
import pytest

from zerochat.preparation import duplicates

WORDS = ("river stone cloud maple amber falcon winter harbor violet copper meadow lantern thunder cedar marble ocean "
         "pepper saddle velvet whisper island garden mirror canyon").split()


def similar(tmp_path, *samples, threshold=0.8):
    pytest.importorskip("rensa")
    np.array([duplicates.signature_of(sample) for sample in samples]).tofile(tmp_path / "signatures")
    with open(tmp_path / "signatures", "rb") as file:
        return duplicates.near_duplicates(file, threshold).tolist()


def chat(question, answer):
    return {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]}


def text(seed, count=80):
    return " ".join(np.random.default_rng(seed).choice(WORDS, count))


LONG = text(0)


@pytest.mark.parametrize("a, b, alike", [((LONG + " a", text(1) + " a"), (LONG + " b", text(1) + " b"), True),
    (("Who are you?", LONG), ("Who made you?", LONG), False), ((LONG, text(1)), (LONG, text(2)), False),
    ((f"Is it so? {LONG}\nYes or no?", "Yes"), (f"Is it so? {LONG}\nTrue or false?", "Yes"), False),
    ((f"{LONG} 50 {LONG}", "Yes"), (f"{LONG} 60 {LONG}", "Yes"), False)])
def test_conversations_are_alike_in_question_and_answer_both(tmp_path, a, b, alike):
    assert similar(tmp_path, chat(*a), chat(*b)) == ([0, 0] if alike else [0, 1])


def test_a_text_goes_only_if_it_is_like_one_that_stays(tmp_path):
    words = text(3, 120).split()
    chain = [" ".join(f"new{i}" if i < k * 5 else word for i, word in enumerate(words)) for k in range(7)]
    first = similar(tmp_path, *({"text": link} for link in chain), threshold=0.8)
    signatures = [duplicates.signature_of({"text": link}) for link in chain]
    assert 1 < len(set(first)) < len(chain), "each is like the next, the first is not like the last"
    for i, kept in enumerate(first):
        assert first[kept] == kept and (kept == i or (signatures[i] == signatures[kept]).mean() >= 0.8)


def test_half_ideographs_are_no_cliff():
    a = "".join(chr(0x4e00 + 7 * i) + "abcdefghij"[i % 10] for i in range(400))
    counts = [(duplicates.signature(a + tail) == duplicates.signature(a)).mean() for tail in ("好", "x", "好好", "xx")]
    assert min(counts) > 0.9
