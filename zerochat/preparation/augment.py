"""Augmentation: other versions of a sample, a function of (seed, number, sample).

People type carelessly, and training data seldom do. Changed is what the *user* says, never the answer: what is
supervised stays as it was. Of the training split alone, and off by default (`data.augment.variants` 0):
`benchmarks/augmentation.py` shows what each kind gains and costs."""

import hashlib
import random

# Neighbours on a keyboard; a finger that misses hits one of them.
KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
NEAR = {key: row[max(0, i - 1) : i] + row[i + 1 : i + 2] for row in KEYS for i, key in enumerate(row)}
FULL_WIDTH = {chr(i): chr(i + 0xFEE0) for i in range(0x21, 0x7F)}
HALF_WIDTH = {full: half for half, full in FULL_WIDTH.items()} | {"。": ".", "、": ","}


def typos(text: str, draw: random.Random, rate: float) -> str:
    """Each character, with probability `rate`, dropped, doubled, swapped with the next, or a key beside it."""
    out, i = [], 0
    while i < len(text):
        c, i = text[i], i + 1
        if draw.random() >= rate or c.isspace():
            out.append(c)
            continue
        kind = draw.randrange(4)
        if kind == 1:
            out += [c, c]
        elif kind == 2 and i < len(text):
            out += [text[i], c]
            i += 1
        elif kind == 3:
            out.append(draw.choice(NEAR.get(c.lower()) or c))
    return "".join(out)


def case(text: str, draw: random.Random) -> str:
    """All lower, all upper, or the first letter's case turned."""
    return draw.choice((text.lower(), text.upper(), text[:1].swapcase() + text[1:]))


def punctuation(text: str, draw: random.Random) -> str:
    """The last mark left out, or tripled, or put after a blank."""
    bare = text.rstrip(".?!。？！")
    mark = text[len(bare) :]
    return draw.choice((bare, bare + mark * 3, f"{bare} {mark}")) if mark and bare else text


def width(text: str, draw: random.Random) -> str:
    """Punctuation and digits of the other width, as an input method left in the wrong state types them."""
    table = FULL_WIDTH if draw.random() < 0.5 else HALF_WIDTH
    return "".join(table[c] if c in table and not c.isalpha() else c for c in text)


def version(sample: dict, tokenizer, settings: dict, seed: int, number: int):
    """This version of the sample, and the function that encodes its texts (None: the tokenizer's own). settings:
    `data.augment`. Each kind happens with its probability; `typos` is one per character, `subword` the dropout of
    merges (BPE, Provilkov et al. 2020) or the inverse temperature of sampling (unigram, Kudo 2018)."""
    if "messages" not in sample:
        return sample, None
    identity = "\0".join(f"{m['role']}\0{m['content']}" for m in sample["messages"]).encode("utf-8", "replace")
    draw = random.Random(hashlib.blake2b(identity + f"\0{seed}\0{number}".encode(), digest_size=8).digest())
    messages = list(sample["messages"])
    for i, m in enumerate(messages):
        if m["role"] == "user":
            messages[i] = {**m, "content": _noisy(m["content"], draw, settings)}
    encode = None
    if settings["subword"]:
        said = {side: {m["content"] for m in messages if m["role"] == side} for side in ("user", "assistant")}
        encode = _subword(tokenizer, settings["subword"], draw.getrandbits(31), said["user"] - said["assistant"])
    return {**sample, "messages": messages}, encode


def _subword(tokenizer, rate: float, seed: int, texts: set[str]):
    """A function that cuts these texts into other pieces than the likeliest; the texts stay the same."""

    def encode(text: str) -> list[int]:
        if text not in texts:
            return tokenizer.encode(text)
        # Seeded anew for each text: its pieces do not depend on what was encoded before.
        return tokenizer.sampled(text, rate, (seed + len(text)) % 2**31)

    return encode


def _noisy(text: str, draw: random.Random, settings: dict) -> str:
    changed = text
    for kind in (case, punctuation, width):
        if draw.random() < settings[kind.__name__]:
            changed = kind(changed, draw)
    changed = typos(changed, draw, settings["typos"]) if settings["typos"] else changed
    return changed if changed.strip() else text
