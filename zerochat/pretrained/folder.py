"""Model folders of the Llama family on disk: the dialects of their config.json, and tensors in one file or many.

Read, in this order: `model.safetensors`, its index and shards, `pytorch_model.bin`, its index, `checkpoint.pth`.
Safetensors are mapped into memory and read one tensor at a time; a pickle only with `weights_only=True`, which
runs no code. Written: safetensors alone, in shards where they are large. Left out on purpose: other architectures.
"""

import glob
import json
import os
import pickle
import zipfile
from collections.abc import Callable

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

SHAPE = ("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads")
DEFAULTS = {"tie_word_embeddings": False, "rms_norm_eps": 1e-6, "max_position_embeddings": 2048}  # LlamaConfig's
# What LlamaConfig can also say and model.py does not do, with the one value that asks for nothing.
FIXED = {
    "hidden_act": "silu",
    "attention_bias": False,
    "mlp_bias": False,
    "partial_rotary_factor": 1.0,
    "quantization_config": None,
}
SINGLE, SHARDED = "model.safetensors", "model.safetensors.index.json"
FILES = (SINGLE, SHARDED, "pytorch_model.bin", "pytorch_model.bin.index.json", "checkpoint.pth")
SHARD_BYTES = 5 * 10**9


def read_config(folder: str) -> dict:
    """A folder's config.json with every default filled in, `rope_theta` and `rope_scaling` in one place.

    Raises ValueError, naming the key, for an architecture or a feature that model.py does not have.
    """
    path = os.path.join(folder, "config.json")
    if not os.path.isfile(path):
        raise ValueError(f"{folder} is not a model folder: it has no config.json")
    try:
        with open(path, encoding="utf-8") as file:
            raw = json.load(file)
    except ValueError as error:
        raise ValueError(f"{path}: not JSON: {error}") from None
    names = raw.get("architectures") or [raw.get("model_type")]
    if not set(names) & {"LlamaForCausalLM", "MistralForCausalLM"}:
        raise ValueError(f"{path}: architecture {names[0]} is not LlamaForCausalLM, nor MistralForCausalLM")
    raw = {**DEFAULTS, **{key: value for key, value in raw.items() if value is not None}}
    if missing := [key for key in SHAPE if key not in raw]:
        raise ValueError(f"{path}: {', '.join(missing)} missing")
    # transformers 5 writes all that is rotary into `rope_parameters`; before, `rope_scaling` had the theta beside it.
    rope = {**raw.pop("rope_scaling", {}), **raw.pop("rope_parameters", {})}
    kind = rope.pop("rope_type", rope.pop("type", "default"))
    rope.pop("type", None)
    raw["rope_theta"] = rope.pop("rope_theta", raw.get("rope_theta", 10000.0))
    raw["rope_scaling"] = None if kind == "default" else {"rope_type": kind, **rope}
    raw.setdefault("partial_rotary_factor", rope.get("partial_rotary_factor", 1.0))
    for key, value in FIXED.items():
        if raw.get(key, value) != value:
            raise ValueError(f"{path}: {key} {json.dumps(raw[key])[:60]} is not supported, only {json.dumps(value)}")
    head = raw["hidden_size"] // raw["num_attention_heads"]
    if raw.get("head_dim", head) != head:
        raise ValueError(
            f"{path}: head_dim {raw['head_dim']} is not supported, only hidden_size / num_attention_heads = {head}"
        )
    if raw.get("sliding_window", raw["max_position_embeddings"]) < raw["max_position_embeddings"]:
        raise ValueError(
            f"{path}: sliding_window {raw['sliding_window']} is not supported; "
            f"max_position_embeddings is {raw['max_position_embeddings']}"
        )
    return raw


class Weights:
    """The tensors of a model folder by name, each read when it is asked for."""

    def __init__(self, folder: str):
        if not os.path.isdir(folder):
            raise ValueError(f"{folder} is not a model folder: there is no such folder")
        self.path = next((p for p in (os.path.join(folder, name) for name in FILES) if os.path.isfile(p)), None)
        if self.path is None:
            raise ValueError(f"{folder} is not a finished model: it has no {', no '.join(FILES)}")
        files = [self.path]
        if self.path.endswith(".index.json"):
            with open(self.path, encoding="utf-8") as file:
                shards = sorted(set(json.load(file)["weight_map"].values()))
            files = [os.path.join(folder, shard) for shard in shards]
            if absent := [file for file in files if not os.path.isfile(file)]:
                raise ValueError(
                    f"{self.path} names {os.path.basename(absent[0])}, which is missing"
                    + (f", with {len(absent) - 1} more" if absent[1:] else "")
                )
        self.shapes: dict[str, list[int]] = {}
        self.read: dict[str, Callable[[], Tensor]] = {}
        for file in files:
            self._open_safetensors(file) if file.endswith(".safetensors") else self._open_pickle(file)

    def _open_safetensors(self, path: str) -> None:
        try:
            handle = safe_open(path, "pt")
        except SafetensorError as error:
            raise ValueError(f"{path} is damaged or cut off: {error}") from None
        for name in handle.keys():
            self.shapes[name] = handle.get_slice(name).get_shape()
            self.read[name] = lambda name=name: handle.get_tensor(name)

    def _open_pickle(self, path: str) -> None:
        try:
            state = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
        except pickle.UnpicklingError:
            raise ValueError(
                f"{path} holds more than tensors, and unpickling that can run any code: not read; "
                "have its owner save it as safetensors"
            ) from None
        except RuntimeError as error:
            raise ValueError(f"{path} is damaged or cut off: {str(error).splitlines()[0]}") from None
        for key in ("model", "model_state_dict", "state_dict"):  # what training scripts wrap it in
            state = state[key] if isinstance(state, dict) and isinstance(state.get(key), dict) else state
        if not isinstance(state, dict) or not all(isinstance(tensor, Tensor) for tensor in state.values()):
            raise ValueError(f"{path} should hold tensors by name")
        for name, tensor in state.items():
            name = name.removeprefix("module.")  # DistributedDataParallel's and DeepSpeed's wrapper
            self.shapes[name] = list(tensor.shape)
            self.read[name] = lambda tensor=tensor: tensor

    def check(self, expected: dict[str, list[int]]) -> None:
        """ValueError naming the first tensor that is missing, superfluous or of another shape."""
        for name, shape in expected.items():
            if self.shapes.get(name) != shape:
                raise ValueError(f"{self.path}: {name} should be {shape}, found {self.shapes.get(name, 'nothing')}")
        for name in self.shapes:
            # Old files carry the rotary frequencies, tied ones the head a second time.
            if name not in expected and not name.endswith("rotary_emb.inv_freq") and name != "lm_head.weight":
                raise ValueError(f"{self.path}: {name} has no place in the model that config.json describes")


def write(folder: str, state: dict[str, Tensor], documents: dict[str, dict]) -> None:
    """Write JSON `documents` by file name, then the tensors, in files of at most `SHARD_BYTES` (or one tensor).

    Each file replaces an old one whole; what names the weights, the single file or the index, comes last.
    """
    os.makedirs(folder, exist_ok=True)

    def replace(name, writer):
        writer(os.path.join(folder, name + ".tmp"))
        os.chmod(os.path.join(folder, name + ".tmp"), 0o644)  # safetensors makes files that only their owner can read
        os.replace(os.path.join(folder, name + ".tmp"), os.path.join(folder, name))

    def as_json(value):
        def writer(path):
            with open(path, "w", encoding="utf-8") as file:
                json.dump(value, file, indent=2)

        return writer

    for name, document in documents.items():
        replace(name, as_json(document))
    shards, used = [{}], 0
    for name, tensor in state.items():
        if shards[-1] and used + tensor.nbytes > SHARD_BYTES:
            shards.append({})
            used = 0
        shards[-1][name] = tensor.detach().cpu().contiguous()
        used += tensor.nbytes
    names = [f"model-{i:05d}-of-{len(shards):05d}.safetensors" for i in range(1, len(shards) + 1)]
    names = [SINGLE] if len(shards) == 1 else names
    for name, shard in zip(names, shards):  # transformers refuses a file without this metadata
        replace(name, lambda path: save_file(shard, path, metadata={"format": "pt"}))
    if len(shards) > 1:
        replace(
            SHARDED,
            as_json(
                {
                    "metadata": {"total_size": sum(tensor.nbytes for tensor in state.values())},
                    "weight_map": {key: name for name, shard in zip(names, shards) for key in shard},
                }
            ),
        )
        names.append(SHARDED)
    for old in glob.glob(os.path.join(glob.escape(folder), "model*.safetensors*")):
        if os.path.basename(old) not in names:
            os.remove(old)
