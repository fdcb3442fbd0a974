"""Does llama.cpp read the same model? Convert a folder to GGUF, compare token ids and greedy answers.

    pip install llama-cpp-python gguf
    python benchmarks/gguf_parity.py --model out/small --llama-cpp DIR     # DIR: a checkout of llama.cpp
"""

import argparse
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [ROOT, os.path.join(ROOT, "tests", "helpers")]

from strings import strings

from model import LanguageModel
from tokenizer import Tokenizer
from zerochat.demo import chats as demo_data
from zerochat.generation.engine import Engine
from zerochat.generation.sampling import Sampling


def main(argv=None) -> None:
    parser = argparse.ArgumentParser(description="compare a model folder in llama.cpp with itself here")
    parser.add_argument("--model", default="out/small")
    parser.add_argument("--llama-cpp", required=True, metavar="DIR", help="holds convert_hf_to_gguf.py")
    parser.add_argument("--strings", type=int, default=10_000, help="how many strings to tokenize")
    parser.add_argument("--chats", type=int, default=50, help="how many held-out conversations to answer")
    parser.add_argument("--tokens", type=int, default=200, help="the longest answer")
    args = parser.parse_args(argv)
    import llama_cpp

    with tempfile.TemporaryDirectory() as folder:
        gguf = os.path.join(folder, "model.gguf")
        subprocess.run([sys.executable, os.path.join(args.llama_cpp, "convert_hf_to_gguf.py"), args.model, "--outfile", gguf,
                        "--outtype", "f32"], check=True, capture_output=True)
        print(f"GGUF of {os.path.getsize(gguf):,} bytes")
        engine = Engine(LanguageModel.load(args.model, "cpu"), Tokenizer(args.model))
        theirs = llama_cpp.Llama(gguf, n_ctx=engine.context, logits_all=False, verbose=False, n_threads=2)

    encode, render = engine.tokenizer.encode, engine.tokenizer.render
    texts = strings(args.strings)
    different = [text for text in texts
                 if theirs.tokenize(text.encode(), add_bos=False, special=False) != encode(text)]
    print(f"{len(texts):,} strings: {len(different)} with other token ids", different[:3])

    end = {theirs.token_eos(), *engine.tokenizer.end_ids}
    same = tokens = 0
    for chat in demo_data.conversations(args.chats, split="validation"):
        prompt, _ = render(chat["messages"][:1], add_generation_prompt=True)
        ours = engine.answer_all([prompt], Sampling(temperature=0, max_new_tokens=args.tokens))[0].tokens
        answer = []
        for token in theirs.generate(prompt, temp=0.0, top_k=1, repeat_penalty=1.0):
            answer.append(token)
            if token in end or len(answer) == len(ours):
                break
        same, tokens = same + (answer == ours), tokens + len(ours)
    print(f"{args.chats} greedy answers, {tokens:,} tokens: {same} the same to the last token")


if __name__ == "__main__":
    main()
