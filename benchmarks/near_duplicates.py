"""Near-duplicates planted among real answers: how many are found, how many of those found are, and how long it takes.

    python benchmarks/near_duplicates.py --english alpaca.json --chinese alpaca_zh.json      # needs datasketch

500 of 3,000 answers are copied with a share of their words (Chinese: characters) replaced. What is true is the exact
Jaccard similarity of the sets of character n-grams; the time is compared with datasketch's MinHash and MinHashLSH.
"""

import argparse
import os
import random
import sys
import tempfile
import time

import datasketch
import numpy as np

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from config import SOURCE
from zerochat.preparation import clean, duplicates, formats

THRESHOLD = 0.8


def texts_of(path: str, count: int, draw: random.Random) -> list[str]:
    samples = [s for *_, s in formats.read({**SOURCE, "path": os.path.abspath(path)}, "") if isinstance(s, dict)]
    texts = ["\n".join(m["content"] for m in s["messages"]) for s in samples if len(s["messages"][-1]["content"]) > 80]
    return draw.sample(texts, count)


def edited(text: str, share: float, joint: str, draw: random.Random) -> str:
    parts = text.split() if joint else list(text)
    others = "other new some thing".split() if joint else "他们我的新旧大小"
    for _ in range(max(1, int(len(parts) * share))):
        parts[draw.randrange(len(parts))] = draw.choice(others)
    return joint.join(parts)


def jaccard(a: str, b: str) -> float:
    def grams(text: str) -> set[str]:
        sizes = (duplicates.IDEOGRAPHS if c > "\u2e80" else duplicates.LETTERS for c in text[:1 - duplicates.IDEOGRAPHS])
        return {text[i:i + size] for i, size in enumerate(sizes)}

    a, b = grams(a), grams(b)
    return len(a & b) / max(1, len(a | b))


def first_of_each(texts: list[str]) -> np.ndarray:
    with tempfile.NamedTemporaryFile() as file:
        np.array([duplicates.signature(text) for text in texts]).tofile(file.name)
        return duplicates.near_duplicates(file, THRESHOLD)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--english", required=True)
    parser.add_argument("--chinese", required=True)
    args = parser.parse_args()
    draw = random.Random(0)
    print("| language | replaced | recall | of | recall at 0.9 | of | precision | at 0.7 |\n|---|---|---:|---:|---:|---:|---:|---:|")
    for language, path, joint in (("English", args.english, " "), ("Chinese", args.chinese, "")):
        base = texts_of(path, 3000, draw)
        for share in (0.01, 0.02, 0.05, 0.1):
            texts = [clean.fold(text) for text in base + [edited(text, share, joint, draw) for text in base[:500]]]
            first = first_of_each(texts)
            found = {i for i in range(len(texts)) if first[i] < i}
            true = {i: jaccard(texts[i - 3000], texts[i]) for i in range(3000, 3500)}
            pairs = [jaccard(texts[i], texts[first[i]]) for i in found]
            row = []
            for least in (THRESHOLD, 0.9):
                alike = [i for i, value in true.items() if value >= least]
                row += [f"{sum(i in found for i in alike) / max(1, len(alike)):.1%}", str(len(alike))]
            row += [f"{sum(value >= least for value in pairs) / max(1, len(pairs)):.1%}" for least in (THRESHOLD, 0.7)]
            print(f"| {language} | {share:.0%} | {' | '.join(row)} |")
        folded, size = [clean.fold(text) for text in base], duplicates.LETTERS if joint else duplicates.IDEOGRAPHS
        begun = time.process_time()
        first_of_each(folded)
        ours, begun = time.process_time() - begun, time.process_time()
        index = datasketch.MinHashLSH(threshold=THRESHOLD, num_perm=64)
        for i, text in enumerate(folded):
            hashes = datasketch.MinHash(num_perm=64)
            hashes.update_batch([text[k:k + size].encode() for k in range(max(1, len(text) - size + 1))])
            index.query(hashes)
            index.insert(i, hashes)
        theirs = time.process_time() - begun
        print(f"{language}: {ours / 3000 * 1e6:.0f} µs a text, datasketch {theirs / 3000 * 1e6:.0f} µs")


if __name__ == "__main__":
    main()
