"""The chat template of somebody else's model, kept as it is: Jinja in, token ids and loss mask out.

A template is a program by strangers, so it runs in Jinja's sandbox. Each answer is what the template adds between
"the assistant may speak now" and the same conversation with the answer in it; supervised up to its last `</s>`.
Left out on purpose: tools, and templates that write `<s>` again inside a conversation, where it would open a document.
"""

import json
import os
import re

import sentencepiece
from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment


def _refuse(message: str):
    raise TemplateError(message)


def _replace(text: str, by: dict[str, str]) -> str:
    for old, new in by.items():
        text = text.replace(old, new)
    return text


class ChatTemplate:
    """Renders messages by a Jinja template and a SentencePiece model's own control symbols."""

    def __init__(self, text: str, pieces: sentencepiece.SentencePieceProcessor, folder: str):
        self.text, self.pieces, self.folder = text, pieces, folder
        # After the opening, text goes on without the space that SentencePiece may put before a text of its own:
        # NormalizerSpec (field 3 of the model) { add_dummy_prefix = 3: false }, merged by joining the bytes.
        self.middle = sentencepiece.SentencePieceProcessor(
            model_proto=pieces.serialized_model_proto() + b"\x1a\x02\x18\x00"
        )
        self.control = {pieces.id_to_piece(i): i for i in range(pieces.get_piece_size()) if pieces.is_control(i)}
        # A control symbol that a message spells stays text: hidden from the rendering, behind a private-use character.
        self.hidden = {symbol: chr(0xF0000 + i) for i, symbol in enumerate(self.control)}
        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
        )
        environment.globals["raise_exception"] = _refuse
        # {% generation %} marks an answer for transformers; here the difference of two renderings does.
        plain = re.sub(r"(\{%[-+]?\s*)(end)?generation\b", lambda m: m[1] + ("endif" if m[2] else "if true"), text)
        try:
            self.template = environment.from_string(plain)
        except TemplateError as error:
            raise ValueError(f"{folder}: the chat template is not valid Jinja: {error}") from None

    @staticmethod
    def source(folder: str) -> str | None:
        """The template that a model folder brings: chat_template.jinja, or the key in tokenizer_config.json."""
        path = os.path.join(folder, "chat_template.jinja")
        if os.path.isfile(path):
            with open(path, encoding="utf-8") as file:
                return file.read()
        path = os.path.join(folder, "tokenizer_config.json")
        if not os.path.isfile(path):
            return None
        with open(path, encoding="utf-8") as file:
            found = json.load(file).get("chat_template")
        if isinstance(found, list):  # several, by name
            found = {entry["name"]: entry["template"] for entry in found}.get("default")
        return found

    def _text(self, messages: list[dict], add_generation_prompt: bool) -> str:
        if not messages:
            return self.pieces.id_to_piece(self.pieces.bos_id())
        messages = [{"role": m["role"], "content": _replace(m["content"], self.hidden)} for m in messages]
        try:
            return self.template.render(
                messages=messages,
                add_generation_prompt=add_generation_prompt,
                bos_token=self.pieces.id_to_piece(self.pieces.bos_id()),
                eos_token=self.pieces.id_to_piece(self.pieces.eos_id()),
            )
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

    def render(self, messages: list[dict], add_generation_prompt: bool) -> tuple[list[int], list[bool]]:
        """ids and mask, as `Tokenizer.render` gives them."""
        ids, mask, text = [], [], ""

        def add(part: str, supervised: bool) -> None:
            nonlocal text
            new = self._encode(part, opening=not ids)
            ids.extend(new)
            mask.extend([supervised] * len(new))
            text += part

        def extend(whole: str, supervised: bool = False) -> None:
            if not whole.startswith(text):
                raise ValueError(
                    f"{self.folder}: the chat template changes what came before when a message follows; "
                    'set tokenizer.chat_template to "markers"'
                )
            part = whole[len(text) :]
            if supervised:
                answer, end, rest = part.rpartition(self.pieces.id_to_piece(self.pieces.eos_id()))
                if not end:
                    raise ValueError(f"{self.folder}: the chat template does not end an answer with </s>")
                add(answer + end, True)
                part = rest
            add(part, False)

        for i, message in enumerate(messages):
            if message["role"] == "assistant":
                extend(self._text(messages[:i], True))
                extend(self._text(messages[: i + 1], False), supervised=True)
        extend(self._text(messages, add_generation_prompt))
        if self.pieces.bos_id() in ids[1:]:
            raise ValueError(
                f"{self.folder}: the chat template writes <s> inside a conversation, where it would open "
                'a document; set tokenizer.chat_template to "markers"'
            )
        if ids[:1] != [self.pieces.bos_id()]:  # here every document opens with it
            ids, mask = [self.pieces.bos_id(), *ids], [False, *mask]
        return ids, mask

    def windows(self, messages: list[dict], context: int) -> tuple[list[tuple[list, list]], int, int]:
        """Cut a conversation into (ids, mask) of at most `context` tokens, between exchanges, each with the system
        message; also returns how many supervised tokens are lost, and how many exchanges did not fit alone."""
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
        return pieces, lost, sum(len(ids) > context for ids, _ in whole)
