"""What the data are: the report of a preparation, and a picture of what the model will be trained on.

`data.py` prints both: `--config` the report, `--show` and `--inspect` the picture. Left out on purpose: word counts."""

import html
import itertools
import os
import re
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from zerochat.files import write_atomic
from zerochat.preparation import clean, formats, packing
from zerochat.run_folder import RunFolder
from zerochat.text import markdown, printable

if TYPE_CHECKING:
    from data import PackedData
    from tokenizer import Tokenizer

NONE = "nothing is held out, so no loss tells learning from learning by heart (data.validation_fraction, validation)"
# Of a run of tokens and what stands around it: in a terminal, in a file or pipe, on a page.
STYLES = {
    "control": ("\033[7;35m{}\033[0m", "{}", "<b>{}</b>"),
    "supervised": ("\033[32m{}\033[0m", "⟦{}⟧", "<s>{}</s>"),
    "context": ("\033[2m{}\033[0m", "{}", "{}"),
    "title": ("\033[1m━━ {}\033[0m\n", "━━ {}\n", "<h2>{}</h2><pre>"),
    "next": ("\n\033[31m" + "┄" * 60 + "\033[0m\n", "\n" + "┄" * 60 + "\n", "<hr>"),
    "end": ("\n", "\n", "</pre>"),
}
PAGE = """<!doctype html><meta charset="utf-8"><title>what the model is trained on</title><style>
body { font: 14px/1.7 monospace; max-width: 60em; margin: 2em auto; color: #999 } pre { white-space: pre-wrap }
s { text-decoration: none; color: #0a7d38 } b { color: #fff; background: #7a4fbf } hr { border-top: 2px dashed #d78 }
</style><p><s>supervised</s> context <b>control symbol</b>; a dashed line begins another document of the row</p>
"""


def summary(stages: dict) -> str:
    """A few lines a stage: what was read, kept, changed and dropped per source, and the size of each shard."""
    lines = []
    for stage, entry in stages.items():
        lines.append(f"data of stage {stage}:")
        lines += sources(entry["sources"])
        lines += [f"  {entry['joined']:,} conversations joined of these"] if entry["joined"] else []
        shown = {split: _shard(entry[split]) if entry[split]["rows"] else NONE for split in ("train", "validation")}
        lines += [f"  {split}: {text}" for split, text in shown.items()]
    return "\n".join(lines + _out_of_place(stages))


def sources(found: dict) -> list[str]:
    """What was read, kept, left out and changed of each source (`tally`), a line for each kind of thing."""
    lines = []
    for source, counts in found.items():
        lines.append(f"  {source}: {counts['kept']:,} of {counts['read']:,} kept{_understood(counts)}")
        for what in ("skipped", "dropped", "changed"):
            for reason, entry in _by_count(counts[what]):
                places = ", ".join(where for where, *_ in entry["examples"][:3])
                where = f" ({places})" if what != "changed" else ""
                lines.append(f"    {what} {entry['count']:6,}  {reason}{where}")
    return lines


def _out_of_place(stages: dict) -> list[str]:
    """A line for each source of documents in a stage about conversations, or the reverse: often a format that was not
    recognised. About conversations is the last of several stages, else what most of its sources are."""
    lines, kinds = [], ("conversations", "documents, all of which is learned")
    for number, (stage, entry) in enumerate(stages.items(), 1):
        texts = {name: found["formats"].get("text", 0) * 2 > found["read"] for name, found in entry["sources"].items()}
        texts |= {name: True for name in texts if name.startswith("demo:documents")}
        about = not 1 < number == len(stages) and sum(texts.values()) * 2 > len(texts)
        lines += [f"WARNING: {name} in stage {stage} is {kinds[text]}; the stage is about {kinds[about].split(',')[0]}"
                  for name, text in texts.items() if text != about]  # fmt: skip
    return lines


def _understood(counts: dict) -> str:
    """Which formats the records of a source had, and which of their keys nothing was made of."""
    formats = ", ".join(f"{number:,} {name}" for name, number in counts["formats"].items())
    keys = [f"{key} ({example!r})" if example else key for key, example in counts["unused"].items()]
    more = f" and {len(keys) - 5} more" if keys[5:] else ""
    return (f"; {formats}" if formats else "") + (f"; not used: {', '.join(keys[:5])}{more}" if keys else "")


def _by_count(table: dict) -> list:
    return sorted(table.items(), key=lambda item: -item[1]["count"])


def _shard(s: dict) -> str:
    text = f"{s['samples']:,} samples, {s['tokens']:,} tokens for {s['characters']:,} characters, "
    text += f"{s['supervised'] / s['tokens']:.0%} supervised, {s['rows']:,} rows {s['packing_efficiency']:.1%} full"
    text += f" in each of {s['variants']} versions" if s["variants"] else ""
    text += f"; {s['windowed']:,} cut into windows" if s["windowed"] else ""
    if not_whole := [f"{s[kind]:,} {name}" for kind, name in packing.CUT.items() if s[kind]]:
        text += f"; not whole: {', '.join(not_whole)}"
    text += f"; {s['lost'] / (s['lost'] + s['supervised']):.1%} of the supervised tokens lost" if s["lost"] else ""
    return text


def report(whole: dict) -> str:
    """The whole report as Markdown: each source and rule with three examples."""
    lines = [f"# Data, prepared in {whole['seconds']:.0f} s", ""]
    for stage, entry in whole["stages"].items():
        lines += [f"## Stage {stage}", ""]
        for source, counts in entry["sources"].items():
            lines += [f"### {source}: {counts['kept']:,} of {counts['read']:,} kept, {counts['bad']:,} bad", ""]
            lines += [_understood(counts).removeprefix("; "), ""] if counts["formats"] else []
            rows = [(kind, *pair) for kind in ("skipped", "dropped", "changed") for pair in _by_count(counts[kind])]
            cells = []
            for kind, reason, found in rows:
                for i, example in enumerate(found["examples"][:3] or [("", "", "")]):
                    head = (kind, reason, f"{found['count']:,}") if i == 0 else ("", "", "")
                    cells.append(map(_cell, (*head, *example)))
            lines += [*markdown(" | rule | samples | where | before | after", cells, "llrlll"), ""] if rows else []
        for split in ("train", "validation"):
            lines += [f"### {split}: {_shard(entry[split])}", ""] if entry[split]["rows"] else []
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return re.sub(r"[\x00-\x1f]", "�", text.replace("\n", "⏎")).replace("|", "\\|").replace("<", "&lt;")


def inspect(source: dict, config: dict, tokenizer: "Tokenizer", page: str | None) -> str:
    """The first records of a source, cleaned, cut and packed as `config` says; what is dropped, with its reason."""
    context, options = config["model"]["max_position_embeddings"], config["data"]
    clean.check_rules(options["rules"])
    pieces, notes = [], []
    for file, line, sample in (records := list(formats.read(source, "", options["tools"]))):
        where = f"{os.path.basename(file)}:{line}"
        if isinstance(sample, str):
            notes.append(f"{where} {'broken' if isinstance(sample, formats.Bad) else 'dropped'}: {sample}")
            continue
        sample, changes = clean.clean(sample, options["rules"])
        if changes:
            notes.append(f"{where} {'changed' if sample else 'dropped'}: {', '.join(rule for rule, *_ in changes)}")
        if sample is None:
            continue
        cut, lost, long = tokenizer.windows(sample, context)
        for i, (ids, mask) in enumerate(cut, 1):
            pieces.append((ids, packing.opened(mask), where + (f" window {i}" if len(cut) > 1 else "")))
        if long.total():
            parts = ", ".join(f"{long[kind]} {name}" for kind, name in packing.CUT.items() if long[kind])
            notes.append(f"{where} exceeds {context} tokens; not whole: {parts}; {lost} supervised tokens lost")
    notes += [f"looked at {len(records)} records at most: --limit N looks at more"] * (len(records) == source["limit"])
    packed, room = [], 0  # in reading order; training packs tighter
    for ids, mask, where in pieces:
        packed += [([], [], [])] if len(ids) > room else []
        room = (context if len(ids) > room else room) - len(ids)
        for part, new in zip(packed[-1], (ids, mask, [where])):
            part += new
    return "\n".join([*notes, rows(packed, tokenizer, page, context)])


def folder_with_tokenizer(config: dict, file: str) -> str:
    """The folder of the config's tokenizer, of what is prepared for its run, or of the run's result."""
    out = config["out_dir"]
    for folder in (config["tokenizer"]["path"], *RunFolder(out).prepared(), out):
        if folder and any(os.path.exists(os.path.join(folder, name)) for name in (file, "tokenizer.json")):
            return folder
    advice = "prepare the data first, with python data.py --config, or name a folder, --set tokenizer.path=FOLDER"
    raise ValueError(f"there is no tokenizer yet in {out}: {advice}")


def rows_of(shard: "PackedData", most: int) -> list[tuple]:
    """The first rows of a shard, as `rows` shows them."""
    batches = [(*shard.batch([row]), shard.describe(row)) for row in range(min(most, len(shard)))]
    return [(ids[0].tolist(), mask[0].tolist(), where) for ids, mask, where in batches]


def rows(packed: list[tuple], tokenizer: "Tokenizer", page: str | None = None, context: int = 0) -> str:
    """(ids, mask, where) of rows as text: on a terminal supervised tokens green, context dim, control symbols inverted,
    elsewhere supervised tokens in brackets; a line where a document of a row begins. `page`: a file for it as HTML."""
    shown, written, plain = [], [PAGE], not sys.stdout.isatty()

    def put(kind: str, text: str = "") -> None:
        shown.append(STYLES[kind][plain].format(text))
        written.append(STYLES[kind][2].format(html.escape(text)))

    for number, (ids, mask, where) in enumerate(packed):
        ids = [i for i in ids if i != tokenizer.pad_id]
        room = f" of {context:,}" if context else ""
        supervised, starts = mask.count(packing.SUPERVISED), [i for i, m in enumerate(mask) if m == packing.OPENS]
        put("title", f"row {number}: {len(ids):,}{room} tokens, {supervised:,} supervised: {', '.join(where)}")
        for begin, end in zip(starts, [*starts[1:], len(ids)]):
            if begin:
                put("next")
            for kind, text in _runs(ids[begin:end], mask[begin:end], tokenizer):
                put(kind, text)
        put("end")
    if page:
        write_atomic(page, "".join(written))
    return "".join(shown)


def _runs(ids: list[int], mask: list[int], tokenizer: "Tokenizer") -> Iterator[tuple[str, str]]:
    """("control", its name), ("supervised" or "context", the text of neighbouring tokens of that kind). An end marker
    that is supervised shows as such by a dot behind it: the model learns to stop there."""

    def kind(pair):
        text = "supervised" if pair[1] == packing.SUPERVISED else "context"
        return (text, None) if tokenizer.bytes_of(pair[0]) is not None else ("control", pair[0])

    for (name, token), run in itertools.groupby(zip(ids, mask), key=kind):
        if name != "control":
            yield name, printable(tokenizer.decode([i for i, _ in run]), "�")
            continue
        for _, supervised in run:
            yield name, tokenizer.name_of(token)
            if supervised == packing.SUPERVISED:
                yield "supervised", "●"
