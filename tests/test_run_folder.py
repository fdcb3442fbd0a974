"""The owner of out_dir."""

import json
import os

import pytest

from zerochat.run_folder import RunFolder, differences

CONFIG = {"seed": 1, "stages": [{"name": "sft", "steps": 5, "epochs": None}]}


def test_differences_name_each_leaf_and_a_stage_by_name():
    old = {"seed": 1, "stages": [{"name": "sft", "steps": 5}], "model": {"a": 1}}
    new = {"seed": 1, "stages": [{"name": "sft", "steps": 6}], "model": {"a": 1, "b": 2}}
    assert differences(old, new) == [("stages.sft.steps", 5, 6), ("model.b", None, 2)]


def test_a_folder_has_one_owner_until_it_lets_go(tmp_path):
    one, other = RunFolder(str(tmp_path / "out")), RunFolder(str(tmp_path / "out"))
    one.claim()
    with pytest.raises(ValueError, match="another run is writing to .*out; wait for it or choose another out_dir"):
        other.claim()
    assert one.claimed() and not other.claimed()
    one.release()
    other.claim()
    other.release()


def test_a_run_is_finished_by_its_report_and_its_stages_by_their_length(tmp_path):
    run, stage = RunFolder(str(tmp_path)), CONFIG["stages"][0]
    assert not run.finished(CONFIG) and not run.stage_is_done(stage)
    run.begin({**CONFIG, "data_fingerprint": "x"})
    run.check_not_done(stage)
    (tmp_path / "sft").mkdir()
    run.stage_done(stage)
    assert run.stage_is_done(stage) and not run.stage_is_done({**stage, "steps": 6}) and not run.finished(CONFIG)
    with pytest.raises(ValueError, match="stage sft is finished, but the one before it has now gone on; start over"):
        run.check_not_done(stage)
    (tmp_path / "report.json").write_text("{}")
    assert run.finished(CONFIG) and not run.finished({**CONFIG, "seed": 2})
    run.begin(CONFIG)  # it goes on, with more steps, say
    assert not run.finished(CONFIG)


def test_another_config_is_refused_with_a_table_of_what_may_not_change(tmp_path):
    run = RunFolder(str(tmp_path))
    run.check_unchanged(CONFIG)
    run.begin(CONFIG)
    run.check_unchanged({**CONFIG, "stages": [{**CONFIG["stages"][0], "steps": 50}]})
    with pytest.raises(ValueError) as refused:
        run.check_unchanged({**CONFIG, "seed": 2})
    assert str(refused.value) == (f"{tmp_path} holds a run with another config:\n  seed: was 1, now 2\n"
                                  "start over with --fresh, or choose another out_dir")


def test_where_the_record_is_lost_the_last_checkpoint_says_whose_the_folder_is(tmp_path):
    for step, seed in ((2, 3), (4, 1), (8, 2)):
        folder = tmp_path / "sft" / f"step-{step}"
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_text(json.dumps({"config": {"seed": seed}}))
        os.utime(folder / "manifest.json", (step, step))
    (tmp_path / "sft" / "step-8" / "manifest.json").write_text("half a manif")
    assert RunFolder(str(tmp_path)).config() == {"seed": 1}


def test_starting_over_removes_what_a_run_wrote_and_nothing_else(tmp_path):
    run = RunFolder(str(tmp_path))
    run.begin(CONFIG)
    for name in ("data/0123456789abcdef/tokens.bin", "data/0123456789abcdef.tmp/x", "data/my/chats.jsonl", "sft/step-1/manifest.json", "model.safetensors", "report.json", "thesis.tex", "other/photo.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    run.start_over()
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()) == [
        "data/my/chats.jsonl", "other/photo.jpg", "thesis.tex"]


def test_prepared_data_are_found_half_prepared_ones_are_not_and_only_these_are_dropped(tmp_path):
    """`out_dir` may be a folder in which somebody's own `data` lie."""
    run, one, other = RunFolder(str(tmp_path)), "a" * 16, "b" * 16
    assert run.prepared() == []
    run.drop_other_data()
    for name in (other, one, "c" * 16 + ".tmp", "sft"):
        os.makedirs(run.data(name))
    assert run.prepared() == [run.data(one), run.data(other)]
    run.drop_other_data()
    assert run.prepared() == [] and os.listdir(tmp_path / "data") == ["sft"]
