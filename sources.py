"""Files of every common format to samples: conversations and plain documents.

A sample is `{"messages": [{"role", "content"}, ...]}` or `{"text": ...}`. A format is one small function
from a record (a JSON object) to a list of messages; adding one is a function and a line in FORMATS.
Errors name the file and the line. Left out on purpose: anything that is not text.
"""

import glob
import gzip
import json
import os
from collections.abc import Iterator

import demo_data

ROLES = {
    "system": "system", "user": "user", "human": "user", "prompter": "user", "assistant": "assistant",
    "gpt": "assistant", "chatgpt": "assistant", "bot": "assistant", "model": "assistant", "wizard": "assistant",
}


def openai_messages(record: dict) -> list[dict]:
    """{"messages": [{"role": "user", "content": "..."}, ...]}"""
    return [{"role": _role(m["role"]), "content": m["content"]} for m in record["messages"]]


def sharegpt(record: dict) -> list[dict]:
    """{"system": "...", "conversations": [{"from": "human", "value": "..."}, ...]}"""
    system = [{"role": "system", "content": record["system"]}] if record.get("system") else []
    return system + [{"role": _role(turn["from"]), "content": turn["value"]} for turn in record["conversations"]]


def alpaca(record: dict) -> list[dict]:
    """{"instruction", "input", "output" or "response", "history": [[question, answer], ...], "system"}"""
    messages = [{"role": "system", "content": record["system"]}] if record.get("system") else []
    for question, answer in record.get("history") or []:
        messages += _pair(question, answer)
    question = record["instruction"]
    if record.get("input"):
        question += "\n" + record["input"]
    return messages + _pair(question, record["output"] if "output" in record else record["response"])


def prompt_completion(record: dict) -> list[dict]:
    """{"prompt", "completion"}, {"question", "answer"} and the like"""
    question = next(record[key] for key in ("prompt", "question") if key in record)
    return _pair(question, next(record[key] for key in ("completion", "answer", "response") if key in record))


def _pair(question: str, answer: str) -> list[dict]:
    return [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]


def _role(name: str) -> str:
    if name not in ROLES:
        raise ValueError(f"role {name!r}")
    return ROLES[name]


# What recognises a format: the keys that its records have. The first that matches is taken.
FORMATS = {
    "messages": (openai_messages, [{"messages"}]),
    "sharegpt": (sharegpt, [{"conversations"}]),
    "alpaca": (alpaca, [{"instruction", "output"}, {"instruction", "response"}]),
    "prompt_completion": (prompt_completion, [{"prompt", "completion"}, {"prompt", "response"},
                                              {"question", "answer"}]),
}


def to_sample(record: dict, format: str) -> dict:
    """One record as a sample. ValueError says why it is none: `role 'tool'`, `a turn that is not text`, ..."""
    if not isinstance(record, dict):
        raise ValueError("not a JSON object")
    if "text" in record and format in ("auto", "text", "lines"):
        if not isinstance(record["text"], str):
            raise ValueError("a text that is not text")
        return {"text": record["text"]}
    if record.get("label") is False:
        raise ValueError("rejected answer")  # preference data: this is the answer people did not want
    for name, (convert, shapes) in FORMATS.items():
        if format == name or format == "auto" and any(keys <= record.keys() for keys in shapes):
            try:
                messages = convert(record)
            except (KeyError, TypeError, StopIteration, AttributeError) as error:
                raise ValueError(f"not a record of the format {name} ({type(error).__name__} {error})") from None
            if not all(isinstance(message["content"], str) for message in messages):
                raise ValueError("a turn that is not text")
            return {"messages": messages, **{k: record[k] for k in ("lang", "skill") if k in record}}
    raise ValueError(f"no known format has the keys {sorted(record)}")


def files_of(path: str, root: str) -> list[str]:
    """The readable files of a file, folder or glob below `root`, sorted; ValueError where there are none."""
    full = os.path.join(os.path.expanduser(root), os.path.expanduser(path))
    found = glob.glob(full, recursive=True)
    if os.path.isdir(full):
        found = glob.glob(os.path.join(glob.escape(full), "**"), recursive=True)
    files = sorted(f for f in found if os.path.isfile(f) and f.removesuffix(".gz").endswith(
        (".json", ".jsonl", ".txt", ".md")))
    if not files:
        raise ValueError(f"{full}: no such file, or no .json, .jsonl, .txt or .md (or .gz of one) in it; "
                         "see data.data_root and the source's path in the config")
    return files


def read(source: dict, root: str) -> Iterator[tuple[str, int, dict | str]]:
    """(file, line, sample) for every record of a source; in the sample's place a reason (text) where it is none.

    A broken line of JSON, an empty file or bytes that are not UTF-8 raise ValueError with file and line.
    For a JSON array, "line" is the record's number.
    """
    if source["demo"]:
        make = getattr(demo_data, source["demo"])
        samples = make(source["count"], source["seed"], source["split"] or "train")
        yield from (("demo:" + source["demo"], i, sample) for i, sample in enumerate(samples, 1))
        return
    left = source["limit"] or float("inf")
    for path in files_of(source["path"], root):
        for line, record in _records(path, source["format"]):
            if left <= 0:
                return
            left -= 1
            try:
                yield path, line, to_sample(record, source["format"])
            except ValueError as reason:
                yield path, line, str(reason)


def _records(path: str, format: str) -> Iterator[tuple[int, dict]]:
    if os.path.getsize(path) == 0:
        raise ValueError(f"{path} is empty")
    with (gzip.open if path.endswith(".gz") else open)(path, "rt", encoding="utf-8-sig") as file:
        try:
            kind = path.removesuffix(".gz").rsplit(".", 1)[-1]
            if format == "lines":
                yield from ((i, {"text": line.rstrip("\n")}) for i, line in enumerate(file, 1))
            elif kind in ("txt", "md"):
                yield 1, {"text": file.read()}
            elif kind == "jsonl":
                for i, line in enumerate(file, 1):
                    if line.strip():
                        yield i, _parse(line.rstrip(), path, i)
            else:
                records = _parse(file.read(), path, 1)
                yield from enumerate(records if isinstance(records, list) else [records], 1)
        except UnicodeDecodeError as error:
            raise ValueError(f"{path}: not UTF-8 at byte {error.start} of a block: {error.reason}") from None


def _parse(text: str, path: str, line: int):
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}:{line + error.lineno - 1}: broken JSON at column {error.colno}: {error.msg}") from None
