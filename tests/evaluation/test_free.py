"""Which freely typed turns fit, and what a chat file must look like."""

import pytest

from zerochat.evaluation import free


def turn(answer, expect, lang="en", asked="who rules Zorb?"):
    return {"answer": answer, "expect": expect, "lang": lang, "history": [{"role": "user", "content": asked}]}


def test_a_refusal_fits_outside_alone_and_a_report_counts_what_fits_beside_what_needs_no_model():
    refusal, name = "I am sorry, I do not know that.", {"pattern": "(?i)sorry|zorb"}
    assert free.fits(refusal, "outside") and not free.fits(refusal, name) and free.fits("It is Zorb.", name)
    assert free.fits("Yes.", {"exact": "Yes."}) and not free.fits("Yes", {"exact": "Yes."}) and not free.fits("Yes.", "outside")
    turns = [turn(refusal, "outside"), turn("Zorb is.", name), turn("Zorb is", name), turn("Hm.", name)]
    head, _, row, *missed = free.report(turns, {"is", "i", "am", "sorry", "do", "not", "know", "that"} | set(".,"))
    assert row.split(" | ")[:4] == ["| en", "4", "75.0%", "25.0%"] and row.endswith("50.0% |")
    assert missed == ["", "en: who rules Zorb? -> Hm."]


def test_a_well_formed_answer_has_known_words_its_languages_script_and_an_end():
    known = set("it is 。我不懂.") | {"it", "is"}
    said = [("It is Zorb.", "en"), ("It is Zorbs.", "en"), ("It is", "en"), ("我不懂。", "zh"), ("我不懂。", "en"), ("It is.", "zh")]
    assert [free.whole(turn(answer, "outside", lang), known) for answer, lang in said] == [True, False, False, True, False, False]


@pytest.mark.parametrize("line", ["{", "[]", '{"lang": "en"}', '{"lang": "en", "turns": [{"user": "a", "expect": {"pattern": "("}}]}'])
def test_a_file_that_is_no_chats_is_refused_with_its_line(tmp_path, line):
    (tmp_path / "free.jsonl").write_text('{"lang": "en", "turns": [{"user": "a", "expect": "outside"}]}\n' + line)
    with pytest.raises(ValueError, match="free.jsonl:2: not a chat of the form"):
        free.read(str(tmp_path / "free.jsonl"))
