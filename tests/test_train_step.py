"""The same optimizer step, however it is cut: ranks, micro-batches, ZeRO stages, packing, against plain PyTorch."""

import os
import time

import pytest
import torch
from conftest import tiny_model
from runs import computed

import data
import train
from config import DEFAULTS, SOURCE, choose_precision, deep_merge, resolve
from data import PackedData, global_batch

OPTIMIZER = {"type": "AdamW", "params": {"lr": 3e-3, "betas": [0.9, 0.95], "eps": 1e-6, "weight_decay": 0.1}}
BATCH, STEPS, SEED = 8, 10, 7


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> str:
    """A folder with a packed shard of conversations of very different lengths."""
    config = deep_merge(DEFAULTS, {"out_dir": str(tmp_path_factory.mktemp("out")), "tokenizer": {"vocab_size": 900},
                                   "model": {"max_position_embeddings": 64}})
    config["stages"] = [{"name": "sft", "loss_on": "assistant", "validation": [],
                         "data": [{**SOURCE, "demo": "conversations", "count": 200}]}]
    return os.path.join(data.prepare(config, log=lambda text: None), "sft.train")


class Unpacked(PackedData):
    """The same shard with one conversation in a row; a row is a document's number here, below 0 padding."""

    def of_row(self, row):
        return self.documents[row:row + 1] if row >= 0 else self.documents[:0]


def documents(shard: PackedData, rows) -> list[int]:
    return [int(d) for row in rows for d in shard.order[shard.rows[row]:shard.rows[row + 1]]]


def oracle(folder: str, steps: int = STEPS):
    """One process, one conversation at a time, torch's AdamW, the mean over all supervised tokens of the step."""
    shard, alone = PackedData(folder), Unpacked(folder)
    model = tiny_model().train()
    decayed, spared = model.parameter_groups()
    options = OPTIMIZER["params"]
    optimizer = torch.optim.AdamW([{**decayed, "weight_decay": options["weight_decay"]}, spared], lr=options["lr"],
                                  betas=tuple(options["betas"]), eps=options["eps"])
    losses, first = [], None
    for step in range(steps):
        chats = [alone.batch([d]) for d in documents(shard, global_batch(len(shard), BATCH, SEED, step))]
        supervised = sum(int(mask[:, 1:].sum()) for _, mask in chats)
        optimizer.zero_grad()
        loss = sum(model(ids[:, :length], mask[:, :length]) for ids, mask in chats
                   for length in [int((ids != shard.pad_id).sum())]) / supervised
        loss.backward()
        first = first or {name: p.grad.clone() for name, p in model.named_parameters()}
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses, first, {name: p.detach() for name, p in model.named_parameters()}


def trained(deepspeed, folder, case: dict):
    """Losses, first gradient and last weights of ten steps under a case's settings, as `run_stage` does them."""
    from deepspeed.utils import safe_get_full_fp32_param, safe_get_full_grad

    import checkpoint
    shard, packed = (Unpacked if case.get("unpacked") else PackedData)(folder), PackedData(folder)
    ranks, batch = torch.distributed.get_world_size(), case.get("batch", BATCH)
    settings = {"train_batch_size": batch, "optimizer": OPTIMIZER, "gradient_clipping": 1.0,
                "train_micro_batch_size_per_gpu": case["micro"], **case["deepspeed"]}
    resolve(settings, STEPS, ranks)
    choose_precision(settings, deepspeed.get_accelerator())
    model = tiny_model(activation_checkpointing=case.get("activation_checkpointing", False)).train()
    engine = train.initialize(deepspeed, model, settings, os.devnull)
    gradient, losses, step_of_engine = {}, [], engine.step

    def look_and_step():
        if engine.is_gradient_accumulation_boundary() and not losses:
            gradient.update({name: safe_get_full_grad(p).float().clone().cpu().view(tuple(getattr(p, "ds_shape", p.shape)))
                             for name, p in engine.module.named_parameters()})
        step_of_engine()

    engine.step = look_and_step
    for step in range(STEPS):
        rows = list(global_batch(len(packed), BATCH, SEED, step))
        if case.get("unpacked"):
            rows = documents(packed, rows)
            rows = rows + [-1] * (batch - len(rows))  # the last micro-batches, or a whole rank, have nothing to learn
        losses.append(train.train_step(engine, shard, rows, step))
    own = checkpoint.whole_masters(engine) if engine.zero_optimization_stage() == 0 else {}
    weights = {name: (own[name].view_as(p) if own else safe_get_full_fp32_param(p)).detach().float().cpu().clone()
               for name, p in engine.module.named_parameters()}
    engine.destroy()
    return losses, gradient, weights


def zero(stage: int, **more) -> dict:
    return {"zero_optimization": {"stage": stage, "stage3_param_persistence_threshold": 100, **more}}


def cases(ranks: int) -> dict[str, dict]:
    offload = {"offload_optimizer": {"device": "cpu"}}
    micros = {1: [1, 2, 8], 2: [1, 2, 4]}[ranks]
    found = {f"ZeRO-{stage}, micro-batch {micro}": {"micro": micro, "deepspeed": zero(stage)}
             for stage in range(4) for micro in micros}
    found |= {f"ZeRO-{stage}, unpacked": {"micro": 8, "batch": 64, "unpacked": True, "deepspeed": zero(stage)}
              for stage in (0, 2)}
    found |= {f"ZeRO-{stage}, activation checkpointing":
              {"micro": 2, "activation_checkpointing": True, "deepspeed": zero(stage)} for stage in (1, 3)}
    found |= {f"ZeRO-{stage}, offload": {"micro": 2, "deepspeed": zero(stage, **offload)} for stage in (2, 3)}
    found |= {f"ZeRO-{stage}, bf16": {"micro": 2, "deepspeed": {**zero(stage), "bf16": {"enabled": True}}}
              for stage in range(4)}
    return found


def all_cases(deepspeed, folder, ranks):
    begun = time.monotonic()
    result = {}
    for name, case in cases(ranks).items():
        result[name] = trained(deepspeed, folder, case)
        print(name, f"{time.monotonic() - begun:.1f} s")
    return result


@pytest.fixture(scope="module")
def by_ranks(prepared, tmp_path_factory):
    folder = tmp_path_factory.mktemp("matrix")
    return {ranks: computed(all_cases, prepared, ranks, ranks=ranks, folder=folder) for ranks in (1, 2)}


@pytest.fixture(scope="module")
def reference(prepared):
    return oracle(prepared)


def distance(a: dict, b: dict) -> float:
    """The largest ||a - b|| / ||b|| of any tensor."""
    assert a.keys() == b.keys()
    return max(float((a[name] - b[name]).norm() / b[name].norm()) for name in b)


@pytest.mark.slow
@pytest.mark.parametrize("ranks, name", [(ranks, name) for ranks in (1, 2) for name in cases(ranks)])
def test_gradient_and_ten_steps_equal_plain_pytorch_however_the_batch_is_cut(by_ranks, reference, ranks, name):
    losses, gradient, weights = by_ranks[ranks][name]
    # bf16 has 8 bits: a product is off by up to 2^-9, and Adam turns a gradient's noise into steps of the size lr.
    loss_bound, gradient_bound, weight_bound = (2e-2, 5e-2, 5e-2) if "bf16" in name else (1e-5, 1e-5, 1e-5)
    print(name, max(abs(a / b - 1) for a, b in zip(losses, reference[0])), distance(gradient, reference[1]), distance(weights, reference[2]))
    assert losses == pytest.approx(reference[0], rel=loss_bound)
    assert distance(gradient, reference[1]) < gradient_bound
    assert distance(weights, reference[2]) < weight_bound


def test_the_matrix_would_see_a_mean_of_means(prepared):
    shard = PackedData(prepared)
    supervised = [int(m[:, 1:].sum()) for _, m in (shard.batch([row]) for row in global_batch(len(shard), BATCH, SEED, 0))]
    assert max(supervised) > 1.3 * min(supervised), "rows with equal numbers of supervised tokens would hide the error"
