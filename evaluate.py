"""Evaluate a model folder on held-out conversations: how likely it finds the reference answers, and what it answers.

    python evaluate.py --model out/small --demo 200                    # the built-in held-out conversations
    python evaluate.py --model out/small --data my.jsonl               # yours, in any format that formats.py reads
    python evaluate.py --model out/small --choices questions.jsonl     # {"question", "choices": [...], "answer": 0}
    python evaluate.py --model out/small --compare out/other           # two models on the same data

Every assistant turn is asked with the reference conversation before it, so one wrong answer does not spoil
the next. An answer is correct when it equals the reference, or, where the reference turn carries a
`check` (free text), when it contains what it must and is long enough. Intervals are 95% by bootstrap over
conversations. Left out on purpose: judging by a model; the big benchmarks, which lm-evaluation-harness runs.
"""

import argparse
import importlib.util
import json
import math
import os
from collections import defaultdict

import numpy as np
import torch
import torch.nn.functional as F

from config import SOURCE
from data import windows
from zerochat.evaluation.metrics import (
    bleu_chrf,
    bootstrap,
    distinct,
    is_chinese,
    ratio_interval,
    repetition,
    rouge_l,
    token_f1,
)
from zerochat.generation.engine import Engine, Sampling
from zerochat.preparation import clean, formats


def read_samples(source_list: list[dict], root: str = ".") -> list[dict]:
    """The cleaned conversations of some sources; ValueError when none is left."""
    samples = []
    for source in source_list:
        for path, line, sample in formats.read(source, root):
            sample = None if isinstance(sample, str) else clean.clean(sample, {})[0]
            if sample is not None and "messages" in sample:
                text = " ".join(m["content"] for m in sample["messages"])
                samples.append(
                    {
                        "lang": "zh" if is_chinese(text) else "other",
                        **sample,
                        "line": line,
                        "source": source["path"] or f"demo:{source['demo']}",
                    }
                )
    if not samples:
        raise ValueError(f"{', '.join(str(s['path'] or s['demo']) for s in source_list)}: no conversation to evaluate")
    return samples


@torch.inference_mode()
def token_nats(engine: Engine, ids: list[int], mask: list[bool]) -> torch.Tensor:
    """-ln p of each supervised token of one document, in order, in fp32."""
    supervised = torch.tensor(mask[1:], device=engine.device)
    ids = torch.tensor([ids], device=engine.device)
    logits = engine.model(ids)[0, :-1][supervised]
    return F.cross_entropy(logits.float(), ids[0, 1:][supervised], reduction="none").cpu()


def likelihood(engine: Engine, samples: list[dict]) -> dict[str, dict]:
    """Loss in nats per supervised token, perplexity and bits per byte: of all, by turn number and by source.

    Nats, tokens and bytes are summed and divided once: the mean of means would weight a token by the
    length of its answer. Bits per byte alone compare models with different tokenizers.
    """
    sizes = torch.tensor(engine.tokenizer.token_bytes())
    sums = defaultdict(list)  # group -> (nats, tokens, bytes, conversation) per turn
    for conversation, sample in enumerate(samples):
        said = 0  # assistant turns in the windows before
        for ids, mask in windows(sample, engine.tokenizer, engine.context)[0]:
            nats, supervised = token_nats(engine, ids, mask), torch.tensor(mask)
            begins = supervised[1:] & ~supervised[:-1]  # an answer is a run of supervised tokens
            turns = said + begins.cumsum(0)[supervised[1:]]
            tokens, said = torch.tensor(ids)[supervised], int(turns[-1])
            for turn in turns.unique().tolist():
                of_turn = turns == turn
                entry = (
                    float(nats[of_turn].double().sum()),
                    int(of_turn.sum()),
                    int(sizes[tokens[of_turn]].sum()),
                    conversation,
                )
                for group in ("all", f"turn {turn}", f"source {sample['source']}"):
                    sums[group].append(entry)
    if not sums:
        raise ValueError("there is no supervised token to evaluate")
    figures = {}
    for group in sorted(sums, key=lambda name: (name != "all", not name.startswith("turn"), len(name), name)):
        entries = sums[group]
        nats, tokens, size, conversations = zip(*entries)
        loss, bits = sum(nats) / sum(tokens), [n / math.log(2) for n in nats]
        figures[group] = {
            "tokens": sum(tokens),
            "bytes": sum(size),
            "loss": loss,
            "perplexity": math.exp(min(loss, 700)),
            "bits_per_byte": sum(bits) / max(1, sum(size)),
            "bits_per_byte_interval": ratio_interval(bits, size, conversations),
        }
    by_conversation = figures["all"]["by_conversation"] = [[0.0, 0] for _ in samples]  # bits, bytes
    for nats, _, size, conversation in sums["all"]:
        by_conversation[conversation][0] += nats / math.log(2)
        by_conversation[conversation][1] += size
    return figures


def answer_samples(engine: Engine, samples: list[dict], max_new_tokens: int = 128, progress=None) -> list[dict]:
    """The model's greedy answer to every assistant turn of every sample, with the reference beside it."""
    turns, prompts = [], []
    for conversation, sample in enumerate(samples):
        for i, message in enumerate(sample["messages"]):
            if message["role"] != "assistant":
                continue
            try:
                history, _ = engine.fit(sample["messages"][:i], max_new_tokens)
            except ValueError:
                continue  # this question alone exceeds the context
            prompts.append(engine.tokenizer.render(history, add_generation_prompt=True)[0])
            turns.append(
                {
                    "lang": sample.get("lang", "-"),
                    "skill": message.get("skill", sample.get("skill", "-")),
                    "back": message.get("back"),
                    "check": message.get("check"),
                    "history": history,
                    "reference": message["content"],
                    "source": sample["source"],
                    "line": sample["line"],
                    "conversation": conversation,
                    "message": i,
                }
            )
    if not turns:
        raise ValueError(f"no question leaves room for an answer in the context of {engine.context}")
    requests = engine.answer_all(prompts, Sampling(temperature=0, max_new_tokens=max_new_tokens), progress)
    for turn, request in zip(turns, requests):
        turn["answer"], turn["ended"] = request.text, request.finish_reason == "stop"
        turn["exact"] = turn["answer"].strip() == turn["reference"].strip()
        turn["correct"] = is_correct(turn)
        turn["token_f1"] = token_f1(turn["answer"], turn["reference"])
        turn["rouge_l"] = rouge_l(turn["answer"], turn["reference"])
    return turns


def is_correct(turn: dict) -> bool:
    """Equal to the reference; with a `check`, ended, long enough and containing what it names."""
    check, answer = turn["check"], turn["answer"]
    if check is None:
        return answer.strip() == turn["reference"].strip()
    long_enough = len(answer) >= check.get("min_chars", 1)
    return turn["ended"] and long_enough and all(part in answer for part in check["contains"])


def summarise(turns: list[dict], overlap: bool = False) -> dict:
    """The figures of a group of answered turns; overlap adds BLEU and chrF where all are of one language."""
    answers, references = [turn["answer"] for turn in turns], [turn["reference"] for turn in turns]
    figures = {"turns": len(turns)}
    for name in ("correct", "exact", "token_f1", "rouge_l", "ended"):
        figures[name] = sum(turn[name] for turn in turns) / len(turns)
    figures["correct_interval"] = ratio_interval(
        [t["correct"] for t in turns], [1] * len(turns), [t["conversation"] for t in turns]
    )
    if overlap and len({turn["lang"] for turn in turns}) == 1:
        figures |= bleu_chrf(answers, references)
    return figures | {
        "distinct_1": distinct(answers, 1),
        "distinct_2": distinct(answers, 2),
        "repetition": repetition(answers),
        "length_ratio": sum(map(len, answers)) / max(1, sum(map(len, references))),
    }


def evaluate(
    engine: Engine, samples: list[dict], max_new_tokens: int = 128, progress=None, overlap: bool = False
) -> dict:
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
    found = likelihood(engine, samples)
    return {
        "conversations": len(samples),
        **{k: found["all"][k] for k in ("loss", "perplexity", "bits_per_byte")},
        "likelihood": found,
        "turns": turns,
        "groups": {name: summarise(groups[name], overlap) for name in sorted(groups)},
    }


def read_choices(path: str) -> list[dict]:
    """Questions of a JSONL file, a line each: `{"question": text, "choices": [text, ...], "answer": index or text}`."""
    questions = []
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                item = json.loads(line)
                question, choices, answer = item["question"], item["choices"], item["answer"]
                answer = choices.index(answer) if isinstance(answer, str) else answer
                if not isinstance(choices, list) or not all(isinstance(text, str) for text in [question, *choices]):
                    raise ValueError
                if len(choices) < 2 or type(answer) is not int or not 0 <= answer < len(choices):
                    raise ValueError
            except (ValueError, KeyError, TypeError, AttributeError):
                raise ValueError(
                    f'{path}, line {number}: should be {{"question": text, "choices": [text, text, '
                    '...], "answer": the right one or its index from 0}'
                ) from None
            questions.append({"question": question, "choices": choices, "answer": answer, "line": number})
    if not questions:
        raise ValueError(f"{path}: no question to evaluate")
    return questions


def multiple_choice(engine: Engine, questions: list[dict]) -> dict:
    """How often the right answer is the likeliest, of all tokens and its end marker together, and per byte of text."""
    total, per_byte = [], []
    for item in questions:
        scores = []
        for choice in item["choices"]:
            ids, mask = engine.tokenizer.render(
                [{"role": "user", "content": item["question"]}, {"role": "assistant", "content": choice}]
            )
            if len(ids) > engine.context:
                raise ValueError(
                    f"the question of line {item['line']} has {len(ids)} tokens with its longest answer, "
                    f"and the context holds {engine.context}"
                )
            scores.append(-float(token_nats(engine, ids, mask).sum()))
        by_byte = [score / max(1, len(choice.encode())) for score, choice in zip(scores, item["choices"])]
        total.append(scores.index(max(scores)) == item["answer"])
        per_byte.append(by_byte.index(max(by_byte)) == item["answer"])
    n = len(questions)
    return {
        "questions": n,
        "chance": sum(1 / len(item["choices"]) for item in questions) / n,
        "accuracy": sum(total) / n,
        "accuracy_interval": ratio_interval(total, [1] * n, range(n)),
        "accuracy_per_byte": sum(per_byte) / n,
        "accuracy_per_byte_interval": ratio_interval(per_byte, [1] * n, range(n)),
    }


def compare(one: dict, other: dict) -> dict:
    """Two models' figures on the same conversations, the intervals of their differences (other - one), and the turns
    that only one of them got right.

    Intervals are paired: both models are drawn the same conversations, so what is hard for both cancels out.
    """
    theirs = {(turn["conversation"], turn["message"]): turn for turn in other["turns"]}
    pairs = [(turn, theirs[key]) for turn in one["turns"] if (key := (turn["conversation"], turn["message"])) in theirs]
    rows, n = {}, len(pairs)
    for name in ("correct", "exact", "token_f1", "rouge_l", "ended"):
        a, b = ([float(pair[side][name]) for pair in pairs] for side in (0, 1))
        rows[name] = (
            sum(a) / n,
            sum(b) / n,
            ratio_interval([y - x for x, y in zip(a, b)], [1] * n, [turn["conversation"] for turn, _ in pairs]),
        )
    a, b = (np.array(figures["likelihood"]["all"]["by_conversation"]).T for figures in (one, other))
    rows["bits_per_byte"] = (
        one["bits_per_byte"],
        other["bits_per_byte"],
        bootstrap(lambda counts: counts @ b[0] / (counts @ b[1]) - counts @ a[0] / (counts @ a[1]), len(a[0])),
    )
    return {
        "rows": rows,
        "turns": n,
        "won": [pair for pair in pairs if pair[1]["correct"] and not pair[0]["correct"]],
        "lost": [pair for pair in pairs if pair[0]["correct"] and not pair[1]["correct"]],
    }


def table(figures: dict) -> str:
    """The figures as Markdown."""

    def interval(found, digits):
        return "[{:.{d}f}, {:.{d}f}]".format(*found, d=digits)

    def percent(found):
        return "[{:.1%}, {:.1%}]".format(*found)

    lines = []
    if "groups" in figures:
        lines += [
            f"{figures['conversations']} held-out conversations: loss {figures['loss']:.4f} nats per token, "
            f"perplexity {figures['perplexity']:.3f}, {figures['bits_per_byte']:.4f} bits per byte",
            "",
            "| reference answers | tokens | bytes | loss | perplexity | bits per byte [95%] |",
            "|---|---:|---:|---:|---:|---:|",
        ]
        lines += [
            f"| {name} | {g['tokens']} | {g['bytes']} | {g['loss']:.4f} | {g['perplexity']:.3f} | "
            f"{g['bits_per_byte']:.4f} {interval(g['bits_per_byte_interval'], 4)} |"
            for name, g in figures["likelihood"].items()
        ]
        overlap = any("bleu" in g for g in figures["groups"].values())
        extra = " BLEU (tokenisation) | chrF |" if overlap else ""
        lines += [
            "",
            f"| group | turns | correct [95%] | exact | token F1 | ROUGE-L |{extra} ended | distinct-1 | "
            "distinct-2 | repeated 4-grams | length ratio |",
            "|---|" + "---:|" * (12 if overlap else 10),
        ]
        for name, g in figures["groups"].items():
            extra = (
                ""
                if not overlap
                else " - | - |"
                if "bleu" not in g
                else (f" {g['bleu']:.1f} ({g['bleu_tokenisation']}) | {g['chrf']:.1f} |")
            )
            lines.append(
                f"| {name} | {g['turns']} | {g['correct']:.1%} {percent(g['correct_interval'])} | "
                f"{g['exact']:.1%} | {g['token_f1']:.3f} | {g['rouge_l']:.3f} |{extra} {g['ended']:.1%} | "
                f"{g['distinct_1']:.3f} | {g['distinct_2']:.3f} | {g['repetition']:.1%} | "
                f"{g['length_ratio']:.2f} |"
            )
    if choices := figures.get("choices"):
        lines += [
            "",
            "| multiple choice | questions | by chance | accuracy [95%] | accuracy per byte [95%] |",
            "|---|---:|---:|---:|---:|",
        ]
        lines += [
            f"| {name} | {g['questions']} | {g['chance']:.1%} | "
            f"{g['accuracy']:.1%} {percent(g['accuracy_interval'])} | "
            f"{g['accuracy_per_byte']:.1%} {percent(g['accuracy_per_byte_interval'])} |"
            for name, g in choices.items()
        ]
    return "\n".join(lines)


def comparison(compared: dict, names: tuple[str, str]) -> str:
    """Two models side by side as Markdown."""
    lines = [
        f"{compared['turns']} turns answered by both",
        "",
        f"| | {names[0]} | {names[1]} | difference, paired [95%] |",
        "|---|---:|---:|---:|",
    ]
    lines += [
        f"| {name.replace('_', ' ')} | {a:.4f} | {b:.4f} | {b - a:+.4f} [{low:+.4f}, {high:+.4f}] |"
        for name, (a, b, (low, high)) in compared["rows"].items()
    ]
    return "\n".join(
        [
            *lines,
            "",
            f"{names[1]} alone is right {len(compared['won'])} times, {names[0]} alone {len(compared['lost'])} times",
        ]
    )


def transcripts(turns: list[dict], most: int, others: list[dict] = (), names: tuple = ("answer",)) -> str:
    """Questions, answers and references to read, as Markdown; others: another model's turns, the same questions."""
    texts = []
    for turn, *other in list(zip(turns, others) if others else zip(turns))[:most]:
        texts.append(
            "\n".join(
                [
                    *(f"> **{m['role']}**: {m['content']}" + "  " for m in turn["history"]),
                    "",
                    *(f"{name}: {answered['answer']}  " for name, answered in zip(names, [turn, *other])),
                    f"expected: {turn['reference']}"
                    + (f" (or any text with {turn['check']['contains']})" if turn["check"] else ""),
                ]
            )
        )
    return "\n\n".join(texts)


def main(argv=None) -> None:
    parser = argparse.ArgumentParser(description="evaluate a model on held-out conversations")
    parser.add_argument("--model", default="out/small", help="model folder")
    parser.add_argument("--data", action="append", default=[], metavar="FILE", help="conversations; repeatable")
    parser.add_argument("--demo", type=int, default=0, metavar="N", help="N of the built-in held-out conversations")
    parser.add_argument("--choices", action="append", default=[], metavar="FILE", help="multiple choice; repeatable")
    parser.add_argument("--compare", metavar="DIR", help="a second model folder, measured on the same data")
    parser.add_argument("--out", metavar="DIR", help="for report.json and report.md; default: MODEL/evaluation")
    parser.add_argument("--max-new-tokens", type=int, default=128)
    parser.add_argument("--slots", type=int, default=32, help="conversations answered side by side")
    parser.add_argument("--misses", type=int, default=10, help="print so many wrong answers")
    args = parser.parse_args(argv)
    chosen = [{**SOURCE, "path": path} for path in args.data]
    if args.demo or not (args.data or args.choices):
        chosen.append({**SOURCE, "demo": "conversations", "split": "validation", "count": args.demo or 200})
    out = args.out or os.path.join(args.model, "evaluation")
    overlap = importlib.util.find_spec("sacrebleu") is not None
    if not overlap:
        print("BLEU and chrF are left out: they need sacrebleu (pip install -e '.[eval]')\n")
    try:
        samples = read_samples(chosen) if chosen else []
        questions = {path: read_choices(path) for path in args.choices}
        measured = []
        for folder in filter(None, (args.model, args.compare)):
            engine = Engine.load(folder, args.slots)
            figures = evaluate(engine, samples, args.max_new_tokens, overlap=overlap) if samples else {}
            figures["choices"] = {path: multiple_choice(engine, asked) for path, asked in questions.items()}
            measured.append(figures)
            print(f"{folder}: " + table(figures) + "\n", flush=True)
        write(out, args, measured)
    except (ValueError, OSError) as error:
        raise SystemExit(f"error: {error}") from None
    missed = [turn for turn in measured[0].get("turns", []) if not turn["correct"]][: args.misses]
    if missed and not args.compare:
        print("Some of what it missed:\n\n" + transcripts(missed, args.misses) + "\n")
    print(f"written: {out}/report.json, {out}/report.md")


def write(out: str, args: argparse.Namespace, measured: list[dict]) -> None:
    """report.json with all figures and answers, report.md to read; with two models the comparison, printed too."""
    lines = [f"# {args.model}", "", table(measured[0]), ""]
    if args.compare:
        lines += [f"# {args.compare}", "", table(measured[1]), ""]
    if args.compare and "turns" in measured[0]:
        compared, names = compare(*measured), (args.model, args.compare)
        print(comparison(compared, names) + "\n")
        lines += ["# Side by side", "", comparison(compared, names), ""]
        for title, pairs in (
            (f"Only {names[1]} is right", compared["won"]),
            (f"Only {names[0]} is right", compared["lost"]),
        ):
            lines += [
                f"## {title} ({len(pairs)})",
                "",
                transcripts([a for a, _ in pairs], 200, [b for _, b in pairs], names),
                "",
            ]
    elif "turns" in measured[0]:
        for title, right in (("Missed", False), ("Correct", True)):
            turns = [turn for turn in measured[0]["turns"] if turn["correct"] == right]
            lines += [f"## {title} ({len(turns)})", "", transcripts(turns, 200), ""]
    os.makedirs(out, exist_ok=True)
    with open(os.path.join(out, "report.md"), "w", encoding="utf-8") as file:
        file.write("\n".join(lines))
    with open(os.path.join(out, "report.json"), "w", encoding="utf-8") as file:
        json.dump({"arguments": vars(args), "models": measured}, file, indent=1, ensure_ascii=False)


if __name__ == "__main__":
    main()
