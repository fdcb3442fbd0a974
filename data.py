"""Raw conversations in, packed token batches out: read, clean, deduplicate, split, tokenize, pack.

    python data.py --config configs/small.json              # prepare, and say what was kept and dropped
    python data.py --config configs/small.json --show 3     # and look at rows as the model will see them
    python data.py --inspect my.jsonl --config configs/small.json --html my.html    # look at a file

The way of a record: `reading` (bytes to records), `sources` (to conversations), `clean`, `gather` with
`duplicates` (what stays, and on which side of the split), `packing` (to token shards), and here to batches.
Prepared data lie in `<out_dir>/data/<hash of everything that made them>/`, a folder per stage and split, with the
cleaned samples as JSON lines and their shard, and `report.md`. Left out on purpose: preparing on several machines.
"""

import argparse
import fcntl
import functools
import glob
import hashlib
import json
import os
import shutil
import time

import numpy as np
import torch

from config import load_config
from tokenizer import Tokenizer, train_tokenizer
from zerochat.preparation import clean, duplicates, look, packing, reading
from zerochat.preparation.gather import SPLITS, gather
from zerochat.preparation.packing import pack, windows  # noqa: F401  (part of this file's interface)

VERSION = 1  # raised by hand whenever the same files and settings come out of preparation otherwise than before
SAMPLE_SEED = 1337  # of the tokenizer's sample; the run's seed orders batches and changes no text


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

        self.variants = self.meta.get("variants", 1)  # versions of every sample, made by augmentation

    def __len__(self) -> int:
        """Rows of one epoch."""
        return (len(self.rows) - 1) // self.variants

    def batch(self, rows) -> tuple[torch.Tensor, torch.Tensor]:
        """ids [B, T] int64 and loss mask [B, T] bool of these rows; a row number below 0 is a row of padding."""
        ids = np.full((len(rows), self.context), self.pad_id, dtype=np.int64)
        mask = np.zeros((len(rows), self.context), dtype=bool)
        for i, row in enumerate(rows):
            at = 0
            for document in self.of_row(row):
                span = slice(int(document["offset"]), int(document["offset"] + document["length"]))
                ids[i, at : at + document["length"]] = self.tokens[span]
                mask[i, at : at + document["length"]] = self.mask[span]
                at += int(document["length"])
        return torch.from_numpy(ids), torch.from_numpy(mask)

    def of_row(self, row: int) -> np.ndarray:
        return self.documents[self.order[self.rows[row] : self.rows[row + 1]]] if row >= 0 else self.documents[:0]

    def describe(self, row: int) -> list[str]:
        """Where a row's conversations come from, as `source:line`."""
        return [f"{self.meta['sources'][d['source']]}:{d['line']}" for d in self.of_row(row)]


@functools.lru_cache(maxsize=4)
def _shuffled(rows: int, seed: int, epoch: int) -> np.ndarray:
    return np.random.default_rng([seed, epoch]).permutation(rows)


def global_batch(rows: int, batch_size: int, seed: int, step: int, variants: int = 1) -> np.ndarray:
    """The row numbers of one optimizer step: a pure function of (seed, step), whoever computes them.

    Epoch e visits all rows in the order of a permutation seeded by (seed, e), in version e mod `variants`; step s
    takes places s * batch_size ... of the epochs put end to end, so each row is seen once before any is seen again.
    """
    places = np.arange(step * batch_size, (step + 1) * batch_size)
    return np.array(
        [_shuffled(rows, seed, int(place // rows))[place % rows] + place // rows % variants * rows for place in places]
    )


# --- preparation --------------------------------------------------------------------------------------------


def prepare(config: dict, log=print) -> str:
    """Prepare the data of every stage, once, and return their folder; a second call finds them and is quick.

    Everything is written into a `.tmp` folder that is renamed when complete, so a killed preparation
    leaves nothing that could be mistaken for a finished one.
    """
    clean.check_rules(config["data"]["rules"])
    folder = folder_of(config)
    if os.path.isdir(folder):
        return folder
    if config["data"]["near_duplicates"]:
        duplicates.library()  # wanting, it should be missed before an hour of cleaning
    for old in glob.glob(os.path.join(os.path.dirname(folder), "*")):
        shutil.rmtree(old)  # made by another config or killed half-way
    building = folder + ".tmp"
    os.makedirs(building)
    begun, report = time.monotonic(), {}
    try:
        for stage in config["stages"]:
            report[stage["name"]] = gather(stage, config["data"], building)
        tokenizer = _tokenizer(config, building)
        for stage in config["stages"]:
            for split in SPLITS:
                shard = os.path.join(building, f"{stage['name']}.{split}")
                report[stage["name"]][split] = packing.write_shard(
                    shard, building, config, stage["loss_on"], training=split == "train"
                )
        trained_on = [os.path.join(building, f"{stage['name']}.train") for stage in config["stages"]]
        whole = {
            "seconds": time.monotonic() - begun,
            "stages": report,
            "tokenizer": look.fertility(tokenizer, trained_on),
        }
        with open(os.path.join(building, "report.json"), "w", encoding="utf-8") as file:
            json.dump(whole, file, indent=1, ensure_ascii=False)
        with open(os.path.join(building, "report.md"), "w", encoding="utf-8") as file:
            file.write(look.report(whole))
    except BaseException:
        shutil.rmtree(building)
        raise
    os.rename(building, folder)
    log(look.summary(report))
    return folder


def claim(out_dir: str):
    """Lock `out_dir` for this run (the lock dies with the process); ValueError when another run holds it."""
    os.makedirs(out_dir, exist_ok=True)
    handle = os.open(out_dir, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ValueError(f"another run is writing to {out_dir}; wait for it or choose another out_dir") from None
    return handle


def folder_of(config: dict) -> str:
    """Where this config's prepared data are, or will be."""
    return os.path.join(config["out_dir"], "data", fingerprint(config))


def fingerprint(config: dict) -> str:
    """Hash of all that the prepared data depend on: settings, the files read (size and time), `VERSION`."""
    stages = [{key: stage[key] for key in ("name", "data", "validation", "loss_on")} for stage in config["stages"]]
    options = {key: value for key, value in config["data"].items() if key not in ("processes", "cache")}
    files = [
        [path, os.path.getsize(path), os.stat(path).st_mtime_ns]
        for stage in stages
        for source in stage["data"] + stage["validation"]
        if source["path"] and not reading.is_address(source["path"])
        for path in reading.files_of(source["path"], options["data_root"])
    ]
    everything = [
        VERSION,
        stages,
        files,
        options,
        config["tokenizer"],
        config["model"]["max_position_embeddings"],
        config["seed"] if options["augment"]["variants"] else None,
    ]
    return hashlib.sha256(json.dumps(everything).encode()).hexdigest()[:16]


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
    chosen = np.random.default_rng(SAMPLE_SEED)

    def texts():
        for shard in shards:
            for sample in packing.samples(shard):
                for text in [sample["text"]] if "text" in sample else [m["content"] for m in sample["messages"]]:
                    # A book is one sample, so what the cap leaves out is chosen by line.
                    yield from (line for line in text.split("\n") if share == 1.0 or chosen.random() < share)

    return train_tokenizer(texts(), building, **options)


def main(argv=None) -> None:
    parser = argparse.ArgumentParser(description="prepare a config's data and report what was kept and dropped")
    parser.add_argument("--config", help="what to prepare; with --inspect, whose tokenizer, context and rules to use")
    parser.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE")
    parser.add_argument("--show", type=int, default=0, metavar="N", help="print N packed rows of the last stage")
    parser.add_argument("--inspect", metavar="FILE", help="show a file's conversations as the model will see them")
    parser.add_argument("--limit", type=int, default=20, help="records to inspect")
    parser.add_argument("--html", metavar="OUT", help="write what is shown as one self-contained page")
    args = parser.parse_args(argv)
    lock = None
    try:
        config = load_config(args.config or look.SMALL, args.set)
        if args.inspect:
            print(look.inspect(args.inspect, args.limit, config, args.html))
            return
        if not args.config:
            parser.error("--config says what to prepare; --inspect FILE needs none")
        if not os.path.isdir(folder_of(config)):
            lock = claim(config["out_dir"])
        folder = prepare(config, log=lambda text: None)
        with open(os.path.join(folder, "report.json"), encoding="utf-8") as file:
            print(look.report(json.load(file)))
        print(f"written to {os.path.join(folder, 'report.md')}")
        if args.show:
            shard = PackedData(os.path.join(folder, f"{config['stages'][-1]['name']}.train"))
            rows = [
                (*(t[0].tolist() for t in shard.batch([row])), ", ".join(shard.describe(row)))
                for row in range(min(args.show, len(shard)))
            ]
            print(look.rows(rows, Tokenizer(folder), args.html))
    except (ValueError, OSError) as error:
        raise SystemExit(f"error: {error}") from None
    finally:
        if lock:
            os.close(lock)


if __name__ == "__main__":
    main()
