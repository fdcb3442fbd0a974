"""Whatever small file of a run is damaged, or does not fit on the disk: it is named with what to do, and nothing is lost."""

import json
import os
import pathlib
import re
import shutil

import pytest
from runs import computed, each, forked, load_all, run_config

from zerochat.files import content_hash

pytestmark = pytest.mark.slow
CHANGES = {"evaluate": {"data": [{"demo": "conversations", "split": "validation", "count": 2}], "max_new_tokens": 4}}
DAMAGES = {"empty": lambda content: b"", "cut off": lambda content: content[:len(content) // 2],
           "zeros": lambda content: content[:len(content) // 2].ljust(len(content), b"\0"),
           "other": lambda content: b"{}", "list": lambda content: b"[1]\n", "gone": None}


def digest(folder: pathlib.Path) -> str | None:
    path = folder / "out" / "model.safetensors"
    return content_hash(str(path)) if path.exists() else None


def go_on(template: pathlib.Path, folder: pathlib.Path, damages: list) -> list[tuple]:
    """Copy the template's run to `folder/out`, undo its end, do one damage, go on: what became of each."""
    load_all()
    out, argv, found = folder / "out", ["--config", run_config(folder, **CHANGES)], []
    for name, damage in damages:
        shutil.copytree(template / "out", out)
        os.remove(out / "report.json"), os.remove(out / "model.safetensors")
        record = json.loads((out / "run.json").read_text())
        record["stages"]["sft"]["done"] = None
        (out / "run.json").write_text(json.dumps(record))
        if damage == "gone":
            os.remove(out / name)
        else:
            (out / name).write_bytes(DAMAGES[damage]((out / name).read_bytes()))
        code, lines, _ = forked(argv)
        found.append((name, damage, code, lines, digest(folder) == digest(template)))
        shutil.rmtree(out)
    return found


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    folder = tmp_path_factory.mktemp("template")
    [(code, lines, _)] = computed(each, [["--config", run_config(folder, **CHANGES)]], folder=folder)
    assert code == 0, lines
    return folder


def test_a_damaged_file_of_a_run_is_named_with_what_to_do_or_does_not_matter(template, tmp_path):
    names = [str(path.relative_to(template / "out")) for path in (template / "out").rglob("*") if path.is_file()]
    skipped = ("report.json", "report.md", "loss.png", "README.md", "model.safetensors", "samples.jsonl", "step-20/rank-0.safetensors")
    names = sorted(name for name in names if not name.endswith(skipped) or name.endswith("/report.json"))
    assert len(names) > 20 and "sft/step-24/rank-0.safetensors" in names, names
    damages = [(name, list(DAMAGES)[(i + j) % 6]) for i, name in enumerate(names)
               for j in ((0, 1, 2) if name.endswith(("run.json", ".jsonl")) else (0, 3))]
    for name, damage, code, lines, same in computed(go_on, template, tmp_path, damages, folder=tmp_path):
        what = name, damage, code, lines[-3:], same
        errors = [line for line in lines if line.startswith("error: ")]
        assert code in (0, 1) and not any("Traceback" in line for line in lines), (*what, lines)
        assert (same and not errors) if code == 0 else len(errors) == 1, what
        assert code == 0 or not name.startswith("sft/step-24/"), (*what, "the checkpoint before it would do")
        if errors:
            place = name.split("/sft.")[0] if name.startswith("data/") else name.split("/")[-1]
            assert os.path.dirname(place) in errors[0] and re.search("--fresh|(remove|move) it", errors[0]), what


def test_wherever_the_disk_is_full_the_file_the_space_needed_and_the_space_there_are_named(template, tmp_path):
    limits = [(1, "main"), (300, "main"), (6000, "main"), (60_000, "main"), (200, "data.shards.np.save"), (2, "RunFolder.begin"), (500, "RunFolder.begin"),
              (10, "run_stage"), (100_000, "run_stage"), (10, "export"), (1000, "export"), (100_000, "export"),
              (100, "RunFolder.stage_done"), (10, "report.write"), (5000, "report.write")]
    argv = ["--config", run_config(tmp_path, **CHANGES)]
    *full, (code, lines, _) = computed(each, [argv] * (len(limits) + 1), *limits, (), folder=tmp_path)
    said = []
    for limit, (failed, printed, _) in zip(limits, full):
        errors = [line for line in printed if line.startswith("error: ")]
        assert failed == 1 and len(errors) == 1 and not any("Traceback" in line for line in printed), (limit, printed)
        assert re.search(r"(MiB|bytes), [0-9.]+ MiB are free.*Make room and start again", errors[0]), (limit, errors)
        said.append(os.path.basename(errors[0].split(": ")[1]))
    assert [name.replace(said[3], "data") for name in said] == [
        ".zerochat", "data", "data", "data", "data", ".zerochat", "run.json", "run.json",
        "the checkpoint of step 4 could not be written", "tokenizer.model", "tokenizer.model", "model.safetensors",
        "run.json", "loss.png", "loss.png"], said
    assert code == 0 and digest(tmp_path) == digest(template), lines
