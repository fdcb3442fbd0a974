"""Files of every format to the exact ids and mask; encodings, streams, downloads, and what is no record."""

import codecs
import gzip
import json
import random
import re
import time

import pytest
from tiny import prepared, read_source, source

import data
from config import DEFAULTS
from zerochat.preparation import clean, formats, gather, reading

CHAT = [("user", "Hi!"), ("assistant", "Hello."), ("user", "Bye"), ("assistant", "See you.")]
MESSAGES = [{"role": role, "content": content} for role, content in CHAT]
TEXTS = [content for _, content in CHAT]
TREE = {"message_tree_id": "1", "prompt": {"role": "prompter", "text": "Hi!", "replies": [
    {"role": "assistant", "text": "Go away.", "rank": 1, "replies": []},
    {"role": "assistant", "text": "Spam.", "rank": 0, "deleted": True},
    {"role": "assistant", "text": "Hello.", "rank": 0, "replies": [{"role": "prompter", "text": "Bye", "rank": None, "replies": [
        {"role": "assistant", "text": "See you.", "rank": 0}, {"role": "assistant", "text": "What?", "rank": 2}]}]}]}}
RECORDS = {"messages": {"messages": MESSAGES},
    "messages in parts": {"messages": [{**m, "content": [{"type": "text", "text": m["content"]}]} for m in MESSAGES]},
    "sharegpt": {"conversations": [{"from": "human" if r == "user" else "gpt", "value": c} for r, c in CHAT]},
    "alpaca": {"instruction": "Bye", "input": "", "output": "See you.", "history": [["Hi!", "Hello."]]}, "oasst": TREE,
    "frames": {"turns": [{"author": "user" if r == "user" else "wizard", "text": c, "labels": {}} for r, c in CHAT], "id": "x"},
    "multiwoz 2.2": {"turns": [{"speaker": "USER" if r == "user" else "SYSTEM", "utterance": c} for r, c in CHAT]},
    "multiwoz 2.1": {"goal": {}, "log": [{"text": text, "metadata": {}} for text in TEXTS]},
    "chosen conversation": {"chosen": MESSAGES, "rejected": MESSAGES[:3] + [{"role": "assistant", "content": "No."}]},
    "chosen turn": {"conversations": [{"from": "human", "value": "Hi!"}, {"from": "gpt", "value": "Hello."},
                                      {"from": "human", "value": "Bye"}],
                    "chosen": {"from": "gpt", "value": "See you."}, "rejected": {"from": "gpt", "value": "No."}},
    "chosen transcript": {"chosen": "\n\nHuman: Hi!\n\nAssistant: Hello.\n\nHuman: Bye\n\nAssistant: See you.", "rejected": "x"},}


def expected(tokenizer, chat=CHAT):
    """Ids and mask of a conversation, put together by hand."""
    ids, mask = [tokenizer.bos_id], [False]
    for role, content in chat:
        text = [*tokenizer.encode(content), tokenizer.template.end_id]
        ids += [tokenizer.role_ids[role], *text]
        mask += [False] + [role == "assistant"] * len(text)
    return ids, mask


@pytest.mark.parametrize("name", RECORDS)
@pytest.mark.parametrize("layout", ["array", "lines", "object of records", "lines named .json"])
def test_every_format_renders_to_the_exact_ids_and_mask(tmp_path, tokenizer, name, layout):
    record = RECORDS[name]
    text = {"array": json.dumps([record] * 2, indent=1), "object of records": json.dumps({"a.json": record, "b.json": record})}
    path = tmp_path / ("x.jsonl" if layout == "lines" else "x.json")
    path.write_text(text.get(layout, f"{json.dumps(record)}\n\n{json.dumps(record)}\n"), encoding="utf-8")
    found = read_source(tmp_path, path.name)
    assert len(found) == 2
    for _, _, sample in found:
        assert tokenizer.render(clean.clean(sample, {})[0]) == expected(tokenizer)


Q, A = ("user", "Who holds drum 15?"), ("assistant", "Ben.")
TURNS = [{"role": r, "content": c} for r, c in (Q, A)]
SAID = {"question": Q[1], "answer": A[1]}
# What a record says, turn by turn (None: not to be learned), and what was not used of it.
MEANT = [
    ({"instruction": Q[1], "input": "", "output": A[1], "text": "Below is ..."}, [Q, A], ["text"]),
    ({"conversations": [{"from": "human", "value": Q[1]}, {"from": "gpt", "value": A[1]}], "text": "x", "id": 7}, [Q, A], ["text", "id"]),
    ({"prompt": Q[1], "completion": A[1], "text": "x"}, [Q, A], ["text"]),
    ({"instruction": Q[1], "context": "Ben holds it.", "response": A[1], "category": "qa"}, [("user", Q[1] + "\nBen holds it."), A], ["category"]),
    ({"system_prompt": "Be kind.", **SAID}, [("system", "Be kind."), Q, A], []),
    ({**SAID, "context": "Ben holds it."}, [("user", Q[1] + "\nBen holds it."), A], []),
    ({"prompt": Q[1], "input": "Ben holds it.", "completion": A[1]}, [("user", Q[1] + "\nBen holds it."), A], []),
    ({"system": "Be kind.", "messages": TURNS, "tools": [{"name": "x"}]}, [("system", "Be kind."), Q, A], ["tools"]),
    ({"question": Q[1], "choices": ["Ann.", "Ben."], "answer": 1}, [("user", Q[1] + "\nA. Ann.\nB. Ben."), ("assistant", "B. Ben.")], []),
    ({"question": Q[1], "choices": {"text": ["Ann.", "Ben."], "label": ["1", "2"]}, "answer": "2"},
     [("user", Q[1] + "\n1. Ann.\n2. Ben."), ("assistant", "2. Ben.")], []),
    ({**SAID, "history": [[Q[1], A[1]]]}, [Q, A, Q, A], []), ({**SAID, "history": TURNS}, [Q, A, Q, A], []),
    ({"messages": [*TURNS, *TURNS[:1], {**TURNS[1], "weight": 0}]}, [Q, A, Q, (None, "Ben.")], []),
    ({"messages": [*TURNS[:1], {**TURNS[1], "train": False}, *TURNS]}, [Q, (None, "Ben."), Q, A], []),
    ({"conversations": TURNS}, [Q, A], []), ({"conversation": TURNS}, [Q, A], []), ({"turns": TURNS}, [Q, A], []),
    ({"messages": json.dumps(TURNS)}, [Q, A], []), (TURNS, [Q, A], []),
    ({"dialog": [Q[1], A[1]]}, [Q, A], []), ({"dialogue": [Q[1], A[1]], "emotion": [0, 0]}, [Q, A], ["emotion"]),
    ({"prompt": TURNS[:1], "completion": TURNS[1:]}, [Q, A], []),
    ({"prompt": TURNS[:1], "chosen": TURNS[1:], "rejected": [{"role": "assistant", "content": "No."}]}, [Q, A], []),
    ({"prompt": Q[1], "chosen": TURNS, "rejected": TURNS[:1]}, [Q, A], []),
    ({"instruction": Q[1], "input": "", "chosen": A[1], "rejected": "No."}, [Q, A], []),
    ({"query": Q[1], "response": A[1]}, [Q, A], []), ({"input": Q[1], "output": A[1]}, [Q, A], []),
    ({"prompt": Q[1], "answer": A[1]}, [Q, A], []), ({"prompt": Q[1], "output": A[1]}, [Q, A], []),
    ({"problem": Q[1], "solution": A[1]}, [Q, A], []), ({"instruction": Q[1], "answer": A[1]}, [Q, A], []),
    ({"messages": [TURNS[0], {"role": "assistant", "content": None, "function_call": {"name": "f"}}, *TURNS]},
     [Q, ("assistant", '{"name": "f"}'), Q, A], []),
    ({"messages": [TURNS[0], {"role": "assistant", "content": None, "tool_calls": [{"id": 1}]}]}, [Q, ("assistant", '[{"id": 1}]')], []),
    ({"system": "Be kind.", "instruction": "Add", "input": "1 2", "output": "3"},
     [("system", "Be kind."), ("user", "Add\n1 2"), ("assistant", "3")], []),
    ({"conversations": [{"from": who, "value": who} for who in ("human", "function_call", "observation", "gpt")]},
     [("user", "human"), ("assistant", "function_call"), ("user", "observation"), ("assistant", "gpt")], [])]


@pytest.mark.parametrize("record, meant, unused", MEANT)
def test_all_that_a_record_says_is_used_or_named_as_unused_and_what_is_not_to_be_learned_is_not(tokenizer, record, meant, unused):
    seen: dict = {}
    sample = formats.to_sample(json.dumps(record), "auto", "text", seen)
    assert [(m["role"] if m.get("supervised", True) else None, m["content"]) for m in sample["messages"]] == meant
    assert list(seen["unused"]) == unused
    dropped = formats.to_sample(record)  # as by default
    assert dropped == ("tool turns" if re.search("function_call|tool_calls", json.dumps(record)) else sample)
    ids, mask = tokenizer.render(clean.clean(sample, {"repeated_role": False})[0])
    learned = tokenizer.decode([i for i, on in zip(ids, mask) if on and i not in tokenizer.end_ids])
    assert learned == "".join(text for role, text in meant if role == "assistant")


MARKED = ["<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello<|im_end|>", "<s>[INST] Hi [/INST] Hello</s>",
          "A chat. USER: Hi ASSISTANT: Hello</s>", "### Human: Hi\n### Assistant: Hello", "### Instruction:\nHi\n\n### Response:\nHello",
          "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\nHello"]


@pytest.mark.parametrize("record, reason", [
    *(({"text": text}, "a conversation in one text, marked by") for text in MARKED),
    *((left, "nothing is called") for left in ({"instruction": "a", "text": "x"}, {"completion": "a", "text": "x"})),
    ({"message_id": "1", "parent_id": None, "role": "prompter", "text": "Hi"}, "one message of a conversation that is spread over lines"),
    ({"messages": TURNS, "label": 0}, "rejected answer"), ({"messages": TURNS, "loss": False}, "not to be trained on"),
    ({"text": "x", "weight": 0}, "not to be trained on")])
def test_what_nobody_means_to_be_learned_is_left_out_and_said(record, reason):
    found = formats.to_sample(record)
    assert isinstance(found, str) and found.startswith(reason)
    if "marked" in reason:
        assert isinstance(found, formats.Bad) and formats.to_sample(record, "text") == record


def test_what_was_understood_and_what_not_is_told_by_source_and_a_source_out_of_place_in_a_warning(tmp_path, tokenizer_folder):
    rows = {"a.jsonl": [{"Frage": f"{i}?", "Antwort": "Yes.", "topic": "x" * 99 if i else None} for i in range(3)],
            "b.jsonl": [{"text": f"A story, number {i}."} for i in range(3)]}
    for name, records in rows.items():
        (tmp_path / name).write_text("".join(json.dumps(record) + "\n" for record in records))
    columns = {"Frage": "question", "Antwort": "answer"}
    sources = [source(path="a.jsonl", columns=columns), source(path="b.jsonl"), source(demo="conversations", count=50)]
    _, said = prepared(tmp_path, *sources, validation_fraction=0.0, tokenizer=tokenizer_folder)
    assert f"  a.jsonl: 3 of 3 kept; 3 prompt_completion; not used: topic ('{'x' * 60}')" in said
    assert "  b.jsonl: 3 of 3 kept; 3 text\n" in said
    assert said.endswith("WARNING: b.jsonl in stage sft is documents, all of which is learned; the stage is about conversations")
    assert said.count("WARNING") == 1


def test_plain_text_is_one_document_or_many_lines_and_a_long_one_is_read_in_sections_that_lose_nothing(tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_bytes("\ufeffOne.\r\nTwo.\r\n".encode())
    ((_, _, sample),) = read_source(tmp_path, "a.txt")
    assert clean.clean(sample, {})[0] == {"text": "One.\nTwo."}
    assert [s["text"] for _, _, s in read_source(tmp_path, "a.txt", format="lines")] == ["One.", "Two."]
    monkeypatch.setattr(reading, "SECTION", 100)
    lines = [f"line {i}" if i % 5 else "" for i in range(1, 200)]
    (tmp_path / "a.txt").write_text("\n".join(lines) + "\n")
    found = read_source(tmp_path, "a.txt")
    assert len(found) > 5 and "\n".join(s["text"] for *_, s in found) == "\n".join(lines)
    assert all(s["text"].split("\n")[0] == lines[line - 1] for _, line, s in found)


@pytest.mark.parametrize("block", [1, 7, 2**20])
def test_a_json_array_is_read_as_a_stream_with_the_lines_of_its_records(tmp_path, monkeypatch, block):
    records = [{"text": f"{i} \u4f60\U0001f600\\\"]"} for i in range(50)]
    (tmp_path / "x.json").write_text(json.dumps(records, indent=2, ensure_ascii=False), encoding="utf-8")
    blocks = reading.blocks_of
    monkeypatch.setattr(reading, "blocks_of", lambda *a: (text[i:i + block] for text in blocks(*a) for i in range(0, len(text), block)))
    found = read_source(tmp_path, "x.json")
    assert [s for *_, s in found] == records and [line for _, line, _ in found] == [2 + 3 * i for i in range(50)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "latin-1"])
@pytest.mark.parametrize("name", ["x.jsonl", "x.json", "x.txt", "x.jsonl.gz"])
def test_encodings_are_read_when_named_and_a_wrong_one_gives_the_byte(tmp_path, encoding, name):
    text = "Gr\u00fc\u00dfe" if encoding == "latin-1" else "\u4f60\u597d\uff0c\u4e16\u754c"
    written = json.dumps([{"text": text}] if name == "x.json" else {"text": text}, ensure_ascii=False)
    raw = ((text if name == "x.txt" else written) + "\r\n").encode(encoding)
    (tmp_path / name).write_bytes(gzip.compress(raw) if name.endswith("gz") else raw)
    named = encoding.removesuffix("-sig")
    assert [s["text"].strip() for *_, s in read_source(tmp_path, name, encoding=named)] == [text]
    if named != "utf-8":
        at = raw.index(text.encode(encoding)) + (2 if encoding == "latin-1" else 0)
        try:
            ((_, _, reason),) = read_source(tmp_path, name)
        except ValueError as error:
            reason = str(error)
        assert f"not utf-8 at byte {at}:" in reason and "gb18030" in reason


@pytest.mark.parametrize("record, reason, bad", [
    ({"messages": [{"role": "witch", "content": "x"}]}, "role 'witch'", True), ({"messages": [{"content": "x"}]}, "nothing is called role", True),
    ({"messages": [{"role": "user", "content": 5}]}, "a turn that is not text", True),
    ({"messages": [{"role": "user", "content": None}]}, "a turn that is not text", True), ({"text": ["x"]}, "not text", True),
    ({"messages": MESSAGES, "label": False}, "rejected answer", False), ({"prompt": "a", "rejected": "b"}, "rejected answer", False),
    ({"question": "a"}, "no known format has just the keys ['question']: a question takes an answer", True), ([1], "not a record of the format messages", True), (1, "not a JSON object", True), ("{", "column 2", True),
    ("[" * 100_000, "nested", True), ("1" * 5000, "", True), ({"messages": 5}, "not a record of the format messages", True)])
def test_what_is_no_conversation_is_left_out_with_its_reason(record, reason, bad):
    found = formats.to_sample(record)
    assert isinstance(found, str) and reason in found and isinstance(found, formats.Bad) == bad


@pytest.mark.parametrize("name, content, message", [
    ("x.json", b"[1,\n2", r"x.json:2: broken JSON at column 2: the file ends too early"), ("x.txt", b"", "x.txt is empty"),
    ("x.json", b'[{"text": "a"},\n {"text": "b" "c"}]', r"x.json:2: broken JSON at column 15"),
    ("x.json", b'[{"text": "a"}] x', r"x.json:1: broken JSON at column 17: more after the end"),
    ("x.json", b"[" * 100_000, "x.json:1: broken JSON"), ("x.txt", codecs.BOM_UTF16_LE + b"a\0", "UTF-16"),
    ("x.jsonl.gz", gzip.compress(b"{}" * 100, mtime=0)[:-9], "cannot be read: Compressed file ended"), ("no.txt", None, "no such file")])
def test_unreadable_files_are_named_with_their_line(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_source(tmp_path, name)


def test_a_folder_without_readable_files_is_an_error_and_a_glob_finds_all(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "x.png").write_bytes(b"x")
    with pytest.raises(ValueError, match="no .json, .jsonl"):
        read_source(tmp_path, "sub")
    for i in range(3):
        (tmp_path / "sub" / f"{i}.txt").write_text(f"text {i}")
    wanted = [{"text": f"text {i}"} for i in range(3)]
    assert [s for *_, s in read_source(tmp_path, "sub")] == [s for *_, s in read_source(tmp_path, "s*/*.txt")] == wanted
    assert [s for *_, s in read_source(tmp_path, "sub", limit=2)] == wanted[:2]


def test_a_line_of_100_megabytes_is_one_bad_record(tmp_path):
    (tmp_path / "x.jsonl").write_bytes(b'{"text": "a"}\n{"text": "' + b"x" * 100_000_000 + b'"}\n{"text": "b"}\n')
    found = read_source(tmp_path, "x.jsonl")
    assert [line for _, line, _ in found] == [1, 2, 3] and found[0][2] == {"text": "a"} and found[2][2] == {"text": "b"}
    assert found[1][2].startswith("a line of 100,000,013 bytes") and isinstance(found[1][2], formats.Bad)


SPELLED = ["<|assistant|>", "\uff1c|user|\uff1e", "<|\u200bend|>", "<s>", "</s>", "<pad>", "<0x41>", "\u2581", "<|assist"]
NASTY = ["\0", " \nx" + " " * 50_000 + "x", "\ufeff", "\u200b", " " * 50_000, "\n" * 50_000, "`" * 20_001, "&amp;" * 5000, "<div" * 5000,
         "&#55296;", "\u202e", "\ufffd", "Instruction:\n" * 2000, "\t \u3000" * 20_000, "***", "_" * 9999, *SPELLED]


def mutated(record: dict, draw: random.Random) -> bytes:
    """A record with something wrong in its values, its structure or its bytes, or with nothing wrong."""
    def change(value):
        if isinstance(value, dict):
            return {k: change(v) for k, v in value.items() if draw.random() > 0.02}
        if isinstance(value, list):
            items = [change(v) for v in value if draw.random() > 0.03]
            return items[::-1] if draw.random() < 0.05 else items
        kind = draw.random()
        if kind < 0.02:
            return draw.choice([None, 5, [], {}, True, 1e308, [["a"]], "\ud800"])
        if kind < 0.08 and isinstance(value, str):
            at = draw.randrange(len(value) + 1)
            return value[:at] + draw.choice(NASTY) + value[at:]
        return value

    raw = bytearray(json.dumps(change(record), ensure_ascii=draw.random() < 0.5).encode("utf-8", "surrogatepass"))
    for _ in range(draw.choice((0, 0, 0, 1, 3))):
        at = draw.randrange(len(raw) + 1)
        raw[at:at + draw.randrange(3)] = bytes(draw.randrange(256) for _ in range(draw.randrange(3)))
    return bytes(raw).replace(b"\n", b" ")


def test_ten_thousand_mutated_records_neither_crash_nor_hang_nor_supervise_a_wrong_token(tmp_path, tokenizer):
    draw = random.Random(0)
    records = [*RECORDS.values(), *(record for record, said, _ in MEANT if (None, "Ben.") not in said and "text" not in record)]
    lines = [mutated(draw.choice(records), draw) for _ in range(10_000)]
    (tmp_path / "x.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    roles = {i: name for name, i in tokenizer.role_ids.items()}
    fine = {tokenizer.bos_id, tokenizer.template.end_id, *roles}
    strange = {i for i in range(len(tokenizer)) if tokenizer.pieces.is_control(i)} - fine
    kept, slowest, begun = 0, 0, time.perf_counter()
    for _, line, sample in formats.read(source(path="x.jsonl"), str(tmp_path)):
        if isinstance(sample, dict) and (sample := clean.clean(sample, {})[0]):
            kept += 1
            gather._folded(sample)
            pieces = tokenizer.windows(sample, 512)[0]
            for ids, mask in pieces:
                assert len(ids) == len(mask) <= 512 and any(mask) and not mask[0], line
                role = None
                for token, supervised in zip(ids, mask):
                    role = roles.get(token, role)
                    assert token not in strange, line
                    wanted = role == "assistant" and token not in roles and token != tokenizer.bos_id
                    assert supervised == wanted or not supervised and len(pieces) > 1, line
        slowest, begun = max(slowest, time.perf_counter() - begun), time.perf_counter()
    assert kept > 3000 and slowest < 2


@pytest.mark.parametrize("text", SPELLED)
def test_text_that_spells_a_marker_stays_text(tokenizer, text):
    halves = [{"role": "user", "content": "a" + text[:3]}, {"role": "assistant", "content": text[3:] + "b" + text}]
    roles, end = tokenizer.role_ids, tokenizer.template.end_id
    controls = [i for i in tokenizer.render({"messages": halves})[0] if tokenizer.pieces.is_control(i)]
    assert controls == [tokenizer.bos_id, roles["user"], end, roles["assistant"], end]


@pytest.mark.parametrize("bad, of, strict, stops", [(1, 100, False, False), (2, 100, False, True), (1, 100, True, True), (30, 100, False, True)])
def test_more_than_one_percent_of_bad_records_stops_with_the_first_ten(tmp_path, bad, of, strict, stops):
    lines = [json.dumps({"prompt": f"Question {i}?", "completion": f"Answer {i}."}) for i in range(of)]
    lines[5:5 + bad] = ['{"prompt": '] * bad
    (tmp_path / "x.jsonl").write_text("\n".join(lines))
    stage = {"name": "sft", "data": [source(path="x.jsonl")], "validation": []}
    options = {**DEFAULTS["data"], "data_root": str(tmp_path), "strict": strict}
    if not stops:
        counts = data.collect(stage, options, str(tmp_path))["sources"]["x.jsonl"]
        assert counts["bad"] == bad and counts["kept"] == of - bad
        assert counts["dropped"]["bad: broken JSON at column 12: Expecting value"]["examples"][0][0] == "x.jsonl:6"
        return
    with pytest.raises(ValueError, match=f"x.jsonl: {bad} of {of} records are bad") as error:
        data.collect(stage, options, str(tmp_path))
    listed = [line.split(":")[1] for line in str(error.value).split("\n")[1:]]
    assert listed == [str(6 + i) for i in range(1 if strict else min(10, bad))]


def test_a_source_with_nothing_usable_is_an_error_that_says_why(tmp_path):
    (tmp_path / "x.jsonl").write_text(json.dumps({"prompt": "Hi", "completion": "Hello"}) + "\n")
    (tmp_path / "y.jsonl").write_text(json.dumps({"prompt": "Hi", "completion": " "}) + "\n")
    stage = {"name": "sft", "data": [source(path="x.jsonl"), source(path="y.jsonl")], "validation": []}
    with pytest.raises(ValueError, match="nothing of the source y.jsonl is usable: 1 no answer"):
        data.collect(stage, {**DEFAULTS["data"], "data_root": str(tmp_path), "validation_fraction": 0.0}, str(tmp_path))
