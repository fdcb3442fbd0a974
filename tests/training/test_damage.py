"""Whatever small file of a run is damaged, or does not fit on the disk: it is named with what to do, and nothing is lost."""

import json
import os
import pathlib
import re
import shutil

import pytest
from runs import Ranks, forked, load_all, run_config

from zerochat.files import content_hash


def digest(folder: str) -> str | None:
    path = os.path.join(folder, "model.safetensors")
    return content_hash(path) if os.path.exists(path) else None


def go_on(template: str, folder: str, damages: list) -> None:
    """Copy the template's run to `folder/out`, undo its end, do one damage, go on; for each, to `folder/found.json`."""
    load_all()
    os.chdir(folder)
    found = []
    for name, damage in damages:
        shutil.copytree(os.path.join(template, "out"), "out")
        os.remove("out/report.json"), os.remove("out/model.safetensors")
        record = json.load(open("out/run.json"))
        record["stages"]["sft"]["done"] = None
        json.dump(record, open("out/run.json", "w"))
        path = pathlib.Path("out", name)
        content, half = path.read_bytes(), path.stat().st_size // 2
        path.write_bytes({"empty": b"", "cut off": content[:half], "zeros": content[:half] + b"\0" * (len(content) - half),
                          "other": b"{}", "list": b"[1]\n", "gone": b""}[damage])
        if damage == "gone":
            path.unlink()
        code, lines, _ = forked(["--config", os.path.join(folder, "run.json")])
        found.append((name, damage, code, lines, digest("out") == digest(os.path.join(template, "out"))))
        shutil.rmtree("out")
    json.dump(found, open("found.json", "w"))


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    folder = tmp_path_factory.mktemp("template")
    assert Ranks(fresh, str(folder), [()]).wait() == [0]
    return folder


CHANGES = {"evaluate": {"data": [{"demo": "conversations", "split": "validation", "count": 2}], "max_new_tokens": 4}}


def fresh(folder: str, limits: list[tuple]) -> None:
    """Runs in which no file may have more than so many bytes, since a function is called, in the same `out_dir`."""
    load_all()
    os.chdir(folder)
    config = run_config(pathlib.Path(folder), **CHANGES)
    found = [forked(["--config", config], *limit) for limit in limits]
    json.dump(found, open("found.json", "w"))


@pytest.mark.slow
def test_a_damaged_file_of_a_run_is_named_with_what_to_do_or_does_not_matter(template, tmp_path):
    run_config(tmp_path, **CHANGES)
    names = [os.path.relpath(os.path.join(place, name), template / "out")
             for place, _, names in os.walk(template / "out") for name in names]
    skipped = ("report.json", "report.md", "loss.png", "README.md", "model.safetensors", "samples.jsonl", "step-20/rank-0.safetensors")
    names = sorted(name for name in names if not name.endswith(skipped) or name.endswith("/report.json"))
    assert len(names) > 20, names
    kinds = ("empty", "cut off", "zeros", "other", "list", "gone")
    damages = [(name, kinds[(i + j) % 6]) for i, name in enumerate(names) for j in ((0, 1, 2) if name.endswith(("run.json", ".jsonl")) else (0, 3))]
    assert (group := Ranks(go_on, str(template), str(tmp_path), damages, log=str(tmp_path / "all"))).wait() == [0], group.output()
    for name, damage, code, lines, same in json.load(open(tmp_path / "found.json")):
        what = name, damage, code, lines[-3:], same
        errors = [line for line in lines if line.startswith("error: ")]
        assert code in (0, 1) and not any("Traceback" in line for line in lines), (*what, lines)
        assert (same and not errors) if code == 0 else len(errors) == 1, what
        if errors:
            place = name.split("/sft.")[0] if name.startswith("data/") else name.split("/")[-1]
            assert os.path.dirname(place) in errors[0] and ("--fresh" in errors[0] or "remove it" in errors[0] or "move it" in errors[0]), what


@pytest.mark.slow
def test_wherever_the_disk_is_full_the_file_the_space_needed_and_the_space_there_are_named(template, tmp_path):
    limits = [(1, "main"), (300, "main"), (6000, "main"), (60_000, "main"), (200, "data.shards.np.save"), (2, "RunFolder.begin"), (500, "RunFolder.begin"),
              (10, "run_stage"), (100_000, "run_stage"), (10, "export"), (1000, "export"), (100_000, "export"),
              (100, "RunFolder.stage_done"), (10, "report.write"), (5000, "report.write")]
    group = Ranks(fresh, str(tmp_path), [*limits, ()], log=str(tmp_path / "all"))
    assert group.wait() == [0], group.output()[-3000:]
    *full, (code, lines, _) = json.load(open(tmp_path / "found.json"))
    said = []
    for limit, (failed, printed, _) in zip(limits, full):
        errors = [line for line in printed if line.startswith("error: ")]
        assert failed == 1 and len(errors) == 1 and not any("Traceback" in line for line in printed), (limit, printed)
        assert re.search(r"(MiB|bytes), [0-9.]+ MiB are free.*Make room and start again", errors[0]), (limit, errors)
        said.append(os.path.basename(errors[0].split(": ")[1]))
    assert [name.replace(said[3], "data") for name in said] == [".zerochat", "data", "data", "data", "data", ".zerochat", "run.json",
            "run.json", "the checkpoint of step 4 could not be written", "tokenizer.model", "tokenizer.model",
            "model.safetensors", "run.json", "loss.png", "loss.png"], said
    assert code == 0, lines
    assert digest(tmp_path / "out") == digest(template / "out")
