"""Strings of every kind, by the thousand, the same ones each time: what a tokenizer must agree on with others."""

import random

KINDS = {
    "english": lambda r: " ".join(r.choice("the of cat Hello, World's isn't naïve order number 12345 $3.50 Mr. A.B.".split())
                                  for _ in range(r.randint(1, 12))),
    "chinese": lambda r: "".join(r.choice("你好世界，我的名字是。今天天气怎么样？红烧牛肉第一百２３") if r.random() < 0.8
                                 else chr(r.randint(0x4E00, 0x9FFF)) for _ in range(r.randint(1, 20))),
    "emoji": lambda r: "".join(r.choice(["😀", "👨‍👩‍👧", "🇨🇳", "❤️", "🏳️‍🌈", "👍🏽", "ok ", "\u200d"])
                               for _ in range(r.randint(1, 8))),
    "code": lambda r: "".join(r.choice(["def f(x):\n", "    return x**2\n", "\tif (a!=b) {\r\n", "// 注释\n", "x = {'k': [1, 2]}\n",
                                        "<div class=\"a\">", "</div>", "#include <stdio.h>\n", "a->b", "%%", "\\n"])
                              for _ in range(r.randint(1, 8))),
    "whitespace": lambda r: "".join(r.choice([" ", "  ", "\n", "\t", "\r\n", "\u3000", "\u00a0", "a", "b."])
                                    for _ in range(r.randint(1, 16))),
    "bytes": lambda r: "".join(chr(r.choice([r.randint(1, 0xD7FF), r.randint(0xE000, 0xFFFD), r.randint(0x10000, 0x10FFFF)]))
                               for _ in range(r.randint(1, 16))),
    "mixed": lambda r: "".join(KINDS[r.choice(["english", "chinese", "emoji", "code", "whitespace", "bytes"])](r)
                               for _ in range(3))}
MARKS = ("\u2581", "<|", "|>", "<s>", "</s>", "<unk>", "<pad>", "<0x")  # SentencePiece's space mark, and what spells a marker


def strings(count: int, seed: int = 0) -> list[str]:
    """`count` strings, as many of each kind, none with a marker or U+2581 in it."""
    r, found = random.Random(seed), []
    while len(found) < count:
        text = list(KINDS.values())[len(found) % len(KINDS)](r)
        if not any(mark in text for mark in MARKS):
            found.append(text)
    return found
