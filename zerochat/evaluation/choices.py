"""Multiple choice: which of some answers the model finds likeliest."""

import json
from collections.abc import Callable, Iterable

from zerochat.evaluation.metrics import ratio_interval
from zerochat.generation.engine import Engine


def read_choices(records: Iterable[tuple]) -> list[dict]:
    """Questions out of (file, line, record): `{"question": text, "choices": [text, ...], "answer": index or text}`."""
    questions = []
    for path, number, item in records:
        try:
            item = json.loads(item) if isinstance(item, str) else item
            question, choices, answer = item["question"], item["choices"], item["answer"]
            answer = choices.index(answer) if isinstance(answer, str) else answer
            texts = isinstance(choices, list) and all(isinstance(text, str) for text in [question, *choices])
            if not texts or len(choices) < 2 or type(answer) is not int or not 0 <= answer < len(choices):
                raise ValueError
        except (ValueError, KeyError, TypeError, AttributeError):
            shape = '{"question": text, "choices": [text, text, ...], "answer": the right one or its index from 0}'
            raise ValueError(f"{path}, line {number}: should be {shape}") from None
        questions.append({"question": question, "choices": choices, "answer": answer, "line": number})
    return questions


def multiple_choice(engine: Engine, questions: list[dict], token_nats: Callable) -> dict:
    """How often the right answer is the likeliest, of all tokens and its end marker together, and per byte of text.
    token_nats: `evaluate.token_nats`."""
    total, per_byte = [], []
    for item in questions:
        scores = []
        for choice in item["choices"]:
            asked = {"role": "user", "content": item["question"]}
            ids, mask = engine.tokenizer.render([asked, {"role": "assistant", "content": choice}])
            if len(ids) > engine.context:
                size = f"{len(ids)} tokens with its longest answer, and the context holds {engine.context}"
                raise ValueError(f"the question of line {item['line']} has {size}")
            scores.append(-float(token_nats(engine, ids, mask).sum()))
        by_byte = [score / max(1, len(choice.encode())) for score, choice in zip(scores, item["choices"])]
        total.append(scores.index(max(scores)) == item["answer"])
        per_byte.append(by_byte.index(max(by_byte)) == item["answer"])
    n = len(questions)
    figures: dict = {"questions": n, "chance": sum(1 / len(item["choices"]) for item in questions) / n}
    for name, right in (("accuracy", total), ("accuracy_per_byte", per_byte)):
        figures |= {name: sum(right) / n, f"{name}_interval": ratio_interval(right, [1] * n, range(n))}
    return figures
