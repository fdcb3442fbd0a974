"""Chats as people type them, each turn asked after the model's own answers, and which of these fit.

A file of them has a chat per line, {"lang", "turns": [{"user", "expect"}]}; `expect` is {"exact": text}, {"pattern": a
regular expression that the answer must contain} or "outside": a refusal fits there and nowhere else. Beside the model
stand what needs none: always refusing, and its own answers in another order. Left out on purpose: a judging model."""

import json
import random
import re

from zerochat.evaluation.metrics import is_chinese, words
from zerochat.generation.engine import Engine, Sampling
from zerochat.text import markdown

REFUSAL = re.compile(
    r"(?i)(do not|don't|can't|cannot) (know|do|help|understand|answer)|too hard|不知道|不懂|做不到|没看懂|太难"
)


def read(path: str) -> list[dict]:
    """The chats of a file; ValueError, with file and line, where one is not as described above."""
    chats = []
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                chats.append(json.loads(line))
                for turn in chats[-1]["turns"]:
                    fits("", turn["expect"]), turn["user"] + chats[-1]["lang"]
            except (ValueError, TypeError, KeyError, re.error) as error:
                form = '{"lang", "turns": [{"user", "expect": "outside" or {"pattern" or "exact": text}}]}'
                raise ValueError(f"{path}:{number}: not a chat of the form {form} ({error!r})") from None
    return chats


def fits(answer: str, expect: str | dict) -> bool:
    refuses = bool(REFUSAL.search(answer))
    if isinstance(expect, str):
        return refuses
    met = re.search(expect["pattern"], answer) if "pattern" in expect else answer.strip() == expect["exact"]
    return bool(met) and not refuses


def ask(engine: Engine, chats: list[dict], max_new_tokens: int) -> list[dict]:
    """Every turn with its `answer`, the `history` before it and its chat's `lang`."""
    turns, histories = [], [[] for _ in chats]
    for at in range(max(len(chat["turns"]) for chat in chats)):
        going = [i for i, chat in enumerate(chats) if at < len(chat["turns"])]
        for i in going:
            histories[i] = [*histories[i], {"role": "user", "content": chats[i]["turns"][at]["user"]}]
        prompts = [engine.fit(histories[i], max_new_tokens)[1] for i in going]
        for i, request in zip(
            going, engine.answer_all(prompts, Sampling(temperature=0, max_new_tokens=max_new_tokens))
        ):
            turns.append(
                chats[i]["turns"][at] | {"lang": chats[i]["lang"], "history": histories[i], "answer": request.text}
            )
            histories[i] = [*histories[i], {"role": "assistant", "content": request.text}]
    return turns


def whole(turn: dict, vocabulary: set[str]) -> bool:
    """Whether an answer has only words of the vocabulary or the conversation, its language's script and an end mark."""
    said = set(words(" ".join(message["content"] for message in turn["history"])))
    known = set(words(turn["answer"])) <= vocabulary | said
    return known and is_chinese(turn["answer"]) == (turn["lang"] == "zh") and turn["answer"][-1:] in tuple(".!?。！？")


def report(turns: list[dict], vocabulary: set[str]) -> list[str]:
    """A table by language, and what was missed."""
    rows, lines, shuffled = [], [], random.Random(0)
    for lang in sorted({turn["lang"] for turn in turns}):
        these = [turn for turn in turns if turn["lang"] == lang]
        orders = [shuffled.sample(these, len(these)) for _ in range(20)]
        shares = [fits(turn["answer"], turn["expect"]) for turn in these], [t["expect"] == "outside" for t in these]
        others = [fits(o["answer"], turn["expect"]) for order in orders for o, turn in zip(order, these)]
        good = [whole(turn, vocabulary) for turn in these]
        rows.append([lang, str(len(these)), *(f"{sum(x) / len(x):.1%}" for x in (*shares, others, good))])
        missed = [turn for turn, right in zip(these, shares[0]) if not right]
        lines += ["", *(f"{lang}: {turn['history'][-1]['content']} -> {turn['answer']}" for turn in missed)]
    head = "language | turns | fitting | always a refusal | answers shuffled | well-formed"
    return [*markdown(head, rows), *lines]
