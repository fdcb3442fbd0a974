"""What texts of every origin share: which characters are Chinese, which may reach a terminal."""

import unicodedata
from collections.abc import Iterable

CHINESE = "\u3400-\u9fff"  # for a character class of a regular expression: the common ideographs


def printable(text: str, instead: str = "") -> str:
    """Text without control characters: what a model or a file says must not be able to steer the terminal. instead:
    stands for each of them, and then also for what is there and nobody sees, such as a zero-width space."""
    hidden = ("Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp") if instead else ("Cc",)
    return "".join(c if c in "\n\t" or unicodedata.category(c) not in hidden else instead for c in text)


def markdown(head: str, rows: Iterable[Iterable[str]], align: str = "") -> list[str]:
    """The lines of a Markdown table: `head` is "a | b | c"; align: a letter a column, l or r (the first left, the
    others right)."""
    columns = head.count(" | ") + 1
    rule = "|".join("---:" if letter == "r" else "---" for letter in align or "l" + "r" * (columns - 1))
    return [f"| {head} |", f"|{rule}|", *(f"| {' | '.join(row)} |" for row in rows)]
