"""Samples longer than the context as windows: every supervised token in one of them, none in two.

A window is (ids, mask) of at most `context` tokens. Left out on purpose: cutting inside an answer where a cut between
exchanges will do."""

Window = tuple[list[int], list[bool]]


def of_document(ids: list[int], mask: list[bool], context: int, overlap: int = 1) -> list[Window]:
    """A plain document is cut anywhere; each piece opens with its `<s>` and repeats `overlap` tokens of the piece
    before as unsupervised context, so that every token is predicted exactly once."""
    pieces, begin = [], 1
    while begin < len(ids):
        repeat = min(overlap, begin - 1) if begin > 1 else 0
        end = begin + context - 1 - repeat
        pieces.append(([ids[0], *ids[begin - repeat : end]], [False] * (1 + repeat) + mask[begin:end]))
        begin = end
    return pieces


def of_exchanges(ids: list[int], mask: list[bool], starts: list[int], context: int) -> tuple[list[Window], int, int]:
    """A conversation is cut between exchanges, which begin at `starts`; what lies before the first of them, the `<s>`
    and the system message, heads every window (but for a system message of more than half the context, left out).

    An exchange that alone is too long loses the middle of its question, then goes on in further windows. Returned are
    the windows, how many supervised tokens are lost (0), and how many exchanges did not fit whole."""
    head = starts[0] if starts[0] <= context // 2 else 1
    groups, used = [], context
    for start, end in zip(starts, [*starts[1:], len(ids)]):
        if used + end - start > context:
            groups.append([start, end])
            used = head
        groups[-1][1] = end
        used += end - start
    pieces, cut = [], 0
    for start, end in groups:
        cut += head + end - start > context
        if any(mask[start:end]):
            pieces += _of_long_exchange(ids[:head] + ids[start:end], mask[:head] + mask[start:end], head, context)
    return pieces, sum(mask) - sum(sum(mask) for _, mask in pieces), cut


def _of_long_exchange(ids: list[int], mask: list[bool], head: int, context: int) -> list[Window]:
    """One exchange behind `head` tokens: each window has the question, its middle left out where it takes more than
    half the context or the answer leaves it less, some of the answer before, unsupervised, and the next part."""
    first = mask.index(True)  # the answer's first token; the question lies between `head` and it
    keep = max(context // 2, context - (len(ids) - first))
    if first > keep:
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
