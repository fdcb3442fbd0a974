"""Which samples stay, and on which side of the split: duplicates, near-duplicates, leakage.

Near-duplicates are found by MinHash (Broder 1997) over character n-grams, so English and Chinese alike need no
words, with locality-sensitive hashing (Leskovec et al., Mining of Massive Datasets, 3.4): texts that agree in one
of 16 bands of their signatures are compared. Signatures are the library's (rensa, Rust); the index is a sort of
one band at a time, about 50 bytes a text, where rensa's own takes 1.4 kB: so 20 million texts fit on a laptop. What
comes first stays, so adding data at the end changes nothing before it."""

import os

import numpy as np

from zerochat.preparation.clean import needed

LETTERS, IDEOGRAPHS = 5, 3  # characters of an n-gram, blanks and punctuation not counted: an ideograph says more
BANDS, ROWS = 16, 4
WIDTH = BANDS * ROWS * 4  # bytes of a signature

# What is known of a sample when it has been cleaned. mark: of the whole text; prompt: of all before the last answer
# (0: a plain document); share: what decides its split; length: bytes of its line; split: its side where that is
# fixed, else 0; counts: 1, or 0 for the second part of a text cut by position.
FIELDS = "mark <u8, prompt <u8, share <u8, length <u4, source <u2, split u1, counts u1"
ENTRY = np.dtype([tuple(field.split()) for field in FIELDS.split(", ")])
TRAIN, VALIDATION = 1, 2  # sides of the split; 0: decided later, or left out
DUPLICATE, NEAR_DUPLICATE, LEAKED = 1, 2, 3  # why something is not where its `share` would put it


def signature(folded: str) -> np.ndarray:
    """uint32 [64]: the text's MinHash over its n-grams; the share of equal places estimates the Jaccard similarity of
    two texts' sets of n-grams, with a standard deviation of at most 0.06. ValueError without rensa."""
    sketch = library().RMinHash(num_perm=BANDS * ROWS, seed=0)
    ideographs = np.count_nonzero(np.frombuffer(folded.encode("utf-32-le", "replace"), "<u4") > 0x2E80)
    size = min(len(folded), IDEOGRAPHS if ideographs * 2 > len(folded) else LETTERS)
    count = len(folded) - size + 1
    for begin in range(0, count, 2**16):  # of a book, not all n-grams at once
        sketch.update([folded[i : i + size] for i in range(begin, min(count, begin + 2**16))])
    return np.array(sketch.digest(), dtype=np.uint32)


def library():
    return needed("rensa", "data.near_duplicates")


def _at(file, places: np.ndarray) -> np.ndarray:
    rows = [os.pread(file.fileno(), WIDTH, place * WIDTH) for place in places.tolist()]
    return np.frombuffer(b"".join(rows), np.uint32).reshape(-1, WIDTH // 4)


def near_duplicates(signatures, threshold: float, chosen: np.ndarray | None = None) -> np.ndarray:
    """signatures: a file, open in binary, of N of them; read as they are needed, for mapped, its pages would count as
    our memory. Of all N texts, or the `chosen` ones (in ascending order): the first of each one's group of
    near-duplicates, itself when alone, [N]."""
    count = os.path.getsize(signatures.name) // WIDTH
    chosen = np.arange(count) if chosen is None else chosen
    places = np.arange(len(chosen), dtype=np.uint32)
    first = places.copy()
    for band in range(BANDS):
        key = np.empty(len(chosen), dtype=np.uint64)
        for i in range(0, count, 2**16):
            signatures.seek(i * WIDTH)
            part = np.fromfile(signatures, np.uint32, 2**16 * WIDTH // 4).reshape(-1, WIDTH // 4)
            rows = np.ascontiguousarray(part[:, band * ROWS : (band + 1) * ROWS]).view("<u8")
            begin, end = np.searchsorted(chosen, (i, i + 2**16))
            part = rows[chosen[begin:end] - i]
            key[begin:end] = part[:, 0] * np.uint64(0x9E3779B97F4A7C15) ^ part[:, 1]
        order = np.argsort(key, kind="stable").astype(np.uint32)
        same = key[order[1:]] == key[order[:-1]]
        starts = np.maximum.accumulate(np.where(np.concatenate([[False], same]), np.uint32(0), places))
        later = np.flatnonzero(same).astype(np.uint32) + np.uint32(1)
        for partner in (later - np.uint32(1), starts[later]):  # its neighbour in the bucket, and the bucket's first
            for i in range(0, len(later), 2**14):
                a, b = order[partner[i : i + 2**14]], order[later[i : i + 2**14]]
                new = a < first[b]
                a, b = a[new], b[new]
                alike = (_at(signatures, chosen[a]) == _at(signatures, chosen[b])).mean(1) >= threshold
                np.minimum.at(first, b[alike], a[alike])
    for i in np.flatnonzero(first < np.arange(len(first))):  # a's own first may be earlier still
        first[i] = first[first[i]]
    return first


def decide(entries: np.ndarray, fraction: float, exact: bool, threshold: float | None, signatures):
    """entries [N] of ENTRY -> split [N] (its side, 0 for none), why [N] (0 or a reason), first [N]. Held out
    are the entries whose `share` is below `fraction`: a hash of the first question, so that no prompt is on both sides
    and an entry stays where it is when data are added. Of a group of (near-)duplicates one is left, so none straddles
    the split. A held-out conversation whose prompt, everything before its last answer, occurs in training joins
    training."""
    why, first = np.zeros(len(entries), dtype=np.uint8), np.arange(len(entries), dtype=np.uint32)
    if exact:
        order = np.argsort(entries["mark"], kind="stable").astype(np.uint32)
        marks = entries["mark"][order]
        starts = np.flatnonzero(np.concatenate([[True], marks[1:] != marks[:-1]])) if len(marks) else np.zeros(0, int)
        first[order] = np.repeat(order[starts], np.diff(starts, append=len(marks)))
        why[first < np.arange(len(entries))] = DUPLICATE
    if threshold:
        left = np.flatnonzero(why == 0)
        group = left[near_duplicates(signatures, threshold, left)]
        first[left] = group
        why[left[group < left]] = NEAR_DUPLICATE
    held_out = entries["share"] < np.uint64(min(2**64 - 1, int(fraction * 2.0**64)))
    split = np.where(entries["split"] > 0, entries["split"], np.where(held_out, np.uint8(VALIDATION), np.uint8(TRAIN)))
    split[why > 0] = 0
    prompts = np.unique(entries["prompt"][split == VALIDATION])
    trained_on = np.zeros(len(prompts), dtype=bool)
    for i in range(0, len(entries) if len(prompts) else 0, 2**20):
        part = entries["prompt"][i : i + 2**20][split[i : i + 2**20] == TRAIN]
        place = np.searchsorted(prompts, part) % len(prompts)
        trained_on[place[prompts[place] == part]] = True
    held_out = np.flatnonzero(split == VALIDATION)
    leaked = held_out[np.isin(entries["prompt"][held_out], prompts[trained_on & (prompts > 0)])]
    split[leaked], why[leaked] = TRAIN, LEAKED
    return split, why, first
