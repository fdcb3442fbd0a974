"""Figures about answers as pure functions of text and numbers: no model, no file.

Left out on purpose: metrics that need a model of their own (BERTScore, judges)."""

import re
from collections import Counter
from collections.abc import Callable

import numpy as np

from zerochat.text import CHINESE

SIGNS = CHINESE + "\u3040-\u30ff"  # and kana
# One word of a language with spaces, or one character of one without.
WORD = re.compile(rf"[{SIGNS}\uac00-\ud7af]|[^\W_{SIGNS}\uac00-\ud7af]+|[^\w\s]")


def words(text: str) -> list[str]:
    """Lower-case words; a Chinese character counts as one: `words("Hi, 世界")` is `["hi", ",", "世", "界"]`."""
    return WORD.findall(text.lower())


def is_chinese(text: str) -> bool:
    """Whether more than half of the words are Chinese characters or kana."""
    found = [word for word in words(text) if word[0].isalnum()]
    return 2 * sum(bool(re.match(f"[{SIGNS}]", word)) for word in found) > len(found)


def token_f1(answer: str, reference: str) -> float:
    """Harmonic mean of the precision and recall of words, as multisets (Rajpurkar et al. 2016, section 6.1)."""
    a, b = words(answer), words(reference)
    if not a or not b:
        return float(a == b)
    return 2 * sum((Counter(a) & Counter(b)).values()) / (len(a) + len(b))


def rouge_l(answer: str, reference: str) -> float:
    """F1 of the longest common subsequence of words (Lin 2004, section 3, with beta 1)."""
    a, b = words(answer), words(reference)
    if not a or not b:
        return float(a == b)
    longest = [0] * (len(b) + 1)  # of the part of `a` seen so far with each beginning of `b`
    for word in a:
        diagonal = 0
        for i, other in enumerate(b, 1):
            diagonal, longest[i] = longest[i], diagonal + 1 if word == other else max(longest[i], longest[i - 1])
    return 2 * longest[-1] / (len(a) + len(b))


def _grams(text: str, n: int) -> list[tuple[str, ...]]:
    found = words(text)
    return list(zip(*(found[i:] for i in range(n))))


def distinct(answers: list[str], n: int) -> float:
    """Different n-grams of words over all n-grams, of all answers together (Li et al. 2016, section 5)."""
    grams = [gram for answer in answers for gram in _grams(answer, n)]
    return len(set(grams)) / max(1, len(grams))


def repetition(answers: list[str], n: int = 4) -> float:
    """Share of the n-grams of words that their own answer has said before (Welleck et al. 2020, seq-rep-n)."""
    grams = [_grams(answer, n) for answer in answers]
    return 1 - sum(len(set(g)) for g in grams) / max(1, sum(map(len, grams))) if any(grams) else 0.0


def bleu_chrf(answers: list[str], references: list[str]) -> dict[str, float | str]:
    """Corpus BLEU (Papineni et al. 2002), its tokenisation and chrF (Popović 2015) by sacrebleu (Post 2018), 0 to 100.
    The tokenisation is sacrebleu's `zh` where the references are Chinese, else `13a`; unnamed, BLEU says nothing."""
    import sacrebleu  # here and not above: it is in the extra `eval`, and a training run does without

    name = "zh" if is_chinese(" ".join(references)) else "13a"
    bleu = sacrebleu.corpus_bleu(answers, [references], tokenize=name, force=True).score
    return {"bleu": bleu, "bleu_tokenisation": name, "chrf": sacrebleu.corpus_chrf(answers, [references]).score}


def bootstrap(statistic: Callable[[np.ndarray], np.ndarray], units: int, resamples: int = 1000) -> tuple[float, float]:
    """A 95% percentile interval (Efron 1979) of a statistic of `units` independent units. statistic: counts [resamples,
    units], how often each unit was drawn -> [resamples]. The same number of units draws the same samples, so two models
    on the same data are compared in pairs."""
    counts = np.random.default_rng(0).multinomial(units, np.full(units, 1 / units), size=resamples)
    low, high = np.percentile(statistic(counts), (2.5, 97.5))
    return float(low), float(high)


def ratio_interval(tops, bottoms, units) -> tuple[float, float]:
    """The interval of sum(tops) / sum(bottoms), whose terms belong to these units (the conversations): turns of
    one conversation share their fate, so it is conversations that are drawn."""
    names = {unit: i for i, unit in enumerate(dict.fromkeys(units))}
    rows = np.array([names[unit] for unit in units])
    top, bottom = (np.bincount(rows, np.asarray(values, dtype=float)) for values in (tops, bottoms))
    return bootstrap(lambda counts: (counts @ top) / np.maximum(counts @ bottom, 1e-9), len(names))
