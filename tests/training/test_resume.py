"""Kill it anywhere, damage it, fill the disk, go on with other ranks: it ends like a run that never stopped."""

import itertools
import math
import os
import random
import shutil
import signal
import time
from functools import partial

import pytest
import torch
from runs import Ranks, metrics, run, run_config, weights
from tiny import refuses, until

from zerochat.training import checkpoint, ranks
from zerochat.training import engine as engines


def folder_with_data(parent, name: str, template):
    """A folder for a run whose data are prepared: their own folder's name is a hash of all that made them."""
    folder = parent / name
    shutil.copytree(template / "out" / "data", folder / "out" / "data")
    return folder


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A finished run: the data for the others, and the reference of most."""
    folder = tmp_path_factory.mktemp("template")
    assert finish(folder)[0] == 0
    return folder


def finish(folder, changes: dict = {}, ranks: int = 1, **faults) -> tuple[int, str]:
    """Start or go on with the run of `folder`; the worst exit code and what was printed."""
    group = start(folder, changes, ranks, **faults)
    codes = group.wait()
    return max(codes, key=abs), group.output()


def start(folder, changes: dict = {}, ranks: int = 1, **faults) -> Ranks:
    argv = ["--config", run_config(folder, **changes)]
    return Ranks(partial(run, argv, **faults), ranks=ranks, log=str(folder / "log"))


def same_end(folder, reference) -> None:
    assert metrics(folder) == metrics(reference) and metrics(folder, "validation_loss") == metrics(reference, "validation_loss")
    assert weights(folder) == weights(reference), "the losses agree, the weights do not"


@pytest.mark.slow
@pytest.mark.parametrize("where, ranks", [("save", 1), ("export", 2)])
def test_a_stop_while_the_last_step_is_saved_or_the_result_written_is_one_and_loses_nothing(tmp_path, template, where, ranks):
    folder = folder_with_data(tmp_path, where, template)
    code, output = finish(folder, stop_at=where, ranks=ranks)
    assert code == 143 and "stopped after stage sft; the same command goes on from here" in output, output
    code, output = finish(folder, ranks=ranks)
    assert code == 0 and "stage sft" not in output and (folder / "out" / "report.json").exists(), output
    if ranks == 1:
        same_end(folder, template)


def test_the_log_has_the_rates_of_the_schedule_from_the_first_above_0_to_the_last(template):
    """Five steps of logarithmic warm-up, then a cosine that ends with the last of 24."""
    def ratio(step):
        if step < 5:
            return math.log(step + 1) / math.log(5)
        return 1e-4 + (1 - 1e-4) * (1 + math.cos(math.pi * (step - 4) / 20)) / 2
    assert metrics(template, "lr") == [(step, pytest.approx(3e-3 * ratio(step))) for step in range(1, 25)]


STOPPED = [*itertools.product(range(4), ("fp32", "bf16"), (1, 2)), *((stage, "fp16", 1) for stage in range(4)),
           (0, "lora", 1), (2, "lora", 2), (3, "lora", 2)]


@pytest.mark.long
@pytest.mark.parametrize("stage, kind, ranks", STOPPED)
def test_a_stopped_run_goes_on_bit_for_bit(tmp_path, template, stage, kind, ranks):
    changes, fp16 = {"deepspeed": {"zero_optimization": {"stage": stage}}}, kind == "fp16"
    if kind in ("fp16", "bf16"):
        changes["deepspeed"][kind] = {"enabled": True}
    if kind == "lora":
        start = str(template / "out")
        changes |= {"tokenizer": {"path": start}, "stage": {"init_from": start, "lora": {"rank": 4, "dropout": 0.1}}}
    reference, folder = (folder_with_data(tmp_path, name, template) for name in ("reference", "stopped"))
    code, output = finish(reference, changes, ranks, fp16=fp16)
    assert code == 0 and f"ZeRO-{stage}, {ranks} rank(s)" in output and kind.replace("lora", "fp32") in output, output
    for stop, expected, said in ((9, 143, "stopped in stage sft after step 9 of 24"), (0, 0, "resumed at step 9")):
        code, output = finish(folder, changes, ranks, stop_at=stop, fp16=fp16)
        assert code == expected and said in output, output
    same_end(folder, reference)
    assert metrics(folder, "loss_scale") == metrics(reference, "loss_scale") and bool(metrics(folder, "loss_scale")) == fp16
    assert kind != "lora" or weights(folder) != weights(template)


@pytest.mark.parametrize("seed, length, kills, inside", [
    pytest.param(0, 24, 4, [("shard", 2), ("rename", 2), ("renamed", 1)], marks=pytest.mark.slow),
    *(pytest.param(seed, 120, 10, [("shard", 1), ("shard", 2), ("rename", 1), ("rename", 2), ("renamed", 1)], marks=pytest.mark.long)
      for seed in (1, 2, 3))])
def test_four_or_ten_kills_inside_saves_and_between_them_end_bit_for_bit_as_none(tmp_path, template, seed, length, kills, inside):
    """So many kills, in the middle of a save where `inside` says so, else at a random moment."""
    changes, reference = {"seed": seed, "stage": {"steps": length}} if seed else {}, template
    if changes:
        reference = folder_with_data(tmp_path, "reference", template)
        assert finish(reference, changes)[0] == 0
    folder, moment = folder_with_data(tmp_path, "killed", template), random.Random(seed)
    log, plan = folder / "out" / "sft" / "metrics.jsonl", inside + [()] * (kills - len(inside))
    moment.shuffle(plan)

    def logged() -> int:
        return len(log.read_text().splitlines()) if log.exists() else 0

    for kill in plan:
        group = start(folder, changes, kill=kill)
        if not kill:
            before, lines = logged(), moment.randrange(1, 7)
            until(lambda: group.processes[0].exitcode is not None or abs(logged() - before) >= lines, 60)
            time.sleep(moment.random() * 0.05)
            group.signal(signal.SIGKILL)
        assert group.wait() == [-signal.SIGKILL], group.output()
    code, output = finish(folder, changes)
    assert code == 0, output
    same_end(folder, reference)


@pytest.mark.long
def test_a_signal_in_a_save_or_in_an_evaluation_is_obeyed_and_an_evaluation_cut_off_is_made_up_for(tmp_path, template):
    folder = folder_with_data(tmp_path, "stopped", template)
    for step in (4, 10, 24):  # the steps of a checkpoint, of an evaluation, of both and the end
        code, output = finish(folder, stop_at=step)
        assert code == 143 and f"after step {step} of 24" in output, output
    assert finish(folder)[0] == 0
    same_end(folder, template)


@pytest.fixture(scope="module")
def alone():
    """This process as rank 0 of 1."""
    engines.load_deepspeed(verbose=False)
    if not torch.distributed.is_initialized():
        ranks.start_process_group()


def shorten(path, by: int = 7):
    os.truncate(path, os.path.getsize(path) - by)


def empty(path):
    shorten(path, os.path.getsize(path))


def flip(path):
    data = bytearray(path.read_bytes())
    data[random.Random(len(data)).randrange(len(data))] ^= 1
    path.write_bytes(data)


@pytest.mark.slow
def test_every_damage_to_every_file_is_found_and_named_and_the_checkpoint_before_is_used(tmp_path, template, alone):
    folder = folder_with_data(tmp_path, "two", template)
    assert finish(folder, ranks=2, stop_at=9)[0] == 143
    stage = folder / "out" / "sft"
    files = sorted(os.listdir(stage / "step-9"))
    assert files == ["manifest.json", "rank-0.safetensors", "rank-1.safetensors"] and checkpoint._steps(stage) == [9, 8]
    for file in files:
        for damage in (shorten, empty, os.remove, flip):
            shutil.copytree(stage, tmp_path / "copy", dirs_exist_ok=True)
            said = []
            damage(tmp_path / "copy" / "step-9" / file)
            assert checkpoint.newest(str(tmp_path / "copy"), said.append)["step"] == 8, (file, damage)
            assert len(said) == 1 and "step-9 is damaged" in said[0] and file in said[0], (file, damage, said)
            assert damage is not flip or file == "manifest.json" or f"({file}: changed after it was written)" in said[0]
            assert os.path.isdir(tmp_path / "copy" / "step-9.damaged")
            damage(tmp_path / "copy" / "step-8" / file)
            refuses("no checkpoint in .* is whole; start over with --fresh", checkpoint.newest, str(tmp_path / "copy"), said.append)
            shutil.rmtree(tmp_path / "copy")


@pytest.mark.slow
def test_a_full_disk_leaves_the_good_checkpoint_and_names_the_file_and_the_space(tmp_path, template):
    """Two ranks; one, and how it goes on, is in test_damage.py."""
    folder = folder_with_data(tmp_path, "full", template)
    code, output = finish(folder, ranks=2, full_at=3)
    assert code == 1 and "Traceback" not in output, output
    errors = [line for line in output.splitlines() if line.startswith("error:")]
    assert len(errors) == 1 and "checkpoint of step 12 could not be written" in errors[0], output
    assert "step-12.tmp/rank-" in errors[0] and "bytes, " in errors[0] and "are free" in errors[0]
    assert sorted(n for n in os.listdir(folder / "out" / "sft") if n.startswith("step")) == ["step-4", "step-8"]


@pytest.mark.long
def test_twenty_overflows_in_a_row_are_an_error_and_the_log_shows_scale_and_skipped_steps(tmp_path, template):
    for stage in (0, 2):
        folder = folder_with_data(tmp_path, f"overflow-{stage}", template)
        fp16 = {"enabled": True, "initial_scale_power": 60, "hysteresis": 1}
        code, output = finish(folder, {"deepspeed": {"fp16": fp16, "zero_optimization": {"stage": stage}}}, fp16=True)
        assert code == 1 and "Traceback" not in output, output
        assert "error: 20 steps in a row overflowed fp16, the last at step 20 with loss scale 1.09951e+12" in output, output
        assert "scale 1.09951e+12, 20 skipped" in output
        assert metrics(folder, "skipped_steps") == [(step, step) for step in range(1, 21)]


@pytest.mark.long
def test_harmless_changes_are_accepted_others_refused_with_a_table(tmp_path, template):
    folder = folder_with_data(tmp_path, "changed", template)
    assert finish(folder, stop_at=5)[0] == 143
    os.remove(folder / "out" / "run.json")  # the checkpoint itself knows its config
    code, output = finish(folder, {"deepspeed": {"optimizer": {"params": {"lr": 1e-3}}}, "model": {"hidden_dropout": 0.2}})
    assert code == 1 and "Traceback" not in output
    assert "deepspeed.optimizer.params.lr: was 0.003, now 0.001" in output and "model.hidden_dropout: was 0.1, now 0.2" in output
    code, output = finish(folder, {"stage": {"steps": 8, "log_every": 2, "checkpoint_every": 3}, "deepspeed": {
        "zero_optimization": {"stage": 3}, "train_micro_batch_size_per_gpu": 1}}, ranks=2)
    assert code == 0 and "resumed at step 5" in output and "ZeRO-3, 2 rank(s)" in output, output

CUTS = {
    "1, 2 and 1 ranks": [(1, {}), (2, {}), (1, {})],
    "ZeRO 1, 3 and 1": [(1, {"zero_optimization": {"stage": stage}}) for stage in (1, 3, 1)],
    "micro-batches of 4, 1 and 2": [(1, {"train_micro_batch_size_per_gpu": micro}) for micro in (4, 1, 2)],
    "2 ranks of ZeRO 3, 1 of ZeRO 0, 2 of ZeRO 2": [(ranks, {"zero_optimization": {"stage": stage}})
                                                     for ranks, stage in ((2, 3), (1, 0), (2, 2))]}


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow if n.startswith("2 ranks") else pytest.mark.long)
                                  for n in CUTS])
def test_a_run_goes_on_with_other_ranks_zero_stage_and_micro_batch_and_sees_every_sample_once(tmp_path, template, name):
    length = 66
    changes = {"model": {"hidden_dropout": 0.0}, "stage": {"steps": length}}
    reference, folder = (folder_with_data(tmp_path, n, template) for n in ("reference", "grown"))
    code, output = finish(reference, changes)
    assert code == 0, output
    rows = int(output.split(" tokens from ")[1].split()[0])
    for stop, (number, change) in zip((22, 44, 0), CUTS[name]):
        code, output = finish(folder, {**changes, "deepspeed": change}, number, stop_at=stop, rows=str(folder / "rows"))
        assert code == (143 if stop else 0), output
    losses, expected = dict(metrics(folder)), dict(metrics(reference))
    for start_of_leg in (23, 45):
        assert losses[start_of_leg] == pytest.approx(expected[start_of_leg], rel=1e-5)
        for step in range(start_of_leg, start_of_leg + 21):
            assert losses[step] == pytest.approx(expected[step], rel=1e-3)
    seen = [int(row) for row in (folder / "rows").read_text().split()]
    assert len(seen) == length * 4
    counts = [seen.count(row) for row in range(rows)]
    assert sum(counts) == len(seen) and max(counts) - min(counts) <= 1, "a sample was left out or seen twice"
