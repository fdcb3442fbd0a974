"""`out_dir`: what a run writes there, whose it is, and whether it is finished. Nobody else knows.

run.json                        the run's record: its config; by stage, what it came from and whether it is done
data/<hash>/                    prepared data, keyed by all that made them
pretrain/  sft/                 checkpoints, metrics.jsonl; the model of every stage but the last
config.json  model.safetensors  the result, a Llama folder
report.json                     written last: the run is finished

A folder made here has a file `.zerochat` with the folder's name; no other is ever removed: it may be someone's home."""

import itertools
import json
import math
import os
import pathlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from zerochat.files import read_json, room, write_atomic, write_json

# What may differ from the run that is being resumed: how long, how often, on how many ranks; not what is learned.
MAY_CHANGE = {"steps", "epochs", "log_every", "evaluate_every", "checkpoint_every", "evaluate", "zero_optimization"}
MAY_CHANGE |= {"train_micro_batch_size_per_gpu", "gradient_accumulation_steps", "wall_clock_breakdown"}
# Where things lie, and on how many processes: what is there is known by its hash.
PLACES, FOLDERS = {"out_dir", "data_root", "processes"}, {"path", "init_from"}
WEIGHTS = ("model.safetensors", "model.safetensors.index.json")
MARK = ".zerochat"
RESERVED = ("data", "evaluation")  # folders of a run that are no stage's
FROM = {"start": "weights to start from", "tokenizer": "tokenizer", "data": "prepared data"}
ADVICE = "start over with --fresh, or choose another out_dir"


def make(folder: str) -> None:
    """Make a folder that may be removed again; ValueError where somebody else's stands in its place."""
    check_place(folder)
    if not is_ours(folder):
        os.makedirs(folder, exist_ok=True)
        write_atomic(os.path.join(folder, MARK), _name_in_mark(folder))


@contextmanager
def building(folder: str) -> Iterator[str]:
    """Where to build a folder that shall be there whole or not at all, even after a kill."""
    part, written = folder + ".tmp", 0
    make(part)
    with room(part, lambda: written, "more than "):
        try:
            yield part
            os.rename(part, folder)
        except BaseException:
            files = (os.path.join(place, name) for place, _, names in os.walk(part) for name in names)
            written = sum(map(os.path.getsize, files))
            shutil.rmtree(part)
            raise


def check_place(folder: str) -> None:
    if not is_ours(folder) and os.path.isdir(folder) and os.listdir(folder):
        raise ValueError(f"{folder} is there, and not from a run: move it away, or choose another out_dir")


def is_ours(folder: str) -> bool:
    """Whether a run made it, under this name: a copy, say of a checkpoint worth keeping, is not the run's."""
    with suppress(OSError, UnicodeDecodeError), open(os.path.join(folder, MARK), encoding="utf-8") as file:
        return not os.path.islink(folder) and file.read() == _name_in_mark(folder)
    return False


def made_in(folder: str) -> list[str]:
    """The folders in `folder` that a run made, sorted."""
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    return [path for path in (os.path.join(folder, name) for name in names) if is_ours(path)]


def has_model(folder: str) -> bool:
    return any(os.path.exists(os.path.join(folder, name)) for name in WEIGHTS)


def built_in(folder: str) -> bool:
    """Whether the model in a folder learned the built-in conversations last; a damaged record says nothing."""
    with suppress(ValueError, LookupError, TypeError, AttributeError):
        return any(source.get("demo") for source in RunFolder(folder).record()["config"]["stages"][-1]["data"])
    return False


def _name_in_mark(folder: str) -> str:
    return os.path.basename(os.path.abspath(folder)).removesuffix(".tmp")


def misfit(old: dict, new: dict) -> str | None:
    """Which of the things that a stage comes from (`FROM`) have changed; None where none has."""
    changed = [text for key, text in FROM.items() if old.get(key) != new[key]]
    return f"other {', '.join(changed)} than now" if changed else None


class RunFolder:
    """The folder `out_dir` of a config."""

    def __init__(self, path: str):
        self.path = path
        self._lock: int | None = None

    def file(self, *names: str) -> str:
        return os.path.join(self.path, *names)

    def data(self, fingerprint: str) -> str:
        """Where data with this fingerprint are prepared."""
        return self.file("data", fingerprint)

    def prepared(self) -> list[str]:
        """The folders of data that are prepared here, if another config's; not those that were cut off half-way."""
        return [folder for folder in made_in(self.file("data")) if not folder.endswith(".tmp")]

    def drop_other_data(self) -> None:
        """Remove what another config prepared here, or a preparation that was killed; nobody else's `data`."""
        for folder in made_in(self.file("data")):
            shutil.rmtree(folder)

    def claim(self) -> None:
        """Lock the folder for this process, to its end or `release`; ValueError when another run holds it."""
        fcntl = file_locks()
        os.makedirs(self.path, exist_ok=True)
        self._lock = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.release()
            advice = "wait for it or choose another out_dir"
            raise ValueError(f"another run is writing to {self.path}; {advice}") from None

    def claimed(self) -> bool:
        return self._lock is not None

    def release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
        self._lock = None

    def record(self) -> dict:
        """The run's "config" and "stages"; where the record is gone, the config of its last checkpoint alone."""
        try:
            record = read_json(self.file("run.json"))
        except ValueError as error:
            raise ValueError(f"{error}; {ADVICE}") from None
        if record:
            if not {"config", "stages"} <= set(record):
                raise ValueError(f"{self.file('run.json')} is of another version of this program: {ADVICE}")
            return record
        manifests = [path for folder in made_in(self.path) for path in pathlib.Path(folder).glob("*/manifest.json")]
        for path in sorted(manifests, key=os.path.getmtime, reverse=True):
            with suppress(OSError, ValueError, KeyError):
                return {"config": read_json(str(path))["config"], "stages": {}}
        return {"config": {}, "stages": {}}

    def check(self, config: dict) -> None:
        """ValueError where this config cannot go on with what is in the folder: the run of another config, with a table
        of what differs; stages of other lengths than they can have now; somebody else's files."""
        record = self.record()
        changed = [row for row in differences(record["config"], config) if not set(row[0].split(".")) & MAY_CHANGE]
        if not record["config"] and has_model(self.path):
            raise ValueError(f"{self.path} holds a model that is not from a run: choose another out_dir")
        if record["config"] and [key for key, *_ in changed] == ["data_fingerprint"]:
            files = "data files, or a tokenizer, that have changed since under their old names"
            raise ValueError(f"{self.path} holds a run on {files}; {ADVICE}")
        if record["config"] and changed:
            rows = "\n".join(f"  {key}: was {json.dumps(a)}, now {json.dumps(b)}" for key, a, b in changed)
            raise ValueError(f"{self.path} holds a run with another config:\n{rows}\n{ADVICE}")
        for stage, later in itertools.zip_longest(config["stages"], config["stages"][1:]):
            check_place(self.file(stage["name"]))
            self._check_length(stage, later, record["stages"])

    @staticmethod
    def _check_length(stage: dict, later: dict | None, known: dict) -> None:
        """ValueError where a stage that is done would be cut short, or trained on when `later` stands on its result."""
        done = known.get(stage["name"], {}).get("done")
        if not done or done == _length(stage):
            return
        why = f"stage {stage['name']} is done with {_told(done)}, and the config says {_told(_length(stage))}"
        if later and later["name"] in known and not later["init_from"]:
            raise ValueError(f"{why}, but {later['name']} has started from its result; {ADVICE}")
        if (stage["steps"] or math.inf) < (done["steps"] or 0):
            raise ValueError(f"{why}; {ADVICE}")

    def begin(self, config: dict) -> None:
        """Record the run; a finished one is unfinished again, as when the config gives more steps."""
        record = self.record()
        for stage in config["stages"]:
            make(self.file(stage["name"]))
        with suppress(FileNotFoundError):
            os.remove(self.file("report.json"))
        write_json(self.file("run.json"), {**record, "config": config})

    def start_over(self) -> None:
        """Remove a run: what has its mark, and the result where a record says that it is one."""
        self.drop_other_data()
        for folder in made_in(self.path):
            shutil.rmtree(folder)
        for name in ("report.json", *WEIGHTS, "run.json") if os.path.exists(self.file("run.json")) else ():
            with suppress(FileNotFoundError):
                os.remove(self.file(name))

    def begin_stage(self, stage: dict, comes_from: dict) -> dict:
        """Record, and return, what a stage comes from: hashes by the names of FROM; ValueError where it was another."""
        record = self.record()
        known = record["stages"].setdefault(stage["name"], {**comes_from, "done": None})
        if what := misfit(known, comes_from):
            raise ValueError(f"stage {stage['name']} began from {what}; {ADVICE}")
        write_json(self.file("run.json"), record)
        return comes_from

    def stage_is_done(self, stage: dict) -> bool:
        return self.record()["stages"].get(stage["name"], {}).get("done") == _length(stage)

    def stage_done(self, stage: dict) -> None:
        record = self.record()
        record["stages"][stage["name"]]["done"] = _length(stage)
        write_json(self.file("run.json"), record)

    def finished(self, config: dict) -> bool:
        """Whether the run of this config has come to its end, and its result is there."""
        there = has_model(self.path) and os.path.exists(self.file("report.json"))
        return there and not differences(self.record()["config"], config)

    @staticmethod
    def newest(root: str = "out") -> str:
        """The model folder in `root` that was finished last; ValueError naming the command that makes one."""
        folders = [os.path.join(root, name) for name in os.listdir(root)] if os.path.isdir(root) else []
        folders = [f for f in folders if has_model(f) and os.path.exists(os.path.join(f, "report.json"))]
        if not folders:
            command = "deepspeed train.py --config configs/small.json"
            raise ValueError(f"no trained model in {root}/; make one with: {command}")
        return max(folders, key=lambda folder: os.path.getmtime(os.path.join(folder, "report.json")))


def file_locks():
    """The module that locks files; ValueError where there is none, as under native Windows."""
    try:
        import fcntl
    except ImportError:
        raise ValueError("preparing data and training need Linux, or WSL2 under Windows") from None
    return fcntl


def _length(stage: dict) -> dict:
    return {key: stage[key] for key in ("steps", "epochs")}


def _told(length: dict) -> str:
    return " ".join(f"{value:g} {key}" for key, value in length.items() if value is not None)


def differences(old: dict, new: dict, prefix: str = "") -> list[tuple[str, object, object]]:
    """(key, old value, new value) for every leaf in which two configs differ, stages by name; places do not count."""
    found = []
    for key in [*old, *(k for k in new if k not in old)]:
        a, b, full = old.get(key), new.get(key), f"{prefix}{key}"
        if key == "stages" and a and b:
            a, b = ({stage["name"]: stage for stage in stages} for stages in (a, b))
        if isinstance(a, dict) and isinstance(b, dict):
            found += differences(a, b, full + ".")
        elif a != b and not (key in PLACES or key in FOLDERS and a and b):
            found.append((full, a, b))
    return found
