"""Sources to cleaned samples on disk: records are read in one process and handed out in batches, the others convert and
clean; results are taken in order, so the outcome is the same for any number of processes, and no more than a few
batches are in memory. Then each sample goes to its side of the split."""

import json
import os
import random
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from zerochat.preparation import clean, duplicates, formats, reading, tally
from zerochat.preparation.duplicates import TRAIN, VALIDATION
from zerochat.preparation.parallel import parallel, processes_for
from zerochat.preparation.shards import texts_of

JOIN_SEED = 1337  # not the run's seed, which is for batches, weights and augmentation
BATCH = 2**20  # characters handed to a process at once
TO_JSON = json.JSONEncoder(ensure_ascii=False).encode
CUT_BY_POSITION = 10_000  # characters: a plain text longer than this is no sample among many, but a book
SPLITS = {"train": TRAIN, "validation": VALIDATION}
REASONS = {duplicates.DUPLICATE: ("dropped", "duplicate"), duplicates.NEAR_DUPLICATE: ("dropped", "near-duplicate")}
REASONS[duplicates.LEAKED] = ("changed", "leaked: held out, but its prompt is in training; moved there")


def name_of(source: dict) -> str:
    return source["path"] or f"demo:{source['demo']}" + (f":{source['split']}" if source["split"] else "")


def read(source: dict, options: dict) -> Iterator[list[tuple]]:
    """A source's records, as (file, line, record), in batches of about BATCH characters."""
    batch, size = [], 0
    for path, line, record in reading.records(source, options["data_root"]):
        batch.append((path, line, record))
        text = record.get("text") if isinstance(record, dict) else record
        size += 500 + (len(text) if isinstance(text, str) else 0)
        if size > BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def cleaned(batches: Iterable[list], source: dict, fixed: int, held_out: float, options: dict) -> Iterator[dict]:
    """Each batch converted and cleaned, by as many processes as are worth it; see `_clean_batch`.
    fixed: the side of the source's samples, 0 where each decides; held_out: of a long text, the share at its end."""
    size = 0  # making demo data takes longer than cleaning them
    if source["path"]:
        size = sum(map(os.path.getsize, reading.files_of(source["path"], options["data_root"])))
    processes = 1 if source["demo"] else processes_for(options, size)
    yield from parallel(_clean_batch, batches, processes, source, fixed, held_out, options)


def _clean_batch(batch: list, source: dict, fixed: int, held_out: float, options: dict) -> dict:
    """A batch's samples as JSON lines, what is known of each (`duplicates.ENTRY`), signatures, and the counts."""
    name, report = name_of(source), tally.empty()
    report["read"] = len(batch)
    lines, entries, signatures = [], [], []
    for path, line, record in batch:
        file = path.rpartition("/")[2]
        where = f"{file}:{line}"
        origin = name if source["demo"] or name.endswith(file) else file  # of a folder, the file
        seen: dict = {}
        sample = record
        if not source["demo"]:
            sample = formats.to_sample(record, source["format"], options["tools"], seen, source["columns"])
            tally.note(report, seen)
        if isinstance(sample, str):
            bad = isinstance(sample, formats.Bad)
            report["bad"] += bad
            shown = record if isinstance(record, str) else json.dumps(record, ensure_ascii=False, default=str)
            tally.count(report["dropped"], ("bad: " if bad else "") + sample, [where, shown, ""], 10 if bad else 3)
            continue
        sample, notes = clean.clean(sample, options["rules"])
        for rule, before, after in notes:
            tally.count(report["dropped" if sample is None else "changed"], rule, [where, before, after])
        for i, (split, part) in enumerate(_parts(sample, held_out, fixed) if sample else []):
            # Half an emoji in a field that no rule mends costs no record.
            row = TO_JSON({"source": origin, "line": line, **part}).encode("utf-8", "replace") + b"\n"
            folded, prompt, share = _folded(part)
            entries.append((clean.hash64(folded), prompt, share, len(row), 0, split, i == 0))
            lines.append(row)
            if options["near_duplicates"]:
                signatures.append(duplicates.signature_of(part))
    arrays = {"entries": np.array(entries, duplicates.ENTRY), "signatures": np.array(signatures, np.uint32)}
    return {"samples": b"".join(lines), "report": report, **arrays}


def _parts(sample: dict, fraction: float, fixed: int) -> list[tuple[int, dict]]:
    """A long plain text is held out at the end of its file; anything else is one part (side 0: `decide` chooses)."""
    begin, end = sample.pop("span", (0.0, 1.0))
    if fixed or not fraction or end - begin == 1 and len(sample.get("text", "")) <= CUT_BY_POSITION:
        return [(fixed, sample)]
    cut = round(len(sample["text"]) * min(1, max(0, (1 - fraction - begin) / (end - begin))))
    parts = ((TRAIN, sample["text"][:cut]), (VALIDATION, sample["text"][cut:]))
    return [(split, {**sample, "text": text}) for split, text in parts if text]


def _folded(sample: dict) -> tuple[str, int, int]:
    """The whole text, folded; hashes of all before the last answer (0: none) and of the first question."""
    if "text" in sample:
        folded = clean.fold(sample["text"])
        return folded, 0, clean.hash64(folded)
    texts = [clean.fold(message["content"]) for message in sample["messages"]]
    question = next((t for t, m in zip(texts, sample["messages"]) if m["role"] == "user"), "")
    share = clean.hash64(question)
    prompt = share if len(texts) == 2 else clean.hash64("\n".join(texts[:-1]))
    return "\n".join(texts), prompt, share


class Collection:
    """The cleaned samples of one stage, written down as they come, with what is known of each and what was counted. As
    a context manager it removes its three files at the end; `distribute` has copied out of them what stays."""

    def __init__(self, stage: dict, options: dict, folder: str):
        self.stage, self.options, self.folder = stage["name"], options, folder
        # Explicit validation sources come first, so that a duplicate leaves the training set, not the held-out one.
        fixed = [VALIDATION] * len(stage["validation"]) + [0] * len(stage["data"])
        self.sources = list(zip(stage["validation"] + stage["data"], fixed))
        self.held_out = 0.0 if stage["validation"] else options["validation_fraction"]
        self.report = {name_of(source): tally.empty() for source, _ in self.sources}
        for source, _ in self.sources:
            left: dict[str, str] = {}
            if source["path"]:
                reading.files_of(source["path"], options["data_root"], left)
            for file, why in left.items():
                tally.count(self.report[name_of(source)]["skipped"], why, [os.path.basename(file), "", ""])
        self.files = {}
        for name in ("samples", "entries", "signatures"):
            self.files[name] = open(os.path.join(folder, f"{stage['name']}.{name}"), "w+b")

    def __enter__(self) -> "Collection":
        return self

    def __exit__(self, *_) -> None:
        for file in self.files.values():
            file.close()
            os.remove(file.name)

    def add(self, number: int, part: dict) -> None:
        """Write down what `cleaned` found in a batch of the source of this number."""
        part["entries"]["source"] = number
        for name, file in self.files.items():
            file.write(part[name])
        name = name_of(self.sources[number][0])
        tally.add(self.report[name], part["report"])
        tally.check_bad(name, self.report[name], self.options, at_least=1000)

    def entries(self) -> np.ndarray:
        """What is known of every sample: [N] of `duplicates.ENTRY`."""
        for file in self.files.values():
            file.flush()
        for name, counts in self.report.items():
            tally.check_bad(name, counts, self.options)
        path = self.files["entries"].name
        return np.memmap(path, duplicates.ENTRY, mode="r") if os.path.getsize(path) else np.zeros(0, duplicates.ENTRY)

    def distribute(self, split: np.ndarray, why: np.ndarray, first: np.ndarray) -> dict:
        """Copy each sample to its side, `<folder>/<stage>.<side>/samples.jsonl`, and return what was kept and dropped.
        split, why, first: as `duplicates.decide` gives them."""
        entries, samples = self.entries(), self.files["samples"]
        # A weight of 2.5: twice, and for half of the samples, chosen by their hash, a third time. Held-out ones once.
        times = (split > 0).astype(np.uint8)
        for number, (source, _) in enumerate(self.sources):
            if source["weight"] != 1:
                mine = (entries["source"] == number) & (split == TRAIN)
                times[mine] = int(source["weight"]) + (entries["mark"][mine] / 2.0**64 < source["weight"] % 1)
        numbers = [list(self.report).index(name_of(source)) for source, _ in self.sources]
        names = np.array(numbers, dtype=np.uint16)[entries["source"]]
        begins = np.concatenate([[0], np.cumsum(entries["length"], dtype=np.int64)])

        def sample(i) -> dict:
            samples.seek(begins[i])
            return json.loads(samples.read(entries["length"][i]))

        for i, counts in enumerate(self.report.values()):
            counts["kept"] += int(entries["counts"][(names == i) & (times > 0)].sum())
            for code, (kind, reason) in REASONS.items():
                found = np.flatnonzero((why == code) & (names == i))
                if len(found):
                    examples = [_pair(sample(at), sample(first[at])) for at in found[:3]]
                    counts[kind][reason] = {"count": len(found), "examples": examples}
        folders = {side: os.path.join(self.folder, f"{self.stage}.{name}") for name, side in SPLITS.items()}
        _copy(samples, split, times, folders)
        tally.check_kept(self.stage, self.report, anything=bool((split == TRAIN).any()))
        chats = (split == TRAIN) & (entries["prompt"] > 0)
        wanted = [name in (self.options["join"]["sources"] or self.report) for name in self.report]
        pools = [np.flatnonzero(chats & (names == i)) for i in np.flatnonzero(wanted)]
        with open(os.path.join(folders[TRAIN], "samples.jsonl"), "ab") as file:
            joined = map(file.write, _joined([pool for pool in pools if len(pool)], self.options["join"], sample))
            return {"sources": self.report, "joined": sum(1 for _ in joined)}


def _joined(pools: list[np.ndarray], join: dict, sample: Callable) -> Iterator[bytes]:
    """Conversations put together from samples: what is learned as a single question is to be answered late in a
    chat, too. pools: of each source the samples, which `sample` reads; a part comes from any source with equal chance.
    Parts with other system prompts than the first's are left out."""
    draw, count = random.Random(JOIN_SEED), round(sum(map(len, pools)) * join["share"] / (1 - join["share"]))
    for number in range(count):
        drawn = {int(draw.choice(draw.choice(pools))) for _ in range(draw.randint(2, join["turns"]))}
        parts = [sample(i)["messages"] for i in draw.sample(sorted(drawn), len(drawn))]
        system = [m for m in parts[0] if m["role"] == "system"]
        alike = [part[len(system) :] for part in parts if [m for m in part if m["role"] == "system"] == system]
        yield TO_JSON({"source": "joined", "line": number + 1, "messages": sum(alike, system)}).encode() + b"\n"


def _pair(sample: dict, earlier: dict) -> list[str]:
    """A sample and the one that it is like, as an example in the report."""
    where = f"{os.path.basename(sample['source'])}:{sample['line']}"
    this, other = (" ".join(texts_of(s))[:80] for s in (sample, earlier))
    return [where, this, f"{earlier['source']}:{earlier['line']}: {other}"]


def _copy(samples, split: np.ndarray, times: np.ndarray, folders: dict[int, str]) -> None:
    """Copy each line to its side, as often as `times` says."""
    outputs = {}
    for number, folder in folders.items():
        os.makedirs(folder)
        outputs[number] = open(os.path.join(folder, "samples.jsonl"), "wb")
    samples.seek(0)
    for line, side, often in zip(samples, split.tolist(), times.tolist()):
        if often:
            outputs[side].write(line * often)
    for file in outputs.values():
        file.close()
