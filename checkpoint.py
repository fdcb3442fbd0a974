"""Checkpoints that are complete or not there.

DeepSpeed's own `save_checkpoint` is neither atomic nor verified, and where `latest` is missing it starts over
without a word. So each save goes into `step-N.tmp/` under a tag never used before; when every rank has
written its files, rank 0 writes their SHA-256 hashes into `manifest.json` and renames the folder to `step-N`.
Loading takes the newest folder whose manifest verifies. A checkpoint is unpickled: resume only from a folder
of your own.
"""

import hashlib
import json
import os
import re
import shutil

import torch
import torch.distributed as dist

MANIFEST = "manifest.json"


def save(engine, folder: str, step: int, keep: int = 2) -> None:
    """Write `folder/step-N`. Every rank must call this: ZeRO keeps a part of the optimizer state on each."""
    final = os.path.join(folder, f"step-{step}")
    building = final + ".tmp"
    if dist.get_rank() == 0:
        shutil.rmtree(building, ignore_errors=True)
    dist.barrier()
    engine.save_checkpoint(folder, tag=os.path.basename(building), save_latest=False,
                           client_state={"zerochat": {"step": step}})
    rng = {"cpu": torch.get_rng_state(), "cuda": torch.cuda.get_rng_state() if torch.cuda.is_available() else None}
    torch.save(rng, os.path.join(building, f"rng-{dist.get_rank()}.pt"))
    dist.barrier()
    if dist.get_rank() == 0:
        manifest = {name: _sha256(os.path.join(building, name), sync=True) for name in sorted(os.listdir(building))}
        with open(os.path.join(building, MANIFEST), "w") as file:
            json.dump({"step": step, "ranks": dist.get_world_size(), "sha256": manifest}, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        os.rename(building, final)
        directory = os.open(folder, os.O_RDONLY)
        os.fsync(directory)
        os.close(directory)
        for old in _steps(folder)[keep:]:
            shutil.rmtree(os.path.join(folder, f"step-{old}"))
    dist.barrier()


def load(engine, folder: str, log) -> int:
    """Restore the newest good checkpoint and return its step; 0 where there has never been one.

    Raises ValueError when checkpoints exist but none is whole, or when it was written by another number of ranks.
    """
    found = [0, ""]
    if dist.get_rank() == 0:
        for name in os.listdir(folder):
            if name.endswith(".tmp"):
                shutil.rmtree(os.path.join(folder, name))  # a save that was cut off
        found = _newest_good(folder, log)
    dist.broadcast_object_list(found)
    step, error = found
    if error:
        raise ValueError(error)
    if step:
        engine.load_checkpoint(folder, tag=f"step-{step}")
        _replay_bias_correction(engine.basic_optimizer)
        rng = torch.load(os.path.join(folder, f"step-{step}", f"rng-{dist.get_rank()}.pt"), weights_only=True)
        torch.set_rng_state(rng["cpu"])
        if rng["cuda"] is not None and torch.cuda.is_available():
            torch.cuda.set_rng_state(rng["cuda"])
    return step


def _replay_bias_correction(optimizer) -> None:
    """DeepSpeed's Adam on the CPU holds beta1^t and beta2^t in C++, as products grown by one factor a step, and no
    checkpoint has them. A new one starts with `pow(beta, t)`, which differs in the last bits: so take the same
    number of steps again, on one weight that nobody needs."""
    taken = max((int(state["step"]) for state in optimizer.state.values() if "step" in state), default=0)
    group, spare = optimizer.param_groups[0], [torch.zeros(1) for _ in range(4)]
    for t in range(1, taken + 1):
        if hasattr(optimizer, "ds_opt_adam"):  # DeepSpeedCPUAdam, under ZeRO-Offload
            optimizer.ds_opt_adam.adam_update(optimizer.opt_id, t, 0.0, *group["betas"], 1.0, 0.0, True, *spare)
        elif hasattr(optimizer, "multi_tensor_adam") and not torch.cuda.is_available():  # FusedAdam
            optimizer.multi_tensor_adam(1, torch.zeros(1, dtype=torch.int), [[tensor] for tensor in spare], 0.0,
                                        *group["betas"], 1.0, t, optimizer.adam_w_mode, 1, 0.0)


def _newest_good(folder: str, log) -> list:
    steps = _steps(folder)
    for step in steps:
        path = os.path.join(folder, f"step-{step}")
        try:
            with open(os.path.join(path, MANIFEST)) as file:
                manifest = json.load(file)
            bad = [name for name, digest in manifest["sha256"].items() if _sha256(os.path.join(path, name)) != digest]
        except (OSError, ValueError, KeyError) as error:
            bad = [str(error)]
        if bad:
            log(f"checkpoint {path} is damaged ({', '.join(bad)}); trying the one before")
        elif manifest["ranks"] != dist.get_world_size():
            return [0, f"checkpoint {path} was written by {manifest['ranks']} ranks, this run has "
                       f"{dist.get_world_size()}: start that many, or start over with --fresh"]
        else:
            return [step, ""]
    return [0, f"no checkpoint in {folder} is whole; start over with --fresh" if steps else ""]


def _steps(folder: str) -> list[int]:
    names = [re.fullmatch(r"step-(\d+)", name) for name in os.listdir(folder)]
    return sorted((int(match[1]) for match in names if match), reverse=True)


def _sha256(path: str, sync: bool = False) -> str:
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        if sync:
            os.fsync(file.fileno())
    return digest
