"""Runs under the real `deepspeed` launcher: what ends them, and that nothing is left behind."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from contextlib import suppress

import pytest
from runs import Ranks, free_port, run_config
from tiny import ROOT, environment, launch, until

from zerochat.training.ranks import StopSignal

LAUNCHER = os.path.join(os.path.dirname(sys.executable), "deepspeed")
ENDLESS = {"stages": [{"name": "sft", "data": [{"demo": "conversations", "count": 120}], "steps": 100000,
                       "log_every": 1, "checkpoint_every": 1000, "evaluate_every": 100000}]}


class Started:
    """A run of two ranks under the launcher, once it trains: `deepspeed` > `deepspeed.launcher.launch` > 2 ranks."""

    def __init__(self, folder, config: str):
        self.metrics = folder / "out" / "sft" / "metrics.jsonl"
        before = self.steps()
        self.log, self.port = open(folder / "log", "w+"), free_port()
        command = [sys.executable, LAUNCHER, "--num_gpus", "2", "--master_port", self.port, "train.py", "--config", config]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=self.log, stderr=subprocess.STDOUT, start_new_session=True,
                                        env=environment(OMP_NUM_THREADS="1"))
        until(lambda: self.process.poll() is not None or self.steps() >= before + 3, 300)
        assert self.process.poll() is None and self.steps() >= before + 3, self.output()
        (self.launcher,) = children(self.process.pid)
        self.ranks = children(self.launcher)
        assert len(self.ranks) == 2

    def steps(self) -> int:
        lines = self.metrics.read_text().splitlines(keepends=True) if self.metrics.exists() else []
        return max([json.loads(line)["step"] for line in lines if line.endswith("\n")], default=0)

    def output(self) -> str:
        self.log.seek(0)
        return self.log.read()

    def ended(self) -> int:
        """The exit code of `deepspeed`, when all is over within 15 seconds: no process of this run is left."""
        pids = [self.launcher, *self.ranks]
        over = until(lambda: self.process.poll() is not None and not any(map(alive, pids)), 15)
        assert over, f"still there after 15 s: {self.output()}"
        return self.process.returncode


def children(pid: int) -> list[int]:
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(child) for child in file.read().split()]


def alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


ENDS = {
    "SIGTERM to deepspeed": (lambda run: os.kill(run.process.pid, signal.SIGTERM), True),
    "SIGTERM to the launcher": (lambda run: os.kill(run.launcher, signal.SIGTERM), True),
    "SIGTERM to a rank": (lambda run: os.kill(run.ranks[1], signal.SIGTERM), True),
    "Ctrl-C": (lambda run: os.killpg(run.process.pid, signal.SIGINT), True),  # a terminal sends it to all of them
    "SIGKILL to deepspeed": (lambda run: os.kill(run.process.pid, signal.SIGKILL), True),
    "SIGKILL to the launcher": (lambda run: os.kill(run.launcher, signal.SIGKILL), True),
    "SIGKILL to a rank": (lambda run: os.kill(run.ranks[0], signal.SIGKILL), False)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("ends")


@pytest.mark.long
@pytest.mark.parametrize("name", ENDS)
def test_within_15_seconds_nothing_is_left_the_exit_code_is_not_0_and_no_step_is_lost(folder, name):
    end, saves = ENDS[name]
    run = Started(folder, run_config(folder, **ENDLESS))
    end(run)
    assert run.ended() != 0, f"deepspeed reports success: {run.output()}"
    output = run.output()
    assert "Traceback" not in output.replace("KeyboardInterrupt", "") or name == "Ctrl-C", output
    if saves:  # zero steps lost
        assert f"stopped in stage sft after step {run.steps()} of 100000" in output, (run.steps(), output)
        assert os.path.isdir(folder / "out" / "sft" / f"step-{run.steps()}")


@pytest.mark.long
def test_a_second_run_on_the_same_folder_is_refused_by_name_and_so_is_a_port_that_is_taken(folder, tmp_path):
    config = run_config(folder, **ENDLESS)
    run = Started(folder, config)
    second = launch("train.py", "--config", config)
    assert second.returncode == 1 and f"error: another run is writing to {folder / 'out'}" in second.stderr, second.stderr
    third = launch(LAUNCHER, "--num_gpus", "2", "--master_port", run.port, "train.py", "--config", run_config(tmp_path))
    assert third.returncode != 0 and f"port {run.port} of 127.0.0.1 is taken" in third.stderr, third.stdout + third.stderr
    assert "deepspeed --master_port N " in third.stderr and not (tmp_path / "out" / "sft").exists()
    assert run.process.poll() is None, "the first run has felt it"
    before = run.steps()
    time.sleep(1)
    assert run.steps() > before
    os.kill(run.launcher, signal.SIGTERM)
    assert run.ended() != 0


def waiting() -> None:
    with StopSignal() as stop:
        print("ready", flush=True)
        until(lambda: False, 20)
        sys.exit(stop.number)


@pytest.mark.slow
@pytest.mark.parametrize("ignored", [False, True], ids=["as it is", "under nohup"])
def test_a_terminal_that_is_closed_stops_a_run_without_losing_a_step_unless_it_is_told_to_ignore_that(tmp_path, ignored):
    """The kernel sends SIGHUP, and every write to the terminal is an error from then on."""
    config, metrics = run_config(tmp_path, **ENDLESS), tmp_path / "out" / "sft" / "metrics.jsonl"
    pid, terminal = pty.fork()
    if not pid:
        signal.signal(signal.SIGHUP, signal.SIG_IGN if ignored else signal.SIG_DFL)
        os.chdir(ROOT)
        os.execve(sys.executable, [sys.executable, "train.py", "--config", config], environment(OMP_NUM_THREADS="1"))
    os.set_blocking(terminal, False)

    def steps() -> int:
        with suppress(BlockingIOError):
            os.read(terminal, 2**16)
        return len([line for line in metrics.read_text().splitlines() if '"loss"' in line]) if metrics.exists() else 0

    def wait_until(done) -> None:
        assert until(done, 60), os.kill(pid, signal.SIGKILL)

    wait_until(lambda: steps() >= 5)
    if ignored:  # it goes on, until it is told otherwise
        os.kill(pid, signal.SIGHUP)
        before = steps()
        wait_until(lambda: steps() > before + 5)
        os.kill(pid, signal.SIGTERM)
    else:
        os.kill(pid, signal.SIGSTOP)  # so that nothing is written between the two
        os.close(terminal)
        os.kill(pid, signal.SIGCONT)
    ended = []
    wait_until(lambda: ended.append(os.waitpid(pid, os.WNOHANG)) or ended[-1][0])
    assert os.waitstatus_to_exitcode(ended[-1][1]) == 128 + (signal.SIGTERM if ignored else signal.SIGHUP)
    assert [name for name in os.listdir(tmp_path / "out" / "sft") if name.startswith("step-")]


@pytest.mark.slow
def test_sigterm_right_behind_sigint_is_the_same_request_and_a_later_second_signal_leaves_at_once(tmp_path):
    process = Ranks(waiting, log=str(tmp_path / "log"))
    assert until(lambda: "ready" in process.output(), 60)
    process.signal(signal.SIGINT)
    time.sleep(0.01)
    process.signal(signal.SIGTERM)
    time.sleep(2.2)
    assert process.processes[0].exitcode is None, "one Ctrl-C, of which the launcher makes two signals, cost the save"
    process.signal(signal.SIGTERM)
    assert process.wait(timeout=5) == [143]


def two_nodes(tmp_path, config: str, folders: tuple[str, str]) -> list[tuple[int, str]]:
    """The same run on two \"nodes\" that are this machine, each with one rank, started in these folders."""
    (tmp_path / "hosts").write_text("node-a slots=1\nnode-b slots=1\n")
    port = free_port()
    nodes = [subprocess.Popen(
        [sys.executable, LAUNCHER, "--hostfile", str(tmp_path / "hosts"), "--no_ssh", "--node_rank", str(rank),
         "--master_addr", "127.0.0.1", "--master_port", port, os.path.join(ROOT, "train.py"), "--config", config], cwd=folders[rank],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment(OMP_NUM_THREADS="1", PYTHONPATH=ROOT))
        for rank in range(2)]
    outputs = [node.communicate(timeout=300)[0] for node in nodes]
    return [(node.returncode, output) for node, output in zip(nodes, outputs)]


@pytest.mark.long
def test_two_nodes_train_together_and_an_out_dir_that_they_do_not_share_is_refused(tmp_path):
    (tmp_path / "a").mkdir(), (tmp_path / "b").mkdir()
    config = run_config(tmp_path)
    (first, output), (second, other) = two_nodes(tmp_path, config, (str(tmp_path / "a"), str(tmp_path / "b")))
    assert first == second == 0 and "2 rank(s)" in output and "sft 24/24" in output, output + other
    assert "sft 24/24" not in other, "only rank 0 speaks"
    assert (tmp_path / "out" / "model.safetensors").exists()
    own = run_config(tmp_path, out_dir="own")
    (first, output), (second, other) = two_nodes(tmp_path, own, (str(tmp_path / "a"), str(tmp_path / "b")))
    assert first and second, output + other
    assert f"error: out_dir {tmp_path / 'a' / 'own'} of rank 0" in output and "is not shared: rank 1 on" in output, output
    assert "Traceback" not in output + other and not (tmp_path / "a" / "own").exists()
