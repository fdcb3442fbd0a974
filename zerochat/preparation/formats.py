"""Files of every common format to samples: conversations and plain documents.

A sample is `{"messages": [{"role", "content"}, ...]}` or `{"text": ...}`, with the `span` of its file where it is one
of many parts. A format is one small function from a record (a JSON object) to a list of messages; adding one is a
function, a line in FORMATS, and what CONTRIBUTING.md lists with it. Left out on purpose: what is not text, records
spread over lines that an id connects."""

import functools
import json
import re
from collections.abc import Iterator

from zerochat.preparation.reading import Bad, Section, alternating, records

SPEAKERS = {
    "system": "system developer",
    "user": "user human prompter usr",
    "assistant": "assistant gpt chatgpt bot model wizard bing bard",
    # Turns of programs have no marker of their own; `tools` says what becomes of them.
    "call": "function_call tool_call",
    "result": "function tool observation function_response tool_response ipython",
}
ROLES = {name: role for role, names in SPEAKERS.items() for name in names.split()}


def openai_messages(record: dict) -> list[dict]:
    """{"messages": [{"role": "user", "content": "..."}, ...]}; content may be a list of text parts"""
    messages = []
    for message in record["messages"]:
        content, role = message.get("content"), _role(message["role"])
        if isinstance(content, list):
            content = "".join(part["text"] for part in content)
        if message.get("tool_calls"):
            role, content = "call", (content or "") + json.dumps(message["tool_calls"], ensure_ascii=False)
        messages.append({"role": role, "content": content})
    return messages


def sharegpt(record: dict) -> list[dict]:
    """{"system": "...", "conversations": [{"from": "human", "value": "..."}, ...]}"""
    turns = record["conversations"]
    return _system(record) + [{"role": _role(turn["from"]), "content": turn["value"]} for turn in turns]


def alpaca(record: dict) -> list[dict]:
    """{"instruction", "input", "output" or "response", "history": [[question, answer], ...], "system"}"""
    messages = _system(record)
    for question, answer in record.get("history") or []:
        messages += _pair(question, answer)
    question = record["instruction"]
    if record.get("input"):
        question += "\n" + record["input"]
    return messages + _pair(question, record["output"] if "output" in record else record["response"])


def prompt_completion(record: dict) -> list[dict]:
    """{"prompt", "completion"}, {"question", "answer"} and the like"""
    question = next(record[key] for key in ("prompt", "question") if key in record)
    answer = next(record[key] for key in ("completion", "answer", "response") if key in record)
    return _system(record) + _pair(question, answer)


def preference(record: dict) -> list[dict]:
    """{"prompt" or "conversations", "chosen", "rejected"}: the chosen answer alone, or a whole chosen conversation"""
    chosen = record["chosen"]
    if isinstance(chosen, list):
        return openai_messages({"messages": chosen})
    if isinstance(chosen, dict):  # a single turn after {"conversations"}
        return sharegpt({**record, "conversations": [*record["conversations"], chosen]})
    if "prompt" in record or "question" in record:
        return prompt_completion({**record, "completion": chosen})
    parts = re.split(r"(?:^|\n\n)(Human|Assistant): ?", chosen)[1:]  # one text: "\n\nHuman: ...\n\nAssistant: ..."
    return [{"role": _role(name), "content": text.strip()} for name, text in zip(parts[::2], parts[1::2])]


def oasst(record: dict) -> list[dict]:
    """A tree {"prompt": {"role", "text", "replies": [{"rank", ...}, ...]}}: the path of the best-ranked replies"""
    messages, node = [], record["prompt"]
    while node:
        messages.append({"role": _role(node["role"]), "content": node["text"]})
        replies = [reply for reply in node.get("replies") or [] if not reply.get("deleted")]
        unranked = len(replies)
        node = min(replies, key=lambda r: unranked if r.get("rank") is None else r["rank"], default=None)
    return messages


def dialogue(record: dict) -> list[dict]:
    """{"turns": [{"author" or "speaker", "text" or "utterance"}, ...]}: Maluuba Frames, MultiWOZ 2.2"""
    messages = []
    for turn in record["turns"]:
        speaker = next(turn[key] for key in ("author", "speaker", "role") if key in turn).lower()
        role = "assistant" if speaker == "system" else _role(speaker)
        messages.append({"role": role, "content": turn["text"] if "text" in turn else turn["utterance"]})
    return messages


def multiwoz(record: dict) -> list[dict]:
    """{"log": [{"text": user}, {"text": system}, ...]}: MultiWOZ 2.0 and 2.1"""
    return alternating([turn["text"] for turn in record["log"]])


def _pair(question: str, answer: str) -> list[dict]:
    return [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]


def _system(record: dict) -> list[dict]:
    return [{"role": "system", "content": record["system"]}] if record.get("system") else []


def _role(name: str) -> str:
    if not isinstance(name, str) or name.lower() not in ROLES:
        raise ValueError(f"role {name!r:.40}")
    return ROLES[name.lower()]


# What recognises a format: the keys that its records have. The first that matches is taken.
QUESTIONS = [{"prompt", "completion"}, {"prompt", "response"}, {"question", "answer"}, {"question", "response"}]
FORMATS = {
    "preference": (preference, [{"chosen", "rejected"}]),
    "messages": (openai_messages, [{"messages"}]),
    "sharegpt": (sharegpt, [{"conversations"}]),
    "oasst": (oasst, [{"prompt", "message_tree_id"}]),
    "dialogue": (dialogue, [{"turns"}]),
    "multiwoz": (multiwoz, [{"log"}]),
    "alpaca": (alpaca, [{"instruction", "output"}, {"instruction", "response"}]),
    "prompt_completion": (prompt_completion, QUESTIONS),
}
TEXT_FORMATS = ("auto", "text", "lines", "eou")


def to_sample(record, format: str = "auto", tools: str = "drop") -> dict | str:
    """One record, a dict or the JSON text of one, as a sample; where it is none the reason, `Bad` or a policy's. tools:
    "drop" leaves conversations with tool turns out, "text" makes a call the assistant's text and its result the
    user's."""
    if isinstance(record, Bad):
        return record
    try:
        if isinstance(record, str):
            record = json.loads(record)
        sample = _convert(record, format, tools)
        return {**sample, "span": record.span} if isinstance(sample, dict) and isinstance(record, Section) else sample
    except json.JSONDecodeError as error:
        return Bad(f"broken JSON at column {error.colno}: {error.msg}")
    except RecursionError:
        return Bad("JSON nested too deep")
    except ValueError as error:
        return Bad(str(error))


def _convert(record, format: str, tools: str) -> dict | str:
    if not isinstance(record, dict):
        raise ValueError("not a JSON object")
    if "text" in record and format in TEXT_FORMATS and "messages" not in record:
        _check(record["text"], "a text")
        return {"text": record["text"]}
    if record.get("label") is False or "rejected" in record and "chosen" not in record:
        return "rejected answer"  # preference data: this is the answer people did not want
    name = _format_of(tuple(record)) if format == "auto" else format
    if name not in FORMATS:
        unknown = f"no known format has the keys {sorted(record)[:10]}"
        raise ValueError(unknown if format == "auto" else f"not a record of the format {format}")
    try:
        messages = FORMATS[name][0](record)
    except (KeyError, TypeError, StopIteration, AttributeError, IndexError) as error:
        raise ValueError(f"not a record of the format {name} ({type(error).__name__} {error!s:.80})") from None
    for message in messages:
        _check(message["content"], "a turn")
        if message["role"] in ("call", "result"):
            if tools == "drop":
                return "tool turns"
            message["role"] = "assistant" if message["role"] == "call" else "user"
    return {"messages": messages, **{k: record[k] for k in ("lang", "skill") if k in record}}


@functools.lru_cache
def _format_of(keys: tuple) -> str | None:
    return next((name for name, (_, shapes) in FORMATS.items() if any(shape <= set(keys) for shape in shapes)), None)


def _check(text, what: str) -> None:
    if not isinstance(text, str):
        raise ValueError(f"{what} that is not text")


def read(source: dict, root: str, cache: str = "~/.cache/zerochat", tools: str = "drop") -> Iterator[tuple]:
    """(file, line, sample) for every record of a source; in the sample's place a reason (text) where it is none."""
    for path, line, record in records(source, root, cache):
        yield path, line, record if source["demo"] else to_sample(record, source["format"], tools)
