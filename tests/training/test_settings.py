"""What is \"auto\" in a DeepSpeed section, and what becomes of it."""

import pytest

from zerochat.training import checkpoint
from zerochat.training.engine import choose_precision, resolve_batch
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
    with pytest.raises(ValueError, match="should be a positive number, found None"):
        resolve_batch({}, 1)
    with pytest.raises(ValueError, match="deepspeed.optimizer.type is missing"):
        resolve_batch({"train_batch_size": 16}, 1)


class Accelerator:
    def __init__(self, name, fp16):
        self.device_name, self.is_fp16_supported = lambda: name, lambda: fp16


def test_precision_is_fp16_on_a_gpu_and_said_with_its_reason():
    settings = {"fp16": {"enabled": "auto"}, "bf16": {"enabled": "auto"}}
    assert choose_precision(settings, Accelerator("cuda", True)).startswith("fp16")
    assert settings == {"fp16": {"enabled": True}, "bf16": {"enabled": False}}


@pytest.mark.parametrize("native", [True, False])
def test_precision_on_a_cpu_is_bf16_where_native_else_fp32(monkeypatch, native):
    monkeypatch.setattr("torch.cpu.get_capabilities", lambda: {"avx512_bf16": native})
    settings = {"fp16": {"enabled": "auto"}, "bf16": {"enabled": "auto"}}
    assert choose_precision(settings, Accelerator("cpu", False)).startswith("bf16" if native else "fp32")
    assert settings["fp16"]["enabled"] is False and settings["bf16"]["enabled"] is native


def test_fp16_demanded_where_there_is_none_is_refused():
    with pytest.raises(ValueError, match="deepspeed.fp16.enabled is true, but this cpu cannot train in fp16"):
        choose_precision({"fp16": {"enabled": True}}, Accelerator("cpu", False))


@pytest.mark.parametrize("key, what", [("start", "weights to start from"), ("tokenizer", "tokenizer"), ("data", "prepared data")])
def test_a_checkpoint_of_something_else_is_refused_also_where_the_record_of_the_run_is_lost(tmp_path, monkeypatch, key, what):
    context = {"start": "s", "tokenizer": "t", "data": "d"}
    monkeypatch.setattr(checkpoint, "newest", lambda folder, log: {**context, key: "other", "path": f"{folder}/step-4"})
    with pytest.raises(SharedError, match=f"step-4 comes from other {what} than now; start over with --fresh"):
        checkpoint.resume(None, str(tmp_path), context, 4)


def test_a_checkpoint_that_is_further_than_the_config_is_refused(tmp_path, monkeypatch):
    """Its weights would be exported as those of fewer steps."""
    context = {"start": "s", "tokenizer": "t", "data": "d"}
    monkeypatch.setattr(checkpoint, "newest", lambda folder, log: {**context, "step": 4, "path": f"{folder}/step-4"})
    monkeypatch.setattr(checkpoint, "load", lambda engine, manifest: manifest["step"])
    assert checkpoint.resume(None, str(tmp_path), context, 4) == 4
    with pytest.raises(SharedError, match="step-4 is further than the 3 steps of the config; start over with --fresh"):
        checkpoint.resume(None, str(tmp_path), context, 3)
