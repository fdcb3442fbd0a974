"""The ranks of a run: how they start, meet, and learn that one of them, the launcher or the user ends the run.

`deepspeed` starts `deepspeed.launcher.launch` on each node, which starts one rank for each accelerator. Everything
here is about those processes; what they compute is in `train.py`."""

import os
import re
import select
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager, suppress
from datetime import timedelta

import torch
import torch.distributed as dist

from zerochat.run_folder import RunFolder
from zerochat.training.log import say


def start_process_group() -> None:
    """Join the ranks that the launcher started; alone, be rank 0 of 1 on a free port."""
    import deepspeed

    for name, value in (("RANK", "0"), ("LOCAL_RANK", "0"), ("WORLD_SIZE", "1"), ("MASTER_ADDR", "127.0.0.1")):
        os.environ.setdefault(name, value)
    if os.environ["WORLD_SIZE"] == "1" or "MASTER_PORT" not in os.environ:  # nobody else needs to know it
        with socket.create_server(("", 0)) as free:
            os.environ["MASTER_PORT"] = str(free.getsockname()[1])
    try:
        deepspeed.init_distributed(timeout=timedelta(minutes=30), verbose=False)
    except dist.DistNetworkError as error:
        port, host, said = os.environ["MASTER_PORT"], os.environ["MASTER_ADDR"], str(error).splitlines()[0][:200]
        advice = f"deepspeed --master_port N train.py ... for a free port N   ({said})"
        raise ValueError(f"port {port} of {host} is taken, by another run perhaps: {advice}") from None


@contextmanager
def quiet(path: str | None):
    """Send all that this process prints, C++ builds included, into a file; None: let it through."""
    if path is None:
        yield
        return
    sys.stdout.flush(), sys.stderr.flush()
    kept = os.dup(1), os.dup(2)
    with open(path, "ab") as log:
        os.dup2(log.fileno(), 1), os.dup2(log.fileno(), 2)
    try:
        yield
    finally:
        sys.stdout.flush(), sys.stderr.flush()
        os.dup2(kept[0], 1), os.dup2(kept[1], 2)
        for handle in kept:
            os.close(handle)


class SharedError(ValueError):
    """Raised by every rank alike, so that rank 0 alone needs to print it."""


def all_gather(mine) -> list:
    """What every rank brings, in order of rank; also a barrier."""
    brought: list = [None] * dist.get_world_size()
    dist.all_gather_object(brought, mine)
    return brought


def broadcast(mine):
    """What rank 0 brings; also a barrier."""
    return all_gather(mine)[0]


def maximum(number: int, device) -> int:
    """The largest of the numbers that the ranks bring."""
    largest = torch.tensor(number, device=device)
    dist.all_reduce(largest, dist.ReduceOp.MAX)
    return int(largest)


def on_rank_0(action):
    """Rank 0 acts, the others wait for it, with the patience of a data preparation (other collectives give up when a
    node has died); what it returns all ranks return, what it finds wrong is raised on all ranks."""
    result = problem = None
    patient = dist.new_group(backend="gloo", timeout=timedelta(hours=12))
    if dist.get_rank() == 0:
        try:
            result = action()
        except (ValueError, OSError) as error:
            problem = str(error)
    said = [result, problem]
    dist.broadcast_object_list(said, group=patient)
    if said[1] is not None:
        raise SharedError(said[1])
    return said[0]


def check_shared(out_dir: str) -> None:
    """SharedError unless every rank sees what rank 0 writes into `out_dir`: the parts of a checkpoint must meet."""
    name = f".seen-by-all-{time.time_ns()}" if dist.get_rank() == 0 else None
    if name:
        open(os.path.join(out_dir, name), "w").close()
    name = broadcast(name)
    path, patience = os.path.join(out_dir, name), time.monotonic() + 5  # seconds: a network disk may need a moment
    while not os.path.exists(path) and time.monotonic() < patience:
        time.sleep(0.1)
    hosts = all_gather((socket.gethostname(), os.path.exists(path)))
    if dist.get_rank() == 0:
        os.remove(path)
    blind = [f"rank {rank} on {host}" for rank, (host, seen) in enumerate(hosts) if not seen]
    if blind:
        whose, advice = f"of rank 0 on {hosts[0][0]}", "put out_dir on a disk that all nodes mount, with its full path"
        seen = f"{', '.join(blind)} cannot see what is written there"
        raise SharedError(f"out_dir {os.path.abspath(out_dir)} {whose} is not shared: {seen}; {advice}")


def take_folder(run: RunFolder, begin: Callable[[], None]) -> None:
    """Rank 0 takes the run's folder and does what begins it, the others wait; if that fails, a new one goes again."""
    new = not os.path.exists(run.path)
    try:
        on_rank_0(run.claim)
        check_shared(run.path)
        on_rank_0(begin)
    except BaseException:
        if new and run.claimed():
            shutil.rmtree(run.path)
        raise


class Stopped(Exception):
    """(signal number, message): SIGTERM, SIGINT or SIGHUP came to some rank; what is done is saved."""


class StopSignal:
    """While it is entered, remembers the first SIGTERM, SIGINT or SIGHUP, for the loop to finish its step; one that
    comes too late for the loop raises `Stopped` at the end. A second, 2 s later, ends the process at once."""

    def __enter__(self):
        self.number, self.time = 0, 0.0
        wanted = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
        heard = [number for number in wanted if signal.getsignal(number) != signal.SIG_IGN]  # as SIGHUP under nohup
        self.before = {number: signal.signal(number, self.receive) for number in heard}
        self.terminals = {os.fstat(standard).st_rdev for standard in (1, 2) if os.isatty(standard)}
        return self

    def __exit__(self, kind, *_):
        for number, handler in self.before.items():
            signal.signal(number, handler)
        if self.number and kind is None:
            raise Stopped(self.number, "stopped when all stages were trained")

    def check(self, where: str) -> None:
        """Raise `Stopped` on every rank where one of them was told to stop. Every rank must call this."""
        if number := max(all_gather(self.number)):
            raise Stopped(number, f"stopped {where}")

    def receive(self, number, frame) -> None:
        if number == signal.SIGHUP:  # the terminal is gone, and writing to it is an error
            nowhere = os.open(os.devnull, os.O_WRONLY)
            for handle in map(int, os.listdir("/proc/self/fd")):  # `quiet` may have put it aside
                with suppress(OSError):
                    if os.fstat(handle).st_rdev in self.terminals:
                        os.dup2(nowhere, handle)
            os.close(nowhere)
        # The launcher turns one Ctrl-C into SIGINT and, at once, SIGTERM: that is one request.
        if self.number and time.monotonic() - self.time > 2:
            os._exit(128 + number)
        self.number, self.time = self.number or number, time.monotonic()


def memory_is_full(error: BaseException) -> bool:
    return isinstance(error, RuntimeError) and bool(re.search("out of memory|allocate memory", str(error), re.I))


@contextmanager
def one_voice(verbose: bool):
    """What ends a run, in one line and with its exit code; what all ranks say alike is said by rank 0 alone. A stop by
    signal n exits with 128 + n; verbose shows tracebacks."""
    try:
        yield
    except Stopped as stopped:
        number, message = stopped.args
        say(f"{message}; the same command goes on from here")
        sys.exit(128 + number)
    except KeyboardInterrupt:
        os._exit(130)
    except (ValueError, OSError, RuntimeError) as error:
        peer = isinstance(error, RuntimeError) and "peer" in str(error)  # gloo's word for a rank that is gone
        memory = memory_is_full(error)
        if verbose or isinstance(error, RuntimeError) and not (peer or memory):
            raise
        # What all ranks say alike, rank 0 says: what comes before they have met, and what they found together.
        alike = isinstance(error, SharedError) or not dist.is_initialized()
        if not alike or int(os.environ.get("RANK", 0)) == 0:
            said = "another rank is gone; what it said is above, if it said anything" if peer else str(error)
            if memory:
                less = "a smaller micro-batch, context or model, activation_checkpointing, ZeRO on more GPUs"
                said = f"memory is full; these need less: {less} ({' '.join(said.split())[:200]})"
            print(f"error: {said}", file=sys.stderr, flush=True)
        os._exit(1)  # another rank may wait in a collective, and a clean exit would wait for it


def watch_launcher() -> None:
    """Under DeepSpeed's launcher, end this rank when the launcher or the `deepspeed` command is gone: finish the
    step, save, and leave, whatever happens, after 10 seconds. Nobody else would: `deepspeed` dies of SIGTERM
    without a word to its ranks, and exits 0 when its launcher was killed."""

    def about(pid: int, what: str) -> str:
        with open(f"/proc/{pid}/{what}") as file:
            return file.read()

    launcher = os.getppid()
    if "CROSS_SIZE" not in os.environ or not hasattr(os, "pidfd_open"):  # which the launcher sets
        return
    if "deepspeed.launcher.launch" not in about(launcher, "cmdline"):
        raise ValueError("the launcher of this rank is gone")
    runner = int(about(launcher, "stat").rpartition(")")[2].split()[1])  # its parent
    watched = [os.pidfd_open(pid) for pid in (launcher, runner) if "deepspeed" in about(pid, "cmdline")]

    def watch() -> None:
        gone = select.select(watched, [], [])[0]
        if watched[0] in gone and len(watched) > 1:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(watched[1], signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(10)
        os._exit(128 + signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()
