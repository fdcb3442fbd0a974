"""Answers to docs/exercises.py. Each stands in the project, too: docs/exercises.md says where."""

import math
import re

import torch


def step_loss(sums, counts):
    return sum(sums) / sum(counts)  # and not the mean of sums[i] / counts[i]


def supervised(messages, tokenizer):
    mask = [False]  # <s>
    for message in messages:
        text = len(tokenizer.encode(message["content"]))
        mask += [False] + [message["role"] == "assistant"] * (text + 1)  # role marker; text and <|end|>
    return mask


def wrong_script(question, answer):
    chinese = [bool(re.search("[\u4e00-\u9fff]", text)) for text in (question, answer)]
    latin = [bool(re.search("[A-Za-z]", text)) for text in (question, answer)]
    # A number answers in any language, and a question in both may be answered in one.
    return chinese[0] and not chinese[1] and latin[1] or latin[0] and not chinese[0] and chinese[1]


def learning_rate(step, steps, warmup, peak):
    if step < warmup:
        return peak * step / warmup
    done = (step - warmup + 1) / (steps - warmup)
    return peak * (0.05 + 0.95 * (1 + math.cos(math.pi * done)) / 2)


def loss_scales(overflows, scale, window):
    scales, quiet = [], 0
    for overflow in overflows:
        quiet = 0 if overflow else quiet + 1
        if overflow:
            scale /= 2
        elif quiet > 1 and (quiet - 1) % window == 0:
            scale *= 2
        scales.append(scale)
    return scales


def adamw(w, g, m, v, t, lr, beta1, beta2, eps, decay):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    unbiased_m, unbiased_v = m / (1 - beta1**t), v / (1 - beta2**t)
    return w - lr * (unbiased_m / (unbiased_v.sqrt() + eps) + decay * w), m, v


def attend(q, k, v, opens):
    document, place = opens.cumsum(0), torch.arange(len(q))
    seen = (document[:, None] == document) & (place[:, None] >= place)
    scores = (q @ k.T / math.sqrt(q.shape[1])).masked_fill(~seen, -math.inf)
    return scores.softmax(-1) @ v


def merged(w, a, b, alpha):
    return w + alpha / len(a) * b @ a


def nucleus(p, top_p):
    likeliest, ids = p.sort(descending=True)
    likeliest[1:][likeliest.cumsum(0)[:-1] >= top_p] = 0  # the likelier ones hold that mass already
    kept = torch.zeros_like(p)
    kept[ids] = likeliest
    return kept / kept.sum()
