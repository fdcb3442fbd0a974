"""Train a chat model from raw conversations: prepare data, pretrain, fine-tune, evaluate, export.

    deepspeed train.py --config configs/small.json          # on every GPU of this machine, or on the CPU
    deepspeed --num_gpus 2 train.py --config configs/small.json
    python train.py --config configs/small.json --set stages.sft.steps=100     # one process, no launcher

Run again after an interruption, it goes on from the last checkpoint; run again when finished, it says so.
Pretraining and SFT are the same loop over different data. Left out on purpose: tensor and pipeline
parallelism, preference optimisation.
"""

import argparse
import json
import math
import os
import shutil
import sys
import time

import torch
import torch.distributed as dist
from torch.nn.attention import SDPBackend, sdpa_kernel

import data
import evaluate
import model as model_file
from config import choose_precision, deep_merge, differences, load_config, resolve
from data import PackedData, global_batch
from model import LanguageModel, ModelConfig
from tokenizer import Tokenizer
from zerochat.generation.engine import Engine
from zerochat.pretrained import lora
from zerochat.training import checkpoint, report
from zerochat.training.ranks import (
    SharedError,
    Stopped,
    StopSignal,
    agree,
    check_shared,
    load_deepspeed,
    loudest,
    on_rank_0,
    quiet,
    start_process_group,
    watch_launcher,
)
from zerochat.training.report import say

# What may differ from the run that is being resumed: how long, how often, on how many ranks; not what is learned.
MAY_CHANGE = (
    "steps",
    "epochs",
    "log_every",
    "evaluate_every",
    "checkpoint_every",
    "zero_optimization",
    "train_micro_batch_size_per_gpu",
    "gradient_accumulation_steps",
    "wall_clock_breakdown",
    "evaluate",
)
RECORD = "run.json"  # the config of the run that `out_dir` holds
OVERFLOWS = 20  # so many skipped fp16 steps in a row are no search for a loss scale any more

# --- what this machine can do -------------------------------------------------------------------------------


def attention_kernels(context: int) -> list[SDPBackend]:
    """The kernels that `scaled_dot_product_attention` may use. On a CPU the fused one saves memory, not time:
    up to a context of 512 in bf16, plain matrix products are faster (benchmarks/attention.py)."""
    torch.backends.cuda.allow_fp16_bf16_reduction_math_sdp(True)  # CPUs too: without it they compute in fp32
    plain = [SDPBackend.MATH]
    fused = [SDPBackend.CUDNN_ATTENTION, SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION]
    return plain if context <= 512 and not torch.cuda.is_available() else fused + plain


def initialize(deepspeed, model: LanguageModel, settings: dict, log: str | None):
    """`deepspeed.initialize`: the model wrapped in an engine that owns optimizer, precision and ZeRO."""
    if not shutil.which("g++") and not shutil.which("c++"):
        say("no C++ compiler: torch's AdamW instead of DeepSpeed's fused one, the same steps a little slower")
        settings["optimizer"].setdefault("params", {})["torch_adam"] = True
        settings["zero_allow_untested_optimizer"] = True
    try:
        with quiet(log):
            engine = deepspeed.initialize(model=model, model_parameters=model.parameter_groups(), config=settings)[0]
    except Exception as error:  # DeepSpeed has no exception of its own
        reason = " ".join(str(error).split())[:400]
        raise ValueError(
            f"deepspeed.initialize failed, {type(error).__name__}: {reason}; --verbose shows all"
        ) from error
    if hasattr(engine.optimizer, "initialize_optimizer_states") and engine.zero_optimization_stage() == 0:
        checkpoint.undo_first_step(engine)
    if engine.fp16_enabled():
        vars(checkpoint.scaler(engine))["raise_error_at_min_scale"] = False  # OVERFLOWS in a row say it better
    return engine


# --- the loop -----------------------------------------------------------------------------------------------


def slice_of(rows, rank: int, ranks: int, micro: int) -> list:
    """The micro-batches of one rank out of a step's global batch [B]: `micro` rows each."""
    mine = rows[rank * len(rows) // ranks : (rank + 1) * len(rows) // ranks]
    return [mine[i : i + micro] for i in range(0, len(mine), micro)]


def train_step(engine, shard: PackedData, rows, step: int) -> float:
    """One optimizer step on the global batch `rows`; returns its mean loss in nats.

    The gradient is that of (sum of all supervised tokens' losses) / (their number), over every micro-batch of
    every rank. DeepSpeed averages over ranks, which `ranks` undoes, and divides by the accumulation steps,
    which `scale_wrt_gas=False` turns off. Averaging the micro-batches' means instead would weight a token
    by how few others share its micro-batch.

    Raises SharedError, before the weights change, where loss or gradient is not finite; fp16 skips such a step.
    """
    rank, ranks = dist.get_rank(), dist.get_world_size()
    batches = [shard.batch(part) for part in slice_of(rows, rank, ranks, engine.train_micro_batch_size_per_gpu())]
    supervised = torch.tensor(sum(int(mask[:, 1:].sum()) for _, mask in batches), device=engine.device)
    dist.all_reduce(supervised)
    supervised = max(1, int(supervised))
    fp16, scale = engine.fp16_enabled(), 1.0
    if fp16 and engine.zero_optimization_stage() == 0:
        scale = report.loss_scale(engine)  # which DeepSpeed divides by here without having multiplied
    summed = torch.zeros((), device=engine.device)
    for i, (ids, mask) in enumerate(batches):
        loss = engine(ids.to(engine.device), mask.to(engine.device))
        summed += loss.detach()
        engine.backward(loss * (scale * ranks / supervised), scale_wrt_gas=False)
        if i == len(batches) - 1:  # whose backward pass has summed the gradients over the ranks
            dist.all_reduce(summed)
            check_finite(fp16 or math.isfinite(summed), f"the loss is {float(summed)}", step, shard, rows)
            if engine.zero_optimization_stage() == 0 and not fp16:  # ZeRO looks by itself
                norm = torch.nn.utils.get_total_norm(p.grad for p in engine.module.parameters() if p.grad is not None)
                check_finite(math.isfinite(norm), f"the gradient norm is {float(norm)}", step, shard, rows)
        engine.step()
    check_finite(fp16 or engine.was_step_applied(), "the gradient norm is not finite", step, shard, rows)
    return float(summed) / supervised


def check_finite(fine: bool, what: str, step: int, shard: PackedData, rows) -> None:
    if not fine:
        places = [place for row in rows for place in shard.describe(row)]
        raise SharedError(
            f"{what} at step {step + 1}; the weights are as before it. "
            f"The batch came from {', '.join(places[:20])}{', ...' if len(places) > 20 else ''}"
        )


@torch.no_grad()
def validate(engine, shard: PackedData, token_bytes: torch.Tensor, stop: StopSignal) -> dict[str, float] | None:
    """Loss (nats per token) and bits per byte over the whole held-out shard, or None when a signal came; all ranks
    take part.

    Every rank does the same number of forward passes, on padding where rows run out, or ZeRO-3 would hang.
    """
    rank, ranks, micro = dist.get_rank(), dist.get_world_size(), engine.train_micro_batch_size_per_gpu()
    totals = torch.zeros(3, dtype=torch.float64, device=engine.device)
    engine.eval()
    for begin in range(0, len(shard), micro * ranks):
        if loudest(stop.number, engine.device):
            return engine.train() and None
        mine = range(begin + rank * micro, begin + (rank + 1) * micro)
        ids, mask = shard.batch([row if row < len(shard) else -1 for row in mine])
        targets = ids[:, 1:][mask[:, 1:]]
        totals += torch.stack(
            [
                engine(ids.to(engine.device), mask.to(engine.device)).double().cpu(),
                torch.tensor(len(targets)).double(),
                token_bytes[targets].sum().double(),
            ]
        ).to(engine.device)
    engine.train()
    dist.all_reduce(totals)
    nats, tokens, size = totals.tolist()
    return {"validation_loss": nats / max(1, tokens), "bits_per_byte": nats / math.log(2) / max(1, size)}


def run_stage(
    deepspeed, config: dict, stage: dict, prepared: str, start: str | None, out: str, stop: StopSignal, verbose: bool
) -> None:
    """Train one stage from folder `start` (None: random weights) and write the result, a model folder, to `out`."""
    folder = os.path.join(config["out_dir"], stage["name"])
    tokenizer = Tokenizer(prepared)
    shard = PackedData(os.path.join(prepared, stage["name"] + ".train"))
    held_out = PackedData(os.path.join(prepared, stage["name"] + ".validation"))
    token_bytes = torch.tensor(tokenizer.token_bytes())
    settings = deep_merge(config["deepspeed"], stage["deepspeed"])
    batch_size = settings.get("train_batch_size")
    steps = stage["steps"] or max(1, math.ceil(stage["epochs"] * len(shard) / max(1, batch_size)))
    resolve(settings, steps, dist.get_world_size())
    precision = choose_precision(settings, deepspeed.get_accelerator())

    torch.manual_seed(config["seed"])
    if start is None:
        model = LanguageModel(ModelConfig(vocab_size=len(tokenizer), **config["model"]), tokenizer.bos_id)
    else:
        model = load_start(deepspeed, start, settings, len(tokenizer), config["model"])
        if stage["lora"]["rank"]:
            torch.manual_seed(config["seed"])  # building the model above has drawn random numbers or, on meta, none
            grown = len(tokenizer) > model_file.read_config(start)[0].vocab_size
            lora.add(model, **stage["lora"], train_vocabulary=grown)
    trained = sum(getattr(p, "ds_numel", p.numel()) for p in model.parameters() if p.requires_grad)  # ZeRO-3's is 0
    os.makedirs(folder, exist_ok=True)
    engine = initialize(
        deepspeed,
        model.train(),
        settings,
        None if verbose else os.path.join(config["out_dir"], f"deepspeed-{dist.get_rank()}.log"),
    )
    # A rank's own dropout, whatever the number of ranks before it; after this, a checkpoint carries the state.
    torch.manual_seed(config["seed"] * 1000 + dist.get_rank())
    context = {
        "config": {**config, "data_fingerprint": os.path.basename(prepared)},
        "tokenizer": checkpoint.sha256(os.path.join(prepared, "tokenizer.model")),
    }
    manifest = checkpoint.newest(folder, say)
    if manifest and manifest["tokenizer"] != context["tokenizer"]:
        raise SharedError(
            f"{manifest['path']} was trained with another tokenizer than {prepared}/tokenizer.model; "
            "start over with --fresh, or choose another out_dir"
        )
    done = checkpoint.load(engine, manifest) if manifest else 0
    say(
        f"stage {stage['name']}: {model_file.count_parameters(model.config):,} parameters"
        + (f", {trained:,} trained (LoRA of rank {stage['lora']['rank']})" if stage["lora"]["rank"] else "")
        + f", {steps} steps of "
        f"{batch_size} x {shard.context} tokens from {len(shard):,} rows "
        f"({steps * batch_size / len(shard):.1f} epochs), {precision}, {type(engine.basic_optimizer).__name__}, "
        f"ZeRO-{engine.zero_optimization_stage()}, {dist.get_world_size()} rank(s)"
        + (f"; resumed at step {done}" if done else "")
    )
    log = report.Log(os.path.join(folder, "metrics.jsonl"), stage["name"], done, steps)
    if log.begun_before and not done:
        say(f"stage {stage['name']} was cut off before its first checkpoint: it begins again")
    evaluated = agree(log.evaluated)[0]  # steps; a signal may have cut the last evaluation off
    overflows = 0
    try:
        for step in range(done, steps + 1):  # `step` steps are done
            due = step == 0 or step == steps or step % stage["evaluate_every"] == 0
            if len(held_out) and due and step not in evaluated:
                figures = validate(engine, held_out, token_bytes, stop)
                if figures:
                    log.evaluation(step, figures)
            stopped_by = loudest(stop.number, engine.device)
            due = step == steps or step % stage["checkpoint_every"] == 0 or stopped_by
            if due and step > done:
                checkpoint.save(engine, folder, step, context)
            if stopped_by:
                raise Stopped(
                    stopped_by,
                    f"stopped in stage {stage['name']} after step {step} of {steps}; "
                    "the same command goes on from here",
                )
            if step == steps:
                break
            rows = global_batch(len(shard), batch_size, config["seed"], step, shard.variants)
            loss = train_step(engine, shard, rows, step)
            overflows = 0 if engine.was_step_applied() else overflows + 1
            log.step(
                step + 1,
                loss,
                engine,
                batch_size * shard.context,
                (step + 1) % stage["log_every"] == 0 or step + 1 == steps,
            )
            if overflows == OVERFLOWS:
                raise SharedError(
                    f"{OVERFLOWS} steps in a row overflowed fp16, the last at step {step + 1} with loss "
                    f"scale {report.loss_scale(engine):g}; a lower learning rate or bf16 may help"
                )
        export(engine, out, tokenizer, start, stage["lora"]["alpha"])
    finally:
        log.close()
        with quiet(None if verbose else os.devnull):
            engine.destroy()


def load_start(deepspeed, folder: str, settings: dict, vocab_size: int, training: dict) -> LanguageModel:
    """The model of a Llama folder in the precision that it will train in, under ZeRO-3 each rank's share alone."""
    half = {"fp16": torch.float16, "bf16": torch.bfloat16}
    dtype = next((half[name] for name in half if settings[name]["enabled"]), torch.float32)
    partitioned = None
    if settings.get("zero_optimization", {}).get("stage") == 3:
        partitioned = (
            deepspeed.zero.Init(config_dict_or_path=settings),
            lambda parameter: deepspeed.zero.GatheredParameters([parameter], modifier_rank=0),
        )
    return model_file.load(
        folder,
        dtype=dtype,
        vocab_size=vocab_size,
        partitioned=partitioned,
        **{key: training[key] for key in model_file.TRAINING_FIELDS},
    )


def export(engine, folder: str, tokenizer: Tokenizer, start: str | None, alpha: float) -> None:
    """Write the weights in fp32, gathered from all ranks, as a Llama folder. Every rank must call this."""
    from deepspeed.utils import safe_get_full_fp32_param

    own = checkpoint.whole_masters(engine) if engine.zero_optimization_stage() == 0 else {}
    trained = {}
    for name, parameter in engine.module.named_parameters():
        if parameter.requires_grad:
            full = own.get(name) if own else safe_get_full_fp32_param(parameter)
            if dist.get_rank() == 0:
                shape = getattr(parameter, "ds_shape", parameter.shape)  # under ZeRO-3 the parameter itself is empty
                trained[name] = (parameter if full is None else full.view(shape)).detach().float().cpu().clone()
    if dist.get_rank() == 0:
        if any(name.endswith(".lora_a") for name in trained):
            trained = lora.merge(trained, model_file.open_weights(start).read, alpha)
        tokenizer.save(folder)
        model_file.save(
            folder,
            engine.module.config,
            trained,
            {
                "bos_token_id": tokenizer.bos_id,
                "pad_token_id": tokenizer.pad_id,
                "eos_token_id": sorted({tokenizer.end_id, tokenizer.eos_id}, reverse=True),
            },
        )
    dist.barrier()


# --- the story ----------------------------------------------------------------------------------------------


def recorded(path: str) -> dict:
    """A JSON file that may not exist yet."""
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def check_unchanged(old: dict, config: dict) -> None:
    """ValueError with a table when this config would continue the run of another one."""
    changed = [row for row in differences(old, config) if not set(row[0].split(".")) & set(MAY_CHANGE)]
    if old and changed:
        rows = "\n".join(f"  {key}: was {json.dumps(a)}, now {json.dumps(b)}" for key, a, b in changed)
        raise ValueError(
            f"{config['out_dir']} holds a run with another config:\n{rows}\n"
            "start over with --fresh, or choose another out_dir"
        )


def check_start(folder: str, config: dict) -> None:
    """ValueError for a folder that no stage can start from; its weights are not read yet."""
    shape, _ = model_file.read_config(folder)
    model_file.open_weights(folder)
    context = config["model"]["max_position_embeddings"]
    if context > shape.max_position_embeddings:
        raise ValueError(
            f"model.max_position_embeddings {context}, the tokens of a row, is more than the "
            f"{shape.max_position_embeddings} of {folder}"
        )
    if os.path.realpath(folder) == os.path.realpath(config["out_dir"]):
        raise ValueError(f"init_from {folder} is also out_dir, where the result goes: choose another out_dir")
    source = config["tokenizer"]["path"]
    tokenizer = Tokenizer(source, config["tokenizer"]["chat_template"])
    if len(tokenizer) - tokenizer.added != shape.vocab_size:
        raise ValueError(
            f"the tokenizer of {source} has {len(tokenizer) - tokenizer.added} pieces, "
            f"the model {folder} a vocabulary of {shape.vocab_size}"
        )


def start_over(out_dir: str) -> None:
    """Remove a run. Only what a run wrote is touched: `out_dir` may be somebody's home."""
    config = recorded(os.path.join(out_dir, RECORD))
    for name in ["data", *(stage["name"] for stage in config.get("stages", []))]:
        shutil.rmtree(os.path.join(out_dir, name), ignore_errors=True)
    for name in (RECORD, "report.json", "model.safetensors", "model.safetensors.index.json"):
        if os.path.exists(os.path.join(out_dir, name)):
            os.remove(os.path.join(out_dir, name))


def run(args) -> None:
    begun = time.time()
    config = load_config(args.config, args.set)
    out, record = config["out_dir"], os.path.join(config["out_dir"], RECORD)
    finished = os.path.join(out, "report.json")
    if os.path.exists(finished) and recorded(record).items() >= config.items() and not args.fresh:
        say(f"{out} is finished: python sample.py --model {out} chats with it, --fresh starts over")
        return

    deepspeed = load_deepspeed(args.verbose)
    for stage in config["stages"]:  # what is impossible is said before anything is written
        settings = deep_merge(config["deepspeed"], stage["deepspeed"])
        resolve(settings, 1, int(os.environ.get("WORLD_SIZE", 1)))
        choose_precision(settings, deepspeed.get_accelerator())
        if stage["init_from"]:
            check_start(stage["init_from"], config)
    start_process_group(deepspeed)
    described, new = {**config, "data_fingerprint": data.fingerprint(config)}, not os.path.exists(out)

    lock = None  # held until this process ends

    def hold() -> None:
        nonlocal lock
        lock = data.claim(out)

    def begin() -> None:
        if args.fresh:
            start_over(out)
        check_unchanged(recorded(record) or checkpoint.recorded(out), described)
        data.prepare(config, say)
        if os.path.exists(finished):  # it will go on, under a config that allows more steps, say
            os.remove(finished)
        with open(record, "w", encoding="utf-8") as file:
            json.dump(described, file, indent=2)

    try:
        on_rank_0(hold)
        check_shared(out)
        on_rank_0(begin)
    except BaseException:
        if new and lock:
            shutil.rmtree(out)
        raise
    prepared = data.folder_of(config)

    start, renewed = None, False
    for stage in config["stages"]:
        target = out if stage is config["stages"][-1] else os.path.join(out, stage["name"])
        done = os.path.join(out, stage["name"], "done.json")
        length = {key: stage[key] for key in ("steps", "epochs")}
        if renewed and os.path.exists(done):
            raise ValueError(
                f"stage {stage['name']} is finished, but the one before it has now gone on; "
                "start over with --fresh, or choose another out_dir"
            )
        if recorded(done) != length:
            with StopSignal() as stop, sdpa_kernel(attention_kernels(config["model"]["max_position_embeddings"])):
                run_stage(deepspeed, config, stage, prepared, stage["init_from"] or start, target, stop, args.verbose)
            renewed = True
            if dist.get_rank() == 0:
                with open(done, "w", encoding="utf-8") as file:
                    json.dump(length, file)
        start = target

    dist.barrier()
    rank = dist.get_rank()
    dist.destroy_process_group()
    if rank == 0:  # the artifact, as a user has it: DeepSpeed plays no part from here on
        figures = None
        if config["evaluate"]["data"]:
            samples = evaluate.read_samples(config["evaluate"]["data"], config["data"]["data_root"])
            say(f"evaluating {out} on {len(samples)} held-out conversations")
            engine = Engine.load(out, config["evaluate"]["slots"])
            figures = evaluate.evaluate(engine, samples, config["evaluate"]["max_new_tokens"])
        report.write(out, config, prepared, figures, time.time() - begun)
        say(f"finished in {(time.time() - begun) / 60:.1f} minutes: python sample.py --model {out}")


def main(argv=None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--config", required=True)
    parser.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE", help="repeatable")
    parser.add_argument("--fresh", action="store_true", help="throw away what out_dir holds and start over")
    parser.add_argument("--verbose", action="store_true", help="let DeepSpeed print, and show tracebacks")
    parser.add_argument("--local_rank", type=int, default=0, help="given by the launcher")
    args = parser.parse_args(argv)
    try:
        watch_launcher()
        run(args)
    except Stopped as stopped:
        number, message = stopped.args
        say(message)
        sys.exit(128 + number)
    except KeyboardInterrupt:
        os._exit(130)
    except (ValueError, OSError, RuntimeError) as error:
        peer = isinstance(error, RuntimeError) and "peer" in str(error)  # gloo's word for a rank that is gone
        if args.verbose or isinstance(error, RuntimeError) and not peer:
            raise
        # What all ranks say alike, rank 0 says: what comes before they have met, and what they found together.
        alike = isinstance(error, SharedError) or not dist.is_initialized()
        if not alike or int(os.environ.get("RANK", 0)) == 0:
            gone = "another rank is gone; what it said is above, if it said anything"
            print(f"error: {gone if peer else error}", file=sys.stderr, flush=True)
        os._exit(1)  # another rank may wait in a collective, and a clean exit would wait for it


if __name__ == "__main__":
    main()
