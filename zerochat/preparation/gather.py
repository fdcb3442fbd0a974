"""Sources to cleaned samples: read, convert, clean in parallel; then deduplicate and split.

Records are read in one process and handed out in batches; the others convert and clean. Results are taken in
order, so the outcome is the same for any number of processes, and no more than a few batches are in memory.
"""

import collections
import ctypes
import gc
import json
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import numpy as np

from zerochat.preparation import clean, duplicates, formats, reading

SPLITS = ("train", "validation")
BATCH = 2**20  # characters handed to a process at once
TO_JSON = json.JSONEncoder(ensure_ascii=False).encode
CUT_BY_POSITION = 10_000  # characters: a plain text longer than this is no sample among many, but a book


def processes_for(options: dict, size: int) -> int:
    """How many processes to use: few bytes are done before a second one has started."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return options["processes"] or (1 if size < 2**24 else cores)


def parallel(work: Callable, jobs: Iterable, processes: int, start: Callable = int, *arguments) -> Iterator:
    """`map(work, jobs)` over processes, lazily and in order; each process calls `start(*arguments)` first."""
    if processes == 1:
        start(*arguments)
        yield from map(work, jobs)
        return
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    with ProcessPoolExecutor(processes, context, _begin, (start, arguments)) as pool:
        waiting = collections.deque()
        try:
            for job in jobs:
                waiting.append(pool.submit(work, job))
                if len(waiting) > 2 * processes:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool:
            raise ValueError(
                "a process that prepares data died, perhaps for want of memory; data.processes 1 takes the least"
            ) from None
        finally:
            for future in waiting:
                future.cancel()


def _begin(start: Callable, arguments: tuple) -> None:
    gc.disable()  # nothing here is cyclic, and looking for it takes 3% of the time
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: with the parent killed, nobody would stop us
    start(*arguments)


def gather(stage: dict, options: dict, folder: str) -> dict:
    """Write one stage's samples into `<folder>/<stage>.<split>/samples.jsonl`; returns what was kept and dropped."""
    every = [(2, source) for source in stage["validation"]] + [(0, source) for source in stage["data"]]
    names = [name_of(source) for _, source in every]
    report = {name: {"read": 0, "kept": 0, "bad": 0, "changed": {}, "dropped": {}} for name in names}
    held_out = 0.0 if stage["validation"] else options["validation_fraction"]
    files = {name: os.path.join(folder, f"{stage['name']}.{name}") for name in ("samples", "entries", "signatures")}
    with (
        open(files["samples"], "wb") as lines,
        open(files["entries"], "wb") as entries,
        open(files["signatures"], "wb") as signatures,
    ):
        # Explicit validation sources come first, so that a duplicate leaves the training set, not the held-out one.
        for number, (split, source) in enumerate(every):
            settings = (source["format"], bool(source["demo"]), names[number], number, split, held_out, options)
            for result in parallel(_clean_batch, _batches(source, options, settings), _processes(source, options)):
                lines.write(result["lines"])
                entries.write(result["entries"].tobytes())
                signatures.write(result["signatures"].tobytes())
                _add(report[names[number]], result["report"])
                _check_bad(names[number], report[names[number]], options, at_least=1000)
            _check_bad(names[number], report[names[number]], options, at_least=0)
    _write(stage, every, report, files, held_out, options, folder)
    for path in files.values():
        os.remove(path)
    return {"sources": report}


def name_of(source: dict) -> str:
    return source["path"] or f"demo:{source['demo']}" + (f":{source['split']}" if source["split"] else "")


def _processes(source: dict, options: dict) -> int:
    if source["demo"]:
        return 1  # making them takes longer than cleaning them
    if reading.is_address(source["path"]):
        files = [reading.download(source["path"], source["sha256"], options["cache"])]
    else:
        files = reading.files_of(source["path"], options["data_root"])
    return processes_for(options, sum(map(os.path.getsize, files)))


def _batches(source: dict, options: dict, settings: tuple) -> Iterator[tuple]:
    batch, size = [], 0
    for path, line, record in reading.records(source, options["data_root"], options["cache"]):
        batch.append((path, line, record))
        size += (
            len(record)
            if isinstance(record, str)
            else len(record.get("text", "")) + 500
            if isinstance(record, dict)
            else 500
        )
        if size > BATCH:
            yield batch, settings
            batch, size = [], 0
    if batch:
        yield batch, settings


def _clean_batch(job: tuple) -> dict:
    batch, (format, demo, name, number, fixed, held_out, options) = job
    report = {"read": len(batch), "kept": 0, "bad": 0, "changed": {}, "dropped": {}}
    lines, entries, signatures = [], [], []
    files = {path: os.path.basename(path) for path, *_ in batch}
    for path, line, record in batch:
        where = f"{files[path]}:{line}"
        source = name if demo or name.endswith(files[path]) else files[path]  # of a folder, the file
        sample = record if demo else formats.to_sample(record, format, options["tools"])
        if isinstance(sample, str):
            bad = isinstance(sample, formats.Bad)
            report["bad"] += bad
            shown = json.dumps(record, ensure_ascii=False) if isinstance(record, dict) else str(record)
            _count(report["dropped"], ("bad: " if bad else "") + sample, [where, shown, ""], 10 if bad else 3)
            continue
        sample, notes = clean.clean(sample, options["rules"])
        for rule, before, after in notes:
            _count(report["dropped" if sample is None else "changed"], rule, [where, before, after])
        for i, (split, part) in enumerate(_parts(sample, held_out, fixed) if sample else []):
            row = TO_JSON({"source": source, "line": line, **part}).encode() + b"\n"
            folded, prompt, share = _folded(part)
            entries.append((clean.fingerprint(folded), prompt, share, len(row), number, split, i == 0))
            lines.append(row)
            if options["near_duplicates"]:
                signatures.append(duplicates.signature(folded))
    return {
        "lines": b"".join(lines),
        "entries": np.array(entries, dtype=duplicates.ENTRY),
        "report": report,
        "signatures": np.array(signatures, dtype=np.uint32),
    }


def _parts(sample: dict, fraction: float, fixed: int) -> list[tuple[int, dict]]:
    """A long plain text is held out by position, the end of its file; everything else goes as a whole, later."""
    begin, end = sample.pop("span", (0.0, 1.0))
    if fixed or not fraction or end - begin == 1 and len(sample.get("text", "")) <= CUT_BY_POSITION:
        return [(fixed, sample)]
    cut = round(len(sample["text"]) * min(1, max(0, (1 - fraction - begin) / (end - begin))))
    parts = ((1, sample["text"][:cut]), (2, sample["text"][cut:]))
    return [(split, {**sample, "text": text}) for split, text in parts if text]


def _folded(sample: dict) -> tuple[str, int, int]:
    """The whole text, folded; hashes of all before the last answer (0: none) and of the first question."""
    if "text" in sample:
        folded = clean.fold(sample["text"])
        return folded, 0, clean.fingerprint(folded)
    texts = [clean.fold(message["content"]) for message in sample["messages"]]
    question = next((t for t, m in zip(texts, sample["messages"]) if m["role"] == "user"), "")
    share = clean.fingerprint(question)
    prompt = share if len(texts) == 2 else clean.fingerprint("\n".join(texts[:-1]))
    return "".join(texts), prompt, share


def _count(table: dict, reason: str, example: list[str], most: int = 3) -> None:
    entry = table.setdefault(reason, {"count": 0, "examples": []})
    entry["count"] += 1
    if len(entry["examples"]) < most:
        where, before, after = example
        # The text from just before the first difference on, looked for by thousands: it may be a book.
        size = min(len(before), len(after))
        block = next((i for i in range(0, size, 1000) if before[i : i + 1000] != after[i : i + 1000]), size)
        at = max(0, block + len(os.path.commonprefix([before[block : block + 1000], after[block : block + 1000]])) - 20)
        entry["examples"].append([where, before[at : at + 80], after[at : at + 80]])


def _add(report: dict, more: dict) -> None:
    for key in ("read", "kept", "bad"):
        report[key] += more[key]
    for key in ("changed", "dropped"):
        for reason, entry in more[key].items():
            total = report[key].setdefault(reason, {"count": 0, "examples": []})
            total["count"] += entry["count"]
            room = (10 if reason.startswith("bad: ") else 3) - len(total["examples"])
            total["examples"] += entry["examples"][:room]


def _check_bad(name: str, report: dict, options: dict, at_least: int) -> None:
    """ValueError with the first ten bad records where they are too many; at the first one under `strict`."""
    allowed = 0 if options["strict"] else options["max_bad"] * max(report["read"], at_least)
    if report["bad"] <= allowed:
        return
    found = [
        f"  {where}: {reason.removeprefix('bad: ')}"
        for reason, entry in report["dropped"].items()
        if reason.startswith("bad: ")
        for where, *_ in entry["examples"]
    ]
    found.sort(key=lambda text: [int(part) if part.isdigit() else part for part in text.split(":")[1:2]])
    limit = (
        "none may be (data.strict)" if options["strict"] else f"at most {options['max_bad']:.1%} may be (data.max_bad)"
    )
    raise ValueError(
        f"{name}: {report['bad']:,} of {report['read']:,} records are bad, {limit}:\n"
        + "\n".join(found[: 1 if options["strict"] else 10])
    )


def _write(stage: dict, every: list, report: dict, files: dict, held_out: float, options: dict, folder: str) -> None:
    """Decide where each sample goes, and copy it there."""
    size = os.path.getsize(files["entries"])
    entries = np.memmap(files["entries"], dtype=duplicates.ENTRY, mode="r") if size else np.zeros(0, duplicates.ENTRY)
    with open(files["signatures"], "rb") as signatures:
        split, why, first = duplicates.decide(
            entries, held_out, options["deduplicate"], options["near_duplicates"] or None, signatures
        )
    # A weight of 2.5: twice, and for half of the samples, chosen by their hash, a third time. Held-out ones once.
    times = (split > 0).astype(np.uint8)
    for number, (_, source) in enumerate(every):
        if source["weight"] != 1:
            mine = (entries["source"] == number) & (split == 1)
            times[mine] = int(source["weight"]) + (entries["mark"][mine] / 2.0**64 < source["weight"] % 1)
    names = np.array([list(report).index(name_of(source)) for _, source in every], dtype=np.uint16)[entries["source"]]
    for i, name in enumerate(report):
        report[name]["kept"] += int(entries["counts"][(names == i) & (times > 0)].sum())
    begins = np.concatenate([[0], np.cumsum(entries["length"], dtype=np.int64)])
    with open(files["samples"], "rb") as samples:

        def line_of(i):
            samples.seek(begins[i])
            return json.loads(samples.read(entries["length"][i]))

        reasons = {
            duplicates.DUPLICATE: ("dropped", "duplicate"),
            duplicates.NEAR_DUPLICATE: ("dropped", "near-duplicate"),
            duplicates.LEAKED: ("changed", "leaked: held out, but its prompt is in training; moved there"),
        }
        for i, name in enumerate(report):
            for code, (kind, reason) in reasons.items():
                found = np.flatnonzero((why == code) & (names == i))
                for at in found[:3]:
                    sample, earlier = line_of(at), line_of(first[at])
                    report[name][kind].setdefault(reason, {"examples": []})["examples"].append(
                        [
                            f"{os.path.basename(sample['source'])}:{sample['line']}",
                            _start(sample),
                            f"{earlier['source']}:{earlier['line']}: {_start(earlier)}",
                        ]
                    )
                if len(found):
                    report[name][kind][reason]["count"] = len(found)
        _copy(
            samples,
            begins,
            split,
            times,
            {
                number: os.path.join(folder, f"{stage['name']}.{name}")
                for number, name in ((1, "train"), (2, "validation"))
            },
        )
    if not (split == 1).any():
        dropped = {
            name: {reason: entry["count"] for reason, entry in counts["dropped"].items()}
            for name, counts in report.items()
        }
        raise ValueError(
            f"stage {stage['name']}: no sample is left to train on after cleaning; dropped: {json.dumps(dropped)}"
        )
    for (_, source), name in zip(every, map(name_of, [source for _, source in every])):
        if not report[name]["kept"]:
            raise ValueError(
                f"stage {stage['name']}: nothing of the source {name} is usable: "
                + ", ".join(f"{entry['count']:,} {reason}" for reason, entry in report[name]["dropped"].items())
            )


def _start(sample: dict) -> str:
    return (sample["text"] if "text" in sample else " ".join(m["content"] for m in sample["messages"]))[:80]


def _copy(samples, begins: np.ndarray, split: np.ndarray, times: np.ndarray, folders: dict[int, str]) -> None:
    """Copy lines, those that go the same way together, each as often as `times` says."""
    outputs = {}
    for number, folder in folders.items():
        os.makedirs(folder)
        outputs[number] = open(os.path.join(folder, "samples.jsonl"), "wb")
    changes = np.flatnonzero((split[1:] != split[:-1]) | (times[1:] != times[:-1])) + 1
    borders = [0, *changes.tolist(), len(split)]
    for begin, end in zip(borders, borders[1:]):
        for _ in range(int(times[begin]) if end > begin else 0):
            samples.seek(begins[begin])
            left = int(begins[end] - begins[begin])
            while left:
                block = samples.read(min(left, 2**24))
                outputs[int(split[begin])].write(block)
                left -= len(block)
    for file in outputs.values():
        file.close()
