"""Raw conversations in, packed token batches out: read, clean, deduplicate, split, tokenize, pack.

    python data.py --config configs/small.json      # prepare, and say what was kept and dropped
    python data.py --config configs/small.json --show 3     # and look at what the model will see

Prepared data lie in `<out_dir>/data/<hash of everything that made them>/`: per stage and split the cleaned
samples as JSON lines and a shard

    tokens.bin      uint16 or uint32, documents one behind the other, each opened by `<s>`
    mask.bin        uint8, 1 where the token is supervised
    documents.npy   per document: offset, length, source, line
    order.npy, rows.npy     which documents share a row: row r holds order[rows[r] : rows[r + 1]]

Memory: tokens stay on disk; of a set of 10 billion tokens in documents of 500, 20 million index entries of
24 bytes (480 MB) and 8 bytes of order each (160 MB) are mapped, not read. Left out on purpose: parallel
preparation, near-duplicates, augmentation.
"""

import argparse
import contextlib
import functools
import glob
import hashlib
import json
import os
import shutil
import time
from collections import Counter
from collections.abc import Iterator

import numpy as np
import torch

import clean
import sources
from config import load_config
from tokenizer import Tokenizer, train_tokenizer

DOCUMENT = np.dtype([("offset", "<u8"), ("length", "<u4"), ("source", "<u4"), ("line", "<u8")])
SPLITS = ("train", "validation")


def windows(sample: dict, tokenizer: Tokenizer, context: int, overlap: int = 1):
    """Cut a sample into (ids, mask) documents of at most `context` tokens; also returns supervised tokens lost.

    A plain document is cut anywhere; each piece opens with `<s>` and repeats `overlap` tokens of the piece
    before as unsupervised context, so that every token is predicted exactly once. A conversation is cut
    between exchanges, each window keeping the system message; an exchange that alone is too long loses the
    middle of its question first, then the end of its answer (and its end marker, or the model would learn
    to stop in the middle of a sentence).
    """
    ids, mask = tokenizer.render(sample)
    if len(ids) <= context:
        return [(ids, mask)], 0
    if "text" in sample:
        pieces, begin = [], 1
        while begin < len(ids):
            repeat = min(overlap, begin - 1) if begin > 1 else 0
            end = begin + context - 1 - repeat
            pieces.append(([ids[0], *ids[begin - repeat:end]], [False] * (1 + repeat) + mask[begin:end]))
            begin = end
        return pieces, 0

    if tokenizer.template:
        return tokenizer.template.windows(sample["messages"], context)[:2]
    supervised = sum(mask)
    messages = sample["messages"]
    system, messages = messages[:messages[0]["role"] == "system"], messages[messages[0]["role"] == "system":]
    starts = [i for i, message in enumerate(messages) if message["role"] == "user"]
    exchanges = [messages[a:b] for a, b in zip(starts, [*starts[1:], len(messages)])]
    head = len(tokenizer.render(system)[0])
    sizes = [len(tokenizer.render(exchange)[0]) - 1 for exchange in exchanges]
    groups, used = [], context
    for exchange, size in zip(exchanges, sizes):
        if used + size > context:
            groups.append(list(system))
            used = head
        groups[-1] += exchange
        used += size
    pieces = []
    for group in groups:
        ids, mask = tokenizer.render(group)
        if len(ids) > context:
            first = mask.index(True)  # the answer's first token; the question lies between `head` and it
            keep = max(context // 2, context - (len(ids) - first))
            if first > keep:
                front, back = head + 1 + (keep - head) // 2, first - (keep - head - 1 - (keep - head) // 2)
                ids, mask = ids[:front] + ids[back:], mask[:front] + mask[back:]
        if any(mask[:context]):
            pieces.append((ids[:context], mask[:context]))
    return pieces, supervised - sum(sum(mask) for _, mask in pieces)


def pack(lengths: np.ndarray, context: int) -> tuple[np.ndarray, np.ndarray]:
    """Best-fit decreasing: each document, longest first, goes where the least room is left over.

    lengths [N] -> order [N] and rows [R + 1]; row r holds documents order[rows[r] : rows[r + 1]].
    """
    open_rows: list[list[int]] = [[] for _ in range(context + 1)]  # by room left
    contents: list[list[int]] = []
    for document in np.argsort(-lengths.astype(np.int64), kind="stable"):
        length = int(lengths[document])
        room = next((room for room in range(length, context + 1) if open_rows[room]), None)
        if room is None:
            row, room = len(contents), context
            contents.append([])
        else:
            row = open_rows[room].pop()
        contents[row].append(int(document))
        open_rows[room - length].append(row)
    order = np.array([document for row in contents for document in row], dtype=np.int64)
    return order, np.cumsum([0] + [len(row) for row in contents], dtype=np.int64)


class PackedData:
    """A shard as rows of `context` tokens, read where it lies."""

    def __init__(self, folder: str):
        with open(os.path.join(folder, "meta.json"), encoding="utf-8") as file:
            self.meta = json.load(file)
        self.context, self.pad_id = self.meta["context"], self.meta["pad_id"]
        if os.path.getsize(os.path.join(folder, "tokens.bin")):  # an empty file cannot be mapped
            self.tokens = np.memmap(os.path.join(folder, "tokens.bin"), dtype=self.meta["dtype"], mode="r")
            self.mask = np.memmap(os.path.join(folder, "mask.bin"), dtype=np.uint8, mode="r")
        self.documents = np.load(os.path.join(folder, "documents.npy"), mmap_mode="r")
        self.order = np.load(os.path.join(folder, "order.npy"), mmap_mode="r")
        self.rows = np.load(os.path.join(folder, "rows.npy"), mmap_mode="r")

    def __len__(self) -> int:
        return len(self.rows) - 1

    def batch(self, rows) -> tuple[torch.Tensor, torch.Tensor]:
        """ids [B, T] int64 and loss mask [B, T] bool of these rows; a row number below 0 is a row of padding."""
        ids = np.full((len(rows), self.context), self.pad_id, dtype=np.int64)
        mask = np.zeros((len(rows), self.context), dtype=bool)
        for i, row in enumerate(rows):
            at = 0
            for document in self.of_row(row):
                span = slice(int(document["offset"]), int(document["offset"] + document["length"]))
                ids[i, at:at + document["length"]] = self.tokens[span]
                mask[i, at:at + document["length"]] = self.mask[span]
                at += int(document["length"])
        return torch.from_numpy(ids), torch.from_numpy(mask)

    def of_row(self, row: int) -> np.ndarray:
        return self.documents[self.order[self.rows[row]:self.rows[row + 1]]] if row >= 0 else self.documents[:0]

    def describe(self, row: int) -> list[str]:
        """Where a row's conversations come from, as `source:line`."""
        return [f"{self.meta['sources'][d['source']]}:{d['line']}" for d in self.of_row(row)]


@functools.lru_cache(maxsize=4)
def _shuffled(rows: int, seed: int, epoch: int) -> np.ndarray:
    return np.random.default_rng([seed, epoch]).permutation(rows)


def global_batch(rows: int, batch_size: int, seed: int, step: int) -> np.ndarray:
    """The row numbers of one optimizer step: a pure function of (seed, step), whoever computes them.

    Epoch e visits all rows in the order of a permutation seeded by (seed, e); step s takes places
    s * batch_size ... of the epochs put end to end, so each row is seen once before any is seen again.
    """
    places = np.arange(step * batch_size, (step + 1) * batch_size)
    return np.array([_shuffled(rows, seed, int(place // rows))[place % rows] for place in places])


# --- preparation --------------------------------------------------------------------------------------------


def prepare(config: dict, log=print) -> str:
    """Prepare the data of every stage, once, and return their folder; a second call finds them and is quick.

    Everything is written into a `.tmp` folder that is renamed when complete, so a killed preparation
    leaves nothing that could be mistaken for a finished one.
    """
    clean.check_rules(config["data"]["rules"])
    root = os.path.join(config["out_dir"], "data")
    folder = os.path.join(root, fingerprint(config))
    if os.path.isdir(folder):
        return folder
    for old in glob.glob(os.path.join(root, "*")):
        shutil.rmtree(old)  # made by another config or killed half-way
    building = folder + ".tmp"
    os.makedirs(building)
    begun, report = time.monotonic(), {}
    try:
        for stage in config["stages"]:
            report[stage["name"]] = _write_samples(stage, config["data"], building)
        tokenizer = _tokenizer(config, building)
        for stage in config["stages"]:
            for split in SPLITS:
                name = f"{stage['name']}.{split}"
                report[stage["name"]][split] = _write_shard(
                    os.path.join(building, name), tokenizer, config, stage["loss_on"],
                    config["data"]["validation_overlap"] if split == "validation" else 1)
        with open(os.path.join(building, "report.json"), "w", encoding="utf-8") as file:
            json.dump({"seconds": time.monotonic() - begun, "stages": report}, file, indent=1, ensure_ascii=False)
    except BaseException:
        shutil.rmtree(building)
        raise
    os.rename(building, folder)
    log(describe(report))
    return folder


def fingerprint(config: dict) -> str:
    """Hash of all that the prepared data depend on: settings, the files read (size and time), this code."""
    stages = [{key: stage[key] for key in ("name", "data", "validation", "loss_on")} for stage in config["stages"]]
    files = [[path, os.path.getsize(path), os.stat(path).st_mtime_ns]
             for stage in stages for source in stage["data"] + stage["validation"] if source["path"]
             for path in sources.files_of(source["path"], config["data"]["data_root"])]
    here = os.path.dirname(os.path.abspath(__file__))
    code = [open(os.path.join(here, name), "rb").read().hex()
            for name in ("data.py", "sources.py", "clean.py", "tokenizer.py", "template.py", "demo_data.py")]
    everything = [stages, files, code, config["data"], config["tokenizer"], config["model"]["max_position_embeddings"]]
    return hashlib.sha256(json.dumps(everything).encode()).hexdigest()[:16]


def _write_samples(stage: dict, options: dict, folder: str) -> dict:
    """Read, clean, deduplicate and split one stage's sources into `<stage>.train.jsonl` and `.validation.jsonl`."""
    report: dict = {"sources": {}}
    seen: set[bytes] = set()
    outputs = {split: os.path.join(folder, f"{stage['name']}.{split}", "samples.jsonl") for split in SPLITS}
    with contextlib.ExitStack() as stack:
        files = {}
        for split, path in outputs.items():
            os.makedirs(os.path.dirname(path))
            files[split] = stack.enter_context(open(path, "w", encoding="utf-8"))
        kept = Counter()
        # Explicit validation sources come first, so that a duplicate leaves the training set, not the held-out one.
        for fixed, source in [("validation", s) for s in stage["validation"]] + [(None, s) for s in stage["data"]]:
            name = source["path"] or f"demo:{source['demo']}" + (f":{source['split']}" if source["split"] else "")
            counts = report["sources"].setdefault(name, {"read": 0, "kept": 0, "changed": {}, "dropped": {}})

            def drop(reason, where):
                entry = counts["dropped"].setdefault(reason, {"count": 0, "examples": []})
                entry["count"] += 1
                entry["examples"] = (entry["examples"] + [where])[:3]

            for path, line, sample in sources.read(source, options["data_root"]):
                where = f"{os.path.basename(path)}:{line}"
                counts["read"] += 1
                if isinstance(sample, str):
                    drop(sample, where)
                    continue
                sample, notes = clean.clean(sample, options["rules"])
                if sample is None:
                    drop(notes[0], where)
                    continue
                plain = "text" in sample
                whole = sample["text"] if plain else "\n".join(m["content"] for m in sample["messages"])
                mark = clean.fingerprint(whole)
                if options["deduplicate"] and mark in seen:
                    drop("duplicate", where)
                    continue
                seen.add(mark)
                for note in notes:
                    counts["changed"][note] = counts["changed"].get(note, 0) + 1
                counts["kept"] += 1
                held_out = 0.0 if stage["validation"] else options["validation_fraction"]
                for split, part in [(fixed, sample)] if fixed else _split(sample, held_out):
                    kept[split] += 1
                    files[split].write(json.dumps({"source": name, "line": line, **part}, ensure_ascii=False) + "\n")
    if not kept["train"]:
        raise ValueError(f"stage {stage['name']}: no sample is left to train on after cleaning; "
                         f"dropped: {json.dumps({n: c['dropped'] for n, c in report['sources'].items()})}")
    return report


def _split(sample: dict, fraction: float) -> list[tuple[str, dict]]:
    """The split a sample belongs to, by hash of its first question, so that no prompt is on both sides and
    a sample stays where it is when data are added; a plain text of over 10,000 characters is cut by position."""
    if "text" in sample and len(sample["text"]) > 10_000 and fraction:
        cut = int(len(sample["text"]) * (1 - fraction))
        return [("train", {**sample, "text": sample["text"][:cut]}),
                ("validation", {**sample, "text": sample["text"][cut:]})]
    key = sample.get("text") or next(m["content"] for m in sample["messages"] if m["role"] == "user")
    share = int.from_bytes(clean.fingerprint(key)[:8], "big") / 2**64
    return [("validation" if share < fraction else "train", sample)]


def _samples(folder: str) -> Iterator[dict]:
    with open(os.path.join(folder, "samples.jsonl"), encoding="utf-8") as file:
        yield from map(json.loads, file)


def _tokenizer(config: dict, building: str) -> Tokenizer:
    options = dict(config["tokenizer"])
    folder, chat_template = options.pop("path"), options.pop("chat_template")
    if folder:
        tokenizer = Tokenizer(folder, chat_template)
        tokenizer.save(building)
        return tokenizer
    shards = [os.path.join(building, f"{stage['name']}.train") for stage in config["stages"]]
    size = sum(os.path.getsize(os.path.join(shard, "samples.jsonl")) for shard in shards)
    share = min(1.0, options["max_train_chars"] / size)
    chosen = np.random.default_rng(config["seed"])

    def texts():
        for shard in shards:
            for sample in _samples(shard):
                for text in [sample["text"]] if "text" in sample else [m["content"] for m in sample["messages"]]:
                    # A book is one sample, so what the cap leaves out is chosen by line.
                    yield from (line for line in text.split("\n") if share == 1.0 or chosen.random() < share)

    return train_tokenizer(texts(), building, **options)


def _write_shard(folder: str, tokenizer: Tokenizer, config: dict, loss_on: str, overlap: int) -> dict:
    context = config["model"]["max_position_embeddings"]
    dtype = np.dtype("<u2" if len(tokenizer) <= 2**16 else "<u4")
    documents, names, stats = [], {}, Counter()
    with open(os.path.join(folder, "tokens.bin"), "wb") as tokens, open(os.path.join(folder, "mask.bin"), "wb") as masks:
        for sample in _samples(folder):
            pieces, lost = windows(sample, tokenizer, context, overlap)
            stats["samples"] += 1
            stats["lost"] += lost
            stats["windowed"] += len(pieces) > 1
            for ids, mask in pieces:
                if loss_on == "all":
                    mask = [False] + [True] * (len(ids) - 1)
                documents.append((stats["tokens"], len(ids), names.setdefault(sample["source"], len(names)), sample["line"]))
                tokens.write(np.array(ids, dtype=dtype).tobytes())
                masks.write(np.array(mask, dtype=np.uint8).tobytes())
                stats["tokens"] += len(ids)
                stats["supervised"] += sum(mask)
    documents = np.array(documents, dtype=DOCUMENT)
    order, rows = pack(documents["length"], context)
    for name, array in (("documents", documents), ("order", order), ("rows", rows)):
        np.save(os.path.join(folder, name + ".npy"), array)
    meta = {"context": context, "dtype": dtype.str, "pad_id": tokenizer.pad_id, "sources": list(names)}
    with open(os.path.join(folder, "meta.json"), "w", encoding="utf-8") as file:
        json.dump(meta, file)
    efficiency = stats["tokens"] / max(1, (len(rows) - 1) * context)
    return {**stats, "documents": len(documents), "rows": len(rows) - 1, "packing_efficiency": round(efficiency, 4)}


def describe(report: dict) -> str:
    """The report as text: what was read, kept, changed and dropped per source, and the size of each shard."""
    lines = []
    for stage, entry in report.items():
        lines.append(f"data of stage {stage}:")
        for source, counts in entry["sources"].items():
            lines.append(f"  {source}: {counts['kept']:,} of {counts['read']:,} kept")
            lines += [f"    dropped {d['count']:6,}  {reason} ({', '.join(d['examples'])})"
                      for reason, d in sorted(counts["dropped"].items(), key=lambda item: -item[1]["count"])]
            lines += [f"    changed {count:6,}  {rule}" for rule, count in counts["changed"].items()]
        for split in SPLITS:
            s = entry[split]
            if s["rows"]:
                lines.append(f"  {split}: {s['samples']:,} samples, {s['tokens']:,} tokens, "
                             f"{s['supervised'] / s['tokens']:.0%} supervised, {s['rows']:,} rows "
                             f"{s['packing_efficiency']:.1%} full" + (
                                 f"; {s['windowed']:,} cut into windows" if s["windowed"] else "") + (
                                 f", {s['lost'] / (s['lost'] + s['supervised']):.1%} of the supervised tokens lost"
                                 if s["lost"] else ""))
    return "\n".join(lines)


def show(folder: str, tokenizer: Tokenizer, count: int) -> None:
    """Print rows as the model sees them: supervised text green, document borders as `<s>`, padding left out."""
    data = PackedData(folder)
    for row in range(min(count, len(data))):
        ids, mask = data.batch([row])
        print(f"--- row {row}: {', '.join(data.describe(row))}")
        for token, supervised in zip(ids[0].tolist(), mask[0].tolist()):
            piece = tokenizer.pieces.id_to_piece(token).replace("\u2581", " ")
            if token != data.pad_id:
                print(f"\033[32m{piece}\033[0m" if supervised else piece, end="")
        print()


def main(argv=None) -> None:
    parser = argparse.ArgumentParser(description="prepare a config's data and report what was kept and dropped")
    parser.add_argument("--config", required=True)
    parser.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE")
    parser.add_argument("--show", type=int, default=0, metavar="N", help="print N packed rows of the last stage")
    args = parser.parse_args(argv)
    try:
        config = load_config(args.config, args.set)
        folder = prepare(config, log=lambda text: None)
        with open(os.path.join(folder, "report.json"), encoding="utf-8") as file:
            print(describe(json.load(file)["stages"]))
        if args.show:
            show(os.path.join(folder, f"{config['stages'][-1]['name']}.train"), Tokenizer(folder), args.show)
    except (ValueError, OSError) as error:
        raise SystemExit(f"error: {error}") from None


if __name__ == "__main__":
    main()
