"""Nobody is hurt by a neighbour: work takes turns, connections that give nothing go, and /health answers."""

import json
import resource
import socket
import threading
import time
from contextlib import suppress

import httpx
import pytest
from test_app import CHAT, HELLO, folder, serving, slow_down, until  # noqa: F401  folder is a fixture
from tiny import server_process

from zerochat.serving import app


def connected(address: str, data: bytes = b"") -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", int(address.rsplit(":", 1)[1])), timeout=10)
    connection.sendall(data)
    return connection


def post(path: str, body: dict) -> bytes:
    content = json.dumps(body).encode()
    return b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
        path.encode(), len(content), content)


def closed(connection: socket.socket) -> bool:
    """Whether the other side has hung up, within the socket's timeout."""
    with suppress(TimeoutError):
        with suppress(ConnectionResetError):
            while connection.recv(4096):
                pass
        return True
    return False


LOOK = {"messages": HELLO, "answer": [9]}


def test_attention_takes_turns_with_answers_has_its_place_in_the_queue_and_is_dropped_when_its_client_leaves(folder, monkeypatch):  # noqa: F811
    order, hold = [], threading.Event()
    with serving(folder, slots=1, queue_size=9) as (address, service):
        step, weights = service.engine.step, app.attention_weights

        def counted(model, ids):
            order.append("attention")
            return weights(model, ids)

        monkeypatch.setattr(app, "attention_weights", counted)
        monkeypatch.setattr(service.engine, "step", lambda: (order.append("step"), step())[1])
        service.worker.inbox.put(lambda: hold.wait(20))  # the engine thread is busy until all have asked
        callers = [connected(address, post("/attention", LOOK)) for _ in range(7)]
        assert until(lambda: service.worker.open == 7, 5)
        answer = connected(address, post(CHAT, {"messages": HELLO, "max_tokens": 6}))
        assert until(lambda: service.worker.open == 8, 5)
        more = [connected(address, post(path, body)) for path, body in [("/attention", LOOK), (CHAT, {"messages": HELLO})]]
        assert until(lambda: service.worker.open == 10, 5)
        for path, body in (("/attention", LOOK), (CHAT, {"messages": HELLO})):
            assert httpx.post(address + path, json=body).status_code == 503
        for gone in (*callers[:3], *more):
            gone.close()
        assert until(lambda: service.worker.open == 5, 5)
        hold.set()
        assert answer.recv(12) == b"HTTP/1.1 200" and [caller.recv(12) for caller in callers[3:]] == [b"HTTP/1.1 200"] * 4
        assert until(lambda: service.worker.open == 0, 5)
    assert order == ["attention", "step"] * 4 + ["step"] * 2, "four that stayed, six tokens, in turn"


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


def test_headers_have_a_deadline_also_those_of_a_second_request_and_what_runs_has_none(folder):  # noqa: F811
    with serving(folder, slots=1, header_seconds=0.5) as (address, service):
        slow_down(service, 0.1)
        running = connected(address, post(CHAT, {"messages": HELLO, "max_tokens": 20}))  # two seconds
        half, silent = connected(address, b"GET /health HTTP/1.1\r\nHost: loc"), connected(address)
        second = connected(address, b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert second.recv(12) == b"HTTP/1.1 200"
        second.sendall(b"GET /he")
        begun = time.monotonic()
        assert closed(half) and closed(silent) and closed(second)
        assert time.monotonic() - begun < 1.9
        assert running.recv(12) == b"HTTP/1.1 200"


def test_of_too_many_connections_those_that_wait_go_first_and_health_answers_when_all_are_at_work(folder):  # noqa: F811
    with serving(folder, slots=2, most=4) as (address, service):
        idle = [connected(address) for _ in range(4)]
        assert until(lambda: len(service.engine.running) == 2, 1)
        newcomer = connected(address, b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert newcomer.recv(12) == b"HTTP/1.1 200" and closed(idle[0])
        hold = threading.Event()
        service.worker.inbox.put(lambda: hold.wait(20))
        busy = [connected(address, post(CHAT, {"messages": HELLO, "max_tokens": 1})) for _ in range(4)]
        assert until(lambda: service.worker.open == 4, 5) and all(closed(one) for one in (*idle[1:], newcomer))
        assert httpx.get(address + "/health").status_code == 200
        refused = httpx.post(address + CHAT, json={"messages": HELLO})
        assert refused.status_code == 503 and "too many connections" in refused.text and refused.headers["Retry-After"] == "1"
        hold.set()
        assert [one.recv(12) for one in busy] == [b"HTTP/1.1 200"] * 4
        with httpx.Client() as polling:
            assert [polling.get(address + path).status_code for path in ("/health", "/v1/models")] == [200, 200], "nobody is at work any more"


def test_who_reads_slowly_gets_all_and_who_never_reads_is_gone_after_a_while(folder):  # noqa: F811
    with serving(folder, most=4, header_seconds=0.3, read_seconds=1.0, buffer=4096) as (address, service):
        def asking(words: bytes) -> socket.socket:
            one = socket.socket()
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            one.connect(("127.0.0.1", int(address.rsplit(":", 1)[1])))
            one.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n" + words + b"\r\n")
            return one

        slow, never = asking(b"Connection: close\r\n"), [asking(b"") for _ in range(3)]
        time.sleep(0.6)  # longer than headers may take
        whole = b"".join(iter(lambda: slow.recv(2048), b""))
        assert whole.endswith(service.page.encode()[-200:]) and len(whole) > len(service.page.encode())
        assert [httpx.get(address + "/health").status_code for _ in range(6)] == [200] * 6
        time.sleep(2.2)
        assert all(len(b"".join(iter(lambda one=one: part(one), b""))) < len(whole) for one in never)


def part(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except ConnectionResetError:
        return b""


def test_140_half_sent_requests_at_128_descriptors_leave_health_and_answers_to_others(folder):  # noqa: F811
    limit = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128))  # noqa: E731
    with server_process("--model", folder, preexec_fn=limit) as (_, address):
        kinds = (b"GET /health HTTP/1.1\r\nHost: loc", post(CHAT, {"messages": HELLO})[:-5])  # headers, and a body
        for kind in kinds:
            slow = [connected(address, kind) for _ in range(140)]
            for _ in range(5):
                assert httpx.get(address + "/health", timeout=1).status_code == 200
            for one in slow if kind is kinds[1] else []:
                one.close()
        assert until(lambda: httpx.post(address + CHAT, json={"messages": HELLO, "max_tokens": 2}).status_code == 200, 10)
