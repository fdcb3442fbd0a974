"""The report and the picture: true, escaped, and the same in the terminal and on the page."""

import json
import os
import re
import sys

import pytest
from tiny import prepared, source

import data
from config import DEFAULTS, SOURCE, deep_merge
from zerochat.preparation import look, shards
from zerochat.run_folder import RunFolder
from zerochat.training.log import told

ROWS = [{"prompt": "Which <b>city</b> & why?", "completion": "Rome | \x1b[31mit is old."},
        {"prompt": "Hi", "completion": " "}, {"prompt": "Hello", "completion": "Good day."}]


@pytest.fixture
def config(tmp_path, tokenizer_folder):
    (tmp_path / "x.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    config = deep_merge(DEFAULTS, {"out_dir": str(tmp_path / "out"), "tokenizer": {"path": tokenizer_folder},
                                   "data": {"data_root": str(tmp_path), "rules": {"characters": False}},
                                   "model": {"max_position_embeddings": 96}})
    config["stages"] = [{"name": "sft", "loss_on": "assistant", "validation": [], "data": [{**SOURCE, "path": "x.jsonl"}]}]
    return config


def test_the_picture_shows_exactly_the_supervised_text_in_green_and_what_was_dropped(tmp_path, config, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    tokenizer = data.Tokenizer(look.folder_with_tokenizer(config, data.MODEL_FILE))
    text = look.inspect({**SOURCE, "path": str(tmp_path / "x.jsonl"), "limit": 20}, config, tokenizer, f"{tmp_path}/page.html")
    assert re.findall("\033\\[32m(.*?)\033\\[0m", text) == ["Rome | �[31mit is old.", "●", "Good day.", "●"]
    assert re.findall("\033\\[2m(.*?)\033\\[0m", text) == ["Which <b>city</b> & why?", "Hello"]
    assert re.findall("\033\\[7;35m(.*?)\033\\[0m", text)[:4] == ["<s>", "<|user|>", "<|end|>", "<|assistant|>"]
    assert "x.jsonl:2 dropped: no answer" in text and text.count("┄" * 60) == 1 and "--limit" not in text, "two documents share the row"
    text = look.inspect({**SOURCE, "path": str(tmp_path / "x.jsonl"), "limit": 2}, config, tokenizer, None)
    assert "looked at 2 records at most: --limit N looks at more" in text
    page = (tmp_path / "page.html").read_text()
    assert re.findall("<s>(.*?)</s>", page.split("</p>")[1]) == ["Rome | �[31mit is old.", "●", "Good day.", "●"]
    assert "Which &lt;b&gt;city&lt;/b&gt; &amp; why?" in page and page.count("<hr>") == 1 and "http" not in page


def test_the_report_names_every_rule_with_examples_and_counts_and_measures_the_tokenizer(config):
    folder = data.prepare(config, log=lambda text: None)
    report, text = json.load(open(f"{folder}/report.json")), open(f"{folder}/report.md", encoding="utf-8").read()
    assert "### x.jsonl: 2 of 3 kept, 0 bad" in text and "| dropped | no answer | 1 | x.jsonl:2 | user: Hi |  |" in text
    train = report["stages"]["sft"]["train"]
    assert train["characters"] == sum(len(row[key]) for row in ROWS[::2] for key in row) > train["tokens"] - 8


def test_the_command_line_prints_report_and_picture_and_leaves_the_data_of_a_run_that_is_going_on(tmp_path, config, capsys):
    own = {key: config[key] for key in ("out_dir", "data", "tokenizer", "model")}
    path, run = str(tmp_path / "c.json"), RunFolder(config["out_dir"])
    (tmp_path / "c.json").write_text(json.dumps({**own, "stages": [{"name": "sft", "data": ["x.jsonl"], "steps": 1}]}))
    run.claim()
    prepared = set(os.listdir(config["out_dir"]))
    with pytest.raises(SystemExit, match="error: another run is writing to .*; wait for it or choose another out_dir"):
        data.main(["--config", path])
    assert set(os.listdir(config["out_dir"])) == prepared
    run.release()
    data.main(["--config", path, "--show", "1"])
    shown = capsys.readouterr().out
    assert "### x.jsonl: 2 of 3 kept" in shown and "report.md" in shown and "Good day." in shown
    run.claim()
    data.main(["--config", path, "--show", "1"])  # what is ready may be looked at
    run.release()
    capsys.readouterr()
    data.main(["--config", path, "--inspect", str(tmp_path / "x.jsonl")])
    assert "x.jsonl:2 dropped: no answer" in capsys.readouterr().out
    chat = [{"role": role, "content": str(i)} for i in range(90) for role in ("user", "assistant")]
    rows = [{"Frage": "你好", "Antwort": "好"}, {"messages": chat}, {"Frage": 5, "Antwort": "x"}]
    (tmp_path / "z.txt").write_bytes("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode("gb18030"))
    words = ["--format", "auto", "--encoding", "gb18030", "--columns", "Frage=question,Antwort=answer"]
    with pytest.raises(SystemExit, match="z.txt is no data as they are read"):
        data.main(["--config", path, "--inspect", str(tmp_path / "z.txt"), *words])
    os.rename(tmp_path / "z.txt", tmp_path / "z.jsonl")
    data.main(["--config", path, "--inspect", str(tmp_path / "z.jsonl"), *words])
    shown = capsys.readouterr().out
    assert "z.jsonl:3 broken: " in shown and "\033" not in shown and "<|user|>你好<|end|><|assistant|>⟦好⟧<|end|>⟦●⟧" in shown
    windows = [int(number) for number in re.findall(r"z.jsonl:2 window (\d+)", shown)]
    assert windows == sorted(windows) and len(windows) > 3
    with pytest.raises(SystemExit, match="error: .*no such file"):
        data.main(["--config", path, "--inspect", str(tmp_path / "y.jsonl")])
    with pytest.raises(SystemExit, match="error: there is no tokenizer yet"):
        data.main(["--inspect", str(tmp_path / "x.jsonl"), "--set", f"out_dir={tmp_path}/no"])


def test_a_run_says_that_nothing_is_held_out_or_nothing_trained_on_and_that_its_epochs_are_very_many(tmp_path, tokenizer_folder, tokenizer):
    (tmp_path / "x.jsonl").write_text('{"question": "Hi", "answer": "Hello"}\n')
    assert "\n  validation: nothing is held out, " in prepared(tmp_path, source(path="x.jsonl"), tokenizer=tokenizer_folder)[1]
    (tmp_path / "samples.jsonl").touch()
    with pytest.raises(ValueError, match="no answer begins within the context of 512 tokens"):
        shards.write_shard(str(tmp_path), tokenizer, DEFAULTS, "assistant", training=True)
    assert told(30.0) == "30.0 epochs" and told(31.0).startswith("31.0 epochs, very many: ")
