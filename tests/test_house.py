"""The house: who may import whom, how much stands where, and what each page shows itself."""

import ast
import glob
import json
import os
import re
import subprocess
import sys
import urllib.request
import zipfile

import pytest
from tiny import ROOT, environment, launch, read, save_model, server_process, tiny_model

LEVELS = {"model": 0, "tokenizer": 0, "config": 1, "data": 2, "evaluate": 2, "train": 3, "sample": 3, "serve": 3}
STORY = ("model", "tokenizer", "data", "train", "sample")
ARROWS = {("preparation", "demo"), ("evaluation", "generation"), ("training", "evaluation"), ("serving", "generation")}
DEEPSPEEDS_OWN = {"zerochat/training/engine.py", "zerochat/training/masters.py"}
# On each page itself: functions and classes, and (after a dot) what is called or (as text) written there.
VISIBLE = {
    "model": "RMSNorm rotate rotary_frequencies Attention MLP LanguageModel .scaled_dot_product_attention .silu .cross_entropy",
    "tokenizer": "MarkerTemplate.render MarkerTemplate.windows Tokenizer Stream",
    "data": "prepare collect learn_or_adopt_tokenizer PackedData.batch PackedData.rows_of_step "
            "'# 1. read' '# 2. clean' '# 3. deduplicate' '# 4. write' '# 5. learn' '# 6. render'",
    "train": "train_step validate run_stage export .initialize .backward .checked_step .save .gather .all_reduce "
             "'for step in range' 'world / count'",
    "sample": "Chat talk .stream .fit",}


def files() -> list[str]:
    """All Python files but the tests, relative to the root."""
    found = glob.glob("*.py", root_dir=ROOT) + glob.glob("zerochat/**/*.py", root_dir=ROOT, recursive=True)
    return sorted(found + glob.glob("benchmarks/*.py", root_dir=ROOT))


def parsed(path: str) -> ast.Module:
    return ast.parse(read(path))


def lines(path: str) -> int:
    return read(path).count("\n")


def imports(path: str) -> set[str]:
    """What a file imports at run time, wherever in it: modules, and names taken from them, with dots."""
    tree, found = parsed(path), set()
    typing_only = {id(inner) for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
                   for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import) and id(node) not in typing_only:
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and id(node) not in typing_only:
            assert not node.level, f"{path} imports {node.module} relative to itself"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", [path for path in files() if not path.startswith("benchmarks/")])
def test_pages_import_downwards_the_package_no_page_wings_along_the_arrows_and_two_files_touch_what_is_deepspeeds(path):
    parts, found = path.removesuffix(".py").split("/"), {name.split(".")[0] for name in imports(path)}
    pages, wings = found & set(LEVELS), {name.split(".")[1] for name in imports(path) if name.startswith("zerochat.")}
    if len(parts) == 1:
        assert {page for page in pages if LEVELS[page] >= LEVELS[parts[0]]} == set()
    else:
        assert pages == set()
        own = parts[1] if len(parts) == 3 else None
        wings = {wing for wing in wings - {own} if os.path.isdir(os.path.join(ROOT, "zerochat", wing))}
        assert {(own, wing) for wing in wings} <= ARROWS
    trains = path == "train.py" or path.startswith("zerochat/training/")
    if "deepspeed" in found:
        assert trains
        top = {alias.name for node in parsed(path).body if isinstance(node, ast.Import) for alias in node.names}
        assert "deepspeed" not in top, "imported where it is used: it takes seconds, and chatting goes without"
    private = {node.attr for node in ast.walk(parsed(path)) if isinstance(node, ast.Attribute)
               and (node.attr.startswith("_") or node.attr in ("basic_optimizer", "optimizer", "ds_numel", "ds_shape"))
               and not (isinstance(node.value, ast.Name) and node.value.id in ("self", "os"))}
    assert not trains or path in DEEPSPEEDS_OWN or private - {"__name__", "__doc__", "__version__"} == set(), "DeepSpeed's own"


def test_the_root_holds_the_pages_alone_and_pages_files_functions_and_the_whole_stay_small():
    assert {path.removesuffix(".py") for path in glob.glob("*.py", root_dir=ROOT)} == set(LEVELS) and len(LEVELS) <= 8
    for page in LEVELS:
        assert lines(f"{page}.py") <= (260 if page == "train" else 300), page
    assert sum(lines(f"{page}.py") for page in STORY) <= 1150  # 1,063 when the house was built
    product = set(files()) - {"zerochat/demo/world.py"}  # tables of words
    assert sum(lines(path) for path in product if not path.startswith("benchmarks/")) <= 7600  # 6,900 when the house was built
    assert sum(map(lines, glob.glob("tests/**/*.py", root_dir=ROOT, recursive=True))) <= 6500
    for path in product:
        assert lines(path) <= 350, path
        for node in ast.walk(parsed(path)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                assert node.end_lineno - node.lineno < 60, f"{path}: {node.name}"


def test_a_tokenizer_is_asked_by_these_names_alone_so_that_there_can_be_another_kind():
    methods = {"encode", "decode", "render", "windows", "stream", "bytes_of", "name_of", "sampled", "save"}
    values = {"roles", "end_ids", "forbidden_ids", "bos_id", "pad_id", "added", "folder"}
    asked = {}
    for path in set(files()) - {"tokenizer.py", "benchmarks/preparation.py"}:
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value).split(".")[-1] == "tokenizer":
                asked.setdefault(node.attr, []).append(f"{path}:{node.lineno}")
    assert {name: where for name, where in asked.items() if name not in methods | values} == {}
    assert set(asked) >= {"encode", "render", "stream", "end_ids"}, "tokenizers are no longer called so: nothing is tested"


@pytest.mark.parametrize("page", VISIBLE)
def test_a_page_shows_its_subject_itself(page):
    tree, text = parsed(f"{page}.py"), read(f"{page}.py")
    defined = {node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    defined |= {f"{node.name}.{item.name}" for node in tree.body if isinstance(node, ast.ClassDef)
                for item in node.body if isinstance(item, ast.FunctionDef)}
    called = {"." + node.func.attr for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)}
    for wanted in re.findall(r"'[^']+'|\S+", VISIBLE[page]):
        assert wanted.strip("'") in text if wanted.startswith("'") else wanted in defined | called, wanted


def outside(code: str, folder, *words: str) -> subprocess.CompletedProcess:
    """Run Python code as from anywhere but the checkout."""
    return subprocess.run([sys.executable, "-c", code, *words], cwd=folder, capture_output=True, text=True, env=environment())


def test_from_outside_the_checkout_the_package_is_found_and_no_page_is(tmp_path):
    code = """if True:
        import importlib.util, os, sys
        import zerochat, zerochat.serving
        assert os.path.exists(os.path.join(zerochat.serving.__path__[0], "page.html"))
        root = os.path.dirname(os.path.dirname(zerochat.__file__))
        for name in sys.argv[1:]:
            found = importlib.util.find_spec(name)
            assert found is None or os.path.dirname(found.origin or "") != root, found"""
    result = outside(code, tmp_path, *LEVELS)
    assert result.returncode == 0, result.stderr


def test_what_would_be_installed_is_one_package_with_the_chat_page(tmp_path):
    pytest.importorskip("setuptools", minversion="77")
    for path in ["pyproject.toml", "README.md", "LICENSE", *files(), "zerochat/serving/page.html"]:
        os.makedirs(os.path.dirname(tmp_path / path), exist_ok=True)
        with open(os.path.join(ROOT, path), "rb") as file:
            (tmp_path / path).write_bytes(file.read())
    result = outside("from setuptools import build_meta; print(build_meta.build_wheel('wheels'))", tmp_path)
    assert result.returncode == 0, result.stderr[-2000:]
    names = zipfile.ZipFile(tmp_path / "wheels" / result.stdout.split()[-1]).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"zerochat"}
    assert "zerochat/serving/page.html" in names and "zerochat/demo/world.py" in names


# --- another system, another machine ------------------------------------------------------------------------------

# What native Windows has not; before it goes, the libraries have loaded, for on Linux they use it themselves.
LIBRARIES = "torch sacrebleu sentencepiece jinja2.sandbox safetensors.torch uvicorn starlette.applications asyncio multiprocessing"
LINUX_ONLY = "fcntl readline resource termios tty pty pwd grp"
HIDING = """if True:
    import importlib, os, runpy, signal, sys
    libraries, hidden, script, *words = sys.argv[1:]
    for name in libraries.split():
        importlib.import_module(name)
    for name in hidden.split():
        sys.modules[name] = None  # importing it raises ImportError
    for name in ("SIGPIPE", "SIGKILL", "SIGHUP", "pidfd_send_signal"):
        delattr(signal, name)
    for name in ("fork", "pread", "pidfd_open", "sched_getaffinity", "getuid"):
        delattr(os, name)
    root = os.getcwd()
    sys.argv, sys.path[0] = [script, *words], root
    runpy.run_path(script, run_name="__main__")"""


def test_chatting_evaluating_and_serving_need_nothing_of_linux_alone_and_no_library_of_training(tmp_path, tokenizer):
    save_model(str(tmp_path), tiny_model(max_position_embeddings=128), tokenizer)
    hidden = f"{LINUX_ONLY} deepspeed ninja matplotlib tqdm transformers"  # not in deploy/Dockerfile; evaluating shows a bar
    for modules, *words, said in (
            (hidden, "sample.py", "--prompt", "Hi!", "\n"), (LINUX_ONLY, "evaluate.py", "--demo", "2", "| language en |")):
        result = launch("-c", HIDING, LIBRARIES, modules, *words, "--max-new-tokens", "2", "--model", str(tmp_path))
        assert result.returncode == 0 and said in result.stdout, result.stderr
    with server_process("-c", HIDING, LIBRARIES, hidden, "serve.py", "--model", str(tmp_path)) as (_, address):
        with urllib.request.urlopen(f"{address}/health", timeout=60) as response:
            assert json.load(response)["status"] == "ok"


@pytest.mark.parametrize("script", ["train.py", "data.py"])
def test_training_says_in_one_line_that_it_needs_linux(tmp_path, script):
    settings = "--config", "configs/small.json", "--set", f"out_dir={tmp_path}/out"
    result = launch("-c", HIDING, LIBRARIES, LINUX_ONLY, script, *settings)
    assert result.returncode == 1 and not os.path.exists(tmp_path / "out")
    assert result.stderr == "error: preparing data and training need Linux, or WSL2 under Windows\n"
