"""Metrics against hand-worked figures, brute force and other libraries; questions as files; two models side by side."""

import itertools
import math
import random

import pytest

from zerochat.evaluation import metrics, tables


def test_words_are_lower_case_each_chinese_character_is_one_and_token_f1_counts_shared_ones_as_multisets():
    assert metrics.words("It's 3:15, A世界7天！") == ["it", "'", "s", "3", ":", "15", ",", "a", "世", "界", "7", "天", "！"]
    assert metrics.is_chinese("我爱吃 pizza") and not metrics.is_chinese("I love 饺子 and tea")
    assert metrics.token_f1("the cat the cat", "the cat sat") == pytest.approx(2 * 2 / 7)
    assert metrics.token_f1("", "x") == 0 and metrics.token_f1("", "") == 1 and metrics.token_f1("你好吗", "你好") == 0.8


def test_rouge_l_is_the_f1_of_the_longest_common_subsequence():
    def longest_common(a, b):
        """By definition: the longest of all subsequences of `a` that is one of `b`."""
        def inside(part, rest):
            return all(word in rest for word in part)
        return max(n for n in range(len(a) + 1) if any(inside(part, iter(b)) for part in itertools.combinations(a, n)))

    draw = random.Random(0)
    for _ in range(60):
        a, b = ([draw.choice("abcd") for _ in range(draw.randint(1, 8))] for _ in range(2))
        assert metrics.rouge_l(" ".join(a), " ".join(b)) == pytest.approx(2 * longest_common(a, b) / (len(a) + len(b)))
    assert metrics.rouge_l("", "a") == 0


def test_distinct_and_repetition_by_hand():
    assert metrics.distinct(["a b a b", "a c"], 1) == 3 / 6
    assert metrics.distinct(["a b a b", "a c"], 2) == 3 / 4  # ab ba ab | ac
    assert metrics.repetition(["a b c d a b c d a"], 4) == pytest.approx(2 / 6)  # abcd and bcda come twice
    assert metrics.repetition(["a b c d", "a b c d", "x"], 4) == 0, "said again in another answer is no repetition"
    assert metrics.distinct([], 1) == metrics.repetition([], 4) == 0


def test_bleu_names_the_tokenisation_that_the_references_ask_for():
    pytest.importorskip("sacrebleu")
    exact = metrics.bleu_chrf(["我喜欢吃红烧豆腐。"], ["我喜欢吃红烧豆腐。"])
    assert exact["bleu_tokenisation"] == "zh" and exact["bleu"] == pytest.approx(100) == exact["chrf"]
    # By hand: precisions 4/5, 3/4, 2/3, 1/2 of "the cat sat on it" against "the cat sat on that"; equal lengths.
    figures = metrics.bleu_chrf(["the cat sat on it"], ["the cat sat on that"])
    assert figures["bleu_tokenisation"] == "13a" and figures["bleu"] == pytest.approx(100 * (4 / 5 * 3 / 4 * 2 / 3 * 1 / 2) ** 0.25)
    # Characters, not words, are the grams of `zh`: 6 of 7, 5 of 6, 4 of 5, 3 of 4.
    assert metrics.bleu_chrf(["我爱吃红烧鱼"], ["我爱吃红烧肉"])["bleu"] == pytest.approx(100 * (5 / 6 * 4 / 5 * 3 / 4 * 2 / 3) ** 0.25)


def test_the_interval_of_a_share_is_that_of_the_normal_approximation_and_units_are_conversations():
    values = [1] * 120 + [0] * 280
    low, high = metrics.ratio_interval(values, [1] * 400, range(400))
    error = 1.96 * math.sqrt(0.3 * 0.7 / 400)
    assert (low, high) == pytest.approx((0.3 - error, 0.3 + error), abs=0.006)
    tenfold = metrics.ratio_interval(values * 10, [1] * 4000, [*range(400)] * 10)
    assert tenfold == pytest.approx((low, high)), "the same turn ten times in a conversation is no more evidence"


def test_a_comparison_pairs_the_turns_and_counts_what_only_one_got_right():
    def turns_of(*correct):
        base = {"exact": False, "token_f1": 0.5, "rouge_l": 0.5, "ended": True}
        return [{**base, "correct": right, "conversation": i, "message": 1} for i, right in enumerate(correct)]

    likelihood = {"all": {"by_conversation": [[8.0, 4]] * 4}}
    better = {"all": {"by_conversation": [[6.0, 4], [4.0, 4], [6.0, 4], [4.0, 4]]}}
    one = {"turns": turns_of(True, False, False, True), "likelihood": likelihood, "bits_per_byte": 2.0}
    other = {"turns": turns_of(True, True, True, False)[::-1], "likelihood": better, "bits_per_byte": 1.25}
    compared = tables.compare(one, other)
    assert (compared["won"], compared["lost"]) == (2, 1) and compared["rows"]["correct"][:2] == (0.5, 0.75)
    low, high = compared["rows"]["bits_per_byte"][2]
    assert -1 <= low < -0.75 < high <= -0.5
    text = tables.comparison(compared, ("A", "B"))
    assert "| correct | 0.5000 | 0.7500 | +0.2500 [" in text and "B alone is right 2 times, A alone 1 times" in text
