"""`out_dir`: what a run writes there, whose it is, and whether it is finished. Nobody else knows.

run.json                        the config of the run that the folder holds
data/<hash>/                    prepared data, keyed by all that made them
pretrain/  sft/                 checkpoints, metrics.jsonl, done.json; the model of every stage but the last
config.json  model.safetensors  the result, a Llama folder
report.json                     written last: the run is finished"""

import glob
import json
import os
import shutil
from contextlib import suppress

from zerochat.files import read_json, write_json

# What may differ from the run that is being resumed: how long, how often, on how many ranks; not what is learned.
MAY_CHANGE = {"steps", "epochs", "log_every", "evaluate_every", "checkpoint_every", "evaluate", "zero_optimization"}
MAY_CHANGE |= {"train_micro_batch_size_per_gpu", "gradient_accumulation_steps", "wall_clock_breakdown"}
WEIGHTS = ("model.safetensors", "model.safetensors.index.json")


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

    def prepared(self, end: str = "") -> list[str]:
        """The folders of data that are prepared here, if another config's; end: ".tmp" for those cut off half-way."""
        return sorted(glob.glob(os.path.join(glob.escape(self.path), "data", "[0-9a-f]" * 16 + end)))

    def drop_other_data(self) -> None:
        """Remove what another config prepared here, or a preparation that was killed; nobody else's `data`."""
        for folder in self.prepared() + self.prepared(".tmp"):
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

    def config(self) -> dict:
        """The config of the run in here: run.json's, else that of the last checkpoint; {} where there is none."""
        if config := read_json(self.file("run.json")):
            return config
        manifests = glob.glob(os.path.join(glob.escape(self.path), "*", "step-*", "manifest.json"))
        for path in sorted(manifests, key=os.path.getmtime, reverse=True):
            with suppress(OSError, ValueError, KeyError), open(path) as file:
                return json.load(file)["config"]
        return {}

    def check_unchanged(self, config: dict) -> None:
        """ValueError with a table when this config would continue the run of another one."""
        old = self.config()
        changed = [row for row in differences(old, config) if not set(row[0].split(".")) & MAY_CHANGE]
        if old and changed:
            rows = "\n".join(f"  {key}: was {json.dumps(a)}, now {json.dumps(b)}" for key, a, b in changed)
            advice = "start over with --fresh, or choose another out_dir"
            raise ValueError(f"{self.path} holds a run with another config:\n{rows}\n{advice}")

    def begin(self, config: dict) -> None:
        """Record the run; one that was finished goes on, under a config that allows more steps, say."""
        with suppress(FileNotFoundError):
            os.remove(self.file("report.json"))
        write_json(self.file("run.json"), config)

    def start_over(self) -> None:
        """Remove a run. Only what a run wrote is touched: `out_dir` may be somebody's home."""
        self.drop_other_data()
        for stage in read_json(self.file("run.json")).get("stages", []):
            shutil.rmtree(self.file(stage["name"]), ignore_errors=True)
        for name in ("run.json", "report.json", *WEIGHTS):
            with suppress(FileNotFoundError):
                os.remove(self.file(name))

    def stage_is_done(self, stage: dict) -> bool:
        return read_json(self.file(stage["name"], "done.json")) == _length(stage)

    def check_not_done(self, stage: dict) -> None:
        """ValueError where a stage was finished, if with another number of steps, whose start has now changed."""
        if os.path.exists(self.file(stage["name"], "done.json")):
            why = f"stage {stage['name']} is finished, but the one before it has now gone on"
            raise ValueError(f"{why}; start over with --fresh, or choose another out_dir")

    def stage_done(self, stage: dict) -> None:
        write_json(self.file(stage["name"], "done.json"), _length(stage))

    def finished(self, config: dict) -> bool:
        """Whether the run of this config has come to its end."""
        return os.path.exists(self.file("report.json")) and read_json(self.file("run.json")).items() >= config.items()

    @staticmethod
    def newest(root: str = "out") -> str:
        """The model folder in `root` that was finished last; ValueError naming the command that makes one."""
        folders = [os.path.dirname(path) for path in glob.glob(os.path.join(root, "*", "report.json"))]
        folders = [f for f in folders if any(os.path.exists(os.path.join(f, name)) for name in WEIGHTS)]
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


def differences(old: dict, new: dict, prefix: str = "") -> list[tuple[str, object, object]]:
    """(key, old value, new value) for every leaf in which two configs differ; stages are told apart by name."""
    found = []
    for key in [*old, *(k for k in new if k not in old)]:
        a, b, full = old.get(key), new.get(key), f"{prefix}{key}"
        if key == "stages" and a and b:
            a, b = ({stage["name"]: stage for stage in stages} for stages in (a, b))
        if isinstance(a, dict) and isinstance(b, dict):
            found += differences(a, b, full + ".")
        elif a != b:
            found.append((full, a, b))
    return found
