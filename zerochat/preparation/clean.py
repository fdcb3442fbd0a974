"""Cleaning as a list of small rules: what each one changes or drops, and why.

A rule of TEXT_RULES takes one text and its role ("text" for a plain document) and returns the text, changed or
not; one of CHAT_RULES takes a conversation's messages and returns messages. Either may return a `Drop` with the
reason. The config's `data.rules` switches a rule off, `{"html_leftovers": false}`, or gives it another setting,
`{"too_long": 5000}`. Adding one is a function, its place in the list and a test.

Most texts are clean, so each rule first asks what is cheap to ask (`in`, `isascii`): reading and cleaning
together must take less time than the tokenizer."""

import ast
import functools
import hashlib
import html
import re
import unicodedata

from zerochat.text import joined, mend

Messages = list[dict]
CODE = re.compile(r"(```.*?(?:```|\Z)|`[^`\n]+`)", re.DOTALL)
ENTITY = re.compile(r"&(?:[a-zA-Z]{2,8}|#\d{1,6}|#x[0-9a-fA-F]{1,5});")
TAG = re.compile(r"^\|.*|<br\b[^<>]{0,60}>\n?|</div>\n?|</?nowiki>", re.I | re.M)  # a row of a table stays one
RAISED = re.compile(r"<(sup|sub)>([^<>]{1,20})</\1>(?=(\d?))", re.I)
# Text about markup, and text that is markup: named as such, a page's own tags, a tag or an entity in quotes or alone.
TALK = r"(?<![<;/.])\bx?html\b(?!>|&gt;)|\bxml\b|\bentit|\bescap|\btags?\b|标签|实体|转义|换行|<\?php|<!doctype"
TALK += r"|<(?:html|head|body|script|style|form|input|table|[uo]l|li|a |h[1-6]|img|button|strong|p|div|span|font)\b"
TALK += r"""|["'“‘(（「](?:</?(?:br|div)|&\w+;["'”’])"""
TALK += r"""|<(?:/div|br ?/?)>["'”’)）」]| <(?:/div|br ?/?)>[ ,.]| &(?:quot|#39); """
ABOUT_MARKUP = re.compile(TALK, re.I)
MOJIBAKE = re.compile("\ufffd|Ã[\x80-\xbf©¨¤¶¼]|â€[\x80-\xbf™œ“”˜¦]|锟斤拷")
NOTHING = r"no[ _-]?(?:input|output)|无(?:需)?输入|没有输入"  # not "none", "n/a" or 无: what a person answers
NO_INPUT = re.compile(rf"[<\[(（]?\s{{0,3}}(?:{NOTHING})\s{{0,3}}[>\])）.。]?", re.I)
# The whole answer, or the generator's own mark before it; a sentence about the mark goes on in small letters.
NO = r"no[ _-]?(?:in|out)put"
NO_OUTPUT = re.compile(rf"[<\[(]?{NO}[>\])]?\.?|<{NO}>(?! ?(?-i:[a-z是])).*", re.I | re.S)
KIN = {"wuu": "zh", "yue": "zh", "pcm": "en"}  # py3langid's names for much Mandarin and English
GUTENBERG = re.compile(r"\*\*\* ?(START|END) OF TH(?:E|IS) PROJECT GUTENBERG EBOOK[^\n*]{0,200}\*\*\*")


class Drop(str):
    """The reason why a rule leaves a whole sample out."""


def html_leftovers(text: str, role: str):
    """Entities decoded and <br> a new line, 10<sup>6</sup> as 10^6 and H<sub>2</sub>O as H_2O, outside code and outside
    texts about markup, where they are the subject and not dirt. What escaped a text left no bare <, > or & in it."""
    if "&" not in text and ("<" not in text or not (TAG.search(text) or RAISED.search(text))):
        return text
    parts = CODE.split(text)
    if ABOUT_MARKUP.search("\n".join(parts[::2])):
        return text
    for i in range(0, len(parts), 2):
        part = RAISED.sub(_raised, parts[i])
        parts[i] = TAG.sub(lambda tag: tag[0] if tag[0][0] == "|" else "" if "nowiki" in tag[0] else "\n", part)
    bare = ENTITY.sub("", "".join(parts[::2]))
    raw = [char for char in "<>&" if char in bare]
    for i in range(0, len(parts), 2):
        parts[i] = ENTITY.sub(lambda e: e[0] if html.unescape(e[0]) in raw else html.unescape(e[0]), parts[i])
    return "".join(parts)


def _raised(found: re.Match) -> str:
    kind, what, digit = found.groups()
    if what in ("st", "nd", "rd", "th"):
        return what
    what = what if re.fullmatch(r"[-+−]?\w+", what) else f"({what})"
    return ("^" if kind.lower() == "sup" else "_") + what + (" " if digit else "")


def mojibake(text: str, role: str):
    """Text decoded with the wrong table is not what anyone wrote: dropped."""
    if text.isascii() or not ("\ufffd" in text or "Ã" in text or "â€" in text or "锟斤拷" in text):
        return text
    return Drop("mojibake") if MOJIBAKE.search(text) else text


def characters(text: str, role: str):
    """Blanks of other kinds, characters that nobody sees, line ends, halves of an emoji: layout of a file, not of what
    was said, and they cut words into other tokens. Typed questions are mended alike."""
    return mend(text)


def boilerplate(text: str, role: str):
    """Project Gutenberg's licence, the same thousand words around every book."""
    if role != "text" or "PROJECT GUTENBERG" not in text:
        return text
    first, *rest = GUTENBERG.split(text)  # text, START or END, text, START or END, ..., text
    books = [first] if rest[:1] != ["START"] else []
    books += [book for mark, book in zip(rest[::2], rest[1::2]) if mark == "START"]
    return "\n\n".join(filter(None, map(str.strip, books)))


def no_input_marker(text: str, role: str):
    """Alpaca writes "<noinput>" where there is none; as a last line of the question it teaches nonsense."""
    if role == "user":
        head, newline, tail = text.rpartition("\n")
        return head if newline and len(tail) < 20 and NO_INPUT.fullmatch(tail.strip()) else text
    if role == "assistant" and (len(text) < 13 or text.startswith("<")):
        return Drop("no-output marker") if NO_OUTPUT.fullmatch(text) else text
    return text


def empty_turns(messages: Messages):
    """A turn without text is left out. What follows one of the user's (only Enter, or what an export lost) answers
    nothing that can be seen: between others, the conversation ends before it."""
    spoken = False
    for i, (m, after) in enumerate(zip(messages, messages[1:])):
        if spoken and m["role"] == "user" and not m["content"].strip() and after["role"] == "assistant":
            messages = messages[:i]
            break
        spoken |= m["role"] == "user"
    full = [m for m in messages if m["content"].strip()]
    return messages if len(full) == len(messages) else full


def system_first(messages: Messages):
    """A system message speaks for the whole conversation: later ones are left out."""
    kept = [m for i, m in enumerate(messages) if i == 0 or m["role"] != "system"]
    return messages if len(kept) == len(messages) else kept


def user_first(messages: Messages):
    """What the assistant says before the user has spoken answers nothing, and is left out."""
    begin = int(bool(messages) and messages[0]["role"] == "system")
    end = next((i for i, m in enumerate(messages) if i >= begin and m["role"] != "assistant"), len(messages))
    return messages[:begin] + messages[end:] if end > begin else messages


def repeated_role(messages: Messages):
    """Two turns of one side in a row are one turn of two lines."""
    return joined(messages)


def answered_end(messages: Messages):
    """A last question without an answer is left out; without one that is supervised there is nothing to learn."""
    if not any(m["role"] == "assistant" and m.get("supervised", True) for m in messages):
        return Drop("no answer")
    end = max(i for i, m in enumerate(messages, 1) if m["role"] == "assistant")
    return messages if end == len(messages) else messages[:end]


def too_short(messages: Messages, characters: int = 1):
    """Answers (a document) of fewer characters together; 1 by default: "2" may be a right answer."""
    size = sum(len(m["content"]) for m in messages if m["role"] in ("assistant", "text"))
    return Drop("too short") if size < characters else messages


def too_long(messages: Messages, characters: int = 200_000):
    """One turn of more characters is a pasted file, not something said."""
    return Drop("too long") if any(len(m["content"]) > characters for m in messages) else messages


def language(messages: Messages, wanted: list):
    """Off by default; `["en", "zh"]` keeps these languages alone, by py3langid; texts under 50 characters stay."""
    text = "\n".join(m["content"] for m in messages)[:1000]
    found = needed("py3langid", "data.rules.language").classify(text)[0]
    return messages if len(text) < 50 or KIN.get(found, found) in wanted else Drop(f"language {found}")


TEXT_RULES = {rule.__name__: rule for rule in (html_leftovers, mojibake, characters, boilerplate, no_input_marker)}
IN_ORDER = (empty_turns, system_first, user_first, repeated_role, answered_end, too_short, too_long, language)
CHAT_RULES = {rule.__name__: rule for rule in IN_ORDER}
RULES = {**TEXT_RULES, **CHAT_RULES}
FOR_TEXTS_TOO, OFF = ("too_short", "language"), {"language"}
SETTING = {"too_short": int, "too_long": int, "language": list}


def check_rules(settings: dict, near_duplicates: float = 0) -> None:
    """ValueError where a rule that the config sets does not exist, or the library that it needs."""
    if near_duplicates:
        needed("rensa", "data.near_duplicates")  # wanting, it should be missed before an hour of cleaning
    for name, setting in settings.items():
        if name not in RULES:
            raise ValueError(f"data.rules: there is no rule {name!r}; there are {', '.join(RULES)}")
        if not isinstance(setting, (bool, SETTING.get(name, bool))) or name in OFF and setting is True:
            raise ValueError(f"data.rules.{name}: {setting!r} is no setting of this rule")
    if settings.get("language"):
        needed("py3langid", "data.rules.language")


@functools.lru_cache
def needed(library: str, by: str):
    """A library of the extra `data`, or ValueError that says how to get it."""
    try:
        return __import__(library)
    except ImportError:
        library = library.split(".")[0]
        raise ValueError(f'{by} needs {library}: pip install -e ".[data]", or pip install {library}') from None


@functools.lru_cache
def _active(settings: str) -> tuple[list, list, list]:
    """(name, rule) of the rules that are on: of a text, of a conversation, and of those the ones for documents."""
    given = ast.literal_eval(settings)

    def chosen(rules):
        for name, rule in rules.items():
            setting = given.get(name, name not in OFF)
            if setting is not False:
                yield name, rule if setting is True else lambda m, rule=rule, setting=setting: rule(m, setting)

    of_chats = list(chosen(CHAT_RULES))
    return list(chosen(TEXT_RULES)), of_chats, [pair for pair in of_chats if pair[0] in FOR_TEXTS_TOO]


def clean(sample: dict, settings: dict) -> tuple[dict | None, list[tuple[str, str, str]]]:
    """The cleaned sample and (rule, text before, text after) for each rule that changed it, the first time
    that it did; None and one (reason, text, "") where a rule drops it."""
    of_texts, of_chats, of_documents = _active(str(settings))
    plain = "text" in sample
    messages = [{"role": "text", "content": sample["text"]}] if plain else sample["messages"]
    changed: dict[str, tuple] = {}
    cleaned = []
    for message in messages:
        text, role = message["content"], message["role"]
        for name, rule in of_texts:
            after = rule(text, role)
            if after is not text and after != text:
                if isinstance(after, Drop):
                    return None, [(str(after), text, "")]
                changed.setdefault(name, (name, text, after))
            text = after
        cleaned.append(message if text is message["content"] else {**message, "content": text})
    messages = cleaned
    for name, rule in of_documents if plain else of_chats:
        after = rule(messages)
        if after is not messages:
            if isinstance(after, Drop):
                return None, [(str(after), _shown(messages), "")]
            changed[name] = (name, _shown(messages), _shown(after))
            messages = after
    return {**sample, **({"text": messages[0]["content"]} if plain else {"messages": messages})}, list(changed.values())


def _shown(messages: Messages) -> str:
    return " ".join(f"{m['role']}: {m['content'][:60]}" for m in messages)


def fold(text: str) -> str:
    """What two texts share when they differ only in case, width, blanks, or in the marks at the end: all else may carry
    meaning, as in 2+2 and 2-2, C++ and C#, 1.5 and 15."""
    folded = text.casefold()
    if not folded.isascii():  # to order a run of n combining marks takes n² steps: by thousands, a text is in no time
        parts = (folded[i : i + 1000] for i in range(0, len(folded), 1000))
        folded = "".join(unicodedata.normalize("NFKC", part) for part in parts)
    return " ".join(folded.split()).rstrip(" .!?。") or text


def hash64(folded: str) -> int:
    """64 bits of a folded text: among 20 million texts, one chance in 90,000 that any two share them by accident."""
    return int.from_bytes(hashlib.blake2b(folded.encode("utf-8", "replace"), digest_size=8).digest(), "big")
