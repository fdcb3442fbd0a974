"""Checkpoints that are complete or not there, and that fit any number of ranks.

    sft/step-200/
      rank-0.safetensors ...    what rank 0 holds of the fp32 weights and of the optimizer's moments; its random state
      manifest.json             sizes and hashes of the files; step, schedule, loss scale; the config; written last

DeepSpeed's own checkpoints are neither atomic nor verified, fit one number of ranks and one ZeRO stage, and are
unpickled, which can run code. So this file asks ZeRO one thing only: which piece of which parameter lies where on
this rank (`_layout`). Each rank writes its pieces, no collective needed, and reads the pieces it needs, whoever wrote
them. The folder is built as `step-N.tmp`, fsynced and renamed; loading takes the newest one whose hashes are right.
Left out on purpose: NVMe offload, optimizers whose state is not shaped like their weights.
"""

import glob
import hashlib
import json
import os
import re
import shutil
from contextlib import suppress

import torch
import torch.distributed as dist
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from zerochat.training.ranks import SharedError, agree

MANIFEST = "manifest.json"


# --- what a rank holds --------------------------------------------------------------------------------------


def _layout(engine) -> tuple[list[torch.Tensor], list[tuple[str, int, int, int, int]]]:
    """This rank's fp32 masters, and what they hold: (parameter, first element there, master, first element here,
    how many elements). A master is one parameter, or a flat buffer of a whole parameter group's partition."""
    groups, pieces = engine.basic_optimizer.param_groups, []
    names = {p: name for name, p in engine.module.named_parameters() if p.requires_grad}
    masters = [master for group in groups for master in group["params"]]
    if engine.zero_optimization_stage() == 3:  # each parameter is cut into as many equal parts as there are ranks
        masters = engine.optimizer.fp32_partitioned_groups_flat
        for p, name in names.items():
            master, here, size = engine.optimizer.grad_position[engine.optimizer.get_param_id(p)]
            there = dist.get_rank() * size
            pieces.append((name, there, master, here, min(size, p.ds_numel - there)))
    elif engine.zero_optimization_stage() > 0:  # each group is cut, so a parameter may lie across two ranks
        for p, name in names.items():
            if p._hp_mapping is not None:
                here, there = p._hp_mapping.hp_fragment_address, p._hp_mapping.lp_fragment_address
                pieces.append((name, there.start, p._hp_mapping.param_group_index, here.start, here.numel))
    else:  # every rank has everything; half precision keeps its masters apart, fused ones flat
        master = 0
        for group, params in zip(groups, getattr(engine.optimizer, "fp16_groups", [g["params"] for g in groups])):
            flat, here = len(group["params"]) < len(params), 0
            for p in params:
                pieces.append((names[p], 0, master, here, p.numel()))
                here, master = (here + p.numel(), master) if flat else (0, master + 1)
            master += flat
    return masters, [piece for piece in pieces if piece[4] > 0]


def whole_masters(engine) -> dict[str, torch.Tensor]:
    """Without ZeRO: parameter name -> its fp32 master."""
    (masters, pieces), params = _layout(engine), dict(engine.module.named_parameters())
    return {
        name: masters[master].data.view(-1)[here : here + count].view_as(params[name])
        for name, _, master, here, count in pieces
    }


def _moments(engine, master: torch.Tensor) -> dict[str, torch.Tensor]:
    state = engine.basic_optimizer.state.get(master, {})
    tensors = {key: value for key, value in state.items() if torch.is_tensor(value) and value.numel() > 1}
    for key, value in tensors.items():
        if value.shape != master.shape:
            raise SharedError(
                f"{type(engine.basic_optimizer).__name__} keeps {key} of shape {list(value.shape)} for "
                f"weights of shape {list(master.shape)}: checkpoints do not cover this; "
                "choose another optimizer"
            )
    return tensors


def _numbers(thing) -> dict:
    """The attributes of a loss scaler that change while it runs."""
    return {key: value for key, value in vars(thing).items() if isinstance(value, (int, float))} if thing else {}


def scaler(engine):
    """The object that holds fp16's loss scale, whichever optimizer it belongs to; None where there is none."""
    return getattr(engine.optimizer, "loss_scaler", None) or getattr(engine.optimizer, "loss_scale_config", None)


def _state(engine) -> dict:
    """What every rank has alike, as JSON: counters, loss scale, schedule."""
    steps = [int(state["step"]) for state in engine.basic_optimizer.state.values() if "step" in state]
    return {
        "engine": {key: getattr(engine, key) for key in ("global_steps", "global_samples", "skipped_steps")},
        "steps_taken": max(steps, default=0),  # by the optimizer: fp16 skips some
        "scaler": _numbers(scaler(engine)),
        "scheduler": engine.lr_scheduler.state_dict() if engine.lr_scheduler else None,
        "groups": [
            {key: group[key] for key in ("lr", "betas") if key in group}
            for group in engine.basic_optimizer.param_groups
        ],
    }


# --- save ---------------------------------------------------------------------------------------------------


def save(engine, folder: str, step: int, context: dict, keep: int = 2) -> None:
    """Write `folder/step-N`, with `context` in its manifest, and keep that many. Every rank must call this.

    Raises SharedError naming file and space needed where the disk does not take it; older checkpoints stay.
    """
    final, rank = os.path.join(folder, f"step-{step}"), dist.get_rank()
    building, name = final + ".tmp", f"rank-{rank}.safetensors"
    masters, pieces = _layout(engine) if engine.zero_optimization_stage() or rank == 0 else ([], [])
    tensors = {"random.cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        tensors["random.cuda"] = torch.cuda.get_rng_state()
    for i, master in enumerate(masters):
        for key, value in {"weight": master, **_moments(engine, master)}.items():
            tensors[f"{key}.{i}"] = value.detach().flatten().cpu()
    written, problem = {}, None
    try:
        os.makedirs(building, exist_ok=True)
        save_file(tensors, os.path.join(building, name), metadata={"pieces": json.dumps(pieces)})
        written[name] = {
            "bytes": os.path.getsize(os.path.join(building, name)),
            "sha256": sha256(os.path.join(building, name), sync=True),
        }
    except (OSError, SafetensorError) as error:
        problem = f"{os.path.join(building, name)}: {error}"
    said = agree((written, problem, sum(tensor.nbytes for tensor in tensors.values())))
    files, problems = {k: v for entry in said for k, v in entry[0].items()}, [entry[1] for entry in said if entry[1]]
    if rank == 0:
        try:
            if not problems:
                text = _sealed(
                    {"step": step, "ranks": dist.get_world_size(), "files": files, **context, "state": _state(engine)}
                )
                with open(os.path.join(building, MANIFEST), "w") as file:
                    file.write(text)
                    file.flush()
                    os.fsync(file.fileno())
                _sync(building)
                os.rename(building, final)
                _sync(folder)
                for old in _steps(folder)[keep:]:
                    _remove(os.path.join(folder, f"step-{old}"))
        except OSError as error:
            problems.append(f"{os.path.join(building, MANIFEST)}: {error}")
        if problems:
            shutil.rmtree(building, ignore_errors=True)
    problems = agree(problems)[0]
    if problems:
        need, free = sum(entry[2] for entry in said) / 2**20, shutil.disk_usage(folder).free / 2**20
        raise SharedError(
            f"the checkpoint of step {step} could not be written: {problems[0]}. "
            f"It needs {need:.1f} MiB, {free:.1f} MiB are free; earlier checkpoints in {folder} are as "
            "they were. Make room and start again"
        )


def _sealed(manifest: dict) -> str:
    """The manifest as text, with the hash of its own content."""
    digest = hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()
    return json.dumps({**manifest, "sha256": digest}, indent=1)


def _sync(folder: str) -> None:
    handle = os.open(folder, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)


def _remove(folder: str) -> None:
    """Remove a checkpoint so that no half of it is ever taken for one."""
    os.rename(folder, folder + ".tmp")
    shutil.rmtree(folder + ".tmp")


def sha256(path: str, sync: bool = False) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
        if sync:
            os.fsync(file.fileno())
    return digest.hexdigest()


# --- load ---------------------------------------------------------------------------------------------------


def newest(folder: str, log) -> dict | None:
    """The manifest, with its `path`, of the newest checkpoint that is whole; None where there has never been one.

    A damaged one is said, and put aside as `step-N.damaged`. Raises SharedError when none is whole.
    Every rank must call this; they share the hashing.
    """
    rank, ranks = dist.get_rank(), dist.get_world_size()
    if rank == 0:
        for name in os.listdir(folder):
            if re.fullmatch(r"step-\d+\.tmp", name):
                shutil.rmtree(os.path.join(folder, name))  # a save that was cut off
    steps = agree(_steps(folder) if rank == 0 else None)[0]
    damaged, found = [], None
    for step in steps:
        path = os.path.join(folder, f"step-{step}")
        manifest, bad = _verified(path, rank, ranks)
        bad = [line for lines in agree(bad) for line in lines]
        if not bad:
            found = {**manifest, "path": path}
            break
        log(f"checkpoint {path} is damaged ({'; '.join(sorted(set(bad)))}); trying the one before")
        damaged.append(path)
    if steps and not found:
        raise SharedError(f"no checkpoint in {folder} is whole; start over with --fresh")
    if rank == 0:
        for path in damaged:  # its name will be needed again
            shutil.rmtree(path + ".damaged", ignore_errors=True)
            os.rename(path, path + ".damaged")
    return found


def _verified(path: str, rank: int, ranks: int) -> tuple[dict, list[str]]:
    """A checkpoint's manifest, and what is wrong with it and with this rank's share of the files."""
    try:
        with open(os.path.join(path, MANIFEST)) as file:
            text = file.read()
        manifest = json.loads(text)
        if text != _sealed({key: value for key, value in manifest.items() if key != "sha256"}):
            return {}, [f"{MANIFEST}: changed after it was written"]
    except FileNotFoundError:
        return {}, [f"{MANIFEST}: missing"]
    except (OSError, ValueError, AttributeError) as error:
        return {}, [f"{MANIFEST}: {error}"]
    bad = []
    for name, entry in list(manifest["files"].items())[rank::ranks]:
        file = os.path.join(path, name)
        if not os.path.exists(file):
            bad.append(f"{name}: missing")
        elif os.path.getsize(file) != entry["bytes"]:
            bad.append(f"{name}: {os.path.getsize(file)} bytes instead of {entry['bytes']}")
        elif sha256(file) != entry["sha256"]:
            bad.append(f"{name}: changed after it was written")
    return manifest, bad


def recorded(out_dir: str) -> dict:
    """The config of the run that left checkpoints in the folders of `out_dir`; {} where there are none."""
    for path in sorted(glob.glob(os.path.join(out_dir, "*", "step-*", MANIFEST)), key=os.path.getmtime, reverse=True):
        with suppress(OSError, ValueError, KeyError):
            with open(path) as file:
                return json.load(file)["config"]
    return {}


class _Pieces:
    """The parameters of a checkpoint, put together from whatever pieces its ranks wrote."""

    def __init__(self, path: str, ranks: int):
        self.files = [safe_open(os.path.join(path, f"rank-{k}.safetensors"), framework="pt") for k in range(ranks)]
        self.keys = [set(file.keys()) for file in self.files]
        self.kinds = sorted({key.rpartition(".")[0] for keys in self.keys for key in keys if key[-1].isdigit()})
        self.of: dict[str, list] = {}
        for file in self.files:
            for name, there, master, here, count in json.loads(file.metadata()["pieces"]):
                self.of.setdefault(name, []).append((there, count, file, master, here))

    def read(self, kind: str, name: str, first: int, count: int) -> torch.Tensor:
        """Elements `first` ... of the flattened parameter `name`, or of one of its moments; [count] in fp32."""
        out, filled = torch.empty(count), 0
        for there, size, file, master, here in self.of.get(name, []):
            begin, end = max(first, there), min(first + count, there + size)
            if begin < end:
                source = file.get_slice(f"{kind}.{master}")
                out[begin - first : end - first] = source[here + begin - there : here + end - there]
                filled += end - begin
        if filled != count:
            raise SharedError(
                f"the checkpoint has {filled} of {count} numbers of {kind} {name}: it belongs to another model"
            )
        return out


def load(engine, manifest: dict) -> int:
    """Bring weights, optimizer, schedule, loss scale and random state back; returns the step. Any number of ranks,
    any ZeRO stage; bit for bit on the number and stage that saved. Every rank must call this."""
    import deepspeed

    saved, optimizer, state = _Pieces(manifest["path"], manifest["ranks"]), engine.basic_optimizer, manifest["state"]
    moments = [kind for kind in saved.kinds if kind not in ("weight", "random")]
    masters, pieces = _layout(engine)
    with torch.no_grad():
        for name, p in engine.module.named_parameters():
            if p.requires_grad and engine.zero_optimization_stage() == 3:
                with deepspeed.zero.GatheredParameters([p], modifier_rank=0):
                    if dist.get_rank() == 0:
                        p.copy_(saved.read("weight", name, 0, p.numel()).view_as(p))
            elif p.requires_grad:
                p.copy_(saved.read("weight", name, 0, p.numel()).view_as(p))
        for master in masters if moments else []:  # Adam makes its state at its first step, which is not now
            own = optimizer.state[master]
            own["step"] = (
                torch.tensor(float(state["steps_taken"]))
                if isinstance(optimizer, torch.optim.AdamW)
                else state["steps_taken"]
            )
            own.update({kind: torch.zeros_like(master) for kind in moments if kind not in own})
        for name, there, master, here, count in pieces:
            masters[master].data.view(-1)[here : here + count].copy_(saved.read("weight", name, there, count))
            for kind in moments:
                moment = optimizer.state[masters[master]][kind].view(-1)
                moment[here : here + count].copy_(saved.read(kind, name, there, count))
    vars(engine).update(state["engine"])
    if engine.fp16_enabled():
        vars(scaler(engine)).update(state["scaler"])
    if engine.lr_scheduler and state["scheduler"]:
        engine.lr_scheduler.load_state_dict(state["scheduler"])
    for group, values in zip(optimizer.param_groups, state["groups"]):
        group.update({key: tuple(value) if isinstance(value, list) else value for key, value in values.items()})
    _replay_bias_correction(optimizer, state["steps_taken"])
    if dist.get_rank() < manifest["ranks"]:
        torch.set_rng_state(saved.files[dist.get_rank()].get_tensor("random.cpu"))
        if torch.cuda.is_available() and "random.cuda" in saved.keys[dist.get_rank()]:
            torch.cuda.set_rng_state(saved.files[dist.get_rank()].get_tensor("random.cuda"))
    return manifest["step"]


def _replay_bias_correction(optimizer, taken: int) -> None:
    """DeepSpeed's Adam on the CPU holds beta1^t and beta2^t in C++, as products grown by one factor a step, and no
    checkpoint has them. A new one starts with `pow(beta, t)`, which differs in the last bits: so take the same
    number of steps again, on one weight that nobody needs."""
    group, spare = optimizer.param_groups[0], [torch.zeros(1) for _ in range(4)]
    for t in range(1, taken + 1):
        if hasattr(optimizer, "ds_opt_adam"):  # DeepSpeedCPUAdam, under ZeRO-Offload
            optimizer.ds_opt_adam.adam_update(optimizer.opt_id, t, 0.0, *group["betas"], 1.0, 0.0, True, *spare)
        elif hasattr(optimizer, "multi_tensor_adam") and not torch.cuda.is_available():  # FusedAdam
            optimizer.multi_tensor_adam(
                1,
                torch.zeros(1, dtype=torch.int),
                [[tensor] for tensor in spare],
                0.0,
                *group["betas"],
                1.0,
                t,
                optimizer.adam_w_mode,
                1,
                0.0,
            )


def undo_first_step(engine) -> None:
    """Without ZeRO, DeepSpeed's half-precision optimizers begin with a step on zero gradients, to make Adam's state:
    it decays the masters and shifts the bias correction by one."""
    params = dict(engine.module.named_parameters())
    for name, master in whole_masters(engine).items():
        master.copy_(params[name].detach())
    for state in engine.basic_optimizer.state.values():
        state["step"] = state["step"] * 0


def _steps(folder: str) -> list[int]:
    names = [re.fullmatch(r"step-(\d+)", name) for name in os.listdir(folder)]
    return sorted((int(match[1]) for match in names if match), reverse=True)
