"""Memory of a rank under ZeRO 0, 1, 2, 3 with one and two ranks, measured beside what `zerochat/memory.py` predicts.

    python benchmarks/memory.py

On a CPU, in bf16: what the process holds (resident set) when a step's gradients are there and the optimizer is about
to run, less what it held before the model was made. Activations are kept small: two rows of 32 tokens.
"""

import os
import sys

import psutil
import torch
import torch.distributed as dist
import torch.multiprocessing as processes

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from model import LanguageModel, ModelConfig
from zerochat.memory import memory_per_gpu
from zerochat.training import engine as engines
from zerochat.training.ranks import start_process_group

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


def main() -> None:
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
