"""Nobody is hurt by a neighbour: work takes turns, who leaves frees a place, and connections have a limit."""

import json
import socket

import httpx
import pytest
from test_app import CHAT, HELLO, folder, serving, slow_down, until  # noqa: F401  folder is a fixture


def connected(address: str, data: bytes = b"") -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", int(address.rsplit(":", 1)[1])), timeout=10)
    connection.sendall(data)
    return connection


def post(path: str, body: dict) -> bytes:
    content = json.dumps(body).encode()
    return b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
        path.encode(), len(content), content)


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_leaves_frees_its_slot_and_its_place_in_the_queue_within_a_second(folder, stream):  # noqa: F811
    with serving(folder, slots=1) as (address, service):
        slow_down(service, 0.02)  # 200 tokens take 4 s and more
        callers = []
        for expected in (1, 2):  # one that runs and one that waits
            callers.append(connected(address, post(CHAT, {"messages": HELLO, "max_tokens": 200, "stream": stream})))
            assert until(lambda: service.worker.open == expected and len(service.worker.jobs) == expected, 5)
        for caller in callers:
            caller.close()
        assert until(lambda: service.worker.open == 0 and not service.worker.jobs, 1)
        assert service.engine.running == [None] and not service.engine.waiting


def test_beyond_its_connections_the_server_refuses_and_serves_again_when_some_have_gone(folder):  # noqa: F811
    with serving(folder, most=4) as (address, _):
        idle = [connected(address, b"GET / HT") for _ in range(3)]
        assert httpx.get(address + "/v1/models").status_code == 200, "the fourth"
        idle.append(connected(address, b"GET / HT"))
        assert until(lambda: httpx.get(address + "/v1/models").status_code == 503, 5)
        [one.close() for one in idle]
        assert until(lambda: httpx.get(address + "/v1/models").status_code == 200, 5)
