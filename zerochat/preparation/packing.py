"""Documents into rows: which of them share a row, so that as little of it as possible stays empty."""

import numpy as np

BLOCK = 2**20  # documents packed together: more would fill rows no better


def pack(lengths: np.ndarray, context: int) -> tuple[np.ndarray, np.ndarray]:
    """Best-fit decreasing: each document, longest first, goes where the least room is left over.

    lengths [N] -> order [N] and rows [R + 1]; row r holds documents order[rows[r] : rows[r + 1]]."""
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
