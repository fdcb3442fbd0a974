"""Two models side by side."""

from zerochat.evaluation import tables


def turns_of(*correct):
    base = {"exact": False, "token_f1": 0.5, "rouge_l": 0.5, "ended": True}
    return [{**base, "correct": right, "conversation": i, "message": 1} for i, right in enumerate(correct)]


def test_a_comparison_pairs_the_turns_and_lists_what_only_one_got_right():
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
