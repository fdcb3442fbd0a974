"""Records of every common format to samples: conversations and plain documents.

A sample is `{"messages": [{"role", "content"}, ...]}` or `{"text": ...}`, with the `span` of its file where it is one
of many parts. What formats call their parts is one table, NAMES; a format is one small function from a record to a list
of messages, and adding one is a function, a line in FORMATS, and what CONTRIBUTING.md lists with it. A key that no
function asks for is counted and named in the report. Left out on purpose: what is no text; records of several lines."""

import json
import re
from collections.abc import Iterator

from zerochat.preparation.json_stream import Bad, too_deep
from zerochat.preparation.reading import TEXTS, Section, alternating, records

SPEAKERS = {
    "system": "system developer",
    "user": "user human prompter usr",
    "assistant": "assistant gpt chatgpt bot model wizard bing bard",
    # Turns of programs have no marker of their own; `tools` says what becomes of them.
    "call": "function_call tool_call",
    "result": "function tool observation function_response tool_response ipython",
}
ROLES = {name: role for role, names in SPEAKERS.items() for name in names.split()}
# What a part of a record is called, the first that is there is taken. `columns` of a source adds names of its own.
NAMES = {
    "turns": "messages conversations conversation turns dialog dialogue log",
    "question": "instruction prompt question query problem input",
    "context": "input context",  # what the question is about
    "answer": "output response completion answer solution",
    "system": "system system_prompt",
    "speaker": "role from author speaker",
    "said": "content value text utterance",
}
# What `train`, `loss`, `weight` and `label` have where nothing is to be learned; a table has them as text.
OFF = (False, 0, "0", "false", "False")
NAMES_OF = {part: tuple(names.split()) for part, names in NAMES.items()}
# A conversation in one text, of which a document would have the user's words learned too.
MARKUP = r"<\|im_start\|>user\b.*<\|im_start\|>assistant\b|<\|start_header_id\|>user<.*<\|start_header_id\|>assistant<"
MARKUP += r"|\[INST\].*\[/INST\]|(?:^|\s)USER: .*\sASSISTANT: "
MARKUP += r"|^### ?(?:Human|User|Instruction).*^### ?(?:Assistant|Response)"
MARKED = re.compile(MARKUP, re.S | re.M)


class Record(dict):
    """A JSON object that knows which of its keys were asked for."""

    def __init__(self, value: dict):
        super().__init__(value)
        self.used: set[str] = set()

    def given(self, part: str) -> bool:
        return any(self.get(name) is not None for name in NAMES_OF.get(part, (part,)))

    def take(self, part: str):
        """The value of a part, by the first of its names that is there, not null and not taken yet; else None."""
        for name in NAMES_OF.get(part, (part,)):
            if self.get(name) is not None and name not in self.used:
                self.used.add(name)
                return self[name]
        return None

    def needed(self, part: str):
        if (value := self.take(part)) is None:
            raise ValueError(f"nothing is called {' or '.join(NAMES_OF.get(part, (part,)))}")
        return value


def messages(record: Record) -> list[dict]:
    """{"messages": [{"role": "user", "content": "..."}, ...]}, {"conversations": [{"from": "human", "value": "..."}]},
    {"turns": [{"author": "user", "text": "..."}]}, {"dialog": ["...", "..."]}, also as a JSON string or a bare list"""
    return _system(record) + _turns(record.needed("turns"))


def prompt_completion(record: Record) -> list[dict]:
    """{"instruction", "input", "output"}, {"prompt", "completion"}, {"question", "context", "answer"}, {"question",
    "choices", "answer"}, with "history" and "system"; prompt and completion may be lists of messages"""
    answer, choices = record.needed("answer"), record.take("choices")
    if choices is None:
        return _asked(record) + _said(answer)
    texts = choices["text"] if isinstance(choices, dict) else choices  # ARC's have {"text": [...], "label": [...]}
    labels = choices["label"] if isinstance(choices, dict) else [chr(ord("A") + i) for i in range(len(texts))]
    options = [f"{label}. {text}" for label, text in zip(labels, texts)]
    if isinstance(answer, int) or answer in labels:
        answer = options[answer if isinstance(answer, int) else labels.index(answer)]
    return _asked(record, "\n".join(options)) + _said(answer)


def preference(record: Record) -> list[dict]:
    """{"prompt" or "instruction" or "conversations", "chosen", "rejected"}: the chosen answer or conversation alone"""
    chosen = record.needed("chosen")
    record.take("rejected")
    if record.given("turns"):
        return messages(record) + _said(chosen)
    if not record.given("question") and isinstance(chosen, str):  # one text: "\n\nHuman: ...\n\nAssistant: ..."
        parts = re.split(r"(?:^|\n\n)(Human|Assistant): ?", chosen)[1:]
        return [{"role": _role(name), "content": text.strip()} for name, text in zip(parts[::2], parts[1::2])]
    said = _said(chosen)
    if said[0]["role"] != "assistant":  # the question is in it
        record.take("question")
        return said
    return _asked(record) + said


def oasst(record: Record) -> list[dict]:
    """A tree {"prompt": {"role", "text", "replies": [{"rank", ...}, ...]}}: the path of the best-ranked replies"""
    path, node = [], record.take("prompt")
    while node:
        path.append({"role": _role(node["role"]), "content": node["text"]})
        replies = [reply for reply in node.get("replies") or [] if not reply.get("deleted")]
        unranked = len(replies)
        node = min(replies, key=lambda r: unranked if r.get("rank") is None else r["rank"], default=None)
    return path


def _asked(record: Record, below: str = "") -> list[dict]:
    """All that comes before the answer: system prompt, history, the question with what it is about `below` it."""
    question, history = record.needed("question"), record.take("history") or []
    if isinstance(question, list):
        return _system(record) + _turns(question)
    if not all(isinstance(turn, dict) for turn in history):
        history = alternating([text for pair in history for text in pair])  # [[question, answer], ...]
    about = [part for part in (record.take("context"), below) if part]
    return _system(record) + _turns(history) + [{"role": "user", "content": "\n".join([question, *about])}]


def _said(answer) -> list[dict]:
    """An answer as messages, as one turn or as text."""
    turns = answer if isinstance(answer, list) else [answer]
    return _turns(turns) if isinstance(answer, list | dict) else [{"role": "assistant", "content": answer}]


def _system(record: Record) -> list[dict]:
    prompt = record.take("system")
    return [{"role": "system", "content": prompt}] if prompt else []


def _turns(turns) -> list[dict]:
    """Messages out of turns of any shape: objects with a speaker and what is said, or texts in turn."""
    if isinstance(turns, str):
        turns = json.loads(turns)
    if all(isinstance(turn, str) for turn in turns):
        return alternating(turns)
    return [_message(Record(turn), i) for i, turn in enumerate(turns)]


def _message(turn: Record, i: int) -> dict:
    if "from_id" in turn:
        raise ValueError("a chat exported by Telegram, and who is to be learned is not said: convert it to messages")
    name = next((name for name in NAMES_OF["speaker"] if turn.get(name) is not None), None)
    if name is None and "text" in turn:  # MultiWOZ's `log` names nobody
        role = "assistant" if i % 2 else "user"
    elif name in ("author", "speaker") and turn[name] in ("system", "SYSTEM"):  # who answers in MultiWOZ and Frames
        role = "assistant"
    else:
        role = _role(turn[name] if name else turn.needed("speaker"))
    content = turn.take("said")
    if isinstance(content, list):
        content = "".join(part["text"] for part in content)
    if call := turn.get("tool_calls") or turn.get("function_call"):
        role, content = "call", (content or "") + json.dumps(call, ensure_ascii=False)
    return {"role": role, "content": content, **({"supervised": False} if _left_out(turn) else {})}


def _left_out(part: dict) -> bool:
    """Whether a record or turn says that it is not to be trained on."""
    return any(part.get(key) in OFF for key in ("train", "loss", "weight"))


def _role(name: str) -> str:
    if not isinstance(name, str) or name.lower() not in ROLES:
        raise ValueError(f"role {name!r:.40}")
    return ROLES[name.lower()]


# What recognises a format; the first that does is taken.
FORMATS = {
    "preference": (preference, lambda record: record.given("chosen") and record.given("rejected")),
    "oasst": (oasst, lambda record: record.given("prompt") and record.given("message_tree_id")),
    "messages": (messages, lambda record: record.given("turns")),
    "prompt_completion": (prompt_completion, lambda r: r.given("question") + r.given("answer") + ("text" in r) > 1),
}
TEXT_FORMATS = ("auto", *TEXTS)


def to_sample(record, format="auto", tools="drop", seen: dict | None = None, columns: dict | None = None) -> dict | str:
    """One record, a dict or the JSON text of one, as a sample; where it is none the reason, `Bad` or a policy's. tools:
    "drop" leaves conversations with tool turns out, "text" makes a call the assistant's text and its result the
    user's. seen: is told the "format" and the "unused" keys. columns: key of the record -> name that it stands for."""
    if isinstance(record, Bad):
        return record
    try:
        if isinstance(record, str):
            text, record = record, json.loads(record)
            if too_deep(record, text):
                raise RecursionError
        if columns:
            record = _renamed(record, columns)
        sample = _convert(record, format, tools, {} if seen is None else seen)
        return {**sample, "span": record.span} if isinstance(sample, dict) and isinstance(record, Section) else sample
    except json.JSONDecodeError as error:
        return Bad(f"broken JSON at column {error.colno}: {error.msg}")
    except RecursionError:
        return Bad("JSON nested too deep")
    except ValueError as error:
        return Bad(str(error))


def _renamed(value, columns: dict):
    """A record, and the turns in it, with other keys."""
    if isinstance(value, list):
        return [_renamed(part, columns) for part in value]
    return {columns.get(k, k): _renamed(v, columns) for k, v in value.items()} if isinstance(value, dict) else value


def _convert(record, format: str, tools: str, seen: dict) -> dict | str:
    if isinstance(record, list):
        record = {"messages": record}
    if not isinstance(record, dict):
        raise ValueError("not a JSON object")
    record = Record(record)
    if record.given("rejected") and not record.given("chosen"):
        return "rejected answer"  # preference data: this is the answer people did not want
    name = format if format in FORMATS else next((name for name, (_, fits) in FORMATS.items() if fits(record)), "text")
    if format in ("text", "lines"):
        name = "text"
    seen["format"] = name
    if _left_out(record):
        return "not to be trained on"
    if name == "text":
        return _document(record, format, seen)
    if record.get("label") in OFF:
        return "rejected answer"
    try:
        found = FORMATS[name][0](record)
    except (LookupError, TypeError, AttributeError):
        raise ValueError(f"not a record of the format {name}, whose shapes docs/data.md shows") from None
    for message in found:
        _check(message["content"], "a turn")
        if message["role"] in ("call", "result"):
            if tools == "drop":
                return "tool turns"
            message["role"] = "assistant" if message["role"] == "call" else "user"
    used = record.used | {"lang", "skill", "label"}
    seen["unused"] = {key: value for key, value in record.items() if key not in used and value is not None}
    return {"messages": found, **{k: record[k] for k in ("lang", "skill") if k in record}}


def _document(record: Record, format: str, seen: dict) -> dict:
    if "text" not in record:
        advice = 'a question takes an answer, and the source\'s "columns" may say which keys they are'
        raise ValueError(f"no known format has just the keys {sorted(map(str, record))[:10]}: {advice}")
    if "role" in record and {"parent_id", "message_id"} & set(record):
        raise ValueError("one message of a conversation that is spread over lines; export whole conversations")
    text = record["text"]
    _check(text, "a text")
    if format == "auto" and (found := MARKED.search(text, 0, 2**14)):
        advice = 'make it messages, or say "format": "text" if all of it is to be learned'
        raise ValueError(f"a conversation in one text, marked by {found[0].split()[0][:20]!r}: {advice}")
    seen["unused"] = {key: value for key, value in record.items() if key != "text"}
    return {"text": text}


def _check(text, what: str) -> None:
    if not isinstance(text, str):
        raise ValueError(f"{what} that is not text")


def read(source: dict, root: str, tools: str = "drop") -> Iterator[tuple]:
    """(file, line, sample) for every record of a source; in the sample's place a reason (text) where it is none."""
    for path, line, record in records(source, root):
        if not source["demo"]:
            record = to_sample(record, source["format"], tools, None, source["columns"])
        yield path, line, record
