"""Which samples stay, and on which side of the split: duplicates, near-duplicates, leakage.

Near-duplicates are found by MinHash (Broder 1997) over character n-grams, so English and Chinese alike need no
words, with locality-sensitive hashing (Leskovec et al., Mining of Massive Datasets, 3.4): texts that agree in one
of 16 bands of their signatures are compared. Half of a conversation's signature is of its questions, half of its
answers, and both must be alike: another question with the same answer is another sample. Signatures are the library's
(rensa, Rust); the index takes 128 bytes a text. A text goes only if it is like an earlier one that stays."""

import os
import re

import numpy as np

from zerochat.preparation.clean import fold, hash64, needed

# Characters of an n-gram that begins with a letter or with an ideograph, which says more; blanks are not counted.
LETTERS, IDEOGRAPHS = 5, 3
LINE = 100  # characters: in lines of a question up to this length, and in its numbers, nothing may differ
BANDS, ROWS = 16, 4
WIDTH = BANDS * ROWS * 4  # bytes of a signature

# What is known of a sample when it has been cleaned. mark: of the whole text; prompt: of all before the last answer
# (0: a plain document); share: what decides its split; length: bytes of its line; split: its side where that is
# fixed, else 0; counts: 1, or 0 for the second part of a text cut by position.
FIELDS = "mark <u8, prompt <u8, share <u8, length <u4, source <u2, split u1, counts u1"
ENTRY = np.dtype([tuple(field.split()) for field in FIELDS.split(", ")])
TRAIN, VALIDATION = 1, 2  # sides of the split; 0: decided later, or left out
DUPLICATE, NEAR_DUPLICATE, LEAKED = 1, 2, 3  # why something is not where its `share` would put it


def signature(folded: str, hashes: int = BANDS * ROWS) -> np.ndarray:
    """uint32 [16, hashes / 16]: the text's MinHash over its n-grams; the share of equal places estimates the Jaccard
    similarity of two texts' n-grams, its standard deviation at most 0.06 (0.09 with 32). ValueError without rensa."""
    sketch = needed("rensa", "data.near_duplicates").RMinHash(num_perm=hashes, seed=0)
    count = max(1, len(folded) - IDEOGRAPHS + 1)
    for begin in range(0, count, 2**16):  # of a book, not all n-grams at once
        places = range(begin, min(count, begin + 2**16))
        sketch.update([folded[i : i + (IDEOGRAPHS if folded[i : i + 1] > "\u2e80" else LETTERS)] for i in places])
    return np.array(sketch.digest(), dtype=np.uint32).reshape(BANDS, -1)


def signature_of(sample: dict) -> np.ndarray:
    """uint32 [16, 4]: of a document, or in two columns each of what is asked and of what is answered."""
    if "text" in sample:
        return signature(fold(sample["text"]))
    asked = "\n".join(m["content"] for m in sample["messages"] if m["role"] != "assistant")
    said = "\n".join(m["content"] for m in sample["messages"] if m["role"] == "assistant")
    exact = [fold(line) for line in asked.split("\n") if len(line) <= LINE] + re.findall(r"\d+", asked)
    # Questions that differ in these share no hash at all.
    question = signature(fold(asked), BANDS * 2) ^ np.uint32(hash64("\n".join(exact)) >> 32)
    return np.concatenate([question, signature(fold(said), BANDS * 2)], axis=1)


def near_duplicates(signatures, threshold: float, chosen: np.ndarray | None = None) -> np.ndarray:
    """For each of the `chosen` (ascending; None: all), the place in `chosen` of an earlier one that it is like and that
    stays, its own when it stays: [len(chosen)]. signatures: a file of them, open in binary. Each is compared with the
    first text of every bucket it falls into (or of another in that slot); one that stays takes the empty slots."""

    def sketch(number: int) -> np.ndarray:
        return np.frombuffer(os.pread(signatures.fileno(), WIDTH, number * WIDTH), np.uint32).reshape(BANDS, ROWS)

    chosen = np.arange(os.path.getsize(signatures.name) // WIDTH) if chosen is None else chosen
    first, mix = np.arange(len(chosen), dtype=np.uint32), np.uint64(0x9E3779B97F4A7C15)
    table, bands = np.full(2 * BANDS * len(chosen) + 1, -1, np.int32), np.arange(BANDS, dtype=np.uint64)
    for place, number in enumerate(chosen):
        this = sketch(number)
        halves = this.view("<u8")
        slots = ((halves[:, 0] * mix ^ halves[:, 1] ^ bands) * mix >> np.uint64(20)) % np.uint64(len(table))
        for other in np.unique(table[slots][table[slots] >= 0]).tolist():
            equal = (sketch(chosen[other]) == this).reshape(BANDS, 2, ROWS // 2)
            if (equal.mean((0, 2)) >= threshold).all():
                first[place] = other
                break
        else:
            table[slots[table[slots] < 0]] = place
    return first


def decide(entries: np.ndarray, fraction: float, exact: bool, threshold: float | None, signatures):
    """entries [N] -> split [N] (side, 0: none), why [N] (0 or a reason), first [N] (of its duplicates). Held out
    are the entries whose `share` is below `fraction`: a hash of the first question, so that no prompt is on both sides
    and an entry stays where it is when data are added. Of (near-)duplicates one is left, so none straddles the split. A
    held-out conversation whose prompt, everything before its last answer, occurs in training joins training."""
    why, first = np.zeros(len(entries), dtype=np.uint8), np.arange(len(entries), dtype=np.uint32)
    if exact:
        _, firsts, which = np.unique(entries["mark"], return_index=True, return_inverse=True)
        first = firsts[which].astype(np.uint32)
        why[first < np.arange(len(entries))] = DUPLICATE
    if threshold:
        left = np.flatnonzero(why == 0)
        first[left] = left[near_duplicates(signatures, threshold, left)]
        why[left[first[left] < left]] = NEAR_DUPLICATE
    held_out = entries["share"] < np.uint64(min(2**64 - 1, int(fraction * 2.0**64)))
    split = np.where(entries["split"] > 0, entries["split"], np.where(held_out, np.uint8(VALIDATION), np.uint8(TRAIN)))
    split[why > 0] = 0
    held_out = np.flatnonzero(split == VALIDATION)
    prompts = entries["prompt"][held_out]
    leaked = held_out[(prompts > 0) & np.isin(prompts, entries["prompt"][split == TRAIN])]
    split[leaked], why[leaked] = TRAIN, LEAKED
    return split, why, first
