"""Multiple-choice questions as files, and two models side by side."""

import pytest

from zerochat.evaluation import tables
from zerochat.evaluation.choices import read_choices


@pytest.mark.parametrize("line", [
    "not json", "[]", '{"question": "q"}', '{"question": "q", "choices": ["a"], "answer": 0}',
    '{"question": "q", "choices": ["a", "b"], "answer": 2}', '{"question": "q", "choices": ["a", "b"], "answer": "c"}',
    '{"question": "q", "choices": "ab", "answer": "a"}', '{"question": "q", "choices": ["a", "b"], "answer": true}'])
def test_a_line_that_is_no_question_is_named(tmp_path, line):
    path = tmp_path / "q.jsonl"
    path.write_text('{"question": "q", "choices": ["a", "b"], "answer": 1}\n\n' + line + "\n")
    with pytest.raises(ValueError, match=r"q\.jsonl, line 3: should be \{\"question\""):
        read_choices(str(path))


def test_a_comparison_pairs_the_turns_and_lists_what_only_one_got_right():
    def turns_of(*correct):
        base = {"exact": False, "token_f1": 0.5, "rouge_l": 0.5, "ended": True}
        return [{**base, "correct": right, "conversation": i, "message": 1} for i, right in enumerate(correct)]

    likelihood = {"all": {"by_conversation": [[8.0, 4]] * 4}}
    better = {"all": {"by_conversation": [[6.0, 4], [4.0, 4], [6.0, 4], [4.0, 4]]}}
    one = {"turns": turns_of(True, False, False, True), "likelihood": likelihood, "bits_per_byte": 2.0}
    other = {"turns": turns_of(True, True, True, False)[::-1], "likelihood": better, "bits_per_byte": 1.25}
    compared = tables.compare(one, other)
    assert [a["conversation"] for a, _ in compared["won"]] == [1, 2]
    assert [a["conversation"] for a, _ in compared["lost"]] == [3]
    assert compared["rows"]["correct"][:2] == (0.5, 0.75)
    low, high = compared["rows"]["bits_per_byte"][2]
    assert -1 <= low < -0.75 < high <= -0.5
    text = tables.comparison(compared, ("A", "B"))
    assert "| correct | 0.5000 | 0.7500 | +0.2500 [" in text and "B alone is right 2 times, A alone 1 times" in text
