"""Checkpoints that are complete or not there, and that fit any number of ranks.

    sft/step-200/
      rank-0.safetensors ...    what rank 0 holds of the fp32 weights and of the optimizer's moments; its random state
      manifest.json             sizes and hashes of the files; step, schedule, loss scale; the config; written last

DeepSpeed's own checkpoints are neither atomic nor verified, fit one number of ranks and one ZeRO stage, and are
unpickled, which can run code. So each rank writes the pieces it holds (`masters.py`), no collective needed, and reads
those it needs, whoever wrote them. A folder is built as `step-N.tmp`, fsynced, renamed; the newest whole is read."""

import hashlib
import json
import os
import re
import shutil

import torch
import torch.distributed as dist
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from zerochat.files import content_hash, space
from zerochat.run_folder import ADVICE, misfit
from zerochat.training import masters
from zerochat.training.log import say
from zerochat.training.ranks import SharedError, all_gather, broadcast

MANIFEST = "manifest.json"


def save(engine, folder: str, step: int, record: dict, keep: int = 2) -> None:
    """Write `folder/step-N`, `record` in its manifest, and keep the newest `keep`. Every rank must call this. Raises
    SharedError naming file and space needed where the disk does not take it; older checkpoints stay."""
    final, rank = os.path.join(folder, f"step-{step}"), dist.get_rank()
    building, name = final + ".tmp", f"rank-{rank}.safetensors"
    tensors, pieces = _tensors(engine)
    path, written, problem = os.path.join(building, name), {}, None
    try:
        os.makedirs(building, exist_ok=True)
        save_file(tensors, path, metadata={"pieces": json.dumps(pieces)})
        _sync(path)
        written[name] = {"bytes": os.path.getsize(path), "sha256": content_hash(path)}
    except (OSError, SafetensorError) as error:
        problem = f"{path}: {error}"
    said = all_gather((written, problem, sum(tensor.nbytes for tensor in tensors.values())))
    problems = [problem for _, problem, _ in said if problem]
    if rank == 0:
        try:
            if not problems:
                files = {name: entry for written, *_ in said for name, entry in written.items()}
                manifest = {"step": step, "ranks": dist.get_world_size(), "files": files, **record}
                _complete(building, final, {**manifest, "state": masters.counters(engine)})
                for old in (os.path.join(folder, f"step-{step}") for step in _steps(folder)[keep:]):
                    os.rename(old, old + ".tmp")  # so that no half of it is ever taken for one
                    shutil.rmtree(old + ".tmp")
        except OSError as error:
            problems.append(f"{os.path.join(building, MANIFEST)}: {error}")
        if problems:
            shutil.rmtree(building, ignore_errors=True)
    problems = broadcast(problems)
    if problems:
        what = f"the checkpoint of step {step} could not be written: {problems[0]}"
        need = f"It needs {space(sum(size for *_, size in said), building)}"
        stay = f"earlier checkpoints in {folder} are as they were"
        raise SharedError(f"{what}. {need}; {stay}. Make room and start again")


def _tensors(engine) -> tuple[dict[str, torch.Tensor], list[masters.Piece]]:
    """What this rank has to write: its masters with their moments, and its random state; and where they belong."""
    tensors, held, pieces = {"random.cpu": torch.get_rng_state()}, [], []
    if torch.cuda.is_available():
        tensors["random.cuda"] = torch.cuda.get_rng_state()
    if engine.zero_optimization_stage() or dist.get_rank() == 0:  # without ZeRO all ranks hold the same
        held, pieces = masters.layout(engine)
    for i, master in enumerate(held):
        for key, value in {"weight": master, **masters.moments(engine, master)}.items():
            tensors[f"{key}.{i}"] = value.detach().flatten().cpu()
    return tensors, pieces


def _complete(building: str, final: str, manifest: dict) -> None:
    """The manifest last, then the name that counts, each on the disk before the next."""
    path = os.path.join(building, MANIFEST)
    with open(path, "w") as file:
        file.write(_sealed(manifest))
    _sync(path)
    _sync(building)
    os.rename(building, final)
    _sync(os.path.dirname(final))


def _sealed(manifest: dict) -> str:
    """The manifest as text, with the hash of its own content."""
    digest = hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()
    return json.dumps({**manifest, "sha256": digest}, indent=1)


def _sync(path: str) -> None:
    """Have the disk hold a file, or the names in a folder."""
    handle = os.open(path, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)


def _steps(folder: str) -> list[int]:
    names = [re.fullmatch(r"step-(\d+)", name) for name in os.listdir(folder)]
    return sorted((int(match[1]) for match in names if match), reverse=True)


def newest(folder: str, log) -> dict | None:
    """The manifest, with its `path`, of the newest checkpoint that is whole; None where there has never been one. A
    damaged one is said, and put aside as `step-N.damaged`; SharedError where all are. All ranks share the hashing."""
    rank, ranks = dist.get_rank(), dist.get_world_size()
    if rank == 0:
        for name in os.listdir(folder):
            if re.fullmatch(r"step-\d+\.tmp", name):
                shutil.rmtree(os.path.join(folder, name))  # a save that was cut off
    steps = broadcast(_steps(folder))
    damaged, found = [], None
    for step in steps:
        path = os.path.join(folder, f"step-{step}")
        manifest, bad = _verified(path, rank, ranks)
        bad = [line for lines in all_gather(bad) for line in lines]
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
        elif content_hash(file) != entry["sha256"]:
            bad.append(f"{name}: changed after it was written")
    return manifest, bad


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
            found = f"{filled} of {count} numbers of {kind} {name}"
            raise SharedError(f"the checkpoint has {found}: it belongs to another model")
        return out


def resume(engine, folder: str, record: dict, steps: int, log=say) -> int:
    """Go on from the newest checkpoint of a stage of so many steps, where there is one; returns how many are done."""
    os.makedirs(folder, exist_ok=True)
    manifest = newest(folder, log)
    if manifest and (what := misfit(manifest, record)):
        raise SharedError(f"{manifest['path']} comes from {what}; {ADVICE}")
    if manifest and manifest["step"] > steps:
        raise SharedError(f"{manifest['path']} is further than the {steps} steps of the config; {ADVICE}")
    return load(engine, manifest) if manifest else 0


def load(engine, manifest: dict) -> int:
    """Bring weights, optimizer, schedule, loss scale and random state back; returns the step. Any number of ranks,
    any ZeRO stage; bit for bit on the number and stage that saved. Every rank must call this."""
    import deepspeed

    saved, state, rank = _Pieces(manifest["path"], manifest["ranks"]), manifest["state"], dist.get_rank()
    kinds = [kind for kind in saved.kinds if kind not in ("weight", "random")]
    (held, pieces), partitioned = masters.layout(engine), engine.zero_optimization_stage() == 3
    with torch.no_grad():
        for name, p in engine.module.named_parameters():
            if p.requires_grad:
                with deepspeed.zero.GatheredParameters([p], modifier_rank=0, enabled=partitioned):
                    if rank == 0 or not partitioned:
                        p.copy_(saved.read("weight", name, 0, p.numel()).view_as(p))
        masters.make_moments(engine, held, kinds, state["steps_taken"])
        for name, there, master, here, count in pieces:
            held[master].data.view(-1)[here : here + count].copy_(saved.read("weight", name, there, count))
            for kind in kinds:
                moment = masters.moments(engine, held[master])[kind].view(-1)
                moment[here : here + count].copy_(saved.read(kind, name, there, count))
    masters.restore(engine, state)
    if rank < manifest["ranks"]:
        torch.set_rng_state(saved.files[rank].get_tensor("random.cpu"))
        if torch.cuda.is_available() and "random.cuda" in saved.keys[rank]:
            torch.cuda.set_rng_state(saved.files[rank].get_tensor("random.cuda"))
    return manifest["step"]
