"""Whole runs as a user starts them."""

import json
import os
import re
import signal
import subprocess
import sys
from functools import partial

import pytest
import torch
from runs import Ranks, computed, each, metrics, real_fp16, run, run_config, weights
from safetensors.torch import load_file
from tiny import ROOT, launch

import train
from config import deep_merge
from model import LanguageModel
from zerochat.demo import chats as demo_data
from zerochat.training import engine as engines

pytestmark = pytest.mark.slow


def test_ranks_and_micro_batches_share_a_global_batch_without_gap_or_overlap():
    rows = list(range(16))
    for ranks in (1, 2, 4):
        for micro in (1, 2, 4):
            assert sum((part for rank in range(ranks) for part in train.slice_of(rows, rank, ranks, micro)), []) == rows


def tiny_run(folder, **changes) -> str:
    """The config of a run of seconds in two stages that chooses its precision; returns its path."""
    demo = lambda kind, split, count: [{"demo": kind, "split": split, "count": count}]  # noqa: E731
    stages = [{"name": "pretrain", "data": demo("documents", "train", 200), "validation": demo("documents", "validation", 10),
         "steps": 4, "log_every": 1},
        {"name": "sft", "data": demo("conversations", "train", 200), "validation": demo("conversations", "validation", 10),
         "steps": 12, "log_every": 1, "checkpoint_every": 3}]
    own = {"stages": stages, "tokenizer": {"vocab_size": 900, "character_coverage": 0.98}, "model": {"num_key_value_heads": 1, "max_position_embeddings": 96},
           "evaluate": {"data": demo("conversations", "validation", 5), "max_new_tokens": 8},
           "deepspeed": {"fp16": {"enabled": "auto"}, "bf16": {"enabled": "auto"}, "scheduler": {"params": {"warmup_num_steps": "auto"}}}}
    return run_config(folder, **deep_merge(own, changes))


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


def test_a_run_prepares_trains_evaluates_and_writes_what_the_design_lists_the_weights_in_fp32(finished):
    folder, output = finished
    out = folder / "out"
    for name in "tokenizer.model tokenizer_config.json config.json generation_config.json report.json report.md loss.png".split():
        assert (out / name).stat().st_size > 0, name
    assert (out / "loss.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert "stage pretrain" in output and "stage sft" in output and "bits per byte" in output
    assert [step for step, _ in metrics(folder)] == list(range(1, 13))
    report = json.load(open(out / "report.json"))
    assert report["evaluation"]["groups"]["all"]["turns"] > 5
    assert sorted(name for name in os.listdir(out / "sft") if name.startswith("step-")) == ["step-12", "step-9"]
    tensors = load_file(out / "model.safetensors")
    assert all(tensor.dtype == torch.float32 for tensor in tensors.values())
    rounded = [torch.equal(t, t.bfloat16().float()) for name, t in tensors.items() if t.dim() == 2]
    assert "bf16" not in output or not any(rounded), "rounded copies were exported"


def test_the_run_ends_in_six_lines_and_its_tables_are_in_the_report(finished):
    folder, output = finished
    evaluation, out = json.load(open(folder / "out" / "report.json"))["evaluation"], str(folder / "out")
    groups = evaluation["groups"]
    lines = [line for line in output.splitlines() if not line.startswith("[")][-6:]  # the launcher has the last word

    def shares(kind):
        known = [(groups[kind + key], name) for key, name in (("en", "English"), ("zh", "Chinese")) if kind + key in groups]
        return ", ".join(f"{group['correct']:.1%} of {group['turns']} {name}" for group, name in known)
    assert lines[:5] == [f"correct: {shares('language ')} answers to {evaluation['conversations']} held-out conversations",
        f"recalled from earlier turns: {shares('recall, ')}", f"ended by themselves: {groups['all']['ended']:.1%}",
        f"loss: {evaluation['loss']:.4f} nats per token, {evaluation['bits_per_byte']:.4f} bits per byte",
        f"report: {out}/report.md, {out}/loss.png"]
    assert re.fullmatch(rf"finished in \d+\.\d minutes; chat with it: python sample\.py --model {re.escape(out)}", lines[5])
    report = open(folder / "out" / "report.md").read()
    assert "|" not in output and "| language en |" in report and re.search(r"seen values, (en|zh) \|", report) and "| skill zh " in report and "## Missed (" in report


def test_every_monitor_that_deepspeed_knows_gets_what_the_log_has(finished):
    """As TensorBoard itself, a reader of CSV and Weights & Biases read it, over the rows trained on, of both stages."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    folder, _ = finished
    board = EventAccumulator(str(folder / "monitor")).Reload()
    logged = [json.loads(line) for line in open(folder / "wandb.jsonl")]
    for stage in ("pretrain", "sft"):
        for name in ("loss", "grad_norm", "lr", "tokens_per_second", "validation_loss", "bits_per_byte"):
            entries = [(4 * step, value) for step, value in metrics(folder, name, stage)]
            assert len(entries) > 1
            read = [(event.step, pytest.approx(event.value, rel=1e-6)) for event in board.Scalars(f"{stage}/{name}")]
            assert read == entries
            rows = (folder / "monitor" / f"{stage}_{name}.csv").read_text().splitlines()
            assert rows == [f"step,{name}", *(f"{step},{value}" for step, value in entries)]
            assert [(step, value) for key, value, step in logged if key == f"{stage}/{name}"] == entries


def test_a_finished_run_says_so_a_chat_with_it_answers_and_evaluation_reads_the_artifact_alone(finished):
    folder, _ = finished
    again = launch("train.py", "--config", str(folder / "run.json"))
    assert again.returncode == 0 and "is finished" in again.stdout
    chat = subprocess.run([sys.executable, "sample.py", "--model", str(folder / "out"), "--max-new-tokens", "5", "--seed", "1"],
                          input="/system Be kind.\nHi\n/nonsense\n/reset\nHi\n/exit\nnever read\n", cwd=ROOT,
                          capture_output=True, text=True, timeout=120)
    assert chat.returncode == 0 and "unknown command /nonsense" in chat.stdout, chat.stderr
    result = launch("evaluate.py", "--model", str(folder / "out"), "--demo", "3", "--max-new-tokens", "4", "--slots", "4")
    assert result.returncode == 0 and "| language en |" in result.stdout, result.stderr


def test_killed_and_stopped_runs_of_two_stages_go_on_to_bit_identical_losses_and_weights(finished, tmp_path):
    reference, _ = finished
    for fault, code, said in (({"kill": ("renamed", 3)}, -signal.SIGKILL, "stage sft"),
                              ({"stop_at": 9}, 143, "goes on from here"), ({}, 0, "sft 12/12")):
        group = Ranks(partial(run, ["--config", tiny_run(tmp_path)], **fault), log=str(tmp_path / "log"))
        assert group.wait() == [code] and said in group.output(), group.output()
        assert ("resumed at step" in group.output()) == ("kill" not in fault), group.output()
    for stage in ("pretrain", "sft"):
        assert metrics(tmp_path, stage=stage) == metrics(reference, stage=stage)
    assert weights(tmp_path) == weights(reference)


def test_a_resume_with_another_config_is_refused_with_a_table_unless_fresh_and_starting_over_begins_when_it_can(finished, tmp_path):
    folder, _ = finished
    words = ("deepspeed.optimizer.params.lr=1",), ('evaluate.data=["nowhere.jsonl"]', "--fresh"), ("deepspeed.scheduler.type=WarmupLRR", "--fresh")
    before = weights(folder)
    found = computed(each, [["--config", str(folder / "run.json"), "--set", *more] for more in words], folder=tmp_path)
    for (code, lines, _), said in zip(found, ("  deepspeed.optimizer.params.lr: was 0.003, now 1", "nowhere.jsonl", "WarmupLRR")):
        assert code == 1 and any(said in line for line in lines) and "Traceback" not in str(lines), lines
    assert weights(folder) == before


WRONG = [({"data": {"rules": {"htlm": False}}}, "there is no rule 'htlm'"),
    ({"tokenizer": {"vocab_size": 60000}}, "tokenizer.vocab_size 60000: too large for this training text; at most"),
    ({"deepspeed": {"train_micro_batch_size_per_gpu": 3}}, "train_batch_size 4 is not"),
    ({"deepspeed": {"fp16": {"enabled": True}}}, "cannot train in fp16"),
    ({"deepspeed": {"scheduler": {"type": "WarmupLR", "params": {"warmup_num_steps": 12}}}},
     'stage pretrain has 4 steps, all of them warm-up (deepspeed.scheduler.params.warmup_num_steps 12); "auto" makes it 5% of'),
    ({"stages": [{"name": "sft", "data": ["missing.jsonl"], "steps": 2}]}, "missing.jsonl: no such file")]


def test_a_run_that_cannot_start_says_why_in_one_line_and_leaves_nothing(tmp_path):
    folders = [tmp_path / str(number) for number in range(len(WRONG))]
    for folder in folders:
        folder.mkdir()
    argvs = [["--config", tiny_run(folder, **changes)] for folder, (changes, _) in zip(folders, WRONG)]
    for folder, (changes, message), (code, lines, _) in zip(folders, WRONG, computed(each, argvs, folder=tmp_path)):
        if "cannot train in fp16" in message and real_fp16():
            continue  # this machine trains in fp16; the test below does
        errors = [line for line in lines if line.startswith("error:")]
        assert code == 1 and len(errors) == 1 and message in errors[0] and "Traceback" not in str(lines), (changes, lines)
        assert not (folder / "out" / "model.safetensors").exists(), changes


@pytest.mark.skipif(not real_fp16(), reason="this machine has no fp16 of its own")
def test_where_the_machine_has_fp16_a_run_trains_in_it_as_it_is_and_searches_its_loss_scale(tmp_path):
    fp16 = {"enabled": True, "initial_scale_power": 40, "hysteresis": 1}
    result = launch("train.py", "--config", tiny_run(tmp_path, deepspeed={"fp16": fp16}))
    assert result.returncode == 0 and "fp16 (as the config says)" in result.stdout, result.stdout + result.stderr
    skipped = [value for _, value in metrics(tmp_path, "skipped_steps", "pretrain")]
    assert skipped == [1, 2, 3, 4], "2^40 and its halves are too large for fp16"
    assert [value for _, value in metrics(tmp_path, "loss_scale", "pretrain")] == [2.0 ** power for power in (39, 38, 37, 36)]


def test_without_a_compiler_the_run_uses_torchs_adamw_and_says_so(tmp_path):
    bare = tmp_path / "bin"
    bare.mkdir()
    config = tiny_run(tmp_path, stages=[{"name": "sft", "data": [{"demo": "conversations", "count": 100}], "steps": 2}])
    result = launch("train.py", "--config", config, PATH=str(bare), TORCH_EXTENSIONS_DIR=str(tmp_path / "extensions"))
    assert result.returncode == 0 and "no C++ compiler: torch's AdamW" in result.stdout, result.stdout + result.stderr


def test_that_fused_adam_is_being_built_or_a_killed_build_is_in_the_way_is_said(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TORCH_EXTENSIONS_DIR", str(tmp_path))
    for left in ("nothing", "fused_adam.so", "lock"):
        (tmp_path / "fused_adam").mkdir(exist_ok=True)
        (tmp_path / "fused_adam" / left).write_text("")
        engines.load_deepspeed(verbose=False)
        assert (f"remove {tmp_path}/fused_adam/lock" in capsys.readouterr().out) == (left != "fused_adam.so")


def test_the_larger_configs_take_three_steps_of_each_stage_with_their_sizes_cut_down(tmp_path):
    texts = ("pretrain/en_classic_books/a.md", "pretrain/zh/xiyouji_utf8_crlf.txt", "pretrain/zh/a_paragraphs.txt",
             "pretrain/tinyshakespeare_input.txt")
    tables = ("sft/alpaca_data_en_first21320.json", "sft/alpaca_zh_part00.json", "sft/lima_history.json", "chat/sharegpt_zh_1K_format.jsonl")
    for path in (*texts, *tables):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        chats = [c["messages"][-2:] for c in demo_data.conversations(60, seed=len(path))]
        rows = [json.dumps({"instruction": q["content"], "input": "", "output": a["content"]}) for q, a in chats]
        content = "\n".join(rows) if path.endswith(".jsonl") else f"[{','.join(rows)}]"
        if path in texts:
            content = "\n".join(document["text"] for document in demo_data.documents(60, seed=len(path)))
        (tmp_path / path).write_text(content, encoding="utf-8")
    changes = {"data.data_root": tmp_path, "tokenizer.vocab_size": 900, "tokenizer.character_coverage": 0.98,
               "model.hidden_size": 64, "model.intermediate_size": 96, "model.num_hidden_layers": 2,
               "model.num_attention_heads": 4, "model.num_key_value_heads": 2, "model.max_position_embeddings": 128,
               "stages.pretrain.steps": 3, "stages.sft.steps": 3, "stages.sft.epochs": "null",
               "deepspeed.train_batch_size": 4, "stages.sft.deepspeed.train_batch_size": 4,
               "stages.sft.deepspeed.train_micro_batch_size_per_gpu": 2, "deepspeed.train_micro_batch_size_per_gpu": 2}
    names = ("base", "large", "real")
    argvs = [["--config", os.path.join(ROOT, "configs", f"{name}.json"),
              *(word for key, value in {**changes, "out_dir": tmp_path / name}.items() for word in ("--set", f"{key}={value}"))]
             for name in names]
    for name, (code, lines, _) in zip(names, computed(each, argvs, folder=tmp_path)):
        output = "\n".join(lines)
        assert code == 0 and "sft 3/3" in output and f"ZeRO-{3 if name == 'large' else 1}" in output, (name, output)
        model = LanguageModel.load(str(tmp_path / name))
        assert all(torch.isfinite(p).all() for p in model.parameters()), name
