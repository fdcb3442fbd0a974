"""Single questions, whole chats: which answers are right by their place in a chat, with and without `data.join`.

    python benchmarks/joining.py      # needs out/small; some ten minutes

Thirty questions of `recipes/faq.jsonl` (each answer once, then further wordings) are fine-tuned as `recipes/faq-small.json` does, on
nothing else, then asked in 20 chats of four, greedily.
"""

import json
import os
import random
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, ROOT)

from model import LanguageModel
from tokenizer import Tokenizer
from zerochat.generation.engine import Engine, Sampling

TALK = {"demo": "conversations", "count": 30, "seed": 1}


def main() -> None:
    os.chdir(ROOT)
    with open("recipes/faq.jsonl", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    first = {row["answer"]: row for row in reversed(rows)}
    questions = [row for row in rows if row is first[row["answer"]]]
    questions = (questions + [row for row in rows if row not in questions])[:30]
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "questions.jsonl")
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in questions)
        print("| trained on | first | second | third | fourth |\n|---|---:|---:|---:|---:|")
        for name, data, join in (("single", [path], {}), ("joined", [path], {"share": 0.9}), ("joined, with talk", [path, TALK], {"share": 0.9})):
            with open("recipes/faq-small.json", encoding="utf-8") as file:
                config = json.load(file)
            out = os.path.join(folder, name.replace(", ", "-").replace(" ", "-"))
            config["stages"][0] |= {"data": data, "validation": [], "evaluate_every": 1000}
            config |= {"out_dir": out, "evaluate": {"data": []}, "data": {"validation_fraction": 0.0, "join": join}}
            with open(out + ".json", "w", encoding="utf-8") as file:
                json.dump(config, file)
            subprocess.run(["deepspeed", "train.py", "--config", out + ".json"], check=True, stdout=subprocess.DEVNULL)
            engine = Engine(LanguageModel.load(out), Tokenizer(out), 20)
            draw = random.Random(0)
            chats = [draw.sample(questions, 4) for _ in range(20)]
            said, right = [[] for _ in chats], []
            for turn in range(4):
                for messages, chat in zip(said, chats):
                    messages.append({"role": "user", "content": chat[turn]["question"]})
                prompts = [engine.fit(messages, 64)[1] for messages in said]
                answers = [request.text for request in engine.answer_all(prompts, Sampling(temperature=0, max_new_tokens=64))]
                right.append(sum(answer.strip() == chat[turn]["answer"] for answer, chat in zip(answers, chats)))
                for messages, answer in zip(said, answers):
                    messages.append({"role": "assistant", "content": answer})
            print(f"| {name} | {' | '.join(map(str, right))} |", flush=True)


if __name__ == "__main__":
    main()
