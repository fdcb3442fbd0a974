"""Train a chat model from raw conversations: prepare data, pretrain, fine-tune, export, evaluate.

    deepspeed train.py --config configs/small.json          # on every GPU of this machine, or on the CPU
    deepspeed --num_gpus 2 train.py --config configs/small.json
    python train.py --config configs/small.json --set stages.sft.steps=100     # one process, no launcher

Run again after an interruption, it goes on from the last checkpoint; run again when finished, it says so. Pretraining
and SFT are the same loop over different data. From top to bottom: a run, a stage of it, a step of that, validation,
export. Left out on purpose: tensor and pipeline parallelism, preference optimisation."""

import argparse
import math
import os
import time
from functools import partial

import torch
import torch.distributed as dist

import data
import evaluate
from config import deep_merge, load_config
from data import SPLITS, PackedData
from model import TRAINING_FIELDS, LanguageModel, ModelConfig, open_weights, save
from tokenizer import Tokenizer, tokenizer_file
from zerochat.files import content_hash
from zerochat.generation.engine import Engine
from zerochat.preparation.packing import SUPERVISED
from zerochat.pretrained import lora
from zerochat.pretrained.folder import check_start, content
from zerochat.run_folder import RunFolder
from zerochat.training import checkpoint, masters, ranks, report
from zerochat.training import engine as engines
from zerochat.training.log import Log, say, told


def train(args: argparse.Namespace) -> None:
    begun = time.time()
    config = load_config(args.config, args.set)
    run = RunFolder(config["out_dir"])
    described = {**config, "data_fingerprint": data.fingerprint(config)}
    if not args.fresh and run.finished(described):
        say(f"{run.path} is finished: python sample.py --model {run.path} chats with it, --fresh starts over")
        return

    engines.load_deepspeed(args.verbose)
    settled, samples = {}, list[dict]()
    for stage in config["stages"]:  # what is impossible is said before anything is written
        settings = deep_merge(config["deepspeed"], stage["deepspeed"])
        settled[stage["name"]] = engines.settle(settings, int(os.environ.get("WORLD_SIZE", 1)))
        if stage["init_from"]:
            check_base(stage["init_from"], config)
    ranks.start_process_group()

    def begin() -> None:
        # What the samples or a schedule rule out is refused before --fresh deletes; the data are prepared after.
        samples.extend(evaluate.read_samples(config["evaluate"]["data"], config["data"], say))
        todo = [stage for stage in config["stages"] if args.fresh or not run.stage_is_done(stage)]
        engines.check_schedules(settled, todo)
        if args.fresh:
            run.start_over()
        run.check(described)
        prepared = data.prepare(config, say)
        for stage in todo:
            steps_of(stage, settled[stage["name"]][0], prepared)
        run.begin(described)

    ranks.take_folder(run, begin)
    prepared = data.folder_of(config)

    before = None  # the folder that the stage before has written
    with ranks.StopSignal() as stop:
        for stage in config["stages"]:
            target = run.path if stage is config["stages"][-1] else run.file(stage["name"])
            if not run.stage_is_done(stage):
                start, settings = stage["init_from"] or before, settled[stage["name"]]
                run_stage(run, described, stage, settings, prepared, start, target, stop, args.verbose)
                ranks.on_rank_0(partial(run.stage_done, stage))
                stop.check(f"after stage {stage['name']}")
            before = target
        rank = dist.get_rank()
        dist.destroy_process_group()
    if rank == 0:  # the artifact, as a user has it: DeepSpeed plays no part from here on
        figures, options = None, config["evaluate"]
        if samples:
            say(f"evaluating {run.path} on {len(samples)} held-out conversations")
            engine = Engine(LanguageModel.load(run.path), Tokenizer(run.path), options["slots"])
            figures = evaluate.evaluate(engine, samples, options["max_new_tokens"])
        report.write(run, config, prepared, figures, time.time() - begun)


def check_base(folder: str, config: dict) -> None:
    """ValueError for a folder that no stage can start from; its weights are not read yet."""
    open_weights(folder)
    tokenizer = Tokenizer(config["tokenizer"]["path"], config["tokenizer"]["chat_template"])
    check_start(folder, ModelConfig.read(folder), len(tokenizer) - tokenizer.added, config)


def steps_of(stage: dict, settings: dict, prepared: str) -> int:
    """The steps of a stage on these data, to which its schedule is set; ValueError where the two do not fit."""
    rows = len(PackedData(os.path.join(prepared, f"{stage['name']}.train")))
    steps = stage["steps"] or max(1, math.ceil(stage["epochs"] * rows / settings["train_batch_size"]))
    engines.set_steps(settings, steps, stage["name"])
    return steps


def run_stage(run: RunFolder, config: dict, stage: dict, settled, prepared, start, target, stop, verbose) -> None:
    """Train one stage from the folder `start` (None: random weights) and write the result to the folder `target`.

    settled: its DeepSpeed settings and their precision in words; prepared: the folder of the data."""
    import deepspeed

    def comes_from() -> dict:
        vocabulary = content_hash(tokenizer_file(prepared))
        return {"start": start and content(start), "tokenizer": vocabulary, "data": config["data_fingerprint"]}

    record = {"config": config, **ranks.on_rank_0(lambda: run.begin_stage(stage, comes_from()))}
    (settings, precision), folder, tokenizer = settled, run.file(stage["name"]), Tokenizer(prepared)
    shard, held_out = (PackedData(os.path.join(prepared, f"{stage['name']}.{split}")) for split in SPLITS)
    batch_size, steps = settings["train_batch_size"], steps_of(stage, settings, prepared)

    model = build(config, stage, settings, start, tokenizer).train()
    with engines.initializing(None if verbose else run.file(f"deepspeed-{dist.get_rank()}.log")):
        engine = deepspeed.initialize(model=model, model_parameters=model.parameter_groups(), config=settings)[0]
    engines.mend_engine(engine)  # undoes a few faults of DeepSpeed, whose optimizer, schedule, loss scale, ZeRO we use
    # Each rank draws its own dropout, one that joins a resumed run too; `resume` restores what a checkpoint has.
    torch.manual_seed(config["seed"] * 1000 + dist.get_rank())
    done = checkpoint.resume(engine, folder, record, steps)
    size, epochs = engines.sizes(engine, stage["lora"]["rank"]), steps * batch_size / len(shard)
    say(
        f"stage {stage['name']}: {size}, {steps} steps of {batch_size} x {shard.context} tokens from {len(shard):,} "
        f"rows ({told(epochs)}), {precision}, {engines.kind(engine)}{f'; resumed at step {done}' if done else ''}"
    )
    log = Log(os.path.join(folder, "metrics.jsonl"), stage["name"], done, steps, partial(engines.monitor, engine))
    validated = ranks.broadcast(log.validated)  # steps; a signal may have cut the last validation off
    try:
        for step in range(done, steps + 1):  # `step` steps are done
            validating = step == 0 or step == steps or step % stage["evaluate_every"] == 0
            if len(held_out) and validating and step not in validated:
                if figures := validate(engine, held_out, tokenizer, stop):
                    log.validation(step, figures)
            signal = ranks.maximum(stop.number, engine.device)
            saving = step == steps or step % stage["checkpoint_every"] == 0 or signal
            if saving and step > done:
                checkpoint.save(engine, folder, step, record)
            if signal:
                raise ranks.Stopped(signal, f"stopped in stage {stage['name']} after step {step} of {steps}")
            if step == steps:
                break
            loss = train_step(engine, shard, shard.rows_of_step(step, batch_size, config["seed"]), step)
            write = (step + 1) % stage["log_every"] == 0 or step + 1 == steps
            log.step(step + 1, engines.figures_of_step(engine, loss), batch_size * shard.context, write)
            engines.check_overflows(engine, step + 1)
        export(engine, target, tokenizer, start, stage["lora"]["alpha"])
    finally:
        log.close()
        with ranks.quiet(None if verbose else os.devnull):
            engines.destroy(engine)


def build(config: dict, stage: dict, settings: dict, start: str | None, tokenizer: Tokenizer) -> LanguageModel:
    """The model that a stage trains: random weights, or those of the folder `start` in the precision of the training,
    under ZeRO-3 each rank's share alone; with adapters where the stage says so."""
    torch.manual_seed(config["seed"])
    if start is None:
        return LanguageModel(ModelConfig(vocab_size=len(tokenizer), **config["model"]))
    fields = {key: config["model"][key] for key in TRAINING_FIELDS} | {"partitioned": engines.partitioned(settings)}
    model = LanguageModel.load(start, "cpu", engines.dtype_of(settings), vocab_size=len(tokenizer), **fields)
    if stage["lora"]["rank"]:
        torch.manual_seed(config["seed"])  # anew: under ZeRO-3 alone, building has drawn random numbers
        added = Tokenizer(start, config["tokenizer"]["chat_template"]).added  # new tokens, even those in spare rows
        lora.add(model, **stage["lora"], train_vocabulary=added > 0)
    return model


def train_step(engine, shard: PackedData, rows, step: int) -> float:
    """One optimizer step on the global batch `rows`; returns its mean loss in nats.

    With S the supervised tokens of all micro-batches of all ranks, the gradient is that of

        loss = 1/|S| * sum over t in S of -ln p(w_t | what stands before it in its document).

    DeepSpeed averages over ranks, which the world size undoes, and divides by the accumulation steps, which
    `scale_wrt_gas=False` turns off. Averaging the micro-batches' means instead would weight a token by how few others
    share its micro-batch. Where loss or gradient is not finite: SharedError before the weights change; fp16 skips."""
    rank, world = dist.get_rank(), dist.get_world_size()
    parts = slice_of(rows, rank, world, engine.train_micro_batch_size_per_gpu())
    micro_batches = [shard.batch(part) for part in parts]
    supervised = torch.stack([(mask == SUPERVISED).sum() for _, mask in micro_batches]).sum().to(engine.device)
    dist.all_reduce(supervised)
    count, summed = max(1, int(supervised)), torch.zeros((), device=engine.device)
    scale = engines.forgotten_scale(engine) * world / count  # fp16 without ZeRO: DeepSpeed forgets its scale
    for ids, mask in micro_batches:
        loss = engine(ids.to(engine.device), mask.to(engine.device))
        summed += loss.detach()
        engine.backward(loss * scale, scale_wrt_gas=False)
        engines.checked_step(engine, summed, shard, rows, step)  # engine.step(); at last `summed` is all ranks'
    return float(summed) / count


def slice_of(rows, rank: int, world: int, micro: int) -> list:
    """The micro-batches of one rank out of a step's global batch [B]: `micro` rows each."""
    mine = rows[rank * len(rows) // world : (rank + 1) * len(rows) // world]
    return [mine[i : i + micro] for i in range(0, len(mine), micro)]


@torch.no_grad()
def validate(engine, shard: PackedData, tokenizer: Tokenizer, stop: ranks.StopSignal) -> dict[str, float] | None:
    """Loss (nats per token) and bits per byte over the whole held-out shard, or None when a signal came; all ranks
    take part.

    Every rank does the same number of forward passes, on padding where rows run out, or ZeRO-3 would hang."""
    rank, world, micro = dist.get_rank(), dist.get_world_size(), engine.train_micro_batch_size_per_gpu()
    sizes = torch.tensor([len(tokenizer.bytes_of(i) or b"") for i in range(len(tokenizer))])
    totals = torch.zeros(3, dtype=torch.float64, device=engine.device)  # nats, tokens, bytes
    engine.eval()
    for begin in range(0, len(shard), micro * world):
        if ranks.maximum(stop.number, engine.device):
            return None
        mine = range(begin + rank * micro, begin + (rank + 1) * micro)
        ids, mask = shard.batch([row if row < len(shard) else -1 for row in mine])
        targets = ids[:, 1:][mask[:, 1:] == SUPERVISED]
        nats = engine(ids.to(engine.device), mask.to(engine.device))
        counts = [float(nats), len(targets), int(sizes[targets].sum())]
        totals += torch.tensor(counts, dtype=torch.float64, device=engine.device)
    engine.train()
    dist.all_reduce(totals)
    nats, tokens, size = totals.tolist()
    return {"validation_loss": nats / max(1, tokens), "bits_per_byte": nats / math.log(2) / max(1, size)}


def export(engine, folder: str, tokenizer: Tokenizer, start: str | None, alpha: float) -> None:
    """Write the weights in fp32, gathered from all ranks, as a Llama folder. Every rank must call this."""
    weights = masters.gather(engine)

    def write() -> None:
        adapted = any(name.endswith(".lora_a") for name in weights)
        whole = lora.merge(weights, open_weights(start).read, alpha) if adapted else weights
        tokenizer.save(folder)
        ids = {"bos_token_id": tokenizer.bos_id, "pad_token_id": tokenizer.pad_id}
        save(folder, engine.module.config, whole, {**ids, "eos_token_id": sorted(tokenizer.end_ids, reverse=True)})

    ranks.on_rank_0(write)


def main(argv=None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--config", required=True)
    parser.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE", help="repeatable")
    parser.add_argument("--fresh", action="store_true", help="throw away what out_dir holds and start over")
    parser.add_argument("--verbose", action="store_true", help="let DeepSpeed print, and show tracebacks")
    parser.add_argument("--local_rank", type=int, default=0, help="given by the launcher")
    args = parser.parse_args(argv)
    with ranks.one_voice(args.verbose):
        ranks.watch_launcher()
        train(args)


if __name__ == "__main__":
    main()
