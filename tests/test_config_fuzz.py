"""A run's config with one value replaced by something odd: it trains, or says in one line what is wrong."""

import copy
import functools
import json
import math
import os
import random

import pytest
from runs import computed, forked, load_all, run_config

import train
from config import DEFAULTS, SOURCE, STAGE, deep_merge

ODD = [None, True, False, 0, -1, 1, 2, 3, 0.5, 1e-9, 1e308, math.inf, -math.inf, math.nan, 2**31, 2**62, -2**62, 2**70, "",
       "x", "auto", "é\ud800", "\0", "../x", "hex", "1", "true", [], [1], ["x"], [[]], {}, {"a": 1}, {"type": "x"},
       {"enabled": "yes"}, [{}], [0.9, 0.99, 0.999]]
SECTION = {"train_batch_size": 4, "train_micro_batch_size_per_gpu": "auto", "gradient_accumulation_steps": "auto",
    "gradient_clipping": 1.0, "steps_per_print": 1000, "wall_clock_breakdown": False, "prescale_gradients": False,
    "communication_data_type": None, "zero_allow_untested_optimizer": False, "activation_checkpointing": {},
    "optimizer": {"type": "AdamW", "params": {"lr": 3e-3, "betas": [0.9, 0.95], "eps": 1e-6, "weight_decay": 0.1}},
    "scheduler": {"type": "WarmupCosineLR", "params": {"total_num_steps": "auto", "warmup_num_steps": "auto", "cos_min_ratio": 0.1,
                                                       "warmup_type": "linear", "warmup_min_ratio": 0.0}},
    "fp16": {"enabled": False, "loss_scale": 0, "initial_scale_power": 16, "loss_scale_window": 200, "hysteresis": 2},
    "bf16": {"enabled": False}, "csv_monitor": {"enabled": False, "output_path": "x", "job_name": "j"}, "checkpoint": {},
    "zero_optimization": {"stage": 1, "reduce_bucket_size": 10**8, "overlap_comm": False, "contiguous_gradients": True},
    "flops_profiler": {"enabled": False}, "comms_logger": {"enabled": False}, "data_types": {"grad_accum_dtype": None}}


def places(value, path=()) -> list[tuple]:
    """The path of every value in a config, sections and lists included."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] * bool(path) + [place for key, part in parts for place in places(part, (*path, key))]


def try_all(base: dict, folder, seed: int, count: int) -> list[tuple]:
    """Start so many runs in `folder`, each in a process of its own: what became of them."""
    load_all()
    steps_of, draw, found = train.steps_of, random.Random(seed), []
    train.steps_of = lambda *words: min(3, steps_of(*words))  # a run of 2^62 steps is no mistake, but takes long
    os.chdir(folder)
    for number in range(count):
        config, path, value = copy.deepcopy(base), draw.choice(places(base)), draw.choice(ODD)
        functools.reduce(lambda part, key: part[key], path[:-1], config)[path[-1]] = value
        config["out_dir"] = f"out-{number}" if path != ("out_dir",) else config["out_dir"]
        with open("fuzz.json", "w") as file:
            json.dump(config, file)
        found.append((path, repr(value), *forked(["--config", "fuzz.json"])))
    return found


@pytest.mark.slow
def test_a_config_with_one_odd_value_trains_or_is_refused_in_one_line(tmp_path):
    base = deep_merge(DEFAULTS, json.load(open(run_config(tmp_path, {"steps": 3, "data": [{"demo": "conversations", "count": 60}]}))))
    base["stages"] = [deep_merge(STAGE, base["stages"][0])]
    base["stages"][0]["data"] = [{**SOURCE, **base["stages"][0]["data"][0]}]
    base["deepspeed"] = SECTION
    found = computed(try_all, base, tmp_path, 1, 250, folder=tmp_path)
    for path, value, code, lines, seconds in found:
        what = path, value, code, lines, seconds
        assert code in (0, 1) and not any("Traceback" in line for line in lines) and (code == 0 or seconds < 2), what
        errors = [i for i, line in enumerate(lines) if line.startswith("error: ")]
        assert code == 0 or len(errors) == 1 and all(line.startswith("  ") for line in lines[errors[0] + 1:]), what  # a table
    trained = sum(code == 0 for *_, code, _, _ in found)
    assert 20 < trained < 200, "an odd value is mostly wrong, and sometimes not"
