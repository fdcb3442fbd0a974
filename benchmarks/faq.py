"""How well a FAQ bot answers: wordings held out, free wordings, what the FAQ has no answer to; and by place in a chat.

    python benchmarks/faq.py --model out/faq                  # the English lists of recipes/
    python benchmarks/faq.py --model out/faq-small --lists faq faq-zh

Greedy. An answer is right when it is the list's word for word, or one of those under `also` where a question has more
than one. The free wordings were written from the answers alone and committed before any run. In the chats every
question comes once at each of the four places, behind others and the model's own answers to them."""

import argparse
import json
import os
import random
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, ROOT)

from model import LanguageModel
from tokenizer import Tokenizer
from zerochat.generation.engine import Engine, Sampling

LENGTH, SLOTS = 4, 16  # questions in a chat; chats side by side


def load(folder: str) -> Engine:
    """The model with a context of 512 tokens: the cache of 16 chats of SmolLM2's own 8,192 would take 6 GiB."""
    return Engine(LanguageModel.load(folder, max_position_embeddings=512), Tokenizer(folder), SLOTS)


def read(name: str) -> list[dict]:
    with open(os.path.join(ROOT, "recipes", f"{name}.jsonl"), encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def lists(faq: str) -> dict[str, list[dict]]:
    """The questions of a FAQ of `recipes/`, none of them trained on, by what they are."""
    nothing, free = read(f"{faq}-outside")[0]["answer"], read(f"{faq}-free")
    outside = [row for row in free if row["answer"] == nothing]
    return {"held out": read(f"{faq}-heldout"), "free": [row for row in free if row not in outside], "out of scope": outside}


def ask(engine: Engine, chats: list[list[dict]]) -> list[list[tuple[bool, str]]]:
    """Whether each answer of each chat is right, and the answer; turn by turn, behind the answers that were given."""
    found = [[] for _ in chats]
    for begin in range(0, len(chats), SLOTS):  # as many as the engine has slots, so that a turn reads on where the last ended
        group = range(begin, min(begin + SLOTS, len(chats)))
        said = {number: [] for number in group}
        for turn in range(len(chats[begin])):
            for number in group:
                said[number].append({"role": "user", "content": chats[number][turn]["question"]})
            prompts = [engine.fit(said[number], 64)[1] for number in group]
            for number, request in zip(group, engine.answer_all(prompts, Sampling(temperature=0, max_new_tokens=64))):
                row, answer = chats[number][turn], request.text.strip()
                found[number].append((answer in (row["answer"], *row.get("also", ())), answer))
                said[number].append({"role": "assistant", "content": answer})
    return found


def chats_of(rows: list[dict]) -> list[list[dict]]:
    """As many chats as questions, every question once at each place."""
    order = random.Random(0).sample(rows, len(rows))
    return [[order[(begin + place) % len(order)] for place in range(LENGTH)] for begin in range(len(order))]


def measure(engine: Engine, faq: str, chats: bool = True) -> tuple[dict[str, tuple[float, int]], list[str]]:
    """(share of right answers, questions) of each list and of each place in chats of those held out; what was missed."""
    figures, missed, asked = {}, [], lists(faq)
    for kind, rows in asked.items():
        found = [answers[0] for answers in ask(engine, [[row] for row in rows])]
        figures[kind] = (sum(right for right, _ in found) / len(rows), len(rows))
        missed += [f"{kind}: {row['question']}\n    {answer}" for row, (right, answer) in zip(rows, found) if not right]
    found = ask(engine, chats_of(asked["held out"])) if chats else []
    for place in range(LENGTH * chats):
        figures[f"held out, question {place + 1} of a chat"] = (sum(of[place][0] for of in found) / len(found), len(found))
    return figures, missed


def main() -> None:
    parser = argparse.ArgumentParser(description="how well a FAQ bot answers")
    parser.add_argument("--model", default="out/faq")
    parser.add_argument("--lists", nargs="+", default=["faq"], help="names in recipes/, without .jsonl")
    parser.add_argument("--no-chats", action="store_true", help="single questions alone")
    args = parser.parse_args()
    engine = load(args.model)
    for faq in args.lists:
        figures, missed = measure(engine, faq, not args.no_chats)
        print(f"| {faq} | right | of |\n|---|---:|---:|")
        print(*(f"| {kind} | {right:.1%} | {count} |" for kind, (right, count) in figures.items()), sep="\n")
        print("", "missed:", *missed, "", sep="\n", flush=True)


if __name__ == "__main__":
    main()
