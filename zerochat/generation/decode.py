"""The forward pass of generation: one model, the keys and values of several sequences, a few rows at a time.

`model.py` is the definition; this is the same arithmetic for a handful of rows, which would otherwise spend their
time on matrix kernels made for many rows and on starting operations. A test holds both to the same logits.
Left out on purpose: kernels of our own; torch.compile, whose start takes longer than most chats.

Shapes: N rows, each one token of one sequence; C cache length; the rest as in `model.py`."""

import itertools
import math
from typing import TYPE_CHECKING, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

if TYPE_CHECKING:
    from model import LanguageModel, Layer, RMSNorm

BLOCK = 64  # positions; how much of a slot's cache is read is a multiple of it


class Product:
    """x [N, in] -> [N, out] of linear layers that read the same input, their weights one matrix.

    The layers keep views of it, so that the model itself goes on working and nothing is held twice.
    On AMD F.linear reads a matrix at 9 GB/s for one row of fp32, a batch of 16 parts at 40; on Intel the parts take
    twice as long. For more rows, or in bf16, oneDNN does two to three times better with a copy in its order."""

    def __init__(self, *linears: nn.Linear, rows: int):
        weights = [linear.weight.detach() for linear in linears]
        self.weight = torch.cat(weights) if len(weights) > 1 else weights[0]
        for linear, part in zip(linears, self.weight.split([linear.out_features for linear in linears])):
            linear.weight = nn.Parameter(part, requires_grad=False)
        biases = [linear.bias.detach() for linear in linears if linear.bias is not None]
        self.bias = torch.cat(biases) if biases else None
        out, size = self.weight.shape
        cpu = self.weight.device.type == "cpu" and torch.backends.mkldnn.is_available()
        exact = self.weight.dtype == torch.float32
        intel = "Intel" in torch.cpu.get_capabilities().get("cpu_name", "")
        self.parts = self.weight.view(math.gcd(out, 16), -1, size) if cpu and exact and not intel else None
        bf16 = self.weight.dtype == torch.bfloat16 and cpu and torch.ops.mkldnn._is_mkldnn_bf16_supported()
        packs = cpu and (rows > 1 if exact else bf16)
        self.packed = torch.ops.mkldnn._reorder_linear_weight(self.weight, rows) if packs else None

    def __call__(self, x: Tensor) -> Tensor:
        if self.packed is not None:
            return torch.ops.mkldnn._linear_pointwise(x, self.packed, self.bias, "none", [], "")
        if self.parts is not None and len(x) == 1:
            y = torch.bmm(self.parts, x.t().expand(len(self.parts), -1, -1)).view(1, -1)
            return y if self.bias is None else y + self.bias
        return F.linear(x, self.weight, self.bias)


def attend(q: Tensor, keys: Tensor, values: Tensor, mask: Tensor) -> Tensor:
    """softmax(q k^T / sqrt(E) + mask) v of a batch of heads (Vaswani et al. 2017, eq. 1): q [B, N, E], keys and
    values [B, C, E], mask [B, N, C]. On a CPU the fused kernel is made for many rows, and rounds by the batch size."""
    if q.device.type == "cpu":
        return torch.bmm(torch.baddbmm(mask, q, keys.mT, alpha=q.shape[-1] ** -0.5).softmax(-1), values)
    return F.scaled_dot_product_attention(q[None], keys[None], values[None], attn_mask=mask[None])[0]


class Norm:
    """`RMSNorm` in half the operations: x / sqrt(mean(x^2) + eps) is sqrt(D) x / hypot(|x|, sqrt(D eps))."""

    def __init__(self, norm: "RMSNorm", *more: "RMSNorm"):  # several stand side by side, one for each head
        size, weight = len(norm.weight), norm.weight.detach()
        weight = torch.stack([each.weight.detach() for each in (norm, *more)]) if more else weight
        self.gain = weight.float() * math.sqrt(size)
        self.floor = torch.tensor(math.sqrt(size * norm.eps), device=weight.device)

    def __call__(self, x: Tensor) -> Tensor:
        wide = x.float()
        length = torch.hypot(torch.linalg.vector_norm(wide, dim=-1, keepdim=True), self.floor)
        return (wide * self.gain).div_(length).to(x.dtype)


class CachedModel:
    """A model and the keys and values of `slots` sequences, each up to the model's context. What lies behind a
    sequence's end has no weight, but has to be finite: 0 times NaN is NaN."""

    def __init__(self, model: "LanguageModel", slots: int):
        config = self.config = model.config
        self.slots, self.embedding, self.norm = slots, model.model.embed_tokens, Norm(model.model.norm)
        self.layers = []
        for layer in cast("list[Layer]", model.model.layers):
            attention, mlp = layer.self_attn, layer.mlp
            qkv = Product(attention.q_proj, attention.k_proj, attention.v_proj, rows=slots)
            first = (Norm(layer.input_layernorm), qkv, Product(attention.o_proj, rows=slots))
            gate_up, down = Product(mlp.gate_proj, mlp.up_proj, rows=slots), Product(mlp.down_proj, rows=slots)
            qk = cast("list[RMSNorm]", [attention.q_norm] * attention.heads + [attention.k_norm] * attention.kv_heads)
            norms = (Norm(*qk) if config.qk_norm else None, Norm(layer.post_attention_layernorm))
            self.layers.append((*first, *norms, gate_up, down))
        self.head = Product(model.lm_head, rows=slots)
        if config.tie_word_embeddings:
            self.embedding.weight = model.lm_head.weight
        length, dtype = config.max_position_embeddings, self.head.weight.dtype
        device = self.device = self.head.weight.device
        cos, sin = model.rotary(torch.arange(length, device=device)[None])
        sign = torch.ones(config.head_size, device=device)
        sign[: config.head_size // 2] = -1  # rotate-half subtracts in the first half
        self.cos, self.sin = cos[0, 0].to(dtype), (sin[0, 0] * sign).to(dtype)  # [C, E]
        shape = (len(self.layers), 2, slots, config.num_key_value_heads, length, config.head_size)
        # On a CPU attention in bf16 takes three to seven times as long as in fp32.
        self.cache = torch.zeros(shape, device=device, dtype=torch.float32 if device.type == "cpu" else dtype)

    def prefill(self, slot: int, ids: list[int], start: int) -> Tensor:
        """Read more of a slot's sequence, from position `start` on; the logits [1, V] that follow its last token."""
        end = start + len(ids)
        return self.head(self._forward(ids, torch.arange(start, end, device=self.device), [(slot, slot + 1, end)])[-1:])

    def decode(self, ids: list[int | None], positions: list[int]) -> Tensor:
        """One more token for each slot (None: an idle slot): logits [slots, V].

        Every call computes all slots in matrices of the same size, and attends in each slot over its own length,
        rounded up: what a sequence yields does not depend, bit for bit, on what the others do. On a CPU neighbours
        of the same rounded length attend in one batch, each an item of its own."""
        idle = self.config.max_position_embeddings - 1  # the one position that no sequence ever needs
        places = [idle if i is None else position for i, position in zip(ids, positions)]
        sizes = [None if i is None else min(p // BLOCK * BLOCK + BLOCK, idle + 1) for i, p in zip(ids, places)]
        last = next(filter(None, reversed(sizes)), 1)  # an idle slot goes with a busy one, and parts no neighbours
        sizes = [next(filter(None, sizes[slot:]), last) for slot in range(self.slots)]
        # Not on a GPU: its kernels may add up in another order in a batch of another size.
        runs = itertools.groupby(enumerate(sizes), key=lambda pair: pair[1] if self.device.type == "cpu" else pair)
        spans = [(run[0][0], run[-1][0] + 1, run[0][1]) for run in (list(run) for _, run in runs)]
        return self.head(self._forward([i or 0 for i in ids], torch.tensor(places, device=self.device), spans))

    def _forward(self, ids: list[int], positions: Tensor, spans: list[tuple[int, int, int]]) -> Tensor:
        """Final hidden states [N, D] of rows with these ids at these positions [N], equally many of each slot.

        spans: (first slot, last slot + 1, how much of their cache to read), in the order of the rows."""
        config = self.config
        H, K, E = config.num_attention_heads, config.num_key_value_heads, config.head_size
        N, C, device = len(ids), config.max_position_embeddings, self.device
        chosen = [slot for begin, end, _ in spans for slot in range(begin, end)]
        S, G, R = len(chosen), H // K, N // len(chosen)  # slots, query heads on one key-value head, rows of a slot
        cos, sin = self.cos[positions][:, None], self.sin[positions][:, None]  # [N, 1, E]
        # Where row n's key and value heads lie when a layer's cache is seen as a list of vectors [E].
        heads = torch.tensor(chosen, device=device).repeat_interleave(R)[:, None] * K + torch.arange(K, device=device)
        lines = (torch.cat((heads, heads + self.slots * K), dim=1) * C + positions[:, None]).flatten()
        views, counts = [], [end - begin for begin, end, _ in spans]
        for (begin, end, size), n, at in zip(spans, counts, positions.view(S, R).split(counts)):
            future = torch.arange(size, device=device) > at[:, None, None, :, None]  # [n, 1, 1, R, size]
            mask = torch.zeros_like(future, dtype=self.cache.dtype).masked_fill_(future, -math.inf)
            mask = mask.expand(n, K, G, R, size).reshape(n * K, G * R, size)
            keys, values = self.cache[:, :, begin:end, :, :size].flatten(2, 3).unbind(1)  # [L, nK, size, E]
            views.append((mask, keys, values))
        x = self.embedding(torch.tensor(ids, device=device))
        for i, (input_norm, qkv_proj, o_proj, qk_norm, post_norm, gate_up_proj, down_proj) in enumerate(self.layers):
            qkv = qkv_proj(input_norm(x)).view(N, H + 2 * K, E)
            qk = qkv[:, : H + K]
            if qk_norm is not None:
                qk.copy_(qk_norm(qk))
            torch.addcmul(qk * cos, qk.roll(E // 2, -1), sin, out=qk)
            qkv = qkv.to(self.cache.dtype)
            self.cache[i].view(-1, E)[lines] = qkv[:, H:].reshape(-1, E)
            q = qkv[:, :H].view(S, R, K, G, E).permute(0, 2, 3, 1, 4).reshape(S, K, G * R, E)
            parts = zip(q.split(counts), views)
            y = [attend(q.flatten(0, 1), keys[i], values[i], mask) for q, (mask, keys, values) in parts]  # [nK, GR, E]
            y = torch.cat(y).view(S, K, G, R, E).permute(0, 3, 1, 2, 4).reshape(N, H * E)
            x = x + o_proj(y.to(x.dtype))
            gate, up = gate_up_proj(post_norm(x)).chunk(2, dim=-1)
            x = x + down_proj(F.silu(gate).mul_(up))
        return self.norm(x)
