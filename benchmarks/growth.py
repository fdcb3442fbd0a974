"""How the cost of training grows with the work: measured curves of one step, and a picture of them.

    python benchmarks/growth.py                        # a table
    python benchmarks/growth.py --picture docs/growth.png
    python benchmarks/growth.py --only rows            # one curve: size, context, vocabulary, rows or ranks

Every point is a process of its own, which trains as `train.py` does, in the precision that training takes here: two
steps to warm up, then at least five and five seconds of them; the median, with the spread of the middle half. One thing
grows, the others stay: 2.0M parameters (`SHAPES` of training.py, vocabulary 2,048), rows of 256 tokens, each row one
document of which the second half is supervised, 4,096 tokens a step. Memory is what the process held at its highest,
less what it held before the model was made."""

import argparse
import os
import socket
import statistics
import sys
import time
from dataclasses import replace
from multiprocessing import get_context

import torch

sys.path[:0] = [os.path.dirname(os.path.dirname(os.path.abspath(__file__))), os.path.dirname(os.path.abspath(__file__))]

from training import SETTINGS, SHAPES, Rows, processor

import train
from model import LanguageModel, ModelConfig
from zerochat.training import engine as engines
from zerochat.training.ranks import start_process_group

BASE, TOKENS = SHAPES["2.0M"][0], 4096
SIZES = [  # hidden, intermediate, layers, heads, key-value heads; the last is SmolLM2-135M's, less its vocabulary
    (128, 352, 4, 4, 2), (192, 512, 4, 4, 2), (256, 704, 5, 4, 2), (384, 1024, 8, 6, 3), (512, 1376, 12, 8, 4), (576, 1536, 30, 9, 3)]


def shaped(size: tuple) -> ModelConfig:
    return ModelConfig(BASE.vocab_size, *size, max_position_embeddings=BASE.max_position_embeddings)


def curves() -> dict[str, list[tuple]]:
    """For each curve its points: what grows, the model, rows of a step, rows of a micro-batch, ranks."""
    context = BASE.max_position_embeddings
    rows = TOKENS // context
    wide = {length: replace(BASE, max_position_embeddings=length) for length in (128, 256, 512, 1024, 2048)}
    return {
        "size": [(None, shaped(size), rows, rows, 1) for size in SIZES],
        "context": [(length, config, TOKENS // length, TOKENS // length, 1) for length, config in wide.items()],
        "vocabulary": [(size, replace(BASE, vocab_size=size), rows, rows, 1) for size in (2048, 8192, 32768, 151936)],
        "rows": [(n, BASE, n, n, 1) for n in (1, 2, 4, 8, 16, 32)],
        "ranks": [(n, BASE, rows, rows // n, n) for n in (1, 2)],
    }


def held(name: str) -> float:
    """MiB of this process by /proc/self/status: VmRSS now, VmHWM at its highest."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith(name))


def measure(config: ModelConfig, rows: int, micro: int, ranks: int, rank: int, port: int, answers) -> None:
    import deepspeed

    os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(ranks), MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    torch.set_num_threads(max(1, torch.get_num_threads() // ranks))
    engines.load_deepspeed(verbose=False)
    start_process_group()
    before, shard = held("VmRSS"), Rows(config, rows)
    at = torch.arange(config.max_position_embeddings)
    shard.mask = torch.where(at == 0, 2, (at >= len(at) // 2).long()).expand(rows, -1).to(torch.uint8)
    settings = engines.settle({**SETTINGS, "train_batch_size": rows, "train_micro_batch_size_per_gpu": micro}, ranks)[0]
    torch.manual_seed(0)
    module = LanguageModel(config).train()
    with engines.initializing(os.devnull):
        engine = deepspeed.initialize(model=module, model_parameters=module.parameter_groups(), config=settings)[0]
    engines.mend_engine(engine)
    spent, begun = [], time.perf_counter()
    # Every rank has to take as many steps: their number is chosen by rank 0, from the steps that warm up.
    for number in range(2):
        begun = time.perf_counter()
        train.train_step(engine, shard, list(range(rows)), number)
    count = torch.tensor([max(5, int(5 / (time.perf_counter() - begun)))])
    torch.distributed.broadcast(count, 0)
    for number in range(int(count)):
        begun = time.perf_counter()
        train.train_step(engine, shard, list(range(rows)), 2 + number)
        spent.append(time.perf_counter() - begun)
    if rank == 0:
        low, middle, high = statistics.quantiles(spent, n=4)
        tokens = rows * config.max_position_embeddings
        parameters = sum(p.numel() for p in module.parameters())
        answers.put((parameters, *(seconds / tokens * 1e6 for seconds in (middle, low, high)), held("VmHWM") - before))


def point(config: ModelConfig, rows: int, micro: int, ranks: int) -> tuple:
    """Parameters, microseconds a token (median, quarter, three quarters), MiB of rank 0."""
    context = get_context("spawn")
    answers = context.SimpleQueue()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    processes = [context.Process(target=measure, args=(config, rows, micro, ranks, rank, port, answers)) for rank in range(ranks)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert not any(process.exitcode for process in processes), "a process failed"
    return answers.get()


def short(n: float) -> str:
    return f"{n / 1e6:.2g}M" if n < 1e8 and n >= 1e6 else f"{n / 1e6:.0f}M" if n >= 1e6 else f"{n / 1e3:.0f}k" if n > 2048 else f"{n:.0f}"


def draw(found: dict[str, list[tuple]], path: str) -> None:
    """One panel a curve, both axes logarithmic; a dotted line grows as the work of a plain product would."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib import ticker

    names = {"size": "parameters", "context": "context, tokens", "vocabulary": "vocabulary", "rows": "rows of a step", "memory": "rows of a step"}
    figure, axes = plt.subplots(1, len(names), figsize=(3 * len(names), 2.7))
    for panel, (curve, label) in zip(axes, names.items()):
        points = found["rows" if curve == "memory" else curve]
        x = [row[0] for row in points]
        if curve == "memory":
            panel.plot(x, [row[5] for row in points], "o-", color="#7a4fbf", ms=4)
        else:
            panel.plot(x, [row[2] for row in points], "o-", color="#3b82c4", ms=4)
            panel.fill_between(x, [row[3] for row in points], [row[4] for row in points], color="#3b82c4", alpha=0.3)
        if curve == "size":
            panel.plot(x, [points[-1][2] * size / x[-1] for size in x], ":", color="#808080")
        panel.set_xscale("log")
        panel.set_yscale("log")
        panel.set_xticks(x, [short(n) for n in x])
        panel.yaxis.set_major_locator(ticker.LogLocator(subs=(1, 1.5, 2, 3, 5, 7)))
        panel.yaxis.set_major_formatter(ticker.FuncFormatter(lambda n, _: f"{n:,.0f}"))
        for axis in (panel.xaxis, panel.yaxis):
            axis.set_minor_locator(ticker.NullLocator())
        panel.set_xlabel(label, color="#808080", fontsize=8)
        panel.set_title("MiB" if curve == "memory" else "µs per token", color="#808080", fontsize=9)
        panel.tick_params(colors="#808080", labelsize=7, which="both")
        for side in panel.spines.values():
            side.set_color("#808080")
        panel.grid(alpha=0.25)
    figure.tight_layout()
    figure.savefig(path, dpi=110, transparent=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--picture", metavar="FILE", help="the curves, a PNG")
    parser.add_argument("--only", choices=list(curves()), help="one of the curves")
    args = parser.parse_args()
    print(processor())
    found: dict[str, list[tuple]] = {}
    for curve, points in curves().items():
        if args.only not in (None, curve):
            continue
        print(f"\n| {curve} | parameters | µs per token | middle half | MiB |\n|---:|---:|---:|---|---:|")
        for grows, config, *how in points:
            parameters, middle, low, high, memory = point(config, *how)
            found.setdefault(curve, []).append((grows or parameters, parameters, middle, low, high, memory))
            print(f"| {grows or parameters:,} | {parameters:,} | {middle:.1f} | {low:.1f} to {high:.1f} | {memory:.0f} |", flush=True)
    if args.picture:
        draw(found, args.picture)


if __name__ == "__main__":
    main()
