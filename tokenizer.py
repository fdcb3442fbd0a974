"""SentencePiece training, the chat template, and decoding as a stream.

    python tokenizer.py --model out/small --text "Hello, 世界!"      # see the pieces

A conversation is `<s>`, then for each message its role marker, its text and `<|end|>`; what the assistant
says, with its `<|end|>`, is supervised:

    <s><|user|>Hi!<|end|><|assistant|>Hello.<|end|><|user|>Bye.<|end|><|assistant|>See you.<|end|>
    ..  ......  ..  .....  ...........  ^^^^^^ ^^^^^  ......  ....  .....  ...........  ^^^^^^^^ ^^^^^

The markers are control symbols, which SentencePiece never finds in text: whatever a person types stays
text. A pretrained tokenizer is extended with them, or keeps the template of its own (template.py). Left out on
purpose: Unicode normalisation (a string comes back as it went in) and tokenizers other than SentencePiece.
"""

import argparse
import codecs
import io
import json
import os
import re
import struct
from collections.abc import Iterable, Iterator

import sentencepiece

from zerochat.pretrained.template import ChatTemplate

ROLES = ("system", "user", "assistant")
MARKERS = [f"<|{role}|>" for role in ROLES]
END = "<|end|>"
MODEL_FILE = "tokenizer.model"
LONG = 1000  # characters

# `{% generation %}` makes transformers return the same mask that `render` does.
CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}{{ '<|' + message['role'] + '|>' }}"
    "{% if message['role'] == 'assistant' %}{% generation %}{{ message['content'] + '<|end|>' }}{% endgeneration %}"
    "{% else %}{{ message['content'] + '<|end|>' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
# A tokenizer that puts a space before every text (Llama 2's) does so after a marker, too; transformers has to be told.
SPACED = CHAT_TEMPLATE.replace("message['content']", "(' ' + message['content'] if message['content'] else '')")


def with_markers(proto: bytes) -> bytes:
    """A serialized SentencePiece model with the chat markers, and `<pad>`, that it lacks appended as control symbols.

    Protobuf messages merge when their bytes are joined, repeated fields one behind the other: so all pieces
    keep their ids and the new ones come after them. ValueError where one is there already as ordinary text.
    """
    pieces = sentencepiece.SentencePieceProcessor(model_proto=proto)
    for piece in ["<pad>", *MARKERS, END]:
        known = pieces.piece_to_id(piece)
        if known == pieces.unk_id():
            name = piece.encode()
            # SentencePiece { piece = 1: string, score = 2: float, type = 3: CONTROL (3) }, itself field 1 of the model
            body = b"\x0a" + bytes([len(name)]) + name + b"\x15" + struct.pack("<f", 0.0) + b"\x18\x03"
            proto += b"\x0a" + bytes([len(body)]) + body
        elif not pieces.is_control(known) and piece != "<pad>":
            raise ValueError(
                f"the tokenizer has {piece} as ordinary text already; "
                'set tokenizer.chat_template to "keep" to use the model\'s own chat template'
            )
    return proto


class Tokenizer:
    """Text to token ids and back, and conversations to ids with their loss mask.

    >>> tokenizer = Tokenizer("out/small")
    >>> tokenizer.decode(tokenizer.encode("  two  spaces\\n"))
    '  two  spaces\\n'

    chat_template, for a folder whose tokenizer lacks the markers: "markers" adds them, "keep" takes the folder's own
    template. None: the markers where they are, else the folder's own template; ValueError where it has neither.
    """

    def __init__(self, folder: str, chat_template: str | None = None):
        path = os.path.join(folder, MODEL_FILE)
        if not os.path.isfile(path):
            raise ValueError(
                f"{folder} has no {MODEL_FILE}"
                + (
                    "; its tokenizer.json alone is not read: only SentencePiece tokenizers are"
                    if os.path.isfile(os.path.join(folder, "tokenizer.json"))
                    else ""
                )
            )
        with open(path, "rb") as file:
            proto = file.read()
        try:
            pieces = sentencepiece.SentencePieceProcessor(model_proto=proto)
        except RuntimeError as error:
            raise ValueError(f"{path} is not a SentencePiece model") from error
        size = pieces.get_piece_size()
        lacking = [marker for marker in [END, *MARKERS] if not pieces.is_control(pieces.piece_to_id(marker))]
        own = ChatTemplate.source(folder) if chat_template == "keep" or lacking and chat_template is None else None
        if chat_template == "keep" and own is None:
            raise ValueError(f'{folder} has no chat template to keep; set tokenizer.chat_template to "markers"')
        if lacking and own is None:
            if chat_template != "markers":
                raise ValueError(f"{path} lacks the chat markers {' '.join(lacking)} as control symbols")
            try:
                pieces = sentencepiece.SentencePieceProcessor(model_proto=with_markers(proto))
            except ValueError as error:
                raise ValueError(f"{path}: {error}") from None
        self.pieces, self.added = pieces, pieces.get_piece_size() - size
        self.bos_id, self.eos_id, self.pad_id = pieces.bos_id(), pieces.eos_id(), pieces.pad_id()
        if min(self.bos_id, self.eos_id) < 0:
            raise ValueError(f"{path} has no <s> or no </s>")
        self.pad_id = self.pad_id if self.pad_id >= 0 else pieces.unk_id()
        self.opens_with_space = pieces.id_to_piece(pieces.encode("a")[0]).startswith("\u2581")
        if own is None:
            self.template, self.end_id = None, pieces.piece_to_id(END)
            self.role_ids = {role: pieces.piece_to_id(marker) for role, marker in zip(ROLES, MARKERS)}
        else:
            self.template, self.end_id, self.role_ids = ChatTemplate(own, pieces, folder), self.eos_id, {}
        # What a byte piece such as <0xE4> stands for; every other piece is text.
        self.byte_values = {
            i: int(self.pieces.id_to_piece(i)[3:5], 16) for i in range(len(self)) if self.pieces.is_byte(i)
        }
        # With "\n" a piece of its own, lines can be encoded apart.
        apart = [i for part in ("a\n", "\n", "a") for i in self.pieces.encode(part)]
        self.lines_apart = (
            self.pieces.encode("a\n\na") == apart
            and sum("\n" in self.pieces.id_to_piece(i) for i in range(len(self))) == 1
        )

    def __len__(self) -> int:
        return self.pieces.get_piece_size()

    def encode(self, text: str) -> list[int]:
        """Token ids of plain text: never a control symbol. A lone surrogate, which is no character, becomes U+FFFD.
        Where `opens_with_space`, the text gets one in front, which decoding takes away again."""
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

    def decode(self, ids: Iterable[int]) -> str:
        """The text of token ids; control symbols are skipped, bytes that form no character become U+FFFD."""
        stream = StreamDecoder(self)
        return "".join(stream.push(i) for i in ids) + stream.flush()

    def render(self, sample: dict | list, add_generation_prompt: bool = False) -> tuple[list[int], list[bool]]:
        """The ids of a sample and, for each, whether it is supervised.

        sample: `{"messages": [{"role", "content"}, ...]}`, or its list of messages alone, or the plain
        document `{"text": ...}`, which is `<s>` text `</s>` and supervised but for the `<s>`.
        add_generation_prompt ends the ids with the marker that makes the assistant speak.
        """
        ids, mask = [self.bos_id], [False]

        def add(tokens: list[int], supervised: bool) -> None:
            ids.extend(tokens)
            mask.extend([supervised] * len(tokens))

        if isinstance(sample, dict) and "text" in sample:
            add([*self.encode(sample["text"]), self.eos_id], True)
            return ids, mask
        if self.template:
            messages = sample["messages"] if isinstance(sample, dict) else sample
            return self.template.render(messages, add_generation_prompt)
        for message in sample["messages"] if isinstance(sample, dict) else sample:
            add([self.role_ids[message["role"]]], False)
            add([*self.encode(message["content"]), self.end_id], message["role"] == "assistant")
        if add_generation_prompt:
            add([self.role_ids["assistant"]], False)
        return ids, mask

    def token_bytes(self) -> list[int]:
        """UTF-8 bytes of text that each token stands for, 0 for control symbols: the unit of bits per byte."""
        return [
            1
            if i in self.byte_values
            else 0
            if self.pieces.is_control(i) or self.pieces.is_unknown(i)
            else len(self.pieces.id_to_piece(i).replace("\u2581", " ").encode())
            for i in range(len(self))
        ]

    def save(self, folder: str) -> None:
        """Write `tokenizer.model` and the `tokenizer_config.json` that `transformers` needs."""
        os.makedirs(folder, exist_ok=True)
        template = self.template.text if self.template else SPACED if self.opens_with_space else CHAT_TEMPLATE
        config = {
            "tokenizer_class": "LlamaTokenizer",
            "legacy": False,
            "add_prefix_space": self.opens_with_space,
            "add_bos_token": False,
            "add_eos_token": False,
            "clean_up_tokenization_spaces": False,
            "bos_token": self.pieces.id_to_piece(self.bos_id),
            "eos_token": self.pieces.id_to_piece(self.eos_id),
            "unk_token": self.pieces.id_to_piece(self.pieces.unk_id()),
            "pad_token": self.pieces.id_to_piece(self.pad_id),
            "additional_special_tokens": [] if self.template else [*MARKERS, END],
            "chat_template": template,
        }
        with open(os.path.join(folder, MODEL_FILE), "wb") as file:
            file.write(self.pieces.serialized_model_proto())
        with open(os.path.join(folder, "tokenizer_config.json"), "w", encoding="utf-8") as file:
            json.dump(config, file, indent=2, ensure_ascii=False)


class StreamDecoder:
    """Decodes token by token and shows only whole characters.

    A Chinese character or an emoji may be three or four byte pieces; `push` holds them back until
    the character is complete.
    """

    def __init__(self, tokenizer: Tokenizer):
        self.tokenizer = tokenizer
        self.bytes = codecs.getincrementaldecoder("utf-8")("replace")
        self.opening = tokenizer.opens_with_space  # the next space, if it comes first, is the tokenizer's own

    def push(self, token: int) -> str:
        """The text that this token completes, often its own piece, sometimes ""."""
        if token in self.tokenizer.byte_values:
            self.opening = False
            return self.bytes.decode(bytes([self.tokenizer.byte_values[token]]))
        held = self.flush()  # bytes cut short by another piece can no longer become a character
        if self.tokenizer.pieces.is_control(token) or self.tokenizer.pieces.is_unknown(token):
            self.opening = self.tokenizer.opens_with_space
            return held
        text = self.tokenizer.pieces.id_to_piece(token).replace("\u2581", " ")
        text, self.opening = text.removeprefix(" ") if self.opening else text, False
        return held + text

    def flush(self) -> str:
        """What was held back, as U+FFFD."""
        text = self.bytes.decode(b"", final=True)
        self.bytes.reset()
        return text


def train_tokenizer(
    texts: Iterable[str],
    folder: str,
    vocab_size: int,
    model_type: str = "bpe",
    character_coverage: float = 0.9995,
    split_digits: bool = True,
    max_piece_length: int = 16,
    max_train_chars: int = 20_000_000,
) -> Tokenizer:
    """Train SentencePiece on texts (Kudo & Richardson 2018), write it into `folder` and return it.

    The same texts in the same order give the same model, on any number of cores. Raises ValueError, naming the largest
    vocabulary that fits, where the texts are too few.
    """

    def lines() -> Iterator[str]:
        # SentencePiece learns from lines and skips any over 4192 bytes, so long ones are cut.
        seen = 0
        for text in texts:
            for line in text.split("\n"):
                for begin in range(0, len(line), 1000):
                    yield line[begin : begin + 1000].encode("utf-8", "replace").decode("utf-8").replace("\0", " ")
            seen += len(text)
            if seen > max_train_chars:
                return

    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=lines(),
            model_writer=model,
            vocab_size=vocab_size,
            model_type=model_type,
            character_coverage=character_coverage,
            split_digits=split_digits,
            max_sentencepiece_length=max_piece_length,
            unk_id=0,
            bos_id=1,
            eos_id=2,
            pad_id=3,
            control_symbols=[*MARKERS, END],
            user_defined_symbols=["\n"],
            byte_fallback=True,
            normalization_rule_name="identity",
            remove_extra_whitespaces=False,
            add_dummy_prefix=False,
            allow_whitespace_only_pieces=True,
            minloglevel=2,
            # Unigram's sums depend on the number of threads.
            num_threads=os.cpu_count() or 1 if model_type == "bpe" else 1,
        )
    except (RuntimeError, OSError) as error:
        raise ValueError(f"tokenizer.vocab_size {vocab_size}: {_advice(str(error))}") from error
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, MODEL_FILE), "wb") as file:
        file.write(model.getvalue())
    tokenizer = Tokenizer(folder)
    tokenizer.save(folder)
    return tokenizer


def _advice(error: str) -> str:
    if fits := re.search(r"value <= (\d+)", error):
        return f"too large for this training text; at most {fits[1]} fits"
    if needs := re.search(r"smaller than required_chars\D*\d+ vs (\d+)", error):
        return f"too small: bytes, markers and this text's characters need at least {needs[1]}"
    return "SentencePiece could not train: " + " ".join(error.split())


def main(argv=None) -> None:
    parser = argparse.ArgumentParser(description="show how a text is cut into pieces")
    parser.add_argument("--model", default="out/small", help="folder with a tokenizer.model")
    parser.add_argument("--text", required=True)
    args = parser.parse_args(argv)
    tokenizer = Tokenizer(args.model)
    ids = tokenizer.encode(args.text)
    for i in ids:
        print(f"{i:6d}  {tokenizer.pieces.id_to_piece(i)!r}")
    print(f"{len(ids)} tokens for {len(args.text)} characters, {len(args.text.encode())} bytes")


if __name__ == "__main__":
    main()
