"""Every mistake in a config is one line that names the file, the key and what would be right."""

import glob
import json
import os

import pytest
from tiny import ROOT, count_parameters

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
    resolve_batch(deep_merge(config["deepspeed"], config["stages"][0]["deepspeed"]), ranks=1)


@pytest.mark.parametrize("changes, message", [
    ({"modle": {}}, "unknown key 'modle'; did you mean 'model'"),
    ({"model": {"hiden_size": 3}}, "unknown key 'model.hiden_size'; did you mean 'hidden_size'"),
    ({"deepspeed": {"gradient_cliping": 1}}, "unknown key 'deepspeed.gradient_cliping'; did you mean 'gradient_clipping'"),
    ({"tokenizer": {"vocab_size": "many"}}, "tokenizer.vocab_size should be a whole number, found \"many\""),
    ({"tokenizer": {"split_digits": 1}}, "tokenizer.split_digits should be true or false"),
    ({"model": {"num_attention_heads": 5}}, "192 is not a multiple of model.num_attention_heads 5"),
    ({"model": {"hidden_dropout": 1.5}}, "model.hidden_dropout should be between"),
    ({"stages": []}, "at least one stage"),
    ({"stages": [{"name": "a", "data": ["x"], "steps": 1, "epochs": 1}]}, "(a): give either steps or epochs"),
    ({"stages": [{"name": "a", "data": ["x"], "steps": 0}]}, "steps should be a positive number"),
    ({"stages": [{"name": "a", "data": [{"demo": "chats"}], "steps": 1}]}, "demo should be"),
    ({"stages": [{"name": "a", "data": [{}], "steps": 1}]}, "needs either"),
    ({"stages": [{"name": "data", "data": ["x"], "steps": 1}]}, "name should be one word, not"),
    ({"model": 3}, "model should be a JSON object"),
])
def test_a_mistake_is_named_with_its_key(tmp_path, changes, message):
    with pytest.raises(ValueError) as caught:
        load_config(broken(tmp_path, **changes))
    assert message in str(caught.value) and "c.json" in str(caught.value) and "\n" not in str(caught.value)


def test_a_missing_file_and_broken_json_are_named(tmp_path):
    with pytest.raises(ValueError, match="nowhere.json: no such config file"):
        load_config("nowhere.json")
    (tmp_path / "c.json").write_text('{"seed": 1,\n "model": }')
    with pytest.raises(ValueError, match=r"c.json:2:11: not JSON"):
        load_config(str(tmp_path / "c.json"))


def test_set_overrides_any_one_value_and_finds_a_stage_by_its_name():
    config = load_config(SMALL, ["stages.sft.steps=7", "model.tie_word_embeddings=false", "out_dir=x",
                                 "stages.sft.deepspeed.optimizer.params.lr=0.5"])
    sft = config["stages"][1]
    assert (sft["steps"], sft["deepspeed"]["optimizer"]["params"]["lr"]) == (7, 0.5)
    assert config["model"]["tie_word_embeddings"] is False and config["out_dir"] == "x"
    assert config["stages"][0] == load_config(SMALL)["stages"][0]


@pytest.mark.parametrize("override, message", [
    ("model.hidden_size", "write it as section.key=value"), ("stages.stf.steps=1", "no stage is named 'stf'; there are"),
    ("model.hidden=1", "did you mean 'hidden_size'"), ("seed.x=1", "seed has no keys")])
def test_a_wrong_override_is_named(override, message):
    with pytest.raises(ValueError, match=message):
        load_config(SMALL, [override])
