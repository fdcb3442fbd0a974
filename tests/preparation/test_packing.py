"""Samples into windows, windows into rows."""

from collections import Counter

import numpy as np
import pytest

from zerochat.preparation import packing
from zerochat.preparation.packing import pack

MESSAGES = [{"role": who, "content": text} for who, text in zip(("user", "assistant") * 2, ("Hi!", "Hello.", "Bye", "See you."))]


@pytest.mark.parametrize("overlap", [1, 5])
def test_a_long_document_is_cut_so_that_every_token_is_predicted_once(tokenizer, overlap):
    document = {"text": "The cat and the dog sat on the mat. 你好世界。" * 20}
    ids, _ = tokenizer.render(document)
    pieces, lost, _ = tokenizer.windows(document, context=32, overlap=overlap)
    assert lost == 0 and all(len(i) <= 32 and i[0] == tokenizer.bos_id and not m[0] for i, m in pieces)
    assert [t for i, m in pieces for t, s in zip(i, m) if s] == ids[1:]
    for (before, _), (after, mask) in zip(pieces, pieces[1:]):
        assert mask[1:1 + overlap] == [False] * overlap and after[1:1 + overlap] == before[-overlap:]


def test_a_long_conversation_becomes_windows_of_whole_exchanges_and_one_too_long_for_any_goes_on_in_further_ones(tokenizer):
    """Each with the system message, each of the long exchange with its question, and nothing supervised is lost."""
    system = {"role": "system", "content": "Be kind."}
    sample = {"messages": [system] + MESSAGES * 10}
    pieces, lost, _ = tokenizer.windows(sample, context=48)
    head = tokenizer.render([system])[0]
    assert lost == 0 and len(pieces) > 1 and all(len(ids) <= 48 and ids[:len(head)] == head for ids, _ in pieces)
    turns = [t for ids, mask in pieces for t, s in zip(ids, mask) if s]
    assert turns == [t for t, s in zip(*tokenizer.render(sample)) if s]
    long = " ".join(str(i) for i in range(200))
    for question in (long, "Count."):
        for system in ([], [{"role": "system", "content": "Be kind."}], [{"role": "system", "content": long}]):
            sample = {"messages": [*system, {"role": "user", "content": question}, {"role": "assistant", "content": long}]}
            pieces, lost, cut = tokenizer.windows(sample, context=64)
            assert lost == 0 and cut == Counter(exchanges=1, questions=question is long, systems=long in str(system)) and len(pieces) > 2
            answer = [*tokenizer.encode(long), tokenizer.template.end_id]
            assert [t for ids, mask in pieces for t, s in zip(ids, mask) if s] == answer
            done = 0
            for ids, mask in pieces:
                first = ids.index(tokenizer.role_ids["assistant"]) + 1
                repeated, new = mask[first:].index(True), sum(mask)
                assert len(ids) <= 64 and ids[:first] == pieces[0][0][:first], "each window has the same question"
                assert ids[first:] == answer[done - repeated:done + new] and (done == 0) == (repeated == 0)
                done += new
    # A short answer to a long question survives whole.
    short = {"messages": [{"role": "user", "content": long}, {"role": "assistant", "content": "Yes."}]}
    ((ids, mask),), lost, cut = tokenizer.windows(short, context=64)
    assert lost == 0 and cut == Counter(exchanges=1, questions=1) and [t for t, s in zip(ids, mask) if s] == [*tokenizer.encode("Yes."), tokenizer.template.end_id]
    assert len(ids) == 64


def test_packing_places_every_document_once_and_fills_rows_also_block_by_block(monkeypatch):
    lengths = np.random.default_rng(0).integers(1, 300, 3000)
    order, rows = pack(lengths, 512)
    assert sorted(order) == list(range(3000))
    used = np.add.reduceat(lengths[order], rows[:-1])
    assert used.max() <= 512 and lengths.sum() / (len(used) * 512) > 0.98
    order, rows = pack(np.array([], dtype=np.uint32), 512)
    assert len(order) == 0 and rows.tolist() == [0]
    monkeypatch.setattr(packing, "BLOCK", 1000)  # as with more than a million documents
    lengths = np.random.default_rng(0).integers(1, 512, 5000)
    order, rows = pack(lengths, 512)
    assert sorted(order) == list(range(5000)) and np.add.reduceat(lengths[order], rows[:-1]).max() <= 512
