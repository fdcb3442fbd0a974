"""Connections to uvicorn that cannot be kept for nothing, and never so many that nobody else comes in.

Uvicorn has no deadline for headers, and its `limit_concurrency` refuses `/health` with everything else. Left out on
purpose: limits for one address, since behind a proxy every client has the proxy's (`deploy/nginx.conf`)."""

import asyncio
import time

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from zerochat.serving.app import Service

SPARE = 16  # connections beyond the limit, to hear who is there
AT_ONCE = 8  # are accepted before others are heard
OTHERS = 48  # descriptors for those being closed, and for all that is no connection


class Connection(H11Protocol):
    """One connection. It waits while it has no request whose headers are all there: at most `header_seconds`, once a
    first byte of them has come, and shorter where all `most` are taken: then who has waited longest goes."""

    most, header_seconds = 1000, 10.0
    deadline: asyncio.TimerHandle | None = None
    since: float | None = None  # when it began to wait

    def connection_made(self, transport) -> None:
        super().connection_made(transport)
        self._settle()
        there = present(self.connections)
        if len(there) > self.most:
            waiting = [other for other in there if other.since is not None and other is not self]
            if waiting:
                min(waiting, key=lambda other: other.since or 0.0).transport.abort()
            elif len(there) > self.most + SPARE:
                transport.abort()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._settle()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._settle()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._stop_clock()

    def _settle(self) -> None:
        """Start or stop the clock, as the connection waits or does not; an idle one has uvicorn's own."""
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_clock()
            return
        self.since = self.since or time.monotonic()
        if self.deadline is None and self.timeout_keep_alive_task is None:
            self.deadline = self.loop.call_later(self.header_seconds, self.transport.abort)

    def _stop_clock(self) -> None:
        if self.deadline:
            self.deadline.cancel()
        self.deadline = self.since = None


class Server(uvicorn.Server):
    """Uvicorn, taking a few connections at a time: what asyncio takes in one go it has before any can be closed."""

    async def startup(self, sockets=None) -> None:
        await super().startup(sockets)
        for listening in sockets or ():  # the queue in the kernel, which the small number has shortened, may be long
            listening.listen(1024)


def present(connections) -> list[Connection]:
    """Those that are not just being closed."""
    return [one for one in connections if isinstance(one, Connection) and not one.transport.is_closing()]


def server(service: Service, most: int, header_seconds: float = 10.0, **settings) -> uvicorn.Server:
    """The service behind uvicorn, with at most so many connections; whoever comes when all have a request running is
    refused by `service.gate`, but for `/health`."""
    kind = type("Connection", (Connection,), {"most": most, "header_seconds": header_seconds})
    settings = {"log_level": "warning", "server_header": False, "ws": "none", "http": kind, **settings}
    server = Server(uvicorn.Config(service.app(), backlog=AT_ONCE, **settings))
    service.gate.crowded = lambda: len(present(server.server_state.connections)) > most
    return server


def affordable(most: int) -> int:
    """So many connections, or as many as the process may have descriptors for."""
    try:
        import resource
    except ImportError:  # Windows
        return most
    return max(SPARE, min(most, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - SPARE - OTHERS))
