"""Raw conversations in, packed token batches out.

    python data.py --config configs/small.json              # prepare, and say what was kept and dropped
    python data.py --config configs/small.json --show 3     # and look at rows as the model will see them
    python data.py --inspect my.jsonl --config configs/small.json --html my.html    # look at a file

Top to bottom, this page follows a record: in six numbered steps from a file to a token shard (`prepare` calls them),
then from the shard to a batch (`PackedData`). What is prepared lies in `<out_dir>/data/<hash of settings and files>/`:
for each stage and split the cleaned samples and their shard, and `report.md`. Left out: preparing on many machines."""

import argparse
import functools
import itertools
import os
import time

import numpy as np
import torch

from config import SMALL, SOURCE, load_config, sources_of
from tokenizer import MARKERS, MODEL_FILE, Tokenizer
from zerochat.files import read_json, write_atomic, write_json
from zerochat.preparation import clean, duplicates, gather, look, shards, vocabulary
from zerochat.preparation.fingerprint import fingerprint
from zerochat.run_folder import RunFolder, building

SPLITS = tuple(gather.SPLITS)


# --- from files to token shards ------------------------------------------------------------------------------------


def collect(stage: dict, options: dict, folder: str) -> dict:
    """Write one stage's samples into `<folder>/<stage>.<split>/samples.jsonl`; returns what was kept and dropped."""
    with gather.Collection(stage, options, folder) as found:
        for number, (source, fixed_split) in enumerate(found.sources):
            # 1. read: files and folders to records
            batches = gather.read(source, options)
            # 2. clean: records to samples, by small rules, over processes
            for part in gather.cleaned(batches, source, fixed_split, found.held_out, options):
                found.add(number, part)
        # 3. deduplicate and split: what stays, and on which side
        near, signatures = options["near_duplicates"] or None, found.files["signatures"]
        decided = duplicates.decide(found.entries(), found.held_out, options["deduplicate"], near, signatures)
        # 4. write each sample to its side, as often as its source weighs
        return found.distribute(*decided)


def learn_or_adopt_tokenizer(config: dict, folder: str) -> Tokenizer:
    """The tokenizer of the config's `path`, or one learned from the training samples; written into `folder`."""
    options = config["tokenizer"]
    if not options["path"]:
        # 5. learn a vocabulary from the training samples
        folders = [os.path.join(folder, f"{stage['name']}.train") for stage in config["stages"]]
        texts = vocabulary.lines_of(folders, options["max_train_chars"])
        write_atomic(os.path.join(folder, MODEL_FILE), vocabulary.learn(texts, MARKERS, options))
    tokenizer = Tokenizer(options["path"] or folder, options["chat_template"] if options["path"] else None)
    tokenizer.save(folder)
    return tokenizer


def prepare(config: dict, log=print) -> str:
    """Prepare the data of every stage, once, and return their folder; a second call finds them and is quick.

    Everything is written into a `.tmp` folder that is renamed when complete, so a killed preparation leaves nothing
    that could be mistaken for a finished one; one that fails, say on a full disk, leaves nothing."""
    clean.check_rules(config["data"]["rules"], config["data"]["near_duplicates"])
    folder = folder_of(config)
    if os.path.isdir(folder):
        check_prepared(config, folder)
        return folder
    RunFolder(config["out_dir"]).drop_other_data()
    begun = time.monotonic()
    with building(folder) as part:
        stages = {stage["name"]: collect(stage, config["data"], part) for stage in config["stages"]}
        tokenizer = learn_or_adopt_tokenizer(config, part)
        for stage, split in itertools.product(config["stages"], SPLITS):
            # 6. render, cut what is too long into windows, pack windows into rows
            shard = os.path.join(part, f"{stage['name']}.{split}")
            figures = shards.write_shard(shard, tokenizer, config, stage["loss_on"], training=split == "train")
            stages[stage["name"]][split] = figures
        report = {"seconds": time.monotonic() - begun, "stages": stages}
        write_json(os.path.join(part, "report.json"), report)
        write_atomic(os.path.join(part, "report.md"), look.report(report))
    log(look.summary(stages))
    return folder


def check_prepared(config: dict, folder: str) -> None:
    """ValueError where a folder of prepared data is not as it was written, as a full disk or a crash may leave it."""
    try:
        names = [f"{stage['name']}.{split}" for stage in config["stages"] for split in SPLITS]
        whole = all(PackedData(os.path.join(folder, name)).whole for name in names)
        if not (whole and Tokenizer(folder) and read_json(os.path.join(folder, "report.json"))):
            raise ValueError("files are missing, or shorter than they were")
    except (ValueError, OSError, RuntimeError, KeyError, EOFError) as error:
        raise ValueError(f"{folder} is damaged ({error}): remove it, and the data are prepared again") from None


def folder_of(config: dict) -> str:
    """Where this config's prepared data are, or will be."""
    return RunFolder(config["out_dir"]).data(fingerprint(config))


# --- from token shards to batches ----------------------------------------------------------------------------------


class PackedData:
    """A shard as rows of `context` tokens, read where it lies (`zerochat/preparation/shards.py` says what is there)."""

    def __init__(self, folder: str):
        self.meta = read_json(os.path.join(folder, "meta.json"))
        self.context, self.pad_id = self.meta["context"], self.meta["pad_id"]
        self.tokens = self.mask = np.zeros(0, np.uint8)
        if os.path.getsize(os.path.join(folder, "tokens.bin")):  # an empty file cannot be mapped
            self.tokens = np.memmap(os.path.join(folder, "tokens.bin"), dtype=self.meta["dtype"], mode="r")
            self.mask = np.memmap(os.path.join(folder, "mask.bin"), dtype=np.uint8, mode="r")
        names = ("documents", "order", "rows")
        self.documents, self.order, self.rows = (np.load(f"{folder}/{name}.npy", mmap_mode="r") for name in names)
        self.variants = self.meta.get("variants", 1)  # versions of every sample, made by augmentation
        self.whole = len(self.tokens) == len(self.mask) == int(self.documents["length"].sum())
        self.whole &= len(self.documents) == len(self.order) == self.rows[-1]

    def __len__(self) -> int:
        """Rows of one epoch."""
        return (len(self.rows) - 1) // self.variants

    def rows_of_step(self, step: int, batch_size: int, seed: int) -> np.ndarray:
        """The row numbers of one optimizer step, the same on every rank and in a resumed run: seed and step decide.

        Epoch e visits all rows in the order of a permutation seeded by (seed, e), in version e mod `variants`; step s
        takes places s * batch_size ... of the epochs put end to end: each row is seen once before any is seen again."""
        epochs, places = np.divmod(np.arange(step * batch_size, (step + 1) * batch_size), len(self))
        shuffled = [permutation(len(self), seed, int(epoch))[place] for epoch, place in zip(epochs, places)]
        return np.array(shuffled) + epochs % self.variants * len(self)

    def batch(self, rows) -> tuple[torch.Tensor, torch.Tensor]:
        """ids [B, T] int64 and mask [B, T] uint8 of these rows; a row number below 0 is a row of padding."""
        ids = np.full((len(rows), self.context), self.pad_id, dtype=np.int64)
        mask = np.zeros((len(rows), self.context), dtype=np.uint8)
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
def permutation(rows: int, seed: int, epoch: int) -> np.ndarray:
    return np.random.default_rng([seed, epoch]).permutation(rows)


def main(argv=None) -> None:
    parser = argparse.ArgumentParser(description="prepare a config's data and report what was kept and dropped")
    parser.add_argument("--config", help="what to prepare; with --inspect, whose tokenizer, context and rules to use")
    parser.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE")
    parser.add_argument("--show", type=int, default=0, metavar="N", help="print N packed rows of the last stage")
    parser.add_argument("--inspect", metavar="FILE", help="show a file's conversations as the model will see them")
    parser.add_argument("--limit", type=int, default=20, help="records to inspect")
    for key in ("format", "encoding"):
        parser.add_argument(f"--{key}", metavar="VALUE", help=f"of the file to inspect, as a source's {key!r}")
    parser.add_argument("--columns", default="", metavar="KEY=NAME,...", help="such as Frage=question,Antwort=answer")
    parser.add_argument("--html", metavar="OUT", help="write what is shown as one self-contained page")
    args = parser.parse_args(argv)
    try:
        config = load_config(args.config or SMALL, args.set)
        if args.inspect:
            given = {key: value for key, value in vars(args).items() if key in SOURCE and value is not None}
            path = os.path.abspath(os.path.expanduser(args.inspect))
            given |= {"path": path, "columns": dict(c.partition("=")[::2] for c in args.columns.split(",") if c)}
            (source,) = sources_of([given], "--inspect")
            print(look.inspect(source, config, Tokenizer(look.folder_with_tokenizer(config, MODEL_FILE)), args.html))
            return
        if not args.config:
            parser.error("--config says what to prepare; --inspect FILE needs none")
        run = RunFolder(config["out_dir"])
        if not os.path.isdir(folder_of(config)):
            run.claim()
        folder = prepare(config, log=lambda text: None)
        run.release()
        print(look.report(read_json(os.path.join(folder, "report.json"))))
        print(f"written to {os.path.join(folder, 'report.md')}")
        if args.show:
            shard = PackedData(os.path.join(folder, f"{config['stages'][-1]['name']}.train"))
            print(look.rows(look.rows_of(shard, args.show), Tokenizer(folder), args.html))
    except (ValueError, OSError) as error:
        raise SystemExit(f"error: {error}") from None


if __name__ == "__main__":
    main()
