"""lm-evaluation-harness on a model folder, offline, with a task of our own: the built-in held-out questions.

    pip install -e ".[bench]"
    python benchmarks/harness.py --model out/small
"""

import argparse
import glob
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from model import LanguageModel
from tokenizer import Tokenizer
from zerochat.demo import chats as demo_data
from zerochat.generation.engine import Engine
from zerochat.generation.sampling import Sampling

TASK = """task: zerochat
dataset_path: json
dataset_kwargs: {data_files: {test: FOLDER/questions.jsonl}}
test_split: test
output_type: generate_until
doc_to_text: "{{question}}"
doc_to_target: "{{answer}}"
generation_kwargs: {max_gen_toks: 64, do_sample: false, until: []}
metric_list: [{metric: exact_match, aggregation: mean, higher_is_better: true}]
"""


def run(model: str, questions: list[dict]) -> float:
    """The harness's exact match on `questions` ({"question", "answer"}), through its `hf` model."""
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "questions.jsonl"), "w", encoding="utf-8") as file:
            file.writelines(json.dumps(question, ensure_ascii=False) + "\n" for question in questions)
        with open(os.path.join(folder, "zerochat.yaml"), "w", encoding="utf-8") as file:
            file.write(TASK.replace("FOLDER", folder))
        offline = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_DATASETS_CACHE": os.path.join(folder, "cache")}
        command = [sys.executable, "-m", "lm_eval", "--model", "hf", "--tasks", "zerochat", "--include_path", folder,
                   "--model_args", f"pretrained={os.path.abspath(model)},dtype=float32", "--apply_chat_template",
                   "--device", "cpu", "--batch_size", "8", "--output_path", os.path.join(folder, "results")]
        # It imports a module named `evaluate`, which must not be this project's page: so neither is it started in the
        # checkout nor told to look there.
        others = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        done = subprocess.run(command, cwd=folder, env={**others, **offline}, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(done.stderr[-3000:])
        print(done.stdout)
        with open(glob.glob(os.path.join(folder, "results", "**", "*.json"), recursive=True)[0]) as file:
            return json.load(file)["results"]["zerochat"]["exact_match,none"]


def main(argv=None) -> None:
    parser = argparse.ArgumentParser(description="run lm-evaluation-harness on a model folder")
    parser.add_argument("--model", default="out/small")
    parser.add_argument("--count", type=int, default=200, help="held-out conversations whose first question is asked")
    args = parser.parse_args(argv)
    chats = [chat["messages"] for chat in demo_data.conversations(args.count, split="validation")]
    chats = [chat for chat in chats if [m["role"] for m in chat[:2]] == ["user", "assistant"] and not chat[1].get("check")]
    questions = [{"question": chat[0]["content"], "answer": chat[1]["content"]} for chat in chats]
    theirs = run(args.model, questions)
    engine = Engine(LanguageModel.load(args.model, "cpu"), Tokenizer(args.model), slots=16)
    prompts = [engine.tokenizer.render(chat[:1], add_generation_prompt=True)[0] for chat in chats]
    answers = engine.answer_all(prompts, Sampling(temperature=0, max_new_tokens=64))
    ours = [engine.tokenizer.decode(a.tokens) == q["answer"] for a, q in zip(answers, questions)]
    print(f"{len(questions)} first questions answered exactly: harness {theirs:.4f}, here {sum(ours) / len(ours):.4f}")


if __name__ == "__main__":
    main()
