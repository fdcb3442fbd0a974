"""DeepSpeed's engine on this machine: its settings resolved, its quirks undone, its steps watched.

What DeepSpeed (0.19.8 here) keeps to itself is touched in this file and in `masters.py`, nowhere else."""

import copy
import ctypes
import json
import logging
import math
import os
import re
import shutil
import sys
import time
import warnings
from contextlib import contextmanager

import torch
import torch.distributed as dist

from zerochat.run_folder import file_locks
from zerochat.training import masters, ranks
from zerochat.training.log import say
from zerochat.training.ranks import SharedError, quiet

OVERFLOWS = 20  # so many skipped fp16 steps in a row are no search for a loss scale any more
WARMUP = 0.05  # of a stage's steps, where its schedule's `warmup_num_steps` is "auto"


def load_deepspeed(verbose: bool) -> None:
    """Import DeepSpeed, for the first time, with only the C++ extensions that will be used."""
    file_locks()  # raises where training cannot be
    keep_freed_memory()
    if not shutil.which("ninja"):  # the virtual environment is not activated
        os.environ["PATH"] = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]
    if not verbose:  # DeepSpeed's calls of collectives that torch will rename, once for each place
        warnings.filterwarnings("ignore", category=FutureWarning, message=".*torch.distributed")
    logging.disable(logging.NOTSET if verbose else logging.WARNING)  # "Setting accelerator to CPU ...", every time
    import deepspeed
    from deepspeed.git_version_info import installed_ops  # those that came ready with the package
    from torch.utils.cpp_extension import _get_build_directory

    logging.disable(logging.NOTSET)
    deepspeed.utils.logger.setLevel("INFO" if verbose else "ERROR")
    if int(os.environ.get("WORLD_SIZE", 1)) == 1 or not shutil.which("g++"):
        # A shared-memory all-reduce for CPU ranks, a minute to build: one rank has nobody to share with.
        deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
    at = _get_build_directory("fused_adam", False)
    if not has_compiler():
        say("no C++ compiler: torch's AdamW instead of DeepSpeed's fused one, the same steps a little slower")
    elif not installed_ops["fused_adam"] and ("lock" in os.listdir(at) or "fused_adam.so" not in os.listdir(at)):
        say(f"building DeepSpeed's fused Adam, once; if it never ends, one was killed before: remove {at}/lock")


def keep_freed_memory() -> None:
    """Have the C library keep what large tensors free: by default the system gets it back, and clears every page of the
    next one, which is half of the time of a loss over 16 million logits (`benchmarks/training.py --system-memory`).
    `checked_step` returns every ten seconds what has piled up: later tensors are longer and do not fit into it."""
    if hasattr(library := ctypes.CDLL(None), "mallopt"):  # glibc's numbers of the settings
        trim_threshold, mmap_max = -1, -4
        library.mallopt(trim_threshold, 2**31 - 1), library.mallopt(mmap_max, 0)


def has_compiler() -> bool:
    """Whether there is a C++ compiler, with which DeepSpeed builds its fused Adam on the first run."""
    return bool(shutil.which("g++") or shutil.which("c++"))


def settle(settings: dict, world: int) -> tuple[dict, str]:
    """A stage's DeepSpeed settings with every `"auto"` resolved but the number of steps, and their precision in words.
    Raises ValueError for settings that cannot be."""
    from deepspeed.accelerator import get_accelerator
    from deepspeed.runtime.config import DeepSpeedConfig

    resolve_batch(settings, world)
    if not has_compiler():
        settings["optimizer"].setdefault("params", {})["torch_adam"] = True
        settings["zero_allow_untested_optimizer"] = True
    precision = choose_precision(settings, get_accelerator())
    met = dist.get_world_size() if dist.is_initialized() else 1  # DeepSpeed counts the ranks that have met already
    with initializing(None):
        DeepSpeedConfig(copy.deepcopy({**settings, "train_batch_size": settings["train_batch_size"] // world * met}))
    return settings, precision


def resolve_batch(settings: dict, ranks: int) -> None:
    """The config fixes the global batch; the micro-batch and accumulation follow from it, in place."""
    batch, micro = settings.get("train_batch_size"), settings.get("train_micro_batch_size_per_gpu")
    if not isinstance(batch, int) or batch < 1:
        raise ValueError(f"deepspeed.train_batch_size, rows of a step, should be a positive number, found {batch!r}")
    if "type" not in settings.get("optimizer", {}):
        hint = '"AdamW" is DeepSpeed\'s fused Adam with decoupled weight decay'
        raise ValueError(f"deepspeed.optimizer.type is missing; {hint}")
    if micro in (None, "auto"):
        micro = settings["train_micro_batch_size_per_gpu"] = max(1, batch // ranks)
    accumulation = settings.get("gradient_accumulation_steps", "auto")
    if accumulation == "auto":
        accumulation = max(1, batch // (micro * ranks))
    if batch != micro * accumulation * ranks:
        product = f"train_micro_batch_size_per_gpu {micro} x gradient_accumulation_steps {accumulation} x {ranks} ranks"
        raise ValueError(f"deepspeed.train_batch_size {batch} is not {product} = {micro * accumulation * ranks}")
    settings["gradient_accumulation_steps"] = accumulation
    settings.setdefault("steps_per_print", 10**9)
    settings.setdefault("gradient_clipping", 1.0)
    settings.get("zero_optimization", {}).setdefault("contiguous_gradients", ranks > 1)  # copied only to be sent


def choose_precision(settings: dict, accelerator) -> str:
    """Resolve `"auto"` in fp16.enabled and bf16.enabled, in place; returns the choice and why, as text."""
    fp16, bf16 = settings.setdefault("fp16", {}), settings.setdefault("bf16", {})
    fp16.setdefault("enabled", False), bf16.setdefault("enabled", False)
    on_gpu, has_fp16 = accelerator.device_name() != "cpu", accelerator.is_fp16_supported()
    processor = torch.cpu.get_capabilities()
    native = processor.get("avx512_bf16") or processor.get("amx_bf16")
    if fp16.get("enabled") is True and not has_fp16:
        machine = f"this {accelerator.device_name()} cannot train in fp16"
        raise ValueError(f'deepspeed.fp16.enabled is true, but {machine}; set it to "auto" or false')
    why = "as the config says"
    if fp16.get("enabled") == "auto":
        fp16["enabled"] = on_gpu and has_fp16 and bf16.get("enabled") is not True
        why = "the accelerator has it" if fp16["enabled"] else why if bf16["enabled"] else "no fp16 here"
    if bf16.get("enabled") == "auto":
        bf16["enabled"] = bool(native and not fp16["enabled"] and not on_gpu)
        if bf16["enabled"]:
            why = "no fp16 on a CPU, but this processor multiplies bf16 natively"
        elif not fp16["enabled"]:
            why = '"auto" takes bf16 on a CPU alone' if on_gpu else "this processor has neither fp16 nor native bf16"
    if fp16["enabled"] and bf16["enabled"]:
        raise ValueError("deepspeed.fp16 and deepspeed.bf16 are both enabled; choose one")
    return f"{'fp16' if fp16['enabled'] else 'bf16' if bf16['enabled'] else 'fp32'} ({why})"


def set_steps(settings: dict, steps: float, stage: str) -> None:
    """Resolve the last `"auto"`, the schedule's length and that of its warm-up. ValueError for a warm-up that a stage
    of so many steps would not outlast, since it might learn nothing, and for a type that is no schedule."""
    from deepspeed.runtime import lr_schedules

    name, schedule = settings.get("scheduler", {}).get("type"), settings.get("scheduler", {}).get("params", {})
    if not name:
        return
    if name not in (known := lr_schedules.VALID_LR_SCHEDULES):
        raise ValueError(f"deepspeed.scheduler.type {json.dumps(name)} is none of {', '.join(known)}")
    if schedule.get("total_num_steps") == "auto":
        schedule["total_num_steps"] = steps + 1  # of which `mend_engine` leaves out the first
    if schedule.get("warmup_num_steps") == "auto":
        schedule["warmup_num_steps"] = max(1, round(WARMUP * min(steps, 10**9)))
    elif (warmup := schedule.get("warmup_num_steps", 1000 if "Warmup" in name else 0)) >= max(2, steps):  # 1000: usual
        key, auto = f"deepspeed.scheduler.params.warmup_num_steps {warmup}", f'"auto" makes it {WARMUP:.0%} of them'
        raise ValueError(f"stage {stage} has {steps} steps, all of them warm-up ({key}); {auto}")
    with initializing(None):  # whether it takes these parameters, for two groups of weights
        kind = getattr(lr_schedules, name)
        kind(torch.optim.AdamW([{"params": [torch.zeros(1)]} for _ in range(2)]), **schedule)


def check_schedules(settled: dict[str, tuple[dict, str]], stages: list[dict]) -> None:
    """ValueError for a stage's schedule, as far as that is known before the data are."""
    for stage in stages:
        set_steps(copy.deepcopy(settled[stage["name"]][0]), stage["steps"] or math.inf, stage["name"])


def dtype_of(settings: dict) -> torch.dtype:
    """In which the weights lie while they train."""
    half = {"fp16": torch.float16, "bf16": torch.bfloat16}
    return next((half[name] for name in half if settings[name]["enabled"]), torch.float32)


def partitioned(settings: dict):
    """Under ZeRO-3, how `LanguageModel.load` builds a model of which each rank holds its share alone: a context manager
    to build it in, and one around the filling of a parameter. None without ZeRO-3."""
    if settings.get("zero_optimization", {}).get("stage") != 3:
        return None
    from deepspeed import zero

    build = zero.Init(config_dict_or_path=settings)
    return build, lambda parameter: zero.GatheredParameters([parameter], modifier_rank=0)


@contextmanager
def initializing(log: str | None):
    """Around DeepSpeed's code: its prints go to the file `log`, what it raises, but a full memory, is one line."""
    try:
        with quiet(log):
            yield
    except Exception as error:  # DeepSpeed has no exception of its own
        if ranks.memory_is_full(error):
            raise
        reason = re.sub(r" For further information visit \S+", "", " ".join(str(error).split()))[:400]
        raise ValueError(f"DeepSpeed fails on its section of the config: {reason}; --verbose shows all") from error


def sizes(engine, lora_rank: int) -> str:
    """How many parameters there are (a tied head counted once), and how many are trained where adapters are."""
    total = trained = 0
    for name, p in engine.module.named_parameters():
        count = getattr(p, "ds_numel", p.numel())  # ZeRO-3's numel is 0
        total += 0 if name.endswith((".lora_a", ".lora_b")) else count
        trained += count if p.requires_grad else 0
    return f"{total:,} parameters" + (f", {trained:,} trained (LoRA of rank {lora_rank})" if lora_rank else "")


def kind(engine) -> str:
    optimizer, stage = type(engine.basic_optimizer).__name__, engine.zero_optimization_stage()
    return f"{optimizer}, ZeRO-{stage}, {dist.get_world_size()} rank(s)"


def mend_engine(engine) -> None:
    """Undo what DeepSpeed does to a new engine and should not."""
    engine.skipped_in_a_row, engine.gave_back = 0, 0.0  # ours, for `check_overflows` and `checked_step`
    if "Warmup" in type(engine.lr_scheduler).__name__:
        engine.lr_scheduler.step(1)  # its step 0 has the rate 0, and DeepSpeed takes it twice
    if hasattr(engine.optimizer, "initialize_optimizer_states") and engine.zero_optimization_stage() == 0:
        masters.undo_first_step(engine)
    if engine.fp16_enabled():
        vars(masters.scaler(engine))["raise_error_at_min_scale"] = False  # OVERFLOWS in a row say it better


def loss_scale(engine) -> float:
    return engine.optimizer.cur_scale if hasattr(engine.optimizer, "cur_scale") else engine.optimizer.loss_scale


def figures_of_step(engine, loss: float) -> dict[str, float]:
    """What the log keeps of the step just done; `grad_norm`: of all gradients, before they are clipped."""
    fp16 = {"loss_scale": loss_scale(engine), "skipped_steps": engine.skipped_steps} if engine.fp16_enabled() else {}
    norm = engine.get_global_grad_norm()  # None where the config has DeepSpeed leave it out
    return {"loss": loss, **({} if norm is None else {"grad_norm": float(norm)}), "lr": engine.rate_of_step, **fp16}


def forgotten_scale(engine) -> float:
    """What a loss has still to be multiplied by before `engine.backward`: in fp16 without ZeRO, DeepSpeed divides the
    gradients by the loss scale without having multiplied the loss."""
    return loss_scale(engine) if engine.fp16_enabled() and engine.zero_optimization_stage() == 0 else 1.0


def checked_step(engine, loss: torch.Tensor, shard, rows, step: int) -> None:
    """`engine.step` that refuses what is not finite: SharedError, before the weights change, naming the step and the
    conversations of its rows; fp16 skips such a step. loss: the summed loss of this rank's micro-batches; after the
    last of them it becomes that of all ranks."""
    fp16, zero = engine.fp16_enabled(), engine.zero_optimization_stage()

    def check(fine: bool, what: str) -> None:
        if not fine:
            places = [place for row in rows for place in shard.describe(row)]
            some = ", ".join(places[:20]) + (", ..." if len(places) > 20 else "")
            raise SharedError(f"{what} at step {step + 1}; the weights are as before it. The batch came from {some}")

    last = engine.is_gradient_accumulation_boundary()  # whose backward pass has summed the gradients over the ranks
    if last:
        dist.all_reduce(loss)
        check(fp16 or math.isfinite(loss), f"the loss is {float(loss)}")
        if zero == 0 and not fp16:  # ZeRO looks by itself
            norm = torch.nn.utils.get_total_norm(p.grad for p in engine.module.parameters() if p.grad is not None)
            check(math.isfinite(norm), f"the gradient norm is {float(norm)}")
            engine._global_grad_norm = norm  # ZeRO and bf16 keep it by themselves
    engine.rate_of_step = engine.get_lr()[0]  # ours, for `figures_of_step`; after the step it is the next one's
    engine.step()
    check(not last or fp16 or engine.was_step_applied(), "the gradient norm is not finite")
    if time.monotonic() - engine.gave_back > 10 and hasattr(library := ctypes.CDLL(None), "malloc_trim"):
        library.malloc_trim(0)
        engine.gave_back = time.monotonic()


def monitor(engine, stage: str, figures: dict[str, float]) -> None:
    """Hand figures to whatever monitor the config turns on, as `<stage>/<name>` over the rows trained on: that is how
    DeepSpeed, which writes rate and times there itself, counts; Weights & Biases drops what counts otherwise."""
    if engine.monitor.enabled:
        events = [(f"{stage}/{name}", value, engine.global_samples) for name, value in figures.items()]
        engine.monitor.write_events(events)


def destroy(engine) -> None:
    """End an engine; in Weights & Biases its run, for the rows of the next stage are counted from 0 again."""
    if getattr(engine.monitor, "wandb_monitor", None):
        __import__("wandb").finish()
    engine.destroy()


def check_overflows(engine, step: int) -> None:
    """Count the fp16 steps skipped in a row; SharedError when so many are no search for a loss scale any more."""
    engine.skipped_in_a_row = 0 if engine.was_step_applied() else engine.skipped_in_a_row + 1
    if engine.skipped_in_a_row == OVERFLOWS:
        last = f"the last at step {step} with loss scale {loss_scale(engine):g}"
        raise SharedError(f"{OVERFLOWS} steps in a row overflowed fp16, {last}; a lower learning rate or bf16 may help")
