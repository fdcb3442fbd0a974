"""What texts of every origin share: which characters are Chinese, what a model is shown, what may reach a terminal."""

import itertools
import re
import unicodedata
from collections.abc import Iterable

CHINESE = "\u3400-\u9fff"  # for a character class of a regular expression: the common ideographs
BLANKS = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")  # all of Unicode's but the space itself
# Not the zero-width joiners U+200C and U+200D: Persian words and family emoji need them.
INVISIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\ufeff\u00ad]")
FENCED = re.compile(r"(```.*?(?:```|\Z))", re.DOTALL)
INDENTED = re.compile(r"(?: {4}|\t)[ \t]*\S|  +\S.*\n+  ")  # code, whose first line says how deep it stands
VISIBLE_ASCII = bytes([9, 10, 13, *range(32, 127)])


def mend(text: str) -> str:
    """The characters that training is shown, and so the ones to ask with: every kind of blank a space, line ends one
    newline, at most one empty line, no blanks at the ends of lines or of the text (code keeps its indentation, fenced
    code its empty lines); what nobody sees, and halves of an emoji, are left out (two that belong together joined)."""
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            text = text.encode("utf-16", "surrogatepass").decode("utf-16", "ignore")
        text = BLANKS.sub(" ", text).replace("\u2028", "\n").replace("\u2029", "\n")
    if not text.isascii() or text.encode().translate(None, VISIBLE_ASCII):
        text = INVISIBLE.sub("", text)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if " \n" in text or "\t\n" in text:
        text = "\n".join(line.rstrip(" \t") for line in text.split("\n"))
    if "\n\n\n" in text:  # but in fenced code, where two empty lines are the layout
        parts = FENCED.split(text)
        parts[::2] = [re.sub(r"\n{3,}", "\n\n", part) for part in parts[::2]]
        text = "".join(parts)
    text = text.rstrip().lstrip("\n")
    return text if INDENTED.match(text) else text.lstrip()


def joined(messages: list[dict]) -> list[dict]:
    """The conversation in which turns of one side that follow each other are one turn, a line each."""
    groups = [list(group) for _, group in itertools.groupby(messages, key=lambda message: message["role"])]
    if len(groups) == len(messages):
        return messages
    texts = ("\n".join(m["content"] for m in group if m["content"]) for group in groups)
    kept = [next((m for m in group if "supervised" in m), group[0]) for group in groups]  # what is not to be learned
    return [{**message, "content": text} for message, text in zip(kept, texts)]


def mended(messages: list[dict]) -> list[dict]:
    """A conversation as training has them: texts mended, one system message in front, the two sides in turn."""
    messages = [{**message, "content": mend(message["content"])} for message in messages]
    return joined(sorted(messages, key=lambda message: message["role"] != "system"))


def printable(text: str, instead: str = "") -> str:
    """Text without control characters: what a model or a file says must not be able to steer the terminal. instead:
    stands for each of them, and then also for what is there and nobody sees, such as a zero-width space."""
    hidden = ("Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp") if instead else ("Cc",)
    return "".join(c if c in "\n\t" or unicodedata.category(c) not in hidden else instead for c in text)


def markdown(head: str, rows: Iterable[Iterable[str]], align: str = "") -> list[str]:
    """The lines of a Markdown table: `head` is "a | b | c"; align: l or r for each column (left, then all right)."""
    columns = head.count(" | ") + 1
    rule = "|".join("---:" if letter == "r" else "---" for letter in align or "l" + "r" * (columns - 1))
    return [f"| {head} |", f"|{rule}|", *(f"| {' | '.join(row)} |" for row in rows)]
