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
    """The figures of `evaluate.evaluate`, and of `choices.multiple_choice` under "choices", as Markdown."""
    lines, rows = [], []
    if "groups" in figures:
        loss = f"{figures['loss']:.4f} nats per token, perplexity {figures['perplexity']:.3f}"
        bits = f"{figures['bits_per_byte']:.4f} bits per byte"
        lines += [f"{figures['conversations']} held-out conversations: loss {loss}, {bits}", ""]
        for name, g in figures["likelihood"].items():
            rows.append([name, *_written(g, LIKELIHOOD), _within(g, "bits_per_byte", ".4f")])
        lines += markdown("reference answers | tokens | bytes | loss | perplexity | bits per byte [95%]", rows)
        if unfit := figures["unfit"]:
            lines += ["", f"not asked, for want of room in the context: {len(unfit)} ({', '.join(unfit[:5])})"]
        rows, overlap = [], any("bleu" in group for group in figures["groups"].values())
        for name, g in figures["groups"].items():
            bleu = [f"{g['bleu']:.1f} ({g['bleu_tokenisation']})", f"{g['chrf']:.1f}"] if "bleu" in g else ["-", "-"]
            first = [name, str(g["turns"]), _within(g, "correct"), *_written(g, ANSWERS)]
            rows.append([*first, *(bleu if overlap else []), *_written(g, MANNERS)])
        head = "group | turns | correct [95%] | exact | token F1 | ROUGE-L"
        head += " | BLEU (tokenisation) | chrF" if overlap else ""
        head += " | ended | distinct-1 | distinct-2 | repeated 4-grams | length ratio"
        lines += ["", *markdown(head, rows)]
    if choices := figures.get("choices"):
        head, rows = "multiple choice | questions | by chance | accuracy [95%] | accuracy per byte [95%]", []
        for name, g in choices.items():
            right = [_within(g, "accuracy"), _within(g, "accuracy_per_byte")]
            rows.append([name, str(g["questions"]), f"{g['chance']:.1%}", *right])
        lines += ["", *markdown(head, rows)]
    return "\n".join(lines)


def compare(one: dict, other: dict) -> dict:
    """Two models' figures on the same conversations, the intervals of their differences (other - one), and the turns
    that only one of them got right. Intervals are paired: both models are drawn the same conversations, so what is hard
    for both cancels out."""
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
    won = [pair for pair in pairs if pair[1]["correct"] and not pair[0]["correct"]]
    lost = [pair for pair in pairs if pair[0]["correct"] and not pair[1]["correct"]]
    return {"rows": rows, "turns": n, "won": won, "lost": lost}


def comparison(compared: dict, names: tuple[str, str]) -> str:
    """Two models side by side as Markdown."""
    rows = []
    for name, (a, b, (low, high)) in compared["rows"].items():
        difference = f"{b - a:+.4f} [{low:+.4f}, {high:+.4f}]"
        rows.append([name.replace("_", " "), f"{a:.4f}", f"{b:.4f}", difference])
    lines = markdown(f" | {names[0]} | {names[1]} | difference, paired [95%]", rows)
    won, lost = len(compared["won"]), len(compared["lost"])
    alone = f"{names[1]} alone is right {won} times, {names[0]} alone {lost} times"
    return "\n".join([f"{compared['turns']} turns answered by both", "", *lines, "", alone])


def transcripts(turns: list[dict], most: int, others=(), names: tuple = ("answer",)) -> str:
    """Questions, answers and references to read, as Markdown; others: another model's turns, the same questions."""
    texts = []
    for turn, *other in list(zip(turns, others) if others else zip(turns))[:most]:
        asked = [f"> **{m['role']}**: {m['content']}  " for m in turn["history"]]
        answers = [f"{name}: {answered['answer']}  " for name, answered in zip(names, [turn, *other])]
        allowed = f" (or any text with {turn['check']['contains']})" if turn["check"] else ""
        texts.append("\n".join([*asked, "", *answers, f"expected: {turn['reference']}{allowed}"]))
    return "\n\n".join(texts)


def section(title: str, turns: list[dict], most: int, others=(), names: tuple = ("answer",)) -> list[str]:
    return [f"## {title} ({len(turns)})", "", transcripts(turns, most, others, names), ""]


def write_report(folder: str, lines: list[str], figures: dict) -> None:
    """report.md to read and, last, report.json with everything."""
    os.makedirs(folder, exist_ok=True)
    write_atomic(os.path.join(folder, "report.md"), "\n".join(lines) + "\n")
    write_json(os.path.join(folder, "report.json"), figures)


def side_by_side(measured: list[dict], names: tuple[str, str]) -> tuple[str, list[str]]:
    """The comparison of two models, and the lines of the report that show where they part."""
    compared = compare(*measured)
    lines = ["# Side by side", "", comparison(compared, names), ""]
    for side, pairs in ((1, compared["won"]), (0, compared["lost"])):
        lines += section(f"Only {names[side]} is right", [a for a, _ in pairs], 200, [b for _, b in pairs], names)
    return comparison(compared, names), lines
