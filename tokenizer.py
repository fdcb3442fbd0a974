"""Conversations to token ids with their loss mask, and ids back to text, whole or as a stream.

    python tokenizer.py --model out/small --text "Hello, 世界!"      # see the pieces

A conversation is `<s>`, then for each message its role marker, its text and `<|end|>`; what the assistant says, with
its `<|end|>`, is supervised, and nothing else (unless a stage's `loss_on` is "all"):

    <s><|user|>Hi!<|end|><|assistant|>Hello.<|end|><|user|>Bye.<|end|><|assistant|>See you.<|end|>
     .  ...... ... .....  ........... ^^^^^^ ^^^^^  ...... .... .....  ........... ^^^^^^^^ ^^^^^

The markers are control symbols, which SentencePiece never finds in text: whatever a person types stays text. Left out
on purpose: Unicode normalisation (a string comes back as it went in) and tokenizers other than SentencePiece."""

import argparse
import codecs
import os
from collections import Counter
from collections.abc import Callable, Iterable

import sentencepiece

from zerochat.files import write_atomic, write_json
from zerochat.preparation import packing
from zerochat.pretrained import template

ROLES = ("system", "user", "assistant")
END = "<|end|>"
MARKERS = [*(f"<|{role}|>" for role in ROLES), END]
MODEL_FILE = "tokenizer.model"
LONG = 1000  # characters
Encode = Callable[[str], list[int]]


class MarkerTemplate:
    """Our chat template; a `ChatTemplate` stands in its place where somebody else's is kept."""

    def __init__(self, tokenizer: "Tokenizer"):
        self.bos_id, self.encode = tokenizer.bos_id, tokenizer.encode
        self.role_ids = {role: tokenizer.pieces.piece_to_id(f"<|{role}|>") for role in ROLES}
        self.end_id = tokenizer.pieces.piece_to_id(END)
        self.end_ids = {self.end_id}
        # As Jinja, for transformers: where a space goes before every text (Llama 2's tokenizer), one follows a marker.
        text = "message['content']"
        text = f"(' ' + {text} if {text} else '')" if tokenizer.opens_with_space else text
        self.text = template.JINJA.replace("TEXT", text)

    def render(self, messages: list[dict], add_generation_prompt: bool, encode: Encode | None = None):
        """The conversation's ids, and for each of them whether it is supervised."""
        ids, mask = [self.bos_id], [False]
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
        turns = [1]  # where turns begin: behind the end of another, a token that no text ever becomes
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

    chat_template, for a folder whose tokenizer lacks the markers: "markers" adds them, "keep" takes the folder's own
    template. None: the markers where they are, else the folder's own template; ValueError where it has neither."""

    roles = ROLES

    def __init__(self, folder: str, chat_template: str | None = None):
        self.pieces, self.added, kept = template.adopt(os.path.join(folder, MODEL_FILE), chat_template, MARKERS)
        pieces, self.folder = self.pieces, folder
        self.bos_id, self.eos_id = pieces.bos_id(), pieces.eos_id()
        self.pad_id = pieces.pad_id() if pieces.pad_id() >= 0 else pieces.unk_id()
        self.opens_with_space = pieces.id_to_piece(pieces.encode("a")[0]).startswith("\u2581")
        self.bytes = [self._bytes_of(i) for i in range(len(self))]
        self.template = template.ChatTemplate(kept, pieces, folder) if kept else MarkerTemplate(self)
        self.role_ids = self.template.role_ids
        self.end_ids = self.template.end_ids | {self.eos_id}  # each ends an answer
        self.forbidden_ids = [self.bos_id, self.pad_id, *self.role_ids.values()]  # have no place inside one
        # With "\n" a piece of its own, lines can be encoded apart.
        apart = [i for part in ("a\n", "\n", "a") for i in pieces.encode(part)]
        newlines = sum("\n" in pieces.id_to_piece(i) for i in range(len(self)))
        self.lines_apart = pieces.encode("a\n\na") == apart and newlines == 1

    def __len__(self) -> int:
        return self.pieces.get_piece_size()

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
        """Other pieces of the same text: by leaving out merges (BPE, Provilkov et al. 2020), or drawn (unigram)."""
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
            ids = [self.bos_id, *self.encode(sample["text"]), self.eos_id]
            return ids, [False] + [True] * (len(ids) - 1)
        messages = sample["messages"] if isinstance(sample, dict) else sample
        return self.template.render(messages, add_generation_prompt, encode)

    def windows(self, sample: dict, context: int, overlap: int = 1, encode: Encode | None = None):
        """A sample as (ids, mask) of at most `context` tokens, no supervised token in two of them; also how many are in
        none, and the number of exchanges, questions, systems that are not whole. overlap: of a document's pieces."""
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
        return self.bytes[token]

    def name_of(self, token: int) -> str:
        return self.pieces.id_to_piece(token)

    def _bytes_of(self, token: int) -> bytes | None:
        name = self.pieces.id_to_piece(token)
        if self.pieces.is_byte(token):
            return bytes([int(name[3:5], 16)])  # <0xE4>
        text = not self.pieces.is_control(token) and not self.pieces.is_unknown(token)
        return name.replace("\u2581", " ").encode() if text else None

    def save(self, folder: str) -> None:
        """Write `tokenizer.model` and the `tokenizer_config.json` that `transformers` needs."""
        os.makedirs(folder, exist_ok=True)
        write_atomic(os.path.join(folder, MODEL_FILE), self.pieces.serialized_model_proto())
        ids = {"bos": self.bos_id, "eos": self.eos_id, "unk": self.pieces.unk_id(), "pad": self.pad_id}
        config: dict = {f"{name}_token": self.name_of(i) for name, i in ids.items()}
        config |= {"tokenizer_class": "LlamaTokenizer", "legacy": False, "clean_up_tokenization_spaces": False}
        config |= {"add_bos_token": False, "add_eos_token": False, "add_prefix_space": self.opens_with_space}
        config |= {"additional_special_tokens": MARKERS if self.role_ids else [], "chat_template": self.template.text}
        write_json(os.path.join(folder, "tokenizer_config.json"), config)


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
    parser.add_argument("--model", default="out/small", help="folder with a tokenizer.model")
    parser.add_argument("--text", required=True)
    args = parser.parse_args(argv)
    tokenizer = Tokenizer(args.model)
    ids = tokenizer.encode(args.text)
    for i in ids:
        print(f"{i:6d}  {tokenizer.name_of(i)!r}")
    print(f"{len(ids)} tokens for {len(args.text)} characters, {len(args.text.encode())} bytes")


if __name__ == "__main__":
    main()
