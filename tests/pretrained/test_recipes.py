"""The recipes: what their data promise, that their configs run, and figures ten points below those in recipes/README.md."""

import os
import re
from collections import Counter

import pytest
from test_docs import FENCED
from test_door import QWEN_CHAT, json_folder, small_llama
from tiny import ROOT, launch, read

from benchmarks import companion, faq
from recipes import talk


@pytest.mark.parametrize("name, free", [("faq", 40), ("faq-zh", 20)])
def test_a_faq_has_thirty_answers_in_a_dozen_wordings_and_what_is_asked_later_is_not_in_training(name, free):
    rows, outside, asked = faq.read(name), faq.read(f"{name}-outside"), faq.lists(name)
    wordings, nothing = Counter(row["answer"] for row in rows), {row["answer"] for row in outside}
    assert {row["answer"] for row in asked["held out"]} == {*wordings, *nothing} and (len(outside), len(nothing)) == (160, 1)
    assert len(wordings) == 30 and set(wordings.values()) <= {11, 12, 13} and (len(asked["free"]), len(asked["out of scope"])) == (free, free // 2)
    assert {answer for row in asked["free"] for answer in (row["answer"], *row.get("also", ()))} <= set(wordings)
    assert Counter(re.sub(r"\W", "", row["question"].lower()) for row in sum(asked.values(), rows + outside)).most_common(1)[0][1] == 1


def test_none_of_the_instructions_that_keep_a_model_talking_is_one_of_those_that_are_measured():
    asked = talk.instructions()
    assert len(asked) == len(set(asked)) == 161 and not set(asked) & set(companion.INSTRUCTIONS.splitlines())


@pytest.mark.slow
@pytest.mark.parametrize("config, changes", [
    ("faq-zh", ["stages.sft.steps=2"]), ("own", ['stages.sft.data=["FOLDER/my.jsonl"]', "data.validation_fraction=0.01"])])
def test_a_recipe_that_wants_a_model_from_elsewhere_runs_on_a_tiny_qwen2(tmp_path, config, changes):
    folder, blocks = json_folder(tmp_path / "qwen", QWEN_CHAT), FENCED.findall(read("recipes/README.md"))
    small_llama(folder, "Qwen2", vocab_size=608, max_position_embeddings=512)
    (tmp_path / "my.jsonl").write_text(next(block for block in blocks if block.startswith('{"question"')))
    changes = ["stages.sft.init_from=FOLDER/qwen", "out_dir=FOLDER/out", *changes]
    settings = [word.replace("FOLDER", str(tmp_path)) for change in changes for word in ("--set", change)]
    result = launch("train.py", "--config", f"recipes/{config}.json", *settings)
    assert result.returncode == 0 and "(LoRA of rank 16)" in result.stdout, result.stdout + result.stderr


@pytest.mark.long  # held out, free, out of scope (from scratch, on lists so short, twenty, of ten questions thirty); turns that the companion keeps
@pytest.mark.parametrize("config, start, bars, turns", [
    ("faq", "models/smollm2", {"faq": (0.86, 0.77, 0.8)}, 0), ("companion", "models/smollm2", {}, 34),
    ("faq-small", "out/small", {"faq": (0.47, 0.2, 0.5), "faq-zh": (0.74, 0.4, 0.4)}, 0)])
def test_a_recipe_gives_what_its_page_says_but_for_ten_points(tmp_path, config, start, bars, turns):
    os.path.isdir(os.path.join(ROOT, start)) or pytest.skip(f"needs {start}")
    assert not turns or launch("recipes/talk.py").returncode == 0  # writes models/smollm2-talk.jsonl
    result = launch("train.py", "--config", f"recipes/{config}.json", "--set", f"out_dir={tmp_path}", "--set", "evaluate.data=[]", timeout=1800)
    assert result.returncode == 0, result.stdout + result.stderr
    engine = faq.load(str(tmp_path))
    found = {name: [right for right, _ in faq.measure(engine, name, chats=False)[0].values()] for name in bars}
    assert all(right >= bar for name in bars for right, bar in zip(found[name], bars[name], strict=True)), found
    assert not turns or sum(turn["correct"] for turn in companion.kept(engine)) >= turns
