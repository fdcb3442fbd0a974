"""Samples to token shards: render, cut what is too long into windows, pack windows into rows.

A shard is a folder with

    tokens.bin      uint16 or uint32, documents one behind the other, each opened by `<s>`
    mask.bin        uint8, 1 where the token is supervised
    documents.npy   per document: offset, length, source, line
    order.npy, rows.npy     which documents share a row: row r holds order[rows[r] : rows[r + 1]]

On paper, 10 billion tokens in documents of 500: 20 GB of tokens (30 with a vocabulary above 65,536: 40) and 10 GB of
mask, read where they lie; 20 million index entries of 24 bytes (480 MB) and 8 bytes of order each (160 MB), mapped
too; shuffling an epoch of 20 million rows at context 512 takes a permutation of 160 MB. Packing holds the lengths
of a million documents at a time.
"""

import array
import json
import os
from collections import Counter
from collections.abc import Iterator

import numpy as np

from tokenizer import Tokenizer
from zerochat.preparation import augment
from zerochat.preparation.gather import parallel, processes_for

DOCUMENT = np.dtype([("offset", "<u8"), ("length", "<u4"), ("source", "<u4"), ("line", "<u8")])
JOB = 2**22  # bytes of samples that a process takes at once
BLOCK = 2**20  # documents packed together: more would fill rows no better
FROM_JSON = json.JSONDecoder().raw_decode
_state: dict = {}  # a process's tokenizer and settings, see `_start`


def windows(sample: dict, tokenizer: Tokenizer, context: int, overlap: int = 1):
    """Cut a sample into (ids, mask) documents of at most `context` tokens; also returns how many supervised tokens
    are lost, and how many exchanges did not fit whole.

    A plain document is cut anywhere; each piece opens with `<s>` and repeats `overlap` tokens of the piece
    before as unsupervised context, so that every token is predicted exactly once. A conversation is cut
    between exchanges, each window keeping the system message (one of more than half the context is left out).
    An exchange that alone is too long loses the middle of its question, then goes on in further windows.
    """
    ids, mask = tokenizer.render(sample)
    if len(ids) <= context:
        return [(ids, mask)], 0, 0
    if "text" in sample:
        pieces, begin = [], 1
        while begin < len(ids):
            repeat = min(overlap, begin - 1) if begin > 1 else 0
            end = begin + context - 1 - repeat
            pieces.append(([ids[0], *ids[begin - repeat : end]], [False] * (1 + repeat) + mask[begin:end]))
            begin = end
        return pieces, 0, 0

    if tokenizer.template:  # somebody else's: its turns have no marker of their own
        return tokenizer.template.windows(sample["messages"], context)
    turns = [1]  # where turns begin: behind the end of another, a token that no text ever becomes
    while (begin := ids.index(tokenizer.end_id, turns[-1]) + 1) < len(ids):
        turns.append(begin)
    begin = turns[1] if ids[1] == tokenizer.role_ids["system"] else 1
    head = begin if begin <= context // 2 else 1
    starts = [i for i in turns if i > begin and ids[i] == tokenizer.role_ids["user"]]
    groups, used = [], context
    for start, end in zip([begin, *starts], [*starts, len(ids)]):
        if used + end - start > context:
            groups.append([start, end])
            used = head
        groups[-1][1] = end
        used += end - start
    pieces, cut = [], 0
    for start, end in groups:
        cut += head + end - start > context
        if any(mask[start:end]):
            pieces += _long_exchange(ids[:head] + ids[start:end], mask[:head] + mask[start:end], head, context)
    return pieces, sum(mask) - sum(sum(mask) for _, mask in pieces), cut


def _long_exchange(ids: list[int], mask: list[bool], head: int, context: int) -> list[tuple[list, list]]:
    """One exchange behind `head` tokens as windows: each has the question, its middle left out where it takes more
    than half the context or the answer leaves it less, some of the answer before, unsupervised, and the next part."""
    first = mask.index(True)  # the answer's first token; the question lies between `head` and it
    keep = max(context // 2, context - (len(ids) - first))
    if first > keep:
        front = head + 1 + (keep - head) // 2
        back = first - (keep - front)
        ids, mask, first = ids[:front] + ids[back:], mask[:front] + mask[back:], keep
    pieces, begin = [(ids[:context], mask[:context])], context
    while begin < len(ids):
        again = min(context // 8, begin - first)
        end = begin + context - first - again
        if any(mask[begin:end]):
            pieces.append((ids[:first] + ids[begin - again : end], [False] * (first + again) + mask[begin:end]))
        begin = end
    return pieces


def pack(lengths: np.ndarray, context: int) -> tuple[np.ndarray, np.ndarray]:
    """Best-fit decreasing: each document, longest first, goes where the least room is left over.

    lengths [N] -> order [N] and rows [R + 1]; row r holds documents order[rows[r] : rows[r + 1]].
    """
    order, counts = [np.zeros(0, dtype=np.int64)], [0]
    for begin in range(0, len(lengths), BLOCK):
        contents = _pack_block(lengths[begin : begin + BLOCK].astype(np.int64), context)
        order.append(np.array([document for row in contents for document in row], dtype=np.int64) + begin)
        counts += [len(row) for row in contents]
    return np.concatenate(order), np.cumsum(counts, dtype=np.int64)


def _pack_block(lengths: np.ndarray, context: int) -> list[list[int]]:
    open_rows: list[list[int]] = [[] for _ in range(context + 1)]  # by room left
    rooms = 0  # bit r is set where open_rows[r] is not empty
    contents: list[list[int]] = []
    for document in np.argsort(-lengths, kind="stable").tolist():
        length = int(lengths[document])
        fitting = rooms >> length
        if not fitting:
            row, room = len(contents), context
            contents.append([])
        else:
            room = length + (fitting & -fitting).bit_length() - 1
            row = open_rows[room].pop()
            if not open_rows[room]:
                rooms ^= 1 << room
        contents[row].append(document)
        if room > length:
            open_rows[room - length].append(row)
            rooms |= 1 << (room - length)
    return contents


def samples(folder: str) -> Iterator[dict]:
    with open(os.path.join(folder, "samples.jsonl"), encoding="utf-8") as file:
        yield from map(json.loads, file)


def write_shard(folder: str, tokenizer_folder: str, config: dict, loss_on: str, training: bool) -> dict:
    """Tokenize `<folder>/samples.jsonl` over processes and write the shard beside it; returns its figures.

    With augmentation the training shard holds `variants` versions of every sample, the rows of one behind those of
    the other and equally many of each (the shorter ones end in empty rows): epoch e reads version e mod `variants`.
    """
    context, augmentation = config["model"]["max_position_embeddings"], config["data"]["augment"]
    variants = augmentation["variants"] if training else 0
    overlap = 1 if training else config["data"]["validation_overlap"]
    path = os.path.join(folder, "samples.jsonl")
    dtype = np.dtype("u2" if len(Tokenizer(tokenizer_folder)) <= 2**16 else "u4")
    names: dict[str, int] = {}
    documents, packed, stats, tokens_so_far, documents_so_far = [], [], Counter(), 0, 0
    settings = (tokenizer_folder, context, overlap, loss_on, augmentation, config["seed"], dtype.char)
    with (
        open(os.path.join(folder, "tokens.bin"), "wb") as tokens,
        open(os.path.join(folder, "mask.bin"), "wb") as masks,
    ):
        for variant in range(max(1, variants)):
            begin = len(documents)
            jobs = ((path, start, end, variant if variants else None) for start, end in _ranges(path))
            for ids, mask, found, local, counted in parallel(
                _tokenize, jobs, processes_for(config["data"], os.path.getsize(path)), _start, settings
            ):
                tokens.write(ids)
                masks.write(mask)
                numbers = np.array([names.setdefault(name, len(names)) for name in local] + [0])
                found["source"] = numbers[found["source"]]
                found["offset"] += tokens_so_far
                tokens_so_far += len(ids) // dtype.itemsize
                documents.append(found)
                stats.update(counted)
            lengths = np.concatenate([np.zeros(0, np.int64), *(part["length"] for part in documents[begin:])])
            order, rows = pack(lengths, context)
            packed.append((order + documents_so_far, rows))
            documents_so_far += len(lengths)
    most = max(len(rows) for _, rows in packed) - 1
    order = np.concatenate([order for order, _ in packed])
    rows, behind = [np.zeros(1, np.int64)], 0
    for part, ends in packed:
        rows.append(np.pad(ends[1:], (0, most + 1 - len(ends)), constant_values=ends[-1]) + behind)
        behind += len(part)
    arrays = {
        "documents": np.concatenate([np.zeros(0, DOCUMENT), *documents]),
        "order": order,
        "rows": np.concatenate(rows),
    }
    for name, values in arrays.items():
        np.save(os.path.join(folder, name + ".npy"), values)
    pad_id = Tokenizer(tokenizer_folder).pad_id
    meta = {"context": context, "dtype": dtype.str, "pad_id": pad_id, "sources": list(names)}
    with open(os.path.join(folder, "meta.json"), "w", encoding="utf-8") as file:
        json.dump({**meta, "variants": variants} if variants else meta, file)
    efficiency = stats["tokens"] / max(1, sum(len(rows) - 1 for _, rows in packed) * context)
    histograms = {
        name: {key[1]: count for key, count in stats.items() if isinstance(key, tuple) and key[0] == name}
        for name in ("length", "turns")
    }
    return {
        **{k: int(stats[k]) for k in ("samples", "lost", "windowed", "truncated", "tokens", "supervised")},
        "documents": documents_so_far,
        "rows": most,
        "variants": variants,
        "packing_efficiency": round(efficiency, 4),
        "histograms": histograms,
    }


def _ranges(path: str) -> Iterator[tuple[int, int]]:
    """Byte ranges of about JOB bytes that end with a line."""
    with open(path, "rb") as file:
        begin, size = 0, os.path.getsize(path)
        while begin < size:
            file.seek(min(size, begin + JOB))
            file.readline()
            yield begin, file.tell()
            begin = file.tell()


def _start(settings: tuple) -> None:
    _state["tokenizer"], _state["settings"] = Tokenizer(settings[0]), settings[1:]


def _tokenize(job: tuple) -> tuple:
    """One range of samples -> tokens and mask as bytes, documents, the names of their sources, figures."""
    path, begin, end, variant = job
    tokenizer, (context, overlap, loss_on, augmentation, seed, kind) = _state["tokenizer"], _state["settings"]
    with open(path, "rb") as file:
        file.seek(begin)
        lines = file.read(end - begin).decode().split("\n")[:-1]  # not splitlines, which would end lines at U+2028
    ids, masks, documents = array.array(kind), bytearray(), []
    names: dict[str, int] = {}
    stats, lengths, turns = Counter(), [], []
    for line in lines:
        sample = FROM_JSON(line)[0]
        source = names.setdefault(sample["source"], len(names))
        versions = [(sample, tokenizer)]
        if variant is not None:
            versions = augment.versions(sample, tokenizer, augmentation, seed, variant)
        for sample, renderer in versions:
            pieces, lost, cut = windows(sample, renderer, context, overlap)
            if len(pieces) > 1 or cut:
                stats["lost"] += lost
                stats["windowed"] += len(pieces) > 1
                stats["truncated"] += cut > 0
            before = len(ids)
            for piece, mask in pieces:
                if loss_on == "all":
                    mask = [False] + [True] * (len(piece) - 1)
                documents.append((len(ids), len(piece), source, sample["line"]))
                ids.fromlist(piece)
                masks += bytes(mask)
            lengths.append(len(ids) - before)
            turns.append(len(sample.get("messages", "")) // 2)
    stats.update(samples=len(lengths), tokens=len(ids), supervised=masks.count(1))
    stats.update(("length", n.bit_length()) for n in lengths)
    stats.update(("turns", n.bit_length()) for n in turns)
    return ids.tobytes(), bytes(masks), np.array(documents, dtype=DOCUMENT), list(names), stats
