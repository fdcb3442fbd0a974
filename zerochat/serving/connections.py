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
LOOK_EVERY = 0.2  # seconds


class Connection(H11Protocol):
    """One connection. It waits while it has no request whose headers are all there, and nothing left to send: at most
    `header_seconds`, once a first byte of them has come, and shorter where all `most` are taken: then who has waited
    longest goes. Who reads nothing of what is sent for `read_seconds` goes, too."""

    most, header_seconds, read_seconds = 1000, 10.0, 30.0
    left = 0  # bytes not sent at the last look
    gone = False

    def connection_made(self, transport) -> None:
        super().connection_made(transport)
        self.since = self.taken = time.monotonic()  # when it began to wait, and when some of what is sent was taken
        there = present(self.connections)
        if len(there) > self.most:
            waiting = [other for other in there if not other.works and not other.unsent and other is not self]
            if waiting:
                min(waiting, key=lambda other: other.since).abort()
            elif len(there) > self.most + SPARE:
                self.abort()

    def data_received(self, data: bytes) -> None:
        if self.timeout_keep_alive_task:  # it was idle, which uvicorn limits itself
            self.since = time.monotonic()
        super().data_received(data)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self.since = time.monotonic()

    def resume_writing(self) -> None:
        super().resume_writing()
        self.taken = time.monotonic()  # though the buffer may be full again at the next look

    def abort(self) -> None:
        self.gone = True
        self.transport.abort()

    @property
    def works(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    @property
    def unsent(self) -> int:
        """Bytes that the other side has not taken yet."""
        return self.transport.get_write_buffer_size()

    def look(self, now: float) -> None:
        """End the connection where one of its two times is over."""
        if not self.unsent or self.unsent < self.left:
            self.taken = now
        self.left = self.unsent
        hears = not self.works and self.timeout_keep_alive_task is None and not self.transport.is_closing()
        if now - self.taken > self.read_seconds or hears and now - self.since > self.header_seconds:
            self.abort()


class Server(uvicorn.Server):
    """Uvicorn, taking a few connections at a time: what asyncio takes in one go it has before any can be closed."""

    async def startup(self, sockets=None) -> None:
        await super().startup(sockets)
        for listening in sockets or ():  # the queue in the kernel, which the small number has shortened, may be long
            listening.listen(1024)
        self.look()

    def look(self) -> None:
        for one in present(self.server_state.connections):
            one.look(time.monotonic())
        asyncio.get_running_loop().call_later(LOOK_EVERY, self.look)


def present(connections) -> list[Connection]:
    """Those that hold a descriptor."""
    return [one for one in connections if isinstance(one, Connection) and not one.gone]


def server(service: Service, most: int, header_seconds=10.0, read_seconds=30.0, **settings) -> uvicorn.Server:
    """The service behind uvicorn, with at most so many connections; whoever comes when so many have a request running
    is refused by `service.gate`, but for `/health`."""
    limits = {"most": most, "header_seconds": header_seconds, "read_seconds": read_seconds}
    kind = type("Connection", (Connection,), limits)
    settings = {"log_level": "warning", "server_header": False, "ws": "none", "http": kind, **settings}
    server = Server(uvicorn.Config(service.app(), backlog=AT_ONCE, **settings))
    service.gate.crowded = lambda: sum(one.works for one in present(server.server_state.connections)) > most
    return server


def affordable(most: int) -> int:
    """So many connections, or as many as the process may have descriptors for."""
    try:
        import resource
    except ImportError:  # Windows
        return most
    return min(most, max(SPARE, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - SPARE - OTHERS))
