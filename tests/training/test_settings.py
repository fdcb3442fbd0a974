"""What is \"auto\" in a DeepSpeed section, and what becomes of it."""

from contextlib import nullcontext

import pytest
from tiny import refuses

from zerochat.training import checkpoint
from zerochat.training.engine import choose_precision, resolve_batch, set_steps
from zerochat.training.ranks import SharedError


@pytest.mark.parametrize("micro, ranks, accumulation", [("auto", 1, 1), ("auto", 4, 1), (4, 2, 2), (2, 4, 2), (1, 2, 8)])
def test_accumulation_is_derived_from_the_global_batch(micro, ranks, accumulation):
    settings = {"train_batch_size": 16, "train_micro_batch_size_per_gpu": micro, "optimizer": {"type": "AdamW"}}
    resolve_batch(settings, ranks)
    assert settings["gradient_accumulation_steps"] == accumulation
    assert settings["train_micro_batch_size_per_gpu"] * accumulation * ranks == 16


def test_a_batch_that_does_not_fit_is_refused_with_the_equation():
    with pytest.raises(ValueError, match="train_batch_size 16 is not train_micro_batch_size_per_gpu 5 x "
                                         "gradient_accumulation_steps 1 x 3 ranks = 15"):
        resolve_batch({"train_batch_size": 16, "train_micro_batch_size_per_gpu": 5, "optimizer": {"type": "AdamW"}}, ranks=3)
    refuses("should be a positive number, found None", resolve_batch, {}, 1)
    refuses("deepspeed.optimizer.type is missing", resolve_batch, {"train_batch_size": 16}, 1)


class Accelerator:
    def __init__(self, name, fp16):
        self.device_name, self.is_fp16_supported = lambda: name, lambda: fp16


def test_precision_is_fp16_on_a_gpu_and_said_with_its_reason_and_refused_where_there_is_none():
    settings = {"fp16": {"enabled": "auto"}, "bf16": {"enabled": "auto"}}
    assert choose_precision(settings, Accelerator("cuda", True)).startswith("fp16")
    assert settings == {"fp16": {"enabled": True}, "bf16": {"enabled": False}}
    with pytest.raises(ValueError, match="deepspeed.fp16.enabled is true, but this cpu cannot train in fp16"):
        choose_precision({"fp16": {"enabled": True}}, Accelerator("cpu", False))
    found = [choose_precision({kind: {"enabled": "auto"}}, Accelerator(device, False)) for kind, device in (("fp16", "cpu"), ("bf16", "cuda"))]
    assert found == ["fp32 (no fp16 here)", 'fp32 ("auto" takes bf16 on a CPU alone)']


@pytest.mark.parametrize("native", [True, False])
def test_precision_on_a_cpu_is_bf16_where_native_else_fp32(monkeypatch, native):
    monkeypatch.setattr("torch.cpu.get_capabilities", lambda: {"avx512_bf16": native})
    settings = {"fp16": {"enabled": "auto"}, "bf16": {"enabled": "auto"}}
    assert choose_precision(settings, Accelerator("cpu", False)).startswith("bf16" if native else "fp32")
    assert settings["fp16"]["enabled"] is False and settings["bf16"]["enabled"] is native


@pytest.mark.parametrize("schedule, message", [
    ({"type": "WarmupLR"}, r"has 50 steps, all of them warm-up \(deepspeed.scheduler.params.warmup_num_steps 1000\)"),
    ({"type": "WarmupLRR"}, 'deepspeed.scheduler.type "WarmupLRR" is none of LRRangeTest, OneCycle, WarmupLR'),
    ({"type": "OneCycleLR", "params": {"max_lr": 1, "total_steps": 50}}, "is none of"),
    ({"type": "WarmupLR", "params": {"warmup_num_steps": 3, "warmup_max_rl": 1}}, "DeepSpeed fails on its section of the config: .*warmup_max_rl"),
    ({"type": "OneCycle", "params": {"cycle_min_lr": [0.1, 0.1], "cycle_max_lr": [1, 1]}}, None),  # for two groups of weights
    ({"type": "WarmupCosineLR", "params": {"total_num_steps": "auto", "warmup_num_steps": "auto"}}, None), ({}, None)])
def test_a_schedule_that_does_not_fit_is_refused_before_training(schedule, message):
    with pytest.raises(ValueError, match=message) if message else nullcontext():
        set_steps({"scheduler": schedule}, 50, "sft")
    if not message:
        assert schedule.get("params", {}).get("total_num_steps", 51) == 51 and schedule.get("params", {}).get("warmup_num_steps", 2) == 2


@pytest.mark.parametrize("changed, steps, message", [
    ({"start": "other"}, 4, "comes from other weights to start from than now"), ({"tokenizer": "other"}, 4, "comes from other tokenizer"),
    ({"data": "other"}, 4, "comes from other prepared data"), ({}, 3, "is further than the 3 steps of the config"), ({}, 4, None)])
def test_a_checkpoint_of_something_else_or_of_more_steps_is_refused_also_where_the_record_of_the_run_is_lost(
        tmp_path, monkeypatch, changed, steps, message):
    context = {"start": "s", "tokenizer": "t", "data": "d"}
    monkeypatch.setattr(checkpoint, "newest", lambda folder, log: {**context, **changed, "step": 4, "path": f"{folder}/step-4"})
    monkeypatch.setattr(checkpoint, "load", lambda engine, manifest: manifest["step"])
    if message is None:
        assert checkpoint.resume(None, str(tmp_path), context, steps) == 4
        return
    with pytest.raises(SharedError, match=f"step-4 {message}.*; start over with --fresh"):
        checkpoint.resume(None, str(tmp_path), context, steps)
