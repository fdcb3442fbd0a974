"""The owner of out_dir."""

from zerochat.run_folder import differences


def test_differences_name_each_leaf_and_a_stage_by_name():
    old = {"seed": 1, "stages": [{"name": "sft", "steps": 5}], "model": {"a": 1}}
    new = {"seed": 1, "stages": [{"name": "sft", "steps": 6}], "model": {"a": 1, "b": 2}}
    assert differences(old, new) == [("stages.sft.steps", 5, 6), ("model.b", None, 2)]
