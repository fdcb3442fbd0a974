"""What a preparation kept, changed and dropped, counted by source and reason, with a few examples of each."""

import json
import os
from collections import Counter


def empty() -> dict:
    return {"read": 0, "kept": 0, "bad": 0, "formats": {}, "unused": {}, "skipped": {}, "changed": {}, "dropped": {}}


def count(table: dict, reason: str, example: list[str], most: int = 3) -> None:
    """One more for this reason; example: place, text before and after, of which the part that differs is kept."""
    entry = table.setdefault(reason, {"count": 0, "examples": []})
    entry["count"] += 1
    if len(entry["examples"]) < most:
        where, before, after = example
        # The text from just before the first difference on, looked for by thousands: it may be a book.
        size = min(len(before), len(after))
        block = next((i for i in range(0, size, 1000) if before[i : i + 1000] != after[i : i + 1000]), size)
        same = os.path.commonprefix([before[block : block + 1000], after[block : block + 1000]])
        at = max(0, block + len(same) - 20)
        shown = [where, before[at : at + 80], after[at : at + 80]]
        # Half an emoji cannot be written into a report.
        entry["examples"].append([text.encode("utf-8", "replace").decode() for text in shown])


def note(report: dict, seen: dict) -> None:
    """One record more of a format, with keys that nothing was made of (`formats.to_sample`)."""
    name = seen.get("format", "unreadable")
    report["formats"][name] = report["formats"].get(name, 0) + 1
    for key, value in seen.get("unused", {}).items():
        if key not in report["unused"]:  # an example says more than their number
            shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
            report["unused"][key] = shown[:60].encode("utf-8", "replace").decode()


def add(report: dict, more: dict) -> None:
    for key in ("read", "kept", "bad"):
        report[key] += more[key]
    report["formats"] = dict(Counter(report["formats"]) + Counter(more["formats"]))
    for name, example in more["unused"].items():
        report["unused"][name] = report["unused"].get(name) or example
    for key in ("changed", "dropped"):
        for reason, entry in more[key].items():
            total = report[key].setdefault(reason, {"count": 0, "examples": []})
            total["count"] += entry["count"]
            total["examples"] += entry["examples"][: (10 if reason.startswith("bad: ") else 3) - len(total["examples"])]


def check_bad(name: str, report: dict, options: dict, at_least: int = 0) -> None:
    """ValueError with the first ten bad records where they are too many (of `at_least` records, while there may come
    more); at the first one under `strict`."""
    strict, bad, read = options["strict"], report["bad"], report["read"]
    if bad <= (0 if strict else options["max_bad"] * max(read, at_least)):
        return
    reasons = {reason: entry for reason, entry in report["dropped"].items() if reason.startswith("bad: ")}
    found = [f"  {where}: {reason[5:]}" for reason, entry in reasons.items() for where, *_ in entry["examples"]]
    found.sort(key=lambda text: [int(part) if part.isdigit() else part for part in text.split(":")[1:2]])
    limit = "none may be (data.strict)" if strict else f"at most {options['max_bad']:.1%} may be (data.max_bad)"
    listed = "\n".join(found[: 1 if strict else 10])
    raise ValueError(f"{name}: {bad:,} of {read:,} records are bad, {limit}:\n{listed}")


def check_kept(stage: str, report: dict, anything: bool) -> None:
    """ValueError, with the reasons, where not `anything` is left to train on, or nothing of one source."""
    if not anything:
        dropped = {name: {why: found["count"] for why, found in c["dropped"].items()} for name, c in report.items()}
        raise ValueError(f"stage {stage}: no sample is left to train on after cleaning; dropped: {json.dumps(dropped)}")
    for name, counts in report.items():
        if not counts["kept"]:
            reasons = ", ".join(f"{entry['count']:,} {reason}" for reason, entry in counts["dropped"].items())
            raise ValueError(f"stage {stage}: nothing of the source {name} is usable: {reasons}")
