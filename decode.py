"""The forward pass of generation: one model, the keys and values of several sequences, a few rows at a time.

`model.py` is the definition, this is the same arithmetic for a handful of rows, where a training step's way of
writing it would spend its time on reading matrices badly and on starting operations; a test holds both to the same
logits. Matrices that read the same input are one, stored [in, out], because a product with one row then
streams through memory: on a CPU the vocabulary head of 32,000 x 288 takes 1.6 ms instead of 4.3.

Shapes: N rows, each one token of one sequence; C cache length; the rest as in `model.py`.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model import LanguageModel, rotary_tables


def merge(*linears: nn.Linear) -> Tensor:
    """The weights of linear layers side by side, [in, sum of out]; the layers keep views of it, no copy."""
    merged = torch.cat([linear.weight.detach() for linear in linears]).t().contiguous()
    for linear, part in zip(linears, merged.split([linear.out_features for linear in linears], dim=1)):
        linear.weight = nn.Parameter(part.t(), requires_grad=False)
    return merged


class CachedModel:
    """A model and the keys and values of `slots` sequences, each up to the model's context.

    What lies behind a sequence's end is never attended to, so a slot is freed by forgetting its length.
    """

    def __init__(self, model: LanguageModel, slots: int):
        config = self.config = model.config
        self.slots, self.embedding, self.norm = slots, model.model.embed_tokens, model.model.norm.weight
        self.layers = [(layer.input_layernorm.weight,
                        merge(layer.self_attn.q_proj, layer.self_attn.k_proj, layer.self_attn.v_proj),
                        merge(layer.self_attn.o_proj),
                        layer.post_attention_layernorm.weight,
                        merge(layer.mlp.gate_proj, layer.mlp.up_proj),
                        merge(layer.mlp.down_proj)) for layer in model.model.layers]
        self.head = merge(model.lm_head)
        if config.tie_word_embeddings:
            self.embedding.weight = model.lm_head.weight
        length = config.max_position_embeddings
        device, dtype = self.head.device, self.head.dtype
        cos, sin = rotary_tables(torch.arange(length, device=device)[None], config.head_size, config.rope_theta)
        sign = torch.ones(config.head_size, device=device)
        sign[:config.head_size // 2] = -1  # rotate-half subtracts in the first half
        self.cos, self.sin = cos[0, 0].to(dtype), (sin[0, 0] * sign).to(dtype)  # [C, E]
        # On a CPU attention of one query in bf16 takes three to seven times as long as in fp32.
        self.cache = torch.zeros((len(self.layers), slots, 2 * config.num_key_value_heads, length, config.head_size),
                                 device=device, dtype=torch.float32 if device.type == "cpu" else dtype)
        keys, values = self.cache.chunk(2, dim=2)
        shared = config.num_attention_heads // config.num_key_value_heads  # query heads on one key-value head
        self.keys, self.values = (t[:, :, :, None].expand(-1, -1, -1, shared, -1, -1) for t in (keys, values))

    def prefill(self, slot: int, ids: list[int], start: int) -> Tensor:
        """Read more of a slot's sequence, from position `start` on; the logits [1, V] that follow its last token."""
        end = start + len(ids)
        positions = torch.arange(start, end, device=self.head.device)
        mask = positions[:, None] >= torch.arange(end, device=self.head.device)  # [N, end]
        return self._forward(ids, [slot] * len(ids), positions, [(slot, end)], mask)[-1:] @ self.head

    def decode(self, ids: list[int | None], positions: list[int]) -> Tensor:
        """One more token for each slot (None: an idle slot): logits [slots, V].

        Every call computes all slots in matrices of the same size, and attends in each slot alone, over
        exactly its length: what a sequence yields does not depend, bit for bit, on what the others do.
        """
        idle = self.config.max_position_embeddings - 1  # the one position that no sequence ever needs
        spans = [(slot, 1 if i is None else position + 1) for slot, (i, position) in enumerate(zip(ids, positions))]
        places = torch.tensor([idle if i is None else p for i, p in zip(ids, positions)], device=self.head.device)
        return self._forward([i or 0 for i in ids], range(self.slots), places, spans, None) @ self.head

    def _forward(self, ids, slots, positions: Tensor, spans: list, mask: Tensor | None) -> Tensor:
        """Final hidden states [N, D] of rows in these slots at these positions [N].

        spans: for each sequence, in the order of the rows, (slot, length to attend over); with a mask [N, length]
        all rows belong to one.
        """
        config = self.config
        H, K, E = config.num_attention_heads, config.num_key_value_heads, config.head_size
        N, device, D = len(ids), self.head.device, config.hidden_size
        cos, sin = self.cos[positions][:, None], self.sin[positions][:, None]  # [N, 1, E]
        # Where row n's key and value heads lie when a layer's cache is seen as a list of vectors [E].
        lines = (torch.tensor(slots, device=device)[:, None] * 2 * K + torch.arange(2 * K, device=device))
        lines = (lines * config.max_position_embeddings + positions[:, None]).flatten()
        keys, values = ([store[:, slot, :, :, :end].unbind() for slot, end in spans]  # of each span and layer
                        for store in (self.keys, self.values))
        x = self.embedding(torch.tensor(ids, device=device))
        for i, (input_norm, qkv_proj, o_proj, post_norm, gate_up_proj, down_proj) in enumerate(self.layers):
            qkv = (F.rms_norm(x, (D,), input_norm, config.rms_norm_eps) @ qkv_proj).view(N, H + 2 * K, E)
            qk = qkv[:, :H + K]
            torch.addcmul(qk * cos, qk.roll(E // 2, -1), sin, out=qk)
            qkv = qkv.to(self.cache.dtype)
            self.cache[i].view(-1, E).index_copy_(0, lines, qkv[:, H:].reshape(-1, E))
            queries = qkv[:, :H].view(len(spans), -1, K, H // K, E).permute(0, 2, 3, 1, 4).unbind()  # [K, H/K, rows, E]
            y = [F.scaled_dot_product_attention(q, k[i], v[i], attn_mask=mask)
                 for q, k, v in zip(queries, keys, values)]
            y = torch.cat(y, dim=2).permute(2, 0, 1, 3).reshape(N, H * E)
            x = torch.addmm(x, y.to(x.dtype), o_proj)
            gate, up = (F.rms_norm(x, (D,), post_norm, config.rms_norm_eps) @ gate_up_proj).chunk(2, dim=-1)
            x = torch.addmm(x, F.silu(gate).mul_(up), down_proj)
        return F.rms_norm(x, (D,), self.norm, config.rms_norm_eps)
