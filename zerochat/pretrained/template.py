"""Somebody else's tokenizer, extended by our markers, or with the chat template that it brings, kept as it is.

A template is a program by strangers, so it runs in Jinja's sandbox. Each answer is what the template adds between
"the assistant may speak now" and the same conversation with the answer in it; supervised up to the special token
that ends it: `</s>`, `<|im_end|>`, `<|eot_id|>`, `<end_of_turn>`. Left out on purpose: tools."""

import os
import re
from collections import Counter
from datetime import datetime

from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from zerochat.files import read_json
from zerochat.pretrained.pieces import JsonPieces, SentencePieces, open_pieces

# Our own template for transformers; `{% generation %}` makes it return the same mask that `render` does.
JINJA = (
    "{{ OPENING }}{% for message in messages %}{{ '<|' + message['role'] + '|>' }}"
    "{% if message['role'] == 'assistant' %}{% generation %}{{ TEXT + '<|end|>' }}{% endgeneration %}"
    "{% else %}{{ TEXT + '<|end|>' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
OURS = JINJA[JINJA.index("{% for") : JINJA.index("{{ TEXT")]  # by this a template is known as ours
CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' }}"
    "{% if message['role'] == 'assistant' %}{% generation %}{{ message['content'] + '<|im_end|>' }}{% endgeneration %}"
    "{% else %}{{ message['content'] + '<|im_end|>' }}{% endif %}{{ '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
CHATML_MARKERS = ["<|im_start|>", "<|im_end|>"]
ADVICE = 'set tokenizer.chat_template to "chatml" or "markers"'
Pieces = SentencePieces | JsonPieces


def adopt(folder: str, chat_template: str | None, markers: list[str]) -> tuple[Pieces, int, str | None]:
    """A folder's vocabulary, with the special tokens that the chat template needs; how many were added for that; and
    the template where it is not ours. chat_template: as `Tokenizer` takes it."""
    pieces = open_pieces(folder)
    lacking = [marker for marker in markers if marker not in pieces.special]
    own = CHATML if chat_template == "chatml" else None if chat_template == "markers" else ChatTemplate.source(folder)
    if chat_template == "keep" and own is None:
        raise ValueError(f"{folder} has no chat template to keep; {ADVICE}")
    if own is None and chat_template != "markers" and lacking:
        raise ValueError(f"{pieces.path} lacks the chat markers {' '.join(lacking)} as control symbols")
    if own is None or OURS in own and not lacking:
        own, needed = None, [*([] if "pad" in pieces.ids else ["<pad>"]), *markers] if lacking else []
    else:  # a ChatML template goes with tokenizers that lack its markers, too
        needed = [symbol for symbol in CHATML_MARKERS if symbol in own]
    extended = pieces.extended(needed)
    return extended, len(extended) - len(pieces), own


def ends_of(folder: str, size: int) -> set[int]:
    """The ids that end an answer by a folder's generation_config.json."""
    found = read_json(os.path.join(folder, "generation_config.json")).get("eos_token_id")
    ids = found if isinstance(found, list) else [found]
    return {i for i in ids if type(i) is int and 0 <= i < size}


class ChatTemplate:
    """Renders messages by a Jinja template and a vocabulary's own special tokens."""

    def __init__(self, text: str, pieces: Pieces, folder: str):
        self.text, self.pieces, self.folder, self.role_ids = text, pieces, folder, {}
        self.middle = pieces.inside()
        self.control = pieces.special
        # A special token that a message spells stays text: hidden from the rendering, behind a private-use character.
        self.spelled = {0xF0000 + i: symbol for i, symbol in enumerate(sorted(self.control, key=len, reverse=True))}
        self.hidden = {symbol: chr(sign) for sign, symbol in self.spelled.items()}
        self.symbols = re.compile("(" + "|".join(map(re.escape, self.hidden)) + ")")
        loops = ["jinja2.ext.loopcontrols"]
        environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=loops)
        # What transformers gives to templates: these functions, and the names of the special tokens that there are.
        environment.globals["raise_exception"] = self._refuse
        environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
        self.given: dict = {f"{kind}_token": pieces.names[i] for kind, i in pieces.ids.items()}
        self.given |= {"tools": None, "documents": None}
        # {% generation %} marks an answer for transformers; here the difference of two renderings does.
        plain = re.sub(r"(\{%[-+]?\s*)(end)?generation\b", lambda m: m[1] + ("endif" if m[2] else "if true"), text)
        try:
            self.template = environment.from_string(plain)
        except TemplateError as error:
            raise ValueError(f"{folder}: the chat template is not valid Jinja: {error}") from None
        said = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
        self.end_ids = {[i for i, answer in zip(*self.render(said, False)) if answer][-1]}

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
            found = {str(entry.get("name")): entry.get("template") for entry in found}.get("default")
        if found is not None and not isinstance(found, str):
            raise ValueError(f"{folder}/tokenizer_config.json: chat_template should be text, found {str(found)[:60]}")
        return found

    def _text(self, messages: list[dict], add_generation_prompt: bool) -> str:
        hide, by = self.symbols.sub, lambda symbol: self.hidden[symbol[0]]
        messages = [{"role": m["role"], "content": hide(by, m["content"])} for m in messages]
        try:
            return self.template.render(**self.given, messages=messages, add_generation_prompt=add_generation_prompt)
        except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError) as error:
            raise ValueError(f"{self.folder}: the chat template refuses a conversation: {error}") from None

    def _encode(self, text: str, last: int | None) -> list[int]:
        """Ids of rendered text, in which special tokens stand as text, after the token `last`."""
        ids: list[int] = []
        for part in self.symbols.split(text):
            if part in self.control:
                ids.append(self.control[part])
            elif part:
                part = part.translate(self.spelled)
                before = ids[-1] if ids else last
                alone = before is None or self.pieces.legacy and before in self.control.values()
                ids += (self.pieces if alone else self.middle).encode(part)
        return ids

    def render(self, messages: list[dict], add_generation_prompt: bool, encode=None) -> tuple[list[int], list[bool]]:
        """ids and mask, as `Tokenizer.render` gives them; ValueError for another way to `encode`."""
        if encode:
            raise ValueError(f"{self.folder}: a kept chat template has one encoding: set data.augment.subword to 0")
        ids, mask, text = [], [], ""  # the text that is in the ids already

        def add(whole: str, i: int, answer: bool = False) -> None:
            """Add what the text `whole`, up to message `i`, has more; of an answer, up to the token that ends it."""
            nonlocal text
            if not whole.startswith(text):
                which = f"message {i + 1} ({messages[i]['role']}) changes what stood before it"
                raise ValueError(f"{self.folder}: in the chat template {which}, so that no mask fits; {ADVICE}")
            if answer and (end := self.symbols.search(whole, len(text))) is None:
                raise ValueError(f"{self.folder}: the chat template ends an answer with no special token; {ADVICE}")
            part = whole[len(text) : end.end() if answer else None]
            new, text = self._encode(part, ids[-1] if ids else None), text + part
            ids.extend(new)
            mask.extend([answer] * len(new))

        for i, message in enumerate(messages):
            if message["role"] == "assistant" and i:  # the first message answers nothing: context
                add(self._text(messages[:i], True), i)
                add(self._text(messages[: i + 1], False), i, answer=message.get("supervised", True))
        add(self._text(messages, add_generation_prompt), len(messages) - 1)
        return ids, mask

    def windows(self, messages: list[dict], ids: list[int], mask: list[bool], context: int):
        """Cut a conversation into (ids, mask) of at most `context` tokens, between exchanges, each with the system
        message; also returns how many supervised tokens are lost, and how many exchanges did not fit alone. Where turns
        begin in `ids` no marker says, so that parts are rendered anew."""
        first = int(messages[0]["role"] == "system")
        starts = [i for i, m in enumerate(messages) if i == first or i > first and m["role"] == "user"]
        joined: list[list[dict]] = []
        for start, end in zip(starts, [*starts[1:], len(messages)]):
            if joined and len(self.render(joined[-1] + messages[start:end], False)[0]) <= context:
                joined[-1] = joined[-1] + messages[start:end]
            else:
                joined.append(messages[:first] + messages[start:end])
        whole = [self.render(part, False) for part in joined]
        pieces = [(ids[:context], mask[:context]) for ids, mask in whole if any(mask[:context])]
        lost = sum(sum(mask) for _, mask in whole) - sum(sum(mask) for _, mask in pieces)
        return pieces, lost, Counter(exchanges=sum(len(ids) > context for ids, _ in whole))
