"""Samples to token shards: render, cut what is too long into windows, pack windows into rows.

A shard is a folder with

    tokens.bin      uint16 or uint32, documents one after the other
    mask.bin        uint8, 1 where the token is supervised, 2 where it opens a document, else 0
    documents.npy   per document (a sample, or a window of one): offset, length, source, line
    order.npy, rows.npy     which documents share a row: row r holds order[rows[r] : rows[r + 1]]

All are mapped, none is read whole; docs/data.md says what 10 billion tokens take."""

import array
import json
import os
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from zerochat.files import write_json
from zerochat.preparation import augment
from zerochat.preparation.packing import CUT, SUPERVISED, opened, pack
from zerochat.preparation.parallel import parallel, processes_for

if TYPE_CHECKING:
    from tokenizer import Tokenizer

DOCUMENT = np.dtype([("offset", "<u8"), ("length", "<u4"), ("source", "<u4"), ("line", "<u8")])
JOB = 2**22  # bytes of samples that a process takes at once
FROM_JSON = json.JSONDecoder().raw_decode


def samples(folder: str) -> Iterator[dict]:
    """The cleaned samples of a shard's folder."""
    with open(os.path.join(folder, "samples.jsonl"), encoding="utf-8") as file:
        yield from map(json.loads, file)


def texts_of(sample: dict) -> list[str]:
    return [sample["text"]] if "text" in sample else [message["content"] for message in sample["messages"]]


def write_shard(folder: str, tokenizer: "Tokenizer", config: dict, loss_on: str, training: bool) -> dict:
    """Tokenize `<folder>/samples.jsonl` over processes and write the shard beside it; returns its figures. With
    augmentation the training shard holds `variants` versions of every sample, the rows of one after those of the other
    and equally many of each (the shorter ones end in empty rows): epoch e reads version e mod `variants`."""
    context, variants = config["model"]["max_position_embeddings"], config["data"]["augment"]["variants"] * training
    path, dtype = os.path.join(folder, "samples.jsonl"), np.dtype("u2" if len(tokenizer) <= 2**16 else "u4")
    processes, settings = processes_for(config["data"], os.path.getsize(path)), (config, loss_on, training, dtype.char)
    names: dict[str, int] = {}
    documents, packed, stats, tokens_so_far, documents_so_far = [np.zeros(0, DOCUMENT)], [], Counter(), 0, 0
    files = (os.path.join(folder, name) for name in ("tokens.bin", "mask.bin"))
    with open(next(files), "wb") as tokens, open(next(files), "wb") as masks:
        for variant in range(max(1, variants)):
            jobs = ((path, *span, variant if variants else None) for span in _spans(path))
            lengths = [np.zeros(0, np.int64)]
            for ids, mask, found, local, counted in parallel(_tokenize, jobs, processes, tokenizer, settings):
                tokens.write(ids)
                masks.write(mask)
                numbers = np.array([names.setdefault(name, len(names)) for name in local] + [0])
                found["source"] = numbers[found["source"]]
                found["offset"] += tokens_so_far
                tokens_so_far += len(ids) // dtype.itemsize
                documents.append(found)
                lengths.append(found["length"])
                stats.update(counted)
            order, rows = pack(np.concatenate(lengths), context)
            packed.append((order + documents_so_far, rows))
            documents_so_far += len(order)
    np.save(os.path.join(folder, "documents.npy"), np.concatenate(documents))
    np.save(os.path.join(folder, "order.npy"), np.concatenate([order for order, _ in packed]))
    most = max(len(rows) for _, rows in packed) - 1
    if training and not most:
        raise ValueError(f"{os.path.basename(folder)}: no answer begins within the context of {context} tokens")
    np.save(os.path.join(folder, "rows.npy"), _equally_many(most, packed))
    meta = {"context": context, "dtype": dtype.str, "pad_id": tokenizer.pad_id, "sources": list(names)}
    write_json(os.path.join(folder, "meta.json"), meta | ({"variants": variants} if variants else {}))
    shown = ("samples", "lost", "windowed", "tokens", "supervised", "characters", *CUT)
    figures: dict = {name: int(stats[name]) for name in shown}
    filled = stats["tokens"] / max(1, sum(len(rows) - 1 for _, rows in packed) * context)
    figures |= {"documents": documents_so_far, "rows": most, "variants": variants}
    return figures | {"packing_efficiency": round(filled, 4)}


def _equally_many(most: int, packed: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """The rows of all versions as one list, each version's filled up to `most` with empty ones."""
    rows, behind = [np.zeros(1, np.int64)], 0
    for order, ends in packed:
        rows.append(np.pad(ends[1:], (0, most + 1 - len(ends)), constant_values=ends[-1]) + behind)
        behind += len(order)
    return np.concatenate(rows)


def _spans(path: str) -> Iterator[tuple[int, int]]:
    """Byte ranges of about JOB bytes that end with a line."""
    with open(path, "rb") as file:
        begin, size = 0, os.path.getsize(path)
        while begin < size:
            file.seek(min(size, begin + JOB))
            file.readline()
            yield begin, file.tell()
            begin = file.tell()


def _tokenize(job: tuple, tokenizer: "Tokenizer", settings: tuple) -> tuple:
    """One range of samples -> tokens and mask as bytes, documents, the names of their sources, figures."""
    (path, begin, end, variant), (config, loss_on, training, kind) = job, settings
    context, augmentation = config["model"]["max_position_embeddings"], config["data"]["augment"]
    overlap = 1 if training else config["data"]["validation_overlap"]
    with open(path, "rb") as file:
        file.seek(begin)
        lines = file.read(end - begin).decode().split("\n")[:-1]  # not splitlines, which would end lines at U+2028
    ids, masks, documents = array.array(kind), bytearray(), []
    names: dict[str, int] = {}
    stats = Counter()
    for line in lines:
        sample = FROM_JSON(line)[0]
        source, encode = names.setdefault(sample["source"], len(names)), None
        if variant is not None:
            sample, encode = augment.version(sample, tokenizer, augmentation, config["seed"], variant)
        pieces, lost, cut = tokenizer.windows(sample, context, overlap, encode)
        if len(pieces) > 1 or cut:
            stats.update(cut, lost=lost, windowed=len(pieces) > 1)
        for piece, mask in pieces:
            if loss_on == "all":
                mask = [False] + [True] * (len(piece) - 1)
            documents.append((len(ids), len(piece), source, sample["line"]))
            ids.fromlist(piece)
            masks += bytes(opened(mask))
        stats["characters"] += sum(map(len, texts_of(sample)))
    stats.update(samples=len(lines), tokens=len(ids), supervised=masks.count(SUPERVISED))
    return ids.tobytes(), bytes(masks), np.array(documents, dtype=DOCUMENT), list(names), stats
