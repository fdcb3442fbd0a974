"""Figures of an evaluation as text: tables, two models side by side, answers to read."""

import os

import numpy as np

from zerochat.evaluation.metrics import bootstrap, ratio_interval
from zerochat.files import write_atomic, write_json
from zerochat.text import markdown

LIKELIHOOD = {"tokens": "", "bytes": "", "loss": ".4f", "perplexity": ".3f"}  # figure -> how it is written
ANSWERS = {"exact": ".1%", "token_f1": ".3f", "rouge_l": ".3f"}
MANNERS = {"ended": ".1%", "distinct_1": ".3f", "distinct_2": ".3f", "repetition": ".1%", "length_ratio": ".2f"}


def _written(figures: dict, columns: dict[str, str]) -> list[str]:
    return [format(figures[key], how) for key, how in columns.items()]


def _within(figures: dict, key: str, how: str = ".1%") -> str:
    low, high = figures[f"{key}_interval"]
    return f"{figures[key]:{how}} [{low:{how}}, {high:{how}}]"


def table(figures: dict) -> str:
    """The figures of `evaluate.evaluate` as Markdown."""
    lines, rows = [], []
    loss = f"{figures['loss']:.4f} nats per token, perplexity {figures['perplexity']:.3f}"
    bits = f"{figures['bits_per_byte']:.4f} bits per byte"
    lines += [f"{figures['conversations']} held-out conversations: loss {loss}, {bits}", ""]
    for name, g in figures["likelihood"].items():
        rows.append([name, *_written(g, LIKELIHOOD), _within(g, "bits_per_byte", ".4f")])
    lines += markdown("reference answers | tokens | bytes | loss | perplexity | bits per byte [95%]", rows)
    rows, overlap = [], any("bleu" in group for group in figures["groups"].values())
    for name, g in figures["groups"].items():
        bleu = [f"{g['bleu']:.1f} ({g['bleu_tokenisation']})", f"{g['chrf']:.1f}"] if "bleu" in g else ["-", "-"]
        first = [name, str(g["turns"]), _within(g, "correct"), *_written(g, ANSWERS)]
        rows.append([*first, *(bleu if overlap else []), *_written(g, MANNERS)])
    head = "group | turns | correct [95%] | exact | token F1 | ROUGE-L"
    head += " | BLEU (tokenisation) | chrF" if overlap else ""
    head += " | ended | distinct-1 | distinct-2 | repeated 4-grams | length ratio"
    lines += ["", *markdown(head, rows)]
    return "\n".join(lines)


def compare(one: dict, other: dict) -> dict:
    """Two models' figures on the same conversations, the intervals of their differences (other - one), and how many
    turns only one got right. Both are drawn the same conversations (paired bootstrap): what both find hard cancels."""
    theirs = {(turn["conversation"], turn["message"]): turn for turn in other["turns"]}
    keys = [(turn["conversation"], turn["message"]) for turn in one["turns"]]
    pairs = [(turn, theirs[key]) for turn, key in zip(one["turns"], keys) if key in theirs]
    rows, n, units = {}, len(pairs), [turn["conversation"] for turn, _ in pairs]
    for name in ("correct", "exact", "token_f1", "rouge_l", "ended"):
        a, b = ([float(pair[side][name]) for pair in pairs] for side in (0, 1))
        rows[name] = (sum(a) / n, sum(b) / n, ratio_interval([y - x for x, y in zip(a, b)], [1] * n, units))
    a, b = (np.array(figures["likelihood"]["all"]["by_conversation"]).T for figures in (one, other))

    def difference(counts: np.ndarray) -> np.ndarray:
        return counts @ b[0] / (counts @ b[1]) - counts @ a[0] / (counts @ a[1])

    rows["bits_per_byte"] = (one["bits_per_byte"], other["bits_per_byte"], bootstrap(difference, len(a[0])))
    won, lost = (sum(a["correct"] == side and b["correct"] != side for a, b in pairs) for side in (False, True))
    return {"rows": rows, "turns": n, "won": won, "lost": lost}


def comparison(compared: dict, names: tuple[str, str]) -> str:
    """Two models side by side as Markdown."""
    rows = []
    for name, (a, b, (low, high)) in compared["rows"].items():
        difference = f"{b - a:+.4f} [{low:+.4f}, {high:+.4f}]"
        rows.append([name.replace("_", " "), f"{a:.4f}", f"{b:.4f}", difference])
    lines = markdown(f" | {names[0]} | {names[1]} | difference, paired [95%]", rows)
    alone = f"{names[1]} alone is right {compared['won']} times, {names[0]} alone {compared['lost']} times"
    return "\n".join([f"{compared['turns']} turns answered by both", "", *lines, "", alone])


def section(title: str, turns: list[dict], most: int) -> list[str]:
    """Questions, answers and references to read, as Markdown."""
    lines = [f"## {title} ({len(turns)})", ""]
    for turn in turns[:most]:
        asked = [f"> **{m['role']}**: {m['content']}  " for m in turn["history"]]
        allowed = f" (or any text with {turn['check']['contains']})" if turn["check"] else ""
        expected = f"expected: {turn['reference']}{allowed}"
        lines += [*asked, "", f"answer: {turn['answer']}  ", expected, ""]
    return lines


def write_report(folder: str, lines: list[str], figures: dict) -> None:
    """report.md to read and, last, report.json with everything."""
    os.makedirs(folder, exist_ok=True)
    write_atomic(os.path.join(folder, "report.md"), "\n".join(lines) + "\n")
    write_json(os.path.join(folder, "report.json"), figures)
