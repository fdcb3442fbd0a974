"""A decoder-only Transformer in the shape of LLaMA, written out: everything between token ids and logits.

    python model.py --config configs/base.json      # parameters and memory, without allocating them

The modules carry the names of Hugging Face's `LlamaForCausalLM`, so what `save` writes is that format
and no converter exists. Left out on purpose: mixture of experts, sliding windows, attention biases.

Shapes: B batch, T tokens, D hidden size, H / K query / key-value heads, E head size, V vocabulary,
L layers.
"""

import argparse
import dataclasses
import json
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from zerochat.pretrained import folder as weights


@dataclasses.dataclass
class ModelConfig:
    """The fields of Hugging Face's `LlamaConfig` that this model honours, and two of our own at the end."""

    vocab_size: int = 2048
    hidden_size: int = 256
    intermediate_size: int = 0  # 0: 8/3 of the hidden size, rounded up to a multiple of 32
    num_hidden_layers: int = 4
    num_attention_heads: int = 4
    num_key_value_heads: int = 0  # 0: as many as query heads
    max_position_embeddings: int = 512
    rope_theta: float = 10000.0
    rope_scaling: dict | None = None  # {"rope_type": "linear" or "llama3", ...}: see `rotary_frequencies`
    rms_norm_eps: float = 1e-5
    initializer_range: float = 0.02
    tie_word_embeddings: bool = True
    attention_dropout: float = 0.0
    hidden_dropout: float = 0.0  # ours: on what each block adds to the residual stream
    activation_checkpointing: bool = False  # ours: recompute each layer in the backward pass

    def __post_init__(self):
        self.num_key_value_heads = self.num_key_value_heads or self.num_attention_heads
        self.intermediate_size = self.intermediate_size or -(-8 * self.hidden_size // 3 // 32) * 32
        if self.hidden_size % self.num_attention_heads:
            raise ValueError(
                f"model.hidden_size {self.hidden_size} is not a multiple of "
                f"model.num_attention_heads {self.num_attention_heads}"
            )
        if self.num_attention_heads % self.num_key_value_heads:
            raise ValueError(
                f"model.num_attention_heads {self.num_attention_heads} is not a multiple of "
                f"model.num_key_value_heads {self.num_key_value_heads}"
            )
        if self.head_size % 2:
            raise ValueError(
                f"head size {self.head_size} (model.hidden_size {self.hidden_size} / "
                f"model.num_attention_heads {self.num_attention_heads}) is odd; "
                "the rotary embedding needs an even one"
            )
        if self.rope_scaling is not None:
            kind = self.rope_scaling.get("rope_type") if isinstance(self.rope_scaling, dict) else self.rope_scaling
            if kind not in ROPE_SCALING:
                raise ValueError(f"rope_scaling of type {kind!r} is not supported, only {' and '.join(ROPE_SCALING)}")
            if missing := [key for key in ROPE_SCALING[kind] if key not in self.rope_scaling]:
                raise ValueError(f"rope_scaling of type {kind!r} needs {', '.join(missing)}")

    @property
    def head_size(self) -> int:
        return self.hidden_size // self.num_attention_heads


ROPE_SCALING = {
    "linear": ("factor",),
    "llama3": ("factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings"),
}
TRAINING_FIELDS = ("attention_dropout", "hidden_dropout", "activation_checkpointing")


class RMSNorm(nn.Module):
    """x / sqrt(mean(x^2) + eps) * weight, the mean in fp32 (Zhang & Sennrich 2019, eq. 4)."""

    def __init__(self, size: int, eps: float):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x.float(), (x.shape[-1],), eps=self.eps).to(x.dtype) * self.weight


def rotary_frequencies(head_size: int, theta: float, scaling: dict | None = None, device=None) -> Tensor:
    """Radians per position of each of the E/2 planes: theta^(-2i/E) (Su et al. 2021, section 3.2.2), fp32.

    scaling, for contexts longer than those of pretraining: "linear" slows all of them down (Chen et al. 2023);
    "llama3" only those of long wavelength, and blends in between (Llama Team 2024; its released code).
    """
    frequencies = theta ** (-torch.arange(0, head_size, 2, device=device).float() / head_size)
    if scaling is None:
        return frequencies
    slowed = frequencies / scaling["factor"]
    if scaling["rope_type"] == "linear":
        return slowed
    turns = scaling["original_max_position_embeddings"] * frequencies / (2 * math.pi)  # within the old context
    low, high = scaling["low_freq_factor"], scaling["high_freq_factor"]
    kept = ((turns - low) / (high - low)).clamp(0, 1)
    return kept * frequencies + (1 - kept) * slowed


def rotary_tables(
    positions: Tensor, head_size: int, theta: float, scaling: dict | None = None
) -> tuple[Tensor, Tensor]:
    """Cosines and sines of every position's angles (Su et al. 2021, eq. 15).

    positions [B, T] -> two [B, 1, T, E] in fp32. Built anew in each forward pass: a buffer would be
    rounded when DeepSpeed casts the model to half precision, and angles near 500 cannot stand that.
    """
    frequencies = rotary_frequencies(head_size, theta, scaling, positions.device)
    angles = positions[:, None, :, None].float() * frequencies
    angles = torch.cat((angles, angles), dim=-1)
    return angles.cos(), angles.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn each pair (x[i], x[i + E/2]) by its position's angle: LLaMA's rotate-half layout. x [B, H, T, E]."""
    first, second = x.chunk(2, dim=-1)
    return x * cos + torch.cat((-second, first), dim=-1) * sin


class Attention(nn.Module):
    """Causal self-attention in which H/K query heads share a key-value head (Ainslie et al. 2023)."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        D, E = config.hidden_size, config.head_size
        self.heads, self.kv_heads, self.head_size = config.num_attention_heads, config.num_key_value_heads, E
        self.dropout = config.attention_dropout
        self.q_proj = nn.Linear(D, self.heads * E, bias=False)
        self.k_proj = nn.Linear(D, self.kv_heads * E, bias=False)
        self.v_proj = nn.Linear(D, self.kv_heads * E, bias=False)
        self.o_proj = nn.Linear(self.heads * E, D, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor | None) -> Tensor:
        B, T, _ = x.shape
        q = self.q_proj(x).view(B, T, self.heads, self.head_size).transpose(1, 2)  # [B, H, T, E]
        k = self.k_proj(x).view(B, T, self.kv_heads, self.head_size).transpose(1, 2)  # [B, K, T, E]
        v = self.v_proj(x).view(B, T, self.kv_heads, self.head_size).transpose(1, 2)
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        y = F.scaled_dot_product_attention(
            q,
            k,
            v,
            attn_mask=mask,
            is_causal=mask is None,
            enable_gqa=self.heads != self.kv_heads,
            dropout_p=self.dropout if self.training else 0.0,
        )
        return self.o_proj(y.transpose(1, 2).reshape(B, T, -1))


class MLP(nn.Module):
    """down(silu(gate(x)) * up(x)): SwiGLU (Shazeer 2020)."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.gate_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.up_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.down_proj = nn.Linear(config.intermediate_size, config.hidden_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    """x + attention(norm(x)), then x + mlp(norm(x)): pre-normalised residual blocks."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.input_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.self_attn = Attention(config)
        self.post_attention_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.mlp = MLP(config)
        self.dropout = nn.Dropout(config.hidden_dropout)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor | None) -> Tensor:
        x = x + self.dropout(self.self_attn(self.input_layernorm(x), cos, sin, mask))
        return x + self.dropout(self.mlp(self.post_attention_layernorm(x)))


class Decoder(nn.Module):
    """Embedding, layers, final norm: token ids [B, T] -> hidden states [B, T, D]."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.num_hidden_layers))
        self.norm = RMSNorm(config.hidden_size, config.rms_norm_eps)


def document_layout(ids: Tensor, bos_id: int) -> tuple[Tensor, Tensor | None]:
    """Positions and attention mask of packed rows, read off the `<s>` that opens every document.

    ids [B, T] -> positions [B, T], counted from each document's start, and a mask [B, 1, T, T] that is
    true where a query (third axis) may look at a key (fourth). Row `<s> a b <s> c`:

        document 1 1 1 2 2        <s> 1 . . . .
        position 0 1 2 0 1        a   1 1 . . .
                                  b   1 1 1 . .
                                  <s> . . . 1 .
                                  c   . . . 1 1

    The mask is None where plain causal attention says the same, since the fused kernels are faster without.
    """
    opens = ids == bos_id
    documents = opens.cumsum(dim=1)
    index = torch.arange(ids.shape[1], device=ids.device)
    start = torch.where(opens, index, 0).cummax(dim=1).values
    if not bool(opens[:, 1:].any()):
        return index - start, None
    causal = index[:, None] >= index[None, :]
    return index - start, (documents[:, None, :, None] == documents[:, None, None, :]) & causal


class LanguageModel(nn.Module):
    """The Transformer with its vocabulary head.

    `forward(ids)` gives logits; `forward(ids, loss_mask)` the summed loss that training differentiates.
    Generation, with its cache of keys and values, has a forward pass of its own in `decode.py`.
    """

    def __init__(self, config: ModelConfig, bos_id: int = 1):
        super().__init__()
        self.config, self.bos_id = config, bos_id
        self.model = Decoder(config)
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        if config.tie_word_embeddings:
            self.lm_head.weight = self.model.embed_tokens.weight
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2 and not parameter.is_meta:
                # The residual stream sums 2L branches; scaling them keeps its variance (GPT-2, section 2.3).
                branch_end = name.endswith(("o_proj.weight", "down_proj.weight"))
                scale = 1 / math.sqrt(2 * config.num_hidden_layers) if branch_end else 1.0
                nn.init.normal_(parameter, std=config.initializer_range * scale)

    def forward(self, ids: Tensor, loss_mask: Tensor | None = None) -> Tensor:
        """
        ids        [B, T] token ids; packed documents each open with `<s>`.
        loss_mask  [B, T] true where a token is supervised, that is, predicted from those before it.
        Returns logits [B, T, V] in the model's dtype, or with loss_mask the sum of -ln p over the
        supervised tokens, a scalar in fp32 (nats). The first token of a row is never predicted.
        """
        config = self.config
        if ids.shape[1] > config.max_position_embeddings:
            raise ValueError(f"{ids.shape[1]} tokens do not fit the context of {config.max_position_embeddings}")
        positions, mask = document_layout(ids, self.bos_id)

        x = self.model.embed_tokens(ids)
        tables = rotary_tables(positions, config.head_size, config.rope_theta, config.rope_scaling)
        cos, sin = (table.to(x.dtype) for table in tables)
        for layer in self.model.layers:
            if config.activation_checkpointing and self.training:
                x = checkpoint(layer, x, cos, sin, mask, use_reentrant=False)
            else:
                x = layer(x, cos, sin, mask)
        x = self.model.norm(x)
        if loss_mask is None:
            return self.lm_head(x)
        # Only supervised positions reach the vocabulary: in SFT that spares half of the largest matmul.
        supervised = loss_mask[:, 1:].bool()
        logits = self.lm_head(x[:, :-1][supervised])
        return F.cross_entropy(logits.float(), ids[:, 1:][supervised], reduction="sum")

    def parameter_groups(self) -> list[dict]:
        """Weight decay for matrices only: pulling a norm's gain towards zero has no justification."""
        trained = [(name, p) for name, p in self.named_parameters() if p.requires_grad]
        matrices = [p for name, p in trained if not name.endswith("norm.weight")]  # ZeRO-3 has taken the dimensions
        vectors = [p for name, p in trained if name.endswith("norm.weight")]
        return [{"params": matrices}, {"params": vectors, "weight_decay": 0.0}]


def save(folder: str, config: ModelConfig, state: dict[str, Tensor], special_ids: dict[str, int]) -> None:
    """Write `config.json`, `generation_config.json` and the weights as safetensors, in the Llama layout.

    state: parameter name -> tensor; special_ids: `bos_token_id`, `pad_token_id` and, as `eos_token_id`,
    what ends an answer.
    """
    public = {key: value for key, value in dataclasses.asdict(config).items() if key not in TRAINING_FIELDS}
    public |= {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_act": "silu",
        "attention_bias": False,
        "mlp_bias": False,
        "head_dim": config.head_size,
        "torch_dtype": str(next(iter(state.values())).dtype).removeprefix("torch."),
        **special_ids,
    }
    if config.tie_word_embeddings:
        state = {name: tensor for name, tensor in state.items() if name != "lm_head.weight"}
    weights.write(
        folder,
        state,
        {
            "config.json": public,
            "generation_config.json": {**special_ids, "max_length": config.max_position_embeddings},
        },
    )


def read_config(folder: str, **changes) -> tuple[ModelConfig, int]:
    """The shape that a Llama folder's config.json describes, with `changes`, and its `<s>`."""
    raw = weights.read_config(folder)
    known = {field.name for field in dataclasses.fields(ModelConfig)}
    try:
        config = ModelConfig(**{key: value for key, value in raw.items() if key in known} | changes)
    except ValueError as error:
        raise ValueError(f"{folder}/config.json: {error}") from None
    return config, raw.get("bos_token_id", 1)


def open_weights(folder: str) -> weights.Weights:
    """The tensors of a Llama folder, not yet read; ValueError naming what is missing or misfits its config.json."""
    config, source = read_config(folder)[0], weights.Weights(folder)
    with torch.device("meta"):
        source.check({name: list(tensor.shape) for name, tensor in LanguageModel(config).named_parameters()})
    return source


def load(
    folder: str,
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
    *,
    vocab_size: int | None = None,
    partitioned=None,
    **training,
) -> LanguageModel:
    """The model of a Llama folder, ready to evaluate; ValueError as from `open_weights`.

    Each tensor is read, cast and placed before the next, so nothing lies in memory twice.
    vocab_size: grow the embedding and the head to so many rows; a new row is the mean of the old ones.
    partitioned: two context managers, one to build the model in and one around the filling of a parameter,
    by which each rank keeps only its share of the weights (ZeRO-3's `Init` and `GatheredParameters`).
    training: values for fields that matter in training only, such as `hidden_dropout`.
    """
    (config, bos_id), source = read_config(folder, **training), open_weights(folder)
    config = dataclasses.replace(config, vocab_size=max(config.vocab_size, vocab_size or 0))
    build, fill = partitioned or (torch.device("meta"), None)
    with build:
        model = LanguageModel(config, bos_id)
    for name, parameter in list(model.named_parameters()):
        tensor = source.read[name]()
        if name in ("model.embed_tokens.weight", "lm_head.weight") and len(tensor) < config.vocab_size:
            mean = tensor.float().mean(dim=0, keepdim=True).to(tensor.dtype)
            tensor = torch.cat((tensor, mean.expand(config.vocab_size - len(tensor), -1)))
        if fill:
            with fill(parameter):
                parameter.data.copy_(tensor)
        else:
            owner, _, leaf = name.rpartition(".")
            setattr(model.get_submodule(owner), leaf, nn.Parameter(tensor.to(device, dtype)))
    if config.tie_word_embeddings:
        model.lm_head.weight = model.model.embed_tokens.weight
    return model.eval()


def count_parameters(config: ModelConfig) -> int:
    """Parameters of a model of this shape, a tied head counted once; nothing is allocated."""
    with torch.device("meta"):
        return sum(p.numel() for p in LanguageModel(config).parameters())


def memory_per_gpu(
    parameters: int, zero_stage: int, ranks: int, offload: bool, trained: int | None = None
) -> dict[str, float]:
    """Bytes of model state a rank holds in mixed-precision Adam training (Rajbhandari et al. 2020, section 3.1):
    2 per half-precision weight and, per weight that is trained (all, unless adapters are), 2 for the gradient and 12
    for the fp32 master and both Adam moments. ZeRO 1, 2, 3 divide the last, the last two, all three by the number of
    ranks; offload moves the 12 to the host.
    """
    trained = parameters if trained is None else trained
    weights, gradients, optimizer = 2.0 * parameters, 2.0 * trained, 12.0 * trained
    optimizer /= ranks if zero_stage >= 1 else 1
    gradients /= ranks if zero_stage >= 2 else 1
    weights /= ranks if zero_stage >= 3 else 1
    gpu = weights + gradients + (0 if offload else optimizer)
    return {"gpu": gpu, "host": optimizer if offload else 0.0}


def main(argv=None) -> None:
    parser = argparse.ArgumentParser(description="print a config's parameter count and model-state memory")
    parser.add_argument("--config", required=True)
    parser.add_argument("--ranks", type=int, nargs="+", default=[1, 8, 64])
    parser.add_argument("--init-from", metavar="DIR", help="the shape of this folder; default: the config's")
    parser.add_argument(
        "--lora", type=int, default=0, metavar="RANK", help="train adapters, and a vocabulary that grew"
    )
    args = parser.parse_args(argv)
    with open(args.config, encoding="utf-8") as file:
        raw = json.load(file)
    start = args.init_from or raw["stages"][0].get("init_from")
    try:
        own = {"vocab_size": raw["tokenizer"].get("vocab_size", 0), **raw["model"]}
        config = read_config(start)[0] if start else ModelConfig(**own)
    except ValueError as error:
        raise SystemExit(f"error: {error}") from None
    zero = raw["deepspeed"].get("zero_optimization", {})
    stage, offload = zero.get("stage", 0), "offload_optimizer" in zero
    parameters, trained = count_parameters(config), None
    print(f"{parameters:,} parameters, ZeRO-{stage}{' with the optimizer on the host' if offload else ''}")
    if args.lora:
        with torch.device("meta"):
            matrices = [m for m in LanguageModel(config).model.modules() if isinstance(m, nn.Linear)]
        vocabulary = config.vocab_size * config.hidden_size * (1 if config.tie_word_embeddings else 2)
        adapters = args.lora * sum(m.in_features + m.out_features for m in matrices)
        print(f"trained: {adapters:,} in adapters of rank {args.lora}, {vocabulary:,} in embedding and head")
        parameters, trained = parameters + adapters, adapters + vocabulary
    for ranks in args.ranks:
        memory = memory_per_gpu(parameters, stage, ranks, offload, trained)
        print(
            f"  {ranks:3d} ranks: {memory['gpu'] / 2**30:7.2f} GiB per GPU, {memory['host'] / 2**30:7.2f} GiB "
            "host per rank, plus activations"
        )


if __name__ == "__main__":
    main()
