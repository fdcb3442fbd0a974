"""The benchmark that calls lm-evaluation-harness, whose `import evaluate` must not find this project's page."""

import json
import os
import subprocess
import sys

from tiny import ROOT

PROBE = """if True:
    import importlib.util, sys
    found = importlib.util.find_spec("evaluate")
    print(found.origin if found else "")"""


def test_the_harness_is_started_where_evaluate_is_not_this_page(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(os.path.join(ROOT, "benchmarks"))
    monkeypatch.setenv("PYTHONPATH", ROOT)  # as somebody may have it who works here
    monkeypatch.chdir(ROOT)
    import harness
    seen, start = [], subprocess.run

    def run(command, cwd=None, env=None, **options):
        seen.append(start([sys.executable, "-c", PROBE], cwd=cwd, env=env, capture_output=True, text=True).stdout.strip())
        results = command[command.index("--output_path") + 1]
        os.makedirs(results)
        with open(os.path.join(results, "r.json"), "w") as file:
            json.dump({"results": {"zerochat": {"exact_match,none": 0.25}}}, file)
        return subprocess.CompletedProcess(command, 0, "", "")

    here = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True).stdout.strip()
    assert here == os.path.join(ROOT, "evaluate.py"), "the probe finds the page from the checkout"
    monkeypatch.setattr(harness.subprocess, "run", run)
    assert harness.run("model", [{"question": "q", "answer": "a"}]) == 0.25
    assert not seen[0].startswith(ROOT), seen
