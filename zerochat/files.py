"""Files that are written whole or not at all, and told apart by what they hold."""

import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress


def write_atomic(path: str, content: str | bytes | Callable[[str], object]) -> None:
    """Put `content`, or what a function writes to the path that it is given, in the place of `path`, all at once.
    Whoever reads meanwhile, or after a kill, finds the old file or the new one. OSError leaves the old one."""
    part = path + ".tmp"
    try:
        if callable(content):
            content(part)
        else:
            with open(part, "wb") as file:
                file.write(content.encode() if isinstance(content, str) else content)
        os.replace(part, path)
    except BaseException:
        with suppress(OSError):
            os.remove(part)
        raise


def write_json(path: str, value: object) -> None:
    write_atomic(path, json.dumps(value, indent=1, ensure_ascii=False))


def read_json(path: str) -> dict:
    """The object in a JSON file; {} where there is no such file."""
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def content_hash(path: str, sync: bool = False) -> str:
    """sha256 of a file's bytes; `sync` has the disk hold them before it returns."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(2**20), b""):
            digest.update(block)
        if sync:
            os.fsync(file.fileno())
    return digest.hexdigest()
