"""Every mistake in a config is one line that names the file, the key and what would be right."""

import glob
import json
import math
import os

import pytest
from tiny import ROOT, count_parameters, refuses

from benchmarks import memory
from config import deep_merge, load_config
from model import ModelConfig
from zerochat.training.engine import resolve_batch

SMALL = os.path.join(ROOT, "configs", "small.json")


def broken(tmp_path, **changes):
    path = tmp_path / "c.json"
    path.write_text(json.dumps(deep_merge(json.load(open(SMALL)), changes)))
    return str(path)


@pytest.mark.parametrize("path", sorted(glob.glob(os.path.join(ROOT, "configs", "*.json"))), ids=os.path.basename)
def test_every_config_in_the_repository_is_valid_and_its_model_can_be_built(path):
    config = load_config(path)
    assert count_parameters(ModelConfig(vocab_size=config["tokenizer"]["vocab_size"], **config["model"])) > 1_000_000
    for stage in config["stages"]:  # the larger ones are for 8 GPUs, too, as docs/training.md has them
        for ranks in (1, 2, 4, *([8] if config["deepspeed"]["train_batch_size"] > 4 else [])):
            resolve_batch(deep_merge(config["deepspeed"], stage["deepspeed"]), ranks)


@pytest.mark.parametrize("changes, message", [
    ({"modle": {}}, "unknown key 'modle'; did you mean 'model'"),
    ({"model": {"hiden_size": 3}}, "unknown key 'model.hiden_size'; did you mean 'hidden_size'"),
    ({"deepspeed": {"gradient_cliping": 1}}, "unknown key 'deepspeed.gradient_cliping'; did you mean 'gradient_clipping'"),
    ({"tokenizer": {"vocab_size": "many"}}, "tokenizer.vocab_size should be a whole number, found \"many\""),
    ({"tokenizer": {"split_digits": 1}}, "tokenizer.split_digits should be true or false"),
    ({"model": {"num_attention_heads": 5}}, "192 is not a multiple of model.num_attention_heads 5"),
    ({"model": {"hidden_dropout": 1.5}}, "model.hidden_dropout should be between"), ({"stages": []}, "at least one stage"),
    ({"stages": [{"name": "a", "data": ["x"], "steps": 1, "epochs": 1}]}, "(a): give either steps or epochs"),
    ({"stages": [{"name": "a", "data": ["x"], "steps": 0}]}, "steps should be a positive number"), ({"stages": [{"name": "a", "data": ["x"], "steps": 1, "lora": {"rank": 4}}]}, "stages[0].lora needs init_from"),
    ({"stages": [{"name": "a", "data": [{"demo": "chats"}], "steps": 1}]}, "demo should be"),
    ({"stages": [{"name": "a", "data": [{}], "steps": 1}]}, "needs either"),
    ({"stages": [{"name": "data", "data": ["x"], "steps": 1}]}, "name should be one word, not"),
    ({"model": 3}, "model should be a JSON object"),
    ({"seed": -1}, "seed should be between 0 and 4.29497e+09, found -1"), ({"seed": 2**62}, "seed should be between"),
    ({"deepspeed": {"train_micro_batch_size_per_gpu": 0}}, 'deepspeed.train_micro_batch_size_per_gpu should be between 1 and 2.14748e+09 or "auto", found 0'),
    ({"deepspeed": {"fp16": "on"}}, 'deepspeed.fp16 should be an object, found "on"'),
    ({"deepspeed": {"optimizer": {"params": {"betas": [0.9]}}}}, "deepspeed.optimizer.params.betas should be two numbers, found [0.9]"),
    ({"deepspeed": {"optimizer": {"params": {"lr": "fast"}}}}, 'deepspeed.optimizer.params.lr should be a number, found "fast"'),
    ({"stages": [{"name": "a", "data": ["x"], "epochs": math.inf}]}, "epochs should be a positive number, found Infinity"),
    ({"stages": [{"name": "a", "data": [{"path": "x", "weight": 1e-9}], "steps": 1}]}, "weight should be between 0.001 and 100"),
    ({"stages": [{"name": "a", "data": [{"path": "x", "limit": 0}], "steps": 1}]}, "limit should be at least 1, found 0"),
    ({"stages": [{"name": "a", "data": [{"path": "x", "encoding": "hex"}], "steps": 1}]}, "no encoding is called 'hex'"),
    ({"stages": [{"name": "a", "data": ["x"], "steps": 1, "deepspeed": {"bf16": 1}}]}, "(a) deepspeed.bf16 should be an object, found 1"),
])
def test_a_mistake_is_named_with_its_key(tmp_path, changes, message):
    with pytest.raises(ValueError) as caught:
        load_config(broken(tmp_path, **changes))
    assert message in str(caught.value) and "c.json" in str(caught.value) and "\n" not in str(caught.value)


def test_a_missing_file_and_broken_json_are_named(tmp_path):
    refuses("nowhere.json: no such config file", load_config, "nowhere.json")
    (tmp_path / "c.json").write_text('{"seed": 1,\n "model": }')
    refuses(r"c.json:2:11: not JSON", load_config, str(tmp_path / "c.json"))
    (tmp_path / "c.json").write_text('{"seed": 1}', encoding="utf-16")
    refuses("c.json: not UTF-8, at byte 0; save it as UTF-8", load_config, str(tmp_path / "c.json"))


def test_set_overrides_any_one_value_and_finds_a_stage_by_its_name():
    config = load_config(SMALL, ["stages.sft.steps=7", "model.tie_word_embeddings=false", "out_dir=x",
                                 "stages.sft.deepspeed.optimizer.params.lr=0.5"])
    sft = config["stages"][1]
    assert (sft["steps"], sft["deepspeed"]["optimizer"]["params"]["lr"]) == (7, 0.5)
    assert config["model"]["tie_word_embeddings"] is False and config["out_dir"] == "x"
    assert config["stages"][0] == load_config(SMALL)["stages"][0]


@pytest.mark.parametrize("section", [
    {"zero_optimization": {"stage": 2, "reduce_bucket_size": 5e8, "allgather_bucket_size": 2e8}}, {"steps_per_print": None},
    {"gradient_clipping": 0}, {"train_micro_batch_size_per_gpu": None}, {"scheduler": {"params": {"warmup_min_lr": [0, 0]}}},
    {"zero_optimization": {"stage": 0, "offload_optimizer": None}}, {"optimizer": {"type": "Lion", "params": {"betas": [0.9, 0.99]}}}])
def test_what_deepspeed_takes_is_taken(tmp_path, section):
    found = load_config(broken(tmp_path, deepspeed=section))["deepspeed"]
    assert deep_merge(found, section) == found


@pytest.mark.parametrize("override, message", [
    ("model.hidden_size", "write it as section.key=value"), ("stages.sft.data.0.count=1", "data is a list: give it whole"), ("stages.stf.steps=1", "no stage is named 'stf'; there are"),
    ("model.hidden=1", "did you mean 'hidden_size'"), ("seed.x=1", "seed has no keys")])
def test_a_wrong_override_is_named(override, message):
    refuses(message, load_config, SMALL, [override])


def test_memory_on_paper_is_printed_or_what_is_missing_said_in_one_line(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    memory.main(["--config", SMALL, "--ranks", "1", "8"])
    assert " 1 ranks:" in (printed := capsys.readouterr().out) and " 8 ranks:" in printed
    with pytest.raises(SystemExit, match="^error: models/base is not a model folder: it has no config.json [(]from"):
        memory.main(["--config", os.path.join(ROOT, "configs", "finetune.json")])
