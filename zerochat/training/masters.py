"""What a rank holds of the fp32 weights and of the optimizer's state, whatever ZeRO stage cut them.

This file asks ZeRO one thing: which piece of which parameter lies where on this rank. Checkpoints and the export stand
on the answer. Left out on purpose: NVMe offload, optimizers whose state is not shaped like their weights."""

import torch
import torch.distributed as dist

from zerochat.training.ranks import SharedError

Piece = tuple[str, int, int, int, int]


def layout(engine) -> tuple[list[torch.Tensor], list[Piece]]:
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


def whole(engine) -> dict[str, torch.Tensor]:
    """Without ZeRO: parameter name -> its fp32 master."""
    (masters, pieces), params = layout(engine), dict(engine.module.named_parameters())
    flat = {name: masters[master].data.view(-1)[here : here + count] for name, _, master, here, count in pieces}
    return {name: values.view_as(params[name]) for name, values in flat.items()}


def gather(engine) -> dict[str, torch.Tensor]:
    """On rank 0 all trained weights in fp32, from all ranks, by name. Every rank must call this."""
    from deepspeed.utils import safe_get_full_fp32_param

    own = whole(engine) if engine.zero_optimization_stage() == 0 else {}
    trained = {}
    for name, parameter in engine.module.named_parameters():
        if parameter.requires_grad:
            full = own.get(name) if own else safe_get_full_fp32_param(parameter)
            if dist.get_rank() == 0:
                shape = getattr(parameter, "ds_shape", parameter.shape)  # under ZeRO-3 the parameter itself is empty
                trained[name] = (parameter if full is None else full.view(shape)).detach().float().cpu().clone()
    return trained


def moments(engine, master: torch.Tensor) -> dict[str, torch.Tensor]:
    """What the optimizer keeps for a master, element by element: Adam's two moments."""
    state = engine.basic_optimizer.state.get(master, {})
    tensors = {key: value for key, value in state.items() if torch.is_tensor(value) and value.numel() > 1}
    for key, value in tensors.items():
        if value.shape != master.shape:
            kept = f"{type(engine.basic_optimizer).__name__} keeps {key} of shape {list(value.shape)}"
            advice = "checkpoints do not cover this; choose another optimizer"
            raise SharedError(f"{kept} for weights of shape {list(master.shape)}: {advice}")
    return tensors


def scaler(engine):
    """The object that holds fp16's loss scale, whichever optimizer it belongs to; None where there is none."""
    return getattr(engine.optimizer, "loss_scaler", None) or getattr(engine.optimizer, "loss_scale_config", None)


def counters(engine) -> dict:
    """What every rank has alike, as JSON: counters, loss scale, schedule."""
    optimizer, scale = engine.basic_optimizer, scaler(engine)
    steps = [int(state["step"]) for state in optimizer.state.values() if "step" in state]
    return {
        "engine": {key: getattr(engine, key) for key in ("global_steps", "global_samples", "skipped_steps")},
        "steps_taken": max(steps, default=0),  # by the optimizer: fp16 skips some
        "scaler": {k: v for k, v in vars(scale).items() if isinstance(v, (int, float))} if scale else {},
        "scheduler": engine.lr_scheduler.state_dict() if engine.lr_scheduler else None,
        "groups": [{key: group[key] for key in ("lr", "betas") if key in group} for group in optimizer.param_groups],
    }


def restore(engine, state: dict) -> None:
    """Bring back what `counters` returned."""
    vars(engine).update(state["engine"])
    if engine.fp16_enabled():
        vars(scaler(engine)).update(state["scaler"])
    if engine.lr_scheduler and state["scheduler"]:
        engine.lr_scheduler.load_state_dict(state["scheduler"])
    for group, values in zip(engine.basic_optimizer.param_groups, state["groups"]):
        group.update({key: tuple(value) if isinstance(value, list) else value for key, value in values.items()})
    _replay_bias_correction(engine.basic_optimizer, state["steps_taken"])


def make_moments(engine, masters: list[torch.Tensor], kinds: list[str], taken: int) -> None:
    """Give the optimizer a state to read a checkpoint into: Adam makes its own at its first step, which is not now."""
    optimizer = engine.basic_optimizer
    for master in masters if kinds else []:
        own = optimizer.state[master]
        own["step"] = torch.tensor(float(taken)) if isinstance(optimizer, torch.optim.AdamW) else taken
        own.update({kind: torch.zeros_like(master) for kind in kinds if kind not in own})


def _replay_bias_correction(optimizer, taken: int) -> None:
    """DeepSpeed's Adam on the CPU holds beta1^t and beta2^t in C++, as products grown by one factor a step, and no
    checkpoint has them. A new one starts with `pow(beta, t)`, which differs in the last bits: so take the same
    number of steps again, on one weight that nobody needs."""
    betas, spare = optimizer.param_groups[0].get("betas"), [torch.zeros(1) for _ in range(4)]
    for t in range(1, taken + 1):
        if hasattr(optimizer, "ds_opt_adam"):  # DeepSpeedCPUAdam, under ZeRO-Offload
            optimizer.ds_opt_adam.adam_update(optimizer.opt_id, t, 0.0, *betas, 1.0, 0.0, True, *spare)
        elif hasattr(optimizer, "multi_tensor_adam") and not torch.cuda.is_available():  # FusedAdam
            lists, overflow = [[tensor] for tensor in spare], torch.zeros(1, dtype=torch.int)
            optimizer.multi_tensor_adam(1, overflow, lists, 0.0, *betas, 1.0, t, optimizer.adam_w_mode, 1, 0.0)


def undo_first_step(engine) -> None:
    """Without ZeRO, DeepSpeed's half-precision optimizers begin with a step on zero gradients, to make Adam's state:
    it decays the masters and shifts the bias correction by one."""
    params = dict(engine.module.named_parameters())
    for name, master in whole(engine).items():
        master.copy_(params[name].detach())
    for state in engine.basic_optimizer.state.values():
        state["step"] = state["step"] * 0
