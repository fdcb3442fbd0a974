"""JSON as a stream: an array record by record, however large the file."""

import codecs
import json
import re
from collections.abc import Iterator

MAX_RECORD = 2**25  # bytes of one line, characters of one JSON value: more is no conversation


def not_encoded(encoding: str, at: int, reason: str) -> str:
    return f'not {encoding} at byte {at}: {reason}; the source\'s "encoding" may be "gb18030" or "latin-1"'


def is_json_lines(head: bytes) -> bool:
    """Whether the first line is a whole value with more to come, as many a file called .json has it."""
    first, _, rest = head.lstrip().partition(b"\n")
    try:
        return bool(rest.strip()) and isinstance(json.loads(first), dict)
    except (ValueError, RecursionError):
        return False


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


class JsonStream:
    """Records of a JSON array, of an object of objects, or one after the other, read block by block."""

    SPACE, DECODER = re.compile(r"[ \t\r\n]*"), json.JSONDecoder()

    def __init__(self, blocks: Iterator[str], path: str):
        self.blocks, self.path = blocks, path
        self.text, self.at = "", 0  # what is in memory, and the place in it
        self.line, self.counted = 1, 0  # the line of the place `counted`
        self.before = 0  # characters of this line that are no longer in memory

    def records(self) -> Iterator[tuple[int, dict]]:
        opening, keyed = self.peek(), False
        if opening == "{":  # {"id": {...}, ...} is an object of records, any other one is a record
            begin, self.at = self.at, self.at + 1
            name = self.value() if self.peek() == '"' else "prompt"
            keyed = name not in ("prompt", "chosen") and self.expect(":") and self.peek() == "{"
            self.at = begin
        if opening != "[" and not keyed:
            while self.peek():
                yield self.here(), self.value()
            return
        self.at += 1
        closing = "}" if keyed else "]"
        more = self.peek() != closing or self.expect(closing) != closing
        while more:
            line = self.here()
            if keyed:
                self.value(), self.expect(":")
            yield line, self.value()
            more = self.expect("," + closing) == ","
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
                    self.at = end
                    return value
            except json.JSONDecodeError as error:
                if len(self.text) - self.at > MAX_RECORD or not self.read_on():
                    raise self.error(error.msg, error.pos) from None
            except (RecursionError, ValueError) as error:
                raise self.error(str(error), self.at) from None

    def read_on(self) -> bool:
        block = next(self.blocks, None)
        self.text += block or ""
        return block is not None

    def here(self) -> int:
        """The line of the next value; what lies before it is let go."""
        self.peek()
        self.line += self.text.count("\n", self.counted, self.at)
        self.counted = self.at
        if self.at > 2**20:
            newline = self.text.rfind("\n", 0, self.at)
            self.before = self.at - newline - 1 if newline >= 0 else self.before + self.at
            self.text, self.at, self.counted = self.text[self.at :], 0, 0
        return self.line

    def error(self, message: str, at: int) -> ValueError:
        newline = self.text.rfind("\n", 0, at)
        column = at - newline if newline >= 0 else self.before + at + 1
        line = self.line + self.text.count("\n", self.counted, at)
        return ValueError(f"{self.path}:{line}: broken JSON at column {column}: {message}")
