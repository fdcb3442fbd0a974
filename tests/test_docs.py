"""The documents: true to the code, whole, and equal in both languages."""

import ast
import functools
import glob
import importlib
import json
import os
import re
from collections import Counter

import pytest
from tiny import ROOT, launch, read

import config

DOCUMENTS = sorted(os.path.relpath(path, ROOT) for pattern in ("*.md", "docs/*.md", "recipes/*.md")
                   for path in glob.glob(os.path.join(ROOT, pattern)))
IN_BOTH = ["README", "docs/guide", "docs/data", "docs/training", "docs/pretrained", "docs/exercises"]
WINGS = ("demo", "preparation", "pretrained", "training", "generation", "evaluation", "serving")
FOLDERS = ("zerochat", "configs", "docs", "deploy", "recipes", "benchmarks", "tests", ".github", ".ci")
# What runs and users write, and the files of others' model folders.
WRITTEN = {"config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "report.json", "report.md", "manifest.json"}
HISTORY = {"CHANGELOG.md"}  # it names files that are gone
NUMBER = re.compile(r"(?<![A-Za-z0-9_.,])\d+(?:[.,]\d+)*")
FENCED = re.compile(r"^```\w*\n(.*?)^```", re.S | re.M)


def exists(*parts: str) -> bool:
    return os.path.exists(os.path.join(ROOT, *parts))


def spans(text: str) -> list[str]:
    """What stands between backticks outside fenced blocks."""
    return re.findall(r"`([^`\n]+)`", FENCED.sub("", text))


def commands(text: str) -> list[str]:
    """Lines of fenced blocks and spans: all that a reader may type."""
    return [line for block in FENCED.findall(text) for line in block.split("\n")] + spans(text)


@functools.cache
def names_of(path: str) -> dict[str, set[str]]:
    """What a Python file defines: top-level name -> the methods and fields of a class, nothing for others."""
    found = {}
    for node in ast.parse(read(path)).body:
        targets = getattr(node, "targets", [getattr(node, "target", None)])  # of an assignment, annotated or not
        found |= {target.id: set() for target in targets if isinstance(target, ast.Name)}
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            found[node.name] = set()
        if isinstance(node, ast.ClassDef):
            found[node.name] = {getattr(item, "name", None) or item.target.id for item in node.body
                                if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef, ast.AnnAssign))}
    return found


def missing(span: str) -> str | None:
    """Why a dotted name or a path in a document names nothing; None where it does, or is neither of the two."""
    first, *rest = span.split(".")
    if re.fullmatch(r"\.?[\w-]+(/[\w.*-]+)*/?", span) and span.partition("/")[0] in FOLDERS and "/" in span:
        return None if exists(span) else "no such file"
    if re.fullmatch(r"[\w.-]+\.(py|json|md|toml)", span):
        return None if span in WRITTEN or any(exists(folder, span) for folder in ("", "configs")) else "no such file"
    if not re.fullmatch(r"\w+(\.\w+)+", span) or rest[-1] in ("model", "safetensors", "bin", "pth", "jsonl", "png"):
        return None
    if first in WINGS:
        path, rest = f"zerochat/{first}/{rest[0]}.py", rest[1:]
    elif exists(first + ".py"):
        if rest[0] in config.DEFAULTS.get(first, {}):  # a section of the config has the name of a page
            return None
        path = first + ".py"
    else:
        return None
    if not exists(path):
        return f"no {path}"
    found = names_of(path)
    if rest and (rest[0] not in found or rest[1:] and rest[1] not in found[rest[0]]):
        return f"not in {path}"
    return None


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_and_function_that_a_document_names_exists_and_one_that_is_gone_would_be_noticed(document):
    wrong = {span: why for span in spans(read(document)) if (why := missing(span))}
    assert not wrong or document in HISTORY, f"{document}: {wrong}"
    assert missing("train.train_step") is None and missing("model.ModelConfig.hidden_size") is None
    assert missing("data.near_duplicates") is None and missing("tokenizer.model") is None
    for gone in ("train.fit", "model.ModelConfig.hidden", "training.hooks.Hook", "docs/missing.md", "hooks.py"):
        assert missing(gone), gone


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_script_option_config_and_test_in_a_command_exists(document):
    files = glob.glob(os.path.join(ROOT, "tests", "**", "*.py"), recursive=True)
    tests = "".join(read(os.path.relpath(path, ROOT)) for path in files)
    for line in commands(read(document)) if document not in HISTORY else ():
        if found := re.search(r"(?:python3?|deepspeed\b.*?) ([\w/]+\.py)\b([^|&;]*)", line):
            script, rest = found[1], re.sub(r"'[^']*'|\s#.*", "", found[2])
            if not script.startswith("DIR/"):
                assert exists(script), f"{document}: {line}"
                for option in re.findall(r"(?<!\S)(--[\w-]+)", rest):
                    assert f'"{option}"' in read(script), f"{document}: {script} has no {option}: {line}"
        for name in re.findall(r"--config ([\w/]+\.json)", line):
            assert exists(name), f"{document}: {line}"
        for key in re.findall(r"pytest .*-k (\w+)", line):
            assert re.search(rf"def test_\w*{key}", tests), f"{document}: no test is called like -k {key}"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_leads_somewhere(document):
    for target in re.findall(r"\]\(([^)\s]+)\)", FENCED.sub("", read(document))):
        path, _, anchor = target.partition("#")
        assert ":" not in target, f"{document}: {target}: the project has no address yet"
        whole = os.path.normpath(os.path.join(os.path.dirname(document), path)) if path else document
        assert exists(whole), f"{document}: {target}"
        headings = re.findall(r"^#+ (.+)$", FENCED.sub("", read(whole)), re.M) if anchor else []
        reachable = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}  # as hosting sites do it
        assert not anchor or anchor in reachable, f"{document}: {target}: no such heading"


def test_every_document_can_be_reached_from_the_readme():
    reached, todo = set(), ["README.md"]
    while todo:
        reached.add(page := todo.pop())
        for target in re.findall(r"\]\(([^)#\s]+\.md)", read(page)):
            target = os.path.normpath(os.path.join(os.path.dirname(page), target))
            todo += [target] * (target not in reached)
    assert set(DOCUMENTS) <= reached, set(DOCUMENTS) - reached


@pytest.mark.parametrize("name", IN_BOTH)
def test_both_languages_have_the_same_sections_code_tables_and_numbers_and_the_chinese_one_term_for_one_thing(name):
    def figures(text: str, names: str = "(?!)") -> Counter:
        return Counter(NUMBER.findall(re.sub(r"\]\([^)]*\)", "]", text)) + re.findall(names, text))

    english, chinese = read(name + ".md"), read(name + ".zh-CN.md")
    code, same = ([re.sub(r"[ \t]+# .*", "", block) for block in FENCED.findall(text)] for text in (english, chinese))
    assert code == same, "but for comments, which are translated"
    english, chinese = FENCED.sub("", english), FENCED.sub("", chinese)
    for pattern in (r"^#+ ", r"^\|.*\|$", r"^- ", r"^\*\*", r"^!\["):
        assert len(re.findall(pattern, english, re.M)) == len(re.findall(pattern, chinese, re.M)), pattern
    for row, other in zip(*(re.findall(r"^\|.*\|$", text, re.M) for text in (english, chinese))):
        assert figures(row, "`[^`]+`") == figures(other, "`[^`]+`"), f"{row}\n{other}"
    assert figures(english) == figures(chinese)
    for word in ("您", "评测", "激活检查点", "说明文", "bits per byte/", " token ", " rank "):
        assert word not in chinese, f"{name}: {word}"


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
def test_the_readme_is_short_names_what_the_repository_holds_and_its_commands_are_those_that_the_last_check_runs(page):
    text, blocks = read(page), FENCED.findall(read(page))
    assert text.count("\n") <= 200
    tree = next(block for block in blocks if block.startswith("model.py"))
    named = [line.split()[0] for line in tree.splitlines()]
    assert all(glob.glob(os.path.join(ROOT, path)) for path in named), named
    pages = {os.path.basename(path) for path in glob.glob(os.path.join(ROOT, "*.py"))}
    wings = {f"zerochat/{folder}/" for folder in WINGS}
    assert set(named) >= pages | wings and all(exists(wing) for wing in wings)
    install, chat = next(block for block in blocks if "python sample.py" in block).splitlines()
    checked = read(".ci/run").replace("pip install -q ", "pip install ")
    assert install.endswith("deepspeed train.py --config configs/small.json") and chat == "python sample.py"
    assert install in checked and chat in checked


def defaults() -> dict[str, dict]:
    """Every key of a config by the heading under which docs/config.md has it."""
    plain = {name: config.DEFAULTS[name] for name in ("tokenizer", "model", "evaluate")}
    data = {key: value for key, value in config.DEFAULTS["data"].items() if key != "augment"}
    data |= {f"augment.{key}": value for key, value in config.DEFAULTS["data"]["augment"].items()}
    return {**plain, "data": data, "stages": config.STAGE, "A source": config.SOURCE,
            "The run": {key: config.DEFAULTS[key] for key in ("out_dir", "seed")}}


@pytest.mark.parametrize("heading, keys", defaults().items())
def test_every_key_of_the_config_is_documented_with_its_default(heading, keys):
    section = re.search(rf"^#+ `?{heading}`?\n(.*?)(?=^#|\Z)", read("docs/config.md"), re.S | re.M)[1]
    said = {}
    for first, value in re.findall(r"^\| (`.*?) \| (.*?) \|", section, re.M):
        named, values = re.findall(r"`([\w.]+)`", first), value.replace("`", "").split(", ")
        said |= dict(zip(named, values if len(values) == len(named) else values * len(named)))
    assert set(keys) <= set(said), set(keys) - set(said)
    for key, default in keys.items():
        try:
            assert json.loads(said[key]) == default, key
        except ValueError:
            pass  # said in words


@pytest.mark.parametrize("page", ["docs/data.md", "docs/data.zh-CN.md"])
def test_every_format_and_cleaning_rule_is_documented(page):
    formats, clean = (importlib.import_module(f"zerochat.preparation.{name}") for name in ("formats", "clean"))
    tables = [re.findall(r"^\|.*\|$", part, re.M) for part in re.split(r"^## ", read(page), flags=re.M)]
    named = [set(re.findall(r"`(\w+)`", " ".join(row.split("|")[column] for row in table)))
             for column, table in zip((2, 1), [table for table in tables if table])]
    assert named[0] == {*formats.FORMATS, "text", "lines"} and named[1] == set(clean.RULES)


@pytest.mark.parametrize("document", [*DOCUMENTS, "deploy/Dockerfile", "deploy/nginx.conf", "deploy/slurm.sh",
                                      "deploy/zerochat.service", ".github/workflows/ci.yml"])
def test_no_document_has_a_path_of_somebodys_machine(document):
    assert not re.search(r"(?<![\w.])/(work|root|opt|home|mnt|Users)/", read(document))


def test_what_the_walk_prints_stands_in_both_guides_numbers_to_three_digits():
    lines = [line for line in launch("docs/walk.py", "--to", "6").stdout.split("\n") if line and not line.startswith("## ")]
    number, _ = re.compile(r"\d+\.\d+"), lines[50]
    for guide in map(read, ("docs/guide.md", "docs/guide.zh-CN.md")):
        told = {number.sub("#", line): [float(x) for x in number.findall(line)] for line in guide.split("\n")}
        for line in lines:
            assert told.get(number.sub("#", line)) == pytest.approx([float(x) for x in number.findall(line)], rel=2e-3), line


def test_the_answers_to_the_exercises_are_right_and_what_is_not_written_is_not():
    answers, stubs = (launch("docs/exercises.py", *more) for more in (["--answers"], []))
    assert (answers.returncode, stubs.returncode) == (0, 1), answers.stdout
    assert answers.stdout.count(": right\n") == stubs.stdout.count(": not written yet\n") == 9
