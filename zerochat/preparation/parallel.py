"""One function over many jobs, by several processes, lazily and in order: the outcome does not depend on how many."""

import collections
import ctypes
import gc
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

_shared: tuple = ()  # in a process of the pool: what all jobs share


def processes_for(options: dict, size: int) -> int:
    """How many processes to use for `size` bytes: few bytes are done before a second one has started."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return options["processes"] or (1 if size < 2**24 else cores)


def parallel(work: Callable, jobs: Iterable, processes: int, *shared) -> Iterator:
    """`work(job, *shared)` for each job; what is `shared` goes to each process once."""
    if processes == 1:
        yield from (work(job, *shared) for job in jobs)
        return
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    with ProcessPoolExecutor(processes, context, _begin, shared) as pool:
        waiting: collections.deque = collections.deque()
        try:
            for job in jobs:
                waiting.append(pool.submit(_do, work, job))
                if len(waiting) > 2 * processes:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool:
            advice = "perhaps for want of memory; data.processes 1 takes the least"
            raise ValueError(f"a process that prepares data died, {advice}") from None
        finally:
            for future in waiting:
                future.cancel()


def _begin(*shared) -> None:
    global _shared
    _shared = shared
    gc.disable()  # nothing here is cyclic, and looking for it takes 3% of the time
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: with the parent killed, nobody would stop us


def _do(work: Callable, job):
    return work(job, *_shared)
