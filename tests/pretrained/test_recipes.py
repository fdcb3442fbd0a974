"""The recipes: what their data promise, that their configs run, and figures ten points below those in recipes/README.md."""

import os
import re
from collections import Counter

import pytest
from test_docs import FENCED
from test_door import QWEN_CHAT, json_folder, small_llama
from tiny import ROOT, launch, read

from benchmarks import companion, faq


@pytest.mark.parametrize("name, free", [("faq", 40), ("faq-zh", 20)])
def test_a_faq_has_thirty_answers_in_four_to_six_wordings_and_what_is_asked_later_is_not_in_training(name, free):
    rows, outside, asked = faq.read(name), faq.read(f"{name}-outside"), faq.lists(name)
    wordings, nothing = Counter(row["answer"] for row in rows), {row["answer"] for row in outside}
    assert {row["answer"] for row in asked["held out"]} == {*wordings, *nothing} and (len(outside), len(nothing)) == (15, 1)
    assert len(wordings) == 30 and set(wordings.values()) <= {4, 5, 6} and (len(asked["free"]), len(asked["out of scope"])) == (free, free // 2)
    assert {answer for row in asked["free"] for answer in (row["answer"], *row.get("also", ()))} <= set(wordings)
    assert Counter(re.sub(r"\W", "", row["question"].lower()) for row in sum(asked.values(), rows + outside)).most_common(1)[0][1] == 1


@pytest.mark.slow
@pytest.mark.parametrize("config, changes, said", [
    ("faq-zh", ["stages.sft.steps=2"], ["(LoRA of rank 16)", "33 held-out conversations", "finished in"]),
    ("own", ['stages.sft.data=["FOLDER/my.jsonl"]', "stages.sft.epochs=40", "data.validation_fraction=0.01"],
     ["  validation: nothing is held out, ", "(40.0 epochs, very many: the data are learned by heart", "finished in"])])
def test_a_recipe_runs_on_a_tiny_qwen2_and_says_where_nothing_is_held_out_or_the_epochs_are_very_many(tmp_path, config, changes, said):
    folder, blocks = json_folder(tmp_path / "qwen", QWEN_CHAT), FENCED.findall(read("recipes/README.md"))
    small_llama(folder, "Qwen2", vocab_size=608, max_position_embeddings=512)
    (tmp_path / "my.jsonl").write_text(next(block for block in blocks if block.startswith('{"question"')))
    changes = [f"stages.sft.init_from={folder}", f"out_dir={tmp_path}/out", *changes]
    settings = [word.replace("FOLDER", str(tmp_path)) for change in changes for word in ("--set", change)]
    result = launch("train.py", "--config", f"recipes/{config}.json", *settings)
    assert result.returncode == 0 and all(text in result.stdout for text in said), result.stdout + result.stderr


# Held out, free, out of scope and the fourth question of a chat, of each FAQ; how many turns the companion keeps.
@pytest.mark.long
@pytest.mark.parametrize("config, start, least, turns", [
    ("faq", "models/smollm2", {"faq": (0.77, 0.47, 0.4, 0.69)}, 0), ("companion", "models/smollm2", {}, 31),
    ("faq-small", "out/small", {"faq": (0.5,) * 4, "faq-zh": (0.5,) * 4}, 0)])
def test_a_recipe_gives_what_its_page_says_but_for_ten_points(tmp_path, config, start, least, turns):
    if not os.path.isdir(os.path.join(ROOT, start)):
        pytest.skip(f"needs {start}")
    result = launch("train.py", "--config", f"recipes/{config}.json", "--set", f"out_dir={tmp_path}/out", "--set", "evaluate.data=[]", timeout=1800)
    assert result.returncode == 0, result.stdout + result.stderr
    engine = faq.load(f"{tmp_path}/out")
    for name, bars in least.items():
        found = [right for kind, (right, _) in faq.measure(engine, name)[0].items() if not re.search("question [123]", kind)]
        assert all(right >= bar for right, bar in zip(found, bars, strict=True)), (name, found)
    assert not turns or sum(turn["correct"] for turn in companion.kept(engine)) >= turns
