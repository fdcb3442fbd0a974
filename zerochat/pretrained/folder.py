"""Model folders of the Llama family on disk: the dialects of their config.json, and tensors in one file or many.

Read, in this order: `model.safetensors`, its index and shards, `pytorch_model.bin`, its index, `checkpoint.pth`.
Safetensors are mapped into memory and read one tensor at a time; a pickle only with `weights_only=True`, which
runs no code. Written: safetensors alone, in shards where they are large. Left out on purpose: other architectures."""

import hashlib
import json
import math
import os
import pickle
import re
import zipfile
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from zerochat.files import known_hash, read_json, write_atomic, write_json
from zerochat.pretrained import rope

if TYPE_CHECKING:
    from model import LanguageModel, ModelConfig

# The least and the most that a value may be.
RANGES: dict[str, tuple] = dict.fromkeys(("num_attention_heads", "num_key_value_heads", "head_dim"), (1, 2**12))
RANGES |= dict.fromkeys(("vocab_size", "hidden_size", "intermediate_size"), (1, 2**24))
RANGES |= dict.fromkeys(("max_position_embeddings", "sliding_window"), (1, 2**24))
RANGES |= {"num_hidden_layers": (1, 2**12), "tie_word_embeddings": (False, True), "rope_theta": (1.0, 1e12)}
RANGES |= {"rms_norm_eps": (0.0, 1.0), "initializer_range": (0.0, 10.0)}
SHAPE = ("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads")
DEFAULTS = {"tie_word_embeddings": False, "rms_norm_eps": 1e-6, "max_position_embeddings": 2048}
# The architectures, and what each has that its config.json does not say: options of model.py.
KINDS: dict[str, dict] = {"Llama": {}, "Mistral": {}, "Qwen2": {"qkv_bias": True}, "Qwen3": {"qk_norm": True}}
# What a config.json can also say and model.py does not do, with the one value that asks for nothing.
FIXED = {"hidden_act": "silu", "attention_bias": False, "mlp_bias": False}
FIXED |= {"partial_rotary_factor": 1.0, "quantization_config": None}
SINGLE, SHARDED = "model.safetensors", "model.safetensors.index.json"
FILES = (SINGLE, SHARDED, "pytorch_model.bin", "pytorch_model.bin.index.json", "checkpoint.pth")
SHARD_BYTES = 5 * 10**9


def read_config(folder: str) -> dict:
    """A folder's config.json with every default filled in, `rope_theta` and `rope_scaling` in one place. Raises
    ValueError, naming the key, for an architecture or a feature that model.py does not have."""
    path = os.path.join(folder, "config.json")
    if not os.path.isfile(path):
        advice = "(from Hugging Face's hub: hf download NAME --local-dir FOLDER)"
        unfinished = os.path.isfile(os.path.join(folder, "run.json")) and "yet, since its run has not finished"
        raise ValueError(f"{folder} is not a model folder: it has no config.json {unfinished or advice}")
    raw = read_json(path)
    name = raw.get("architectures") or raw.get("model_type")
    name = str(name[0] if isinstance(name, list) else name)
    if (known := name.removesuffix("ForCausalLM").capitalize()) not in KINDS:
        raise ValueError(f"{path}: architecture {name} is not supported, only {', '.join(KINDS)} (ForCausalLM)")
    raw = {**DEFAULTS, **{key: value for key, value in raw.items() if value is not None}}
    if missing := [key for key in SHAPE if key not in raw]:
        raise ValueError(f"{path}: {', '.join(missing)} missing")
    # transformers 5 writes all that is rotary into `rope_parameters`; before, `rope_scaling` had the theta beside it.
    rotary: dict = {}
    for given in (raw.pop("rope_scaling", {}), raw.pop("rope_parameters", {})):
        if not isinstance(given, dict):
            raise ValueError(f"{path}: rope_scaling and rope_parameters should be objects, found {given!r}")
        rotary |= given
    kind = rotary.pop("rope_type", rotary.pop("type", "default"))
    rotary.pop("type", None)
    raw["rope_theta"] = rotary.pop("rope_theta", raw.get("rope_theta", 10000.0))
    raw["rope_scaling"] = None if kind == "default" else {"rope_type": kind, **rotary}
    raw.setdefault("partial_rotary_factor", rotary.get("partial_rotary_factor", 1.0))
    for key, (low, high) in RANGES.items():
        value = raw.get(key, low)
        if type(value) not in (type(low), int) or not low <= value <= high:
            raise ValueError(f"{path}: {key} should be from {low} to {high}, found {json.dumps(value)[:60]}")
    for key, value in FIXED.items():
        if raw.get(key, value) != value:
            raise ValueError(f"{path}: {key} {json.dumps(raw[key])[:60]} is not supported, only {json.dumps(value)}")
    raw |= {"qkv_bias": False, "qk_norm": False, **KINDS[known]}
    context = raw["max_position_embeddings"]
    if raw.get("use_sliding_window", True) and (window := raw.get("sliding_window", context)) < context:
        raise ValueError(f"{path}: sliding_window {window} is not supported; max_position_embeddings is {context}")
    return raw


class Weights:
    """The tensors of a model folder by name, each read when it is asked for."""

    def __init__(self, folder: str):
        if not os.path.isdir(folder):
            raise ValueError(f"{folder} is not a model folder: there is no such folder; docs/pretrained.md has some")
        self.path = next((p for p in (os.path.join(folder, name) for name in FILES) if os.path.isfile(p)), None)
        if self.path is None:
            raise ValueError(f"{folder} is not a finished model: it has no {', no '.join(FILES)}")
        self.files = [self.path]
        if self.path.endswith(".index.json"):
            places = read_json(self.path).get("weight_map")
            names = sorted({str(name) for name in places.values()} if isinstance(places, dict) else {os.sep})
            if any(os.path.basename(name) != name for name in names):
                raise ValueError(f"{self.path}: weight_map should give the file of each tensor")
            self.files = [os.path.join(folder, name) for name in names]
            if absent := [file for file in self.files if not os.path.isfile(file)]:
                more = f", with {len(absent) - 1} more" if absent[1:] else ""
                raise ValueError(f"{self.path} names {os.path.basename(absent[0])}, which is missing{more}")
        self.shapes: dict[str, list[int]] = {}
        self.read: dict[str, Callable[[], Tensor]] = {}
        for file in self.files:
            self._open_safetensors(file) if file.endswith(".safetensors") else self._open_pickle(file)

    def _open_safetensors(self, path: str) -> None:
        try:
            handle = safe_open(path, "pt")
        except SafetensorError as error:
            raise ValueError(f"{path} is damaged or cut off: {error}") from None
        for name in handle.keys():
            self.shapes[name] = handle.get_slice(name).get_shape()
            self.read[name] = partial(handle.get_tensor, name)

    def _open_pickle(self, path: str) -> None:
        try:
            state = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
        except pickle.UnpicklingError:
            more = "holds more than tensors, and unpickling that can run any code"
            raise ValueError(f"{path} {more}: not read; have its owner save it as safetensors") from None
        except Exception as error:  # what is damaged in a pickle raises anything
            raise ValueError(f"{path} is damaged or cut off: {str(error).partition(chr(10))[0]}") from None
        for key in ("model", "model_state_dict", "state_dict"):  # what training scripts wrap it in
            state = state[key] if isinstance(state, dict) and isinstance(state.get(key), dict) else state
        if not isinstance(state, dict) or not all(isinstance(tensor, Tensor) for tensor in state.values()):
            raise ValueError(f"{path} should hold tensors by name")
        for name, tensor in state.items():
            name = name.removeprefix("module.")  # DistributedDataParallel's and DeepSpeed's wrapper
            self.shapes[name] = list(tensor.shape)
            self.read[name] = tensor.detach

    def check(self, expected: dict[str, list[int]]) -> None:
        """ValueError naming the first tensor that is missing, superfluous or of another shape."""
        for name, shape in expected.items():
            if self.shapes.get(name) != shape:
                raise ValueError(f"{self.path}: {name} should be {shape}, found {self.shapes.get(name, 'nothing')}")
        for name in self.shapes:
            # Old files carry the rotary frequencies, tied ones the head a second time.
            if name not in expected and not name.endswith("rotary_emb.inv_freq") and name != "lm_head.weight":
                raise ValueError(f"{self.path}: {name} has no place in the model that config.json describes")


def content(folder: str) -> str:
    """What a model folder's config and weights hold, as a hash."""
    files = [os.path.join(folder, "config.json"), *Weights(folder).files]
    return hashlib.sha256(" ".join(map(known_hash, files)).encode()).hexdigest()


def check_shape(config: "ModelConfig") -> None:
    """ValueError, with both numbers, for a shape that no model can have."""
    for whole, part in (("hidden_size", "num_attention_heads"), ("num_attention_heads", "num_key_value_heads")):
        a, b = getattr(config, whole), getattr(config, part)
        if a % b and not (config.head_dim and whole == "hidden_size"):
            raise ValueError(f"model.{whole} {a} is not a multiple of model.{part} {b}")
    if config.head_size % 2:
        raise ValueError(f"head size {config.head_size} (model.head_dim, or hidden_size / heads) is odd; make it even")
    if config.qkv_bias and config.qk_norm:
        raise ValueError("model.qkv_bias is Qwen2's and model.qk_norm Qwen3's: no architecture has both, choose one")
    if config.rope_scaling is not None:
        rope.check(config.rope_scaling)


def check_start(folder: str, shape: "ModelConfig", pieces: int, config: dict) -> None:
    """ValueError for a model folder of this shape, and a tokenizer of so many pieces, that no stage can start from."""
    context, most = config["model"]["max_position_embeddings"], shape.max_position_embeddings
    if context > most:
        rows = f"model.max_position_embeddings {context}, the tokens of a row,"
        raise ValueError(f"{rows} is more than the {most} of {folder}")
    if os.path.realpath(folder) == os.path.realpath(config["out_dir"]):
        raise ValueError(f"init_from {folder} is also out_dir, where the result goes: choose another out_dir")
    narrow = min(shape.hidden_size, shape.intermediate_size, shape.num_key_value_heads * shape.head_size)
    if (rank := max(stage["lora"]["rank"] for stage in config["stages"])) > narrow:
        raise ValueError(f"lora.rank {rank} is more than the {narrow} of the narrowest matrix of {folder}")
    if not 0.9 * shape.vocab_size <= pieces <= shape.vocab_size:  # a few less: rows that nothing names
        vocabulary = f"the model {folder} a vocabulary of {shape.vocab_size}"
        raise ValueError(f"the tokenizer of {config['tokenizer']['path']} has {pieces} pieces, {vocabulary}")


def fill(model: "LanguageModel", weights: Weights, device, dtype: torch.dtype, filling=None) -> None:
    """Put a folder's tensors into a model built on the meta device, each read, cast and placed before the next, so that
    nothing lies in memory twice. A vocabulary that is larger than the folder's starts its new rows at the mean of the
    old ones. filling: a context manager around filling a parameter of which each rank has a share (ZeRO-3)."""
    size = model.config.vocab_size
    for name, parameter in list(model.named_parameters()):
        tensor = weights.read[name]()
        if not tensor.is_floating_point() or not all(map(math.isfinite, tensor.aminmax())):
            what = f"{name} holds numbers that are not finite, or whole ones ({tensor.dtype})"
            raise ValueError(f"{weights.path}: {what}")
        if name in ("model.embed_tokens.weight", "lm_head.weight") and len(tensor) < size:
            mean = tensor.float().mean(dim=0, keepdim=True).to(tensor.dtype)
            tensor = torch.cat((tensor, mean.expand(size - len(tensor), -1)))
        if filling:
            with filling(parameter):
                parameter.data.copy_(tensor)
        else:
            owner, _, leaf = name.rpartition(".")
            setattr(model.get_submodule(owner), leaf, nn.Parameter(tensor.to(device, dtype)))
    if model.config.tie_word_embeddings:
        model.lm_head.weight = model.model.embed_tokens.weight


def write(folder: str, shape: dict, state: dict[str, Tensor], special_ids: dict) -> None:
    """Write a model as the architecture of Hugging Face's that it is: config.json, generation_config.json, weights."""
    dtype = str(next(iter(state.values())).dtype).removeprefix("torch.")
    options = {key: shape[key] for key in ("qkv_bias", "qk_norm") if shape[key]}
    name = next(name for name, has in KINDS.items() if has == options)
    shape = {key: value for key, value in shape.items() if key not in ("qkv_bias", "qk_norm")}
    kind = {"architectures": [f"{name}ForCausalLM"], "model_type": name.lower(), "hidden_act": "silu"}
    fixed = {"attention_bias": False, "mlp_bias": False, "torch_dtype": dtype}
    os.makedirs(folder, exist_ok=True)
    write_json(os.path.join(folder, "config.json"), {**shape, **kind, **fixed, **special_ids})
    limits = {"max_length": shape["max_position_embeddings"]}
    write_json(os.path.join(folder, "generation_config.json"), {**special_ids, **limits})
    tied = ("lm_head.weight",) if shape["tie_word_embeddings"] else ()
    write_weights(folder, {name: tensor for name, tensor in state.items() if name not in tied})


def write_weights(folder: str, state: dict[str, Tensor]) -> None:
    """Write tensors in files of at most `SHARD_BYTES` (or one tensor); what names them, the single file or the index,
    comes last, and what older weights leave behind goes."""
    shards, used = [{}], 0
    for name, tensor in state.items():
        if shards[-1] and used + tensor.nbytes > SHARD_BYTES:
            shards.append({})
            used = 0
        shards[-1][name] = tensor.detach().cpu().contiguous()
        used += tensor.nbytes
    names = [f"model-{i:05d}-of-{len(shards):05d}.safetensors" for i in range(1, len(shards) + 1)]
    names = [SINGLE] if len(shards) == 1 else names
    for name, shard in zip(names, shards):
        size = sum(tensor.nbytes for tensor in shard.values())
        write_atomic(os.path.join(folder, name), partial(_write_shard, shard), size)
    if len(shards) > 1:
        places = {key: name for name, shard in zip(names, shards) for key in shard}
        index = {"metadata": {"total_size": sum(tensor.nbytes for tensor in state.values())}, "weight_map": places}
        write_json(os.path.join(folder, SHARDED), index)
        names.append(SHARDED)
    for old in os.listdir(folder):
        if re.fullmatch(r"model(-\d{5}-of-\d{5})?\.safetensors(\.index\.json)?", old) and old not in names:
            os.remove(os.path.join(folder, old))


def _write_shard(shard: dict[str, Tensor], path: str) -> None:
    try:
        save_file(shard, path, metadata={"format": "pt"})  # transformers refuses a file without this
    except SafetensorError as error:
        number = re.search(r"os error (\d+)", str(error))  # of the system's errors it is one without its number
        raise OSError(int(number[1]) if number else None, str(error)) from None
    os.chmod(path, 0o644)  # safetensors makes files that only their owner can read
