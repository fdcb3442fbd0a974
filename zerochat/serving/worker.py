"""The thread that alone steps the engine, and what it tells the event loop.

    worker = Worker(engine, capacity=72)      # in `app.py`, before the event loop runs
    answers = Answers(worker, prompts, samplings)
    async for part in answers: ...

Functions to run on the engine thread go over in a queue, news comes back by `call_soon_threadsafe`. No lock: each
object is changed by one of the two threads only."""

import asyncio
import contextlib
import logging
import queue
import threading
import time
from typing import NamedTuple

from zerochat.generation.engine import Engine, Request, Sampling
from zerochat.serving.protocol import Refused, token_entries


class Part(NamedTuple):
    """What one step added to one answer; `entries` as `token_entries` returns them."""

    number: int  # of the answer
    text: str
    entries: list[dict] | None
    tokens: int
    finish_reason: str | None
    at: float  # time.monotonic() after the step


class Worker(threading.Thread):
    """The engine thread: runs the short functions that arrive in `inbox`, and one `engine.step`, in turn, while there
    are any. `open` counts what was accepted and has not ended. Only the event loop changes it."""

    def __init__(self, engine: Engine, capacity: int):
        super().__init__(name="engine", daemon=True)
        self.engine, self.capacity, self.open = engine, capacity, 0
        self.inbox: queue.SimpleQueue = queue.SimpleQueue()
        self.jobs: dict = {}  # the engine's request -> (the answers it belongs to, its index there, tokens told so far)
        self.loop: asyncio.AbstractEventLoop | None = None
        self.stopping = False

    def run(self) -> None:
        while not self.stopping:
            wait = not self.jobs
            with contextlib.suppress(queue.Empty):
                while True:
                    self.inbox.get(block=wait)()
                    wait = False
            if self.jobs and not self.stopping:
                self.advance()

    def advance(self) -> None:
        """One step, and what it gave to whom, in one message to the event loop."""
        try:
            news = [self.part(request) for request in self.engine.step() if request in self.jobs]
        except Exception:  # a broken step must not leave its callers waiting for ever
            logging.exception("a step of the engine failed")
            failed = Refused(500, "the engine failed; the server's log says why")
            news = [(answers, failed) for answers in {answers for answers, _, _ in self.jobs.values()}]
            for answers, _ in news:
                self.forget(answers)

        def tell() -> None:
            for answers, part in news:
                answers.told(part)

        self.loop.call_soon_threadsafe(tell)

    def part(self, request: Request) -> tuple["Answers", Part | Refused]:
        """What a step added to an answer, and whose it is. What goes wrong here ends this caller's answers alone."""
        answers, index, told = self.jobs[request]
        try:
            if request.error:
                raise request.error
            entries, tokens = token_entries(self.engine, request, told), len(request.tokens)
            part = Part(index, request.read(), entries, tokens - told, request.finish_reason, time.monotonic())
        except Exception as error:
            logging.error("an answer failed", exc_info=error)
            self.forget(answers)
            return answers, Refused(500, "this answer failed; the server's log says why")
        self.jobs[request] = (answers, index, tokens)
        if request.finish_reason:
            del self.jobs[request]
        return answers, part

    def forget(self, unwanted: "Answers") -> None:
        """Cancel what is left of these answers."""
        for request in [r for r, (answers, _, _) in self.jobs.items() if answers is unwanted]:
            self.engine.cancel(request)
            del self.jobs[request]

    def take(self, count: int) -> None:
        """Take so many places in the queue; Refused where it is full."""
        if self.open + count > self.capacity:
            raise Refused(503, f"all {len(self.engine.running)} slots are busy and the queue is full; try again soon")
        self.open += count

    @contextlib.contextmanager
    def place(self):
        """Around work that has one place in the queue."""
        self.take(1)
        try:
            yield
        finally:
            self.open -= 1

    def stop(self) -> None:
        self.inbox.put(lambda: setattr(self, "stopping", True))
        self.join()


class Answers:
    """A request's answers, an asynchronous iterator of `Part`s; `close` frees its slots. A full queue refuses it."""

    def __init__(self, worker: Worker, prompts: list[list[int]], samplings: list[Sampling]):
        self.worker, self.unfinished = worker, len(prompts)
        worker.take(self.unfinished)
        self.parts: asyncio.Queue = asyncio.Queue()
        self.first_at, self.seconds, self.tokens = None, 0.0, 0

        def submit():
            for index, (prompt, sampling) in enumerate(zip(prompts, samplings)):
                worker.jobs[worker.engine.submit(prompt, sampling)] = (self, index, 0)

        worker.inbox.put(submit)

    def told(self, part: Part | Refused) -> None:
        """Take what the engine thread reports; a refusal ended everything."""
        self.parts.put_nowait(part)
        if self.unfinished and (isinstance(part, Refused) or part.finish_reason):
            ended = self.unfinished if isinstance(part, Refused) else 1
            self.unfinished -= ended
            self.worker.open -= ended

    def close(self) -> None:
        if self.unfinished:
            self.worker.inbox.put(lambda: self.worker.forget(self))
            self.worker.open -= self.unfinished
            self.unfinished = 0
        self.parts.put_nowait(None)

    async def __aiter__(self):
        while self.unfinished or not self.parts.empty():
            part = await self.parts.get()
            if part is None:
                return
            if isinstance(part, Refused):
                raise part
            self.first_at = self.first_at or part.at
            self.tokens, self.seconds = self.tokens + part.tokens, part.at - self.first_at
            yield part
