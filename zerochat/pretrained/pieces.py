"""Vocabularies of two kinds behind the same names: `tokenizer.model` of SentencePiece, and `tokenizer.json` of the
library `tokenizers`, which most models of today bring (byte-level BPE and the like).

names, special     what each id is called; the special tokens (SentencePiece: control symbols) and their ids
ids, opening_id    of "bos", "eos", "unk" and "pad" as far as there are; of what every document begins with
encode, bytes_of   a text's ids; the bytes of text that an id stands for, None for a special token
inside             the same for a text that goes on: without the space that some put before a text
extended           the same with those of some special tokens that it lacks, after the others
write              the files; returns what tokenizer_config.json should say

Left out on purpose: WordPiece, tiktoken and tekken files."""

import json
import os
import re
import struct

import sentencepiece

from zerochat.files import read_json, write_atomic

MODEL_FILE, JSON_FILE = "tokenizer.model", "tokenizer.json"
SPACE = "\u2581"  # how SentencePiece writes a space
ORDINARY = '{}: the tokenizer has {} as ordinary text already; set tokenizer.chat_template to "keep"'

# How byte-level BPE writes bytes as characters: the printable ones stand for themselves, the others for those from
# U+0100 on (Radford et al. 2019; its released code).
PRINTABLE = [*range(33, 127), *range(161, 173), *range(174, 256)]
BYTES = {chr(byte): byte for byte in PRINTABLE}
BYTES |= {chr(256 + i): byte for i, byte in enumerate(sorted({*range(256)} - {*PRINTABLE}))}


def tokenizer_file(folder: str) -> str:
    """The file of a folder that holds its vocabulary: `tokenizer.model` where it has both."""
    for path in (os.path.join(folder, name) for name in (MODEL_FILE, JSON_FILE)):
        if os.path.isfile(path):
            return path
    raise ValueError(f"{folder} has no {MODEL_FILE} and no {JSON_FILE}")


def open_pieces(folder: str) -> "SentencePieces | JsonPieces":
    """The vocabulary of a folder, with what stands beside it."""
    path, settings = tokenizer_file(folder), {}
    with open(path, "rb") as file:
        content = file.read()
    for name in ("special_tokens_map.json", "tokenizer_config.json"):
        settings |= read_json(os.path.join(folder, name))
    if path.endswith(JSON_FILE):
        return JsonPieces(path, settings, content.decode("utf-8", "replace"))
    pieces = SentencePieces(content, path, settings.get("legacy") is True)
    more = {i: name for name, i in read_json(os.path.join(folder, "added_tokens.json")).items()}
    return pieces.extended([more[i] for i in range(len(pieces), len(pieces) + len(more)) if i in more])


class SentencePieces(sentencepiece.SentencePieceProcessor):
    """A SentencePiece model. Its control symbols are never found in text. legacy: where a space goes before a text
    (Llama 2's tokenizer), one goes after every control symbol too."""

    def __init__(self, proto: bytes, path: str, legacy: bool = False):
        try:
            super().__init__(model_proto=proto or b"-")
        except RuntimeError:
            raise ValueError(f"{path} is not a SentencePiece model, or not a whole one") from None
        if min(self.bos_id(), self.eos_id()) < 0:
            raise ValueError(f"{path} has no <s> or no </s>")
        self.path, self.legacy, self.opening_id = path, legacy, self.bos_id()
        self.names = [self.id_to_piece(i) for i in range(len(self))]
        self.special = {name: i for i, name in enumerate(self.names) if self.is_control(i)}
        self.ids = {"bos": self.bos_id(), "eos": self.eos_id(), "unk": self.unk_id(), "pad": self.pad_id()}
        self.ids = {kind: i for kind, i in self.ids.items() if i >= 0}

    def bytes_of(self, i: int) -> bytes | None:
        if self.is_byte(i):
            return bytes.fromhex(self.names[i][3:5])  # <0xE4>
        return None if self.is_control(i) or self.is_unknown(i) else self.names[i].replace(SPACE, " ").encode()

    def inside(self) -> "SentencePieces":
        # NormalizerSpec (field 3 of the model) { add_dummy_prefix = 3: false }, merged by joining the bytes.
        return SentencePieces(self.serialized_model_proto() + b"\x1a\x02\x18\x00", self.path)

    def extended(self, symbols: list[str]) -> "SentencePieces":
        proto = self.serialized_model_proto()
        return SentencePieces(with_symbols(proto, symbols, self.path), self.path, self.legacy) if symbols else self

    def write(self, folder: str, settings: dict) -> dict:
        write_atomic(os.path.join(folder, MODEL_FILE), self.serialized_model_proto())
        if (found := as_json(self, settings["add_prefix_space"])) is not None:
            write_atomic(os.path.join(folder, JSON_FILE), json.dumps(found, ensure_ascii=False))
        return settings


def with_symbols(proto: bytes, symbols: list[str], path: str = MODEL_FILE) -> bytes:
    """A serialized SentencePiece model with those of the symbols that it lacks appended as control symbols. Protobuf
    messages merge when their bytes are joined, repeated fields one after the other: so all pieces keep their ids and
    the new ones come after them. ValueError where a marker is there already as ordinary text."""
    pieces = sentencepiece.SentencePieceProcessor(model_proto=proto)
    for symbol in symbols:
        known = pieces.piece_to_id(symbol)
        if known == pieces.unk_id():
            name = symbol.encode()
            if len(name) > 100:  # more would need lengths of two bytes
                raise ValueError(f"{path}: {symbol[:40]}... is too long for a special token")
            # SentencePiece { piece = 1: string, score = 2: float, type = 3: CONTROL (3) }, itself field 1 of the model
            body = b"\x0a" + bytes([len(name)]) + name + b"\x15" + struct.pack("<f", 0.0) + b"\x18\x03"
            proto += b"\x0a" + bytes([len(body)]) + body
        elif not pieces.is_control(known) and symbol != "<pad>":
            raise ValueError(ORDINARY.format(path, symbol))
    return proto


def as_json(pieces: SentencePieces, spaced: bool) -> dict | None:
    """A SentencePiece BPE model as the `tokenizers` library writes one, for transformers, which else guesses the merges
    from the ids: wrong where long pieces have low ids, as Llama's and Mistral's runs of spaces. None for a unigram
    model, one with symbols found before all merges, and one that rewrites text. spaced: a space goes before a text."""
    text = [i for i in range(len(pieces)) if pieces.bytes_of(i) and not pieces.is_byte(i)]
    score = {pieces.names[i]: pieces.get_score(i) for i in text}
    odd, sure = "\ufb01  \uff21 ", [name for name, value in score.items() if len(name) > 1 and not value]
    bpe = all(value.is_integer() for value in score.values())
    if not bpe or len(sure) > 1 or odd.replace(" ", SPACE) not in pieces.normalize(odd):
        return None
    # SentencePiece joins the two neighbours whose union has the best score, in whatever parts that came about.
    merges = sorted((-value, at, name) for name, value in score.items() for at in range(1, len(name)))
    pairs = [(name[:at], name[at:]) for _, at, name in merges if name[:at] in score and name[at:] in score]
    token = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    special = {pieces.names[pieces.unk_id()]: pieces.unk_id(), **pieces.special}
    model = {"type": "BPE", "unk_token": pieces.names[pieces.unk_id()], "fuse_unk": True, "merges": pairs}
    model |= {"byte_fallback": "<0x00>" in pieces.names, "vocab": {name: i for i, name in enumerate(pieces.names)}}
    scheme = "never" if not spaced else "always" if pieces.legacy else "first"
    space = {"type": "Metaspace", "replacement": SPACE, "prepend_scheme": scheme, "split": False}
    decoder = {"type": "Sequence", "decoders": [{"type": "ByteFallback"}, space, {"type": "Fuse"}]}
    whole = {"version": "1.0", "added_tokens": [{"id": i, "content": name, **token} for name, i in special.items()]}
    return whole | {"pre_tokenizer": space, "decoder": decoder, "model": model}


class JsonPieces:
    """A `tokenizer.json`. Special tokens are found in text only where a template writes them."""

    def __init__(self, path: str, settings: dict, text: str):
        try:
            import tokenizers
        except ImportError:
            raise ValueError(f'{path} needs the library tokenizers: pip install -e ".[pretrained]"') from None
        self.path, self.settings, self.added_token, self.text = path, settings, tokenizers.AddedToken, text
        try:
            self.model, described = tokenizers.Tokenizer.from_str(text), json.loads(text)
        except Exception as error:  # the library raises nothing narrower
            raise ValueError(f"{path} is no tokenizer that the library reads: {str(error)[:100]}") from None
        kind, decoder = described["model"].get("type", "BPE"), json.dumps(described.get("decoder"), ensure_ascii=False)
        self.byte_level = "ByteLevel" in decoder
        if kind not in ("BPE", "Unigram") or not (self.byte_level or SPACE in decoder):
            only = "only byte-level BPE and what is made from SentencePiece's models"
            raise ValueError(f"{path}: {kind} with the decoder {decoder[:80]} is not supported, {only}")
        before = json.dumps([described.get("normalizer"), described.get("pre_tokenizer")])
        self.legacy = '"always"' in before or '"Prepend"' in before
        self.model.encode_special_tokens = True  # what a person types stays text
        self.model.no_truncation()
        self.model.no_padding()
        known = self.model.get_vocab(with_added_tokens=True)
        self.names = [""] * (max(known.values()) + 1)  # some ids may name nothing
        for name, i in known.items():
            self.names[i] = name
        self.special = {token.content: i for i, token in self.model.get_added_tokens_decoder().items() if token.special}
        named = {kind: settings.get(f"{kind}_token") for kind in ("bos", "eos", "unk", "pad")}
        named = {kind: name.get("content") if isinstance(name, dict) else name for kind, name in named.items()}
        self.ids = {kind: known[name] for kind, name in named.items() if isinstance(name, str) and name in known}
        if named["eos"] not in self.special:
            raise ValueError(f"{path}: the tokenizer_config.json beside it names no eos_token that is a special token")
        # Where the tokenizer puts nothing before a text, the end of another comes before it, as in pretraining.
        first, ends = self.model.encode("a").ids[0], (self.special.get("<|endoftext|>"), *self.ids.values())
        self.opening_id = first if first in self.special.values() else next(i for i in ends if i is not None)

    def __len__(self) -> int:
        return len(self.names)

    def encode(self, text: str, **sampling) -> list[int]:
        if sampling:
            raise ValueError(f"{self.path} gives a text one sequence of pieces: set data.augment.subword to 0")
        return self.model.encode(text, add_special_tokens=False).ids

    def bytes_of(self, i: int) -> bytes | None:
        name = self.names[i]
        if not name or name in self.special or i == self.ids.get("unk"):
            return None
        if self.byte_level:
            return bytes(BYTES[sign] for sign in name) if BYTES.keys() >= set(name) else name.encode()
        return bytes.fromhex(name[3:5]) if re.fullmatch("<0x[0-9A-F]{2}>", name) else name.replace(SPACE, " ").encode()

    def inside(self) -> "JsonPieces":
        whole = self.model.to_str()
        bare = re.sub('"prepend_scheme":"(first|always)"', '"prepend_scheme":"never"', whole)
        bare = bare.replace(f'"prepend":"{SPACE}"', '"prepend":""')
        return self if bare == whole else JsonPieces(self.path, self.settings, bare)

    def extended(self, symbols: list[str]) -> "JsonPieces":
        new = [symbol for symbol in symbols if symbol not in self.special]
        if known := [symbol for symbol in new if symbol in self.names]:
            raise ValueError(ORDINARY.format(self.path, known[0]))
        self.model.add_special_tokens([self.added_token(symbol, special=True, normalized=False) for symbol in new])
        special = [*(self.settings.get("additional_special_tokens") or []), *new]
        settings = {"pad_token": "<pad>", **self.settings, "additional_special_tokens": special}
        return JsonPieces(self.path, settings, self.model.to_str()) if new else self

    def write(self, folder: str, settings: dict) -> dict:
        write_atomic(os.path.join(folder, JSON_FILE), self.text)
        return {**self.settings, "chat_template": settings["chat_template"]}
