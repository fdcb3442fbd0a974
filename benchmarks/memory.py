"""Memory of a rank: what a config needs on paper, and ZeRO 0, 1, 2, 3 with one and two ranks, measured beside it.

    python benchmarks/memory.py --config configs/base.json --ranks 1 8     # on paper: nothing is allocated
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
    stage, own = config["stages"][0], {"vocab_size": config["tokenizer"]["vocab_size"], **config["model"]}
    shape = ModelConfig.read(stage["init_from"]) if stage["init_from"] else ModelConfig(**own)
    zero = deep_merge(config["deepspeed"], stage["deepspeed"]).get("zero_optimization", {})
    with torch.device("meta"):
        return describe(LanguageModel(shape), stage["lora"]["rank"], zero, ranks)


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
    parser.add_argument("--ranks", type=int, nargs="+", default=[1, 8, 64])
    args = parser.parse_args(argv)
    if args.config:
        try:
            print(on_paper(load_config(args.config, args.set), args.ranks))
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
