"""Which samples stay, and on which side of the split: duplicates, near-duplicates, leakage.

Near-duplicates are found by MinHash (Broder 1997) over character n-grams, so English and Chinese alike need no
words, with locality-sensitive hashing (Leskovec et al., Mining of Massive Datasets, 3.4): texts that agree in one
of 16 bands of their signatures are compared. The index is a sort of one column at a time, 16 bytes a text, where a
dictionary of buckets takes kilobytes; so 20 million texts fit on a laptop. What comes first stays, so
adding data at the end changes nothing before it.
"""

import numpy as np

LETTERS, IDEOGRAPHS = 5, 3  # characters of an n-gram, blanks and punctuation not counted: an ideograph says more
BANDS, ROWS = 16, 4
_numbers = np.random.default_rng(0)
A = _numbers.integers(0, 2**31, BANDS * ROWS, dtype=np.uint32)[:, None] * np.uint32(2) + np.uint32(1)
B = _numbers.integers(0, 2**32, BANDS * ROWS, dtype=np.uint32)[:, None]

# What is known of a sample when it has been cleaned. mark: of the whole text; prompt: of all before the last answer
# (0: a plain document); share: what decides its split; length: bytes of its line; split: 0 by share, 1 train,
# 2 validation; counts: 1, or 0 for the second part of a text cut by position.
ENTRY = np.dtype([("mark", "<u8"), ("prompt", "<u8"), ("share", "<u8"), ("length", "<u4"), ("source", "<u2"),
                  ("split", "u1"), ("counts", "u1")])
DUPLICATE, NEAR_DUPLICATE, LEAKED = 1, 2, 3


def signature(folded: str) -> np.ndarray:
    """uint32 [64]: the least of 64 random hashes over the text's n-grams; the share of equal places estimates
    the Jaccard similarity of two texts' sets of n-grams, with a standard deviation of at most 0.06."""
    codes = np.frombuffer(folded.encode("utf-32-le", "replace"), dtype="<u4")
    size = min(len(codes), IDEOGRAPHS if np.count_nonzero(codes > 0x2E80) * 2 > len(codes) else LETTERS)
    count = max(1, len(codes) - size + 1)
    grams = np.zeros(count, dtype=np.uint32)
    for k in range(size):
        grams = grams * np.uint32(0x01000193) + codes[k:k + count]
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)):  # MurmurHash3's mixing of 32 bits
        grams = (grams ^ (grams >> np.uint32(shift))) * np.uint32(factor)
    least = [(grams[i:i + 4096] * A + B).min(1) for i in range(0, count, 4096)]
    return least[0] if len(least) == 1 else np.min(least, axis=0)


def near_duplicates(signatures: np.ndarray, threshold: float, chosen: np.ndarray | None = None) -> np.ndarray:
    """signatures [N, 64], or the `chosen` of them -> int64 [N]: the first text of each one's group of near-duplicates,
    itself when alone."""
    chosen = np.arange(len(signatures)) if chosen is None else chosen
    first = np.arange(len(chosen))
    for band in range(BANDS):
        columns = np.ascontiguousarray(signatures[:, band * ROWS:(band + 1) * ROWS]).view("<u8")[chosen]
        key = columns[:, 0] * np.uint64(0x9E3779B97F4A7C15) ^ columns[:, 1]
        order = np.argsort(key, kind="stable")
        same = key[order[1:]] == key[order[:-1]]
        starts = np.maximum.accumulate(np.where(np.concatenate([[False], same]), 0, np.arange(len(order))))
        later = np.flatnonzero(same) + 1
        for partner in (later - 1, starts[later]):  # its neighbour in the bucket, and the bucket's first
            for i in range(0, len(later), 2**16):
                a, b = order[partner[i:i + 2**16]], order[later[i:i + 2**16]]
                alike = (signatures[chosen[a]] == signatures[chosen[b]]).mean(1) >= threshold
                np.minimum.at(first, b[alike], a[alike])
    for i in np.flatnonzero(first < np.arange(len(first))):  # a's own first may be earlier still
        first[i] = first[first[i]]
    return first


def decide(entries: np.ndarray, fraction: float, exact: bool, threshold: float | None, signatures):
    """entries [N] of ENTRY -> split [N] (0 none, 1 train, 2 validation), why [N] (0 or a reason), first [N].

    Held out are the entries whose `share` is below `fraction`: a hash of the first question, so that no prompt is
    on both sides and an entry stays where it is when data are added. Of a group of (near-)duplicates one is left,
    so none straddles the split. A held-out conversation whose prompt, everything before its last answer, occurs
    in training joins training.
    """
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
    split = np.where(entries["split"] > 0, entries["split"], held_out.astype(np.uint8) + np.uint8(1))
    split[why > 0] = 0
    prompts = np.unique(entries["prompt"][split == 2])
    trained_on = np.zeros(len(prompts), dtype=bool)
    for i in range(0, len(entries) if len(prompts) else 0, 2**20):
        part = entries["prompt"][i:i + 2**20][split[i:i + 2**20] == 1]
        place = np.searchsorted(prompts, part) % len(prompts)
        trained_on[place[prompts[place] == part]] = True
    held_out = np.flatnonzero(split == 2)
    leaked = held_out[np.isin(entries["prompt"][held_out], prompts[trained_on & (prompts > 0)])]
    split[leaked], why[leaked] = 1, LEAKED
    return split, why, first
