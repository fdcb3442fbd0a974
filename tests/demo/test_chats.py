"""What the built-in conversations promise: a fair split, answers that follow from the history, both languages."""

import random
import re
from functools import cache, partial

import pytest

from zerochat.demo import chats as demo_data
from zerochat.demo import world
from zerochat.demo.chats import SKILLS, conversations, documents
from zerochat.demo.world import KNOWLEDGE


@cache
def made(count, split):
    return list(conversations(count, seed=0, split=split))


train, held_out = partial(made, 5000, "train"), partial(made, 800, "validation")


def prompts(chat):
    """Everything before each answer, as one string."""
    contents = [message["content"] for message in chat["messages"]]
    return ["\n".join(contents[:i]) for i, message in enumerate(chat["messages"]) if message["role"] == "assistant"]


def turns(chat):
    """(question, answer message, [skill, slot values...]) of each turn."""
    messages = [message for message in chat["messages"] if message["role"] != "system"]
    return list(zip([message["content"] for message in messages[::2]], messages[1::2], chat["slots"], strict=True))


CLOSED = {value for rows in KNOWLEDGE.values() for table in rows.values() for row in table for value in row.values()}


def open_values(slots):
    """The values that no table has, so that only copying can give them."""
    return [value for value in slots[1:] if value not in CLOSED]


def never_in_training(value):
    return any(demo_data.reserved(value)) or value.lower() in demo_data.NEVER


def text_of(items):
    return "\n".join(message["content"] for chat in items for message in chat["messages"])


@pytest.mark.parametrize("generate", [conversations, documents])
@pytest.mark.parametrize("split", ["train", "validation"])
def test_an_item_depends_on_its_seed_and_index_and_not_on_the_count(generate, split):
    assert list(generate(20, 3, split))[:7] == list(generate(7, 3, split))
    assert list(generate(20, 3, split)) != list(generate(20, 4, split))
    assert {item["lang"] for item in generate(20, 3, split, lang="zh")} == {"zh"}


def test_training_and_held_out_share_no_prompt_no_slot_combination_and_no_document():
    for parts in (prompts, lambda chat: [(chat["lang"], repr(sorted(chat["slots"])))]):
        assert not {part for chat in train() for part in parts(chat)} & {part for chat in held_out() for part in parts(chat)}
    assert not {d["text"] for d in documents(3000)} & {d["text"] for d in documents(500, split="validation")}


def test_held_out_values_share_no_two_neighbours_with_those_of_training_and_half_of_the_recalled_ones_are_such():
    trained = [value for chat in train() for slots in chat["slots"] for value in open_values(slots)]
    assert len(set(trained)) > 4000 and not list(filter(never_in_training, trained))
    pairs = {value.lower()[i:i + 2] for value in trained for i in range(len(value) - 1)}
    asked = [(reply["values"], value) for chat in held_out() for _, reply, slots in turns(chat) if reply.get("values")
             for value in open_values(slots) if value in reply["content"]]
    unseen = [value for value in (value for rarity, value in asked if rarity == "unseen") if demo_data.rarity(value) == "unseen"]
    assert 0.15 < len(unseen) / len(asked) < 0.6
    assert not pairs & {value.lower()[i:i + 2] for value in unseen for i in range(len(value) - 1)}
    assert {rarity for rarity, _ in asked} == {"unseen", "real", "known"}
    real = {value for slots in world.NEVER.values() for values in slots.values() for value in values}
    for lang in ("en", "zh"):
        said = "\n".join(d["text"] for d in documents(1500, lang=lang)) + text_of(c for c in train() if c["lang"] == lang)
        assert not [value for value in real if re.search(rf"(?<!\w){value}(?!\w)" if lang == "en" else value, said, re.IGNORECASE)]


def held_out_patterns():
    return {(lang, name): re.compile(re.sub(r"\\{\w+\\}", "(.+)", "|".join(re.escape(w) for p in skill.held_out_wordings for w in p)))
            for lang, skills in SKILLS.items() for name, skill in skills.items() if name != "keys"}


def test_held_out_wordings_occur_in_validation_alone():
    patterns = held_out_patterns()
    trained, held = ([(chat["lang"], slots[0]) for chat in chats for question, _, slots in turns(chat)
                      if (chat["lang"], slots[0]) in patterns and patterns[chat["lang"], slots[0]].fullmatch(question)]
                     for chats in (train(), held_out()))
    assert trained == [] and len(set(held)) > 40


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_skill_has_six_wordings_besides_those_held_out_and_occurs_in_both_splits(lang):
    assert len(SKILLS[lang]) >= 60 and set(SKILLS["en"]) == set(SKILLS["zh"])
    for name, skill in SKILLS[lang].items():
        wordings, held = ({w for pattern in part for w in pattern} for part in (skill.wordings, skill.held_out_wordings))
        assert len(wordings) >= 6 and held and not wordings & held, name
    said, held = ({skill for chat in items if chat["lang"] == lang for slots in chat["slots"] for skill in slots[0].split("+")}
                  for items in (train(), held_out()))
    assert said == set(SKILLS[lang]) and len(held) > 0.9 * len(said)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_made_up_values_are_of_any_letters_or_characters(lang):
    rng = random.Random(0)
    names = {demo_data.draw("name", lang, rng, False) for _ in range(3000)}
    assert len(names) > 1500 and len(set("".join(names))) > (50 if lang == "en" else 2000)
    assert demo_data.fill("{d}-{first}", lang, rng).partition("-")[2] in world.FIRST_NAMES


def test_a_follow_up_keeps_what_it_does_not_name_and_a_correction_replaces_what_was_told():
    rng, before = random.Random(0), {"unit": "day", "side": "before", "point": "Monday", "neighbour": "Sunday"}
    for _ in range(50):
        wording, _, slots = demo_data.exchange("calendar", "en", rng, {}, before=before)
        assert slots["side"] == "before" or "{side}" in wording
    corrected = [chat for chat in train() if any(slots[0] == "tell_name" for slots in chat["slots"][1:2])
                 and chat["slots"][0][0] == "tell_name" and chat["slots"][-1][0] == "ask_name"]
    assert len(corrected) > 5
    assert all(chat["slots"][-1][1] == chat["slots"][1][1] != chat["slots"][0][1] for chat in corrected)


def test_a_tenth_of_the_questions_is_outside_and_answered_in_their_language_by_one_sentence_each():
    for lang in ("en", "zh"):
        asked = [(reply["skill"], reply["content"]) for chat in train() if chat["lang"] == lang for _, reply, _ in turns(chat)]
        outside = [pair for pair in asked if pair[0] in ("refuse", "unknown_topic", "keys")]
        assert 0.06 < len(outside) / len(asked) < 0.25 and len(set(outside)) == 3


def test_every_copied_value_of_an_answer_stands_in_its_history_and_free_text_has_what_its_check_asks_for():
    for chat in held_out():
        for history, (_, reply, slots) in zip(prompts(chat), turns(chat), strict=True):
            for value in open_values(slots):
                assert value not in reply["content"] or value in history or value.lower() in history.lower()
    checked = [reply for chat in held_out() for _, reply, _ in turns(chat) if "check" in reply]
    assert {reply["skill"] for reply in checked} == set(world.FREE_TEXT)
    for reply in checked:
        assert all(part in reply["content"] for part in reply["check"]["contains"])
        assert len(reply["content"]) >= reply["check"]["min_chars"]


def test_recalled_facts_were_given_that_many_turns_ago_and_one_that_nobody_told_is_not_made_up():
    distances, unknown, asks = set(), 0, demo_data.ASKED_FOR
    says_so = {*world.UNKNOWN.values(), *world.NO_ORDER.values()}
    for chat in train() + held_out():
        told = set()
        for turn, (_, reply, slots) in enumerate(turns(chat)):
            if "back" in reply:
                distances.add(reply["back"])
                assert turns(chat)[turn - reply["back"]][2][0].startswith("tell_")
            for skill in slots[0].split("+"):
                if skill.startswith("tell_"):
                    told.add(skill)
                elif skill in asks and world.TELLS[asks[skill]] not in told:
                    assert reply["content"] in says_so
            unknown += reply["content"] in says_so
    assert {1, 2, 3, 4, 5, 6} <= distances and unknown > 200


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_slots_are_filled_and_answers_are_whole_sentences_however_the_question_is_typed(lang):
    asked = [(question, reply["content"]) for chat in train() if chat["lang"] == lang for question, reply, _ in turns(chat)]
    casual = [pair for pair in asked if pair[0][-1] not in ".?!。？！" and pair[0] == pair[0].lower()]
    assert 0.2 < len(casual) / len(asked) < 0.6
    for question, answer in asked:
        assert answer[-1] in ".!?。！？" and not answer[0].islower() or lang == "zh" and answer[-1] in "。！？"
        assert not set("{}[]|/~") & set(question + answer)


def test_what_is_typed_in_haste_says_the_same_and_a_slot_is_never_touched():
    rng = random.Random(0)
    typed = {demo_data.typed("What is the capital of {country}?", "en", rng) for _ in range(2000)}
    assert len(typed) > 300 and all("{country}" in wording for wording in typed)
    assert {"whats the capital of {country}", "Hey, what is the capital of {country}?".lower()} <= typed


def test_sums_are_correct_counting_names_every_number_once_and_days_and_months_go_round():
    text = text_of(train()) + "\n".join(document["text"] for document in documents(500))
    sums = re.findall(r"(\d+ ?[+-] ?\d+) ?= ?(\d+)", text)
    assert len(sums) > 500 and all(eval(left) == int(right) for left, right in sums)
    for question, reply, _ in (turn for chat in train() for turn in turns(chat)):
        if reply["skill"] == "count" and len(re.findall(r"\d+", question)) == 2:
            first, last = map(int, re.findall(r"\d+", question))
            assert list(map(int, re.findall(r"\d+", reply["content"]))) == list(range(first, last + 1))
    rows = {(row["side"], row["point"]): row["neighbour"] for row in KNOWLEDGE["en"]["calendar"]}
    assert rows["after", "Sunday"] == "Monday" and rows["before", "January"] == "December"
    assert all(rows["before", neighbour] == point for (side, point), neighbour in rows.items() if side == "after")


def test_languages_alternate_and_so_do_roles_after_an_optional_system_prompt():
    assert [chat["lang"] for chat in train()[:6]] == ["en", "zh"] * 3
    with_system = 0
    for chat in train() + held_out():
        roles = [message["role"] for message in chat["messages"]]
        with_system += roles[0] == "system"
        roles = roles[roles[0] == "system":]
        assert roles and roles == ["user", "assistant"] * (len(roles) // 2)
    assert 0.05 < with_system / 5500 < 0.15
