"""Multiple-choice questions as files."""

import pytest

from zerochat.evaluation.choices import read_choices


@pytest.mark.parametrize("line", ["not json", "[]", '{"question": "q"}',
                                  '{"question": "q", "choices": ["a"], "answer": 0}',
                                  '{"question": "q", "choices": ["a", "b"], "answer": 2}',
                                  '{"question": "q", "choices": ["a", "b"], "answer": "c"}',
                                  '{"question": "q", "choices": "ab", "answer": "a"}',
                                  '{"question": "q", "choices": ["a", "b"], "answer": true}'])
def test_a_line_that_is_no_question_is_named(tmp_path, line):
    path = tmp_path / "q.jsonl"
    path.write_text('{"question": "q", "choices": ["a", "b"], "answer": 1}\n\n' + line + "\n")
    with pytest.raises(ValueError, match=r"q\.jsonl, line 3: should be \{\"question\""):
        read_choices(str(path))
