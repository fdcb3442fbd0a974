"""The chat in the terminal, on a small model with random weights: what it says is noise, what it does is not."""

import fcntl
import io
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time

import pytest
from tiny import ROOT, environment, launch, load_engine, refuses, save_model, tiny_model

from sample import Chat, main
from zerochat.generation.sampling import Sampling


@pytest.fixture(scope="module")
def folder(tmp_path_factory, tokenizer):
    folder = str(tmp_path_factory.mktemp("model"))
    save_model(folder, tiny_model(), tokenizer)
    return folder


@pytest.fixture
def chat(folder):
    return Chat(load_engine(folder), Sampling(temperature=0, max_new_tokens=8))


def test_history_grows_by_turns_and_commands_change_it_or_only_say_something(chat):
    for line, said in (("/help", "/reset"), ("/hepl", "unknown command /hepl")):
        assert chat.command(line, out := io.StringIO()) and said in out.getvalue(), line
    chat.answer("Hello", out)
    chat.answer("Again", out)
    assert [message["role"] for message in chat.messages] == ["user", "assistant"] * 2
    assert chat.command("/system Be kind.", out) and chat.messages == [{"role": "system", "content": "Be kind."}]
    chat.answer("Hello", out)
    assert chat.command("/reset", out) and [message["role"] for message in chat.messages] == ["system"]
    assert chat.command("/system", out) and not chat.messages and not chat.command("/exit", out)


def test_an_interrupted_answer_is_kept_and_what_is_typed_is_mended_unless_told_not_to(chat, monkeypatch):
    def interrupted(prompt, sampling):
        yield "Half an"
        raise KeyboardInterrupt
    monkeypatch.setattr(chat.engine, "stream", interrupted)
    out, asked = io.StringIO(), []
    chat.answer("Hello", out)
    assert out.getvalue() == "Half an [stopped]\n" and chat.messages[-1] == {"role": "assistant", "content": "Half an"}
    monkeypatch.setattr(chat.engine, "stream", lambda prompt, sampling: asked.append(prompt) or iter(["No."]))
    for mend, text in ((True, "Hi there"), (True, "\u200bHi\u00a0there\r\n"), (False, "Hi\u00a0there")):
        chat.reset()
        chat.mend = mend
        chat.answer(text, io.StringIO())
    plain, typed, raw = asked
    assert plain == typed != raw == chat.engine.tokenizer.render([{"role": "user", "content": "Hi\u00a0there"}], True)[0]


def test_when_the_context_is_full_the_oldest_turns_go_and_a_message_longer_than_it_is_refused(chat):
    notices = io.StringIO()
    for _ in range(12):
        chat.answer("What is the capital of France?", io.StringIO(), notices)
    assert notices.getvalue() == "[the context of 64 tokens is full: from now on the oldest turns are left out]\n"  # once
    assert 2 <= len(chat.messages) < 24 and chat.messages[0]["role"] == "user"
    before = list(chat.messages)
    refuses("too long: .* tokens .* context of 64", chat.answer, "word " * 200, io.StringIO())
    assert chat.messages == before


def test_one_prompt_prints_one_answer_and_nothing_else_and_bad_requests_end_in_one_line(folder, tmp_path, capsys, monkeypatch):
    result = launch("sample.py", "--model", folder, "--temperature", "0", "--max-new-tokens", "5", "--prompt", "Hello")
    expected = io.StringIO()
    Chat(load_engine(folder), Sampling(temperature=0, max_new_tokens=5)).answer("Hello", expected)
    assert (result.returncode, result.stderr) == (0, "") and result.stdout == expected.getvalue()
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    for *words, message in (("word " * 200, "error: the message is too long"),
                            ("x", "--temperature", "nan", "error: temperature should be in"),
                            ("x", "--top-k", "99999", "error: top_k should be between 0 and the vocabulary's 900")):
        with pytest.raises(SystemExit, match=f"^{message}.*$"):
            main(["--model", folder, "--prompt", *words])
        assert capsys.readouterr() == ("", ""), message
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="^error: .*deepspeed train.py --config configs/small.json.*$"):
        main(["--prompt", "Hi"])


def test_at_a_terminal_lines_are_edited_ctrl_c_stops_an_answer_and_ctrl_d_leaves(folder):
    ours, theirs = pty.openpty()

    def at_a_terminal():
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a suite started in the background ignores it, and so would this
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    process = subprocess.Popen(
        [sys.executable, "sample.py", "--model", folder, "--max-new-tokens", "100000"], cwd=ROOT, stdin=theirs, stdout=theirs,
        stderr=theirs, start_new_session=True, preexec_fn=at_a_terminal, env=environment(TERM="xterm"))
    os.close(theirs)
    screen, read = "", 0

    def until(text, pressing=b""):
        nonlocal screen, read
        deadline = time.monotonic() + 60
        while text not in screen[read:]:
            assert time.monotonic() < deadline and process.poll() is None, screen
            if select.select([ours], [], [], 5)[0]:
                screen += os.read(ours, 4096).decode("utf-8", "replace")
            else:
                os.write(ours, pressing)
        read = screen.index(text, read) + len(text)

    until("you> ")
    os.write(ours, b"/hepl\x7f\x7flp\n")  # typed wrong, put right with backspaces
    until("/reset          forget")
    until("you> ")
    # Again where nothing happens: Python misses a signal in the instant between the prompt and its waiting for a key.
    until("(/exit or Ctrl-D leaves)", pressing=b"\x03")
    until("you> ")
    os.write(ours, b"Hello\n")
    until("bot> ")
    os.write(ours, b"\x03")  # the answer, of up to a context of noise, may be over before this arrives
    until("you> ")
    os.write(ours, b"\x04")
    assert process.wait(timeout=20) == 0 and "Traceback" not in screen
    os.close(ours)
