"""What a config may say in DeepSpeed's own section, and what any value of it may be."""

import json
import math
import sys

ABOVE_0, MOST = math.ulp(0.0), sys.float_info.max
AUTO = '"auto"'  # is one more thing that a value may be
# What this program reads or DeepSpeed takes unchecked: an example of the kind, then the least and most, or the texts.
VALUES: dict[str, tuple] = {"train_batch_size": (0, 1, 2**24), "gradient_clipping": (0.0, 0, 2**31)}
VALUES |= dict.fromkeys(("train_micro_batch_size_per_gpu", "gradient_accumulation_steps"), (0, 1, 2**31, AUTO))
VALUES |= {f"zero_optimization.{key}_bucket_size": (0, 0, 2**40) for key in ("reduce", "allgather")}
VALUES |= {"steps_per_print": (0, 1, 2**31), "optimizer.type": ("",), "scheduler.type": ("",)}
VALUES |= dict.fromkeys(("fp16.enabled", "bf16.enabled"), (True, AUTO))
VALUES |= {"zero_optimization.stage": (0, 0, 3), "optimizer.params.lr": (0.0, ABOVE_0, 2**31)}
VALUES |= {f"optimizer.params.{key}": (0.0, 0, 2**31) for key in ("eps", "weight_decay")}
VALUES |= {f"scheduler.params.{key}": (0, 1, 2**31, AUTO) for key in ("total_num_steps", "warmup_num_steps")}
VALUES |= {f"scheduler.params.{key}": (0.0, 0, 1) for key in ("warmup_min_ratio", "cos_min_ratio")}
VALUES |= {"scheduler.params.warmup_type": ("", "log", "linear"), "fp16.initial_scale_power": (0, 0, 64)}
VALUES |= {"optimizer.params.betas": ([0.0, 0.0], 0, 1 - 2**-53)}
# Where null says something of its own.
NULL = ("steps_per_print", "scheduler.type", "train_micro_batch_size_per_gpu")
# DeepSpeed accepts unknown top-level keys in silence, so a typing error there would go unnoticed.
SECTION_KEYS = """
    train_batch_size train_micro_batch_size_per_gpu gradient_accumulation_steps optimizer scheduler fp16 bf16
    gradient_clipping zero_optimization steps_per_print wall_clock_breakdown activation_checkpointing
    prescale_gradients gradient_predivide_factor communication_data_type data_types dump_state memory_breakdown
    zero_allow_untested_optimizer zero_force_ds_cpu_optimizer flops_profiler comms_logger tensorboard wandb
    csv_monitor comet checkpoint aio compile torch_autocast sparse_gradients seq_parallel_communication_data_type
""".split()


def check_section(section: dict, where: str) -> None:
    """ValueError for a value in a section `deepspeed` that only training would find wrong, or not even that."""
    for path, (kind, *allowed) in VALUES.items():
        *parents, key = path.split(".")
        part, at = section, where
        for parent in parents:
            part, at = part.get(parent, {}), f"{at}.{parent}"
            if not isinstance(part, dict):
                raise ValueError(f"{at} should be an object, found {json.dumps(part)}")
        if key in part and not (part[key] is None and path in NULL or part[key] == "auto" and AUTO in allowed):
            _check(kind, tuple(limit for limit in allowed if limit != AUTO), part[key], f"{at}.{key}", AUTO in allowed)


def _check(kind, allowed: tuple, value, where: str, auto: bool) -> None:
    if isinstance(kind, list):
        if not isinstance(value, list) or len(value) != len(kind):
            raise ValueError(f"{where} should be two numbers, found {json.dumps(value)}")
        for one, part in zip(kind, value):
            _check(one, allowed, part, where, auto)
        return
    if isinstance(value, float) and value.is_integer() and type(kind) is int:
        value = int(value)  # 5e8, as DeepSpeed's own documents write it
    check_value(kind, allowed, value, where, " or " + AUTO if auto else "")


def check_value(kind, allowed: tuple | None, value, where: str, more: str = "") -> None:
    """ValueError for a value of another kind than its default, or one that is not allowed."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    right = isinstance(value, type(kind)) and isinstance(value, bool) == isinstance(kind, bool)
    kinds = {bool: "true or false", int: "a whole number", float: "a number", str: "text", list: "a list"}
    fine, what = right or isinstance(kind, float) and number, kinds[type(kind)]
    if fine and allowed and isinstance(allowed[0], str):
        fine, what = value in allowed, " or ".join(json.dumps(text) for text in allowed)
    elif fine and allowed:
        low, high = allowed
        fine, what = low <= value <= high, f"between {low:g} and {high:g}"
        if low == ABOVE_0:
            what = "a positive number" + (f" of at most {high:g}" if high < MOST else "")
        elif high == MOST:
            what = f"at least {low:g}"
    if not fine:
        raise ValueError(f"{where} should be {what}{more}, found {json.dumps(value)}")
