"""Evaluate a model folder on held-out conversations: how likely it finds the reference answers, and what it answers.

    python evaluate.py --model out/small --demo 200             # the built-in held-out conversations
    python evaluate.py --model out/small --data my.jsonl        # yours, in any format that sources.py reads

Every assistant turn is asked with the reference conversation before it, so one wrong answer does not spoil
the next. An answer is correct when it equals the reference, or, where the reference turn carries a
`check` (free text), when it contains what it must and is long enough. Left out on purpose: judging by a model.
"""

import argparse
import json
import math
import re
from collections import Counter, defaultdict

import torch

import clean
import sources
from config import SOURCE
from data import windows
from generate import Engine, Sampling

# One word of a language with spaces, or one character of one without.
WORD = re.compile(r"[\u3400-\u9fff\u3040-\u30ff\uac00-\ud7af]|[^\W_]+|[^\w\s]")


def words(text: str) -> list[str]:
    """Lower-case words; a Chinese character counts as one."""
    return WORD.findall(text.lower())


def read_samples(source_list: list[dict], root: str = ".") -> list[dict]:
    """The cleaned conversations of some sources; ValueError when none is left."""
    samples = []
    for source in source_list:
        for path, line, sample in sources.read(source, root):
            sample = None if isinstance(sample, str) else clean.clean(sample, {})[0]
            if sample is not None and "messages" in sample:
                samples.append({**sample, "source": source["path"] or f"demo:{source['demo']}", "line": line})
    if not samples:
        raise ValueError(f"{', '.join(str(s['path'] or s['demo']) for s in source_list)}: no conversation to evaluate")
    return samples


@torch.inference_mode()
def likelihood(engine: Engine, samples: list[dict]) -> dict[str, float]:
    """Loss in nats per supervised token, perplexity and bits per byte, over all samples together.

    Nats, tokens and bytes are summed and divided once: the mean of means would weight a token by the
    length of its answer.
    """
    sizes = torch.tensor(engine.tokenizer.token_bytes())
    nats = tokens = size = 0.0
    for sample in samples:
        for ids, mask in windows(sample, engine.tokenizer, engine.context)[0]:
            ids, mask = torch.tensor([ids]), torch.tensor([mask])
            nats += float(engine.model(ids.to(engine.device), mask.to(engine.device)))
            targets = ids[:, 1:][mask[:, 1:]]
            tokens, size = tokens + len(targets), size + float(sizes[targets].sum())
    if not tokens:
        raise ValueError("there is no supervised token to evaluate")
    loss = nats / tokens
    return {"loss": loss, "perplexity": math.exp(min(loss, 700)), "bits_per_byte": nats / math.log(2) / max(1, size)}


def answer_samples(engine: Engine, samples: list[dict], max_new_tokens: int = 128, progress=None) -> list[dict]:
    """The model's greedy answer to every assistant turn of every sample, with the reference beside it."""
    turns, prompts = [], []
    for sample in samples:
        for i, message in enumerate(sample["messages"]):
            if message["role"] != "assistant":
                continue
            try:
                history, _ = engine.fit(sample["messages"][:i], max_new_tokens)
            except ValueError:
                continue  # this question alone exceeds the context
            prompts.append(engine.tokenizer.render(history, add_generation_prompt=True)[0])
            turns.append({"lang": sample.get("lang", "-"), "skill": message.get("skill", sample.get("skill", "-")),
                          "back": message.get("back"), "check": message.get("check"), "history": history,
                          "reference": message["content"], "source": sample["source"], "line": sample["line"]})
    requests = engine.answer_all(prompts, Sampling(temperature=0, max_new_tokens=max_new_tokens), progress)
    for turn, request in zip(turns, requests):
        turn["answer"] = engine.tokenizer.decode(request.tokens)
        turn["ended"] = request.finish_reason == "stop"
        turn["correct"] = is_correct(turn)
    return turns


def is_correct(turn: dict) -> bool:
    """Equal to the reference; with a `check`, ended, long enough and containing what it names."""
    check, answer = turn["check"], turn["answer"]
    if check is None:
        return answer.strip() == turn["reference"].strip()
    return turn["ended"] and len(answer) >= check.get("min_chars", 1) and all(part in answer for part in check["contains"])


def token_f1(answer: str, reference: str) -> float:
    """Harmonic mean of the precision and recall of words, as multisets (Rajpurkar et al. 2016, section 6.1)."""
    a, b = words(answer), words(reference)
    if not a or not b:
        return float(a == b)
    shared = sum((Counter(a) & Counter(b)).values())
    return 2 * shared / (len(a) + len(b))


def distinct(answers: list[str], n: int) -> float:
    """Different n-grams of words over all n-grams, of all answers together (Li et al. 2016, section 5)."""
    grams = [gram for answer in answers for gram in zip(*(words(answer)[i:] for i in range(n)))]
    return len(set(grams)) / max(1, len(grams))


def summarise(turns: list[dict]) -> dict[str, float]:
    """The figures of a group of answered turns."""
    answers = [turn["answer"] for turn in turns]
    share = lambda values: sum(values) / len(turns)  # noqa: E731
    return {
        "turns": len(turns),
        "correct": share(turn["correct"] for turn in turns),
        "token_f1": share(token_f1(turn["answer"], turn["reference"]) for turn in turns),
        "ended": share(turn["ended"] for turn in turns),
        "distinct_1": distinct(answers, 1),
        "distinct_2": distinct(answers, 2),
        "length_ratio": sum(len(a) for a in answers) / max(1, sum(len(t["reference"]) for t in turns)),
    }


def evaluate(engine: Engine, samples: list[dict], max_new_tokens: int = 128, progress=None) -> dict:
    """All figures of a model on some conversations: overall, by language, by skill, and for facts recalled."""
    turns = answer_samples(engine, samples, max_new_tokens, progress)
    groups = defaultdict(list)
    for turn in turns:
        groups["all"].append(turn)
        groups[f"language {turn['lang']}"].append(turn)
        groups[f"skill {turn['lang']} {turn['skill']}"].append(turn)
        if turn["back"]:
            groups[f"recall, {turn['lang']}"].append(turn)
            groups[f"recall, {turn['back']} turn(s) back"].append(turn)
    return {"conversations": len(samples), **likelihood(engine, samples),
            "groups": {name: summarise(groups[name]) for name in sorted(groups)}, "turns": turns}


def table(figures: dict) -> str:
    """The figures as Markdown."""
    lines = [f"{figures['conversations']} held-out conversations: loss {figures['loss']:.4f} nats per token, "
             f"perplexity {figures['perplexity']:.3f}, {figures['bits_per_byte']:.4f} bits per byte", "",
             "| group | turns | correct | token F1 | ended | distinct-1 | distinct-2 | length ratio |",
             "|---|---:|---:|---:|---:|---:|---:|---:|"]
    for name, g in figures["groups"].items():
        lines.append(f"| {name} | {g['turns']} | {g['correct']:.1%} | {g['token_f1']:.3f} | {g['ended']:.1%} | "
                     f"{g['distinct_1']:.3f} | {g['distinct_2']:.3f} | {g['length_ratio']:.2f} |")
    return "\n".join(lines)


def transcripts(turns: list[dict], most: int) -> str:
    """Questions, answers and references to read, as Markdown."""
    return "\n\n".join(
        "\n".join([*(f"> **{m['role']}**: {m['content']}" + "  " for m in turn["history"]), "",
                   f"answer: {turn['answer']}  ", f"expected: {turn['reference']}" + (
                       f" (or any text with {turn['check']['contains']})" if turn["check"] else "")])
        for turn in turns[:most])


def main(argv=None) -> None:
    parser = argparse.ArgumentParser(description="evaluate a model on held-out conversations")
    parser.add_argument("--model", default="out/small", help="model folder")
    parser.add_argument("--data", action="append", default=[], metavar="FILE", help="conversations; repeatable")
    parser.add_argument("--demo", type=int, default=0, metavar="N", help="N of the built-in held-out conversations")
    parser.add_argument("--max-new-tokens", type=int, default=128)
    parser.add_argument("--slots", type=int, default=32, help="conversations answered side by side")
    parser.add_argument("--misses", type=int, default=10, help="print so many wrong answers")
    parser.add_argument("--json", metavar="FILE", help="write all figures and answers here")
    args = parser.parse_args(argv)
    chosen = [{**SOURCE, "path": path} for path in args.data]
    if args.demo or not args.data:
        chosen.append({**SOURCE, "demo": "conversations", "split": "validation", "count": args.demo or 200})
    try:
        figures = evaluate(Engine.load(args.model, args.slots), read_samples(chosen), args.max_new_tokens)
    except (ValueError, OSError) as error:
        raise SystemExit(f"error: {error}") from None
    print(table(figures))
    if missed := [turn for turn in figures["turns"] if not turn["correct"]][:args.misses]:
        print("\nSome of what it missed:\n\n" + transcripts(missed, args.misses))
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump(figures, file, indent=1, ensure_ascii=False)


if __name__ == "__main__":
    main()
