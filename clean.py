"""Cleaning as a list of small rules: what each one changes or drops, and why.

A rule takes a conversation's messages (a plain document comes as one message) and returns messages,
changed or not, or a reason to drop the sample, as text. All are on by default; the config's
`data.rules` switches one off: `{"html": false}`.
"""

import hashlib
import html
import re
import unicodedata

Messages = list[dict]
CODE = re.compile(r"(```.*?(?:```|\Z)|`[^`\n]+`)", re.DOTALL)
ENTITY = re.compile(r"&(?:[a-zA-Z]{2,8}|#\d{1,6}|#x[0-9a-fA-F]{1,5});")
TAG = re.compile(r"</?(?:br|p|div|span|nowiki|ref|small|sub|sup|font|center)\b[^<>]{0,100}>", re.IGNORECASE)
# Not the zero-width joiners U+200C and U+200D: Persian words and family emoji need them.
INVISIBLE = re.compile("[\u200b\u200e\u200f\u2028-\u202e\u2060-\u2064\ufeff\u00ad]")
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
MOJIBAKE = re.compile("\ufffd|Ã[\x80-\xbf©¨¤¶¼]|â€[\x80-\xbf™œ“”˜¦]|锟斤拷")
NO_INPUT = re.compile(r"^[<\[(（]?\s*(?:no[ _-]?(?:input|output)|n/?a|none|无(?:需)?输入|没有输入|无)\s*[>\])）.。]?$", re.IGNORECASE)
LEAKED_PROMPT = re.compile(r"^\s*\d*\.?\s*(?:###\s*)?(?:Instruction|Output)\s*:", re.MULTILINE)


def _each(messages: Messages, change) -> Messages:
    return [{**message, "content": change(message["content"])} for message in messages]


def line_ends(messages: Messages):
    """CRLF to LF, blanks at line ends away, at most one empty line: layout of the file, not of the text."""
    def change(text):
        text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u00a0", " ")
        return re.sub(r"\n{3,}", "\n\n", re.sub(r"[ \t\u3000]+\n", "\n", text)).strip()
    return _each(messages, change)


def html_leftovers(messages: Messages):
    """Entities decoded and layout tags removed outside code, where they are the subject and not dirt."""
    def change(text):
        parts = CODE.split(text)
        parts[::2] = [TAG.sub(" ", ENTITY.sub(lambda m: html.unescape(m[0]), part)) if "&" in part or "<" in part
                      else part for part in parts[::2]]
        return "".join(parts)
    return _each(messages, change)


def invisible(messages: Messages):
    """Zero-width and control characters: nobody typed them, and they cut words into different tokens."""
    return _each(messages, lambda text: CONTROL.sub("", INVISIBLE.sub("", text)))


def mojibake(messages: Messages):
    """Text decoded with the wrong table cannot be trusted to be what anyone wrote."""
    return "mojibake" if any(MOJIBAKE.search(m["content"]) for m in messages) else messages


def no_input_marker(messages: Messages):
    """Alpaca writes "<noinput>" where there is none; as a last line of the question it teaches nonsense."""
    kept = []
    for message in messages:
        content = message["content"]
        if message["role"] == "user" and "\n" in content:
            head, tail = content.rsplit("\n", 1)
            content = head if NO_INPUT.match(tail.strip()) else content
        elif message["role"] == "assistant" and re.fullmatch(r"[<\[(]?no[ _-]?(?:in|out)put[>\])]?\.?", content.lower()):
            return "no-output marker"
        kept.append({**message, "content": content})
    return kept


def leaked_prompt(messages: Messages):
    """The generator's own "6. Instruction: ... 6. Output: ..." inside an answer."""
    leaked = any(m["role"] == "assistant" and len(LEAKED_PROMPT.findall(m["content"])) >= 2 for m in messages)
    return "leaked prompt" if leaked else messages


def turns(messages: Messages):
    """System first, then user and assistant in turn, ending on the assistant.

    Empty turns and what the assistant says before the user are left out, repeated roles joined, a last
    question without an answer left out. A conversation in which nothing is supervised is dropped.
    """
    kept: Messages = []
    for message in messages:
        if not message["content"].strip() or message["role"] == "system" and kept:
            continue
        if message["role"] == "assistant" and not any(m["role"] == "user" for m in kept):
            continue
        if kept and kept[-1]["role"] == message["role"]:
            kept[-1] = {**message, "content": kept[-1]["content"] + "\n" + message["content"]}
        else:
            kept.append(message)
    while kept and kept[-1]["role"] != "assistant":
        kept.pop()
    return kept or "no answer"


def echo(messages: Messages):
    """An answer that repeats the question teaches to repeat questions."""
    echoes = any(a["role"] == "user" and b["role"] == "assistant" and len(a["content"]) > 20
                 and a["content"] == b["content"] for a, b in zip(messages, messages[1:]))
    return "echoed question" if echoes else messages


RULES = {rule.__name__: rule for rule in (line_ends, invisible, html_leftovers, mojibake, no_input_marker,
                                          leaked_prompt, turns, echo)}
FOR_CHATS_ONLY = {"no_input_marker", "leaked_prompt", "turns", "echo"}


def check_rules(switches: dict) -> None:
    """ValueError where a rule that the config switches does not exist."""
    for name in switches:
        if name not in RULES:
            raise ValueError(f"data.rules: there is no rule {name!r}; there are {', '.join(RULES)}")


def clean(sample: dict, switches: dict) -> tuple[dict | None, list[str]]:
    """The cleaned sample and the names of the rules that changed it, or None and the reason to drop it."""
    plain = "text" in sample
    messages = [{"role": "text", "content": sample["text"]}] if plain else sample["messages"]
    changed = []
    for name, rule in RULES.items():
        if not switches.get(name, True) or plain and name in FOR_CHATS_ONLY:
            continue
        result = rule(messages)
        if isinstance(result, str):
            return None, [result]
        if result != messages:
            changed.append(name)
        messages = result
    if plain:
        if not messages[0]["content"]:
            return None, ["empty text"]
        return {**sample, "text": messages[0]["content"]}, changed
    return {**sample, "messages": messages}, changed


def fingerprint(text: str) -> bytes:
    """16 bytes that two texts share when they differ only in case, width, blanks or punctuation."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return hashlib.blake2b("".join(c for c in folded if c.isalnum()).encode("utf-8", "replace") or text.encode(
        "utf-8", "replace"), digest_size=16).digest()
