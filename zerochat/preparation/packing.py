"""Samples into rows: what is longer than the context is cut into windows, every supervised token in one of them, none
in two; then documents share rows, so that as little of them as possible stays empty.

Left out on purpose: cutting inside an answer where a cut between exchanges will do."""

from collections import Counter

import numpy as np

CONTEXT, SUPERVISED, OPENS = 0, 1, 2  # what the mask says of a token; one that opens a document is never supervised
# What may not be whole in the windows of a conversation, and how a report says it.
CUT = {"exchanges": "exchanges", "questions": "questions without their middle"}
CUT |= {"systems": "system prompts without their end"}
Window = tuple[list[int], list[bool]]  # ids and mask, of at most `context` tokens
BLOCK = 2**20  # documents packed together: more would fill rows no better


def opened(mask: list[bool]) -> list[int]:
    """The mask of a document, or of a window, as it stands in a shard and before the model."""
    return [OPENS, *mask[1:]]


def windows_of_document(ids: list[int], mask: list[bool], context: int, overlap: int = 1) -> list[Window]:
    """A plain document is cut anywhere; each window opens with its `<s>` and repeats `overlap` tokens of the window
    before as unsupervised context, so that every token is predicted exactly once."""
    pieces, begin = [], 1
    while begin < len(ids):
        repeat = min(overlap, begin - 1) if begin > 1 else 0
        end = begin + context - 1 - repeat
        pieces.append(([ids[0], *ids[begin - repeat : end]], [False] * (1 + repeat) + mask[begin:end]))
        begin = end
    return pieces


def windows_of_exchanges(
    ids: list[int], mask: list[bool], starts: list[int], context: int
) -> tuple[list[Window], int, Counter]:
    """A conversation is cut between exchanges, which begin at `starts`; what lies before the first of them, the `<s>`
    and the system message, heads every window (of a system message no more than three eighths of the context). An
    exchange that alone is too long loses the middle of its question, then goes on in further windows. Returned are the
    windows, how many supervised tokens are lost (0), and how many exchanges, questions and systems are not whole."""
    head, cut = starts[0], Counter()
    if (gone := head - 3 * context // 8) > 0:
        ids, mask = ids[: head - 1 - gone] + ids[head - 1 :], mask[: head - 1 - gone] + mask[head - 1 :]
        starts, head, cut["systems"] = [start - gone for start in starts], head - gone, 1
    groups, used = [], context
    for start, end in zip(starts, [*starts[1:], len(ids)]):
        if used + end - start > context:
            groups.append([start, end])
            used = head
        groups[-1][1] = end
        used += end - start
    pieces = []
    for start, end in groups:
        cut["exchanges"] += head + end - start > context
        if any(mask[start:end]):
            pieces += _of_long_exchange(ids[:head] + ids[start:end], mask[:head] + mask[start:end], head, context, cut)
    return pieces, sum(mask) - sum(sum(mask) for _, mask in pieces), cut


def _of_long_exchange(ids: list[int], mask: list[bool], head: int, context: int, cut: Counter) -> list[Window]:
    """One exchange behind `head` tokens: each window has the question, its middle left out where it takes more than
    half the context and more than the answer leaves; some of the answer so far, unsupervised; and the next part."""
    first = mask.index(True)  # the answer's first token; the question lies between `head` and it
    keep = max(context // 2, context - (len(ids) - first))
    if first > keep:
        cut["questions"] += 1
        front = head + 1 + (keep - head) // 2
        back = first - (keep - front)
        ids, mask, first = ids[:front] + ids[back:], mask[:front] + mask[back:], keep
    pieces, begin = [(ids[:context], mask[:context])], context
    while begin < len(ids):
        again = min(context // 8, begin - first)
        end = begin + context - first - again
        if any(mask[begin:end]):
            pieces.append((ids[:first] + ids[begin - again : end], [False] * (first + again) + mask[begin:end]))
        begin = end
    return pieces


def pack(lengths: np.ndarray, context: int) -> tuple[np.ndarray, np.ndarray]:
    """Best-fit decreasing (Johnson 1973): each document, longest first, goes where the least room is left. lengths [N]
    -> order [N] and rows [R + 1]; row r holds documents order[rows[r] : rows[r + 1]]."""
    order, counts = [np.zeros(0, dtype=np.int64)], [0]
    for begin in range(0, len(lengths), BLOCK):
        contents = _pack_block(lengths[begin : begin + BLOCK].astype(np.int64), context)
        order.append(np.array([document for row in contents for document in row], dtype=np.int64) + begin)
        counts += [len(row) for row in contents]
    return np.concatenate(order), np.cumsum(counts, dtype=np.int64)


def _pack_block(lengths: np.ndarray, context: int) -> list[list[int]]:
    open_rows: list[list[int]] = [[] for _ in range(context + 1)]  # by room left
    rooms = 0  # bit r is set where open_rows[r] is not empty
    contents: list[list[int]] = []
    for document in np.argsort(-lengths, kind="stable").tolist():
        length = int(lengths[document])
        fitting = rooms >> length
        if not fitting:
            row, room = len(contents), context
            contents.append([])
        else:
            room = length + (fitting & -fitting).bit_length() - 1
            row = open_rows[room].pop()
            if not open_rows[room]:
                rooms ^= 1 << room
        contents[row].append(document)
        if room > length:
            open_rows[room - length].append(row)
            rooms |= 1 << (room - length)
    return contents
