"""A model's own answers to everyday instructions, as data that keep it talking while it learns something else.

    python recipes/talk.py            # asks models/smollm2, writes models/smollm2-talk.jsonl, a minute or two

A model fine-tuned on a few chats alone forgets how to do anything else. Mixed into its data, what it said before holds
it where it was (Li & Hoiem 2016, "Learning without forgetting"; text instead of their logits). Greedy; an answer that
has not ended after `LENGTH` tokens is left out, for a cut one would teach it to stop in the middle. None of the
instructions is one of those that `benchmarks/companion.py` asks afterwards."""

import argparse
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from model import LanguageModel  # noqa: E402
from tokenizer import Tokenizer  # noqa: E402
from zerochat.files import write_atomic  # noqa: E402
from zerochat.generation.engine import Engine, Sampling  # noqa: E402
from zerochat.precision import chat_dtype  # noqa: E402

LENGTH, SLOTS, CONTEXT = 200, 16, 256  # tokens of an answer; answers side by side; of a row in recipes/companion.json
# Whatever stands behind the colon, one after the other, takes the place of the star.
INSTRUCTIONS = """What is *?: a volcano, democracy, an atom, jazz, a verb, inflation, the equator, a vaccine, an island, a metaphor
Explain * in simple words.: how rain forms, electricity, the internet, why we sleep, evolution, money, magnets, the seasons
Give me three tips for *.: a job interview, learning a language, saving money, a long flight, growing tomatoes, public speaking
Write a short poem about *.: the sea, my grandmother, snow, a train, the moon, coffee, a lost key
Write a short email that *.: thanks a teacher, asks for a refund, invites a friend to dinner, says sorry for being late
Name five *.: fruits, countries in Asia, musical instruments, kinds of trees, books for children, jobs in a hospital
How do I *?: boil rice, change a tyre, write a cover letter, clean a window, keep a plant alive, make lemonade, fold a shirt
Why *?: is the sea salty, do leaves fall in autumn, do we dream, do cats purr, is bread soft, do stars twinkle
Who was *?: Marie Curie, Cleopatra, Albert Einstein, Mozart, Leonardo da Vinci, Jane Austen
Tell me the story of * in two sentences.: Little Red Riding Hood, Robin Hood, the three little pigs, Romeo and Juliet
Write a sentence with the word *.: river, window, brave, yesterday, orange, slowly
What is the difference between * in one sentence?: a frog and a toad, weather and climate, a hill and a mountain, coffee and tea
Suggest a name for *.: a bakery, a dog, a sailing boat, a book club, a band
What is the capital of *?: Italy, Japan, Egypt, Canada, Kenya, Peru
Which * is the largest?: planet, desert, animal on land, country, bird
Tell me a fact about *.: elephants, the Sun, honey, Iceland, chess, bees
List four things for *.: a first aid kit, a picnic, a winter walk, a desk
Translate * into French.: good morning, thank you, the red house, my friend
What are the benefits of *?: walking, drinking water, learning music, working in a team
Who wrote *?: Don Quixote, War and Peace, the Odyssey, Frankenstein, The Little Prince
Explain * in one sentence.: a rainbow, a bank, gossip, a black hole, recycling, an echo, a parliament, rust
Use * in a question.: the word bridge, the word silent, the word planet, the word because
Write a two-line rhyme about *.: a fox, rain, a baker, Monday, a bicycle, winter
Give me one reason to *.: learn to cook, visit Portugal, get up early, plant a tree, keep a diary
Rewrite this politely: *: give me the report, you are late again, stop talking, I do not want to come
What is the opposite of *?: generous, noisy, ancient, shallow, to arrive
Correct the spelling: *: I recieve leters evry day, she dont lik aples, tomorow we wil travle
How many * are there?: continents, letters in the English alphabet, players in a football team, minutes in a day, strings on a violin
What is a good present for *?: a gardener, my father, a child of six, a teacher
Answer briefly: *: how many days has a year?, is a whale a fish?, what do pandas eat?, what colour is a ripe banana?"""


def instructions() -> list[str]:
    found = []
    for line in INSTRUCTIONS.splitlines():
        form, words = line.rsplit(": ", 1)
        found += [form.replace("*", word) for word in words.split(", ")]
    return found


def main() -> None:
    """Write the file; a folder that is no chat model ends in one line."""
    parser = argparse.ArgumentParser(description="a model's own answers to everyday instructions")
    parser.add_argument("--model", default="models/smollm2")
    parser.add_argument("--to", help="default: <model>-talk.jsonl")
    args = parser.parse_args()
    target = args.to or args.model.rstrip("/") + "-talk.jsonl"
    model = LanguageModel.load(args.model, dtype=chat_dtype("auto"), max_position_embeddings=CONTEXT)
    engine, asked = Engine(model, Tokenizer(args.model), SLOTS), [[{"role": "user", "content": text}] for text in instructions()]
    prompts = [engine.tokenizer.render(messages, add_generation_prompt=True)[0] for messages in asked]
    answers = engine.answer_all(prompts, Sampling(temperature=0, max_new_tokens=LENGTH))
    rows = [{"messages": [*messages, {"role": "assistant", "content": request.text.strip()}]}
            for messages, request in zip(asked, answers) if request.finish_reason == "stop"]
    write_atomic(target, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    print(f"{target}: {len(rows)} of {len(asked)} instructions were answered within {LENGTH} tokens")


if __name__ == "__main__":
    try:
        main()
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")
