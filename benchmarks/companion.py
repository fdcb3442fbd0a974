"""Does the companion keep its name and the user's, and does the model still talk as it did?

    python benchmarks/companion.py --model out/companion --base models/smollm2

The turns of `recipes/companion-heldout.jsonl` that have a `check` are asked behind the reference conversation and must
contain what it names. Then, for both models, the loss in nats per token of what the base model itself answers, greedily,
to twenty everyday instructions under its own system message: what it said before is the measure of what is lost."""

import argparse
import json
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, ROOT)

from benchmarks.faq import load
from evaluate import answer_samples, likelihood
from zerochat.generation.engine import Engine, Sampling

INSTRUCTIONS = """What is photosynthesis?
Give me three tips for a good night's sleep.
Write a short poem about the autumn.
Explain gravity to a child.
What is the difference between a lake and a sea?
Write a polite email that asks for a day off.
Name five animals that live in Africa.
How do I make pancakes?
Why is the sky blue?
Summarise the story of Cinderella in two sentences.
What are the benefits of reading books?
Suggest a name for a coffee shop.
Who was Isaac Newton?
How does a bicycle stay upright?
List four things to pack for a beach holiday.
What is a prime number?
Write a sentence with the word umbrella.
How can I learn to swim?
What is the largest ocean?
Tell me a fact about penguins."""


def kept(engine: Engine) -> list[dict]:
    """The turns with a check, answered (`evaluate.answer_samples`)."""
    samples = []
    with open(os.path.join(ROOT, "recipes", "companion-heldout.jsonl"), encoding="utf-8") as file:
        for line, row in enumerate(file, 1):
            messages = [{**m, "supervised": "check" in m} for m in json.loads(row)["messages"]]
            samples.append({"source": "companion-heldout.jsonl", "line": line, "messages": messages})
    return answer_samples(engine, samples, 64)


def main() -> None:
    parser = argparse.ArgumentParser(description="a companion's names, and what is lost of general talk")
    parser.add_argument("--model", default="out/companion")
    parser.add_argument("--base", default="models/smollm2")
    args = parser.parse_args()
    base, engine = load(args.base), load(args.model)
    for name, asked in ((args.base, base), (args.model, engine)):
        turns = kept(asked)
        print(f"{name}: {sum(turn['correct'] for turn in turns)} of {len(turns)} held-out turns keep what they should", flush=True)
    for turn in turns:
        if not turn["correct"]:
            print(f"  {turn['check']['contains']}: {turn['history'][-1]['content']}\n    {turn['answer']}")
    questions = [[{"role": "user", "content": text}] for text in INSTRUCTIONS.splitlines()]
    prompts = [base.tokenizer.render(messages, add_generation_prompt=True)[0] for messages in questions]
    answers = base.answer_all(prompts, Sampling(temperature=0, max_new_tokens=64))
    said = [{"source": "own", "line": 0, "messages": [*messages, {"role": "assistant", "content": request.text}]}
            for messages, request in zip(questions, answers)]
    losses = [likelihood(asked, said)["all"] for asked in (base, engine)]
    print(f"loss on the {losses[0]['tokens']} tokens that {args.base} answers itself: {losses[0]['loss']:.3f} before, {losses[1]['loss']:.3f} after")


if __name__ == "__main__":
    main()
