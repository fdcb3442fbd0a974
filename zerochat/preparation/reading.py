"""Files to records, as streams: a JSON array record by record, a plain text in sections.

Memory does not grow with a file. Errors name the file with line and column, or the byte that is not in the
encoding. Left out on purpose: fetching files, which curl and `hf download` do."""

import bz2
import codecs
import csv
import glob
import gzip
import lzma
import os
import re
import zlib
from collections.abc import Callable, Iterator

from zerochat.demo import chats
from zerochat.preparation.clean import needed
from zerochat.preparation.json_stream import MAX_RECORD, Bad, JsonStream, blocks_of, is_json_lines, not_encoded

SECTION = 2**20  # characters of a plain text that make one document
KINDS = (".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".parquet", ".txt", ".md")
OPENERS: dict[str, Callable] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
READABLE = f"{', '.join(KINDS)} (or {', '.join(OPENERS)} of one)"
TEXTS = ("text", "lines")  # formats of plain text
# What lies beside the data in a clone of a repository or hub.
NO_DATA = re.compile(r"\.|(?:readme|licen[cs]e|notice|changelog|citation|dataset_infos?|dataset_dict)\b", re.I)
UNPACK, CONVERT = "unpack it first", "is no data as they are read: convert it to JSON, a record a line"
HINTS = dict.fromkeys(".zip .zst .7z .rar .tar .tgz".split(), f"is packed: {UNPACK}")
HINTS |= dict.fromkeys(".yaml .yml .xml .html .pdf .doc .docx .arrow .pkl .db".split(), CONVERT)
HINTS |= dict.fromkeys(".xls .xlsx .ods".split(), "is a spreadsheet: save it as CSV")
MAGIC = {b"version https://git-lfs": "is a Git LFS pointer, not the data themselves: git lfs pull fetches them"}
MAGIC |= {b"PK\x03\x04": f"is a zip file: {UNPACK}"}
# A text that is no document: JSON, and a chat as messengers export it, where nobody says who is to be learned.
NO_DOCUMENT = rb'\A\s*[\[{]\s*[\[{"]'
NO_DOCUMENT += rb"|(?:^.{0,3}\d{1,4}[./-]\d{1,2}[./-]\d{2,4},? \d{1,2}[:.]\d\d.{0,9}[\]-] [^:\n]{1,60}: .*\n){3}"


class Section(dict):
    """{"text": ...}, one of several parts of a plain file. `span`: where in the file it begins and ends, from 0 to 1;
    the whole where the size is not known (.gz) or does not matter (a `limit`)."""

    span: tuple[float, float]


def alternating(texts: list[str]) -> list[dict]:
    """Messages of texts in turn: the first is the user's."""
    return [{"role": "assistant" if i % 2 else "user", "content": text} for i, text in enumerate(texts)]


def files_of(path: str, root: str, skipped: dict | None = None) -> list[str]:
    """The readable files of a file, folder (links to folders are not followed) or glob below `root`, sorted; ValueError
    where there are none. `skipped` is told each other file, and why it is none."""
    if "://" in path:
        raise ValueError(f"{path} is an address: fetch it first, as with curl -LO, and name the file")
    full = os.path.join(os.path.expanduser(root), os.path.expanduser(path))
    if os.path.isfile(full):
        return [full]
    walked = (step for step in os.walk(full) if "/." not in step[0].removeprefix(full))
    found = [os.path.join(where, name) for where, _, names in walked for name in names]
    files: dict[str, str] = {}
    for file in filter(os.path.isfile, sorted(found or glob.iglob(full, recursive=True))):
        beside = NO_DATA.match(os.path.basename(file))
        if not beside and kind_of(file)[0] in KINDS:
            files.setdefault(os.path.realpath(file), file)
        elif skipped is not None:
            skipped[file] = "speaks of the data" if beside else "not a kind that is read"
    if not files:
        advice = "see data.data_root and the source's path in the config"
        raise ValueError(f"{full}: no such file, or no {READABLE} in it; {advice}")
    return list(files.values())


def kind_of(path: str) -> tuple[str, Callable]:
    """The extension, in lower case and without that of a compression, and the function that opens the file."""
    stem, last = os.path.splitext(path.lower())
    return (os.path.splitext(stem)[1], OPENERS[last]) if last in OPENERS else (last, open)


def records(source: dict, root: str) -> Iterator[tuple[str, int, dict | str]]:
    """(file, line, record) of a source, unconverted: a dict, the JSON text of one, or what is `Bad`. "line" is where
    the record begins; in a JSON array on one line, and in Parquet, its number. A file that is empty, of no known kind,
    damaged, or broken where nothing says how to go on, raises ValueError."""
    if source["demo"]:
        make, split = getattr(chats, source["demo"]), source["split"] or "train"
        samples = make(source["count"], source["seed"], split, made_up=source["made_up"])
        yield from (("demo:" + source["demo"], i, sample) for i, sample in enumerate(samples, 1))
        return
    left = source["limit"] or float("inf")
    for path in files_of(source["path"], root):
        try:
            for line, record in _file_records(path, source["format"], source["encoding"], not source["limit"]):
                if left <= 0:
                    return
                left -= 1
                yield path, line, record
        except (EOFError, OSError, zlib.error, lzma.LZMAError) as error:
            raise ValueError(f"{path} cannot be read: {error}") from None


def _file_records(path: str, format: str, encoding: str, whole: bool) -> Iterator[tuple[int, dict | str]]:
    kind, opener = kind_of(path)
    _check_kind(path, kind, format)
    if kind == ".parquet":
        yield from _parquet(path)
        return
    with opener(path, "rb") as file:
        head = file.read(2**16)
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise ValueError(f"{path} is UTF-16; convert it to UTF-8")
        if b"\0" in head:
            raise ValueError(f"{path} holds no text: there are bytes of 0 in it")
        begin = len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0
        file.seek(begin)
        head = head[begin:]
        if kind in (".csv", ".tsv"):
            yield from _table(file, path, encoding, begin, head)
        elif format in TEXTS if kind not in KINDS else kind in (".txt", ".md") and format in ("auto", *TEXTS):
            if format == "auto" and re.search(NO_DOCUMENT, head, re.M):
                raise ValueError(f'{path} {CONVERT}; or say "format": "text", if all of it is to be learned')
            if format == "lines":  # one document a line
                lines = _lines(file, encoding, begin)
                yield from ((i, line if isinstance(line, Bad) else {"text": line}) for i, line in lines)
            else:
                size = os.path.getsize(path) if whole and opener is open else None
                yield from _sections(file, encoding, begin, size)
        elif is_json_lines(head) or head.lstrip()[:1] != b"[" and kind != ".json":
            yield from ((i, line) for i, line in _lines(file, encoding, begin) if isinstance(line, Bad) or line.strip())
        else:
            yield from JsonStream(blocks_of(file, path, encoding, begin), path).records()


def _check_kind(path: str, kind: str, format: str) -> None:
    """ValueError where a file's name or its first bytes say that nothing here can read it."""
    with open(path, "rb") as file:
        head = file.read(64)
    why = "" if head else "is empty"
    why = why or next((what for magic, what in MAGIC.items() if head.startswith(magic)), HINTS.get(kind))
    if not why and kind not in KINDS and format == "auto":
        why = f'is not of a known kind ({READABLE}); text and JSON are read if the "format" is given'
    if why:
        raise ValueError(f"{path} {why}")


def _table(file, path: str, encoding: str, offset: int, head: bytes) -> Iterator[tuple[int, dict | Bad]]:
    """Rows of a CSV or TSV file by the names in its first line; what divides and quotes fields its `head` shows."""

    def lines() -> Iterator[str]:
        for at, line in _lines(file, encoding, offset):
            if isinstance(line, Bad):  # within quotes, perhaps: nothing says where the next row begins
                raise ValueError(f"{path}:{at}: {line}")
            yield line + "\n"

    first, text = head.split(b"\n")[0].decode(encoding, "ignore"), head.decode(encoding, "ignore")
    comma, quote = max(",;\t|", key=first.count), "'" if first.startswith("'") else '"'
    quoted = comma != "\t" or re.search(r'(?:^|\t)"(?:[^"]|"")*"(?:\t|\r?$)', text, re.M)
    escape = "\\" if '\\"' in text and '""' not in text else None
    csv.field_size_limit(MAX_RECORD)
    how: dict = {"delimiter": comma, "quotechar": quote, "escapechar": escape}
    rows = csv.reader(lines(), quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE, **how)
    try:
        names, begin = [name.strip() for name in next(rows)], rows.line_num + 1
        for row in rows:
            wrong = Bad(f"{len(row)} fields; the first line has {len(names)}")
            if row:
                yield begin, dict(zip(names, row)) if len(row) == len(names) else wrong
            begin = rows.line_num + 1
    except csv.Error as error:
        raise ValueError(f"{path}:{rows.line_num}: {error}") from None


def _parquet(path: str) -> Iterator[tuple[int, dict]]:
    pyarrow = needed("pyarrow.parquet", path)
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            rows = (row for batch in file.iter_batches(batch_size=256) for row in batch.to_pylist())
            yield from enumerate(rows, 1)
    except pyarrow.ArrowException as error:
        raise ValueError(f"{path}: {error}") from None


def _lines(file, encoding: str, offset: int) -> Iterator[tuple[int, str]]:
    """(number, text without its end) of each line, `Bad` where it is too long or not in the encoding."""
    number = 0
    while line := file.readline(MAX_RECORD + 1):
        number, start, offset = number + 1, offset, offset + len(line)
        if len(line) > MAX_RECORD:
            while line and not line.endswith(b"\n"):
                line = file.readline(MAX_RECORD)
                offset += len(line)
            yield number, Bad(f"a line of {offset - start:,} bytes; at most {MAX_RECORD:,} are read")
            continue
        try:
            yield number, line.decode(encoding).rstrip("\r\n")
        except UnicodeDecodeError as error:
            yield number, Bad(not_encoded(encoding, start + error.start, error.reason))


def _sections(file, encoding: str, offset: int, size: int | None) -> Iterator[tuple[int, dict | Bad]]:
    """A plain text, one document; over SECTION characters several, cut between paragraphs. size: bytes, for `span`."""
    held, length, begin, at = [], 0, 1, offset

    def section() -> Section:
        nonlocal at
        record, start, at = Section(text="\n".join(held)), at, file.tell()
        record.span = (start / size, at / size) if size else (0.0, 1.0)
        return record

    for i, line in _lines(file, encoding, offset):
        if isinstance(line, Bad):
            yield i, line
            continue
        held.append(line)
        length += len(line) + 1
        if length > SECTION and not line.strip() or length > 2 * SECTION:
            yield begin, section()
            held, length, begin = [], 0, i + 1
    if held:
        yield begin, section() if begin > 1 else {"text": "\n".join(held)}
