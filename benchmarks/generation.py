"""Tokens per second of the engine beside `transformers.generate` and llama2.c, on the same random weights in one run.

    python benchmarks/generation.py --llama2c run.c     # git clone https://github.com/karpathy/llama2.c
    python benchmarks/generation.py --model models/smollm2     # a folder's own weights, bf16, batch 1 and 8

Without --model the model (15M parameters: hidden 288, 6 layers, 6 heads, vocabulary 32,000) is made on the spot; nobody is
stopped by an end token. Rounds are interleaved, so that a busy moment of the machine meets everybody; given are the
best and the median round of each, the ratios of these and, for the engine, where a token's time goes and what memory allows.
"""

import argparse
import os
import re
import statistics
import struct
import subprocess
import sys
import tempfile
import time

import torch

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from model import LanguageModel, ModelConfig, save
from zerochat.generation.decode import BLOCK, CachedModel, Product, attend

SHAPE = ModelConfig(vocab_size=32000, hidden_size=288, intermediate_size=768, num_hidden_layers=6,
                    num_attention_heads=6, max_position_embeddings=256)
PROMPT = [1, *range(1000, 1007)]


class Silent:
    """What the engine asks of a tokenizer, with an end that the model never finds likeliest and no text to decode."""

    end_ids, forbidden_ids = {2}, [1, 2]  # no end, so that everybody makes all tokens

    def __init__(self, size: int):
        self.size = size

    def __len__(self):
        return self.size

    def stream(self):
        return self

    def push(self, token):
        return ""

    flush = lambda self: ""  # noqa: E731


def ours(folder: str, dtype: torch.dtype, batch: int, tokens: int):
    from zerochat.generation.engine import Engine
    from zerochat.generation.sampling import Sampling
    model = LanguageModel.load(folder, "cpu", dtype)
    engine = Engine(model, Silent(model.config.vocab_size), slots=batch)

    def run():
        requests = engine.answer_all([PROMPT] * batch, Sampling(temperature=0, max_new_tokens=tokens))
        assert all(len(r.tokens) == tokens for r in requests)
        return requests[0].tokens
    return run


def theirs(folder: str, dtype: torch.dtype, batch: int, tokens: int):
    from transformers import AutoModelForCausalLM
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).eval()
    ids = torch.tensor([PROMPT] * batch)

    @torch.inference_mode()
    def run():
        out = model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=tokens,
                             min_new_tokens=tokens, suppress_tokens=[1, 2], pad_token_id=3)
        return out[0, len(PROMPT):].tolist()
    return run


def llama2c(source: str, folder: str, tokens: int, threads: int):
    """llama2.c, built as its README advises for speed; its format is float32 tensors one after another."""
    state, H, E = LanguageModel.load(folder).state_dict(), SHAPE.num_attention_heads, SHAPE.head_size

    def interleaved(weight):  # its rotary embedding turns neighbours, Hugging Face's layout turns halves
        return weight.view(H, 2, E // 2, -1).transpose(1, 2).reshape(weight.shape)
    layers = [f"model.layers.{i}." for i in range(SHAPE.num_hidden_layers)]
    parts = [state["model.embed_tokens.weight"]]
    for name in ("input_layernorm", "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
                 "post_attention_layernorm", "mlp.gate_proj", "mlp.down_proj", "mlp.up_proj"):
        weights = [state[layer + name + ".weight"] for layer in layers]
        parts += map(interleaved, weights) if name.endswith(("q_proj", "k_proj")) else weights
    parts += [state["model.norm.weight"], torch.zeros(SHAPE.max_position_embeddings * E)]
    with open(os.path.join(folder, "model.bin"), "wb") as file:
        file.write(struct.pack("7i", SHAPE.hidden_size, SHAPE.intermediate_size, len(layers), H, H, SHAPE.vocab_size,
                               SHAPE.max_position_embeddings))
        for part in parts:
            file.write(part.contiguous().numpy().tobytes())
    with open(os.path.join(folder, "tokenizer.bin"), "wb") as file:
        file.write(struct.pack("i", 4))
        for i in range(SHAPE.vocab_size):
            text = chr(0x4e00 + i % 20000).encode() if i > 258 else b"<s>"
            file.write(struct.pack("fi", 0.0, len(text)) + text)
    program = os.path.join(folder, "llama2c")
    subprocess.run(["gcc", "-Ofast", "-fopenmp", "-march=native", source, "-lm", "-o", program], check=True)

    def run():
        result = subprocess.run([program, "model.bin", "-z", "tokenizer.bin", "-t", "0", "-n", str(tokens)], cwd=folder,
                                capture_output=True, text=True, errors="replace",
                                env={**os.environ, "OMP_NUM_THREADS": str(threads)})
        return float(re.search(r"tok/s: ([\d.]+)", result.stderr)[1])
    return run


@torch.inference_mode()
def where_time_goes(folder: str, dtype: torch.dtype, tokens: int) -> str:
    """One token's milliseconds at batch 1, taken apart by leaving out what is looked at, and what memory allows."""
    cached = CachedModel(LanguageModel.load(folder, "cpu", dtype), slots=1)

    def best(work, rounds=200):
        spent = []
        for _ in range(rounds):
            begun = time.perf_counter()
            work()
            spent.append(time.perf_counter() - begun)
        return sorted(spent)[rounds // 10] * 1e3
    x, wide = torch.randn(1, SHAPE.hidden_size).to(dtype), torch.randn(1, SHAPE.intermediate_size).to(dtype)
    large = torch.ones(64 * 2**20)  # 256 MiB, far more than the caches hold
    bandwidth = large.numel() * 4 / best(large.sum, 20) * 1e3
    products = [cached.head, *[product for layer in cached.layers for product in layer if isinstance(product, Product)]]
    size = sum(product.weight.numel() * product.weight.element_size() for product in products)
    # All matrices in turn, as in a step: one alone would stay in the caches and seem faster than it is there.
    step = best(lambda: cached.decode([7], [tokens // 2]))
    matrices = best(lambda: [product(wide if product.weight.shape[1] == wide.shape[1] else x) for product in products])
    q, k = torch.randn(6, 1, 48), torch.randn(6, -(-tokens // 2 // BLOCK) * BLOCK, 48)
    mask = torch.zeros(6, 1, k.shape[1])
    attention = SHAPE.num_hidden_layers * best(lambda: attend(q, k, k, mask))
    return (f"a token takes {step:.2f} ms: matrices {matrices:.2f}, attention {attention:.2f}, and norms, rotation, "
            f"cache and starting all operations {step - matrices - attention:.2f}; reading the {size / 1e6:.0f} MB of "
            f"weights once, at the {bandwidth / 1e9:.0f} GB/s that summing a large tensor reaches, takes "
            f"{size / bandwidth * 1e3:.2f} ms")


def main(argv=None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tokens", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--model", metavar="DIR", help="a model folder, in place of the random weights")
    parser.add_argument("--llama2c", metavar="run.c", help="llama2.c's source, to build and measure beside")
    args = parser.parse_args(argv)
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    dtypes, batches = ((torch.bfloat16,), (1, 8)) if args.model else ((torch.float32, torch.bfloat16), (1, 16))
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.model or temporary
        if not args.model:
            save(folder, SHAPE, LanguageModel(SHAPE).state_dict(), {
                "bos_token_id": 1, "pad_token_id": 3, "eos_token_id": 2})
        runs = {}
        for dtype in dtypes:
            for batch in batches:
                name = f"{str(dtype)[6:]}, batch {batch}"
                runs[name] = {"zerochat": ours(folder, dtype, batch, args.tokens),
                              "transformers": theirs(folder, dtype, batch, args.tokens)}
                same = runs[name]["zerochat"](), runs[name]["transformers"]()
                agree = next((i for i, (a, b) in enumerate(zip(*same)) if a != b), args.tokens)
                print(f"{name}: the first {agree} of {args.tokens} tokens agree", flush=True)
        if args.llama2c and not args.model:
            runs["float32, batch 1"]["llama2.c"] = llama2c(args.llama2c, folder, args.tokens, args.threads)
        speeds = {(name, who): [] for name, group in runs.items() for who in group}
        for _ in range(args.rounds):
            for (name, who), found in speeds.items():
                begun = time.perf_counter()
                result = runs[name][who]()
                made = args.tokens * int(name.split()[-1])
                found.append(result if who == "llama2.c" else made / (time.perf_counter() - begun))
        print(f"\n{args.threads} threads, {args.tokens} new tokens, best (median) of {args.rounds} rounds\n\n"
              "| | tokens/s | times transformers |\n|---|---:|---:|")
        for (name, who), found in speeds.items():
            others = speeds[name, "transformers"]
            print(f"| {name}: {who} | {max(found):,.0f} ({statistics.median(found):,.0f}) | "
                  f"{max(found) / max(others):.2f} ({statistics.median(found) / statistics.median(others):.2f}) |")
        for dtype in () if args.model else dtypes:
            print(f"\n{str(dtype)[6:]}: {where_time_goes(folder, dtype, args.tokens)}")


if __name__ == "__main__":
    main()
