"""Files whole or not at all; text that may reach a terminal; tables."""

import os

import pytest

from zerochat.files import content_hash, read_json, write_atomic, write_json
from zerochat.text import markdown, printable


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


def test_json_comes_back_as_it_went_in_and_where_there_is_no_file_is_nothing(tmp_path):
    path = str(tmp_path / "a.json")
    assert read_json(path) == {}
    write_json(path, {"名": [1, None, "é"]})
    assert read_json(path) == {"名": [1, None, "é"]} and "名" in open(path, encoding="utf-8").read()


def test_a_hash_is_sha256_of_the_bytes(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-4, example 1
    assert content_hash(str(tmp_path / "a")) == content_hash(str(tmp_path / "a"), sync=True) == known


def test_control_characters_go_or_are_shown():
    text = "a\x1b[31mb\tc\nd\x9b\u200be"
    assert printable(text) == "a[31mb\tc\nd\u200be", "a zero-width space is no danger, and emoji need its like"
    assert printable(text, "�") == "a�[31mb\tc\nd��e"


def test_a_table_has_its_first_column_left_and_the_others_right_unless_told():
    assert markdown("a | b | c", [["x", "1", "2"]]) == ["| a | b | c |", "|---|---:|---:|", "| x | 1 | 2 |"]
    assert markdown("a | b", [], "rl") == ["| a | b |", "|---:|---|"]
    assert markdown(" | a", [("x", "y")])[0] == "|  | a |"
