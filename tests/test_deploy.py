"""The files in deploy/ and the workflow: read by the program that they are for where it is there, else parsed here."""

import configparser
import json
import os
import re
import subprocess

from tiny import ROOT, read


def instructions(text: str) -> list[tuple[str, str]]:
    """(instruction, arguments) of a Dockerfile, continued lines joined, comments left out."""
    text = re.sub(r"^\s*#.*\n", "", text, flags=re.M).replace("\\\n", " ")
    return [tuple((line.split(None, 1) + [""])[:2]) for line in text.splitlines() if line.strip()]


def test_the_dockerfile_copies_what_exists_by_instructions_that_are_known_and_installs_what_the_project_requires():
    def ignored(path: str) -> bool:  # by .dockerignore, where the last line that matches decides
        matching = [line for line in read(".dockerignore").split()
                    if re.fullmatch(re.escape(line.removeprefix("!")).replace(r"\*", "[^/]*") + "(/.*)?", path)]
        return bool(matching) and not matching[-1].startswith("!")

    found = instructions(read("deploy", "Dockerfile"))
    assert {name for name, _ in found} <= set("ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL RUN USER VOLUME WORKDIR".split()) and found[0] == ("ARG", "BASE=python:3.12-slim")
    assert next(name for name, _ in found if name != "ARG") == "FROM"
    sources = [source for name, words in found if name == "COPY" for source in words.split()[:-1]]
    assert sources == ["pyproject.toml", "*.py", "zerochat"]
    for source in sources:
        kept = [name for name in os.listdir(ROOT) if re.fullmatch(source.replace(".", r"\.").replace("*", ".*"), name)]
        assert kept and not any(map(ignored, kept)), source
    assert ignored("out") and ignored(".git") and ignored("tests") and ignored("docs"), "it would be sent to the engine"
    for name, words in found:
        if name in ("HEALTHCHECK", "ENTRYPOINT"):
            assert all(isinstance(word, str) for word in json.loads(words[words.index("["):])), name
    words, project = next(words for name, words in found if "needed = " in words), read("pyproject.toml")
    for name in re.findall(r"'([\w-]+)'", re.search(r"needed = \[(.*?)\]", words)[1]):
        assert re.search(rf'"{name}[=<>"]', project), name
    assert re.search(r"^serve = \[", project, re.M)


def unit() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, comment_prefixes=("#",), delimiters=("=",))
    parser.optionxform = str
    parser.read_string(read("deploy", "zerochat.service"))
    return parser


def test_the_image_and_the_service_start_the_server_with_options_that_it_has_and_the_service_has_a_user_of_its_own():
    server, text = read("serve.py"), read("deploy", "zerochat.service")
    for line in re.findall(r"serve\.py.*", read("deploy", "Dockerfile") + "\n" + text):
        for option in re.findall(r"--[a-z-]+", line):
            assert f'"{option}"' in server or option == "--start-period", option
    drain = int(re.search(r'"--drain".*?default=(\d+)', server)[1])
    assert int(re.search(r"TimeoutStopSec=(\d+)", text)[1]) > drain, "systemd would kill what still runs"
    assert unit().sections() == ["Unit", "Service", "Install"]
    service = unit()["Service"]
    assert service["ExecStart"].startswith(service["WorkingDirectory"] + "/.venv/bin/python serve.py ")
    assert service["DynamicUser"] == service["NoNewPrivileges"] == "yes" and service["ProtectSystem"] == "strict"


def directives(text: str) -> list[list[str]]:
    """nginx's configuration as lists of words, `{` and `}` words of their own; each ends with one of `;`, `{`, `}`."""
    words = re.findall(r"[{};]|[^\s{};]+", re.sub(r"#.*", "", text))
    ends = [0, *(i + 1 for i, word in enumerate(words) if word in ("{", "}", ";"))]
    assert ends[-1] == len(words), f"not ended: {words[ends[-1]:]}"
    return [words[begin:end] for begin, end in zip(ends, ends[1:])]


def test_the_nginx_configuration_is_balanced_and_passes_a_stream_on_as_it_comes():
    found, depth = directives(read("deploy", "nginx.conf")), 0
    for words in found:
        depth += {"{": 1, "}": -1}.get(words[-1], 0)
        assert depth >= 0 and (words == ["}"] or len(words) > 1), words
    assert depth == 0
    settings = {words[0]: words[1:-1] for words in found if words[-1] == ";"}
    assert settings["proxy_buffering"] == ["off"] and settings["proxy_http_version"] == ["1.1"]
    zones = {words[2].split(":")[0].removeprefix("zone=") for words in found if words[0].endswith("_zone")}
    assert zones == {settings["limit_req"][0].removeprefix("zone="), settings["limit_conn"][0]}
    assert ["events", "{"] in found, "nginx wants it, though it is empty"
    name = unit()["Service"]["ExecStart"].split("--allow-host ")[1]
    assert settings["server_name"] == [name], "the server refuses names that it is not told"


def test_bash_can_read_the_slurm_job_and_it_gives_each_node_its_launcher(tmp_path):
    job = os.path.join(ROOT, "deploy", "slurm.sh")
    checked = subprocess.run(["bash", "-n", job], capture_output=True, text=True, timeout=60)
    assert checked.returncode == 0, checked.stderr
    text = read("deploy", "slurm.sh")
    inner = re.search(r"srun bash -c '(.*?)'$", text, re.S | re.M)[1]
    assert subprocess.run(["bash", "-n", "-c", inner], timeout=60).returncode == 0 and "train.py --config" in inner
    per_node = re.search(r"--gpus-per-node=(\d+)", text)[1]
    assert f"GPUS={per_node}\n" in text, "as many slots as GPUs"
    # The job, with `scontrol`, `srun` and `deepspeed` played by scripts that say what they were asked.
    for name, script in (("scontrol", 'printf "node1\\nnode2\\n"'), ("deepspeed", 'echo "$SLURM_NODEID: $@"'),
                         ("srun", 'for SLURM_NODEID in 0 1; do export SLURM_NODEID; "$@"; done')):
        (tmp_path / name).write_text("#!/bin/bash\n" + script + "\n")
        (tmp_path / name).chmod(0o755)
    ran = subprocess.run(["bash", job, "configs/large.json", "/shared/out"], cwd=tmp_path, timeout=60, capture_output=True,
                         text=True, env={"PATH": f"{tmp_path}:{os.environ['PATH']}", "SLURM_JOB_ID": "7"})
    assert ran.returncode == 0 and (tmp_path / "hosts-7").read_text() == "node1 slots=8\nnode2 slots=8\n", ran.stderr
    assert ran.stdout.splitlines() == [
        f"{node}: --hostfile hosts-7 --no_ssh --node_rank {node} --master_addr node1 --master_port 29500 train.py "
        "--config configs/large.json --set out_dir=/shared/out" for node in (0, 1)]
