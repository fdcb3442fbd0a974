"""Conversations to token ids with their loss mask, and ids back to text, whole or as a stream.

    python tokenizer.py --model out/small --text "Hello, 世界!"      # see the pieces

A conversation is `<s>`, then for each message its role marker, its text and `<|end|>`; what the assistant says, with
its `<|end|>`, is supervised, and nothing else (unless a stage's `loss_on` is "all"):

    <s><|user|>Hi!<|end|><|assistant|>Hello.<|end|><|user|>Bye.<|end|><|assistant|>See you.<|end|>
     .  ...... ... .....  ........... ^^^^^^ ^^^^^  ...... .... .....  ........... ^^^^^^^^ ^^^^^

The markers are control symbols, which are never found in text: whatever a person types stays text. A vocabulary is one
of SentencePiece, learned from the data, or that of a pretrained model (`zerochat/pretrained/pieces.py`). Left out on
purpose: Unicode normalisation (text comes back as it went in, but for U+2581 and what a model's own changes)."""

import argparse
import codecs
import os
from collections import Counter
from collections.abc import Callable, Iterable

import sentencepiece

from zerochat.files import write_json
from zerochat.preparation import packing
from zerochat.pretrained import template
from zerochat.pretrained.pieces import MODEL_FILE, tokenizer_file  # noqa: F401  other pages know them by this one

ROLES = ("system", "user", "assistant")
END = "<|end|>"
MARKERS = [*(f"<|{role}|>" for role in ROLES), END]
LONG = 1000  # characters
Encode = Callable[[str], list[int]]


class MarkerTemplate:
    """Our chat template; a `ChatTemplate` stands in its place where somebody else's is kept."""

    def __init__(self, tokenizer: "Tokenizer"):
        self.opening_id, self.encode = tokenizer.opening_id, tokenizer.encode
        self.role_ids = {role: tokenizer.pieces.special[f"<|{role}|>"] for role in ROLES}
        self.end_id = tokenizer.pieces.special[END]
        self.end_ids = {self.end_id}
        # In Jinja, for transformers. Where a text begins with a space (Llama 2's tokenizer), one follows each marker.
        text = "message['content']"
        text = f"(' ' + {text} if {text} else '')" if tokenizer.opens_with_space else text
        opening = "bos_token" if self.opening_id == tokenizer.bos_id else repr(tokenizer.name_of(self.opening_id))
        self.text = template.JINJA.replace("TEXT", text).replace("OPENING", opening)

    def render(self, messages: list[dict], add_generation_prompt: bool, encode: Encode | None = None):
        """A conversation's ids, and for each whether it is supervised: none of a message with "supervised": False."""
        ids, mask = [self.opening_id], [False]
        for message in messages:
            text = (encode or self.encode)(message["content"])
            ids += [self.role_ids[message["role"]], *text, self.end_id]
            learned = message["role"] == "assistant" and message.get("supervised", True)
            mask += [False] + [learned] * (len(text) + 1)
        if add_generation_prompt:  # the marker that makes the assistant speak
            ids, mask = [*ids, self.role_ids["assistant"]], [*mask, False]
        return ids, mask

    def windows(self, messages: list[dict], ids: list[int], mask: list[bool], context: int):
        """A conversation, rendered to more than `context` tokens, in parts: see `zerochat/preparation/packing.py`."""
        turns = [1]  # where turns begin: after an end marker, which no text can become
        while (begin := ids.index(self.end_id, turns[-1]) + 1) < len(ids):
            turns.append(begin)
        first = turns[1] if ids[1] == self.role_ids["system"] else 1
        asked = [turn for turn in turns if turn > first and ids[turn] == self.role_ids["user"]]
        return packing.windows_of_exchanges(ids, mask, [first, *asked], context)


class Tokenizer:
    """Text to token ids and back.

    >>> tokenizer = Tokenizer("out/small")
    >>> tokenizer.decode(tokenizer.encode("  two  spaces\\n"))
    '  two  spaces\\n'

    chat_template: "markers" adds ours where the tokenizer lacks them, "keep" takes the folder's own template, "chatml"
    the one that many models know. None: what the folder says; ValueError where it has neither template nor markers."""

    roles = ROLES

    def __init__(self, folder: str, chat_template: str | None = None):
        self.pieces, self.added, kept = template.adopt(folder, chat_template, MARKERS)
        pieces, self.folder = self.pieces, folder
        self.bytes = [pieces.bytes_of(i) for i in range(len(self))]
        self.bos_id, self.eos_id, self.opening_id = pieces.ids.get("bos"), pieces.ids["eos"], pieces.opening_id
        self.opens_with_space = (self.bytes[pieces.encode("a")[0]] or b"").startswith(b" ")
        self.template = template.ChatTemplate(kept, pieces, folder) if kept else MarkerTemplate(self)
        self.role_ids = self.template.role_ids
        # Each of these ends an answer, also what the folder's generation_config.json names.
        self.end_ids = self.template.end_ids | {self.eos_id} | template.ends_of(folder, len(self))
        padding = [pieces.ids.get("pad"), pieces.ids.get("unk"), *reversed(pieces.special.values()), self.opening_id]
        self.pad_id = next(i for i in padding if i is not None and i not in self.end_ids)
        never = {i for i, name in enumerate(pieces.names) if not name} | {self.opening_id, self.bos_id, self.pad_id}
        self.forbidden_ids = sorted((never | {*self.role_ids.values()}) - self.end_ids - {None})  # not inside an answer
        # With "\n" a piece of its own, lines can be encoded apart.
        apart = [i for part in ("a\n", "\n", "a") for i in pieces.encode(part)]
        newlines = sum("\n" in name for name in pieces.names)
        self.lines_apart = pieces.encode("a\n\na") == apart and newlines == 1

    def __len__(self) -> int:
        return len(self.pieces)

    def encode(self, text: str) -> list[int]:
        """Token ids of plain text: never a control symbol. A lone surrogate, which is no character, becomes U+FFFD.
        Where `opens_with_space`, the text gets one in front, which decoding takes away again. U+2581, the sign
        that pieces have for a blank, comes back as a blank."""
        if not text.isascii():
            try:
                text.encode()
            except UnicodeEncodeError:
                text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        if len(text) < LONG or not self.lines_apart:
            return self.pieces.encode(text)
        ids, begin = [], 0  # SentencePiece takes twice the time for a long text: the same ids, some lines at a time
        while begin < len(text):
            end = text.find("\n", begin + LONG) + 1 or len(text)
            ids += self.pieces.encode(text[begin:end])
            begin = end
        return ids

    def sampled(self, text: str, rate: float, seed: int) -> list[int]:
        """Other pieces of the text: merges left out (BPE, Provilkov et al. 2020), or drawn (unigram, Kudo 2018)."""
        sentencepiece.set_random_generator_seed(seed)
        return self.pieces.encode(text, enable_sampling=True, alpha=rate, nbest_size=-1)

    def decode(self, ids: Iterable[int]) -> str:
        """The text of token ids; control symbols are skipped, bytes that form no character become U+FFFD."""
        stream = self.stream()
        return "".join(stream.push(i) for i in ids) + stream.flush()

    def render(self, sample: dict | list, add_generation_prompt: bool = False, encode: Encode | None = None):
        """A sample's ids, and for each of them whether it is supervised: two lists of the same length.

        sample: `{"messages": [{"role", "content"}, ...]}`, or its list of messages alone, or the plain document
        `{"text": ...}`, which is `<s>` text `</s>` and supervised but for the `<s>`. encode: in place of our own."""
        if isinstance(sample, dict) and "text" in sample:
            ids = [self.opening_id, *self.encode(sample["text"]), self.eos_id]
            return ids, [False] + [True] * (len(ids) - 1)
        messages = sample["messages"] if isinstance(sample, dict) else sample
        return self.template.render(messages, add_generation_prompt, encode)

    def windows(self, sample: dict, context: int, overlap: int = 1, encode: Encode | None = None):
        """A sample as (ids, mask) of at most `context` tokens, no token supervised in two; how many supervised ones are
        in none; counts of exchanges, questions and systems cut. overlap: tokens that the windows of a text share."""
        ids, mask = self.render(sample, encode=encode)
        if len(ids) <= context:
            return [(ids, mask)], 0, Counter()
        if "text" in sample:
            return packing.windows_of_document(ids, mask, context, overlap), 0, Counter()
        return self.template.windows(sample["messages"], ids, mask, context)

    def stream(self) -> "Stream":
        return Stream(self)

    def bytes_of(self, token: int) -> bytes | None:
        """The UTF-8 bytes of text that a token stands for, or a part of a character's; None for a control symbol."""
        return self.bytes[token] if token < len(self.bytes) else None  # a model may have more rows than there are names

    def name_of(self, token: int) -> str:
        return self.pieces.names[token] if token < len(self.bytes) else ""

    def save(self, folder: str) -> None:
        """Write the vocabulary, `tokenizer.model` or `tokenizer.json`, and what `transformers` needs beside it."""
        os.makedirs(folder, exist_ok=True)
        config: dict = {f"{kind}_token": self.name_of(i) for kind, i in {**self.pieces.ids, "pad": self.pad_id}.items()}
        config |= dict.fromkeys(("add_bos_token", "add_eos_token", "clean_up_tokenization_spaces"), False)
        config |= {"tokenizer_class": "LlamaTokenizer", "legacy": self.pieces.legacy}
        config |= {"chat_template": self.template.text, "add_prefix_space": self.opens_with_space}
        config["additional_special_tokens"] = MARKERS if self.role_ids else []
        write_json(os.path.join(folder, "tokenizer_config.json"), self.pieces.write(folder, config))
        if self.end_ids - self.template.end_ids - {self.eos_id}:
            write_json(os.path.join(folder, "generation_config.json"), {"eos_token_id": sorted(self.end_ids)})


class Stream:
    """Decodes token by token and shows only whole characters: a Chinese character or an emoji may be three or four byte
    pieces, which `push` holds back until the character is complete."""

    def __init__(self, tokenizer: Tokenizer):
        self.tokenizer, self.utf8 = tokenizer, codecs.getincrementaldecoder("utf-8")("replace")
        self.opening = tokenizer.opens_with_space  # the next space, if it comes first, is the tokenizer's own

    def push(self, token: int) -> str:
        """The text that this token completes, often its own piece, sometimes ""."""
        data = self.tokenizer.bytes_of(token)
        if data is None:
            self.opening = self.tokenizer.opens_with_space
            return self.flush()  # bytes cut short can no longer become a character
        data, self.opening = data.removeprefix(b" ") if self.opening else data, False
        return self.utf8.decode(data)

    def flush(self) -> str:
        """What was held back, as U+FFFD."""
        return self.utf8.decode(b"", final=True)


def main(argv=None) -> None:
    parser = argparse.ArgumentParser(description="show how a text is cut into pieces")
    parser.add_argument("--model", default="out/small", help="folder with a tokenizer.model or a tokenizer.json")
    parser.add_argument("--text", required=True)
    args = parser.parse_args(argv)
    tokenizer = Tokenizer(args.model)
    ids = tokenizer.encode(args.text)
    for i in ids:
        print(f"{i:6d}  {tokenizer.name_of(i)!r}")
    print(f"{len(ids)} tokens for {len(args.text)} characters, {len(args.text.encode())} bytes")


if __name__ == "__main__":
    main()
