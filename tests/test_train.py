"""Whole runs as a user starts them."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest
import torch
from runs import real_fp16
from safetensors.torch import load_file
from tiny import ROOT, environment, launch

import train
from config import deep_merge

OPTIMIZER = {"type": "AdamW", "params": {"lr": 3e-3, "betas": [0.9, 0.95], "eps": 1e-6, "weight_decay": 0.1}}


def test_ranks_and_micro_batches_share_a_global_batch_without_gap_or_overlap():
    rows = list(range(16))
    for ranks in (1, 2, 4):
        for micro in (1, 2, 4):
            assert sum((part for rank in range(ranks) for part in train.slice_of(rows, rank, ranks, micro)), []) == rows


# --- whole runs -----------------------------------------------------------------------------------------------


def tiny_run(folder, **changes) -> str:
    """A config for a run of seconds; returns its path."""
    demo = lambda kind, split, count: [{"demo": kind, "split": split, "count": count}]  # noqa: E731
    config = {
        "out_dir": str(folder / "out"), "tokenizer": {"vocab_size": 900},
        "model": {"hidden_size": 48, "intermediate_size": 80, "num_hidden_layers": 2, "num_attention_heads": 4,
                  "num_key_value_heads": 2, "max_position_embeddings": 96, "hidden_dropout": 0.1},
        "stages": [
            {"name": "pretrain", "data": demo("documents", "train", 200), "validation": demo("documents", "validation", 10),
             "steps": 4, "log_every": 1},
            {"name": "sft", "data": demo("conversations", "train", 200),
             "validation": demo("conversations", "validation", 10), "steps": 12, "log_every": 1, "checkpoint_every": 3}],
        "evaluate": {"data": demo("conversations", "validation", 5), "max_new_tokens": 8},
        "deepspeed": {"train_batch_size": 4, "optimizer": OPTIMIZER, "fp16": {"enabled": "auto"},
                      "bf16": {"enabled": "auto"}, "zero_optimization": {"stage": 1}},
    }
    path = folder / "tiny.json"
    path.write_text(json.dumps(deep_merge(config, changes)))
    return str(path)


WANDB = """import json
last = None  # None: there is no run
def init(**_): global last; last = -1 if last is None else last
def finish(): global last; last = None
def log(data, step, commit=None):
    global last
    if step >= last:  # the real one drops the others
        last = step
        with open("FILE", "a") as file:
            file.writelines(json.dumps([*pair, step]) + "\\n" for pair in data.items())
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A tiny run started with the `deepspeed` launcher, with all monitors on, the reference for the others."""
    folder = tmp_path_factory.mktemp("run")
    launcher = os.path.join(os.path.dirname(sys.executable), "deepspeed")
    (folder / "wandb.py").write_text(WANDB.replace("FILE", str(folder / "wandb.jsonl")))
    place = {"enabled": True, "output_path": str(folder), "job_name": "monitor"}
    config = tiny_run(folder, deepspeed={"tensorboard": place, "csv_monitor": place, "wandb": {"enabled": True}})
    result = launch(launcher, "--master_port", "29511", "train.py", "--config", config, PYTHONPATH=str(folder))
    assert result.returncode == 0, result.stdout + result.stderr
    return folder, result.stdout


def losses_of(folder, stage="sft"):
    with open(folder / "out" / stage / "metrics.jsonl") as file:
        return [(e["step"], e["loss"]) for e in map(json.loads, file) if "loss" in e]


@pytest.mark.slow
def test_a_run_prepares_trains_evaluates_and_writes_what_the_design_lists_the_weights_in_fp32(finished):
    folder, output = finished
    out = folder / "out"
    for name in "tokenizer.model tokenizer_config.json config.json generation_config.json report.json report.md loss.png".split():
        assert (out / name).stat().st_size > 0, name
    assert (out / "loss.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert "stage pretrain" in output and "stage sft" in output and "bits per byte" in output
    assert [step for step, _ in losses_of(folder)] == list(range(1, 13))
    report = json.load(open(out / "report.json"))
    assert report["evaluation"]["groups"]["all"]["turns"] > 5
    assert not [name for name in os.listdir(out / "sft") if name.endswith(".tmp")]
    assert sorted(n for n in os.listdir(out / "sft") if n.startswith("step-")) == ["step-12", "step-9"]
    weights = load_file(out / "model.safetensors")
    assert all(tensor.dtype == torch.float32 for tensor in weights.values())
    rounded = [torch.equal(t, t.bfloat16().float()) for name, t in weights.items() if t.dim() == 2]
    assert "bf16" not in output or not any(rounded), "rounded copies were exported"


@pytest.mark.slow
def test_the_run_ends_in_six_lines_and_its_tables_are_in_the_report(finished):
    folder, output = finished
    evaluation, out = json.load(open(folder / "out" / "report.json"))["evaluation"], str(folder / "out")
    groups = evaluation["groups"]
    lines = [line for line in output.splitlines() if not line.startswith("[")][-6:]  # the launcher has the last word

    def shares(kind):
        known = [(groups[kind + key], name) for key, name in (("en", "English"), ("zh", "Chinese")) if kind + key in groups]
        return ", ".join(f"{group['correct']:.1%} of {group['turns']} {name}" for group, name in known)
    assert lines[0] == f"correct: {shares('language ')} answers to {evaluation['conversations']} held-out conversations"
    assert lines[1] == f"recalled from earlier turns: {shares('recall, ')}"
    assert lines[2] == f"ended by themselves: {groups['all']['ended']:.1%}"
    assert lines[3] == f"loss: {evaluation['loss']:.4f} nats per token, {evaluation['bits_per_byte']:.4f} bits per byte"
    assert lines[4] == f"report: {out}/report.md, {out}/loss.png"
    assert re.fullmatch(rf"finished in \d+\.\d minutes; chat with it: python sample\.py --model {re.escape(out)}", lines[5])
    report = open(folder / "out" / "report.md").read()
    assert "|" not in output and "| language en |" in report and "| skill zh " in report and "## Missed (" in report


@pytest.mark.slow
def test_every_monitor_that_deepspeed_knows_gets_what_the_log_has(finished):
    """As TensorBoard itself, a reader of CSV and Weights & Biases read it, over the rows trained on, of both stages."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    folder, _ = finished
    board = EventAccumulator(str(folder / "monitor")).Reload()
    logged = [json.loads(line) for line in open(folder / "wandb.jsonl")]
    for stage in ("pretrain", "sft"):
        for name in ("loss", "lr", "tokens_per_second", "validation_loss", "bits_per_byte"):
            with open(folder / "out" / stage / "metrics.jsonl") as file:
                entries = [(4 * entry["step"], entry[name]) for entry in map(json.loads, file) if name in entry]
            assert len(entries) > 1
            read = [(event.step, event.value) for event in board.Scalars(f"{stage}/{name}")]
            assert [step for step, _ in read] == [step for step, _ in entries]
            assert [value for _, value in read] == pytest.approx([value for _, value in entries], rel=1e-6)
            rows = (folder / "monitor" / f"{stage}_{name}.csv").read_text().splitlines()
            assert rows == [f"step,{name}", *(f"{step},{value}" for step, value in entries)]
            assert [(step, value) for key, value, step in logged if key == f"{stage}/{name}"] == entries


@pytest.mark.slow
def test_a_finished_run_says_so_a_chat_with_it_answers_and_evaluation_reads_the_artifact_alone(finished):
    folder, _ = finished
    again = launch("train.py", "--config", str(folder / "tiny.json"))
    assert again.returncode == 0 and "is finished" in again.stdout
    one = launch("sample.py", "--model", str(folder / "out"), "--prompt", "Hello!", "--max-new-tokens", "8", "--seed", "1")
    assert one.returncode == 0 and one.stdout.endswith("\n") and one.stderr == ""
    chat = subprocess.run([sys.executable, "sample.py", "--model", str(folder / "out"), "--max-new-tokens", "5"], cwd=ROOT,
                          input="/system Be kind.\nHi\n/retry\n/nonsense\n/reset\nHi\n/exit\nnever read\n",
                          capture_output=True, text=True, timeout=120)
    assert chat.returncode == 0 and "unknown command /nonsense" in chat.stdout, chat.stderr
    result = launch("evaluate.py", "--model", str(folder / "out"), "--demo", "3", "--max-new-tokens", "4", "--slots", "4")
    assert result.returncode == 0 and "| language en |" in result.stdout, result.stderr


@pytest.mark.slow
def test_killed_and_stopped_runs_go_on_to_bit_identical_losses_and_weights(finished, tmp_path):
    reference, _ = finished
    config = tiny_run(tmp_path)
    metrics = tmp_path / "out" / "sft" / "metrics.jsonl"

    def start_and_signal(number, after):
        process = subprocess.Popen([sys.executable, "train.py", "--config", config], cwd=ROOT, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True, env=environment())
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and process.poll() is None and not (
                metrics.exists() and len(metrics.read_text().splitlines()) > after):
            time.sleep(0.02)
        process.send_signal(number)
        output = process.communicate(timeout=60)[0]
        return process.returncode, output

    code, output = start_and_signal(signal.SIGKILL, after=5)
    assert code == -signal.SIGKILL, output
    code, output = start_and_signal(signal.SIGTERM, after=8)
    assert code == 143 and "goes on from here" in output and "resumed at step" in output, output
    result = launch("train.py", "--config", config)
    assert result.returncode == 0 and "resumed at step" in result.stdout, result.stdout + result.stderr
    assert losses_of(tmp_path) == losses_of(reference) and losses_of(tmp_path, "pretrain") == losses_of(reference, "pretrain")
    assert (tmp_path / "out" / "model.safetensors").read_bytes() == (reference / "out" / "model.safetensors").read_bytes()


@pytest.mark.slow
def test_a_resume_with_another_config_is_refused_with_a_table_unless_fresh(finished):
    folder, _ = finished
    result = launch("train.py", "--config", str(folder / "tiny.json"), "--set", "deepspeed.optimizer.params.lr=1")
    assert result.returncode == 1 and "deepspeed.optimizer.params.lr: was 0.003, now 1" in result.stderr
    assert "Traceback" not in result.stderr and (folder / "out" / "model.safetensors").exists()
    for wrong in ('evaluate.data=["nowhere.jsonl"]', "deepspeed.scheduler.type=WarmupLRR"):
        result = launch("train.py", "--config", str(folder / "tiny.json"), "--fresh", "--set", wrong)
        assert result.returncode == 1 and (folder / "out" / "model.safetensors").exists(), "starting over begins when it can"


@pytest.mark.slow
@pytest.mark.parametrize("changes, message", [
    ({"data": {"rules": {"htlm": False}}}, "there is no rule 'htlm'"),
    ({"tokenizer": {"vocab_size": 60000}}, "tokenizer.vocab_size 60000: too large for this training text; at most"),
    ({"deepspeed": {"train_micro_batch_size_per_gpu": 3}}, "train_batch_size 4 is not"),
    ({"deepspeed": {"fp16": {"enabled": True}}}, "cannot train in fp16"),
    ({"deepspeed": {"scheduler": {"type": "WarmupLR", "params": {"warmup_num_steps": 12}}}},
     'stage pretrain has 4 steps, all of them warm-up (deepspeed.scheduler.params.warmup_num_steps 12); "auto" makes it 5% of'),
    ({"stages": [{"name": "sft", "data": ["missing.jsonl"], "steps": 2}]}, "missing.jsonl: no such file"),
])
def test_a_run_that_cannot_start_says_why_in_one_line_and_leaves_nothing(tmp_path, changes, message):
    if "cannot train in fp16" in message and real_fp16():
        pytest.skip("this machine trains in fp16; the test below does")
    result = launch("train.py", "--config", tiny_run(tmp_path, **changes))
    assert result.returncode == 1 and message in result.stderr and "Traceback" not in result.stderr, result.stderr
    assert len([line for line in result.stderr.splitlines() if line.startswith("error:")]) == 1
    assert not (tmp_path / "out").exists() or not (tmp_path / "out" / "model.safetensors").exists()


@pytest.mark.slow
@pytest.mark.skipif(not real_fp16(), reason="this machine has no fp16 of its own")
def test_where_the_machine_has_fp16_a_run_trains_in_it_as_it_is_and_searches_its_loss_scale(tmp_path):
    fp16 = {"enabled": True, "initial_scale_power": 40, "hysteresis": 1}
    result = launch("train.py", "--config", tiny_run(tmp_path, deepspeed={"fp16": fp16}))
    assert result.returncode == 0 and "fp16 (as the config says)" in result.stdout, result.stdout + result.stderr
    with open(tmp_path / "out" / "pretrain" / "metrics.jsonl") as file:
        entries = [entry for entry in map(json.loads, file) if "loss_scale" in entry]
    assert [entry["skipped_steps"] for entry in entries] == [1, 2, 3, 4], "2^40 and its halves are too large for fp16"
    assert [entry["loss_scale"] for entry in entries] == [2.0 ** power for power in (39, 38, 37, 36)]


@pytest.mark.slow
def test_without_a_compiler_the_run_uses_torchs_adamw_and_says_so(tmp_path):
    bare = tmp_path / "bin"
    bare.mkdir()
    config = tiny_run(tmp_path, stages=[{"name": "sft", "data": [{"demo": "conversations", "count": 100}], "steps": 2}])
    result = launch("train.py", "--config", config, PATH=str(bare), TORCH_EXTENSIONS_DIR=str(tmp_path / "extensions"))
    assert result.returncode == 0 and "no C++ compiler: torch's AdamW" in result.stdout, result.stdout + result.stderr


@pytest.mark.slow
def test_no_model_yet_names_the_command_that_makes_one(tmp_path):
    result = subprocess.run([sys.executable, os.path.join(ROOT, "sample.py"), "--prompt", "Hi"], cwd=tmp_path,
                            capture_output=True, text=True, env={**os.environ, "PYTHONPATH": ROOT})
    assert result.returncode == 1 and "deepspeed train.py --config configs/small.json" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.slow
@pytest.mark.parametrize("name", ["base", "large", "real"])
def test_the_larger_configs_take_three_steps_of_each_stage_with_their_sizes_cut_down(tmp_path, name):
    from zerochat.demo import chats as demo_data
    files = {"pretrain/en_classic_books/a.md": "text", "pretrain/zh/xiyouji_utf8_crlf.txt": "text",
             "pretrain/zh/a_paragraphs.txt": "text", "pretrain/tinyshakespeare_input.txt": "text"}
    for path in files:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("\n".join(d["text"] for d in demo_data.documents(60, seed=len(path))), encoding="utf-8")
    for path in ("sft/alpaca_data_en_first21320.json", "sft/alpaca_zh_part00.json", "sft/lima_history.json",
                 "chat/sharegpt_zh_1K_format.jsonl"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        chats = [c["messages"][-2:] for c in demo_data.conversations(60, seed=len(path))]
        rows = [json.dumps({"instruction": q["content"], "input": "", "output": a["content"]}) for q, a in chats]
        (tmp_path / path).write_text("\n".join(rows) if path.endswith("l") else f"[{','.join(rows)}]", encoding="utf-8")
    changes = {"out_dir": tmp_path / "out", "data.data_root": tmp_path, "tokenizer.vocab_size": 900,
               "model.hidden_size": 64, "model.intermediate_size": 96, "model.num_hidden_layers": 2,
               "model.num_attention_heads": 4, "model.num_key_value_heads": 2, "model.max_position_embeddings": 128,
               "stages.pretrain.steps": 3, "stages.sft.steps": 3, "stages.sft.epochs": "null",
               "deepspeed.train_batch_size": 4, "stages.sft.deepspeed.train_batch_size": 4,
               "stages.sft.deepspeed.train_micro_batch_size_per_gpu": 2,
               "deepspeed.train_micro_batch_size_per_gpu": 2}
    overrides = [word for key, value in changes.items() for word in ("--set", f"{key}={value}")]
    result = launch("train.py", "--config", f"configs/{name}.json", *overrides)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "sft 3/3" in result.stdout and f"ZeRO-{3 if name == 'large' else 1}" in result.stdout
    from model import LanguageModel
    assert all(torch.isfinite(p).all() for p in LanguageModel.load(str(tmp_path / "out")).parameters())
