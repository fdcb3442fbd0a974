"""JSON as a stream: an array record by record, however large the file."""

import codecs
import json
import re
from collections.abc import Iterator

MAX_RECORD = 2**25  # bytes of one line, characters of one JSON value: more is no conversation
DEEPEST = 100  # lists and objects in one another: far fewer than Python's own stack takes, wherever a record is handled


def not_encoded(encoding: str, at: int, reason: str) -> str:
    return f'not {encoding} at byte {at}: {reason}; the source\'s "encoding" may be "gb18030" or "latin-1"'


def is_json_lines(head: bytes) -> bool:
    """Whether the first line is a whole record with more to come, as many a file called .json has it."""
    first, _, rest = head.lstrip().partition(b"\n")
    try:
        return bool(rest.strip()) and isinstance(json.loads(first), dict | list)
    except (ValueError, RecursionError):
        return False


def too_deep(value, text: str, begin: int = 0, end: int | None = None) -> bool:
    """Whether a value, `text[begin:end]` as JSON, is nested deeper than DEEPEST."""
    if text.count("[", begin, end) + text.count("{", begin, end) <= DEEPEST:
        return False
    level, depth = [value], 0
    while level and depth <= DEEPEST:
        inner = (part.values() if isinstance(part, dict) else part for part in level if isinstance(part, dict | list))
        level, depth = [part for parts in inner for part in parts], depth + 1
    return depth > DEEPEST


def blocks_of(file, path: str, encoding: str, offset: int) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)()
    while True:
        block = file.read(2**20)
        held = len(decoder.getstate()[0])  # bytes of a character cut by the block before
        try:
            yield decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            raise ValueError(f"{path}: {not_encoded(encoding, offset - held + error.start, error.reason)}") from None
        offset += len(block)
        if not block:
            return


class Bad(str):
    """Why something is no record of any format; any other reason is a policy that leaves a good record out."""


class JsonStream:
    """Records of a JSON array, of an object of objects, or one after the other, read block by block; each with the line
    on which it begins, or with its number where an array stands on one line."""

    SPACE, DECODER = re.compile(r"[ \t\r\n]*"), json.JSONDecoder()
    KEYED = re.compile(r'\{\s*"(?!prompt"|chosen")(?:[^"\\]|\\.)*"\s*:\s*\{')  # of {"id": {...}, ...}

    def __init__(self, blocks: Iterator[str], path: str):
        self.blocks, self.path = blocks, path
        self.text, self.at = "", 0  # what is in memory, and the place in it
        self.line, self.counted = 1, 0  # the line of the place `counted`
        self.before = 0  # characters of this line that are no longer in memory

    def records(self) -> Iterator[tuple[int, dict]]:
        opening = self.peek()
        while len(self.text) - self.at < 2**12 and self.read_on():
            pass
        keyed = self.KEYED.match(self.text, self.at)  # any other object is a record
        if opening != "[" and not keyed:
            while self.peek():
                yield self.here(), self.value()
            return
        self.at += 1
        closing = "}" if keyed else "]"
        number, numbered = 0, False
        while self.peek() != closing:  # also after a comma too many
            number, line = number + 1, self.here()
            if keyed:
                self.value(), self.expect(":")
            value = self.value()
            ended = self.expect("," + closing) == closing
            numbered |= number == 1 and not ended and self.here() == line
            yield (number if numbered else line), value
            if ended:
                break
        else:
            self.at += 1
        if self.peek():
            raise self.error("more after the end", self.at)

    def peek(self) -> str:
        """The next character that is no blank, "" at the end."""
        while True:
            self.at = self.SPACE.match(self.text, self.at).end()
            if self.at < len(self.text) or not self.read_on():
                return self.text[self.at : self.at + 1]

    def expect(self, characters: str) -> str:
        found = self.peek()
        if not found or found not in characters:
            raise self.error(f"expected {' or '.join(characters)}" if found else "the file ends too early", self.at)
        self.at += 1
        return found

    def value(self):
        self.peek()
        while True:
            try:
                value, end = self.DECODER.raw_decode(self.text, self.at)
                if end < len(self.text) or not self.read_on():  # at the end of a block 12 may be the beginning of 123
                    begin, self.at = self.at, end
                    if isinstance(value, str):
                        return Bad("not a JSON object")
                    return Bad("JSON nested too deep") if too_deep(value, self.text, begin, end) else value
            except json.JSONDecodeError as error:
                if len(self.text) - self.at > MAX_RECORD or not self.read_on():
                    raise self.error(error.msg, error.pos) from None
            except (RecursionError, ValueError) as error:
                raise self.error(str(error), self.at) from None

    def read_on(self) -> bool:
        if self.at == len(self.text):  # blanks alone may be many
            self.let_go()
        block = next(self.blocks, None)
        self.text += block or ""
        return block is not None

    def here(self) -> int:
        """The line of the next value; what lies before it is let go."""
        self.peek()
        if self.at > 2**20:
            self.let_go()
        self.line += self.text.count("\n", self.counted, self.at)
        self.counted = self.at
        return self.line

    def let_go(self) -> None:
        self.line += self.text.count("\n", self.counted, self.at)
        newline = self.text.rfind("\n", 0, self.at)
        self.before = self.at - newline - 1 if newline >= 0 else self.before + self.at
        self.text, self.at, self.counted = self.text[self.at :], 0, 0

    def error(self, message: str, at: int) -> ValueError:
        newline = self.text.rfind("\n", 0, at)
        column = at - newline if newline >= 0 else self.before + at + 1
        line = self.line + self.text.count("\n", self.counted, at)
        return ValueError(f"{self.path}:{line}: broken JSON at column {column}: {message}")
