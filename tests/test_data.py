"""Splits, shards, the name of what is prepared, and the order of batches."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from tiny import ROOT, environment, source

import data
from config import DEFAULTS, STAGE, deep_merge, load_config
from data import PackedData
from zerochat.preparation import clean, duplicates, fingerprint, gather, reading, shards


@pytest.fixture
def prepared(tmp_path, tokenizer_folder):
    """What prepares the data of one stage: the config and the folder of the result."""
    def prepare(*sources, stage="sft", validation=(), **options):
        config = deep_merge(DEFAULTS, {"out_dir": str(tmp_path / "out"), "tokenizer": {"path": tokenizer_folder},
                                       "data": {"data_root": str(tmp_path), **options}, "model": {"max_position_embeddings": 96}})
        config["stages"] = [{"name": stage, "loss_on": "assistant", "data": list(sources), "validation": list(validation)}]
        return config, data.prepare(config, log=lambda text: None)
    return prepare


def reported(folder, name="x.jsonl"):
    """What the report says of a source."""
    with open(f"{folder}/report.json") as file:
        return json.load(file)["stages"]["sft"]["sources"][name]


def write_rows(path, rows):
    path.write_text("".join(json.dumps({"prompt": q, "completion": a}) + "\n" for q, a in rows), encoding="utf-8")


def placed(folder):
    """question + answer -> the split it is in"""
    return {"".join(m["content"] for m in sample["messages"]): split for split in data.SPLITS for sample in shards.samples(f"{folder}/sft.{split}")}


def test_packed_rows_hold_exactly_the_rendered_samples(prepared):
    _, folder = prepared(source(demo="conversations", count=200), validation_fraction=0.1)
    tokenizer = data.Tokenizer(folder)
    for split in data.SPLITS:
        shard = PackedData(f"{folder}/sft.{split}")
        wanted = [tuple(map(tuple, piece)) for sample in shards.samples(f"{folder}/sft.{split}") for piece in tokenizer.windows(sample, 96)[0]]
        found = []
        for row in range(len(shard)):
            ids, mask = (t[0].tolist() for t in shard.batch([row]))
            starts = [i for i, marked in enumerate(mask) if marked == 2]
            assert starts == [i for i, token in enumerate(ids) if token == tokenizer.bos_id]
            end = next(i for i in range(len(ids), 0, -1) if ids[i - 1] != tokenizer.pad_id)
            assert not any(mask[end:])
            found += [(tuple(ids[a:b]), (False, *(m == 1 for m in mask[a + 1:b]))) for a, b in zip(starts, [*starts[1:], end])]
            assert len(shard.describe(row)) == len(starts)
        assert sorted(found) == sorted(wanted) and found


def test_half_an_emoji_costs_no_record_and_no_preparation(prepared, tmp_path):
    rows = [{"skill": "\udc00", "messages": [{"role": "user", "content": f"say {i} \ud83d"}, {"role": "assistant", "content": "\ude00 yes \ud83d\ude00"}]}
            for i in range(5)]
    (tmp_path / "x.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    _, folder = prepared(source(path="x.jsonl"))
    found = list(shards.samples(f"{folder}/sft.train"))
    assert [[m["content"] for m in sample["messages"]] for sample in found] == [[f"say {i}", "yes 😀"] for i in range(5)]
    assert "characters" in open(f"{folder}/report.md", encoding="utf-8").read()
    _, folder = prepared(source(path="x.jsonl"), rules={"characters": False})
    assert [sample["messages"][0]["content"] for sample in shards.samples(f"{folder}/sft.train")] == [f"say {i} ?" for i in range(5)]


def test_preparing_again_finds_the_result_another_setting_does_not_and_a_failure_leaves_nothing(tmp_path, prepared):
    (tmp_path / "x.jsonl").write_text('{"text": "fine"}\n{"text"\n')
    with pytest.raises(ValueError, match="x.jsonl:2"):
        prepared(source(path="x.jsonl"), stage="pretrain")
    assert not list((tmp_path / "out" / "data").iterdir())
    config, folder = prepared(source(demo="conversations", count=50))
    assert data.prepare(config) == folder
    config["seed"] += 1
    assert data.prepare(config) == folder, "the seed orders batches, it does not change the data"
    assert data.fingerprint(deep_merge(config, {"data": {"deduplicate": False}})) not in folder


def test_the_name_of_prepared_data_depends_on_all_that_makes_them_and_on_nothing_else(tmp_path, tokenizer_folder, monkeypatch):
    adopted = shutil.copytree(tokenizer_folder, tmp_path / "tokenizer")
    write_rows(tmp_path / "x.jsonl", [("Hi", "Hello")])
    stage = {**STAGE, "name": "sft", "data": [source(path="x.jsonl")]}
    config = deep_merge(DEFAULTS, {"data": {"data_root": str(tmp_path)}, "tokenizer": {"path": str(adopted)}, "stages": [stage]})
    name = fingerprint.fingerprint(config)
    for same in ({"seed": 5}, {"out_dir": "elsewhere"}, {"data": {"processes": 3}}):
        assert fingerprint.fingerprint(deep_merge(config, same)) == name, same
    other = ({"model": {"max_position_embeddings": 64}}, {"data": {"rules": {"mojibake": False}}},
             {"stages": [{**stage, "loss_on": "all"}]}, {"data": {"augment": {"variants": 2}}})
    assert len({fingerprint.fingerprint(deep_merge(config, changes)) for changes in other} - {name}) == 4
    assert fingerprint.fingerprint(loud := deep_merge(config, other[-1])) != fingerprint.fingerprint({**loud, "seed": 5})
    os.utime(tmp_path / "x.jsonl", ns=(1, 1))
    shutil.copytree(tmp_path, tmp_path / "moved")
    elsewhere = {"data": {"data_root": f"{tmp_path}/moved"}, "tokenizer": {"path": f"{tmp_path}/moved/tokenizer"}}
    assert fingerprint.fingerprint(config) == fingerprint.fingerprint(deep_merge(config, elsewhere)) == name
    write_rows(tmp_path / "x.jsonl", [("Hi", "Hallo")])
    os.utime(tmp_path / "x.jsonl", ns=(1, 1))
    changed = fingerprint.fingerprint(config)
    (adopted / "chat_template.jinja").write_text("{{ messages }}")
    replaced = fingerprint.fingerprint(config)
    before = fingerprint.fingerprint(built_in := deep_merge(config, {"stages": [{**stage, "data": [source(demo="documents")]}]}))
    monkeypatch.setattr(fingerprint, "GRAMMAR", (str(tmp_path / "x.jsonl"),))
    assert fingerprint.fingerprint(built_in) != before and fingerprint.fingerprint(config) == replaced
    monkeypatch.setattr(fingerprint, "VERSION", 0)
    assert len({name, changed, replaced, fingerprint.fingerprint(config)}) == 4


def test_duplicates_are_dropped_a_prompt_is_on_one_side_only_and_stays_there_when_data_are_added(tmp_path, prepared):
    rows = [(f"Question {i % 40}?", f"Answer {i}.") for i in range(200)]
    write_rows(tmp_path / "x.jsonl", rows + rows[:30])
    _, folder = prepared(source(path="x.jsonl"), validation_fraction=0.2)
    assert reported(folder)["dropped"]["duplicate"] == {"count": 30, "examples": [
        [f"x.jsonl:{201 + i}", f"Question {i}? Answer {i}.", f"x.jsonl:{1 + i}: Question {i}? Answer {i}."] for i in range(3)]}
    prompts = [{s["messages"][0]["content"] for s in shards.samples(f"{folder}/sft.{split}")} for split in data.SPLITS]
    assert prompts[0] and prompts[1] and not prompts[0] & prompts[1]
    rows = [(f"Question {i}?", f"Answer {i}.") for i in range(300)]
    write_rows(tmp_path / "x.jsonl", rows)
    before = placed(prepared(source(path="x.jsonl"), validation_fraction=0.2)[1])
    write_rows(tmp_path / "x.jsonl", [(f"New {i}?", "Yes.") for i in range(100)] + rows[::-1])
    after = placed(prepared(source(path="x.jsonl"), validation_fraction=0.2)[1])
    assert len(before) == 300 and {**after, **before} == after and 30 < sum(s == "validation" for s in before.values()) < 90


def test_a_plain_text_also_one_of_many_sections_is_split_by_position_in_the_file(tmp_path, prepared, monkeypatch):
    def split(name, **options):
        _, folder = prepared(source(path=name, **options), stage="pretrain", validation_fraction=0.1)
        return ([s["text"] for s in shards.samples(f"{folder}/pretrain.{side}")] for side in data.SPLITS)

    def lines_of(texts):
        return [line for text in texts for line in text.split("\n") if line]

    whole = "".join(f"line {i}\n" for i in range(3000))
    (tmp_path / "book.txt").write_text(whole)
    (train,), (held_out,) = split("book.txt")
    assert train + held_out == whole.strip() and len(held_out) == pytest.approx(2889, abs=2)
    monkeypatch.setattr(reading, "SECTION", 500)  # a megabyte, otherwise
    lines = [f"line {i}" if i % 10 else "" for i in range(1, 3001)]
    (tmp_path / "book.txt").write_text("\n".join(lines))
    (tmp_path / "large.txt").write_text("\n".join(f"line {i}" if i % 2000 else "" for i in range(1, 9001)))
    train, held_out = map(lines_of, split("book.txt"))
    expected = [line for line in lines if line]
    cut = len(train) - 1  # which may be half a line
    assert train[:cut] == expected[:cut] and held_out[1:] == expected[-len(held_out) + 1:]
    assert cut + len(held_out) + 1 >= len(expected)
    assert len("\n".join(held_out)) == pytest.approx(0.1 * len("\n".join(expected)), rel=0.02)
    monkeypatch.setattr(reading, "SECTION", 15_000)  # with a limit nobody knows where the end is: that of each section
    train, held_out = map(lines_of, split("large.txt", limit=2))
    assert len(held_out) == pytest.approx(len(train) / 9, rel=0.05)


def test_the_global_batch_visits_every_row_once_an_epoch_whatever_its_size_and_augmented_epochs_take_turns():
    def global_batch(rows, batch_size, seed, step, variants=1):
        """`rows_of_step` of a shard of so many rows."""
        shard = PackedData.__new__(PackedData)
        shard.rows, shard.variants = range(rows * variants + 1), variants
        return shard.rows_of_step(step, batch_size, seed)

    for size in (1, 4, 7, 64):
        places = np.concatenate([global_batch(50, size, seed=3, step=s) for s in range(-(-200 // size))])[:200]
        assert all(sorted(places[e * 50:(e + 1) * 50]) == list(range(50)) for e in range(4))
        assert places.tolist() == np.concatenate([global_batch(50, 1, 3, s) for s in range(200)]).tolist()
    assert global_batch(50, 50, 3, 0).tolist() != global_batch(50, 50, 4, 0).tolist()
    rows = np.concatenate([global_batch(10, 5, 3, step, variants=2) for step in range(6)]).reshape(3, 10)
    plain = np.concatenate([global_batch(10, 5, 3, step) for step in range(6)]).reshape(3, 10)
    assert (rows - plain == [[0], [10], [0]]).all() and sorted(plain[1]) == list(range(10))


def test_held_out_conversations_whose_prompt_is_in_training_are_reported_and_moved(tmp_path, prepared):
    write_rows(tmp_path / "held.jsonl", [("What is new?", "Nothing."), ("Who are you?", "A bot.")])
    write_rows(tmp_path / "x.jsonl", [("what is NEW", "A lot."), ("What is old?", "Everything.")])
    _, folder = prepared(source(path="x.jsonl"), validation=[source(path="held.jsonl")])
    assert placed(folder) == {"What is new?Nothing.": "train", "Who are you?A bot.": "validation",
                              "what is NEWA lot.": "train", "What is old?Everything.": "train"}
    (reason, entry), = reported(folder, "held.jsonl")["changed"].items()
    assert reason.startswith("leaked") and entry["count"] == 1 and entry["examples"][0][0] == "held.jsonl:1"


EN = ("the a of to and in is was he for it with as his on be at by had not are but from or have an they which one you were all her "
      "she there would their we him been has when who will no more if out so up said what its about than into them can only other "
      "time new some could these two may first then do any like my now over such our man me even most made after also did many").split()
ZH = "的一是了我不人在他有这个上们来到时大地为子中你说生国年着就那和要她出也得里后自以会家可下而过天去能对小多然于心学么之都好看起发当没成只如事把还用第样道想作种开"


@pytest.mark.parametrize("units, joint, size", [(EN, " ", 5), (ZH, "", 3)], ids=["English", "Chinese"])
def test_planted_near_duplicates_are_found_in_both_languages_and_nothing_else_is(tmp_path, units, joint, size):
    draw = np.random.default_rng(0)
    texts = [joint.join(draw.choice(list(units), 120)) for _ in range(300)]

    def edited(text, places):
        parts = text.split(joint) if joint else list(text)
        for place in draw.integers(0, len(parts), places):
            parts[place] = str(draw.choice(list(units)))
        return joint.join(parts)

    planted = [edited(text, 2) for text in texts[:100]] + [edited(text, 25) for text in texts[100:200]]
    every = [clean.fold(text) for text in texts + planted]

    def grams(text):
        return {text[i:i + size] for i in range(len(text) - size + 1)}

    def jaccard(i, j):
        return len(grams(every[i]) & grams(every[j])) / len(grams(every[i]) | grams(every[j]))

    signatures = np.array([duplicates.signature(text) for text in every])
    estimates = [(signatures[i] == signatures[300 + i]).mean() - jaccard(i, 300 + i) for i in range(100)]
    assert abs(np.mean(estimates)) < 0.02 and np.std(estimates) < 0.06, "MinHash estimates the Jaccard similarity"
    signatures.tofile(tmp_path / "signatures")
    with open(tmp_path / "signatures", "rb") as file:
        first = duplicates.near_duplicates(file, 0.8)
    found = {i for i in range(500) if first[i] != i}
    assert 0.3 < np.mean([jaccard(i, 300 + i) for i in range(100, 200)]) < 0.7, "the second hundred is only alike"
    assert all(first[i] == i - 300 < 100 for i in found), "precision 1: all that is found was planted"
    assert len(found) >= 95, "recall"


def test_a_group_of_near_duplicates_keeps_its_first_and_so_never_straddles_the_split(tmp_path, prepared):
    draw = np.random.default_rng(1)
    texts = [" ".join(draw.choice(EN, 60)) for _ in range(60)]
    rows = [(f"{text} {k}?", "Yes, " + text) for text in texts for k in ("x", "y", "z")]
    write_rows(tmp_path / "x.jsonl", rows)
    _, folder = prepared(source(path="x.jsonl"), validation_fraction=0.3, near_duplicates=0.8)
    kept, dropped = placed(folder), reported(folder)["dropped"]["near-duplicate"]
    assert set(kept) == {q + a for q, a in rows[::3]} and set(kept.values()) == {"train", "validation"}
    assert dropped["count"] == 120 and dropped["examples"][0][0] == "x.jsonl:2" and "x.jsonl:1:" in dropped["examples"][0][2]


def test_a_sample_of_a_folder_is_known_by_its_file_and_a_weight_repeats_or_thins_the_training_samples(tmp_path, prepared):
    (tmp_path / "many").mkdir()
    for name in "ab":
        write_rows(tmp_path / "many" / f"{name}.jsonl", [(f"{name}?", "Yes."), ("Who are you?", "A bot.")])
    _, folder = prepared(source(path="many"), validation_fraction=0.0)
    assert PackedData(f"{folder}/sft.train").meta["sources"] == ["a.jsonl", "b.jsonl"]
    assert reported(folder, "many")["dropped"]["duplicate"]["examples"] == [["b.jsonl:2", "Who are you? A bot.", "a.jsonl:2: Who are you? A bot."]]
    for name in "ab":
        write_rows(tmp_path / f"{name}.jsonl", [(f"{name} question {i}?", f"Answer {i}.") for i in range(400)])
    _, folder = prepared(source(path="a.jsonl", weight=2.5), source(path="b.jsonl", weight=0.25), validation_fraction=0.1)
    train = [s["messages"][0]["content"][0] for s in shards.samples(f"{folder}/sft.train")]
    assert train.count("a") == pytest.approx(900, rel=0.1) and train.count("b") == pytest.approx(90, rel=0.3)
    held_out = [s["messages"][0]["content"] for s in shards.samples(f"{folder}/sft.validation")]
    assert len(held_out) == len(set(held_out))


def test_the_shards_are_the_same_for_any_number_of_processes(tmp_path, prepared, monkeypatch):
    draw = np.random.default_rng(2)
    write_rows(tmp_path / "x.jsonl", [(" ".join(draw.choice(EN, 9)), " ".join(draw.choice(EN, 9))) for _ in range(800)])
    monkeypatch.setattr(gather, "BATCH", 5000)
    monkeypatch.setattr(shards, "JOB", 5000)
    kinds = {"variants": 2, "typos": 0.05, "subword": 0.1}
    results = []
    for processes in (1, 3):
        _, folder = prepared(source(path="x.jsonl"), validation_fraction=0.1, processes=processes, near_duplicates=0.8,
                             augment={**DEFAULTS["data"]["augment"], **kinds})
        results.append({path.relative_to(folder): path.is_file() and path.stem != "report" and path.read_bytes() for path in Path(folder).rglob("*")})
        os.rename(tmp_path / "out", tmp_path / f"out{processes}")
    assert results[0] == results[1]


def test_a_preparation_killed_in_the_middle_leaves_nothing_that_looks_finished_and_no_process(tmp_path, tokenizer_folder):
    write_rows(tmp_path / "x.jsonl", [(f"Question number {i}?", f"The answer number {i}.") for i in range(150_000)])
    config = {"out_dir": str(tmp_path / "out"), "stages": [{"name": "sft", "data": ["x.jsonl"], "steps": 1}],
              "data": {"data_root": str(tmp_path), "processes": 2}, "tokenizer": {"path": tokenizer_folder}}
    (tmp_path / "c.json").write_text(json.dumps(config))
    words = [sys.executable, "data.py", "--config", str(tmp_path / "c.json")]
    process = subprocess.Popen(words, cwd=ROOT, env=environment(), start_new_session=True)
    prepared_folder, deadline = tmp_path / "out" / "data", time.monotonic() + 60
    while time.monotonic() < deadline and not any(
            path.stat().st_size > 2**21 for path in prepared_folder.glob("*.tmp/sft.samples")):
        time.sleep(0.02)
    process.kill()
    process.wait()
    assert list(prepared_folder.glob("*/sft.samples")) and all(path.name.endswith(".tmp") for path in prepared_folder.iterdir())
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.killpg(process.pid, 0)  # its children are in its group
            time.sleep(0.05)
        except ProcessLookupError:
            break
    else:
        pytest.fail("processes are left over")
    (tmp_path / "x.jsonl").write_text('{"prompt": "Hi", "completion": "Hello"}\n')
    again = data.prepare(load_config(str(tmp_path / "c.json")), log=lambda text: None)
    assert [os.path.join(prepared_folder, name) for name in os.listdir(prepared_folder)] == [again]


def test_only_the_training_split_is_augmented_and_versions_have_equally_many_rows(prepared):
    kinds = {"variants": 3, "typos": 0.1}
    _, folder = prepared(source(demo="conversations", count=200), validation_fraction=0.2, augment={**DEFAULTS["data"]["augment"], **kinds})
    tokenizer = data.Tokenizer(folder)
    shard, held_out = (PackedData(f"{folder}/sft.{split}") for split in data.SPLITS)
    assert shard.variants == 3 and held_out.variants == 1 and (len(shard.rows) - 1) == 3 * len(shard)
    versions = [shard.batch(range(version * len(shard), (version + 1) * len(shard)))[0] for version in range(3)]
    assert len({tokenizer.decode(ids.flatten().tolist()) for ids in versions}) == 3
    wanted = sorted(tokenizer.render(s)[0] for s in shards.samples(f"{folder}/sft.validation"))
    assert sum(map(len, wanted)) <= sum(int((held_out.batch([r])[0] != tokenizer.pad_id).sum()) for r in range(len(held_out)))
