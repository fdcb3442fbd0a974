"""Somebody else's tokenizer, extended by our markers, or with the chat template that it brings, kept as it is.

A template is a program by strangers, so it runs in Jinja's sandbox. Each answer is what the template adds between
"the assistant may speak now" and the same conversation with the answer in it; supervised up to its last `</s>`.
Left out on purpose: tools."""

import os
import re
import struct
from collections import Counter

import sentencepiece
from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from zerochat.files import read_json

# Our own template for transformers; `{% generation %}` makes it return the same mask that `render` does.
JINJA = (
    "{{ bos_token }}{% for message in messages %}{{ '<|' + message['role'] + '|>' }}"
    "{% if message['role'] == 'assistant' %}{% generation %}{{ TEXT + '<|end|>' }}{% endgeneration %}"
    "{% else %}{{ TEXT + '<|end|>' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
ADVICE = 'set tokenizer.chat_template to "markers"'


def adopt(path: str, chat_template: str | None, markers: list[str]):
    """A SentencePiece model with these markers as control symbols, how many pieces were added for that, and the
    folder's own chat template where that is to be used instead. chat_template: as `Tokenizer` takes it."""
    folder, name = os.path.split(path)
    if not os.path.isfile(path):
        other = os.path.isfile(os.path.join(folder, "tokenizer.json"))
        only = "; its tokenizer.json alone is not read: only SentencePiece tokenizers are" if other else ""
        raise ValueError(f"{folder} has no {name}{only}")
    with open(path, "rb") as file:
        proto = file.read()
    try:
        pieces = sentencepiece.SentencePieceProcessor(model_proto=proto)
    except RuntimeError as error:
        raise ValueError(f"{path} is not a SentencePiece model") from error
    if min(pieces.bos_id(), pieces.eos_id()) < 0:
        raise ValueError(f"{path} has no <s> or no </s>")
    lacking = [marker for marker in markers if not pieces.is_control(pieces.piece_to_id(marker))]
    own = ChatTemplate.source(folder) if chat_template == "keep" or lacking and chat_template is None else None
    if chat_template == "keep" and own is None:
        raise ValueError(f"{folder} has no chat template to keep; {ADVICE}")
    if not lacking or own is not None:
        return pieces, 0, own
    if chat_template != "markers":
        raise ValueError(f"{path} lacks the chat markers {' '.join(lacking)} as control symbols")
    try:
        extended = sentencepiece.SentencePieceProcessor(model_proto=with_symbols(proto, ["<pad>", *markers]))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    return extended, len(extended) - len(pieces), None


def with_symbols(proto: bytes, symbols: list[str]) -> bytes:
    """A serialized SentencePiece model with those of the symbols that it lacks appended as control symbols. Protobuf
    messages merge when their bytes are joined, repeated fields one behind the other: so all pieces keep their ids and
    the new ones come after them. ValueError where a marker is there already as ordinary text."""
    pieces = sentencepiece.SentencePieceProcessor(model_proto=proto)
    for symbol in symbols:
        known = pieces.piece_to_id(symbol)
        if known == pieces.unk_id():
            name = symbol.encode()
            # SentencePiece { piece = 1: string, score = 2: float, type = 3: CONTROL (3) }, itself field 1 of the model
            body = b"\x0a" + bytes([len(name)]) + name + b"\x15" + struct.pack("<f", 0.0) + b"\x18\x03"
            proto += b"\x0a" + bytes([len(body)]) + body
        elif not pieces.is_control(known) and symbol != "<pad>":
            advice = 'set tokenizer.chat_template to "keep" to use the model\'s own chat template'
            raise ValueError(f"the tokenizer has {symbol} as ordinary text already; {advice}")
    return proto


def _replace(text: str, by: dict[str, str]) -> str:
    for old, new in by.items():
        text = text.replace(old, new)
    return text


class ChatTemplate:
    """Renders messages by a Jinja template and a SentencePiece model's own control symbols."""

    def __init__(self, text: str, pieces: sentencepiece.SentencePieceProcessor, folder: str):
        self.text, self.pieces, self.folder = text, pieces, folder
        self.role_ids, self.end_ids = {}, {pieces.eos_id()}
        self.bos, self.end = pieces.id_to_piece(pieces.bos_id()), pieces.id_to_piece(pieces.eos_id())
        # After the opening, text goes on without the space that SentencePiece may put before a text of its own:
        # NormalizerSpec (field 3 of the model) { add_dummy_prefix = 3: false }, merged by joining the bytes.
        proto = pieces.serialized_model_proto() + b"\x1a\x02\x18\x00"
        self.middle = sentencepiece.SentencePieceProcessor(model_proto=proto)
        self.control = {pieces.id_to_piece(i): i for i in range(pieces.get_piece_size()) if pieces.is_control(i)}
        # A control symbol that a message spells stays text: hidden from the rendering, behind a private-use character.
        self.hidden = {symbol: chr(0xF0000 + i) for i, symbol in enumerate(self.control)}
        loops = ["jinja2.ext.loopcontrols"]
        environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=loops)
        environment.globals["raise_exception"] = self._refuse
        # {% generation %} marks an answer for transformers; here the difference of two renderings does.
        plain = re.sub(r"(\{%[-+]?\s*)(end)?generation\b", lambda m: m[1] + ("endif" if m[2] else "if true"), text)
        try:
            self.template = environment.from_string(plain)
        except TemplateError as error:
            raise ValueError(f"{folder}: the chat template is not valid Jinja: {error}") from None

    @staticmethod
    def _refuse(message: str):
        raise TemplateError(message)

    @staticmethod
    def source(folder: str) -> str | None:
        """The template that a model folder brings: chat_template.jinja, or the key in tokenizer_config.json."""
        path = os.path.join(folder, "chat_template.jinja")
        if os.path.isfile(path):
            with open(path, encoding="utf-8") as file:
                return file.read()
        found = read_json(os.path.join(folder, "tokenizer_config.json")).get("chat_template")
        if isinstance(found, list):  # several, by name
            found = {entry["name"]: entry["template"] for entry in found}.get("default")
        return found

    def _text(self, messages: list[dict], add_generation_prompt: bool) -> str:
        if not messages:
            return self.bos
        messages = [{"role": m["role"], "content": _replace(m["content"], self.hidden)} for m in messages]
        try:
            given = {"messages": messages, "bos_token": self.bos, "eos_token": self.end}
            return self.template.render(**given, add_generation_prompt=add_generation_prompt)
        except TemplateError as error:
            raise ValueError(f"{self.folder}: the chat template refuses a conversation: {error}") from None

    def _encode(self, text: str, opening: bool) -> list[int]:
        """Ids of rendered text, in which control symbols stand as text; `opening`: nothing comes before it."""
        ids: list[int] = []
        for part in re.split("(" + "|".join(map(re.escape, self.control)) + ")", text):
            if part in self.control:
                ids.append(self.control[part])
            elif part:
                part = _replace(part, {sign: symbol for symbol, sign in self.hidden.items()})
                ids += (self.pieces if opening and not ids else self.middle).encode(part)
        return ids

    def render(self, messages: list[dict], add_generation_prompt: bool, encode=None) -> tuple[list[int], list[bool]]:
        """ids and mask, as `Tokenizer.render` gives them; of other ways to `encode`, a template knows none."""
        ids, mask, text = [], [], ""

        def add(part: str, supervised: bool) -> None:
            nonlocal text
            new = self._encode(part, opening=not ids)
            ids.extend(new)
            mask.extend([supervised] * len(new))
            text += part

        def extend(whole: str, supervised: bool = False) -> None:
            if not whole.startswith(text):
                changes = "changes what came before when a message follows"
                raise ValueError(f"{self.folder}: the chat template {changes}; {ADVICE}")
            part = whole[len(text) :]
            if supervised:
                answer, end, rest = part.rpartition(self.end)
                if not end:
                    raise ValueError(f"{self.folder}: the chat template does not end an answer with </s>")
                add(answer + end, True)
                part = rest
            add(part, False)

        for i, message in enumerate(messages):
            if message["role"] == "assistant":
                extend(self._text(messages[:i], True))
                extend(self._text(messages[: i + 1], False), message.get("supervised", True))
        extend(self._text(messages, add_generation_prompt))
        return ids, mask

    def windows(self, messages: list[dict], ids: list[int], mask: list[bool], context: int):
        """Cut a conversation into (ids, mask) of at most `context` tokens, between exchanges, each with the system
        message; also returns how many supervised tokens are lost, and how many exchanges did not fit alone. Where turns
        begin in `ids` no marker says, so that parts are rendered anew."""
        system = messages[: messages[0]["role"] == "system"]
        groups: list[list[dict]] = []
        for i, message in enumerate(messages[len(system) :]):
            if message["role"] == "user" or i == 0:
                groups.append([])
            groups[-1].append(message)
        joined = groups[:1]
        for exchange in groups[1:]:
            if len(self.render(system + joined[-1] + exchange, False)[0]) <= context:
                joined[-1] = joined[-1] + exchange
            else:
                joined.append(exchange)
        whole = [self.render(system + group, False) for group in joined]
        pieces = [(ids[:context], mask[:context]) for ids, mask in whole if any(mask[:context])]
        lost = sum(sum(mask) for _, mask in whole) - sum(sum(mask) for _, mask in pieces)
        return pieces, lost, Counter(exchanges=sum(len(ids) > context for ids, _ in whole))
