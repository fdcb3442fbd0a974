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
TAG = re.compile(r"</?(?:br|p|div|span|nowiki|ref|small|sub|sup|font|center)\b[^<>]{0,100}>", re.IGNORECASE)
PAGE_TAGS = "!doctype|head|body|script|style|form|input|table|[uo]l|li|a |h[1-6]|img|button|strong"
WEB_PAGE = re.compile(rf"html|<(?:{PAGE_TAGS})\b", re.I)
PAIRED = ("p", "div", "span", "font", "sub", "sup")
MOJIBAKE = re.compile("\ufffd|Ã[\x80-\xbf©¨¤¶¼]|â€[\x80-\xbf™œ“”˜¦]|锟斤拷")
NOTHING = r"no[ _-]?(?:input|output)|n/?a|none|无(?:需)?输入|没有输入|无"
NO_INPUT = re.compile(rf"[<\[(（]?\s{{0,3}}(?:{NOTHING})\s{{0,3}}[>\])）.。]?", re.I)
NO_OUTPUT = re.compile(r"[<\[(]?no[ _-]?(?:in|out)put[>\])]?\.?|.*[<\[]no[ _-]?(?:in|out)put[>\]].*", re.I | re.S)
BLANKS = r"[ \t]{0,8}"
LEAKED_PROMPT = re.compile(rf"^{BLANKS}\d{{0,3}}\.?{BLANKS}(?:###{BLANKS})?(?:Instruction|Output){BLANKS}:", re.M)
UNSEEN = re.compile(r"\(?<?(?:https?://\S+|[\w./-]+\.(?:jpe?g|png|gif|bmp|mp3|mp4|pdf))>?\)?\.?", re.I)
GUTENBERG = re.compile(r"\*\*\* ?(START|END) OF TH(?:E|IS) PROJECT GUTENBERG EBOOK[^\n*]{0,200}\*\*\*")


class Drop(str):
    """The reason why a rule leaves a whole sample out."""


def html_leftovers(text: str, role: str):
    """Entities decoded and layout tags removed outside code, where they are the subject and not dirt."""
    if "&" not in text and ("<" not in text or not TAG.search(text)):
        return text
    # Markup that somebody wrote or asks about is code, marked as such or not; what a web page left behind is not whole.
    markup = WEB_PAGE.search(text) or any(f"<{name}" in text and f"</{name}>" in text for name in PAIRED)
    parts = CODE.split(text)
    for i in range(0, len(parts), 2):
        part = TAG.sub(" ", parts[i]) if role == "text" or not markup else parts[i]
        parts[i] = ENTITY.sub(lambda entity: html.unescape(entity[0]), part)
    return "".join(parts)


def mojibake(text: str, role: str, repair=None):
    """Text decoded with the wrong table is not what anyone wrote: dropped, or with "repair" given to ftfy first."""
    if text.isascii() or not ("\ufffd" in text or "Ã" in text or "â€" in text or "锟斤拷" in text):
        return text
    if repair == "repair" and MOJIBAKE.search(text):
        text = needed("ftfy", 'data.rules.mojibake "repair"').fix_encoding(text)
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
    if role == "assistant" and (len(text) < 13 or "<no" in text or "[no" in text or "<No" in text):
        return Drop("no-output marker") if NO_OUTPUT.fullmatch(text) else text
    return text


def repeated_input(text: str, role: str):
    """An Alpaca input that the instruction already quotes."""
    if role != "user" or "\n" not in text:
        return text
    head, _, tail = text.partition("\n")
    return head if len(tail) > 10 and tail in head else text


def leaked_prompt(text: str, role: str):
    """The generator's own "6. Instruction: ... 6. Output: ..." inside an answer."""
    if role != "assistant" or "nstruction" not in text:
        return text
    return Drop("leaked prompt") if len(LEAKED_PROMPT.findall(text)) >= 2 else text


def empty_turns(messages: Messages):
    """A turn without text is left out; around it, its neighbours meet."""
    full = [m for m in messages if m["content"].strip()]
    return messages if len(full) == len(messages) else full


def system_first(messages: Messages):
    """A system message speaks for the whole conversation: later ones are left out."""
    kept = [m for i, m in enumerate(messages) if i == 0 or m["role"] != "system"]
    return messages if len(kept) == len(messages) else kept


def user_first(messages: Messages):
    """What the assistant says before the user has spoken answers nothing, and is left out."""
    begin = int(bool(messages) and messages[0]["role"] == "system")
    end = begin
    while end < len(messages) and messages[end]["role"] == "assistant":
        end += 1
    return messages[:begin] + messages[end:] if end > begin else messages


def repeated_role(messages: Messages):
    """Two turns of one side in a row are one turn of two lines."""
    return joined(messages)


def answered_end(messages: Messages):
    """A last question without an answer is left out; without any answer there is nothing to learn."""
    end = len(messages)
    while end and messages[end - 1]["role"] != "assistant":
        end -= 1
    return (messages if end == len(messages) else messages[:end]) or Drop("no answer")


def unseen_input(messages: Messages):
    """A question about a web page or picture that is only named: the answer was made up."""
    questions = [m["content"] for m in messages if m["role"] == "user"]
    if len(questions) != 1:
        return messages
    newline, tail = questions[0].rpartition("\n")[1:]
    unseen = newline and len(tail) < 300 and UNSEEN.fullmatch(tail.strip())
    return Drop("input that cannot be seen") if unseen else messages


def too_short(messages: Messages, characters: int = 1):
    """Answers (a document) of fewer characters together; 1 by default: "2" may be a right answer."""
    size = sum(len(m["content"]) for m in messages if m["role"] in ("assistant", "text"))
    return Drop("too short") if size < characters else messages


def too_long(messages: Messages, characters: int = 200_000):
    """One turn of more characters is a pasted file, not something said."""
    return Drop("too long") if any(len(m["content"]) > characters for m in messages) else messages


def language(messages: Messages, wanted: list):
    """Off by default; `["en", "zh"]` keeps these languages alone, as py3langid tells them from the text."""
    text = "\n".join(m["content"] for m in messages)[:1000]
    found = needed("py3langid", "data.rules.language").classify(text)[0]
    return messages if found in wanted else Drop(f"language {found}")


RULES_IN_ORDER = (html_leftovers, mojibake, characters, boilerplate, no_input_marker, repeated_input)
TEXT_RULES = {rule.__name__: rule for rule in (*RULES_IN_ORDER, leaked_prompt)}
RULES_IN_ORDER = (empty_turns, system_first, user_first, repeated_role, answered_end, unseen_input, too_short)
CHAT_RULES = {rule.__name__: rule for rule in (*RULES_IN_ORDER, too_long, language)}
RULES = {**TEXT_RULES, **CHAT_RULES}
FOR_TEXTS_TOO, OFF = ("too_short", "language"), {"language"}
SETTING = {"mojibake": "repair", "too_short": "characters", "too_long": "characters", "language": "wanted"}


def check_rules(settings: dict) -> None:
    """ValueError where a rule that the config sets does not exist, or the library that it needs."""
    for name, setting in settings.items():
        if name not in RULES:
            raise ValueError(f"data.rules: there is no rule {name!r}; there are {', '.join(RULES)}")
        fitting = {"characters": int, "wanted": list, "repair": str}.get(SETTING.get(name), bool)
        if not isinstance(setting, (bool, fitting)) or name in OFF and setting is True:
            raise ValueError(f"data.rules.{name}: {setting!r} is no setting of this rule")
    if settings.get("mojibake") == "repair":
        needed("ftfy", 'data.rules.mojibake "repair"')
    if settings.get("language"):
        needed("py3langid", "data.rules.language")


@functools.lru_cache
def needed(library: str, by: str):
    """A library of the extra `data`, or ValueError that says how to get it."""
    try:
        return __import__(library)
    except ImportError:
        raise ValueError(f'{by} needs {library}: pip install "zerochat[data]", or pip install {library}') from None


@functools.lru_cache
def _active(settings: str) -> tuple[list, list, list]:
    """(name, rule) of the rules that are on: of a text, of a conversation, and of those the ones for documents."""
    given = ast.literal_eval(settings)

    def chosen(rules):
        for name, rule in rules.items():
            setting = given.get(name, name not in OFF)
            if setting is not False:
                yield name, rule if setting is True else functools.partial(rule, **{SETTING[name]: setting})

    of_chats = list(chosen(CHAT_RULES))
    return list(chosen(TEXT_RULES)), of_chats, [pair for pair in of_chats if pair[0] in FOR_TEXTS_TOO]


def clean(sample: dict, settings: dict) -> tuple[dict | None, list[tuple[str, str, str]]]:
    """The cleaned sample and (rule, text before, text after) for each rule that changed it, once for each turn
    or conversation; None and one (reason, text, "") where a rule drops it."""
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
    """What two texts share when they differ only in case, width, blanks or punctuation."""
    if not text.isascii() and not unicodedata.is_normalized("NFC", text):
        text = unicodedata.normalize("NFC", text)
    folded = text.casefold().encode("utf-8", "replace").translate(None, NOT_ALNUM).decode()
    if not folded.isascii():
        folded = NO_WORD.sub("", folded)
        if not unicodedata.is_normalized("NFKC", folded):  # slow, so it comes last, for what is left
            folded = NO_WORD.sub("", unicodedata.normalize("NFKC", folded))
    return folded or text


NO_WORD = re.compile(r"[\W_]+")
NOT_ALNUM = bytes(i for i in range(128) if not chr(i).isalnum())


def hash64(folded: str) -> int:
    """64 bits of a folded text: among 20 million texts, one chance in 90,000 that any two share them by accident."""
    return int.from_bytes(hashlib.blake2b(folded.encode("utf-8", "replace"), digest_size=8).digest(), "big")
