"""Evaluate a model folder on held-out conversations: how likely it finds the reference answers, and what it answers.

    python evaluate.py --model out/small --demo 200                    # the built-in held-out conversations
    python evaluate.py --model out/small --data my.jsonl               # yours, in any format that data.py reads
    python evaluate.py --model out/small --compare out/other           # two models on the same data

Every assistant turn is asked with the reference conversation before it, so one wrong answer does not spoil the next. An
answer is correct when it equals the reference, or, where the reference turn carries a `check` (free text), when it has
ended, is long enough and contains what it must. Intervals are 95% by bootstrap over conversations. Left out on purpose:
judging by a model; multiple choice and the big benchmarks, which lm-evaluation-harness runs."""

import argparse
import importlib.util
import json
import math
import os
from collections import defaultdict

import torch
import torch.nn.functional as F

from config import DEFAULTS, SOURCE
from model import LanguageModel
from tokenizer import Tokenizer
from zerochat.evaluation import tables
from zerochat.evaluation.metrics import bleu_chrf, distinct, is_chinese, ratio_interval, repetition, rouge_l, token_f1
from zerochat.generation.engine import Engine, Sampling
from zerochat.preparation import gather, look, tally
from zerochat.preparation.duplicates import VALIDATION


def read_samples(sources: list[dict], options: dict, log=print) -> list[dict]:
    """The sources' conversations, cleaned as for training; the log says what is left out. ValueError for none left."""
    samples, found = [], {}
    for source in sources:
        report = found.setdefault(gather.name_of(source), tally.empty())
        for part in gather.cleaned(gather.read(source, options), source, VALIDATION, 0.0, options):
            tally.add(report, part["report"])
            for sample in map(json.loads, part["samples"].split(b"\n")[:-1]):
                if "text" in sample:
                    where = [f"{sample['source']}:{sample['line']}", sample["text"], ""]
                    tally.count(report["dropped"], "a document, no conversation", where)
                    continue
                report["kept"] += 1
                text = " ".join(m["content"] for m in sample["messages"])
                samples.append({"lang": "zh" if is_chinese(text) else "other", **sample})
        tally.check_bad(gather.name_of(source), report, options)
    if any(report["kept"] < report["read"] or report["unused"] for report in found.values()):
        log("\n".join(["conversations to evaluate:", *look.sources(found)]))
    if sources and not samples:
        raise ValueError(f"{', '.join(found)}: no conversation to evaluate")
    return samples


@torch.inference_mode()
def likelihood(engine: Engine, samples: list[dict]) -> dict[str, dict]:
    """Loss in nats per supervised token, perplexity and bits per byte: of all, by turn number and by source. Nats,
    tokens and bytes are summed and divided once: the mean of means would weight a token by the length of its answer.
    Bits per byte alone compare models with different tokenizers."""
    tokenizer, sums = engine.tokenizer, defaultdict(list)  # group -> (nats, tokens, bytes, conversation) per turn
    sizes = torch.tensor([len(tokenizer.bytes_of(i) or b"") for i in range(len(tokenizer))])
    for conversation, sample in enumerate(samples):
        said = 0  # answers that have ended
        for ids, mask in tokenizer.windows(sample, engine.context)[0]:
            row, supervised = torch.tensor(ids), torch.tensor(mask)
            logits = engine.model(row[None].to(engine.device))[0, :-1][supervised[1:]].float().cpu()
            nats = F.cross_entropy(logits, row[supervised], reduction="none")  # -ln p of each supervised token
            tokens = row[supervised]
            # An answer has ended with its end marker: a long one goes on in the next window.
            ends = torch.isin(tokens, torch.tensor(list(tokenizer.end_ids)))
            turns = said + 1 + ends.cumsum(0) - ends.long()
            said += int(ends.sum())
            for turn in turns.unique().tolist():
                of_turn = turns == turn
                size = int(sizes[tokens[of_turn]].sum())
                entry = (float(nats[of_turn].double().sum()), int(of_turn.sum()), size, conversation)
                for group in ("all", f"turn {turn}", f"source {sample['source']}"):
                    sums[group].append(entry)
    if not sums:
        raise ValueError("there is no supervised token to evaluate")
    figures = {}
    for group in sorted(sums, key=lambda name: (name != "all", not name.startswith("turn"), len(name), name)):
        nats, tokens, size, conversations = zip(*sums[group])
        loss, bits = sum(nats) / sum(tokens), [n / math.log(2) for n in nats]
        figures[group] = {"tokens": sum(tokens), "bytes": sum(size), "loss": loss}
        figures[group] |= {"perplexity": math.exp(min(loss, 700)), "bits_per_byte": sum(bits) / max(1, sum(size))}
        figures[group]["bits_per_byte_interval"] = ratio_interval(bits, size, conversations)
    by_conversation = figures["all"]["by_conversation"] = [[0.0, 0] for _ in samples]  # bits, bytes
    for nats, _, size, conversation in sums["all"]:
        by_conversation[conversation][0] += nats / math.log(2)
        by_conversation[conversation][1] += size
    return figures


def answer_samples(engine: Engine, samples: list[dict], max_new_tokens: int = 128) -> list[dict]:
    """The model's greedy answer to every assistant turn of every sample, with the reference beside it."""
    turns, prompts = [], []
    for conversation, sample in enumerate(samples):
        for i, message in enumerate(sample["messages"]):
            if message["role"] != "assistant" or not message.get("supervised", True):
                continue
            try:
                history, prompt, _ = engine.fit(sample["messages"][:i], max_new_tokens)
            except ValueError:
                print(f"{sample['source']}:{sample['line']}: message {i} exceeds the context and is not asked")
                continue
            prompts.append(prompt)
            turn = {"skill": message.get("skill", sample.get("skill", "-")), "lang": sample.get("lang", "-")}
            turn |= {key: message.get(key) for key in ("back", "check", "values")}
            turn |= {"source": sample["source"], "line": sample["line"]}
            turn |= {"history": history, "reference": message["content"], "conversation": conversation, "message": i}
            turns.append(turn)
    if not turns:
        raise ValueError(f"no question leaves room for an answer in the context of {engine.context}")
    requests = engine.answer_all(prompts, Sampling(temperature=0, max_new_tokens=max_new_tokens))
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
    figures: dict = {"turns": len(turns)}
    for name in ("correct", "exact", "token_f1", "rouge_l", "ended"):
        figures[name] = sum(turn[name] for turn in turns) / len(turns)
    conversations = [turn["conversation"] for turn in turns]
    figures["correct_interval"] = ratio_interval([t["correct"] for t in turns], [1] * len(turns), conversations)
    if overlap and len({turn["lang"] for turn in turns}) == 1:
        figures |= bleu_chrf(answers, references)
    figures |= {"distinct_1": distinct(answers, 1), "distinct_2": distinct(answers, 2)}
    lengths = sum(map(len, answers)) / max(1, sum(map(len, references)))
    return figures | {"repetition": repetition(answers), "length_ratio": lengths}


def evaluate(engine: Engine, samples: list[dict], max_new_tokens: int = 128, overlap=False) -> dict:
    """All figures of a model on some conversations: overall, by language, by skill, and for facts recalled."""
    turns = answer_samples(engine, samples, max_new_tokens)
    groups = defaultdict(list)
    for turn in turns:
        names = ["all", f"language {turn['lang']}", f"skill {turn['lang']} {turn['skill']}"]
        names += [f"{turn['values']} values, {turn['lang']}"] * bool(turn["values"])
        if turn["back"]:
            names += [f"recall, {turn['lang']}", f"recall, {turn['back']} turn(s) back"]
        for name in names:
            groups[name].append(turn)
    found = likelihood(engine, samples)
    figures = {"conversations": len(samples), "likelihood": found, "turns": turns}
    figures |= {key: found["all"][key] for key in ("loss", "perplexity", "bits_per_byte")}
    return figures | {"groups": {name: summarise(groups[name], overlap) for name in sorted(groups)}}


def main(argv=None) -> None:
    parser = argparse.ArgumentParser(description="evaluate a model on held-out conversations")
    parser.add_argument("--model", default="out/small", help="model folder")
    parser.add_argument("--data", action="append", default=[], metavar="FILE", help="conversations; repeatable")
    parser.add_argument("--demo", type=int, default=0, metavar="N", help="N of the built-in held-out conversations")
    parser.add_argument("--compare", metavar="DIR", help="a second model folder, measured on the same data")
    parser.add_argument("--out", metavar="DIR", help="for report.json and report.md; default: MODEL/evaluation")
    parser.add_argument("--max-new-tokens", type=int, default=128)
    parser.add_argument("--slots", type=int, default=32, help="answers generated side by side")
    parser.add_argument("--misses", type=int, default=10, help="print so many wrong answers")
    args = parser.parse_args(argv)
    chosen = [{**SOURCE, "path": path} for path in args.data]
    if args.demo or not args.data:
        chosen.append({**SOURCE, "demo": "conversations", "split": "validation", "count": args.demo or 200})
    overlap = importlib.util.find_spec("sacrebleu") is not None
    if not overlap:
        print("BLEU and chrF are left out: they need sacrebleu (pip install -e '.[eval]')\n")
    names, measured, lines = [name for name in (args.model, args.compare) if name], [], []
    try:
        samples = read_samples(chosen, {**DEFAULTS["data"], "data_root": "."})
        for folder in names:
            engine = Engine(LanguageModel.load(folder), Tokenizer(folder), args.slots)
            figures = evaluate(engine, samples, args.max_new_tokens, overlap=overlap)
            measured.append(figures)
            print(f"{folder}: {tables.table(figures)}\n", flush=True)
            lines += [f"# {folder}", "", tables.table(figures), ""]
        turns = measured[0]["turns"]
        missed = [turn for turn in turns if not turn["correct"]]
        if args.compare:
            compared = tables.comparison(tables.compare(*measured), (args.model, args.compare))
            lines += ["# Side by side", "", compared, ""]
            print(f"{compared}\n")
        lines += tables.section("Missed", missed, 200)
        lines += tables.section("Correct", [turn for turn in turns if turn["correct"]], 200)
        if missed[: args.misses]:
            print("\n".join(tables.section("Missed, the first of them", missed[: args.misses], args.misses)))
        out = args.out or os.path.join(args.model, "evaluation")
        tables.write_report(out, lines, {"arguments": vars(args), "models": measured})
    except (ValueError, OSError) as error:
        raise SystemExit(f"error: {error}") from None
    print(f"written: {out}/report.json, {out}/report.md")


if __name__ == "__main__":
    main()
