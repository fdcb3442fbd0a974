"""Nine exercises: write the functions, and `python docs/exercises.py` says which are right.

Each is some lines of the project, written once more from its definition; docs/exercises.md explains them. What is
right is told by the project itself, by DeepSpeed or by torch. `--answers` checks docs/answers.py instead."""

import argparse
import contextlib
import importlib
import io
import os
import random
import sys
import tempfile

import torch
import torch.nn.functional as F

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [ROOT, os.path.join(ROOT, "docs")]


def step_loss(sums, counts):
    """1. The loss of a step: of each micro-batch the summed nats and the number of supervised tokens."""


def supervised(messages, tokenizer):
    """2. For each id of the rendered conversation, whether it is learned from: a list of bools."""


def wrong_script(question, answer):
    """3. A cleaning rule: true where a Chinese question has an answer without one Chinese character, or the reverse."""


def learning_rate(step, steps, warmup, peak):
    """4. The rate of a step (0, 1, ...): up in a straight line from 0, over `warmup` steps, then half a cosine that
    would end at 5% of `peak`; `configs/small.json` has this schedule."""


def loss_scales(overflows, scale, window):
    """5. fp16's loss scale after each step: halved at an overflow, doubled after `window` steps without one,
    where DeepSpeed leaves the first step of a quiet time out of the count."""


def adamw(w, g, m, v, t, lr, beta1, beta2, eps, decay):
    """6. The weights and both moments after step t = 1, 2, ... (Loshchilov & Hutter 2019): (w, m, v)."""


def attend(q, k, v, opens):
    """7. Attention [T, E] of one head over a row of several documents; opens [T] is true where one begins."""


def merged(w, a, b, alpha):
    """8. The matrix that does what w with its LoRA adapters does; a [r, in], b [out, r]."""


def nucleus(p, top_p):
    """9. The probabilities [V] that top-p sampling draws from (Holtzman et al. 2020): the others 0, the sum 1."""


def check_step_loss(of):
    for sums, counts in (([2.0, 24.0], [2, 8]), ([5.0], [2]), ([0.0, 3.0], [0, 4])):
        yield of(sums, counts), sum(sums) / sum(counts)


def check_supervised(of):
    import walk

    with tempfile.TemporaryDirectory() as folder:
        _, tokenizer, _ = walk.prepared(folder)
    chat = [{"role": role, "content": text} for role, text in (
        ("system", "Be brief."), ("user", "Hi!"), ("assistant", "Yes?"), ("user", "My parcel"), ("assistant", "It is on its way."))]
    for messages in (chat, chat[1:3], chat[:2]):
        yield of(messages, tokenizer), tokenizer.render(messages)[1]


def check_wrong_script(of):
    for question, answer, wrong in (("你好吗？", "Fine.", True), ("How are you?", "很好。", True), ("“苹果”用英语怎么说？", "“苹果”是 apple。", False),
                                    ("What is 2+2?", "4", False), ("天气 today?", "晴。", False)):
        yield of(question, answer), wrong


def check_learning_rate(of):
    from deepspeed.runtime.lr_schedules import WarmupCosineLR

    optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], lr=2e-3)
    schedule = WarmupCosineLR(optimizer, 100, warmup_num_steps=10, warmup_type="linear", cos_min_ratio=0.05)
    for step in range(100):
        schedule.step(step)
        yield of(step, 100, 10, 2e-3), schedule.get_last_lr()[0]


def check_loss_scales(of):
    from deepspeed.runtime.fp16.loss_scaler import DynamicLossScaler

    from zerochat.training.ranks import start_process_group

    start_process_group()
    draw = random.Random(0)
    for window in (2, 5):
        overflows = [draw.random() < 0.2 for _ in range(60)]
        scaler = DynamicLossScaler(2.0**16, window, 1.0, 1, False)
        expected = [scaler.update_scale(overflow) or scaler.cur_scale for overflow in overflows]
        yield of(overflows, 2.0**16, window), expected


def check_adamw(of):
    parameter = torch.nn.Parameter(torch.tensor([1.0, -2.0, 0.5]))
    optimizer = torch.optim.AdamW([parameter], lr=0.1, betas=(0.9, 0.98), eps=1e-8, weight_decay=0.05)
    w, m, v = parameter.detach().clone(), torch.zeros(3), torch.zeros(3)
    for t in range(1, 6):
        parameter.grad = torch.tensor([0.3, -1.0, 2.0]) * t
        optimizer.step()
        w, m, v = of(w, parameter.grad, m, v, t, 0.1, 0.9, 0.98, 1e-8, 0.05)
        yield w, parameter.detach()


def check_attend(of):
    from model import document_layout

    torch.manual_seed(0)
    q, k, v = torch.randn(3, 7, 4)
    for begins in ((0,), (0, 3), (0, 1, 5)):
        opens = torch.zeros(7, dtype=torch.bool)
        opens[list(begins)] = True
        mask = document_layout(opens[None])[1]
        yield of(q, k, v, opens), F.scaled_dot_product_attention(q[None, None], k[None, None], v[None, None], attn_mask=mask, is_causal=mask is None)[0, 0]


def check_merged(of):
    from zerochat.pretrained.lora import LoRALinear

    torch.manual_seed(0)
    layer, x = LoRALinear(torch.nn.Linear(5, 3, bias=False), rank=2, alpha=8.0, dropout=0.0), torch.randn(4, 5)
    torch.nn.init.normal_(layer.lora_b)
    yield x @ of(layer.weight.detach(), layer.lora_a.detach(), layer.lora_b.detach(), 8.0).T, layer(x).detach()


def check_nucleus(of):
    from zerochat.generation.sampling import Sampling, choose

    p = torch.tensor([0.05, 0.4, 0.1, 0.3, 0.15], dtype=torch.float64)
    for top_p in (0.3, 0.75, 0.9):
        generator = torch.Generator().manual_seed(0)
        drawn = [choose(p.log(), Sampling(temperature=1.0, top_p=top_p), [], generator) for _ in range(2000)]
        kept = torch.zeros(5, dtype=torch.float64)
        kept[sorted(set(drawn))] = p[sorted(set(drawn))]
        yield of(p.clone(), top_p), kept / kept.sum()


EXERCISES = (step_loss, supervised, wrong_script, learning_rate, loss_scales, adamw, attend, merged, nucleus)


class Empty(Exception):
    """A function that returns nothing."""


def trouble(name: str, of) -> str | None:
    """What is wrong with a function; None where it is right."""

    def written(*given):
        if (found := of(*given)) is None:
            raise Empty("not written yet")
        return found

    try:
        with contextlib.redirect_stdout(io.StringIO()):
            for number, (found, right) in enumerate(globals()[f"check_{name}"](written), 1):
                if not torch.allclose(torch.as_tensor(found).double(), torch.as_tensor(right).double(), atol=1e-6):
                    return f"case {number}: {str(found)[:100]}, where {str(right)[:100]} is right"
    except Empty as error:
        return str(error)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


def main(argv=None) -> None:
    parser = argparse.ArgumentParser(description="check the exercises")
    parser.add_argument("numbers", type=int, nargs="*", help="such as 1 4; all where none is given")
    parser.add_argument("--answers", action="store_true", help="check docs/answers.py")
    args = parser.parse_args(argv)
    wrong = 0
    for number, stub in enumerate(EXERCISES, 1):
        if args.numbers and number not in args.numbers:
            continue
        name = stub.__name__
        found = trouble(name, getattr(importlib.import_module("answers"), name) if args.answers else stub)
        wrong += found is not None
        print(f"{number}. {name}: {found or 'right'}")
    raise SystemExit(wrong > 0)


if __name__ == "__main__":
    main()
