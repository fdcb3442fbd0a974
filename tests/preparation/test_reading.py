"""Files as people have them: what is read, what is left, and what is refused with a word of advice."""

import bz2
import csv
import gzip
import io
import json
import lzma
import os
import pickle
import tracemalloc

import pytest
from tiny import prepared, read_source, source

import data
from config import DEFAULTS
from zerochat.preparation import formats, gather, json_stream, reading, shards

ROWS = [("What is 2+2?", "It is 4."), ('Say "hi", please', "Hi;\tthere, you"), ("两行\n问题", "好的")]
CHATS = [{"messages": [{"role": "user", "content": q}, {"role": "assistant", "content": a}]} for q, a in ROWS]


def table(delimiter=",", names=("question", "answer"), rows=ROWS, **how) -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, **how).writerows([names, *rows])
    return out.getvalue().encode()


TABLES = [("x.csv", table(), {}), ("x.CSV", table(";"), {}), ("x.tsv", table("\t"), {}), ("x.csv", table("|", quoting=csv.QUOTE_ALL), {}),
          ("x.csv", b"\xef\xbb\xbf" + table(lineterminator="\r\n"), {}), ("x.csv", table(quotechar="'", quoting=csv.QUOTE_ALL), {}),
          ("x.csv", table(escapechar="\\", doublequote=False), {}), ("x.csv.gz", gzip.compress(table(), mtime=0), {}),
          ("x.csv", table(names=("Frage", "Antwort")), {"columns": {"Frage": "question", "Antwort": "answer"}})]


@pytest.mark.parametrize("name, content, values", TABLES)
def test_a_table_is_read_by_the_names_in_its_first_line_whatever_divides_and_quotes_it(tmp_path, name, content, values):
    (tmp_path / name).write_bytes(content)
    found = read_source(tmp_path, name, **values)
    assert [sample for *_, sample in found] == CHATS and [line for _, line, _ in found] == [2, 3, 4]


def test_a_table_without_quotes_keeps_them_as_text_and_a_row_of_another_width_is_bad(tmp_path):
    (tmp_path / "x.tsv").write_bytes(b'question\tanswer\nSay "hi"\t"Hi" she said\n')
    assert [m["content"] for m in read_source(tmp_path, "x.tsv")[0][2]["messages"]] == ['Say "hi"', '"Hi" she said']
    (tmp_path / "x.csv").write_bytes(b"question,answer\na,b,c\nd,e\n")
    (_, line, bad), (_, _, fine) = read_source(tmp_path, "x.csv")
    assert line == 2 and isinstance(bad, formats.Bad) and bad == "3 fields; the first line has 2" and "messages" in fine


def test_parquet_is_read_in_batches_and_what_is_null_is_not_there(tmp_path):
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    rows = [{**chat, "chosen": None, "when": None} for chat in CHATS] * 300
    rows[0]["messages"] = [{**m, "from": None} for m in rows[0]["messages"]]
    parquet.write_table(arrow.Table.from_pylist(rows), tmp_path / "x.parquet", row_group_size=100)
    found = read_source(tmp_path, "x.parquet")
    assert [sample for *_, sample in found] == CHATS * 300 and [line for _, line, _ in found] == list(range(1, 901))
    (tmp_path / "y.parquet").write_bytes((tmp_path / "x.parquet").read_bytes()[:-50])
    with pytest.raises(ValueError, match=r"y.parquet: "):
        read_source(tmp_path, "y.parquet")


@pytest.mark.parametrize("name, pack", [("x.JSONL", bytes), ("x.jsonl.gz", gzip.compress), ("x.jsonl.bz2", bz2.compress), ("x.JSONL.XZ", lzma.compress)])
def test_lines_of_json_are_read_packed_and_in_capitals_and_what_is_damaged_is_named(tmp_path, name, pack):
    raw = pack("".join(json.dumps(chat) + "\n" for chat in CHATS).encode())
    (tmp_path / name).write_bytes(raw)
    assert [sample for *_, sample in read_source(tmp_path, name)] == CHATS
    if pack is not bytes:
        for damaged in (raw[:-12], raw[:40] + b"\xff\xff\xff\xff" + raw[44:]):
            (tmp_path / name).write_bytes(damaged)
            with pytest.raises(ValueError, match=f"{name} cannot be read: "):
                read_source(tmp_path, name)


WHATSAPP = "".join(f"12/31/23, 10:1{i} - {who}: Hello\n" for i, who in enumerate(["Ann", "Ben"] * 2))


@pytest.mark.parametrize("name, content, values, advice", [
    ("x.dat", b"text", {}, "x.dat is not of a known kind .*; text and JSON are read if"), ("x.zip", b"PK\x03\x04", {}, "a zip file: unpack it first"),
    ("x.jsonl", b"PK\x03\x04", {}, "a zip file"), ("x.zst", b"a", {}, "is packed: unpack it first"), ("x.yaml", b"a: b", {}, "convert it to JSON"),
    ("x.jsonl", b"version https://git-lfs.github.com/spec/v1\noid", {}, "a Git LFS pointer, not the data themselves: git lfs pull"),
    ("x.parquet", b"version https://git-lfs.github.com/spec/v1\noid", {}, "a Git LFS pointer"), ("x.xlsx", b"a", {}, "save it as CSV"),
    ("x.txt", b"PAR1\0\0\x15\x04", {"encoding": "latin-1"}, "holds no text"), ("x.txt", b'[{"messages": []}]', {}, "is no data as they are read: convert it"),
    ("x.txt", WHATSAPP.encode(), {}, "is no data as they are read: convert it to JSON, .* or say"), ("x.csv", b'question,answer\n"a,b\n' * 2 + b"\xff", {}, "x.csv:5: not utf-8"),
    ("x.csv", b"a,b\n\xff,b\n", {}, "x.csv:2: not utf-8 at byte 4")])
def test_what_is_no_data_or_of_no_known_kind_is_refused_and_never_read_as_text(tmp_path, name, content, values, advice):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=advice):
        read_source(tmp_path, name, **values)


def test_a_name_says_nothing_where_the_format_is_given(tmp_path):
    (tmp_path / "x.dat").write_bytes(json.dumps(CHATS[0]).encode())
    assert read_source(tmp_path, "x.dat", format="messages")[0][2] == CHATS[0]
    assert read_source(tmp_path, "x.dat", format="text")[0][2] == {"text": json.dumps(CHATS[0])}
    (tmp_path / "telegram.json").write_text(json.dumps({"messages": [{"from": "Ann", "from_id": "u1", "text": "Hi"}]}))
    assert "exported by Telegram" in read_source(tmp_path, "telegram.json")[0][2]


def test_of_a_clone_the_data_are_taken_each_file_once_and_the_rest_is_told(tmp_path, tokenizer_folder):
    clone = tmp_path / "clone"
    (clone / "data").mkdir(parents=True)
    (clone / ".git").mkdir()
    for name in ("README.md", "LICENSE", ".gitattributes", "dataset_infos.json", "picture.png", ".git/x.json"):
        (clone / name).write_text("about")
    rows = [{"question": f"{i}?", "answer": f"Yes, {i}."} for i in range(9)]
    (clone / "data" / os.fsdecode(b"train-\xff.jsonl")).write_text("".join(json.dumps(row) + "\n" for row in rows))
    os.symlink(clone, clone / "data" / "again")
    os.symlink(clone / "data" / os.fsdecode(b"train-\xff.jsonl"), clone / "more.jsonl")
    skipped: dict = {}
    (file,) = reading.files_of("clone", str(tmp_path), skipped)
    assert {os.path.basename(name): why for name, why in skipped.items()} == {
        "picture.png": "not a kind that is read", **dict.fromkeys(("README.md", "LICENSE", ".gitattributes", "dataset_infos.json"), "speaks of the data")}
    folder, said = prepared(tmp_path, source(path="clone"), validation_fraction=0.0, tokenizer=tokenizer_folder)
    assert "clone: 9 of 9 kept; 9 prompt_completion\n" in said and len(list(shards.samples(f"{folder}/sft.train"))) == 9
    assert "skipped      4  speaks of the data (" in said and "skipped      1  not a kind that is read (picture.png)" in said


def test_a_comma_too_many_costs_nothing_and_an_array_on_one_line_has_numbers(tmp_path):
    for text, lines in ((json.dumps(CHATS), [1, 2, 3]), (json.dumps(CHATS)[:-1] + ",]", [1, 2, 3]), (json.dumps(CHATS[:1])[:-1] + ",\n]", [1]),
                        ("[\n" + ",\n".join(map(json.dumps, CHATS)) + ",\n]", [2, 3, 4]), ("[" + ",\n".join(map(json.dumps, CHATS)) + "]", [1, 2, 3])):
        (tmp_path / "x.json").write_text(text)
        found = read_source(tmp_path, "x.json")
        assert [sample for *_, sample in found] == CHATS[:len(lines)] and [line for _, line, _ in found] == lines
    for name in ("x.json", "x.jsonl"):  # bare lists of messages, a line each
        (tmp_path / name).write_text("".join(json.dumps(chat["messages"]) + "\n" for chat in CHATS))
        assert [sample for *_, sample in read_source(tmp_path, name)] == CHATS
    (tmp_path / "x.json").write_text('[{"text": 5}, ["a"], 7, "b", {"text": "fine"}]')
    options = {**DEFAULTS["data"], "data_root": str(tmp_path)}
    (batch,) = gather.read(source(path="x.json"), options)
    assert [isinstance(formats.to_sample(record), formats.Bad) for *_, record in batch] == [True, False, True, True, False]


@pytest.mark.parametrize("name", ["x.json", "x.jsonl"])
def test_what_is_nested_too_deep_is_one_bad_record_in_every_process(tmp_path, name):
    deep = '{"text": "x", "extra": ' + "[" * 600 + "]" * 600 + "}"
    (tmp_path / name).write_text(f"[{deep},\n{json.dumps(CHATS[0])}]" if name == "x.json" else f"{deep}\n{json.dumps(CHATS[0])}\n")
    found = list(reading.records(source(path=name), str(tmp_path)))
    pickle.dumps(found)  # on its way to another process
    assert [formats.to_sample(record) for *_, record in found] == ["JSON nested too deep", CHATS[0]]
    shallow = json.loads("[" * json_stream.DEEPEST + "]" * json_stream.DEEPEST)
    assert not json_stream.too_deep(shallow, json.dumps(shallow)) and json_stream.too_deep([shallow], json.dumps([shallow]))


def test_a_hundred_megabytes_of_blanks_take_no_memory(tmp_path):
    with gzip.open(tmp_path / "x.json.gz", "wb", 1) as file:
        file.write(b"[" + (b" " * 999_999 + b"\n") * 100 + json.dumps(CHATS[0]).encode() + b"]")
    tracemalloc.start()
    ((_, line, record),) = reading.records(source(path="x.json.gz"), str(tmp_path))
    assert (line, record) == (101, CHATS[0]) and tracemalloc.get_traced_memory()[1] < 2**24
    tracemalloc.stop()


def test_single_questions_are_joined_into_chats_of_the_training_split_alone(tmp_path, tokenizer_folder):
    rows = {"a.jsonl": [f"a {i}?" for i in range(40)], "b.jsonl": [f"b {i}?" for i in range(20)]}
    for name, questions in rows.items():
        systems = ["Be kind.", "Be brief."] if name == "b.jsonl" else [""]
        (tmp_path / name).write_text("".join(json.dumps({"system": systems[i % len(systems)], "question": q, "answer": q[:-1]}) + "\n"
                                             for i, q in enumerate(questions)))

    def joining(**join):
        folder, said = prepared(tmp_path, *(source(path=name) for name in rows), validation_fraction=0.2, tokenizer=tokenizer_folder,
                                join={**DEFAULTS["data"]["join"], **join})
        return (*([s["messages"] for s in shards.samples(f"{folder}/sft.{split}")] for split in data.SPLITS), said)

    train, held_out, said = joining(share=0.75, turns=3)
    single, joined = train[:len(train) // 4], train[len(train) // 4:]
    assert len(joined) == 3 * len(single) and f"  {len(joined)} conversations joined of these" in said
    assert {len(m) for m in single + held_out} == {2, 3}
    pairs = {tuple(m["content"] for m in chat[-2:]) for chat in single}
    sources = []
    for chat in joined:
        system = chat[0]["content"] if chat[0]["role"] == "system" else None
        turns = [(q["content"], a["content"]) for q, a in zip(chat[system is not None::2], chat[1 + (system is not None)::2])]
        assert set(turns) <= pairs and len(turns) == len(set(turns)) <= 3
        assert all((q[0] == "b") == (system is not None) for q, _ in turns)
        sources += [q[0] for q, _ in turns]
    assert max(len(chat) for chat in joined) == 7 and 0.3 < sources.count("b") / len(sources) < 0.7, "however many a source has"
    assert joining(share=0.75, turns=3)[:2] == (train, held_out)
    (of_b, *_) = joining(share=0.5, sources=["b.jsonl"])
    assert len(of_b) - len(single) == sum(chat[0]["role"] == "system" for chat in single) and all(m[0]["role"] == "system" for m in of_b[len(single):])
