"""Tokens per second of `serve.py` with many clients at once over one after the other, on one running server.

    python benchmarks/serving.py --model out/small --clients 16
"""

import argparse
import math
import os
import statistics
import subprocess
import sys
import threading
import time

import httpx

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def ask(http: httpx.Client, address: str, tokens: int, seed: int) -> int:
    """One chat request; returns the tokens generated. Temperature 5 all but excludes an early end."""
    answer = http.post(address + "/v1/chat/completions", timeout=300, json={
        "messages": [{"role": "user", "content": "Tell me a story."}], "max_tokens": tokens, "temperature": 5,
        "seed": seed})
    answer.raise_for_status()
    return answer.json()["usage"]["completion_tokens"]


def rate(address: str, clients: int, requests: int, tokens: int) -> float:
    """Tokens per second of `requests` requests by `clients` clients, each sending one after the other."""
    counts, seeds = [], iter(range(requests))
    lock = threading.Lock()

    def client():
        with httpx.Client() as http:
            while True:
                with lock:
                    seed = next(seeds, None)
                if seed is None:
                    return
                counts.append(ask(http, address, tokens, seed))

    threads = [threading.Thread(target=client) for _ in range(clients)]
    begun = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.monotonic() - begun)


def main(argv=None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", default="out/small")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--tokens", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args(argv)
    together = math.nan
    for slots in (args.clients, 1):  # what its users share, and the fastest server for a single user
        server = subprocess.Popen([sys.executable, os.path.join(ROOT, "serve.py"), "--model", args.model, "--port", "0",
                                   "--slots", str(slots)], stdout=subprocess.PIPE, text=True)
        try:
            address = server.stdout.readline().split()[-1]
            rate(address, 1, 2, args.tokens)  # warm up
            rounds = [(rate(address, 1, 4, args.tokens),
                       rate(address, args.clients, 2 * args.clients, args.tokens) if slots > 1 else None)
                      for _ in range(args.rounds)]
        finally:
            server.terminate()
            server.wait()
        alone = statistics.median(one for one, _ in rounds)
        if slots == 1:
            print(f"1 slot: one client {alone:.0f} tokens/s; {args.clients} clients on {args.clients} slots give "
                  f"{together / alone:.1f}x that")
        else:
            together = statistics.median(many for _, many in rounds)
            print(f"{slots} slots: one client {alone:.0f} tokens/s, {args.clients} clients {together:.0f} tokens/s, "
                  f"ratio {statistics.median(many / one for one, many in rounds):.1f} "
                  f"(of {', '.join(f'{many / one:.1f}' for one, many in rounds)})")


if __name__ == "__main__":
    main()
