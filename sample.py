"""Chat with a trained model in the terminal.

    python sample.py                                    # the newest finished run in out/
    python sample.py --model out/small --temperature 0
    python sample.py --prompt "Hello!"                  # one answer on standard output, nothing else
    cat questions.txt | python sample.py                # one line, one message of the same conversation

The engine (`zerochat/generation/engine.py`) reads the prompt into its cache of keys and values and adds a token a step,
drawn from the model's distribution by `choose` in `zerochat/generation/sampling.py` (at temperature 0 the likeliest is
taken). This page keeps the conversation. Left out on purpose: colours, Markdown rendering, saving conversations."""

import argparse
import signal
import sys
from contextlib import suppress

from model import LanguageModel
from tokenizer import Tokenizer
from zerochat.demo import world
from zerochat.generation.engine import Engine, Sampling
from zerochat.precision import chat_dtype
from zerochat.run_folder import RunFolder, built_in
from zerochat.text import mended, printable

HELP = """/reset          forget the conversation
/system TEXT    set the system message (without TEXT: remove it) and start anew
/help           this list
/exit           leave (also Ctrl-D); Ctrl-C stops an answer"""


class Chat:
    """A conversation and the engine that continues it."""

    def __init__(self, engine: Engine, sampling: Sampling, system: str | None = None, mend: bool = True):
        self.engine, self.sampling, self.mend = engine, sampling, mend
        self.reset(system)

    def reset(self, system: str | None = None) -> None:
        self.messages, self.noticed = [{"role": "system", "content": system}] if system else [], False

    def answer(self, text: str, out, notices=None, before: str = "") -> None:
        """Stream the answer to `text` to `out`, `before` in front; Ctrl-C keeps what has been said so far.

        A message that does not fit the context raises ValueError and leaves the conversation as it was."""
        asked = [*self.messages, {"role": "user", "content": text}]
        asked = mended(asked) if self.mend else asked
        kept, prompt, dropped = self.engine.fit(asked, self.sampling.max_new_tokens)
        if dropped and notices and not self.noticed:
            full = f"the context of {self.engine.context} tokens is full"
            print(f"[{full}: from now on the oldest turns are left out]", file=notices, flush=True)
            self.noticed = True
        print(end=before, file=out, flush=True)
        parts = []
        try:
            for part in self.engine.stream(prompt, self.sampling):
                parts.append(part)
                out.write(printable(part))
                out.flush()
        except KeyboardInterrupt:
            out.write(" [stopped]")
        print(file=out, flush=True)
        self.messages = [*kept, {"role": "assistant", "content": "".join(parts)}]

    def command(self, line: str, out) -> bool:
        """Carry out `/name rest`; False when it asks to leave."""
        name, _, rest = line.partition(" ")
        if name in ("/exit", "/quit"):
            return False
        if name == "/reset":
            self.reset(next((m["content"] for m in self.messages[:1] if m["role"] == "system"), None))
        elif name == "/system":
            self.reset(rest.strip() or None)
        else:
            print(HELP if name == "/help" else f"unknown command {name}\n{HELP}", file=out)
        return True


def talk(chat: Chat, hint: str = "") -> None:
    """Read messages until the end of standard input; prompts, notices and a hint only where a person is typing."""
    interactive = sys.stdin.isatty()
    if interactive:
        with suppress(ImportError):  # native Windows has its own
            import readline  # noqa: F401  line editing and history for input()
        print("Type a message, or /help." + hint)
    while True:
        try:
            line = input("\nyou> " if interactive else "").strip()
            if line.startswith("/"):
                if not chat.command(line, sys.stdout):
                    return
            elif line:
                chat.answer(line, sys.stdout, *((sys.stdout, "bot> ") if interactive else (sys.stderr,)))
        except EOFError:
            print(end="\n" if interactive else "")
            return
        except KeyboardInterrupt:  # at the prompt, or an instant after an answer has ended
            print("\n(/exit or Ctrl-D leaves)")
        except ValueError as error:
            print(f"error: {error}", file=sys.stderr)
            if not interactive:
                raise SystemExit(1) from None


def main(argv=None) -> None:
    parser = argparse.ArgumentParser(description="chat with a trained model")
    parser.add_argument("--model", help="model folder; default: the newest finished run in out/")
    parser.add_argument("--dtype", choices=("auto", "bf16", "fp32"), default="auto", help=chat_dtype.__doc__)
    parser.add_argument("--prompt", help="print one answer and leave")
    parser.add_argument("--system", help="system message")
    parser.add_argument("--temperature", type=float, default=0.7, help="0 is greedy")
    parser.add_argument("--top-k", type=int, default=0)
    parser.add_argument("--top-p", type=float, default=0.9)
    parser.add_argument("--repetition-penalty", type=float, default=1.0)
    parser.add_argument("--max-new-tokens", type=int, default=256)
    parser.add_argument("--seed", type=int)
    as_typed = "take what is typed as it is; else odd blanks, line ends and invisible signs are mended, as in training"
    parser.add_argument("--no-mend", action="store_true", help=as_typed)
    args = parser.parse_args(argv)
    if hasattr(signal, "SIGPIPE"):  # not under native Windows
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `| head` ends us without a traceback
    try:
        values = {name: getattr(args, name) for name in ("temperature", "top_k", "top_p", "repetition_penalty")}
        sampling = Sampling(**values, max_new_tokens=args.max_new_tokens, seed=args.seed)
        folder = args.model or RunFolder.newest()
        if not args.model:
            print(f"[{folder}, the newest finished run]", file=sys.stderr, flush=True)
        engine = Engine(LanguageModel.load(folder, dtype=chat_dtype(args.dtype)), Tokenizer(folder))
        sampling.check(engine.model.config.vocab_size)
        chat = Chat(engine, sampling, args.system, not args.no_mend)
        if args.prompt is not None:
            chat.answer(args.prompt, sys.stdout, sys.stderr)
        else:
            talk(chat, f"\n{world.HINT}" if built_in(folder) else "")
    except (ValueError, OSError) as error:
        raise SystemExit(f"error: {error}") from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
