"""Where the time of a training step goes, and what `transformers` in a plain loop takes for the same step.

    python benchmarks/training.py                # both shapes; --rounds N: more of them; --picture FILE: drawn, too
    python benchmarks/training.py --logits       # the loss a cache full at a time, and in pieces at a vocabulary of 151,936
    python benchmarks/training.py --system-memory    # what tensors free goes back to the system, as is usual

Every part runs alone, forward and backward, in the precision and on the kernels that training takes here; rounds are
interleaved, and the median is given with the spread of the middle half. The shapes are frozen: configs may change.
"rate" is the share of what one large matrix product reaches in the same precision. Both sides of the comparison are
first held to the same loss."""

import argparse
import os
import platform
import resource
import statistics
import sys
import time
from multiprocessing import get_context

import torch

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import model as page
import train
from model import LanguageModel, ModelConfig, document_layout
from zerochat.training import engine as engines
from zerochat.training.ranks import start_process_group

SHAPES = {  # the model, rows of a step
    "2.0M": (ModelConfig(2048, 192, 512, 4, 4, 2, max_position_embeddings=256), 4),
    "5.2M": (ModelConfig(8000, 256, 704, 4, 8, 4, max_position_embeddings=512), 8),
}
SETTINGS = {"optimizer": {"type": "AdamW", "params": {"lr": 1e-4}}, "gradient_clipping": 1.0, "bf16": {"enabled": "auto"},
            "zero_optimization": {"stage": 1}}


def processor() -> str:
    with open("/proc/cpuinfo") as file:
        name = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), platform.processor())
    able = torch.cpu.get_capabilities()
    found = [text for key, text in (("avx512_bf16", "AVX512-BF16"), ("amx_bf16", "AMX")) if able.get(key)]
    return f"{name} ({', '.join(found) or 'neither AVX512-BF16 nor AMX'}), {torch.get_num_threads()} threads, torch {torch.__version__}"


class Rows:
    """In place of `PackedData`: rows of documents of 64 tokens, the second half of each supervised."""

    def __init__(self, config: ModelConfig, rows: int):
        torch.manual_seed(0)
        self.ids = torch.randint(3, config.vocab_size, (rows, config.max_position_embeddings))
        at = torch.arange(config.max_position_embeddings) % 64
        self.mask = torch.where(at == 0, 2, (at >= 32).long()).expand(rows, -1).to(torch.uint8)

    def batch(self, rows):
        return self.ids[rows].clone(), self.mask[rows].clone()


def forward_backward(module, *inputs):
    """A run of a module or function, and of its gradients, on fresh leaves."""
    def run():
        leaves = [x.detach().requires_grad_() if torch.is_tensor(x) and x.is_floating_point() else x for x in inputs]
        result = module(*leaves)
        result.backward(torch.ones_like(result))
    return run


def parts(config: ModelConfig, rows: int) -> tuple[dict, dict[str, float]]:
    """What to time, by name, and how many matrix-product operations each has (2 per multiplication and addition)."""
    import deepspeed

    shard, settings = Rows(config, rows), engines.settle({**SETTINGS, "train_batch_size": rows}, 1)[0]
    module, dtype = LanguageModel(config).train(), engines.dtype_of(settings)
    with engines.initializing(os.devnull):
        engine = deepspeed.initialize(model=module, model_parameters=module.parameter_groups(), config=settings)[0]
    engines.mend_engine(engine)
    plain = LanguageModel(config).to(dtype).train()
    master = [torch.nn.Parameter(torch.randn_like(p.float())) for p in plain.parameters()]
    for p in master:
        p.grad = torch.randn_like(p)
    optimizer = type(engine.optimizer.optimizer)(master, lr=1e-4)
    ids, mask = shard.ids, shard.mask
    supervised = mask[:, 1:] == 1
    x = torch.randn(*ids.shape, config.hidden_size, dtype=dtype)
    positions, attention = document_layout(mask == 2)
    cos, sin = (table.to(dtype) for table in plain.rotary(positions))
    layer, L, tokens = plain.model.layers[0], config.num_hidden_layers, ids.numel()
    D, E, context = config.hidden_size, config.head_size, ids.shape[1]
    heads = (config.num_attention_heads * 2 + config.num_key_value_heads * 2) * E
    operations = {"attention": 6 * tokens * L * (D * heads + 2 * context * config.num_attention_heads * E),
                  "MLP": 6 * tokens * L * 3 * D * config.intermediate_size,
                  "loss": 6 * int(supervised.sum()) * D * config.vocab_size}
    several = lambda times, run: lambda: [run() for _ in range(times)]  # noqa: E731
    step, cached = lambda: train.train_step(engine, shard, list(range(rows)), 0), page.CACHED_LOGITS  # noqa: E731

    def uncached():
        page.CACHED_LOGITS = 2**60
        step()
        page.CACHED_LOGITS = cached
    found = {
        "step of the training loop": step,
        "the same, the loss of all logits at once": uncached,
        "forward and backward of the model": lambda: plain(ids, mask).backward(),
        "embedding": lambda: plain.model.embed_tokens(ids).sum().backward(),
        "attention": several(L, forward_backward(layer.self_attn, x, cos, sin, attention)),
        "MLP": several(L, forward_backward(layer.mlp, x)),
        "norms": several(2 * L + 1, forward_backward(layer.input_layernorm, x)),
        "loss": forward_backward(lambda h: plain.nats(h[:, :-1][supervised], ids[:, 1:][supervised]), x),
        "optimizer": optimizer.step,
        "batch": lambda: shard.batch(list(range(rows))),
        "transformers": transformers_step(config, plain, shard, dtype),
    }
    return found, {**operations, "step of the training loop": sum(operations.values())}


def transformers_step(config: ModelConfig, ours: LanguageModel, shard: Rows, dtype):
    """A step of the same model as `transformers` has it, in a plain loop with torch's fused AdamW: weights in fp32 where
    ours keeps such masters, autocast to the precision; each document of a row on its own, as ours."""
    from transformers import LlamaConfig, LlamaForCausalLM

    keys = ("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
            "num_key_value_heads", "max_position_embeddings", "tie_word_embeddings", "rms_norm_eps")
    theirs = LlamaForCausalLM(LlamaConfig(**{key: getattr(config, key) for key in keys}, attn_implementation="sdpa")).train()
    theirs.load_state_dict({name: p.float() for name, p in ours.state_dict().items()})
    optimizer = torch.optim.AdamW(theirs.parameters(), lr=1e-4, weight_decay=0.01, fused=True)
    positions, attention = document_layout(shard.mask == 2)
    labels = torch.where(shard.mask == 1, shard.ids, -100)

    def loss():
        with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
            return theirs(shard.ids, attention_mask=attention, position_ids=positions, labels=labels).loss

    def step():
        value = loss()
        value.backward()
        torch.nn.utils.clip_grad_norm_(theirs.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()

    with torch.no_grad():
        mine = float(ours(shard.ids, shard.mask)) / int((shard.mask == 1).sum())
        assert abs(mine - float(loss())) < 0.02, (mine, float(loss()))
    return step


def matmul_rate(dtype) -> float:
    a, b = (torch.randn(2048, 2048, dtype=dtype) for _ in range(2))
    a @ b
    begun = time.perf_counter()
    for _ in range(4):
        a @ b
    return 4 * 2 * 2048**3 / (time.perf_counter() - begun)


PARTS = {"embedding": "#3b82c4", "attention": "#2f9e44", "MLP": "#7a4fbf", "norms": "#c2255c", "loss": "#e8590c", "the rest of the model": "#a0a0a0",
         "optimizer": "#0c8599", "DeepSpeed and our loop": "#606060"}


def draw(found: list[tuple[str, dict, float]], path: str) -> None:
    """Each shape's step, the parts by their share; thin below it, what its matrix products would take at the rate of a
    large one. found: name, seconds of the parts, seconds of the products."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 1.1 + 0.75 * len(found)))
    for at, (name, seconds, products) in enumerate(found):
        shares, left = {part: max(0.0, seconds[part]) for part in PARTS}, 0.0
        for part, share in shares.items():
            share /= sum(shares.values())  # a part that comes out below 0 is left out, so the sum is not the step
            axes.barh(at, share, left=left, color=PARTS[part], height=0.5, label=part if at == 0 else None)
            axes.text(left + share / 2, at, f"{share:.0%}" if share > 0.03 else "", ha="center", va="center", color="white", fontsize=8)
            left += share
        whole = seconds["step of the training loop"]
        axes.barh(at + 0.36, products / whole, color="#808080", height=0.1)
        axes.text(1.01, at, f"{whole * 1e3:.0f} ms", va="center", color="#808080", fontsize=8)
    axes.set_yticks(range(len(found)), [name for name, *_ in found], fontsize=8)
    axes.invert_yaxis()
    axes.set_xticks([])
    axes.tick_params(colors="#808080", length=0)
    axes.set_frame_on(False)
    axes.legend(frameon=False, labelcolor="#808080", fontsize=8, ncols=4, loc="upper center", bbox_to_anchor=(0.45, 1.32))
    figure.savefig(path, dpi=110, transparent=True, bbox_inches="tight")


def step_times(rounds: int, picture: str | None) -> None:
    os.environ.update(RANK="0", LOCAL_RANK="0", WORLD_SIZE="1", MASTER_ADDR="127.0.0.1", MASTER_PORT="29790")
    engines.load_deepspeed(verbose=False)
    start_process_group()
    drawn = []
    for name, (config, rows) in SHAPES.items():
        timed, operations = parts(config, rows)
        spent = {part: [] for part in timed}
        for round in range(rounds + 2):
            for part, run in timed.items():
                begun = time.perf_counter()
                run()
                spent[part] += [time.perf_counter() - begun] * (round > 1)  # the first two warm up
        dtype = engines.dtype_of(engines.settle({**SETTINGS, "train_batch_size": rows}, 1)[0])
        rate, middle = matmul_rate(dtype), {part: statistics.median(times) for part, times in spent.items()}
        whole = middle["step of the training loop"]
        middle["the rest of the model"] = middle["forward and backward of the model"] - sum(
            middle[part] for part in ("embedding", "attention", "MLP", "norms", "loss"))
        middle["DeepSpeed and our loop"] = whole - sum(
            middle[part] for part in ("forward and backward of the model", "optimizer", "batch"))
        print(f"\n{name} parameters, {rows} x {config.max_position_embeddings} tokens, {str(dtype)[6:]}; one product of "
              f"2048 x 2048 matrices: {rate / 1e9:.0f} GFLOP/s\n\n| part | ms | middle half | of a step | rate |\n|---|---:|---|---:|---:|")
        for part, seconds in middle.items():
            low, _, high = statistics.quantiles(spent[part], n=4) if part in spent else (0, 0, 0)
            spread = f"{low * 1e3:.1f} to {high * 1e3:.1f}" if high else ""
            share = f"{operations[part] / seconds / rate:.0%}" if part in operations else ""
            print(f"| {part} | {seconds * 1e3:.1f} | {spread} | {seconds / whole:.0%} | {share} |", flush=True)
        print(f"\na step of `transformers` over ours: {middle['transformers'] / whole:.2f}")
        drawn.append((f"{name}, {rows} x {config.max_position_embeddings}", middle, operations["step of the training loop"] / rate))
    if picture:
        draw(drawn, picture)


def loss_of(pieces: bool, answers) -> None:
    """Milliseconds and MiB of the loss, forward and backward, of 4 x 1024 tokens, half of them supervised, width 256."""
    if not pieces:
        page.MOST_LOGITS = 2**60
    torch.manual_seed(0)
    config = ModelConfig(151936, 256, 32, 1, 4, 4, max_position_embeddings=1024)
    shard, model = Rows(config, 4), LanguageModel(config)
    begun, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    loss = model(shard.ids, shard.mask)
    loss.backward()
    seconds, held = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    answers.put((float(loss.detach()), float(model.lm_head.weight.grad.norm()), seconds * 1e3, held / 1024))


def model_with(cached: bool, answers) -> None:
    """The same of the whole model of the larger shape, every token supervised, in the precision of training."""
    if not cached:
        page.CACHED_LOGITS = 2**60
    engines.keep_freed_memory()
    torch.manual_seed(0)
    config, rows = SHAPES["5.2M"]
    shard, spent = Rows(config, rows), []
    model = LanguageModel(config).to(engines.dtype_of(engines.settle({**SETTINGS, "train_batch_size": rows}, 1)[0]))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(5):
        begun = time.perf_counter()
        model.zero_grad()
        loss = model(shard.ids, torch.ones_like(shard.mask))
        loss.backward()
        spent.append((time.perf_counter() - begun) * 1e3)
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    answers.put((float(loss.detach()), float(model.lm_head.weight.grad.float().norm()), statistics.median(spent), held / 1024))


def side_by_side(target, name: str, near: float) -> None:
    """A table of `target` with and without what `name` says, each time in a process of its own, medians of three."""
    context, found = get_context("spawn"), {True: [], False: []}
    for _ in range(3):
        for way in found:
            answers = context.SimpleQueue()
            process = context.Process(target=target, args=(way, answers))
            process.start()
            found[way].append(answers.get())
            process.join()
    (a, b, *_), (c, d, *_) = found[True][0], found[False][0]
    assert abs(a - c) < near * c and abs(b - d) < 10 * near * d, "the same loss and gradient"
    print("\n| loss | ms | MiB |\n|---|---:|---:|")
    for way, told in ((False, "at once"), (True, name)):
        ms, held = (statistics.median(row[i] for row in found[way]) for i in (2, 3))
        print(f"| {told} | {ms:.0f} | {held:.0f} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="where the time of a training step goes")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--picture", metavar="FILE", help="the parts of a step as bars, a PNG")
    parser.add_argument("--logits", action="store_true", help="the loss in parts")
    parser.add_argument("--system-memory", action="store_true", help="without `keep_freed_memory`")
    args = parser.parse_args()
    if args.system_memory:
        engines.keep_freed_memory = lambda: None
    print(processor())
    if args.logits:
        side_by_side(model_with, "a cache full at a time", 1e-4)
        side_by_side(loss_of, "in pieces", 1e-5)
    else:
        step_times(args.rounds, args.picture)
