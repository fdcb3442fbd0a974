"""Files that are written whole or not at all, and told apart by what they hold."""

import errno
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable
from contextlib import contextmanager, suppress

LARGE = 2**24  # bytes; hashing a smaller file takes a few milliseconds
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def room(path: str, need: Callable[[], int], least: str = ""):
    """Around writing: on a full disk, ValueError with the path, the bytes needed (`least`: "at least") and free."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL and "requested and" not in str(error):  # the latter is numpy's, without a number
            raise
        why = error.strerror or os.strerror(errno.ENOSPC)
        raise ValueError(f"{path}: {why}; it needs {least}{space(need(), path)}. Make room and start again") from None


def space(need: int, path: str) -> str:
    """So many bytes, and those that are free on the disk of `path`, in words."""
    free = shutil.disk_usage(os.path.dirname(os.path.abspath(path))).free
    return f"{f'{need / 2**20:.1f} MiB' if need > 2**19 else f'{need:,} bytes'}, {free / 2**20:.1f} MiB are free"


def write_atomic(path: str, content: str | bytes | Callable[[str], object], size: int = 0) -> None:
    """Put `content`, or what a function writes to the path that it is given, in the place of `path`, all at once.
    Whoever reads meanwhile, or after a kill, finds the old file or the new one. What goes wrong leaves the old one;
    where the disk is full, ValueError names the space needed: the length of `content`, or `size`, in bytes."""
    part, written = path + ".tmp", content.encode() if isinstance(content, str) else content
    with room(path, lambda: size if callable(written) else len(written)):
        try:
            if callable(written):
                written(part)
            else:
                with open(part, "wb") as file:
                    file.write(written)
            os.replace(part, path)
        except BaseException:
            with suppress(OSError):
                os.remove(part)
            raise


def write_json(path: str, value: object) -> None:
    write_atomic(path, json.dumps(value, indent=1, ensure_ascii=False))


def read_json(path: str) -> dict:
    """The object in a JSON file; {} where there is no such file. ValueError naming a file that holds none."""
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as file:
        try:
            found = json.load(file)
        except ValueError as error:
            raise ValueError(f"{path}: not JSON: {error}") from None
    if not isinstance(found, dict):
        raise ValueError(f"{path}: should be a JSON object, found {json.dumps(found)[:60]}")
    return found


def content_hash(path: str) -> str:
    """sha256 of a file's bytes."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(2**20), b""):
            digest.update(block)
    return digest.hexdigest()


def known_hash(path: str) -> str:
    """`content_hash` of a file that is asked for at every start. That of a large one is remembered, in the user's
    cache, for as long as its path, size, times and inode are the same."""
    stat = os.stat(path)
    if stat.st_size < LARGE:
        return content_hash(path)
    cache = os.path.expanduser(os.environ.get("XDG_CACHE_HOME") or "~/.cache")
    memory, place, remembered = os.path.join(cache, "zerochat", "hashes.json"), os.path.realpath(path), {}
    seen = [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]
    with suppress(OSError, ValueError):
        remembered = read_json(memory)
    if remembered.get(place, [])[:-1] == seen:
        return remembered[place][-1]
    digest = content_hash(path)
    if time.time_ns() - stat.st_ctime_ns > 2 * 10**9:  # a file just written may be written again under the same times
        with suppress(OSError, ValueError):
            os.makedirs(os.path.dirname(memory), exist_ok=True)
            write_json(memory, {**remembered, place: [*seen, digest]})
    return digest
