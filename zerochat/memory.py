"""How many bytes of model state each GPU holds, on paper: nothing is allocated."""

from torch import nn


def memory_per_gpu(parameters: int, trained: int, zero_stage: int, ranks: int, offload: bool) -> dict[str, float]:
    """Bytes of model state a rank holds in mixed-precision Adam training (Rajbhandari et al. 2020, section 3.1):
    2 per half-precision weight and, per weight that is trained, 2 for the gradient and 12 for the fp32 master and both
    Adam moments. ZeRO 1, 2, 3 divide the last, the last two, all three by the number of ranks; offload moves the 12 to
    the host."""
    weights, gradients, optimizer = 2.0 * parameters, 2.0 * trained, 12.0 * trained
    optimizer /= ranks if zero_stage >= 1 else 1
    gradients /= ranks if zero_stage >= 2 else 1
    weights /= ranks if zero_stage >= 3 else 1
    gpu = weights + gradients + (0 if offload else optimizer)
    return {"gpu": gpu, "host": optimizer if offload else 0.0}


def describe(model, lora_rank: int, zero: dict, ranks: list[int]) -> str:
    """Parameters and memory of a model on the meta device; zero: the config's `deepspeed.zero_optimization`."""
    stage, offload = zero.get("stage", 0), "offload_optimizer" in zero
    parameters = trained = sum(p.numel() for p in model.parameters())
    lines = [f"{parameters:,} parameters, ZeRO-{stage}{' with the optimizer on the host' if offload else ''}"]
    if lora_rank:
        matrices = [m for m in model.model.modules() if isinstance(m, nn.Linear)]
        adapters = lora_rank * sum(m.in_features + m.out_features for m in matrices)
        vocabulary = parameters - sum(p.numel() for p in model.model.layers.parameters()) - len(model.model.norm.weight)
        lines.append(f"trained: {adapters:,} in adapters of rank {lora_rank}, {vocabulary:,} in embedding and head")
        parameters, trained = parameters + adapters, adapters + vocabulary
    for number in ranks:
        memory = memory_per_gpu(parameters, trained, stage, number, offload)
        gpu, host = (memory[place] / 2**30 for place in ("gpu", "host"))
        lines.append(f"  {number:3d} ranks: {gpu:7.2f} GiB per GPU, {host:7.2f} GiB host per rank, plus activations")
    return "\n".join(lines)
