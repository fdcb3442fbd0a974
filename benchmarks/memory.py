"""Memory of a rank: what a config needs on paper, and ZeRO 0, 1, 2, 3 with one and two ranks, measured beside it.

    python benchmarks/memory.py --config configs/base.json --ranks 1 8     # on paper: nothing is allocated
    python benchmarks/memory.py --config configs/large.json --traffic      # what ZeRO sends in a step, and how long
    python benchmarks/memory.py                                            # measured

On a CPU, in bf16: what the process holds (resident set) when a step's gradients are there and the optimizer is about
to run, less what it held before the model was made. Activations are kept small: two rows of 32 tokens.
"""

import argparse
import os
import sys

import psutil
import torch
import torch.distributed as dist
import torch.multiprocessing as processes
from torch import nn

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from config import deep_merge, load_config
from model import LanguageModel, ModelConfig
from zerochat.training import engine as engines
from zerochat.training.ranks import start_process_group


def memory_per_gpu(parameters: int, trained: int, zero_stage: int, ranks: int, offload: bool) -> dict[str, float]:
    """Bytes of model state a rank holds in mixed-precision Adam training (Rajbhandari et al. 2020, section 3.1):
    2 per half-precision weight and, per weight that is trained, 2 for the gradient and 12 for the fp32 master and both
    Adam moments. ZeRO 1, 2, 3 divide the last, the last two, all three by the number of ranks; offload moves the 12 to
    the host."""
    weights, gradients, optimizer = 2.0 * parameters, 2.0 * trained, 12.0 * trained
    optimizer /= ranks if zero_stage >= 1 else 1
    gradients /= ranks if zero_stage >= 2 else 1
    weights /= ranks if zero_stage >= 3 else 1
    gpu = weights + gradients + (0 if offload else optimizer)
    return {"gpu": gpu, "host": optimizer if offload else 0.0}


def describe(model, lora_rank: int, zero: dict, ranks: list[int]) -> str:
    """Parameters and memory of a model on the meta device; zero: the config's `deepspeed.zero_optimization`."""
    stage, offload = zero.get("stage", 0), "offload_optimizer" in zero
    parameters = trained = sum(p.numel() for p in model.parameters())
    lines = [f"{parameters:,} parameters, ZeRO-{stage}{' with the optimizer on the host' if offload else ''}"]
    if lora_rank:
        matrices = [m for m in model.model.modules() if isinstance(m, nn.Linear)]
        adapters = lora_rank * sum(m.in_features + m.out_features for m in matrices)
        vocabulary = parameters - sum(p.numel() for p in model.model.layers.parameters()) - len(model.model.norm.weight)
        lines.append(f"trained: {adapters:,} in adapters of rank {lora_rank}, {vocabulary:,} in embedding and head")
        parameters, trained = parameters + adapters, adapters + vocabulary
    for number in ranks:
        memory = memory_per_gpu(parameters, trained, stage, number, offload)
        gpu, host = (memory[place] / 2**30 for place in ("gpu", "host"))
        lines.append(f"  {number:3d} ranks: {gpu:7.2f} GiB per GPU, {host:7.2f} GiB host per rank, plus activations")
    return "\n".join(lines)


def on_paper(config: dict, ranks: list[int]) -> str:
    """What `describe` says of the model that the first stage of a config trains."""
    stage = config["stages"][0]
    zero = deep_merge(config["deepspeed"], stage["deepspeed"]).get("zero_optimization", {})
    return describe(unallocated(config), stage["lora"]["rank"], zero, ranks)


def unallocated(config: dict) -> LanguageModel:
    """The model that the first stage of a config trains, on the meta device."""
    start, own = config["stages"][0]["init_from"], {"vocab_size": config["tokenizer"]["vocab_size"], **config["model"]}
    with torch.device("meta"):
        return LanguageModel(ModelConfig.read(start) if start else ModelConfig(**own))


PEAK, REACHED = 989e12, 0.45  # flop/s: dense bf16 of an H100 (SXM, data sheet), and the share that training reaches
INSIDE, NETWORKS = 450e9, {"8 x 400 Gb/s": 400e9, "100 Gb/s": 12.5e9}  # bytes/s one way: NVLink of a GPU; of a node
USED = 0.8  # of a link's bandwidth


def bytes_sent(parameters: int, stage: int, ranks: int, micro_batches: int) -> float:
    """What a rank sends in a step of `micro_batches`, in half precision (Rajbhandari et al. 2020, section 7): a
    collective over V bytes in a ring sends V (ranks - 1) / ranks. ZeRO 0 and 1 reduce gradients and gather weights
    once a step; 2 reduces after every micro-batch; 3 besides gathers weights in each forward and backward pass."""
    passes = {0: 2, 1: 2, 2: micro_batches + 1, 3: 3 * micro_batches}[stage]
    return passes * 2 * parameters * (ranks - 1) / ranks


def traffic(config: dict, ranks: list[int]) -> str:
    """A table: milliseconds of arithmetic and of communication in a step, one after the other, for each stage."""
    model, settings = unallocated(config), deep_merge(config["deepspeed"], config["stages"][0]["deepspeed"])
    shape, parameters = model.config, sum(p.numel() for p in model.parameters())
    rows, micro = (settings.get(f"train_{key}", "auto") for key in ("batch_size", "micro_batch_size_per_gpu"))
    if rows == "auto":
        raise ValueError("the config's deepspeed.train_batch_size is not a number: a step's rows are not known")
    micro, context = rows if micro == "auto" else micro, shape.max_position_embeddings
    passes = 4 if shape.activation_checkpointing else 3  # forward, two of the backward pass, and once more forward
    flops = passes * (2 * parameters + 2 * shape.num_hidden_layers * shape.hidden_size * context)  # causal: half
    lines = ["| GPUs | micro-batches | network of a node | arithmetic | ZeRO-1 | ZeRO-2 | ZeRO-3 |", "|---:|---:|---|---:|---:|---:|---:|"]
    for number in ranks:
        if rows % number:
            raise ValueError(f"deepspeed.train_batch_size {rows} is not a multiple of {number} ranks: name others by --ranks")
        here = min(micro, rows // number)
        count = rows // (here * number)
        busy = rows * context / number * flops / (PEAK * REACHED)
        for name, network in NETWORKS.items() if number > 8 else [("none", INSIDE)]:
            cells = []
            for stage in (1, 2, 3):
                seconds = bytes_sent(parameters, stage, number, count) / (USED * min(INSIDE, network))
                cells.append(f"{1000 * seconds:,.0f} ms, {seconds / busy:.0%}")
            lines.append(f"| {number} | {count} of {here} | {name} | {1000 * busy:,.0f} ms | {' | '.join(cells)} |")
    return "\n".join(lines)


CONFIG = ModelConfig(vocab_size=8192, hidden_size=768, num_hidden_layers=8, num_attention_heads=8)


def rank(number: int, ranks: int, stage: int, port: int, answers) -> None:
    os.environ.update(RANK=str(number), LOCAL_RANK=str(number), WORLD_SIZE=str(ranks), MASTER_ADDR="127.0.0.1",
                      MASTER_PORT=str(port), OMP_NUM_THREADS="1")
    torch.set_num_threads(1)
    engines.load_deepspeed(verbose=False)
    import deepspeed
    deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
    start_process_group()
    process = psutil.Process()
    before = process.memory_info().rss
    settings = {"train_batch_size": 2, "bf16": {"enabled": True}, "zero_optimization": {"stage": stage},
                "optimizer": {"type": "AdamW", "params": {"lr": 1e-4}}}
    settings, _ = engines.settle(settings, ranks)
    model = LanguageModel(CONFIG).train()
    with engines.initializing(os.devnull):
        engine = deepspeed.initialize(model=model, model_parameters=model.parameter_groups(), config=settings)[0]
    engines.mend_engine(engine)
    ids = torch.randint(3, CONFIG.vocab_size, (2 // ranks, 32))
    for _ in range(3):  # Adam's moments are there after the first
        engine.backward(engine(ids, torch.ones_like(ids).bool()) / 64)
        held = process.memory_info().rss - before
        engine.step()
    answers.put(held)
    dist.barrier()
    engine.destroy()
    dist.destroy_process_group()


def main(argv=None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", help="on paper, for this config")
    parser.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE", help="repeatable")
    parser.add_argument("--traffic", action="store_true", help="on paper: what ZeRO sends in a step")
    parser.add_argument("--ranks", type=int, nargs="+", help="default: 1 8 64; with --traffic 8 64 512")
    args = parser.parse_args(argv)
    if args.config:
        try:
            config = load_config(args.config, args.set)
            paper = traffic if args.traffic else on_paper
            print(paper(config, args.ranks or ([8, 64, 512] if args.traffic else [1, 8, 64])))
        except (ValueError, OSError) as error:
            raise SystemExit(f"error: {error}") from None
        return
    parameters = sum(p.numel() for p in LanguageModel(CONFIG).parameters())
    print(f"{parameters:,} parameters, bf16, MiB per rank\n\n| ZeRO | ranks | measured | formula |\n|---:|---:|---:|---:|")
    context = processes.get_context("spawn")
    for ranks in (1, 2):
        for stage in range(4):
            answers = context.SimpleQueue()
            processes.start_processes(rank, (ranks, stage, 29700 + 10 * ranks + stage, answers), nprocs=ranks)
            held = max(answers.get() for _ in range(ranks))
            predicted = memory_per_gpu(parameters, parameters, stage, ranks, False)["gpu"]
            print(f"| {stage} | {ranks} | {held / 2**20:.0f} | {predicted / 2**20:.0f} |", flush=True)


if __name__ == "__main__":
    main()
