"""A decoder-only Transformer in the shape of LLaMA, written out: everything between token ids and logits.

    model = LanguageModel.load("out/small")
    logits, loss = model(ids), model(ids, mask)     # [B, T, V], and the sum that training differentiates

The modules carry the names of Hugging Face's `LlamaForCausalLM`, with biases those of Qwen2, with norms of heads those
of Qwen3, and `save` writes that format. Left out: mixture of experts, sliding windows; `zerochat/generation` generates.

Shapes: B batch, T tokens, D hidden size, H / K query / key-value heads, E head size, V vocabulary, L layers."""

import dataclasses
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from zerochat.preparation.packing import OPENS, SUPERVISED
from zerochat.pretrained import folder as model_folder
from zerochat.pretrained import rope


@dataclasses.dataclass
class ModelConfig:
    """The fields of Hugging Face's `LlamaConfig` that this model honours, and four of our own at the end."""

    vocab_size: int = 2048
    hidden_size: int = 256
    intermediate_size: int = 0  # 0: 8/3 of the hidden size, rounded up to a multiple of 32
    num_hidden_layers: int = 4
    num_attention_heads: int = 4
    num_key_value_heads: int = 0  # 0: as many as query heads
    head_dim: int = 0  # 0: hidden size / query heads
    max_position_embeddings: int = 512
    rope_theta: float = 10000.0
    rope_scaling: dict | None = None  # {"rope_type": "linear" or "llama3", ...}: see zerochat/pretrained/rope.py
    rms_norm_eps: float = 1e-5
    initializer_range: float = 0.02
    tie_word_embeddings: bool = True
    attention_dropout: float = 0.0
    qkv_bias: bool = False  # ours: queries, keys and values with biases, as in Qwen2
    qk_norm: bool = False  # ours: each head's query and key normalised, as in Qwen3
    hidden_dropout: float = 0.0  # ours: on what each block adds to the residual stream
    activation_checkpointing: bool = False  # ours: recompute each layer in the backward pass

    def __post_init__(self):
        self.num_key_value_heads = self.num_key_value_heads or self.num_attention_heads
        self.intermediate_size = self.intermediate_size or -(-8 * self.hidden_size // 3 // 32) * 32
        model_folder.check_shape(self)

    @property
    def head_size(self) -> int:
        return self.head_dim or self.hidden_size // self.num_attention_heads

    @classmethod
    def read(cls, folder: str, **changes) -> "ModelConfig":
        """The shape that a model folder's config.json describes, with `changes`."""
        raw = model_folder.read_config(folder)
        known = {field.name for field in dataclasses.fields(cls)} - set(TRAINING_FIELDS)
        try:
            return cls(**{key: value for key, value in raw.items() if key in known} | changes)
        except ValueError as error:
            raise ValueError(f"{folder}/config.json: {error}") from None


TRAINING_FIELDS = ("attention_dropout", "hidden_dropout", "activation_checkpointing")  # no part of a model's shape
MOST_LOGITS = 2**27  # held at once, 512 MiB in fp32; where there are more, the loss is computed in pieces
CACHED_LOGITS = 2**20  # of these in fp32 at a time on a CPU: its cache holds them, and memory fewer copies


class RMSNorm(nn.Module):
    """x / sqrt(mean(x^2) + eps) * weight, the mean in fp32 (Zhang & Sennrich 2019, eq. 4)."""

    def __init__(self, size: int, eps: float):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x.float(), (x.shape[-1],), eps=self.eps).to(x.dtype) * self.weight


def rotary_frequencies(config: ModelConfig, device=None) -> Tensor:
    """Radians per position of each of the E/2 planes: theta^(-2i/E) (Su et al. 2021, section 3.2.2), fp32."""
    pairs = torch.arange(0, config.head_size, 2, device=device).float()
    frequencies = config.rope_theta ** (-pairs / config.head_size)
    return rope.scaled(frequencies, config.rope_scaling) if config.rope_scaling else frequencies


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn each pair (x[i], x[i + E/2]) by its position's angle: LLaMA's rotate-half layout. x [B, H, T, E]."""
    first, second = x.chunk(2, dim=-1)
    return x * cos + torch.cat((-second, first), dim=-1) * sin


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, dropout: float = 0.0) -> Tensor:
    """softmax(q k^T / sqrt(E) + mask) v (Vaswani et al. 2017, eq. 1) of q [B, H, T, E], k and v [B, K, T, E].
    In half precision on a CPU plain products are faster than the fused kernel (benchmarks/attention.py): those of a
    block of queries with the keys up to its end (later ones lie in the future): its scores fit the CPU's cache."""
    (B, H, T, E), K = q.shape, k.shape[1]
    if q.device.type != "cpu" or q.dtype == torch.float32:
        return F.scaled_dot_product_attention(q, k, v, mask, dropout, is_causal=mask is None, enable_gqa=H != K)
    mask = torch.ones(1, 1, T, T, dtype=torch.bool).tril() if mask is None else mask
    bias = torch.zeros_like(mask, dtype=q.dtype).masked_fill_(~mask, -math.inf)
    q, blocks, size = (q * E**-0.5).view(B, K, H // K, T, E), [], max(128, T // 4)
    for begin in range(0, T, size):
        end = min(begin + size, T)
        rows = q[..., begin:end, :].reshape(B * K, -1, E)  # all query heads of a key-value head
        scores = torch.bmm(rows, k[:, :, :end].flatten(0, 1).mT).view(B, H, -1, end) + bias[..., begin:end, :end]
        weights = F.dropout(scores.softmax(-1), dropout).view(B * K, -1, end)
        blocks.append(torch.bmm(weights, v[:, :, :end].flatten(0, 1)).view(B, H, -1, E))
    return torch.cat(blocks, dim=2)


class Attention(nn.Module):
    """Causal self-attention in which H/K query heads share a key-value head (Ainslie et al. 2023)."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        D, E = config.hidden_size, config.head_size
        self.heads, self.kv_heads, self.head_size = config.num_attention_heads, config.num_key_value_heads, E
        self.dropout = config.attention_dropout
        self.q_proj = nn.Linear(D, self.heads * E, bias=config.qkv_bias)
        self.k_proj = nn.Linear(D, self.kv_heads * E, bias=config.qkv_bias)
        self.v_proj = nn.Linear(D, self.kv_heads * E, bias=config.qkv_bias)
        self.o_proj = nn.Linear(self.heads * E, D, bias=False)
        self.q_norm, self.k_norm = (RMSNorm(E, config.rms_norm_eps) if config.qk_norm else nn.Identity() for _ in "qk")

    def project(self, x: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries [B, H, T, E], keys and values [B, K, T, E] of x [B, T, D]; the first two are rotated by position."""
        q, k, v = (proj(x).unflatten(-1, (-1, self.head_size)) for proj in (self.q_proj, self.k_proj, self.v_proj))
        q, k, v = self.q_norm(q).transpose(1, 2), self.k_norm(k).transpose(1, 2), v.transpose(1, 2)
        return rotate(q, cos, sin), rotate(k, cos, sin), v

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor | None) -> Tensor:
        """Attention of x [B, T, D] to itself, projected back to [B, T, D]; mask as `document_layout` has it."""
        y = attend(*self.project(x, cos, sin), mask, self.dropout if self.training else 0.0)
        return self.o_proj(y.transpose(1, 2).flatten(2))


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
    """Embedding, layers, final norm. They lie one module deeper, in `model.model`, as in Hugging Face's layout."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.num_hidden_layers))
        self.norm = RMSNorm(config.hidden_size, config.rms_norm_eps)


def document_layout(opens: Tensor) -> tuple[Tensor, Tensor | None]:
    """Positions and attention mask of packed rows, told by where documents open.

    opens [B, T], true at each document's first token (a row's own may be unset) -> positions [B, T], counted there,
    and a mask [B, 1, T, T] that is true where a query (third axis) may look at a key (fourth). Row `<s> a b <s> c`:

        document 1 1 1 2 2        <s> 1 . . . .
        position 0 1 2 0 1        a   1 1 . . .
                                  b   1 1 1 . .
                                  <s> . . . 1 .
                                  c   . . . 1 1

    The mask is None where plain causal attention says the same, since the fused kernels are faster without."""
    documents = opens.cumsum(dim=1)
    index = torch.arange(opens.shape[1], device=opens.device)
    start = torch.where(opens, index, 0).cummax(dim=1).values
    if not bool(opens[:, 1:].any()):
        return index - start, None
    causal = index[:, None] >= index[None, :]
    return index - start, (documents[:, None, :, None] == documents[:, None, None, :]) & causal


class LanguageModel(nn.Module):
    """The Transformer with its vocabulary head: p(w_1 .. w_T) = product of p(w_t | w_1 .. w_t-1)."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = config
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
            elif name.endswith(".bias"):
                nn.init.zeros_(parameter)

    def rotary(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        """Positions [B, T] -> cosines and sines of their angles, [B, 1, T, E] in fp32 (Su et al. 2021, eq. 15). Anew in
        each pass: DeepSpeed would round a buffer of angles to half precision; hundreds of radians cannot stand that."""
        angles = positions[:, None, :, None].float() * rotary_frequencies(self.config, positions.device)
        angles = torch.cat((angles, angles), dim=-1)
        return angles.cos(), angles.sin()

    def forward(self, ids: Tensor, mask: Tensor | None = None) -> Tensor:
        """Without a mask: logits [B, T, V] of ids [B, T] in the model's dtype, one document a row. With one: the sum of
        -ln p over the supervised tokens, each predicted from those before it in its document: a scalar in fp32 (nats).
        mask [B, T]: 1 where a token is supervised, 2 where it opens a document (which no token predicts), else 0."""
        config = self.config
        if ids.shape[1] > config.max_position_embeddings:
            raise ValueError(f"{ids.shape[1]} tokens do not fit the context of {config.max_position_embeddings}")
        opens = torch.zeros_like(ids, dtype=torch.bool) if mask is None else mask == OPENS
        positions, attention = document_layout(opens)

        x = self.model.embed_tokens(ids)
        cos, sin = (table.to(x.dtype) for table in self.rotary(positions))
        for layer in self.model.layers:
            if config.activation_checkpointing and self.training:
                x = checkpoint(layer, x, cos, sin, attention, use_reentrant=False)
            else:
                x = layer(x, cos, sin, attention)
        x = self.model.norm(x)
        if mask is None:
            return self.lm_head(x)
        # Only positions before a supervised token reach the vocabulary: in SFT that spares half of the largest product.
        supervised = mask[:, 1:] == SUPERVISED
        x, targets = x[:, :-1][supervised], ids[:, 1:][supervised]
        pieces = math.ceil(supervised.numel() * config.vocab_size / MOST_LOGITS)  # from shapes: all ranks agree
        if pieces <= 1:
            return self.nats(x, targets)
        pairs = zip(x.tensor_split(pieces), targets.tensor_split(pieces))
        return sum(checkpoint(self.nats, *pair, use_reentrant=False) for pair in pairs)

    def nats(self, x: Tensor, targets: Tensor) -> Tensor:
        """The sum of -ln p(target), in fp32, for final hidden states x [N, D] and targets [N]."""
        rows = max(1, CACHED_LOGITS // self.config.vocab_size if x.device.type == "cpu" else len(x))
        parts = zip(self.lm_head(x).split(rows), targets.split(rows))
        return torch.stack([F.cross_entropy(logits.float(), target, reduction="sum") for logits, target in parts]).sum()

    def parameter_groups(self) -> list[dict]:
        """Weight decay for matrices only: pulling a norm's gain or a bias towards zero has no justification."""
        trained = [(name, p) for name, p in self.named_parameters() if p.requires_grad]
        vector = ("norm.weight", ".bias")  # not by dimension: ZeRO-3 flattens
        matrices = [p for name, p in trained if not name.endswith(vector)]
        vectors = [p for name, p in trained if name.endswith(vector)]
        return [{"params": matrices}, {"params": vectors, "weight_decay": 0.0}]

    @classmethod
    def load(cls, folder: str, device=None, dtype=torch.float32, *, vocab_size=0, partitioned=None, **training):
        """The model of a Llama folder, ready to evaluate; ValueError naming what is missing or misfits its config.json.

        device: None is the GPU where there is one. vocab_size: grow the embedding and the head to so many rows.
        partitioned: see zerochat.training.engine.partitioned. training: TRAINING_FIELDS."""
        device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        shape, weights = ModelConfig.read(folder, **training), open_weights(folder)
        config = dataclasses.replace(shape, vocab_size=max(shape.vocab_size, vocab_size))
        with partitioned[0] if partitioned else torch.device("meta"):
            model = cls(config)
        model_folder.fill(model, weights, device, dtype, partitioned and partitioned[1])
        return model.eval()


def open_weights(folder: str) -> model_folder.Weights:
    """The tensors of a Llama folder, not read yet; ValueError where they are not those its config.json describes."""
    config, weights = ModelConfig.read(folder), model_folder.Weights(folder)
    with torch.device("meta"):
        weights.check({name: list(tensor.shape) for name, tensor in LanguageModel(config).named_parameters()})
    return weights


def save(folder: str, config: ModelConfig, state: dict[str, Tensor], special_ids: dict) -> None:
    """Write `config.json`, `generation_config.json` and the weights as safetensors, in the Llama layout.

    state: parameter name -> tensor; special_ids: `bos_token_id`, `pad_token_id`, `eos_token_id` (all ends)."""
    shape = {key: value for key, value in dataclasses.asdict(config).items() if key not in TRAINING_FIELDS}
    model_folder.write(folder, {**shape, "head_dim": config.head_size}, state, special_ids)
