"""Supervised tokens per second of training on real conversations, here and with TRL; tokens per second of nanoGPT's loop.

    pip install trl==1.16.0
    python benchmarks/peers.py --data alpaca_data.json        # any file that `data.py` reads
    python benchmarks/peers.py --data ... --nanogpt DIR       # and beside it nanoGPT's own model; DIR: a clone of it

Everybody trains the same weights (the larger shape of `training.py`), on the same token ids and labels, 8 rows of 512
tokens a step, in the precision that training takes here. TRL's `SFTTrainer` pads to the longest conversation of a
batch, packs (its two ways), or, by `pad_to_multiple_of`, fills every row up; before the clock starts the losses of all
sides on the same 8 conversations have to agree. nanoGPT has another architecture of the same layers, width, context and
vocabulary, so parameters are printed beside; both take whole rows without documents there, and every token counts.
Rounds are interleaved; given are medians and the spread of the middle half, over rounds."""

import argparse
import importlib.util
import json
import os
import statistics
import sys
import tempfile
import time
import warnings

import torch

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [ROOT, os.path.join(ROOT, "benchmarks")]

from training import SETTINGS, SHAPES, processor

import data
import train
from config import load_config
from model import LanguageModel, ModelConfig, save
from zerochat.training import engine as engines
from zerochat.training.ranks import start_process_group

BASE, ROWS = SHAPES["5.2M"]
IDS = {"bos_token_id": 1, "pad_token_id": 3, "eos_token_id": 2}


def prepared(path: str, folder: str) -> data.PackedData:
    shape = {"max_position_embeddings": BASE.max_position_embeddings}
    stage = {"name": "sft", "data": [path], "steps": 1}
    given = {"out_dir": os.path.join(folder, "out"), "tokenizer": {"vocab_size": BASE.vocab_size}, "model": shape,
             "stages": [stage], "deepspeed": {"train_batch_size": ROWS, **SETTINGS}}
    with open(os.path.join(folder, "run.json"), "w") as file:
        json.dump(given, file)
    return data.PackedData(os.path.join(data.prepare(load_config(file.name)), "sft.train"))


def conversations(shard: data.PackedData, rows: int) -> list[dict]:
    """Token ids and labels (-100: not supervised) of each conversation in the first rows."""
    found = []
    for row in range(rows):
        for document in shard.of_row(row):
            span = slice(int(document["offset"]), int(document["offset"] + document["length"]))
            ids, mask = shard.tokens[span].tolist(), shard.mask[span].tolist()
            found.append({"input_ids": ids, "labels": [i if m == 1 else -100 for i, m in zip(ids, mask)]})
    return found


def engine_of(model: LanguageModel):
    import deepspeed

    settings = engines.settle({**json.loads(json.dumps(SETTINGS)), "train_batch_size": ROWS}, 1)[0]
    with engines.initializing(os.devnull):
        engine = deepspeed.initialize(model=model.train(), model_parameters=model.parameter_groups(), config=settings)[0]
    engines.mend_engine(engine)
    return engine


def ours(shard, config: ModelConfig, folder: str | None, steps: int, every: bool = False):
    """A round: `steps` of the training loop; tokens that count, per second."""
    engine = engine_of(LanguageModel.load(folder, "cpu") if folder else LanguageModel(config))
    at = iter(range(10**9))

    def run() -> float:
        begun, counted = time.perf_counter(), 0
        for _ in range(steps):
            step = next(at)
            rows = shard.rows_of_step(step, ROWS, 1)
            train.train_step(engine, shard, rows, step)
            counted += int((shard.batch(rows)[1] == 1).sum()) if not every else ROWS * (config.max_position_embeddings - 1)
        return counted / (time.perf_counter() - begun)
    return run


def trl(found: list[dict], folder: str, steps: int, half: bool, pad_to: int | None = None, **packing):
    import trl as library
    from datasets import Dataset
    from transformers import AutoTokenizer, LlamaForCausalLM, TrainerCallback, logging
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    logging.set_verbosity_error()
    warnings.filterwarnings("ignore")
    options = library.SFTConfig(
        os.path.join(folder, "trl"), max_steps=steps + 2, per_device_train_batch_size=ROWS, bf16=half, fp16=False, use_cpu=True,
        max_length=BASE.max_position_embeddings, gradient_checkpointing=False, logging_strategy="no", save_strategy="no",
        report_to="none", disable_tqdm=True, learning_rate=1e-4, optim="adamw_torch_fused", pad_to_multiple_of=pad_to,
        dataloader_pin_memory=False, **packing)
    begun, counted = [], []

    class Clock(TrainerCallback):
        def on_step_end(self, args, state, control, **_):
            begun.append(time.perf_counter())

    model = LlamaForCausalLM.from_pretrained(folder, attn_implementation="sdpa", dtype=torch.float32)
    trainer = library.SFTTrainer(model, options, train_dataset=Dataset.from_list(found), callbacks=[Clock()],
                                 processing_class=AutoTokenizer.from_pretrained(folder))
    collate = trainer.data_collator

    def counting(examples):
        batch = collate(examples)
        counted.append(int((batch["labels"] != -100).sum()))
        return batch
    trainer.data_collator = counting

    def loss(examples) -> float:
        batch = collate([{**each, "seq_lengths": [len(each["input_ids"])]} if packing else each for each in examples])
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=half):
            return float(model.eval()(**{k: v for k, v in batch.items() if k != "seq_idx"}).loss)

    def run() -> float:
        begun.clear(), counted.clear()
        trainer.train()
        return sum(counted[2:steps + 2]) / (begun[steps + 1] - begun[1])  # the first two steps warm up
    return run, loss


class Whole:
    """In place of `PackedData`: rows of random tokens without documents, every one of which counts."""

    def __init__(self, config: ModelConfig):
        self.ids = torch.randint(4, config.vocab_size, (64, config.max_position_embeddings))
        self.mask = torch.ones_like(self.ids, dtype=torch.uint8)
        self.mask[:, 0] = 2

    def batch(self, rows):
        return self.ids[rows], self.mask[rows]

    def rows_of_step(self, step, size, seed):
        return [(step * size + i) % len(self.ids) for i in range(size)]


def nanogpt(source: str, rows: Whole, config: ModelConfig, steps: int, half: bool):
    """The step of nanoGPT's train.py; its autocast, which it leaves out on a CPU, is on here in bf16."""
    spec = importlib.util.spec_from_file_location("nanogpt", os.path.join(source, "model.py"))  # not our model.py
    module = sys.modules["nanogpt"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    theirs = module.GPT(module.GPTConfig(
        block_size=config.max_position_embeddings, vocab_size=config.vocab_size, n_layer=config.num_hidden_layers,
        n_head=config.num_attention_heads, n_embd=config.hidden_size, dropout=0.0, bias=False))
    optimizer, at = theirs.configure_optimizers(0.1, 1e-4, (0.9, 0.95), "cpu"), iter(range(10**9))

    def run() -> float:
        begun = time.perf_counter()
        for _ in range(steps):
            ids = rows.batch(rows.rows_of_step(next(at), ROWS, 1))[0]
            with torch.autocast("cpu", torch.bfloat16, enabled=half):
                _, loss = theirs(ids[:, :-1], ids[:, 1:].contiguous())
            loss.backward()
            torch.nn.utils.clip_grad_norm_(theirs.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            loss.item()
        return steps * ROWS * (ids.shape[1] - 1) / (time.perf_counter() - begun)
    return run, sum(p.numel() for p in theirs.parameters())


def table(runs: dict, rounds: int, unit: str) -> None:
    speeds = {name: [] for name in runs}
    for round in range(rounds + 1):
        for name, run in runs.items():
            speeds[name] += [run()] * (round > 0)  # the first warms up
    own = statistics.median(speeds["zerochat"])
    print(f"\n| | {unit} per second | middle half | zerochat, times |\n|---|---:|---|---:|")
    for name, found in speeds.items():
        low, _, high = statistics.quantiles(found, n=4)
        middle = statistics.median(found)
        print(f"| {name} | {middle:,.0f} | {low:,.0f} to {high:,.0f} | {own / middle:.2f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", required=True, help="conversations")
    parser.add_argument("--nanogpt", metavar="DIR")
    parser.add_argument("--steps", type=int, default=10, help="of a round")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    print(processor())
    alone = {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29791"}
    os.environ.update(alone)
    engines.load_deepspeed(verbose=False)
    start_process_group()
    half = engines.dtype_of(engines.settle({**json.loads(json.dumps(SETTINGS)), "train_batch_size": ROWS}, 1)[0]) == torch.bfloat16
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        shard = prepared(args.data, folder)
        found = conversations(shard, min(len(shard), (args.steps + 2) * ROWS * 8))
        model = LanguageModel(BASE)
        save(folder, BASE, model.state_dict(), IDS)
        data.Tokenizer(data.folder_of(load_config(os.path.join(folder, "run.json")))).save(folder)
        full = BASE.max_position_embeddings
        sides = {"TRL, padded to the longest": {}, "TRL, packed (bfd)": {"packing": True},
                 "TRL, packed (wrapped)": {"packing": True, "packing_strategy": "wrapped"}, "TRL, padded to 512": {"pad_to": full}}
        few = [each for each in found if 40 < len(each["input_ids"])][:ROWS]
        mine = sum(float(model(torch.tensor([e["input_ids"]]), torch.tensor([[2, *[int(i >= 0) for i in e["labels"][1:]]]])))
                   for e in few) / sum(i >= 0 for e in few for i in e["labels"])
        runs = {"zerochat": ours(shard, BASE, folder, args.steps)}
        config = ModelConfig(**{**vars(BASE), "num_key_value_heads": BASE.num_attention_heads})
        rows = Whole(config)
        beside = ours(rows, config, None, args.steps, every=True)
        for name in alone:  # or TRL would wrap its model for several ranks
            del os.environ[name]
        for name, options in sides.items():
            runs[name], loss = trl(found, folder, args.steps, half, **options)
            print(f"loss on the same {ROWS} conversations: {mine:.4f}; {name}: {loss(few):.4f}")
            assert abs(mine - loss(few)) < 0.02
        print(f"{sum(p.numel() for p in model.parameters()):,} parameters, {'bf16' if half else 'fp32'}, "
              f"{len(found):,} conversations, steps of {ROWS} x {full} tokens at most")
        table(runs, args.rounds, "supervised tokens")
        if args.nanogpt:
            run, count = nanogpt(args.nanogpt, rows, config, args.steps, half)
            mine = sum(p.numel() for p in LanguageModel(config).parameters())
            print(f"\nparameters: {mine:,}; nanoGPT: {count:,}")
            table({"zerochat": beside, "nanoGPT": run}, args.rounds, "tokens")


if __name__ == "__main__":
    main()
