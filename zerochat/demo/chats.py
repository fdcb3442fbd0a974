"""The built-in conversations: a seeded grammar of English and Chinese chats and documents; no download is needed.

    python -m zerochat.demo.chats 5     # five conversations and five documents, one JSON object per line

A conversation is a list of skills (`plan`); for each, a question is worded and its slots filled (`exchange`), typed as
people do (`typed`), and answered: a function of the history, in one phrasing per skill, so it is right or wrong."""

import itertools
import json
import random
import re
import sys
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from zerochat.demo import world


def knowledge(lang: str) -> dict[str, list[dict[str, str]]]:
    """For each skill that needs one, its closed table: every row as a dict of slots."""
    rows: dict[str, list[dict[str, str]]] = {}
    for skill, (slots, text) in world.TABLES[lang].items():
        cells = [[cell.replace("_", " ") for cell in row.split()] for row in text.split(",")]
        rows[skill] = [dict(zip(slots.split(), row, strict=True)) for row in cells]
    rows["opposite"] += [{"word": row["other"], "other": row["word"]} for row in rows["opposite"]]
    rows["opening_hours"] = [row | {"day": day} for row in rows["opening_hours"] for day in world.DAYS[lang]]
    circles, sides, comma = world.CALENDAR[lang]
    rows["calendar"] = []
    for unit, circle in circles.items():
        for (i, point), (side, step) in itertools.product(enumerate(circle), zip(sides, (-1, 1))):
            neighbour = circle[(i + step) % len(circle)]
            rows["calendar"].append({"unit": unit, "side": side, "point": point, "neighbour": neighbour})
    spans = [(a, b) for a in range(1, 9) for b in range(a + 2, 11)]
    numbers = [comma.join(map(str, range(a + 1, b + 1))) for a, b in spans]
    rows["count"] = [{"first": str(a), "last": str(b), "numbers": n} for (a, b), n in zip(spans, numbers)]
    rows["add"] = [{"a": str(a), "b": str(b), "total": str(a + b)} for a in range(1, 11) for b in range(1, 11)]
    rows["count_to"] = [row | {"upto": name} for row, name in zip(rows["count"], world.NUMBERS[lang][2:])]  # from 1
    return rows | {skill: rows[table] for skill, table in world.READS.items()}


class Skill(NamedTuple):
    """Its answers, and its wordings: lists of equally likely patterns, each with all that it stands for."""

    answers: list[str]
    wordings: list[list[str]]
    held_out_wordings: list[list[str]]


def alternatives(pattern: str) -> list[str]:
    """`alternatives("[a|b] c")` is `["a c", "b c"]`."""
    parts = (part.split("|") for part in re.split(r"[\[\]]", pattern))
    return ["".join(choice) for choice in itertools.product(*parts)]


def parse(grammar: str) -> dict[str, Skill]:
    skills = {}
    for name, answer, block in re.findall(r"^(\w+) => (.+)\n((?: .+\n)+)", grammar, re.MULTILINE):
        patterns = (part.split(" / ") for part in " ".join(block.split()).split(" ~ "))
        wordings, held_out = ([alternatives(pattern) for pattern in part] for part in patterns)
        before = skills.get(name, Skill([], [], []))  # the wide grammar says more in the same skill
        skills[name] = Skill(alternatives(answer), before.wordings + wordings, before.held_out_wordings + held_out)
    return skills


SKILLS, WIDE = ({lang: parse(text) for lang, text in grammar.items()} for grammar in (world.GRAMMAR, world.WIDE))
KNOWLEDGE = {lang: knowledge(lang) for lang in world.GRAMMAR}
RECALLS = world.RECALLS | world.WIDE_RECALLS
ASKED_FOR = {skill: fact for fact, skills in RECALLS.items() for skill in skills}
END = ".?!。？！"
HELD_OUT_ONLY = 12  # one in so many names, dishes, places, items, shops and order numbers is for validation only
HELD_OUT = 6  # one in so many slot combinations, and one in so many first prompts, is held out


def one_in(n: int, text: str) -> bool:
    """True for one text in n: the same ones in every process, unlike `hash`."""
    return zlib.crc32(text.encode()) % n == 0


CLOSED = {v.lower() for known in KNOWLEDGE.values() for rows in known.values() for row in rows for v in row.values()}


def held_out_only(value: str) -> bool:
    return value.lower() not in CLOSED and one_in(HELD_OUT_ONLY, value.lower())  # a table's have to be learned


def parts(value: str, lang: str) -> set[str]:
    """The words of a value; in Chinese, which writes none apart, every two characters in a row."""
    value = value.lower()
    return set(value.split()) if lang == "en" else {value, *map("".join, zip(value, value[1:]))}


OPEN = [(value, lang) for lang, pools in world.POOLS.items() for pool in pools.values() for value in pool]
TRAINED = {part for value, lang in OPEN if not held_out_only(value) for part in parts(value, lang)}


def pool_of(slot: str) -> str:
    """The pool of an open slot: {name2} is a second name, {home} a place."""
    return world.ALIASES.get(slot.rstrip("23456"), slot.rstrip("23456"))


def draw(slot: str, lang: str, rng: random.Random, novel: bool, made_up=0.0) -> str:
    """A value for an open slot; `novel` asks for one that training never sees; `made_up`: see `conversations`."""
    while True:
        value = world.value(pool_of(slot), lang, rng, made_up)
        if held_out_only(value) == novel:
            return value


def exchange(skill: str, lang: str, rng: random.Random, memory: dict, novel=False, novel_wording=False, made_up=0.0):
    """One question and its answer: (wording, answer template, slots). Slots in `memory` come from earlier turns."""
    if "+" in skill:  # several facts, or questions about them, in one message
        every = [exchange(part, lang, rng, memory, novel, novel_wording, made_up) for part in skill.split("+")]
        wording, *more = (wording.rstrip(END) for wording, *_ in every)
        wording += "".join(rng.choice(world.JOINTS[lang]) + lower_first(text) for text in more)
        slots = {name: value for *_, values in every for name, value in values.items()}
        return wording, world.BETWEEN[lang].join(answer for _, answer, _ in every), slots
    answers, wordings, held_out_wordings = (WIDE if made_up else SKILLS)[lang][skill]
    wording, answer = rng.choice(rng.choice(held_out_wordings if novel_wording else wordings)), rng.choice(answers)
    if skill in ASKED_FOR and ASKED_FOR[skill] not in memory:
        return wording, (world.NO_ORDER if skill == "order_status" else world.UNKNOWN)[lang], {}
    correction = re.fullmatch(r"tell_(\w+)_(again|later)", skill)
    known = {"old": memory[correction[1]]} if correction else memory | rng.choice(KNOWLEDGE[lang].get(skill, [{}]))
    names = dict.fromkeys(re.findall(r"{(\w+)}", wording + answer))  # in order, each once
    return wording, answer, {name: known.get(name) or draw(name, lang, rng, novel, made_up) for name in names}


def plan(rng: random.Random, in_shop: bool, wide: bool) -> list[str]:
    """The skills of one conversation, in order; those of "a+b" share a message. wide: by `world.WIDE`, too."""
    recalls, factual = (RECALLS, world.FACTUAL + world.WIDE_TALK) if wide else (world.RECALLS, world.FACTUAL)
    grammar = (WIDE if wide else SKILLS)["en"]
    talk = [world.SERVICE, world.SMALL_TALK, factual] * 2 + [world.SMALL_TALK, world.OUTSIDE]
    if rng.random() < 0.65:  # facts, other talk, then questions about the facts, from up to 6 turns back
        facts = rng.sample(sorted(recalls), rng.choice((1, 1, 2, 3)))
        asked = rng.sample(facts, min(len(facts), rng.choice((1, 2))))
        between = rng.randint(0, rng.randint(0, 7 - len(facts) - len(asked)))
        skills = [f"tell_{fact}" for fact in facts]
        if wide and (both := "_".join(["tell", *facts[:2]])) in grammar:
            skills[:2] = [both]
        elif wide and rng.random() < 0.3:
            skills = ["+".join(skills)]
        skills += [rng.choice(rng.choice(talk)) for _ in range(between)]
        corrected = f"tell_{rng.choice(facts)}_later" if wide else ""
        skills += [corrected] * (corrected in grammar and len(skills + asked) < 7 and rng.random() < 0.2)
        questions = [rng.choice(recalls[fact]) for fact in asked]
        skills += ["+".join(questions)] if wide and rng.random() < 0.4 else questions
        if len(skills) < 7 and rng.random() < (0.4 if wide else 0.25):  # asked at any moment, often before it was told
            skills.insert(rng.randrange(len(skills) + wide), rng.choice(sorted(itertools.chain(*recalls.values()))))
    else:
        skills = [rng.choice(rng.choice(talk)) for _ in range(rng.choice((1, 2, 2, 3, 4)))]
    at = rng.randrange(len(skills))  # behind one of them the same again, which leans on it: "and Spain?"
    skills[at + 1 : at + 1] = [skills[at] + "_again"] * (skills[at] + "_again" in grammar and len(skills) < 6)
    if in_shop:
        skills.insert(rng.choice((0, len(skills))), "which_shop")
    return ["greeting"] * (rng.random() < 0.1) + skills + [rng.choice(world.LAST)] * (rng.random() < 0.15)


def lower_first(wording: str) -> str:  # as it stands behind something else
    return wording if re.match(r"I\b", wording) else wording[0].lower() + wording[1:]


def typed(wording: str, lang: str, rng: random.Random, hasty: bool, wide=False) -> str:
    """A wording as people type it: with something before or behind it; in haste without capitals, and shortened."""
    if rng.random() < 0.15 and len(wording) > 3:
        wording = rng.choice(world.OPENERS[lang] + world.WIDE_OPENERS[lang] * wide) + lower_first(wording)
    closers = world.CLOSERS[lang] + world.WIDE_CLOSERS[lang] * wide
    wording = wording.rstrip(END) + rng.choice(closers) if rng.random() < 0.1 else wording
    for usual, short in world.IN_HASTE[lang].items() if hasty else ():
        wording = wording.lower().replace(usual, short) if rng.random() < 0.4 else wording
    return wording


def side(key: str, values: list[str], novel_wording: bool = False) -> str:
    """The split of a slot combination or a first prompt; one without slots has to be learned, so it is training."""
    novel = novel_wording or any(map(held_out_only, values))
    return "validation" if novel or values and one_in(HELD_OUT, key) else "train"


def converse(lang: str, rng: random.Random, made_up: float, split: str, novel_values: bool, novel_wordings: bool):
    """A conversation, and the splits that its first prompt and its slot combination belong to."""
    system = rng.choice(world.SYSTEM[lang]) if rng.random() < 0.1 else ""
    memory = {"shop": draw("shop", lang, rng, novel_values, made_up)} if "{shop}" in system else {}
    messages = [{"role": "system", "content": system.format(**memory)}] if system else []
    skills, hasty = plan(rng, in_shop="shop" in memory, wide=made_up > 0), rng.random() < 0.3
    told, slots, sides = {}, [], set()
    for turn, skill in enumerate(skills):
        novel_wording = novel_wordings and rng.random() < 0.7
        wording, answer, values = exchange(skill, lang, rng, memory, novel_values, novel_wording, made_up)
        wording = typed(wording, lang, rng, hasty, wide=made_up > 0)
        question = re.sub(r"\b([Aa]) (?=[aeiou])", r"\1n ", wording.format(**values).strip())  # "a owl"
        known = answer not in (world.UNKNOWN[lang], world.NO_ORDER[lang])
        if hasty:  # also names: the answer has them as they were typed
            question = question.rstrip(END).lower() or question
            typed_now = values.items() - memory.items()
            values |= {slot: value.lower() for slot, value in typed_now if pool_of(slot) in world.POOLS[lang]}
        reply = {"role": "assistant", "content": answer.format(**values), "skill": skill if known else "unknown"}
        if turn == 0:
            sides.add(side(question, list(values.values()), novel_wording))
        if skill.startswith("tell_"):
            memory |= values
            told |= dict.fromkeys(values, turn)
        elif recalled := [turn - told[slot] for slot in values if slot in told]:
            reply["back"] = recalled[0]
        copied = [v for slot, v in values.items() if pool_of(slot) in world.COPIED and "{" + slot in answer]
        if copied and split == "validation":  # a label to measure by; training files stay as they are
            reply["values"] = "seen" if any(parts(v, lang) & TRAINED for v in copied) else "unseen"
        if skill in world.FREE_TEXT:
            reply["check"] = {"contains": [values[slot] for slot in world.FREE_TEXT[skill]], "min_chars": 15}
        messages += [{"role": "user", "content": question}, reply]
        slots.append([skill, *values.values()])
    sides.add(side(repr(sorted(slots)), [value for row in slots for value in row[1:]]))
    return {"messages": messages, "lang": lang, "skill": "+".join(dict.fromkeys(skills)), "slots": slots}, sides


def _each(count: int, kind: str, seed: int, split: str, lang: str | None) -> Iterator[tuple[random.Random, str]]:
    """The random numbers and the language of each item."""
    return ((random.Random(f"{kind}{seed}-{split}-{i}"), lang or ("en", "zh")[i % 2]) for i in range(count))


def conversations(count: int, seed=0, split="train", lang: str | None = None, made_up=0.0) -> Iterator[dict]:
    """Conversations `{"messages", "lang", "skill", "slots"}`; number i does not depend on `count`. An answer also has
    `skill`; `back`, turns since a recalled fact; held out, `values`, "unseen" if no copied one has a part of training's
    (`parts`); `check` on free text: `contains`, `min_chars`. made_up: the share of values at random; `wide` above 0."""
    for rng, language in _each(count, "", seed, split, lang):
        # Half of the held-out conversations combine what training has seen; the others have new values or wordings.
        novel = rng.choice([(False, False)] * 3 + [(True, False), (False, True), (True, True)])
        sides = None
        while sides != {split}:
            chat, sides = converse(language, rng, made_up, split, *(novel if split == "validation" else (False, False)))
        yield chat


def document(lang: str, rng: random.Random, novel: bool, made_up: float) -> str:
    values = {}

    def fill(match: re.Match) -> str:
        slot = rng.choice(world.FACTUAL) if match[1] == "fact" else match[1]
        if slot in SKILLS[lang]:
            _, answer, slots = exchange(slot, lang, rng, values, novel, made_up=made_up)
            return answer.format(**slots)
        return values.setdefault(slot, draw(slot, lang, rng, novel, made_up))

    return re.sub(r"{(\w+)}", fill, rng.choice(world.DOCUMENTS[lang].strip().splitlines()))


def documents(count: int, seed=0, split="train", lang: str | None = None, made_up=0.0) -> Iterator[dict]:
    """Plain text `{"text", "lang"}`; number i does not depend on `count`."""
    for rng, language in _each(count, "document-", seed, split, lang):
        novel = split == "validation" and rng.random() < 0.5
        while one_in(HELD_OUT, text := document(language, rng, novel, made_up)) != (split == "validation"):
            pass
        yield {"text": text, "lang": language}


if __name__ == "__main__":
    for item in itertools.chain(conversations(int(sys.argv[1])), documents(int(sys.argv[1]))):
        print(json.dumps(item, ensure_ascii=False))
