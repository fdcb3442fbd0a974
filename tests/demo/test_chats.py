"""What the built-in conversations promise: a fair split, answers that follow from the history, both languages."""

import random
import re
from functools import cache, partial
from itertools import chain, product

import pytest

from zerochat.demo import chats as demo_data
from zerochat.demo import world
from zerochat.demo.chats import SKILLS, WIDE, conversations, documents
from zerochat.demo.world import FACTUAL, POOLS
from zerochat.preparation import reading

POOL_VALUES = {value.lower() for pools in POOLS.values() for pool in pools.values() for value in pool}


@cache
def made(count, split, made_up=0.0):
    return list(conversations(count, seed=0, split=split, made_up=made_up))


train, held_out, wide, held_out_wide = (partial(made, *which) for which in ((5000, "train"), (800, "validation"), (5000, "train", 0.4), (800, "validation", 0.4)))


def prompts(chat):
    """Everything before each answer, as one string."""
    contents = [message["content"] for message in chat["messages"]]
    return ["\n".join(contents[:i]) for i, message in enumerate(chat["messages"]) if message["role"] == "assistant"]


def turns(chat):
    """(question, answer message, [skill, slot values...]) of each turn."""
    messages = [message for message in chat["messages"] if message["role"] != "system"]
    return list(zip([message["content"] for message in messages[::2]], messages[1::2], chat["slots"], strict=True))


def open_values(slots):
    """The values that only copying can give: no table holds them together with an answer."""
    return [value for value in slots[1:] if value.lower() in POOL_VALUES - demo_data.CLOSED or re.fullmatch(r"\d{4}", value)]


@pytest.mark.parametrize("generate", [conversations, documents])
@pytest.mark.parametrize("split", ["train", "validation"])
def test_an_item_depends_on_its_seed_and_index_and_not_on_the_count(generate, split):
    assert list(generate(20, 3, split))[:7] == list(generate(7, 3, split)) and list(generate(20, 3, split)) != list(generate(20, 4, split))
    assert {item["lang"] for item in generate(20, 3, split, lang="zh")} == {"zh"}


def test_training_and_held_out_share_no_prompt_no_slot_combination_and_no_document():
    for parts in (prompts, lambda chat: [(chat["lang"], repr(sorted(chat["slots"])))]):
        assert not {part for chat in train() for part in parts(chat)} & {part for chat in held_out() for part in parts(chat)}
    assert not {d["text"] for d in documents(3000)} & {d["text"] for d in documents(500, split="validation")}


def test_held_out_values_never_occur_in_training_and_do_occur_in_validation(monkeypatch):
    trained = [value for chat in train() for slots in chat["slots"] for value in open_values(slots)]
    assert not list(filter(demo_data.held_out_only, trained))
    novel = [any(demo_data.held_out_only(value) for slots in chat["slots"] for value in slots[1:]) for chat in held_out()]
    assert 0.2 < sum(novel) / len(novel) < 0.6
    asked, draw = [], demo_data.draw
    monkeypatch.setattr(demo_data, "draw", lambda *args: asked.append(args[3]) or draw(*args))
    assert list(documents(300)) and len(asked) > 500 and not any(asked)  # documents do not say what was drawn
    assert list(documents(300, split="validation")) and any(asked)
    for lang, slot, novel in product(POOLS, (*POOLS["en"], *world.ALIASES), (False, True)):
        assert all(demo_data.held_out_only(draw(slot, lang, random.Random(i), novel)) == novel for i in range(20)), slot
    assert any(demo_data.held_out_only(value) for chat in held_out() for slots in chat["slots"] for value in slots if re.fullmatch(r"\d{4}", value))


def test_as_many_values_as_asked_for_are_made_up_none_of_them_held_out_and_a_source_says_how_many():
    for lang, slot in product(POOLS, ("name", "dish", "home", "wish")):
        drawn = [demo_data.draw(slot, lang, random.Random(i), False, 0.4) for i in range(1000)]
        new = {value for value in drawn if value.lower() not in POOL_VALUES}
        rare = set(world.RARE[lang]) - set("".join(chain(*world.PARTS[lang][0])))  # which the tokenizer spells in bytes
        assert 300 < len(new) < 450 and 30 < sum(bool(rare & set(value)) for value in new) < 150, (lang, slot)
        assert not any(map(demo_data.held_out_only, drawn))
    orders = [demo_data.draw("order", "en", random.Random(i), False, 0.4) for i in range(1000)]  # letters, any digits, some twice
    assert all(re.fullmatch(r"[A-Z]{0,2}\d{4,7}", order) for order in orders) and 300 < sum(len(order) > 4 for order in orders) < 450
    source, few = {"demo": "conversations", "count": 20, "seed": 3, "split": None, "made_up": 0.4}, partial(conversations, 20, 3)
    assert [sample for *_, sample in reading.records(source, ".")] == list(few(made_up=0.4)) != list(few())


def test_held_out_wordings_occur_in_validation_alone_and_their_chinese_is_made_of_characters_that_training_has():
    patterns = {(lang, name): re.compile(re.sub(r"\\{\w+\\}", "(.+)", "|".join(map(re.escape, chain(*skill.held_out_wordings)))))
                for lang, skills in WIDE.items() for name, skill in skills.items()}
    trained, held = ([(chat["lang"], slots[0]) for chat in chats for question, _, slots in turns(chat) if "+" not in slots[0]
                      and patterns[chat["lang"], slots[0]].fullmatch(question)] for chats in (train() + wide(), held_out()))
    assert trained == [] and len(set(held)) > 40
    known, asked = (set("".join(chain(*(chain(*skill[i]) for skill in WIDE["zh"].values())))) for i in (1, 2))
    assert not {sign for sign in asked - known if sign > "\u2fff"}


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_each_language_has_twelve_skills_of_six_wordings_that_occur_in_both_splits_and_hundreds_of_values(lang):
    assert len(SKILLS[lang].keys() & WIDE[lang].keys()) == len(SKILLS[lang]) >= 12 and all(len(set(POOLS[lang][pool])) >= 150 for pool in ("name", "dish", "place", "item"))
    for name, skill in WIDE[lang].items():
        wordings, held_out_wordings = set(chain(*skill.wordings)), set(chain(*skill.held_out_wordings))
        assert len(wordings) >= 6 and held_out_wordings and not wordings & held_out_wordings, name
    seen, held, narrow = ({row[0] for chat in some if chat["lang"] == lang for row in chat["slots"]} for some in (wide(), held_out() + held_out_wide(), train()))
    assert narrow == set(SKILLS[lang]) and all(sum("+" in name for name in seen if name.startswith(kind)) > 30 for kind in ("ask_", "tell_")) and seen & held >= WIDE[lang].keys() & held
    assert len(held & WIDE[lang].keys()) > 0.9 * len(WIDE[lang]) and WIDE[lang].keys() < seen


def test_every_copied_value_of_an_answer_stands_in_its_history_and_free_text_has_what_its_check_asks_for():
    for chat in held_out():
        for history, (_, reply, slots) in zip(prompts(chat), turns(chat), strict=True):
            for value in open_values(slots) if slots[0] not in FACTUAL else ():
                assert value not in reply["content"] or value in history
    checked = [reply for chat in held_out() for _, reply, _ in turns(chat) if "check" in reply]
    assert {reply["skill"] for reply in checked} == set(world.FREE_TEXT) and all(
        all(part in reply["content"] for part in reply["check"]["contains"]) and len(reply["content"]) >= reply["check"]["min_chars"] for reply in checked)


def test_recalled_facts_were_given_that_many_turns_ago_and_one_that_nobody_told_is_not_made_up():
    distances, unknown = set(), 0
    for chat in train() + held_out() + wide():
        told, corrected = set(), {}
        for turn, (question, reply, slots) in enumerate(turns(chat)):
            if "back" in reply:
                distances.add(reply["back"])
                assert slots[1] in reply["content"] and not re.search(rf"(?<![A-Za-z]){re.escape(slots[1])}(?![a-z])", question)
                assert slots[1] in turns(chat)[turn - reply["back"]][0]  # and where it was corrected, it is the new one
                assert slots[1] in corrected.get(demo_data.ASKED_FOR[slots[0].split("+")[0]], slots[1])
            else:
                assert not reply["skill"].startswith("ask_")
            if slots[0].startswith("tell_"):
                told |= set(re.split(r"[_+]", slots[0]))
                corrected |= {slots[0].split("_")[1]: reply["content"]} if slots[0].endswith(("_again", "_later")) else {}
            elif slots[0] in demo_data.ASKED_FOR:
                says_so = reply["content"] in (world.UNKNOWN[chat["lang"]], world.NO_ORDER[chat["lang"]])
                assert says_so == (demo_data.ASKED_FOR[slots[0]] not in told) == ("back" not in reply)
                unknown += says_so
    assert distances == {1, 2, 3, 4, 5, 6} and unknown > 200


@pytest.mark.parametrize("made_up, share", [(0.0, {"en": 0.2, "zh": 0.07}), (0.4, {"en": 0.5, "zh": 0.45})])  # the second: configs/chat.json
def test_a_copied_value_is_unseen_where_training_has_none_of_its_words_or_pairs_of_characters(made_up, share):
    def parts(value):  # written anew
        return set(value.lower().split()) if value < "\u2fff" else set(re.findall("(?=(..))", value)) or {value}
    known = {part for chat in train() for slots in chat["slots"] for value in open_values(slots) for part in parts(value)}
    held = [turn for chat in made(800, "validation", made_up) for turn in turns(chat) if "values" in turn[1]]
    assert not [chat for chat in wide() if any("values" in message for message in chat["messages"])]  # training's files stay as they are
    unseen = [turn for turn in held if turn[1]["values"] == "unseen"]
    for lang, wanted in share.items():
        here, all_of_it = (sum((reply["content"] > "\u2fff") == (lang == "zh") for _, reply, _ in some) for some in (unseen, held))
        assert abs(here / all_of_it - wanted) < 0.08, lang
    assert not [value for _, reply, slots in unseen for value in slots[1:] if value in reply["content"] and not value.isdigit()
                and value.lower() not in demo_data.CLOSED.union(*(pools["shade"] for pools in POOLS.values())) and parts(value) & known]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_slots_are_filled_punctuation_fits_and_questions_without_capital_or_full_stop_are_answered_like_the_others(lang):
    asked = [(question, reply["content"]) for chat in train() if chat["lang"] == lang for question, reply, _ in turns(chat)]
    casual = [pair for pair in asked if pair[0][-1] not in ".?!。？！" and pair[0][0] == pair[0][0].lower()]
    assert 0.15 < len(casual) / len(asked) < 0.45 and all(answer[-1] in ".!?。！？" and not answer[0].islower() for _, answer in casual)
    for question, reply, _ in (turn for chat in train() + held_out() if chat["lang"] == lang for turn in turns(chat)):
        assert not set("{}[]|/~") & set(question + reply["content"])
        foreign = re.search(r"[,.!?;:\"']" if lang == "zh" else r"[\u3000-\uffef]", reply["content"])
        assert not foreign or reply["skill"].startswith("translate"), reply["content"]


def test_sums_are_correct_counting_names_every_number_once_and_days_and_months_go_round():
    text = "\n".join([*(message["content"] for chat in train() + wide() for message in chat["messages"]), *(document["text"] for document in documents(500))])
    sums = re.findall(r"(\d+ ?[+-] ?\d+) ?= ?(\d+)", text)
    assert len(sums) > 500 and all(eval(left) == int(right) for left, right in sums)
    for question, reply, _ in (turn for chat in train() for turn in turns(chat)):
        if reply["skill"] == "count":
            first, last = map(int, re.findall(r"\d+", question))
            assert list(map(int, re.findall(r"\d+", reply["content"]))) == list(range(first, last + 1))
    rows = {(row["side"], row["point"]): row["neighbour"] for row in demo_data.KNOWLEDGE["en"]["calendar"]}
    assert rows["after", "Sunday"] == "Monday" and rows["before", "January"] == "December" and all(
        rows["before", neighbour] == point for (side, point), neighbour in rows.items() if side == "after")


def test_languages_alternate_and_so_do_roles_after_an_optional_system_prompt():
    assert [chat["lang"] for chat in train()[:6]] == ["en", "zh"] * 3
    every = [[message["role"] for message in chat["messages"]] for chat in train() + held_out()]
    assert 0.05 < sum(roles[0] == "system" for roles in every) / len(every) < 0.15
    assert all(talk and talk == ["user", "assistant"] * (len(talk) // 2) for talk in (roles[roles[0] == "system":] for roles in every))
