"""The built-in conversations: a seeded grammar of English and Chinese chats and plain documents, so that
the default run needs no download.

    python -m zerochat.demo.chats 5     # five conversations and five documents, one JSON object per line

Three scenes: customer service, everyday chat, text generation. A conversation is a list of skills (`plan`); for each,
a question is worded and its slots filled (`exchange`), typed as people do (`typed`), and answered. The answer is a
function of the history (one phrasing per skill), so a held-out conversation can be marked right or wrong; it tests the
pipeline, not intelligence. Values are mostly made up on the spot: they have to be copied. Left out on purpose: real
knowledge, arithmetic beyond small sums, choices of phrasing but in stories."""

import functools
import itertools
import json
import random
import re
import sys
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from zerochat.demo import world


class Skill(NamedTuple):
    """Its answers, and its wordings: lists of equally likely patterns, each with all that it stands for."""

    answers: list[str]
    wordings: list[list[str]]
    held_out_wordings: list[list[str]]
    follow_ups: list[list[str]]


def alternatives(pattern: str) -> list[str]:
    """`alternatives("[a|b] c")` is `["a c", "b c"]`."""
    parts = (part.split("|") for part in re.split(r"[\[\]]", pattern))
    return ["".join(choice) for choice in itertools.product(*parts)]


def parse(grammar: str) -> dict[str, Skill]:
    skills = {}
    for name, answer, block in re.findall(r"^(\w+) => (.+)\n((?: .+\n)+)", grammar, re.MULTILINE):
        parts = re.fullmatch(r"(.+?)(?: ~ (.+?))?(?: \^ (.+))?", " ".join(block.split())).groups("")
        skills[name] = Skill(
            alternatives(answer), *([alternatives(p) for p in part.split(" / ") if p] for part in parts)
        )
    return skills


SKILLS = {lang: parse(grammar) for lang, grammar in world.GRAMMAR.items()}
ASKED_FOR = {skill: fact for fact, skills in world.RECALLS.items() for skill in skills}
HELD_OUT = 6  # one in so many slot combinations, and one in so many first prompts, is held out
RESERVED = 3  # one in so many pairs of letters or characters occurs in values for validation only
PARTS = [part for parts in world.PARTS.values() for words in parts.values() for part in words]
USUAL = {pair for part in PARTS for pair in itertools.pairwise(part.lower())} | set(itertools.pairwise("0123456789"))
NEVER = {value.lower() for slots in world.NEVER.values() for values in slots.values() for value in values}


def one_in(n: int, text: str) -> bool:
    """True for one text in n: the same ones in every process, unlike `hash`."""
    return zlib.crc32(text.encode()) % n == 0


@functools.cache
def rare(one: str, two: str) -> bool:
    """Whether these two neighbours are kept for validation."""
    return (one, two) not in USUAL and " " not in one + two and one_in(RESERVED, one + two)


def reserved(value: str) -> list[bool]:
    """For each two neighbours in a value: whether training shows them in no value."""
    return [rare(one, two) for one, two in itertools.pairwise(value.lower())]


def rarity(value: str) -> str:
    """Where a value occurs: "unseen" (in validation, no two neighbours of it in training), "real" (in validation, a
    word that people say), else "known" (in training, or made of what occurs there)."""
    return "unseen" if len(value) > 1 and all(reserved(value)) else "real" if value.lower() in NEVER else "known"


def unseen(slot: str, lang: str, rng: random.Random) -> str:
    """A made-up value without any two neighbours that a value of training has."""
    among = world.PARTS[lang]["d" if slot == "order" else "h" if lang == "zh" else "ascii"]
    size, value = rng.choice((2, 3, 4) if lang == "zh" and slot != "order" else (4, 5, 6)), ""
    while len(value) < size:
        among_next = [sign for sign in among if not value or rare(value[-1], sign)]
        value = value + rng.choice(among_next) if among_next else ""
    return value.capitalize() if slot in ("name", "place", "shop") else value


def fill(shape: str, lang: str, rng: random.Random) -> str:
    """`fill("{cooked} {food}", ...)` is "fried rice"; {s} is a syllable, {S} one with a capital."""

    def part(match: re.Match) -> str:
        if match[1] not in ("s", "S"):
            return rng.choice(world.PARTS[lang][match[1]])
        syllable = "".join(rng.choice(world.PARTS[lang][name]) for name in ("onset", "vowel"))
        syllable += rng.choice(world.PARTS[lang]["coda"]) if rng.random() < 0.45 else ""
        return syllable.capitalize() if match[1] == "S" else syllable

    return re.sub(r"{(\w+)}", part, shape)


def draw(slot: str, lang: str, rng: random.Random, novel: bool) -> str:
    """A value for an open slot; `novel` asks for one that training never sees, where the slot has such."""
    slot = slot.rstrip("23456")  # {name2} is a second name
    slot = world.ALIASES.get(slot, slot)
    if novel and slot in world.NEVER[lang] | {"order": []}:
        real = world.NEVER[lang].get(slot)
        return rng.choice(real) if real and rng.random() < 0.4 else unseen(slot, lang, rng)
    while True:
        value = fill(rng.choice(world.SHAPES[lang][slot]), lang, rng)
        if value.lower() not in NEVER and not any(reserved(value)):
            return value


def exchange(
    skill: str, lang: str, rng: random.Random, memory: dict, novel_values=False, novel_wording=False, before=None
):
    """One question and its answer: (wording, answer template, slots). Slots in `memory` come from earlier turns;
    `before` holds the slots of the turn that this one follows up."""
    of = SKILLS[lang][skill]
    patterns = of.follow_ups if before is not None else of.held_out_wordings if novel_wording else of.wordings
    wording, answer = rng.choice(rng.choice(patterns)).strip(), rng.choice(of.answers)
    rows = world.KNOWLEDGE[lang].get(skill) or world.KNOWLEDGE[lang].get(world.READS.get(skill, ""), [{}])
    kept = {slot: (before or {}).get(slot) for slot in world.KEPT if f"{{{slot}}}" not in wording}
    row = rng.choice(
        [row for row in rows if all(row.get(slot, value) == value for slot, value in kept.items() if value)]
    )
    known, fact = row | ({} if skill.startswith("tell_") else memory), ASKED_FOR.get(skill)
    if fact in memory and rng.random() < 0.2 and not row.items() <= memory.items():  # "my cat?", and a dog was told of
        known, fact = row, "another"
    if fact and fact not in memory:
        answer = (world.NO_ORDER if skill == "order_status" else world.UNKNOWN)[lang]
    names = dict.fromkeys(re.findall(r"{(\w+)}", wording + answer))  # in order, each once
    return wording, answer, {name: known.get(name) or draw(name, lang, rng, novel_values) for name in names}


def plan(rng: random.Random, in_shop: bool) -> list[str]:
    """The skills of one conversation, in order: `a+b` in one message, `>a` to follow up the turn before."""
    talk = [world.SERVICE, world.SMALL_TALK, world.OUTSIDE] * 2 + [world.FACTUAL] * 4 + [list(world.FREE_TEXT)]
    told, asked = [], []
    if rng.random() < 0.55:  # facts, other talk, then questions about the facts, from up to 6 turns back
        facts = rng.sample(sorted(world.RECALLS), rng.choice((1, 1, 2, 2, 3)))
        told = [world.TELLS[fact] for fact in facts]
        asked = [rng.choice(world.RECALLS[fact]) for fact in rng.sample(facts, min(len(facts), rng.choice((1, 2))))]
        for several in (told, asked):
            if len(several) > 1 and rng.random() < 0.4:  # two in one message
                several[:2] = ["+".join(several[:2])]
        if rng.random() < 0.15 and "+" not in told[-1]:
            told.append(f">{told[-1]}")  # a correction
    between = [rng.choice(rng.choice(talk)) for _ in range(rng.randint(not told, rng.choice((1, 2, 4, 5))))]
    skills = told + [name for skill in between for name in followed(skill, rng)][: 6 - len(asked)] + asked
    if rng.random() < 0.1:  # a question at any moment, often before its fact has been told
        at = rng.randrange(len(skills))
        skills.insert(at if not skills[at].startswith(">") else 0, rng.choice(sorted(ASKED_FOR)))
    if in_shop:
        skills.insert(rng.choice((0, len(skills))), "which_shop")
    return ["greeting"] * (rng.random() < 0.1) + skills + [rng.choice(world.LAST)] * (rng.random() < 0.15)


def followed(skill: str, rng: random.Random) -> list[str]:
    """A skill, and now and then questions that lean on it."""
    then = world.THEN.get(skill, skill)
    return [skill] + [f">{then}"] * (rng.choice((0, 0, 1, 2)) if SKILLS["en"][then].follow_ups else 0)


def inside(wording: str) -> str:
    """`inside("What is it?")` is `"what is it?"`, as behind "and "; the English "I" stays."""
    return wording if re.match(r"I\b", wording) else wording[0].lower() + wording[1:]


def typed(wording: str, lang: str, rng: random.Random) -> str:
    """A wording as people type it: something before or behind it, in haste, mistyped."""
    end, said = ".?!。？！", wording
    if rng.random() < 0.25 and len(wording) > (12 if lang == "en" else 4):
        wording = rng.choice(world.OPENERS[lang]) + inside(wording)
    if rng.random() < 0.2 and lang == "en" or rng.random() < 0.15:
        wording = wording.rstrip(end) + rng.choice(world.CLOSERS[lang])
    if rng.random() < 0.5:
        for usual, short in (pair.rsplit("=", 1) for pair in world.IN_HASTE[lang]):
            if rng.random() < 0.4:
                wording = re.sub(usual if lang == "zh" else rf"(?i)\b{usual}(?!\w)", short, wording)
        wording = wording.lower()
        wording = wording.rstrip(end) if rng.random() < 0.75 else wording
    if rng.random() < 0.06 and (found := list(re.finditer(r"(?<![{\w])[a-z]{4,}(?![}\w])", wording))):
        at = rng.choice(found).start() + rng.randint(1, 2)  # two letters swapped, or one left out
        wording = wording[:at] + rng.choice((wording[at + 1] + wording[at], wording[at])) + wording[at + 2 :]
    return wording or said


def side(key: str, values: list[str], copied: list[str], novel_wording: bool = False) -> str:
    """The split of a slot combination or a first prompt; one without slots has to be learned, so it is training."""
    if novel_wording or any(value.lower() in NEVER or any(reserved(value)) for value in copied):
        return "validation"
    return "validation" if values and one_in(HELD_OUT, key) else "train"


def open_slots(values: dict[str, str], lang: str) -> dict[str, str]:
    """Those that only copying can give: no table holds them together with an answer."""
    names = {slot: slot.rstrip("23456") for slot in values}
    return {s: values[s] for s, name in names.items() if world.ALIASES.get(name, name) in world.SHAPES[lang]}


def say(name: str, lang: str, rng: random.Random, memory: dict, before: dict | None, novel: tuple[bool, bool]):
    """One turn: the question as it is typed, its answer, and its slots."""
    parts = [exchange(skill, lang, rng, memory, *novel, before) for skill in name.lstrip(">").split("+")]
    wording, answer, values = parts[0]
    for more, answer2, values2 in parts[1:]:
        values |= values2
        wording = wording.rstrip(".?。？") + rng.choice(world.BETWEEN[lang]) + inside(more)
        answer = answer if answer == answer2 else answer + (" " if lang == "en" else "") + answer2
    wording = wording if name == "keys" else typed(wording, lang, rng)
    shown = values
    if wording == wording.lower() and lang == "en" and rng.random() < 0.6:  # also names: the answer has them as typed
        shown = {slot: value.lower() for slot, value in values.items()}
        values = values | {s: shown[s] for s in open_slots(values, lang) if values[s] not in memory.values()}
    question = wording.format(**shown)
    return re.sub(r"\b([Aa]) (?=[aeio])", r"\1n ", question) if lang == "en" else question, answer, values


def converse(lang: str, rng: random.Random, novel_values: bool, novel_wordings: bool) -> tuple[dict, set[str]]:
    """A conversation, and the splits that its first prompt and its slot combination belong to."""
    system = rng.choice(world.SYSTEM[lang]) if rng.random() < 0.1 else ""
    memory = {"shop": draw("shop", lang, rng, novel_values)} if "{shop}" in system else {}
    messages = [{"role": "system", "content": system.format(**memory)}] if system else []
    skills = plan(rng, in_shop="shop" in memory)
    told, slots, opened, sides, values = {}, [], [], set(), {}
    for turn, name in enumerate(skills):
        novel_wording = novel_wordings and rng.random() < 0.7
        before, skill = (values if name[0] == ">" else None), name.lstrip(">")
        question, answer, values = say(name, lang, rng, memory, before, (novel_values, novel_wording))
        copied, known = open_slots(values, lang), answer not in (world.UNKNOWN[lang], world.NO_ORDER[lang])
        reply = {"role": "assistant", "content": answer.format(**values), "skill": skill if known else "unknown"}
        if turn == 0:
            sides.add(side(question, list(values.values()), list(copied.values()), novel_wording))
        if skill.startswith("tell_"):
            memory |= values
            told |= dict.fromkeys(values, turn)
        elif recalled := [turn - told[slot] for slot in copied if slot in told]:
            reply["back"] = recalled[0]
        if said := [slot for slot in copied if f"{{{slot}}}" in answer]:
            found = {rarity(copied[slot]) for slot in said}
            reply["values"] = next(k for k in ("unseen", "real", "known") if k in found)
            reply["slot"] = said[0]
        if skill in world.FREE_TEXT:
            contains, least = [values[slot] for slot in world.FREE_TEXT[skill] if slot in values], 10
            reply["check"] = {"contains": contains, "min_chars": least}
        messages += [{"role": "user", "content": question}, reply]
        slots.append([skill, *values.values()])
        opened += copied.values()
        values = (before or {}) | values  # a second follow-up leans on the first question, too
    sides.add(side(repr(sorted(slots)), [value for row in slots for value in row[1:]], opened))
    return {"messages": messages, "lang": lang, "skill": "+".join(dict.fromkeys(skills)), "slots": slots}, sides


def _each(count: int, kind: str, seed: int, split: str, lang: str | None) -> Iterator[tuple[random.Random, str]]:
    """The random numbers and the language of each item."""
    assert split in ("train", "validation"), split
    return ((random.Random(f"{kind}{seed}-{split}-{i}"), lang or ("en", "zh")[i % 2]) for i in range(count))


def conversations(count: int, seed: int = 0, split: str = "train", lang: str | None = None) -> Iterator[dict]:
    """Conversations `{"messages", "lang", "skill", "slots"}`; number i depends on (seed, split, lang, i) alone. An
    assistant message also has `skill`; `back`, where it recalls a fact, the number of turns since that was told; and
    `check` where the text is free: it must contain each of `contains` and have `min_chars` characters."""
    for rng, language in _each(count, "", seed, split, lang):
        # Half of the held-out conversations combine what training has seen; the others have new values or wordings.
        novel = rng.choice([(False, False)] * 3 + [(True, False), (False, True), (True, True)])
        sides = None
        while sides != {split}:
            chat, sides = converse(language, rng, *(novel if split == "validation" else (False, False)))
        yield chat


def document(lang: str, rng: random.Random, novel: bool) -> str:
    values = {}

    def fill(match: re.Match) -> str:
        slot = rng.choice(world.FACTUAL) if match[1] == "fact" else match[1]
        if slot in SKILLS[lang]:
            _, answer, slots = exchange(slot, lang, rng, values, novel)
            return answer.format(**slots)
        return values.setdefault(slot, draw(slot, lang, rng, novel))

    return re.sub(r"{(\w+)}", fill, rng.choice(world.DOCUMENTS[lang].strip().splitlines()))


def documents(count: int, seed: int = 0, split: str = "train", lang: str | None = None) -> Iterator[dict]:
    """Plain text `{"text", "lang"}`; number i depends on (seed, split, lang, i) alone."""
    for rng, language in _each(count, "document-", seed, split, lang):
        novel = split == "validation" and rng.random() < 0.5
        text = document(language, rng, novel)
        while one_in(HELD_OUT, text) != (split == "validation"):
            text = document(language, rng, novel)
        yield {"text": text, "lang": language}


if __name__ == "__main__":
    for generate in (conversations, documents):
        for item in generate(int(sys.argv[1]), 0, "train"):
            print(json.dumps(item, ensure_ascii=False))
