"""How well the built-in model answers what people type freely: chats of `free/`, each turn after its own answers.

    python benchmarks/free.py --model out/small [--later | --first 28] [--misses]

The chats were written, and committed before any run, by people who had not read the grammar and were told only "a
small shop assistant that chats"; those of `--later` by others, when all of the first had been looked at. Every turn
says what fits: an exact text, a pattern, or "outside", which a refusal fits and nothing else does; a refusal fits no
other turn. Greedy. Beside the model stand the share that always refusing would reach, and that of its own answers dealt
out in another order. An answer is well-formed when each of its words is one of the grammar (its tables' numbers are)
or of the chat so far, it is Chinese where the question has Chinese characters or the chat is a Chinese one, else not,
and its last mark ends a sentence."""

import argparse
import json
import os
import random
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, ROOT)

from model import LanguageModel
from tokenizer import Tokenizer
from zerochat.demo import world
from zerochat.demo.chats import KNOWLEDGE
from zerochat.evaluation.metrics import is_chinese, words
from zerochat.generation.engine import Engine, Sampling
from zerochat.text import CHINESE, markdown

REFUSAL = re.compile(
    r"(?i)(do not|don't|can't|cannot) (know|do|help|understand|answer)|too hard|不知道|不懂|做不到|没看懂|太难"
)
SAID = set(words(f"{world.WIDE} {KNOWLEDGE} {world.DAYS} {world.MONTHS} {world.UNKNOWN} {world.NO_ORDER}"))


def fits(answer: str, expect: str | dict) -> bool:
    """Whether an answer is what a turn expects."""
    refuses = bool(REFUSAL.search(answer))
    if expect == "outside":
        return refuses
    met = re.search(expect["pattern"], answer) if "pattern" in expect else answer.strip() == expect["exact"]
    return bool(met) and not refuses


def ask(engine: Engine, chats: list[dict]) -> list[dict]:
    """Every turn with its `answer` and the `history` before it."""
    turns, histories = [], [[] for _ in chats]
    for at in range(max(len(chat["turns"]) for chat in chats)):
        going = [i for i, chat in enumerate(chats) if at < len(chat["turns"])]
        for i in going:
            histories[i] = [*histories[i], {"role": "user", "content": chats[i]["turns"][at]["user"]}]
        prompts = [engine.fit(histories[i], 64)[1] for i in going]
        for i, request in zip(going, engine.answer_all(prompts, Sampling(temperature=0, max_new_tokens=64))):
            turns.append(chats[i]["turns"][at] | {"history": histories[i], "answer": request.text})
            histories[i] = [*histories[i], {"role": "assistant", "content": request.text}]
    return turns


def well_formed(turn: dict, lang: str) -> bool:
    said = set(words(" ".join(message["content"] for message in turn["history"])))
    asked = bool(re.search(f"[{CHINESE}]", turn["history"][-1]["content"]))
    same_script = is_chinese(turn["answer"]) in (asked, lang == "zh")
    return set(words(turn["answer"])) <= SAID | said and same_script and turn["answer"][-1:] in tuple(".!?。！？")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="out/small")
    parser.add_argument("--later", action="store_true", help="the chats of the second writers")
    parser.add_argument("--first", type=int, help="only so many chats of each file")
    parser.add_argument("--misses", action="store_true", help="print them")
    args = parser.parse_args()
    engine, rows, misses, shuffled = (
        Engine(LanguageModel.load(args.model), Tokenizer(args.model), 16),
        [],
        [],
        random.Random(0),
    )
    for lang in ("en", "zh"):
        with open(os.path.join(ROOT, "benchmarks", "free", f"{lang}{'-later' * args.later}.jsonl"), encoding="utf-8") as file:
            turns = ask(engine, [json.loads(line) for line in file][: args.first])
        right = [fits(turn["answer"], turn["expect"]) for turn in turns]
        outside = [turn["expect"] == "outside" for turn in turns]
        orders = [shuffled.sample(turns, len(turns)) for _ in range(20)]
        dealt = [fits(other["answer"], turn["expect"]) for order in orders for other, turn in zip(order, turns)]
        refused = [yes for yes, out in zip(right, outside) if out]
        good = [well_formed(turn, lang) for turn in turns]
        rows.append(
            [lang, str(len(turns)), *(f"{sum(x) / len(x):.1%}" for x in (right, refused, outside, dealt, good))]
        )
        misses += [f"{t['history'][-1]['content']} -> {t['answer']}" for t, yes in zip(turns, right) if not yes]
    head = "language | turns | fitting | of those outside | always a refusal | answers dealt out anew | well-formed"
    print("\n".join([*markdown(head, rows), *(["", *misses] if args.misses else [])]))


if __name__ == "__main__":
    main()
