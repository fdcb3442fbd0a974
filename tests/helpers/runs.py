"""Ranks as processes, forked at once from a server that has imported everything; a plain launch takes seconds."""

import functools
import json
import multiprocessing
import os
import resource
import signal
import socket
import sys
import traceback
import warnings

import deepspeed
import torch

import train
from zerochat.training import checkpoint
from zerochat.training import engine as engines
from zerochat.training import ranks as meeting


def real_fp16() -> bool:
    """What the accelerator itself says: an Intel with AVX512-FP16 and every CUDA GPU train in fp16, other CPUs do not."""
    from deepspeed.accelerator import get_accelerator
    return get_accelerator().is_fp16_supported()


def with_fp16() -> None:
    """Let this process train in fp16: as it is where the accelerator has it, else feigned, which torch computes slowly."""
    from deepspeed.accelerator import get_accelerator
    if not real_fp16():
        type(get_accelerator()).is_fp16_supported = lambda self: True


server = multiprocessing.get_context("forkserver")
server.set_forkserver_preload(["deepspeed", "train", "runs"])


def free_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


def _rank(target, args, rank: int, ranks: int, port: str, log: str) -> None:
    os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(ranks), MASTER_ADDR="127.0.0.1", MASTER_PORT=port)
    with open(log, "ab", buffering=0) as file:
        os.dup2(file.fileno(), 1), os.dup2(file.fileno(), 2)
    sys.stdout, sys.stderr = (open(number, "w", buffering=1, closefd=False) for number in (1, 2))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    torch.set_num_threads(1)
    deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False  # gloo alone will do, and needs no build
    warnings.simplefilter("ignore")
    try:
        target(*args)
        sys.exit(0)
    except SystemExit as end:
        sys.stdout.flush(), sys.stderr.flush()
        os._exit(end.code or 0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


class Ranks:
    """`target(*args)` on so many ranks; their output is in the file `log`."""

    def __init__(self, target, *args, ranks: int = 1, log: str = os.devnull):
        port, self.log = free_port(), log
        open(log, "w").close()
        self.processes = [server.Process(target=_rank, args=(target, args, rank, ranks, port, log)) for rank in range(ranks)]
        for process in self.processes:
            process.start()

    def wait(self, timeout: float = 580) -> list[int]:
        """Exit codes; a rank that does not end is killed and fails the test."""
        for process in self.processes:
            process.join(timeout)
        stuck = [process for process in self.processes if process.exitcode is None]
        for process in stuck:
            process.kill()
            process.join()
        assert not stuck, f"a rank did not end in {timeout} s: {self.output()}"
        return [process.exitcode for process in self.processes]

    def signal(self, number: int) -> None:
        for process in self.processes:
            os.kill(process.pid, number)

    def output(self) -> str:
        with open(self.log) as file:
            return file.read()


def computed(target, *args, folder, ranks: int = 0):
    """What rank 0 returns from `target(*args)`, called on so many ranks; 0: in one process without a process group."""
    log, result = (str(folder / f"{target.__name__}-{ranks}.{kind}") for kind in ("log", "pt"))
    group = Ranks(_computed, target, args, result, ranks > 0, ranks=max(1, ranks), log=log)
    assert set(group.wait()) == {0}, group.output()[-6000:]
    return torch.load(result, weights_only=False)


def start_engine(model, settings: dict, steps: int, ranks: int):
    """A DeepSpeed engine as `run_stage` starts one."""
    settings, _ = engines.settle(settings, ranks)
    engines.set_steps(settings, steps, "sft")
    with engines.initializing(os.devnull):
        engine = deepspeed.initialize(model=model, model_parameters=model.parameter_groups(), config=settings)[0]
    engines.mend_engine(engine)
    return engine


def _computed(target, args, result: str, together: bool) -> None:
    if together:
        engines.load_deepspeed(verbose=False)
        meeting.start_process_group()
    value = target(*args)
    if os.environ["RANK"] == "0":
        torch.save(value, result)
    if together:
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()


# --- whole runs -----------------------------------------------------------------------------------------------


def run_config(folder, stage: dict = {}, **changes) -> str:
    """The config of the smallest run that has everything: dropout, a schedule, clipping. Returns its path.
    stage: changes to its only stage."""
    from config import deep_merge
    demo = [{"demo": "conversations", "count": 120}]
    config = {"out_dir": str(folder / "out"), "tokenizer": {"vocab_size": 700, "character_coverage": 0.98},
        "model": {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2,
                  "max_position_embeddings": 64, "hidden_dropout": 0.1},
        "stages": [{"name": "sft", "data": demo, "steps": 24, "log_every": 1, "checkpoint_every": 4, "evaluate_every": 10,
                    **stage}], "deepspeed": {"train_batch_size": 4, "fp16": {"enabled": False}, "bf16": {"enabled": False},
                      "optimizer": {"type": "AdamW", "params": {"lr": 3e-3, "betas": [0.9, 0.95], "eps": 1e-6}},
                      "scheduler": {"type": "WarmupCosineLR", "params": {"total_num_steps": "auto", "warmup_num_steps": 5}},
                      "zero_optimization": {"stage": 1, "stage3_param_persistence_threshold": 100}}}
    if "init_from" in stage:  # the shape is that folder's
        config["model"] = {key: config["model"][key] for key in ("max_position_embeddings", "hidden_dropout")}
    path = folder / "run.json"
    path.write_text(json.dumps(deep_merge(config, changes)))
    return str(path)


def metrics(folder, key: str = "loss", stage: str = "sft") -> list[tuple]:
    """(step, value) of all that the log of a stage has under this key."""
    with open(folder / "out" / stage / "metrics.jsonl") as file:
        return [(e["step"], e[key]) for e in map(json.loads, file) if key in e]


def weights(folder) -> bytes:
    return (folder / "out" / "model.safetensors").read_bytes()


def load_all() -> None:
    """Load what every run would load anew, for a second or two."""
    import matplotlib.pyplot  # noqa: F401
    from deepspeed.runtime.zero.muon import muon_optimizer  # noqa: F401
    deepspeed.ops.op_builder.FusedAdamBuilder().load()
    engines.load_deepspeed(False)


def forked(argv: list[str], most: int = 0, since: str = "main") -> tuple[int, list[str], float]:
    """`train.main(argv)` in a fork of this process, for at most a minute: exit code, what was printed, seconds of
    processor time. most: bytes that a file may have, for the disk is full, since a function of train.py is called."""
    read, out = os.pipe()
    child = os.fork()
    if not child:
        os.close(read), os.dup2(out, 1), os.dup2(out, 2)
        sys.stdout, sys.stderr = (open(n, "w", buffering=1, closefd=False, errors="backslashreplace") for n in (1, 2))
        signal.alarm(60)
        *path, name = since.split(".")
        owner = functools.reduce(getattr, path, train)
        function = getattr(owner, name)

        def limited(*words, **options):
            resource.setrlimit(resource.RLIMIT_FSIZE, (most or resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            return function(*words, **options)

        setattr(owner, name, limited)
        try:
            train.main(argv)
        except BaseException:
            traceback.print_exc()
            os._exit(99)
        os._exit(0)
    os.close(out)
    with open(read) as file:
        lines = [line for line in file.read().splitlines() if "Warning" not in line]
    _, status, use = os.wait4(child, 0)
    return os.waitstatus_to_exitcode(status), lines, use.ru_utime + use.ru_stime


def each(argvs: list[list[str]], *limits: tuple) -> list[tuple[int, list[str], float]]:
    """`forked(argv)` one after the other, each with its limit; for `computed`, in a process that has loaded everything."""
    load_all()
    return [forked(argv, *limit) for argv, limit in zip(argvs, limits or [()] * len(argvs))]


def run(argv: list[str], stop_at: int | str = 0, kill: tuple = (), full_at: int = 0, fp16: bool = False, rows: str = "") -> None:
    """`train.main(argv)`, with one thing that goes wrong.

    stop_at: SIGTERM to itself in step so and so, in the last save or in the export. kill: ("shard" | "rename" | "renamed", n): SIGKILL in the n-th save,
    half-way through a shard, before or after the rename. full_at: in the n-th save the disk takes no more than 4 KiB.
    fp16: `with_fp16`. rows: a file that records each rank's rows of each step.
    """
    count = {"steps": 0, "saves": 0}
    step, save_file, rename, slice_of = train.train_step, checkpoint.save_file, os.rename, train.slice_of

    def train_step(engine, shard, batch, number):
        loss = step(engine, shard, batch, number)
        if number + 1 == stop_at:
            os.kill(os.getpid(), signal.SIGTERM)
        return loss

    def export(engine, *words):
        if stop_at == "export" and torch.distributed.get_rank() == torch.distributed.get_world_size() - 1:
            os.kill(os.getpid(), signal.SIGTERM)
        whole(engine, *words)

    def save(tensors, path, metadata):
        count["saves"] += 1
        if stop_at == "save" and path.split("-")[-2].startswith("24.tmp"):
            os.kill(os.getpid(), signal.SIGTERM)
        if count["saves"] == full_at:
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
        save_file(tensors, path, metadata)
        if kill == ("shard", count["saves"]):
            os.truncate(path, os.path.getsize(path) // 2)
            os.kill(os.getpid(), signal.SIGKILL)

    def renaming(source, target):
        saving = source == target + ".tmp" and count["saves"]
        if saving and kill == ("rename", count["saves"]):
            os.kill(os.getpid(), signal.SIGKILL)
        rename(source, target)
        if saving and kill == ("renamed", count["saves"]):
            os.kill(os.getpid(), signal.SIGKILL)

    def slicing(batch, rank, ranks, micro):
        parts = slice_of(batch, rank, ranks, micro)
        with open(rows, "a") as file:
            file.write("".join(f"{row}\n" for part in parts for row in part))
        return parts

    whole, train.export = train.export, export
    train.train_step, checkpoint.save_file, os.rename = train_step, save, renaming
    if rows:
        train.slice_of = slicing
    if fp16:
        with_fp16()
    train.main(argv)
