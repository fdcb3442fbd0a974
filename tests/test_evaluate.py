"""The evaluation against a loop of its own, and what it writes and refuses."""

import json
import math
import sys

import pytest
import torch
from tiny import load_engine, save_model, tiny_model

import evaluate
import sample
from config import DEFAULTS, SOURCE
from zerochat.evaluation import tables


@pytest.fixture(scope="module")
def folder(tmp_path_factory, tokenizer):
    """A model folder with random weights; `other`, beside it, has different ones."""
    root = tmp_path_factory.mktemp("models")
    for name, seed in (("one", 0), ("other", 1)):
        model = tiny_model(max_position_embeddings=96)
        torch.manual_seed(seed)
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, std=0.2)
        save_model(str(root / name), model, tokenizer)
    return root / "one"


def conversation(*texts, **extra):
    messages = [{"role": ("user", "assistant")[i % 2], "content": text} for i, text in enumerate(texts)]
    return {"messages": messages, "source": "a.jsonl", "line": 1, "lang": "en"} | extra


def test_loss_by_turn_and_source_is_that_of_the_definition_and_turns_of_a_long_conversation_keep_their_numbers(folder, tokenizer):
    engine = load_engine(str(folder))
    samples = [conversation("Hi", "Hello there.", "Bye", "See you 明天!"), conversation("你好", "好", source="b.jsonl")]
    found = evaluate.likelihood(engine, samples)
    expected = {}
    for sample_ in samples:  # token by token: the model's distribution after each prefix
        ids, turn = [tokenizer.bos_id], 0
        for message in sample_["messages"]:
            ids.append(tokenizer.role_ids[message["role"]])
            turn += message["role"] == "assistant"
            for token in [*tokenizer.encode(message["content"]), tokenizer.template.end_id]:
                if message["role"] == "assistant":
                    with torch.no_grad():
                        nats = -float(engine.model(torch.tensor([ids]))[0, -1].log_softmax(-1)[token])
                    size = len(tokenizer.bytes_of(token) or b"")
                    for group in ("all", f"turn {turn}", f"source {sample_['source']}"):
                        expected[group] = [sum(pair) for pair in zip(expected.get(group, (0, 0, 0)), (nats, 1, size))]
                ids.append(token)
    assert list(found) == ["all", "turn 1", "turn 2", "source a.jsonl", "source b.jsonl"]
    for group, (nats, tokens, size) in expected.items():
        figures = found[group]
        assert (figures["tokens"], figures["bytes"]) == (tokens, size) and figures["loss"] == pytest.approx(nats / tokens, rel=1e-5)
        assert figures["perplexity"] == pytest.approx(math.exp(nats / tokens), rel=1e-4)
        assert figures["bits_per_byte"] == pytest.approx(nats / math.log(2) / size, rel=1e-5)
        low, high = figures["bits_per_byte_interval"]
        assert low <= figures["bits_per_byte"] * 1.000001 and figures["bits_per_byte"] <= high * 1.000001
    assert found["all"]["bytes"] == len("Hello there.See you 明天!好".encode())


def test_what_evaluation_leaves_out_is_told_and_turns_are_turns_however_many_windows_an_answer_takes(folder, tmp_path, capsys):
    engine, said = load_engine(str(folder)), []
    long = " ".join(str(i) for i in range(100))
    rows = [conversation("Say 1", "It is 1.", long, "Yes.", "Go on", long, "Say 2", "It is 2."), {"text": "A document."}, {"messages": 5},
            conversation("Hi", " "), {"conversations": [{"from": "user", "value": "Tom&#39;s"}, {"from": "gpt", "value": "R&amp;D"}], "id": 1}]
    rows = [{key: row[key] for key in ("text", "messages", "conversations", "id") if key in row} for row in rows]
    (tmp_path / "x.jsonl").write_bytes(b"\xef\xbb\xbf" + "".join(json.dumps(row) + "\r\n" for row in rows).encode())
    options = {**DEFAULTS["data"], "data_root": str(tmp_path), "max_bad": 0.5}
    samples = evaluate.read_samples([{**SOURCE, "path": "x.jsonl"}], options, said.append)
    assert [len(sample["messages"]) for sample in samples] == [8, 2] and samples[1]["messages"][1]["content"] == "R&D"
    assert said[0].split("\n")[1].strip() == "x.jsonl: 2 of 5 kept; 4 messages, 1 text; not used: id ('1')"
    for line in ("1  a document, no conversation (x.jsonl:2)", "1  no answer (x.jsonl:4)", "1  bad: not a record of the format messages"):
        assert line in said[0]
    with pytest.raises(ValueError, match="1 of 5 records are bad"):
        evaluate.read_samples([{**SOURCE, "path": "x.jsonl"}], {**options, "max_bad": 0.0})
    samples[0]["messages"][-1]["supervised"] = False
    likely = evaluate.likelihood(engine, samples)
    assert [name for name in likely if name.startswith("turn")] == ["turn 1", "turn 2", "turn 3"]
    assert likely["turn 2"]["bytes"] == len("Yes.") and likely["turn 3"]["bytes"] == len(long)
    figures = evaluate.evaluate(engine, samples, max_new_tokens=8)
    assert "x.jsonl:1: message 3 exceeds the context and is not asked\n" in capsys.readouterr().out and len(figures["turns"]) == 3


def test_two_models_side_by_side_leave_reports_to_read(folder, tmp_path, capsys):
    data = tmp_path / "d.jsonl"
    data.write_text("\n".join(json.dumps(conversation(f"Say {i}", f"It is {i}.", "再说一次", f"是{i}。")) for i in range(3)))
    evaluate.main(["--model", str(folder), "--compare", str(folder.parent / "other"), "--data", str(data),
                   "--max-new-tokens", "3", "--slots", "4", "--out", str(tmp_path / "out")])
    said, written = capsys.readouterr().out, (tmp_path / "out" / "report.md").read_text()
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    for text in (said, written):
        assert f"| source {data} |" in text and "difference, paired [95%]" in text
    assert len(report["models"]) == 2 and len(report["models"][0]["turns"]) == 6
    evaluate.main(["--model", str(folder), "--data", str(data), "--max-new-tokens", "3", "--out", str(tmp_path / "out")])
    written = (tmp_path / "out" / "report.md").read_text()
    assert "## Missed (6)" in written and "> **user**: 再说一次" in written and "expected: 是2。" in written


def test_without_sacrebleu_one_line_says_what_is_missing_and_the_end_of_a_run_needs_it_not(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "sacrebleu", None)
    figures = evaluate.evaluate(load_engine(str(folder), 2), [conversation("Hi", "Hello")], 2)
    assert "| all | 1 |" in tables.table(figures) and "answer: " in "\n".join(tables.section("Some", figures["turns"], 5))
    assert json.loads(json.dumps(figures))["groups"]["all"]["turns"] == 1
    monkeypatch.setattr(evaluate.importlib.util, "find_spec", lambda name: None)
    capsys.readouterr()
    evaluate.main(["--model", str(folder), "--demo", "2", "--max-new-tokens", "2", "--out", str(tmp_path)])
    said = capsys.readouterr().out
    assert said.startswith("BLEU and chrF are left out: they need sacrebleu (pip install -e '.[eval]')\n")
    assert "ROUGE-L" in said and "| chrF |" not in said


@pytest.mark.parametrize("left_out, message", [
    *((name, f"has no {name}") for name in ("config.json", "model.safetensors", "tokenizer.model")),
    (None, r"gate_proj.weight should be \[96, 48\], found \[80, 48\]")])
def test_a_model_that_cannot_be_loaded_is_refused_in_the_same_words_everywhere(folder, tmp_path, left_out, message):
    for name in {"config.json", "model.safetensors", "tokenizer.model"} - {left_out}:
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    if not left_out:
        config = json.loads((folder / "config.json").read_text())
        (tmp_path / "config.json").write_text(json.dumps(config | {"intermediate_size": 96}))
    said = []
    for program, words in ((evaluate, ["--demo", "1"]), (sample, ["--prompt", "x"])):
        with pytest.raises(SystemExit, match=message) as caught:
            program.main(["--model", str(tmp_path), *words])
        said.append(str(caught.value))
    assert said[0] == said[1] and said[0].startswith("error: ") and "\n" not in said[0]


@pytest.mark.parametrize("content, message", [
    ("", "is empty"), ('{"messages": [{"role": "user", "content": "only a question"}]}', "no conversation"),
    (json.dumps(conversation("long " * 300, "short")), "no question leaves room for an answer")])
def test_data_with_nothing_to_evaluate_is_refused(folder, tmp_path, content, message):
    path = tmp_path / "d.jsonl"
    path.write_text(content)
    with pytest.raises(SystemExit, match=message) as caught:
        evaluate.main(["--model", str(folder), "--data", str(path)])
    assert str(caught.value).startswith("error: ")


def test_a_correct_answer_equals_the_reference_or_passes_its_check():
    turn = {"check": None, "answer": " yes\n", "reference": "yes", "ended": False}
    assert evaluate.is_correct(turn) and not evaluate.is_correct(turn | {"answer": "Yes"})
    free = turn | {"check": {"contains": ["Anna", "cat"], "min_chars": 12}, "answer": "Anna has a cat.", "ended": True}
    assert evaluate.is_correct(free)
    for change in ({"ended": False}, {"answer": "Anna's cat"}, {"answer": "Anna has a dog here."}):
        assert not evaluate.is_correct(free | change)
