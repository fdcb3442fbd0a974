"""The models that people use today: their tokenizers, templates, architectures; made here at random, held against transformers."""

import json
import math
import os
import random
import re
import shutil
import sys

import pytest
import torch
from strings import strings
from test_pretrained import LLAMA3, chats, kept, llama2_proto, pretrained, small_llama  # noqa: F401

from model import LanguageModel, save
from tokenizer import MARKERS, Tokenizer
from zerochat.generation.engine import Engine
from zerochat.generation.sampling import Sampling
from zerochat.precision import chat_dtype
from zerochat.pretrained import lora
from zerochat.serving.protocol import token_entry

transformers = pytest.importorskip("transformers")
tokenizers = pytest.importorskip("tokenizers")
LLAMA3_CHAT = ("{{ bos_token }}{% for message in messages %}{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' "
               "+ message['content'] | trim + '<|eot_id|>' }}{% endfor %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}")
QWEN_CHAT = ("{% if messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nYou are Q, on ' + strftime_now('%Y') + '.<|im_end|>\n' }}"
             "{% endif %}{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}"
             "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}")
LAST = QWEN_CHAT.replace("message['content'] +", "(message['content'] if loop.last or message['role'] == 'user' else '') +")
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]


def json_folder(folder, template, bos=None, eos="<|im_end|>", more=()) -> str:
    """A small byte-level BPE as SmolLM2's is, in a folder with this chat template."""
    made, before = tokenizers.Tokenizer(tokenizers.models.BPE()), tokenizers.pre_tokenizers
    made.pre_tokenizer = before.Sequence([before.Digits(individual_digits=True), before.ByteLevel(add_prefix_space=False)])
    made.decoder, alphabet = tokenizers.decoders.ByteLevel(), before.ByteLevel.alphabet()
    trainer = tokenizers.trainers.BpeTrainer(vocab_size=600, special_tokens=[*SPECIAL, *more], initial_alphabet=alphabet, show_progress=False)
    made.train_from_iterator([m["content"] for messages in chats(100) for m in messages], trainer)
    made.add_tokens(["<think>"])  # found in text, by the library too
    if bos:
        made.post_processor = tokenizers.processors.TemplateProcessing(single=f"{bos} $A", special_tokens=[(bos, 0)])
    folder.mkdir(exist_ok=True)
    made.save(str(folder / "tokenizer.json"))
    named = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": eos, "chat_template": template, "bos_token": bos}
    (folder / "tokenizer_config.json").write_text(json.dumps(named))
    (folder / "config.json").write_text('{"model_type": "llama"}')  # transformers asks for one
    return str(folder)


@pytest.mark.parametrize("template, chosen, bos", [(QWEN_CHAT, "keep", None), (LLAMA3_CHAT, "keep", SPECIAL[0]), (LAST, "chatml", None),
                                                   (QWEN_CHAT, "markers", None), (QWEN_CHAT, "markers", SPECIAL[0])])
def test_a_tokenizer_json_gives_the_librarys_ids_its_bytes_and_transformers_chats_and_typed_markers_stay_text(
        tmp_path, template, chosen, bos):
    tokenizer = Tokenizer(json_folder(tmp_path, template, bos), chosen)
    library = tokenizers.Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    for text in [*strings(1_000), "a<think>b"]:
        ids = tokenizer.encode(text)
        assert ids == library.encode(text, add_special_tokens=False).ids and tokenizer.decode(ids) == text, repr(text)
        assert b"".join(map(tokenizer.bytes_of, ids)) == text.encode()
    tokenizer.save(out := str(tmp_path / "out"))
    shutil.copy(tmp_path / "config.json", out)
    oracle, again = transformers.AutoTokenizer.from_pretrained(out), Tokenizer(out)
    assert (again.end_ids, again.forbidden_ids, again.pad_id) == (tokenizer.end_ids, tokenizer.forbidden_ids, tokenizer.pad_id)
    for messages in chats(60):
        ids, mask = tokenizer.render(messages)
        theirs = oracle.apply_chat_template(messages, return_dict=True, return_assistant_tokens_mask=True)
        assert list(theirs["input_ids"]) == ids and again.render(messages) == (ids, mask)
        assert "generation %}" not in tokenizer.template.text or [bool(m) for m in theirs["assistant_masks"]] == mask
        said = "".join(m["content"] for m in messages if m["role"] == "assistant")
        assert tokenizer.decode([i if m else tokenizer.opening_id for i, m in zip(ids, mask)]) == said
        prompt = tokenizer.render(messages[:-1], add_generation_prompt=True)[0]
        assert ids[:len(prompt)] == prompt and [i for i, m in zip(ids, mask) if m][-1] in tokenizer.template.end_ids
    typed, plain = (tokenizer.render([{"role": "user", "content": text}], True)[0] for text in ("".join(SPECIAL) + "<|user|>", "x"))
    assert [i for i in typed if tokenizer.bytes_of(i) is None] == [i for i in plain if tokenizer.bytes_of(i) is None]


def test_keep_keeps_where_our_markers_are_too_every_eos_id_ends_an_answer_and_chatml_comes_to_sentencepiece(tmp_path, pretrained):
    folder, saved = json_folder(tmp_path / "a", QWEN_CHAT, more=MARKERS), str(tmp_path / "b")
    (tmp_path / "a" / "generation_config.json").write_text('{"eos_token_id": [2, 5, 0]}')
    Tokenizer(folder, "keep").save(saved)
    for tokenizer in (Tokenizer(folder, "keep"), Tokenizer(folder), Tokenizer(saved)):
        assert tokenizer.role_ids == {} and tokenizer.end_ids == {0, 2, 5} and not {0, 2, 5} & set(tokenizer.forbidden_ids)
        assert tokenizer.bos_id is None and tokenizer.render({"text": "x"})[0][0] == 0, "a document opens with the end of another"
    assert Tokenizer(folder, "markers").role_ids
    shutil.copy(os.path.join(pretrained, "tokenizer.model"), tmp_path)
    (tmp_path / "chat_template.jinja").write_text(QWEN_CHAT)
    for chosen in ("keep", "chatml"):
        tokenizer = Tokenizer(str(tmp_path), chosen)
        assert (len(tokenizer), tokenizer.added) == (32_002, 2) and tokenizer.end_ids == {2, 32_001}
        for messages in chats(60):
            said = [i for i, supervised in zip(*tokenizer.render(messages)) if supervised].count(32_001)
            assert said == sum(m["role"] == "assistant" for m in messages)
    (tmp_path / "added_tokens.json").write_text(json.dumps({"[PAD]": 32_000, "<|im_start|>": 32_001, "<|im_end|>": 32_002}))
    assert len(Tokenizer(str(tmp_path), "keep")) == 32_003 and 32_002 in Tokenizer(str(tmp_path), "keep").end_ids


@pytest.mark.parametrize("legacy", [False, True])
def test_beside_a_tokenizer_model_lies_a_tokenizer_json_with_its_merges_and_legacy_puts_spaces_behind_markers(
        tmp_path, pretrained, legacy):
    template = "{% for m in messages %}{{ '[A]' + m['content'] + eos_token }}{% endfor %}"
    oracle, tokenizer = kept(pretrained, tmp_path, template, legacy=legacy)
    tokenizer.save(str(tmp_path))
    os.remove(tmp_path / "tokenizer.model")  # the tokenizer.json is enough
    library, alone = tokenizers.Tokenizer.from_file(str(tmp_path / "tokenizer.json")), Tokenizer(str(tmp_path))
    for text in strings(1_000):
        if not text.startswith((" ", "\u2581")):
            assert library.encode(text).ids == tokenizer.encode(text) == alone.encode(text), repr(text)
            assert alone.decode(tokenizer.encode(text)) == text
    for messages in chats(30):
        theirs = list(oracle.apply_chat_template(messages, return_dict=True)["input_ids"])
        assert theirs == tokenizer.render(messages)[0] == alone.render(messages)[0]


def test_a_tokenizer_or_a_template_that_cannot_be_used_is_refused_in_one_line(tmp_path, monkeypatch):
    said = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "yes"}, {"role": "user", "content": "Why?"}]
    cases = [(LAST, "<|im_end|>", r"message 3 \(user\) changes what stood before it.*chatml"), ("{{", "<|im_end|>", "not valid Jinja"),
             ("{% for m in messages %}{{ m['content'] }}{% endfor %}", "<|im_end|>", "ends an answer with no special token"), (5, "<|im_end|>", "chat_template should be text, found 5"),
             (QWEN_CHAT, "nowhere", "names no eos_token"), (QWEN_CHAT, "<|im_end|>", "one encoding: set data.augment.subword to 0")]
    for template, eos, message in cases:
        folder = json_folder(tmp_path, template, eos=eos)
        with pytest.raises(ValueError, match=message) as caught:
            [Tokenizer(folder, "keep").render(said), Tokenizer(folder, "keep").render(said, encode=str.encode)]
        assert "\n" not in str(caught.value) and str(tmp_path) in str(caught.value)
    with pytest.raises(ValueError, match="data.augment.subword"):
        Tokenizer(folder, "markers").sampled("abc", 0.1, 1)
    tokenizers.Tokenizer(tokenizers.models.WordPiece({"a": 0}, unk_token="a")).save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(ValueError, match="WordPiece with the decoder null is not supported, only byte-level BPE"):
        Tokenizer(folder)
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    for message in ("needs the library tokenizers: pip install -e", "tokenizer.model is not a SentencePiece model, or not a whole one"):
        with pytest.raises(ValueError, match=message):
            Tokenizer(folder)
        (tmp_path / "tokenizer.model").write_bytes(b"")


def test_a_chat_is_in_bf16_where_the_processor_multiplies_it(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for able, name, half in (("", "auto", 0), ("avx512_bf16", "auto", 1), ("amx_bf16", "auto", 1), ("amx_bf16", "fp32", 0), ("", "bf16", 1)):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {able: True})
        assert chat_dtype(name) is (torch.bfloat16 if half else torch.float32)


@pytest.mark.parametrize("slots", [1, 3])
@pytest.mark.parametrize("kind, changes", [("Qwen2", {}), ("Qwen3", {"head_dim": 24}), ("Llama", {"head_dim": 12})])
def test_an_architecture_is_cached_adapted_and_written_back_as_what_it_was_and_unnamed_rows_are_never_answers(
        tmp_path, tokenizer, kind, changes, slots):
    small_llama(tmp_path, kind, vocab_size=910, **changes)
    model, folder = LanguageModel.load(str(tmp_path)), str(tmp_path / "out")
    ids = torch.randint(8, 900, (1, 20), generator=torch.Generator().manual_seed(1))
    frozen = {name: lambda tensor=tensor.clone(): tensor.clone() for name, tensor in model.state_dict().items()}
    with torch.no_grad():
        before = model(ids)
        lora.add(model, rank=4, alpha=8.0, dropout=0.0, train_vocabulary=False)
        assert torch.equal(model(ids), before)
    model(ids, torch.ones_like(ids)).backward()
    with torch.no_grad():
        trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
        [p.sub_(0.05 * p.grad) for p in trained.values()]
        adapted = model(ids)
        save(folder, model.config, lora.merge(trained, frozen, alpha=8.0), {"bos_token_id": None, "eos_token_id": [2]})
        theirs, ours = transformers.AutoModelForCausalLM.from_pretrained(folder), LanguageModel.load(folder)
        assert type(theirs).__name__ == kind + "ForCausalLM" and (theirs(ids).logits - adapted).abs().max() < 1e-3
        torch.testing.assert_close(ours(ids), theirs(ids).logits, rtol=0, atol=1e-4)
        ours.lm_head.weight[900:] *= 9
        expected, engine = ours(ids), Engine(ours, tokenizer, slots)
        assert max(expected.argmax(-1)[0]) >= 900, "the rows that nothing names should be the likeliest somewhere"
        answer = engine.answer_all([ids[0].tolist()], Sampling(temperature=0, max_new_tokens=20, logprobs=3))[0]
        assert max(answer.tokens) < 900 and any(i >= 900 for _, others in answer.logprobs for i, _ in others)
        assert all(token_entry(tokenizer, i, p)["bytes"] is None for _, others in answer.logprobs for i, p in others if i >= 900)
        torch.testing.assert_close(engine.cached.prefill(0, ids[0, :15].tolist(), 0), expected[:, 14], rtol=0, atol=1e-4)
        for at in range(15, 20):
            found = engine.cached.decode([int(ids[0, at])] + [None] * (slots - 1), [at] + [0] * (slots - 1))[:1]
            assert (found - expected[:, at]).abs().max() < 1e-4


# --- what is wrong with a folder --------------------------------------------------------------------------------

SEED, COUNT = 17, 600
ODD = [None, True, False, 0, -1, 1, 2, 3, 7, 1.5, -0.0, 1e9, 1e400, float("nan"), 10**6, 10**7, 10**30, "", "8", "x", [], [2], {}, {"a": 1},
       {"rope_type": "linear"}, {"rope_type": "linear", "factor": 0}, {"rope_type": [1]}, {"type": "llama3", "factor": "x"},
       {**LLAMA3, "factor": None}, {**LLAMA3, "low_freq_factor": 4.0}]


def test_no_value_in_a_config_ends_in_anything_but_a_model_or_one_line_that_names_the_file(tmp_path, tokenizer):
    small_llama(tmp_path, "Qwen3", vocab_size=910, head_dim=24)
    good, r, refused = json.loads((tmp_path / "config.json").read_text()), random.Random(SEED), 0
    keys = [*good, *"rope_scaling rope_theta sliding_window quantization_config hidden_dropout qk_norm".split()]
    for i in range(COUNT):
        changed = {key: r.choice(ODD) for key in r.sample(keys, r.choice([1, 1, 1, 2, 3]))}
        (tmp_path / "config.json").write_text(json.dumps(good | changed))
        try:
            Engine(LanguageModel.load(str(tmp_path)), tokenizer).answer_all([[5, 6]], Sampling(temperature=0, max_new_tokens=2))
        except Exception as error:
            one_line = type(error) is ValueError and re.search(f"{tmp_path}|no room", str(error)) and "\n" not in str(error)
            assert one_line, f"seed {SEED}, number {i}: {changed} ends in {error!r}"
            refused += 1
    assert COUNT / 4 < refused < COUNT


@pytest.mark.parametrize("name, content, message", [
    *(("pytorch_model.bin", content, "pytorch_model.bin is damaged or cut off") for content in (b"", b"PK\x03\x04 no archive")),
    ("pytorch_model.bin", torch.arange(3), "pytorch_model.bin should hold tensors by name"),
    *(("model.safetensors.index.json", content, "weight_map should give the file of each tensor")
      for content in (b"{}", b'{"weight_map": [1]}', b'{"weight_map": {"a": "../x"}}')),
    ("model.safetensors.index.json", b"\xff", "index.json: not JSON"), *(("pytorch_model.bin", damage, "holds numbers that are not finite, or whole")
      for damage in (lambda tensor: tensor.to(torch.int32), lambda tensor: tensor * math.nan))])
def test_damaged_weights_and_weights_that_are_no_numbers_are_refused_in_one_line(tmp_path, name, content, message):
    state = small_llama(tmp_path).state_dict()
    (tmp_path / "model.safetensors").unlink()
    content = state | {"model.norm.weight": content(state["model.norm.weight"])} if callable(content) else content
    (tmp_path / name).write_bytes(content) if isinstance(content, bytes) else torch.save(content, tmp_path / name)
    with pytest.raises(ValueError) as caught:
        LanguageModel.load(str(tmp_path))
    assert message in str(caught.value) and str(tmp_path) in str(caught.value) and "\n" not in str(caught.value)
