"""What one GPU makes of all this, with torch and DeepSpeed alone; meant for eight minutes, not yet tried on one.

    python benchmarks/gpu.py                          # needs a CUDA device
    python benchmarks/gpu.py --nanogpt DIR            # and nanoGPT's own model beside it; DIR: a clone of it
    python benchmarks/gpu.py --tiny                   # the same with tiny sizes, on any machine; the figures say nothing

Three tables. Every ZeRO stage, and offload, trains the same small model for as many steps from the same weights: the
last losses must agree within 1%. In fp16 the loss scale starts too high on purpose: the first steps are skipped, the
scale falls. Then tokens per second, memory and model FLOPs utilisation: (6 N + 12 L H T) operations a token, N the
parameters, L layers of width H, T the context (nanoGPT's `estimate_mfu`), over what one large matrix product reaches
here in the same precision, and over the data sheet's dense peak where the GPU is known. Then decoding."""

import argparse
import json
import os
import statistics
import sys
import time

import torch

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [ROOT, os.path.join(ROOT, "benchmarks")]

from training import Rows, processor

import train
from model import LanguageModel, ModelConfig
from zerochat.generation.decode import CachedModel
from zerochat.text import markdown
from zerochat.training import engine as engines
from zerochat.training.ranks import start_process_group

SHEET = {"H100": 989e12, "H200": 989e12, "A100": 312e12}  # dense fp16 or bf16 operations a second, NVIDIA's data sheets
SETTINGS = {
    "optimizer": {"type": "AdamW", "params": {"lr": 3e-4, "betas": [0.9, 0.95]}}, "gradient_clipping": 1.0,
    "fp16": {"enabled": "auto", "loss_scale": 0, "initial_scale_power": 16}, "bf16": {"enabled": "auto"},
}
ZERO = {str(stage): {"stage": stage} for stage in range(4)}
ZERO["2, optimizer on the CPU"] = {"stage": 2, "offload_optimizer": {"device": "cpu"}}
ON_GPU = torch.cuda.is_available()


def ready() -> float:
    """The time, once the device has done what it was given."""
    torch.cuda.synchronize() if ON_GPU else None
    return time.perf_counter()


def engine_of(config: ModelConfig, rows: int, micro: int, zero: dict, **more):
    """An engine as `train.run_stage` makes it, with random weights that depend on the config alone."""
    import deepspeed

    settings = {**SETTINGS, **more, "train_batch_size": rows, "train_micro_batch_size_per_gpu": micro, "zero_optimization": zero}
    settings = engines.settle(json.loads(json.dumps(settings)), 1)[0]
    torch.manual_seed(0)
    model = LanguageModel(config).train()
    with engines.initializing(os.devnull):
        engine = deepspeed.initialize(model=model, model_parameters=model.parameter_groups(), config=settings)[0]
    engines.mend_engine(engine)
    return engine


def stages(config: ModelConfig, rows: int, steps: int) -> list[list[str]]:
    found, cells, shard = {}, [], Rows(config, rows)
    for name, zero in ZERO.items():
        engine = engine_of(config, rows, rows // 2, zero)
        losses = [train.train_step(engine, shard, list(range(rows)), step) for step in range(steps)]
        scale = f"{engines.loss_scale(engine):g}" if engine.fp16_enabled() else "none"
        found[name] = losses[-1]
        kind = type(engine.basic_optimizer).__name__
        cells.append([name, kind, scale, str(engine.skipped_steps), f"{losses[0]:.4f}", f"{losses[-1]:.4f}"])
        engines.destroy(engine)
    assert max(found.values()) < 1.01 * min(found.values()), found
    return cells


def overflowing(config: ModelConfig, rows: int) -> str:
    """How a loss scale of 2**32 comes down."""
    engine = engine_of(config, rows, rows, ZERO["1"], fp16={"enabled": "auto", "loss_scale": 0, "initial_scale_power": 32})
    if not engine.fp16_enabled():
        return "no fp16 here: no loss scale"
    scales, shard = [engines.loss_scale(engine)], Rows(config, rows)
    for step in range(40):
        train.train_step(engine, shard, list(range(rows)), step)
        scales.append(engines.loss_scale(engine))
    skipped = engine.skipped_steps
    assert 0 < skipped < 40 and scales[-1] < scales[0], (skipped, scales)
    engines.destroy(engine)
    return f"fp16: from {scales[0]:g} the scale falls to {min(scales):g} in {skipped} skipped steps of 40"


def matmul_rate(dtype: torch.dtype, size: int) -> float:
    """Operations a second of a product of two square matrices."""
    a, b = (torch.randn(size, size, dtype=dtype, device="cuda" if ON_GPU else "cpu") for _ in range(2))
    times = []
    for _ in range(12):
        begun = ready()
        a @ b
        times.append(ready() - begun)
    return 2 * size**3 / statistics.median(times[2:])


def rates(name: str, config: ModelConfig, parameters: int, step, tokens: int, product: float, rounds: int) -> list[str]:
    """A row of the table of a step: of the rounds the first third warms up. product: one product's rate."""
    times = []
    for _ in range(rounds):
        begun = ready()
        step()
        times.append(ready() - begun)
    second = tokens / statistics.median(times[rounds // 3 :])
    each = 6 * parameters + 12 * config.num_hidden_layers * config.hidden_size * config.max_position_embeddings
    gpu = torch.cuda.get_device_name() if ON_GPU else ""
    peak = next((peak for known, peak in SHEET.items() if known in gpu), None)
    memory = f"{torch.cuda.max_memory_allocated() / 2**30:.1f} GiB" if ON_GPU else ""
    of_sheet = f"{second * each / peak:.1%}" if peak else ""
    return [name, f"{parameters:,}", f"{second:,.0f}", f"{second * each / product:.1%}", of_sheet, memory]


def ours(name: str, config: ModelConfig, rows: int, size: int, rounds: int) -> list[str]:
    torch.cuda.reset_peak_memory_stats() if ON_GPU else None
    engine, shard = engine_of(config, rows, rows, ZERO["1"]), Rows(config, rows)
    counted, dtype = sum(p.numel() for p in engine.module.parameters()), next(engine.module.parameters()).dtype
    step = lambda: train.train_step(engine, shard, list(range(rows)), 0)  # noqa: E731
    row = rates(name, config, counted, step, rows * config.max_position_embeddings, matmul_rate(dtype, size), rounds)
    engines.destroy(engine)
    return row


def nanogpt(folder: str, config: ModelConfig, rows: int, size: int, rounds: int) -> list[str]:
    """The model of nanoGPT's model.py in the loop of its train.py: autocast, fused AdamW, clipping; compiled neither."""
    sys.path.insert(0, folder)
    sys.modules.pop("model")
    import model as theirs

    torch.cuda.reset_peak_memory_stats() if ON_GPU else None
    device, dtype = ("cuda", torch.float16) if ON_GPU else ("cpu", torch.bfloat16)
    keys = {"n_layer": config.num_hidden_layers, "n_head": config.num_attention_heads, "n_embd": config.hidden_size}
    shape = theirs.GPTConfig(block_size=config.max_position_embeddings, vocab_size=config.vocab_size, dropout=0.0, bias=False, **keys)
    gpt = theirs.GPT(shape).to(device)
    optimizer, scaler = gpt.configure_optimizers(0.1, 3e-4, (0.9, 0.95), device), torch.amp.GradScaler(device, enabled=ON_GPU)
    ids = Rows(config, rows).ids.to(device)

    def step():
        with torch.autocast(device, dtype):
            loss = gpt(ids, ids)[1]
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(gpt.parameters(), 1.0)
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad(set_to_none=True)
        float(loss)

    counted = sum(p.numel() for p in gpt.parameters())
    return rates("nanoGPT's model and loop", config, counted, step, ids.numel(), matmul_rate(dtype, size), rounds)


@torch.inference_mode()
def decoding(config: ModelConfig, batches: tuple[int, ...], tokens: int) -> list[list[str]]:
    """Tokens per second behind prompts of 16 tokens, greedy, without CUDA graphs: this program has none."""
    device, dtype = ("cuda", torch.float16) if ON_GPU else ("cpu", torch.float32)
    torch.manual_seed(0)
    model, rows = LanguageModel(config).to(device, dtype).eval(), []
    for batch in batches:
        cache = CachedModel(model, batch)
        last = [int(cache.prefill(slot, list(range(3, 19)), 0).argmax()) for slot in range(batch)]
        begun = ready()
        for at in range(16, 16 + tokens):
            last = cache.decode(last, [at] * batch).argmax(-1).tolist()
        spent = ready() - begun
        rows.append([str(batch), f"{batch * tokens / spent:,.0f}", f"{spent / tokens * 1e3:.2f}"])
    return rows


def main(argv=None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiny", action="store_true", help="tiny sizes, on any machine")
    parser.add_argument("--nanogpt", help="a clone of nanoGPT")
    args = parser.parse_args(argv)
    if not (ON_GPU or args.tiny):
        raise SystemExit("error: there is no CUDA device here; --tiny runs everything with tiny sizes")
    os.environ.update(RANK="0", LOCAL_RANK="0", WORLD_SIZE="1", MASTER_ADDR="127.0.0.1", MASTER_PORT="29791")
    engines.load_deepspeed(verbose=False)
    start_process_group()
    tiny = ModelConfig(300, 32, 48, 2, 4, 2, max_position_embeddings=64)
    shapes = {"tiny": (tiny, 4), "tiny, of two": (tiny, 2)}
    if not args.tiny:
        shapes = {name: json.load(open(os.path.join(ROOT, "configs", f"{name}.json"))) for name in ("base", "large")}
        shapes = {name: (ModelConfig(c["tokenizer"]["vocab_size"], **c["model"]),
                         c["deepspeed"]["train_micro_batch_size_per_gpu"]) for name, c in shapes.items()}
        shapes["nanoGPT's shape"] = ModelConfig(50304, 768, 2048, 12, 12, 12, max_position_embeddings=1024), 12
    small = tiny if args.tiny else ModelConfig(2816, 192, 512, 4, 4, 2, max_position_embeddings=256)
    steps, size, rounds, batches = (6, 64, 3, (1, 2)) if args.tiny else (50, 8192, 15, (1, 16, 64))
    print(f"{torch.cuda.get_device_name() if ON_GPU else processor()}, torch {torch.__version__}\n")
    head = "ZeRO | optimizer | loss scale at the end | steps skipped | first loss | last loss"
    print("\n".join([*markdown(head, stages(small, 4, steps)), "", overflowing(small, 4), ""]), flush=True)
    cells = [ours(name, config, rows, size, rounds) for name, (config, rows) in shapes.items()]
    if args.nanogpt:
        cells.append(nanogpt(args.nanogpt, *list(shapes.values())[-1], size, rounds))
    head = "model | parameters | tokens/s | of one product's rate | of the data sheet's | most memory"
    print("\n".join([*markdown(head, cells), ""]), flush=True)
    config = next(iter(shapes.values()))[0]
    print("\n".join(markdown("sequences at once | tokens/s | ms a step", decoding(config, batches, 4 if args.tiny else 128))))


if __name__ == "__main__":
    main()
