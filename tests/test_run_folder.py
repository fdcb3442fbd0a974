"""The owner of out_dir."""

import json
import os
import shutil

import pytest
from tiny import refuses

from zerochat.run_folder import RunFolder, built_in, differences, make

HASHES = {"start": None, "tokenizer": "t", "data": "d"}
CONFIG = {"seed": 1, "stages": [{"name": "sft", "steps": 5, "epochs": None, "init_from": None}]}


def test_differences_name_each_leaf_and_a_stage_by_name():
    old = {"seed": 1, "stages": [{"name": "sft", "steps": 5}], "model": {"a": 1}}
    new = {"seed": 1, "stages": [{"name": "sft", "steps": 6}], "model": {"a": 1, "b": 2}}
    assert differences(old, new) == [("stages.sft.steps", 5, 6), ("model.b", None, 2)]


def test_only_a_run_that_ended_in_the_built_in_conversations_is_known_as_such(tmp_path):
    for source, expected in (({"demo": "conversations"}, True), ({"demo": None, "path": "mine.jsonl"}, False), ("?", False)):
        stages = [{"data": [{"demo": "documents"}]}, {"data": [source]}]
        (tmp_path / "run.json").write_text(json.dumps({"config": {"stages": stages}, "stages": {}}))
        assert built_in(str(tmp_path)) is expected, source


def test_a_folder_has_one_owner_until_it_lets_go(tmp_path):
    one, other = RunFolder(str(tmp_path / "out")), RunFolder(str(tmp_path / "out"))
    one.claim()
    refuses("another run is writing to .*out; wait for it or choose another out_dir", other.claim)
    assert one.claimed() and not other.claimed()
    one.release()
    other.claim()
    other.release()


def begun(path, config=CONFIG, **written):
    run = RunFolder(str(path))
    run.begin(config)
    for name, text in written.items():
        (path / name.replace("__", "/")).write_text(text)
    return run


def write(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x")


def files_in(root):
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_a_run_is_finished_by_its_report_and_its_model_and_its_stages_by_their_length(tmp_path):
    run, stage = RunFolder(str(tmp_path)), CONFIG["stages"][0]
    assert not run.finished(CONFIG) and not run.stage_is_done(stage)
    run.begin(CONFIG)
    run.begin_stage(stage, HASHES)
    assert not run.stage_is_done(stage)
    run.stage_done(stage)
    assert run.stage_is_done(stage) and not run.stage_is_done({**stage, "steps": 6}) and not run.finished(CONFIG)
    write(tmp_path, "report.json")
    assert not run.finished(CONFIG), "its model is gone"
    write(tmp_path, "model.safetensors")
    assert run.finished(CONFIG) and not run.finished({**CONFIG, "seed": 2})
    run.begin(CONFIG)  # it goes on, with more steps, say
    assert not run.finished(CONFIG) and run.stage_is_done(stage)


@pytest.mark.parametrize("key, what", [("start", "weights to start from"), ("tokenizer", "tokenizer"), ("data", "prepared data")])
def test_a_stage_goes_on_only_from_what_it_began_with(tmp_path, key, what):
    run, stage = begun(tmp_path), CONFIG["stages"][0]
    run.begin_stage(stage, HASHES)
    run.begin_stage(stage, HASHES)
    refuses(f"stage sft began from other {what} than now; start over with --fresh", run.begin_stage, stage, {**HASHES, key: "other"})


def test_a_stage_is_not_trained_on_or_cut_short_when_it_is_too_late(tmp_path):
    """Refused before anything is touched."""
    pretrain, sft = {"name": "pretrain", "steps": 20, "epochs": None, "init_from": None}, {**CONFIG["stages"][0], "init_from": None}
    run = begun(tmp_path, {"stages": [pretrain, sft]})
    run.begin_stage(pretrain, HASHES)
    run.stage_done(pretrain)
    longer, shorter = {"stages": [{**pretrain, "steps": 30}, sft]}, {"stages": [{**pretrain, "steps": 10}, sft]}
    run.check(longer)
    refuses("stage pretrain is done with 20 steps, and the config says 10 steps; start over", run.check, shorter)
    run.begin_stage(sft, HASHES)
    refuses("pretrain is done with 20 steps, and the config says 30 steps, but sft has started from", run.check, longer)
    run.check({"stages": [pretrain, {**sft, "steps": 50}]})


def test_another_config_is_refused_with_a_table_of_what_may_not_change_and_changed_files_in_words(tmp_path):
    run = RunFolder(str(tmp_path))
    run.check(CONFIG)
    run.begin(CONFIG)
    run.check({**CONFIG, "stages": [{**CONFIG["stages"][0], "steps": 50}]})
    with pytest.raises(ValueError) as refused:
        run.check({**CONFIG, "seed": 2})
    assert str(refused.value) == (f"{tmp_path} holds a run with another config:\n  seed: was 1, now 2\n"
                                  "start over with --fresh, or choose another out_dir")
    run = begun(tmp_path / "files", {**CONFIG, "data_fingerprint": "a"})
    with pytest.raises(ValueError, match="holds a run on data files, or a tokenizer, that have changed since under their old names"):
        run.check({**CONFIG, "data_fingerprint": "b"})


def test_where_a_run_or_its_data_lie_makes_it_no_other_run(tmp_path):
    config = {**CONFIG, "out_dir": "out/a", "data": {"data_root": ".", "processes": None}, "tokenizer": {"path": "models/x"}}
    run = begun(tmp_path, config)
    run.check({**CONFIG, "out_dir": "/b", "data": {"data_root": "/c", "processes": 2}, "tokenizer": {"path": "/models/x"}})
    refuses('tokenizer.path: was "models/x", now null', run.check, {**config, "tokenizer": {"path": None}})


def test_where_the_record_is_lost_the_last_checkpoint_says_whose_the_folder_is(tmp_path):
    begun(tmp_path)
    os.remove(tmp_path / "run.json")
    for step, seed in ((2, 3), (4, 1), (8, 2)):
        folder = tmp_path / "sft" / f"step-{step}"
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_text(json.dumps({"config": {"seed": seed}}))
        os.utime(folder / "manifest.json", (step, step))
    (tmp_path / "sft" / "step-8" / "manifest.json").write_text("half a manif")
    assert RunFolder(str(tmp_path)).record() == {"config": {"seed": 1}, "stages": {}}


@pytest.mark.parametrize("text", ["", "[]", "{\"seed\": 1}", "\0\0"])
def test_a_damaged_record_is_named_and_starting_over_does_without_it(tmp_path, text):
    run = begun(tmp_path, **{"run.json": text})
    write(tmp_path, "sft/step-1/manifest.json", "mine/x")
    refuses(r"run\.json.*; ?start over with --fresh|run\.json.*: start over with --fresh", run.check, CONFIG)
    run.start_over()
    assert files_in(tmp_path) == ["mine/x"]
    run.check(CONFIG)


def test_starting_over_removes_what_a_run_wrote_and_nothing_else(tmp_path):
    """Not a folder of the same name that it did not make, a copy of one that it made, a link, or another run's."""
    root = tmp_path / "exp[1]"
    run, other = begun(root), begun(tmp_path / "exp1")
    for folder in ("data/0123456789abcdef", "data/fedcba9876543210.tmp"):
        make(str(root / folder))
    make(other.data("a" * 16))
    theirs = ["data/" + "c" * 16 + "/x", "data/my/chats.jsonl", "other/photo.jpg", "thesis.tex"]
    write(root, *theirs, "data/0123456789abcdef/tokens.bin", "sft/step-1/manifest.json", "model.safetensors", "report.json")
    shutil.copytree(root / "sft", root / "best")
    make(str(tmp_path / "exp1" / "linked"))
    os.symlink(tmp_path / "exp1" / "linked", root / "linked")
    record = json.loads((root / "run.json").read_text())
    record["config"]["stages"] = [{"name": "../exp1"}]
    (root / "run.json").write_text(json.dumps(record))
    before = files_in(tmp_path / "exp1")
    run.start_over()
    assert files_in(root) == sorted([*theirs, "best/.zerochat", "best/step-1/manifest.json"])
    assert files_in(tmp_path / "exp1") == before and len(before) == 4


def test_starting_over_without_a_record_takes_the_stages_and_leaves_a_model_that_may_be_anybodys(tmp_path):
    run = begun(tmp_path)
    os.remove(tmp_path / "run.json")
    write(tmp_path, "sft/step-1/manifest.json", "model.safetensors")
    run.start_over()
    assert files_in(tmp_path) == ["model.safetensors"]
    refuses("holds a model that is not from a run: choose another out_dir", run.check, CONFIG)


def test_what_stands_where_a_run_would_write_is_refused_and_left(tmp_path):
    write(tmp_path, "sft/mine.txt")
    for refusing in (RunFolder(str(tmp_path)).check, RunFolder(str(tmp_path)).begin):  # the first, before data are prepared
        refuses("sft is there, and not from a run: move it away, or choose another out_dir", refusing, CONFIG)
    assert files_in(tmp_path) == ["sft/mine.txt"]
    os.remove(tmp_path / "sft" / "mine.txt")
    RunFolder(str(tmp_path)).begin(CONFIG)  # an empty folder will do


def test_prepared_data_are_found_half_prepared_ones_are_not_and_only_these_are_dropped(tmp_path):
    """`out_dir` may be a folder in which somebody's own `data` lie."""
    run, one, other = RunFolder(str(tmp_path)), "a" * 16, "b" * 16
    assert run.prepared() == []
    run.drop_other_data()
    for name in (other, one, "c" * 16 + ".tmp"):
        make(run.data(name))
    write(tmp_path, "data/sft/x", f"data/{'d' * 16}/x")
    assert run.prepared() == [run.data(one), run.data(other)]
    run.drop_other_data()
    assert run.prepared() == [] and sorted(os.listdir(tmp_path / "data")) == ["d" * 16, "sft"]


def test_the_newest_finished_run_is_found_whatever_the_folder_is_called(tmp_path):
    for age, name in enumerate(("unfinished", "[new]", "old*")):
        for file in ("model.safetensors", "report.json")[:1 if name == "unfinished" else 2]:
            write(tmp_path, f"{name}/{file}")
            os.utime(tmp_path / name / file, (100 - age, 100 - age))
    assert RunFolder.newest(str(tmp_path)) == str(tmp_path / "[new]")
