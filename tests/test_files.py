"""Files whole or not at all; text that may reach a terminal; tables."""

import os
import unicodedata

import pytest
from tiny import refuses

from zerochat import files
from zerochat.files import content_hash, known_hash, read_json, write_atomic
from zerochat.text import markdown, mend, mended, printable


def test_a_file_is_replaced_whole_and_an_error_leaves_the_old_one(tmp_path):
    path = str(tmp_path / "a.txt")
    write_atomic(path, "old")

    def half(part):
        with open(part, "w") as file:
            file.write("ne")
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        write_atomic(path, half)
    assert open(path).read() == "old" and os.listdir(tmp_path) == ["a.txt"]
    write_atomic(path, lambda part: open(part, "w").write("by a function"))
    assert open(path).read() == "by a function"
    write_atomic(path, b"\x00\xff")
    assert open(path, "rb").read() == b"\x00\xff" and os.listdir(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("text", ["", "{", "[1]", "\0"])
def test_a_file_without_a_json_object_is_named(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    refuses("a.json: (not JSON|should be a JSON object)", read_json, str(tmp_path / "a.json"))


def test_the_hash_of_a_large_file_is_remembered_until_the_file_is_another(tmp_path, monkeypatch):
    path, read = tmp_path / "a", []
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(files, "content_hash", lambda path: read.append(path) or content_hash(path))
    monkeypatch.setattr(files, "LARGE", 3)
    monkeypatch.setattr(files.time, "time_ns", lambda: os.stat(path).st_ctime_ns + 10**10)  # ten seconds later
    for count, content in ((1, b"abc"), (2, b"xyz"), (3, b"abc")):
        path.write_bytes(content)
        os.utime(path, ns=(1, 1))  # size and time alone say nothing
        assert known_hash(str(path)) == known_hash(str(path)) == content_hash(str(path)) and len(read) == count
    monkeypatch.setattr(files.time, "time_ns", lambda: os.stat(path).st_ctime_ns)  # it may be written again right now
    path.write_bytes(b"abd")
    assert known_hash(str(path)) == known_hash(str(path)) == content_hash(str(path)) and len(read) == 5
    (tmp_path / "cache" / "zerochat" / "hashes.json").write_text("half a")
    assert known_hash(str(path)) == content_hash(str(path))


def test_control_characters_go_or_are_shown():
    text = "a\x1b[31mb\tc\nd\x9b\u200be"
    assert printable(text) == "a[31mb\tc\nd\u200be", "a zero-width space is no danger, and emoji need its like"
    assert printable("a\x1b[2Jb\x07\nc\td\x9b") == "a[2Jb\nc\td" and printable(text, "�") == "a�[31mb\tc\nd��e"


@pytest.mark.parametrize("typed, shown", [
    ("What is\u00a0the capital?", "What is the capital?"), ("\u3000你好\u3000世界\u3000", "你好 世界"), ("a\u2003b\u202fc", "a b c"),
    ("one\r\ntwo\rthree\u2028four\u2029five", "one\ntwo\nthree\nfour\nfive"), ("a \t\nb\n\n\n\nc ", "a\nb\n\nc"),
    ("in\u200bvis\ufeffib\u00adle\x00\x1b", "invisible"), ("\ud83d\ude00 \ud83d!", "😀 !"), ("\u200b", ""),
    ("👨\u200d👩\u200d👧 نمی\u200cخواهم", "👨\u200d👩\u200d👧 نمی\u200cخواهم"), ("plain\ttext\n\nof two", "plain\ttext\n\nof two")])
def test_what_training_never_shows_is_mended_and_all_else_stays(typed, shown):
    assert mend(typed) == shown == mend(shown)


def test_every_blank_and_control_character_of_unicode_is_thought_of():
    for code in range(0x110000):
        left = mend(f"a{chr(code)}b")
        assert unicodedata.category(chr(code)) not in ("Zs", "Zl", "Zp", "Cc", "Cs") or left in ("a b", "a\nb", "a\tb", "ab"), hex(code)


def test_a_conversation_takes_the_shape_that_training_has():
    s, u, a = ({"role": role} for role in ("system", "user", "assistant"))
    said = [{**u, "content": "Hi\u00a0"}, {**s, "content": "Be kind."}, {**u, "content": "there"}, {**a, "content": "Hello\r\n"},
            {**s, "content": "Be brief."}, {**u, "content": ""}, {**u, "content": "Bye"}]
    assert mended(said) == [{**s, "content": "Be kind.\nBe brief."}, {**u, "content": "Hi\nthere"}, {**a, "content": "Hello"},
                            {**u, "content": "Bye"}]
    assert mended(mended(said)) == mended(said)


def test_a_table_has_its_first_column_left_and_the_others_right_unless_told():
    assert markdown("a | b | c", [["x", "1", "2"]]) == ["| a | b | c |", "|---|---:|---:|", "| x | 1 | 2 |"]
    assert markdown("a | b", [], "rl") == ["| a | b |", "|---:|---|"] and markdown(" | a", [("x", "y")])[0] == "|  | a |"
