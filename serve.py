"""A trained model behind an OpenAI-compatible HTTP API, and a page to chat with it.

    python serve.py                                    # the newest finished run in out/, http://127.0.0.1:8000
    python serve.py --model out/small --slots 16 --port 8080
    curl localhost:8000/v1/chat/completions -H "Content-Type: application/json" \\
         -d '{"messages": [{"role": "user", "content": "Hello!"}]}'

`zerochat/serving` has the endpoints and the thread that runs the engine; this page puts them on a port. Left out on
purpose: several models, several processes, TLS (put nginx in front)."""

import argparse
import ipaddress
import os
import signal
import socket
import sys

import uvicorn

from model import LanguageModel
from tokenizer import Tokenizer
from zerochat.generation.engine import Engine
from zerochat.precision import chat_dtype
from zerochat.run_folder import RunFolder
from zerochat.serving.app import Service


def loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 is any free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.create_server((host, port), family=family, backlog=1024)
    # asyncio does this only for sockets whose protocol is named, which create_server's are not. Without it every answer
    # waits 40 ms for the client's delayed acknowledgement of its head. Accepted connections inherit it.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def server_settings(connections: int, **more) -> dict:
    """Of uvicorn, which has no deadline for headers: strangers belong behind nginx (`deploy/nginx.conf`)."""
    settings = {"log_level": "warning", "server_header": False, "ws": "none", "http": "h11"}
    return {**settings, "limit_concurrency": connections + 1, **more}  # it refuses from its limit on, not beyond


def main(argv=None) -> None:
    parser = argparse.ArgumentParser(description="serve a trained model over HTTP, with a page to chat with it")
    parser.add_argument("--model", help="model folder; default: the newest finished run in out/")
    parser.add_argument("--dtype", choices=("auto", "bf16", "fp32"), default="auto", help=chat_dtype.__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--slots", type=int, default=8, help="answers generated side by side")
    parser.add_argument("--queue", type=int, default=64, help="requests that may wait for a slot; more get a 503")
    parser.add_argument("--connections", type=int, default=500, help="at once; more get a 503")
    known = "a name this server is reached under, beside localhost and addresses; may be repeated"
    parser.add_argument("--allow-host", action="append", default=[], metavar="NAME", help=known)
    parser.add_argument("--drain", type=int, default=60, help="seconds to finish what runs after SIGTERM")
    args = parser.parse_args(argv)
    # uvicorn finishes what runs and then raises the signal again: that is the moment to leave, and no failure.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(130))
    try:
        if not 1 <= args.slots <= 4096 or min(args.queue, args.connections - 1) < 0 or not 0 <= args.port < 65536:
            ranges = "--slots should be from 1 to 4096, --queue 0 or more, --connections 1 or more"
            raise ValueError(f"{ranges}, --port from 0 to 65535")
        folder = args.model or RunFolder.newest()
        engine = Engine(LanguageModel.load(folder, dtype=chat_dtype(args.dtype)), Tokenizer(folder), args.slots)
        name = os.path.basename(os.path.abspath(folder))
        key = os.environ.get("ZEROCHAT_API_KEY")  # not an argument: those are seen by every user of the machine
        if not loopback(args.host):
            advice = ", with the key; put TLS in front" if key else "; set ZEROCHAT_API_KEY, and put TLS in front"
            print(f"warning: on {args.host} everyone who reaches this port can use the model{advice}", file=sys.stderr)
        names = tuple(host.lower() for host in args.allow_host)
        service = Service(engine, name, args.queue, api_key=key, allowed_hosts=names)
        listening = listen(args.host, args.port)
    except (ValueError, OSError) as error:
        raise SystemExit(f"error: {error}") from None
    host = f"[{args.host}]" if ":" in args.host else args.host
    print(f"{folder} is at http://{host}:{listening.getsockname()[1]}", flush=True)
    settings = server_settings(args.connections, timeout_graceful_shutdown=args.drain)
    uvicorn.Server(uvicorn.Config(service.app(), **settings)).run(sockets=[listening])


if __name__ == "__main__":
    main()
