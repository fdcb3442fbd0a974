"""Windows, packing, splits, shards and the order of batches."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from conftest import ROOT, environment

import augment
import data
import gather
import packing
from config import DEFAULTS, SOURCE, deep_merge
from data import PackedData, global_batch, pack, windows

MESSAGES = [{"role": "user", "content": "Hi!"}, {"role": "assistant", "content": "Hello."},
            {"role": "user", "content": "Bye"}, {"role": "assistant", "content": "See you."}]


def source(**values):
    return {**SOURCE, **values}


@pytest.mark.parametrize("overlap", [1, 5])
def test_a_long_document_is_cut_so_that_every_token_is_predicted_once(tokenizer, overlap):
    text = "The cat and the dog sat on the mat. 你好世界。" * 20
    ids, _ = tokenizer.render({"text": text})
    pieces, lost, _ = windows({"text": text}, tokenizer, context=32, overlap=overlap)
    assert lost == 0 and all(len(i) <= 32 and i[0] == tokenizer.bos_id and not m[0] for i, m in pieces)
    assert [t for i, m in pieces for t, s in zip(i, m) if s] == ids[1:]
    for (before, _), (after, mask) in zip(pieces, pieces[1:]):
        assert mask[1:1 + overlap] == [False] * overlap and after[1:1 + overlap] == before[-overlap:]


def test_a_long_conversation_becomes_windows_of_whole_exchanges_each_with_the_system_message(tokenizer):
    system = {"role": "system", "content": "Be kind."}
    sample = {"messages": [system] + MESSAGES * 10}
    pieces, lost, _ = windows(sample, tokenizer, context=48)
    assert lost == 0 and len(pieces) > 1
    head = tokenizer.render([system])[0]
    turns = []
    for ids, mask in pieces:
        assert len(ids) <= 48 and ids[:len(head)] == head
        turns += [t for t, s in zip(ids, mask) if s]
    assert turns == [t for t, s in zip(*tokenizer.render(sample)) if s]


def test_an_exchange_too_long_for_the_context_goes_on_in_further_windows_and_loses_nothing_supervised(tokenizer):
    long = " ".join(str(i) for i in range(200))
    for question in (long, "Count."):
        for system in ([], [{"role": "system", "content": "Be kind."}], [{"role": "system", "content": long}]):
            sample = {"messages": [*system, {"role": "user", "content": question}, {"role": "assistant", "content": long}]}
            pieces, lost, cut = windows(sample, tokenizer, context=64)
            assert lost == 0 and cut == 1 and len(pieces) > 2
            answer = [*tokenizer.encode(long), tokenizer.end_id]
            assert [t for ids, mask in pieces for t, s in zip(ids, mask) if s] == answer
            done = 0
            for ids, mask in pieces:
                first = ids.index(tokenizer.role_ids["assistant"]) + 1
                repeated, new = mask[first:].index(True), sum(mask)
                assert len(ids) <= 64 and ids[:first] == pieces[0][0][:first], "each window has the same question"
                assert ids[first:] == answer[done - repeated:done + new] and (done == 0) == (repeated == 0)
                done += new
    # A short answer to a long question survives whole.
    ((ids, mask),), lost, cut = windows({"messages": [{"role": "user", "content": long}, {"role": "assistant", "content": "Yes."}]},
                                        tokenizer, context=64)
    assert lost == 0 and cut == 1 and [t for t, s in zip(ids, mask) if s] == [*tokenizer.encode("Yes."), tokenizer.end_id]
    assert len(ids) == 64


def test_packing_places_every_document_once_and_fills_rows():
    lengths = np.random.default_rng(0).integers(1, 300, 3000)
    order, rows = pack(lengths, 512)
    assert sorted(order) == list(range(3000))
    used = np.add.reduceat(lengths[order], rows[:-1])
    assert used.max() <= 512 and lengths.sum() / (len(used) * 512) > 0.98
    order, rows = pack(np.array([], dtype=np.uint32), 512)
    assert len(order) == 0 and rows.tolist() == [0]


@pytest.fixture
def prepared(tmp_path, tokenizer_folder):
    return lambda stages, **options: prepare(tmp_path, tokenizer_folder, stages, options)


def prepare(tmp_path, tokenizer_folder, stages, options):
    config = deep_merge(DEFAULTS, {"out_dir": str(tmp_path / "out"), "tokenizer": {"path": tokenizer_folder},
                                   "data": {"data_root": str(tmp_path), **options}, "model": {"max_position_embeddings": 96}})
    config["stages"] = [{"loss_on": "assistant", "validation": [], **stage} for stage in stages]
    return config, data.prepare(config, log=lambda text: None)


def test_packed_rows_hold_exactly_the_rendered_samples(prepared):
    _, folder = prepared([{"name": "sft", "data": [source(demo="conversations", count=200)]}], validation_fraction=0.1)
    tokenizer = data.Tokenizer(folder)
    for split in data.SPLITS:
        shard = PackedData(f"{folder}/sft.{split}")
        wanted = [tuple(map(tuple, piece)) for sample in packing.samples(f"{folder}/sft.{split}")
                  for piece in windows(sample, tokenizer, 96)[0]]
        found = []
        for row in range(len(shard)):
            ids, mask = (t[0].tolist() for t in shard.batch([row]))
            starts = [i for i, token in enumerate(ids) if token == tokenizer.bos_id]
            end = next((i for i in range(len(ids), 0, -1) if ids[i - 1] != tokenizer.pad_id))
            assert not any(mask[end:])
            found += [(tuple(ids[a:b]), tuple(mask[a:b])) for a, b in zip(starts, [*starts[1:], end])]
            assert len(shard.describe(row)) == len(starts)
        assert sorted(found) == sorted(wanted) and found


def test_preparing_again_finds_the_result_and_another_setting_does_not(prepared):
    config, folder = prepared([{"name": "sft", "data": [source(demo="conversations", count=50)]}])
    assert data.prepare(config) == folder
    config["seed"] += 1
    assert data.prepare(config) == folder, "the seed orders batches, it does not change the data"
    assert data.fingerprint(deep_merge(config, {"data": {"deduplicate": False}})) not in folder


def test_a_failed_preparation_leaves_nothing_that_looks_finished(tmp_path, prepared):
    (tmp_path / "x.jsonl").write_text('{"text": "fine"}\n{"text"\n')
    with pytest.raises(ValueError, match="x.jsonl:2"):
        prepared([{"name": "pretrain", "data": [source(path="x.jsonl")]}])
    assert not list((tmp_path / "out" / "data").iterdir())


def test_duplicates_are_dropped_and_a_prompt_is_on_one_side_only(tmp_path, prepared):
    rows = [{"prompt": f"Question {i % 40}?", "completion": f"Answer {i}."} for i in range(200)]
    (tmp_path / "x.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows + rows[:30]))
    _, folder = prepared([{"name": "sft", "data": [source(path="x.jsonl")]}], validation_fraction=0.2)
    report = json.load(open(f"{folder}/report.json"))["stages"]["sft"]
    assert report["sources"]["x.jsonl"]["dropped"]["duplicate"] == {"count": 30, "examples": [
        [f"x.jsonl:{201 + i}", f"Question {i}? Answer {i}.", f"x.jsonl:{1 + i}: Question {i}? Answer {i}."] for i in range(3)]}
    prompts = [{s["messages"][0]["content"] for s in packing.samples(f"{folder}/sft.{split}")} for split in data.SPLITS]
    assert prompts[0] and prompts[1] and not prompts[0] & prompts[1]


def test_a_plain_text_is_split_by_position(tmp_path, prepared):
    (tmp_path / "book.txt").write_text("".join(f"line {i}\n" for i in range(3000)))
    _, folder = prepared([{"name": "pretrain", "data": [source(path="book.txt")]}], validation_fraction=0.1)
    train, held_out = (next(packing.samples(f"{folder}/pretrain.{split}"))["text"] for split in data.SPLITS)
    assert (train + held_out) == "".join(f"line {i}\n" for i in range(3000)).strip() and len(held_out) == pytest.approx(2889, abs=2)


def test_the_global_batch_visits_every_row_once_an_epoch_whatever_its_size():
    for size in (1, 4, 7, 64):
        places = np.concatenate([global_batch(50, size, seed=3, step=s) for s in range(-(-200 // size))])[:200]
        assert all(sorted(places[e * 50:(e + 1) * 50]) == list(range(50)) for e in range(4))
        assert places.tolist() == np.concatenate([global_batch(50, 1, 3, s) for s in range(200)]).tolist()
    assert global_batch(50, 50, 3, 0).tolist() != global_batch(50, 50, 4, 0).tolist()
