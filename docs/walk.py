"""One conversation's way through the project, printed at every station: from a raw record to an answer.

    python docs/walk.py             # all of it; a minute, since two ranks are started for each stage of ZeRO
    python docs/walk.py --to 6      # up to the loss; seconds

The model is tiny (fp32, seeded), so every number can be followed by hand. The guide shows what this prints, and a test
holds the two together."""

import argparse
import json
import math
import os
import socket
import subprocess
import sys
import tempfile

import torch
import torch.nn.functional as F

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, ROOT)
import data
from config import load_config
from model import LanguageModel, ModelConfig, save
from tokenizer import Tokenizer
from zerochat.files import write_json
from zerochat.generation.engine import Engine, Sampling
from zerochat.preparation import clean, formats, packing
from zerochat.training import masters, ranks

RECORDS = [
    {"instruction": "Where is my parcel&nbsp;?", "input": "", "output": "It is on its way.  "},
    {"question": "Do you ship to Oslo?", "answer": "Yes, we do."},
    {"messages": [{"role": "user", "content": "Thanks!"}, {"role": "assistant", "content": "You are welcome."}]},
]
SHAPE = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
         "num_key_value_heads": 2, "max_position_embeddings": 64}  # fmt: skip
ADAMW = {"type": "AdamW", "params": {"lr": 0.01, "betas": [0.9, 0.98], "weight_decay": 0.0, "torch_adam": True}}


def station(number: int, title: str) -> None:
    print(f"\n## {number}. {title}\n")


def prepared(folder: str) -> tuple[dict, Tokenizer, data.PackedData]:
    """The records through `data.prepare`, with nothing held out: the config, the tokenizer and the shard."""
    with open(os.path.join(folder, "records.jsonl"), "w", encoding="utf-8") as file:
        file.writelines(json.dumps(record) + "\n" for record in RECORDS)
    path = os.path.join(folder, "config.json")
    write_json(path, {
        "out_dir": os.path.join(folder, "out"), "model": SHAPE, "tokenizer": {"vocab_size": 340},
        "data": {"data_root": folder, "validation_fraction": 0}, "stages": [{"name": "sft", "data": ["records.jsonl"], "steps": 1}],
        "deepspeed": {"train_batch_size": 2, "optimizer": ADAMW}})  # fmt: skip
    config = load_config(path, [])
    where = data.prepare(config, log=lambda text: None)
    return config, Tokenizer(where), data.PackedData(os.path.join(where, "sft.train"))


def pieces(tokenizer: Tokenizer, ids: list[int]) -> list[str]:
    return [tokenizer.name_of(i).replace("\u2581", "␣") for i in ids]


def table(rows: list[tuple], widths: tuple[int, ...]) -> None:
    for row in rows:
        print("  ".join(f"{cell:{'>' if isinstance(cell, (int, float)) else '<'}{width}}" for cell, width in zip(row, widths)).rstrip())


def shapes(model: LanguageModel, ids: torch.Tensor, mask: torch.Tensor) -> list[tuple[str, str, str]]:
    """(module, shape in, shape out) in the order of a forward pass; of the layers the first."""
    seen, hooks = [], []
    for name, module in model.named_modules():
        if name and "layers.1" not in name and not isinstance(module, (torch.nn.ModuleList, torch.nn.Identity)):
            hooks.append(module.register_forward_hook(
                lambda _, given, out, name=name: seen.append((name, str(list(given[0].shape)), str(list(out.shape))))))
    model(ids, mask)
    for hook in hooks:
        hook.remove()
    return seen


def held(stage: int, folder: str) -> dict:
    """As one of two ranks, in the middle of a step under this stage of ZeRO: how many numbers of each kind it holds."""
    import deepspeed

    ranks.start_process_group()
    model = LanguageModel.load(folder)
    settings = {"train_batch_size": 4, "gradient_accumulation_steps": 2, "optimizer": ADAMW}
    settings["zero_optimization"] = {"stage": stage}
    engine, *_ = deepspeed.initialize(model=model, model_parameters=model.parameter_groups(), config=settings)
    ids, mask = torch.load(os.path.join(folder, "batch.pt"))
    gradients = []  # after the first of two micro-batches, and after the second
    for _ in range(2):
        engine.backward(engine(ids, mask))
        whole = [p.grad for p in model.parameters()]
        kept = (getattr(engine.optimizer, name, {}) for name in ("averaged_gradients", "all_grad_tensors"))
        averaged = [g for place in kept for group in place.values() for g in group or []]
        gradients.append(whole if any(g is not None for g in whole) else averaged)
        gradients[-1] = [g.clone() for g in gradients[-1] if g is not None]
        engine.step()
    weights = [p.ds_tensor if stage == 3 else p for p in model.parameters()]
    own, places = {p.data_ptr() for p in model.parameters()}, masters.layout(engine)[0]
    copies = [master for master in places if master.data_ptr() not in own]  # without ZeRO fp32 weights are the masters
    moments = [moment for master in places for moment in masters.moments(engine, master).values()]
    kinds = {"weights": weights, "gradients half-way": gradients[0], "at the end": gradients[1], "fp32 masters": copies, "Adam's moments": moments}
    return {kind: sum(t.numel() for t in tensors) for kind, tensors in kinds.items()}


def two_ranks(stage: int, folder: str) -> list[dict]:
    """What each of two ranks held."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    started = []
    for rank in range(2):
        where = {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
        words = [sys.executable, __file__, "--rank-of-stage", str(stage), "--folder", folder]
        started.append(subprocess.Popen(words, env={**os.environ, **where}, stdout=subprocess.PIPE, text=True))
    return [json.loads(process.communicate()[0].splitlines()[-1]) for process in started]


def prepare(folder: str) -> tuple:
    """Stations 1 to 4: the config, the tokenizer, the cleaned sample, and the ids and mask of the one row."""
    station(1, "A raw record")
    print(json.dumps(RECORDS[0]))

    station(2, "Cleaned")
    sample, changes = clean.clean(formats.to_sample(RECORDS[0], "auto", "drop", {}, {}), {})
    for message in sample["messages"]:
        print(f"{message['role']:>9}: {message['content']!r}")
    for rule, before, after in changes:
        print(f"{rule}: {before!r} -> {after!r}")

    station(3, "As ids and mask")
    config, tokenizer, shard = prepared(folder)
    ids, mask = tokenizer.render(sample)
    table([("id", "piece", "supervised")], (4, 14, 1))
    table([(i, piece, "^" if m else ".") for i, piece, m in zip(ids, pieces(tokenizer, ids), mask)], (4, 14, 1))

    station(4, "Packed into a row with its neighbours")
    ids, mask = shard.batch([0])
    print(f"row 0: {', '.join(shard.describe(0))}")
    print(" ".join(pieces(tokenizer, ids[0].tolist())))
    print("".join({0: ".", packing.SUPERVISED: "^", packing.OPENS: "|"}[m] for m in mask[0].tolist()))
    return config, tokenizer, sample, ids, mask


def predict(model: LanguageModel, tokenizer: Tokenizer, ids: torch.Tensor, mask: torch.Tensor) -> None:
    """Stations 5 and 6."""
    station(5, "Through the forward pass")
    table([("module", "in", "out"), *shapes(model, ids, mask)], (40, 12, 12))

    station(6, "The loss of each supervised token")
    length = int((mask[0] == packing.OPENS).nonzero()[1])  # of the row's first document
    with torch.no_grad():
        logits, nats = model(ids[:, :length])[0, :-1], model(ids, mask)
    of_token = F.cross_entropy(logits, ids[0, 1:length], reduction="none")
    lines = [(pieces(tokenizer, [int(ids[0, at + 1])])[0], f"{math.exp(-of_token[at]):.5f}", f"{of_token[at]:.3f}")
             for at in range(length - 1) if mask[0, at + 1] == packing.SUPERVISED]  # fmt: skip
    table([("piece", "p", "-ln p"), *lines], (14, 7, 7))
    count = int((mask == packing.SUPERVISED).sum())
    print(f"all of the row: {nats:.3f} nats / {count} supervised tokens = {nats / count:.3f}")


def write(folder: str, model: LanguageModel, tokenizer: Tokenizer) -> None:
    ids = {"bos_token_id": tokenizer.bos_id, "pad_token_id": tokenizer.pad_id, "eos_token_id": sorted(tokenizer.end_ids)}
    save(folder, model.config, dict(model.state_dict()), ids)
    tokenizer.save(folder)


def shares(model: LanguageModel, tokenizer: Tokenizer, ids: torch.Tensor, mask: torch.Tensor) -> list[tuple[str, dict]]:
    """What each of two ranks holds under each stage of ZeRO, in a step on this row."""
    with tempfile.TemporaryDirectory() as folder:
        write(folder, model, tokenizer)
        torch.save((ids, mask), os.path.join(folder, "batch.pt"))
        return [(f"ZeRO-{stage}, rank {rank}", counts) for stage in (0, 1, 2, 3) for rank, counts in enumerate(two_ranks(stage, folder))]


def learn_and_answer(folder: str, model: LanguageModel, tokenizer: Tokenizer, sample: dict, ids, mask) -> None:
    """Stations 8 and 9."""
    station(8, "Trained, and the folder that is left")
    optimizer = torch.optim.AdamW(model.parameter_groups(), lr=0.01, weight_decay=0.0)
    for step in range(201):
        loss = model(ids, mask) / (mask == packing.SUPERVISED).sum()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        if step % 50 == 0:
            print(f"step {step}: {loss:.2f} nats per token")
    write(folder, model, tokenizer)
    print(", ".join(sorted(os.listdir(folder))))

    station(9, "Out again, token by token through the cache of keys and values")
    engine = Engine(LanguageModel.load(folder), Tokenizer(folder))
    cached, prompt = engine.cached, tokenizer.render(sample["messages"][:1], add_generation_prompt=True)[0]
    print(f"cache [layers, key or value, slots, heads, context, head size]: {list(cached.cache.shape)}")
    logits, at = cached.prefill(0, prompt, 0), len(prompt)
    print(f"{at} tokens of the prompt at once: positions 0 to {at - 1} are filled")
    while at < engine.context:
        token = int(logits[0].argmax())
        print(f"  likeliest: {pieces(tokenizer, [token])[0]!r:16} p {float(logits[0].float().softmax(-1)[token]):.2f}")
        if token in tokenizer.end_ids:
            break
        logits, at = cached.decode([token], [at]), at + 1
    answer = engine.answer_all([prompt], Sampling(temperature=0, max_new_tokens=30))[0]
    print(f"the engine says the same: {answer.text!r}")


def walk(folder: str, last: int) -> None:
    config, tokenizer, sample, ids, mask = prepare(folder)
    torch.manual_seed(config["seed"])
    model = LanguageModel(ModelConfig(vocab_size=len(tokenizer), **SHAPE))
    predict(model, tokenizer, ids, mask)
    if last < 7:
        return
    station(7, "The gradient's way over two ranks, and what each holds of it")
    print(f"{sum(p.numel() for p in model.parameters()):,} parameters")
    lines = shares(model, tokenizer, ids, mask)
    table([("", *lines[0][1]), *((name, *counts.values()) for name, counts in lines)], (14, 8, 18, 16, 12, 14))
    learn_and_answer(os.path.join(folder, "result"), model, tokenizer, sample, ids, mask)


def main(argv=None) -> None:
    parser = argparse.ArgumentParser(description="follow one conversation from its record to an answer")
    parser.add_argument("--to", type=int, default=9, help="6 leaves out what needs other processes")
    parser.add_argument("--rank-of-stage", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.rank_of_stage is not None:
        with ranks.quiet(os.devnull):
            found = held(args.rank_of_stage, args.folder)
        print(json.dumps(found), flush=True)
        return
    with tempfile.TemporaryDirectory() as folder:
        walk(folder, args.to)


if __name__ == "__main__":
    main()
