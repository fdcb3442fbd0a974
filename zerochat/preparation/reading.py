"""Files and addresses to records, as streams: a JSON array record by record, a plain text in sections.

Memory does not grow with a file. Errors name the file with line and column, or the byte that is not in the
encoding. Left out on purpose: resuming a broken download."""

import codecs
import glob
import gzip
import hashlib
import http.client
import os
import urllib.parse
import urllib.request
from collections.abc import Iterator

from tqdm import tqdm

from zerochat.demo import chats
from zerochat.files import content_hash, room
from zerochat.preparation.json_stream import MAX_RECORD, JsonStream, blocks_of, is_json_lines, not_encoded

SECTION = 2**20  # characters of a plain text that make one document
EXTENSIONS = (".json", ".jsonl", ".ndjson", ".txt", ".md")


class Bad(str):
    """Why something is no record of any format; any other reason is a policy that leaves a good record out."""


class Section(dict):
    """{"text": ...}, one of several parts of a plain file. `span`: where in the file it begins and ends, from 0 to 1;
    the whole where the size is not known (.gz) or does not matter (a `limit`)."""

    span: tuple[float, float]


def alternating(texts: list[str]) -> list[dict]:
    """Messages of texts in turn: the first is the user's."""
    return [{"role": "assistant" if i % 2 else "user", "content": text} for i, text in enumerate(texts)]


def files_of(path: str, root: str) -> list[str]:
    """The readable files of a file, folder or glob below `root`, sorted; ValueError where there are none."""
    full = os.path.join(os.path.expanduser(root), os.path.expanduser(path))
    if os.path.isfile(full):
        return [full]
    pattern = os.path.join(glob.escape(full), "**") if os.path.isdir(full) else full
    found = (f for f in glob.glob(pattern, recursive=True) if f.removesuffix(".gz").endswith(EXTENSIONS))
    files = sorted(f for f in found if os.path.isfile(f))
    if not files:
        advice = "see data.data_root and the source's path in the config"
        raise ValueError(f"{full}: no such file, or no {', '.join(EXTENSIONS)} (or .gz of one) in it; {advice}")
    return files


def is_address(path: str | None) -> bool:
    return bool(path) and path.startswith(("http://", "https://"))


def download(url: str, sha256: str | None, cache: str) -> str:
    """The path of a file from the web, fetched once into `cache`; ValueError where it fails or is not as stated, and
    where nothing would tell a whole file from one that was cut off."""
    cache = os.path.expanduser(cache)
    name = os.path.basename(urllib.parse.urlparse(url).path) or "download"
    path = os.path.join(cache, hashlib.sha256(f"{url} {sha256}".encode()).hexdigest()[:16] + "-" + name)
    if os.path.exists(path) and (not sha256 or content_hash(path) == sha256.lower()):
        return path
    os.makedirs(cache, exist_ok=True)
    part, digest, size = f"{path}.{os.getpid()}.part", hashlib.sha256(), 0
    try:
        with urllib.request.urlopen(url, timeout=60) as response, open(part, "wb") as file:
            total = int(response.headers.get("Content-Length") or 0)
            with (
                room(path, lambda: total or size),
                tqdm(total=total or None, unit="B", unit_scale=True, desc=name) as bar,
            ):
                while block := response.read(2**20):
                    digest.update(block)
                    size += file.write(block)
                    bar.update(len(block))
        if total and size != total:
            raise ValueError(f"{url}: {size:,} of {total:,} bytes arrived")
        if sha256 and digest.hexdigest() != sha256.lower():
            raise ValueError(f"{url}: its sha256 is {digest.hexdigest()}, the config says {sha256}")
        if not (total or sha256 or getattr(response, "chunked", False)):
            what = f"{size:,} bytes arrived, and the server does not say how many there are"
            raise ValueError(f'{url}: {what}; if these are all, say so with "sha256": "{digest.hexdigest()}"')
        os.replace(part, path)
    except (OSError, http.client.HTTPException) as error:
        raise ValueError(f"{url}: {error}") from None
    finally:
        if os.path.exists(part):
            os.remove(part)
    return path


def records(source: dict, root: str, cache: str) -> Iterator[tuple[str, int, dict | str]]:
    """(file, line, record) of a source, unconverted: a dict, the JSON text of one, or what is `Bad`. In a JSON array,
    "line" is where the record begins. An empty file, a JSON array broken in the middle, where nothing says how to go
    on, or a broken gzip raise ValueError."""
    if source["demo"]:
        samples = getattr(chats, source["demo"])(source["count"], source["seed"], source["split"] or "train")
        yield from (("demo:" + source["demo"], i, sample) for i, sample in enumerate(samples, 1))
        return
    left = source["limit"] or float("inf")
    web = is_address(source["path"])
    for path in [download(source["path"], source["sha256"], cache)] if web else files_of(source["path"], root):
        try:
            for line, record in _file_records(path, source["format"], source["encoding"], not source["limit"]):
                if left <= 0:
                    return
                left -= 1
                yield path, line, record
        except (EOFError, gzip.BadGzipFile) as error:
            raise ValueError(f"{path}: broken gzip: {error}") from None


def _file_records(path: str, format: str, encoding: str, whole: bool) -> Iterator[tuple[int, dict | str]]:
    if os.path.getsize(path) == 0:
        raise ValueError(f"{path} is empty")
    with (gzip.open if path.endswith(".gz") else open)(path, "rb") as file:
        head = file.read(2**16)
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise ValueError(f"{path} is UTF-16; convert it to UTF-8")
        begin = len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0
        file.seek(begin)
        kind = os.path.splitext(path.removesuffix(".gz"))[1]
        first = head[begin:].lstrip()[:1]
        structured = kind in (".json", ".jsonl", ".ndjson")
        text = format in ("text", "lines", "eou") and not structured or kind in (".txt", ".md")
        if text or kind not in EXTENSIONS and first not in (b"{", b"["):
            if format == "lines":  # one document a line
                lines = _lines(file, encoding, begin)
                yield from ((i, line if isinstance(line, Bad) else {"text": line}) for i, line in lines)
            elif format == "eou" or format == "auto" and b"__eou__" in head:
                yield from _eou(file, encoding, begin)
            else:
                size = os.path.getsize(path) if whole and not path.endswith(".gz") else None
                yield from _sections(file, encoding, begin, size)
        elif first != b"[" and (kind != ".json" or is_json_lines(head[begin:])):
            yield from ((i, line) for i, line in _lines(file, encoding, begin) if isinstance(line, Bad) or line.strip())
        else:
            yield from JsonStream(blocks_of(file, path, encoding, begin), path).records()


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


def _eou(file, encoding: str, offset: int) -> Iterator[tuple[int, dict | Bad]]:
    """One conversation a line, its turns ended by __eou__ (DailyDialog): the first is the user's."""
    for i, line in _lines(file, encoding, offset):
        turns = [turn.strip() for turn in line.split("__eou__")]
        if isinstance(line, Bad):
            yield i, line
        elif turns.pop() or turns:  # nothing follows the last mark
            yield i, {"messages": alternating(turns)}


def _sections(file, encoding: str, offset: int, size: int | None) -> Iterator[tuple[int, dict | Bad]]:
    """A plain text, one document; one of more than SECTION characters becomes several, cut between paragraphs.
    size: bytes of the file, where `span` is to be told."""
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
