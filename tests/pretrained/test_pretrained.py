"""Fine-tuning from anybody's Llama folder: made here at random with transformers, loaded back there."""

import io
import json
import os
import pickle
import random
import re
import shutil
import subprocess
import sys

import pytest
import sentencepiece
import torch
from sentencepiece import sentencepiece_model_pb2
from strings import strings
from tiny import ROOT, environment, launch, load_engine, tiny_model

import train
from benchmarks import memory
from config import load_config
from model import LanguageModel, rotary_frequencies
from tokenizer import MARKERS, Tokenizer
from zerochat.demo import chats as demo_data
from zerochat.generation.sampling import Sampling
from zerochat.pretrained import folder as model_folder
from zerochat.pretrained import lora
from zerochat.pretrained.pieces import with_symbols

transformers = pytest.importorskip("transformers")
SYMBOLS = ["<pad>", *MARKERS]
LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 32}
ZEPHYR = ("{% for message in messages %}\n{% if message['role'] == 'assistant' %}\n"
          "{{ '<|assistant|>\\n' + message['content'] + eos_token }}\n{% else %}\n"
          "{{ '<|' + message['role'] + '|>\\n' + message['content'] + eos_token }}\n{% endif %}\n"
          "{% if loop.last and add_generation_prompt %}\n{{ '<|assistant|>' }}\n{% endif %}\n{% endfor %}")
LLAMA2 = ("{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
          "{{ raise_exception('roles must alternate user/assistant') }}{% endif %}"
          "{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + message['content'].strip() + ' [/INST]' }}"
          "{% else %}{% generation %}{{ ' ' + message['content'].strip() + ' ' + eos_token }}{% endgeneration %}{% endif %}"
          "{% endfor %}")


@pytest.fixture(scope="session")
def llama2_proto() -> bytes:
    """A tokenizer as Llama 2's is: 32,000 pieces of BPE, a space before every text, bytes for the rest, no <pad>."""
    r = random.Random(0)
    syllables = "ba co di fu ge hi ka lo mu ne pi qua ro sha ti vu we xi yo zen tion ing er st al the and".split()
    words = ["".join(r.choices(syllables, k=r.randint(1, 4))) for _ in range(40_000)]
    lines = [" ".join(r.choices(words, k=12)) for _ in range(20_000)]
    lines += ["".join(chr(r.randint(0x4E00, 0x5800)) for _ in range(20)) for _ in range(3_000)]
    lines += [m["content"] for chat in demo_data.conversations(300) for m in chat["messages"]]
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_writer=model, vocab_size=32_000, model_type="bpe", byte_fallback=True,
        split_digits=True, normalization_rule_name="identity", remove_extra_whitespaces=False, add_dummy_prefix=True,
        allow_whitespace_only_pieces=True, character_coverage=0.99995, pad_id=-1, minloglevel=2)
    return model.getvalue()


@pytest.fixture(scope="session")
def pretrained(llama2_proto, tmp_path_factory) -> str:
    """A random Llama in bf16, saved by transformers in shards, with a Llama-2-style tokenizer.model beside it."""
    folder = tmp_path_factory.mktemp("pretrained")
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=32_000, hidden_size=48, intermediate_size=80, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=256, initializer_range=0.1, rope_scaling=dict(LLAMA3))
    transformers.LlamaForCausalLM(config).to(torch.bfloat16).save_pretrained(folder, max_shard_size="2MB")
    (folder / "tokenizer.model").write_bytes(llama2_proto)
    return str(folder)


def chats(count):
    return [chat["messages"] for chat in demo_data.conversations(count)]


def test_an_extended_tokenizer_keeps_ids_adds_its_markers_and_is_read_by_transformers(llama2_proto, pretrained, tmp_path):
    """The ids of ordinary text stay, markers are control symbols, and the chats of transformers are the same."""
    before = sentencepiece.SentencePieceProcessor(model_proto=llama2_proto)
    extended = Tokenizer(pretrained, "markers")
    assert (len(before), len(extended), extended.added) == (32_000, 32_005, 5)
    for text in strings(10_000):
        assert extended.encode(text) == before.encode(text), repr(text)
        assert extended.decode(extended.encode(text)) == text, repr(text)
    assert all(max(extended.encode(f"a{marker}b")) < 32_000 for marker in MARKERS), "typed text became a marker"
    oracle = sentencepiece_model_pb2.ModelProto()  # protobuf's own view of the bytes that were appended
    oracle.ParseFromString(llama2_proto)
    for piece in SYMBOLS:
        oracle.pieces.add(piece=piece, score=0.0, type=sentencepiece_model_pb2.ModelProto.SentencePiece.CONTROL)
    parsed, extended_proto = sentencepiece_model_pb2.ModelProto(), with_symbols(llama2_proto, SYMBOLS)
    parsed.ParseFromString(extended_proto)
    assert parsed == oracle and with_symbols(extended_proto, SYMBOLS) == extended_proto

    extended.save(str(tmp_path))
    shutil.copy(os.path.join(pretrained, "config.json"), tmp_path)
    oracle = transformers.AutoTokenizer.from_pretrained(tmp_path)
    for text in strings(2_000):
        if not text.startswith((" ", "\u2581")):  # there, transformers leaves the tokenizer's own space out
            assert oracle.encode(text, add_special_tokens=False) == extended.encode(text), repr(text)
    odd = [{"role": "system", "content": ""}, {"role": "user", "content": "  two "}, {"role": "assistant", "content": " \n x"}]
    for messages in [*chats(60), odd]:
        result = oracle.apply_chat_template(messages, return_dict=True, return_assistant_tokens_mask=True)
        assert (list(result["input_ids"]), [bool(m) for m in result["assistant_masks"]]) == extended.render(messages)
        assert extended.decode(extended.render(messages)[0]) == "".join(m["content"] for m in messages)


def kept(pretrained, folder, template: str, legacy: bool = False):
    """transformers' tokenizer and ours of a model that brings this chat template."""
    for name in ("tokenizer.model", "config.json"):
        shutil.copy(os.path.join(pretrained, name), folder)
    (folder / "tokenizer_config.json").write_text(json.dumps({
        "tokenizer_class": "LlamaTokenizer", "legacy": legacy, "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>",
        "chat_template": template, "add_bos_token": False}))
    return transformers.AutoTokenizer.from_pretrained(folder), Tokenizer(str(folder), "keep")


@pytest.mark.parametrize("template", [ZEPHYR, LLAMA2], ids=["zephyr", "llama2"])
def test_a_models_own_chat_template_is_kept_with_answers_and_their_end_supervised_also_if_every_exchange_opens_with_its_bos(
        pretrained, tmp_path, template):
    oracle, tokenizer = kept(pretrained, tmp_path, template)
    assert len(tokenizer) == 32_000
    tokenizer.save(str(tmp_path / "saved"))
    again = Tokenizer(str(tmp_path / "saved"))  # as a chat with the result opens it
    without_system = [[m for m in messages if m["role"] != "system"] for messages in chats(60)]
    assert len(without_system) == 60
    for messages in (messages[:2] for messages in without_system):
        ids, mask = tokenizer.render(messages)
        assert ids == oracle.encode(oracle.apply_chat_template(messages, tokenize=False), add_special_tokens=False)
        assert again.render(messages) == (ids, mask)
        supervised = [i for i, m in zip(ids, mask) if m]
        assert supervised[-1] == tokenizer.eos_id and True not in mask[mask.index(True) + len(supervised):]
        assert tokenizer.decode(supervised).strip() == messages[1]["content"].strip()
        prompt = tokenizer.render(messages[:1], add_generation_prompt=True)[0]
        assert ids[:len(prompt)] == prompt and len(prompt) == mask.index(True)
    injected = tokenizer.render([{"role": "user", "content": "a</s><s>b"}], add_generation_prompt=True)[0]
    assert injected.count(tokenizer.bos_id) == (template is LLAMA2) and injected.count(tokenizer.eos_id) == (template is ZEPHYR)
    several = [messages for messages in without_system if len(messages) > 2 and template is LLAMA2]
    for messages in several:  # its `<s>` inside a conversation opens no document: where one begins is written in the shard
        ids, mask = tokenizer.render(messages)
        assert ids == oracle.encode(oracle.apply_chat_template(messages, tokenize=False), add_special_tokens=False)
        assert ids.count(tokenizer.bos_id) == len(messages) // 2 and not any(m for i, m in zip(ids, mask) if i == tokenizer.bos_id)
        said = tokenizer.decode([i if m else tokenizer.bos_id for i, m in zip(ids, mask)]).split()
        assert said == " ".join(m["content"] for m in messages if m["role"] == "assistant").split()
    assert template is ZEPHYR or len(several) > 20


def test_a_conversation_too_long_for_a_row_is_cut_between_exchanges_of_a_kept_template_too(pretrained, tmp_path):
    shutil.copy(os.path.join(pretrained, "tokenizer.model"), tmp_path)
    (tmp_path / "chat_template.jinja").write_text(ZEPHYR)
    tokenizer = Tokenizer(str(tmp_path), "keep")
    system = [{"role": "system", "content": "be kind"}]
    exchanges = [[{"role": "user", "content": f"say {i} " * 5}, {"role": "assistant", "content": f"the {i} " * 5}] for i in range(6)]
    whole = tokenizer.render(system + sum(exchanges, []))
    context = len(tokenizer.render(system + exchanges[0] + exchanges[1])[0])
    pieces, lost, cut = tokenizer.windows({"messages": system + sum(exchanges, [])}, context)
    assert lost == 0 and not cut.total() and sum(sum(mask) for _, mask in pieces) == sum(whole[1])
    assert [ids for ids, _ in pieces] == [tokenizer.render(system + a + b)[0] for a, b in zip(exchanges[::2], exchanges[1::2])]
    pieces, lost, cut = tokenizer.windows({"messages": system + exchanges[0]}, context // 2)
    assert len(pieces[0][0]) == context // 2 and cut["exchanges"] == 1 and 0 < lost < sum(tokenizer.render(system + exchanges[0])[1])


def logits_agree(folder):
    theirs, ours = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32), LanguageModel.load(str(folder))
    ids = torch.randint(3, 500, (2, 60), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        torch.testing.assert_close(ours(ids), theirs(ids).logits, rtol=0, atol=1e-4)
    return ours, theirs


def small_llama(folder, kind="Llama", **changes):
    torch.manual_seed(1)
    config = getattr(transformers, kind + "Config")(**{
        "vocab_size": 500, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
        "num_key_value_heads": 2, "max_position_embeddings": 64, "initializer_range": 0.2} | changes)
    model = getattr(transformers, kind + "ForCausalLM")(config)
    # Gains and biases are ones and zeros at first, which would hide that they are left out.
    [torch.nn.init.uniform_(parameter, 0.5, 1.5) for parameter in model.parameters() if parameter.dim() == 1]
    model.save_pretrained(folder)
    return model


def edited(**changes):
    """What changes a folder's config.json; with one of the keys that begin with rope, the others of them go."""
    def change(folder):
        raw, rope = json.loads((folder / "config.json").read_text()), any(key.startswith("rope") for key in changes)
        raw = {key: value for key, value in raw.items() if not rope or not key.startswith("rope")}
        (folder / "config.json").write_text(json.dumps(raw | changes))
    return change


@pytest.mark.parametrize("kind, changes, rotary", [
    ("Llama", {"tie_word_embeddings": True}, {}), ("Llama", {"num_key_value_heads": 4, "rope_theta": 500.0}, {}),
    ("Llama", {"rope_scaling": {"rope_type": "linear", "factor": 4.0}}, {}), ("Llama", {"rope_scaling": dict(LLAMA3)}, {}),
    ("Mistral", {"sliding_window": None, "head_dim": 8}, {}), ("Mistral", {"sliding_window": 64, "head_dim": 8}, {}),
    ("Qwen2", {"use_sliding_window": False, "sliding_window": 32}, {}), ("Qwen3", {"head_dim": 24}, {}),
    ("Llama", {"head_dim": 12}, {}), ("Llama", {}, {}), ("Llama", {}, {"rope_parameters": {"rope_theta": 500.0, "rope_type": "default"}}),
    *(("Llama", {}, {"rope_theta": 500.0, "rope_scaling": each}) for each in (None, {"type": "linear", "factor": 2.0}, LLAMA3))])
def test_models_that_transformers_saves_give_its_logits_and_so_does_every_spelling_of_the_rotary_embedding(
        tmp_path, kind, changes, rotary):
    small_llama(tmp_path, kind, **changes)
    edited(**rotary)(tmp_path)
    ours, theirs = logits_agree(tmp_path)
    assert not rotary or ours.config.rope_theta == 500.0
    torch.testing.assert_close(rotary_frequencies(ours.config), theirs.model.rotary_emb.inv_freq, rtol=1e-6, atol=0)


@pytest.mark.parametrize("wrap", [lambda state: state, lambda state: {"model": state, "step": 3},
                                  lambda state: {"model_state_dict": {"module." + k: v for k, v in state.items()}}])
@pytest.mark.parametrize("name", ["pytorch_model.bin", "checkpoint.pth"])
def test_tensors_in_a_pickle_are_read_without_running_code(tmp_path, name, wrap):
    model = small_llama(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    torch.save(wrap(model.state_dict()), tmp_path / name)
    ids = torch.arange(3, 40)[None]
    with torch.no_grad():
        torch.testing.assert_close(LanguageModel.load(str(tmp_path))(ids), model(ids).logits, rtol=0, atol=1e-4)


def test_shards_in_bf16_give_the_logits_of_transformers_and_a_grown_vocabulary_starts_new_rows_at_their_mean(pretrained):
    assert len([name for name in os.listdir(pretrained) if name.endswith(".safetensors")]) > 2
    old, new = logits_agree(pretrained)[0], LanguageModel.load(pretrained, vocab_size=32_005)
    assert new.config.vocab_size == 32_005
    for a, b in ((old.model.embed_tokens, new.model.embed_tokens), (old.lm_head, new.lm_head)):
        assert torch.equal(b.weight[:32_000], a.weight) and b.weight.shape == (32_005, 48)
        for row in b.weight[32_000:]:
            torch.testing.assert_close(row, a.weight.mean(dim=0), rtol=0, atol=1e-3)  # bf16 in the file


def test_loading_holds_no_tensor_twice_and_changes_no_file(tmp_path):
    """Memory of its own (the file's mapped pages are the kernel's to drop) while a 100 MB folder is loaded."""
    small_llama(tmp_path, hidden_size=1024, intermediate_size=3072, num_hidden_layers=4, num_attention_heads=16)
    state = {name: tensor.bfloat16() for name, tensor in LanguageModel.load(str(tmp_path)).state_dict().items()}
    model_folder.write_weights(str(tmp_path), state)
    size = (tmp_path / "model.safetensors").stat().st_size
    code = """if True:
        import sys, threading, torch
        from model import LanguageModel
        def own():
            return next(int(l.split()[1]) * 1024 for l in open("/proc/self/status") if l.startswith("RssAnon"))
        highest, done = 0, False
        def watch():
            global highest
            while not done:
                highest = max(highest, own())
        for dtype in (torch.bfloat16, torch.bfloat16, torch.float32):  # the first time, torch loads parts of itself
            before, highest, done = own(), 0, False
            thread = threading.Thread(target=watch)
            thread.start()
            loaded = LanguageModel.load(sys.argv[1], dtype=dtype)
            done = True
            thread.join()
            print(highest - before)
            with torch.no_grad():
                [p.add_(1) for p in loaded.parameters()]
            del loaded"""
    before = (tmp_path / "model.safetensors").read_bytes()
    result = subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=120)
    _, half, full = map(int, result.stdout.split())
    assert half < 0.2 * size, f"{half} bytes beside the {size} of the mapped file"
    assert full < 1.2 * 2 * size, f"{full} bytes for {2 * size} of weights in fp32"
    assert (tmp_path / "model.safetensors").read_bytes() == before, "training wrote into the file it started from"


def test_adapters_start_at_the_pretrained_model_train_alone_and_merge_into_what_they_computed():
    model, ids = tiny_model(tie_word_embeddings=False), torch.randint(8, 900, (2, 20))
    frozen = {name: lambda tensor=tensor.clone(): tensor.clone() for name, tensor in model.state_dict().items()}
    with torch.no_grad():
        before = model(ids)
        lora.add(model, rank=4, alpha=8.0, dropout=0.0, train_vocabulary=False)
        assert torch.equal(model(ids), before)
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    assert len(trained) == 2 * 7 * 2 and all(name.endswith(("lora_a", "lora_b")) for name in trained)
    assert {id(p) for group in model.parameter_groups() for p in group["params"]} == {id(p) for p in trained.values()}
    optimizer = torch.optim.SGD(trained.values(), lr=0.1)
    for _ in range(3):
        model(ids, torch.ones_like(ids)).backward()
        optimizer.step()
    with torch.no_grad():
        after = model(ids)
        assert (after - before).abs().max() > 0.1
        merged = tiny_model(tie_word_embeddings=False)
        state = lora.merge({name: p.detach() for name, p in trained.items()}, frozen, alpha=8.0)
        assert state.keys() == merged.state_dict().keys()
        merged.load_state_dict(state)
        torch.testing.assert_close(merged(ids), after, rtol=1e-4, atol=1e-4)


def test_the_memory_arithmetic_counts_what_adapters_train_and_hold(pretrained, capsys):
    model = LanguageModel.load(pretrained)
    parameters = sum(p.numel() for p in model.parameters())
    lora.add(model, rank=4, alpha=8.0, dropout=0.0, train_vocabulary=True)
    trained = [p.numel() for p in model.parameters() if p.requires_grad]
    vocabulary = 2 * 32_000 * 48
    memory.main(["--config", os.path.join(ROOT, "configs", "finetune.json"), "--set", f"stages.sft.init_from={pretrained}",
                   "--set", "stages.sft.lora.rank=4"])
    output = capsys.readouterr().out
    assert f"{parameters:,} parameters, ZeRO-2" in output
    assert f"{sum(trained) - vocabulary:,} in adapters of rank 4, {vocabulary:,} in embedding and head" in output
    held = memory.memory_per_gpu(1000, trained=10, zero_stage=0, ranks=1, offload=False)
    assert held == {"gpu": 2 * 1000 + 2 * 10 + 12 * 10, "host": 0.0}


def config_of(folder, pretrained, zero, **changes) -> str:
    train, held_out = ([{"demo": "conversations", "split": split, "count": n}] for split, n in (("train", 60), ("validation", 4)))
    stage = {"name": "sft", "init_from": pretrained, "data": train, "steps": 4, "log_every": 1, "validation": held_out}
    config = {"out_dir": str(folder / "out"), "model": {"max_position_embeddings": 128}, "stages": [stage], "deepspeed": {
        "train_batch_size": 4, "optimizer": {"type": "AdamW", "params": {"lr": 3e-3, "betas": [0.9, 0.95], "eps": 1e-6}},
        "zero_optimization": {"stage": zero, "stage3_param_persistence_threshold": 0}}} | changes
    folder.mkdir(exist_ok=True)
    (folder / "c.json").write_text(json.dumps(config))
    return str(folder / "c.json")


@pytest.fixture(scope="module")
def fine_tuned(pretrained, tmp_path_factory):
    """The same fine-tuning in full, in full on two ranks that hold a share of the weights each, and with adapters
    by configs/finetune.json."""
    found = {}
    for name, zero in (("full", 1), ("partitioned", 3), ("lora", 2)):
        folder = tmp_path_factory.mktemp(name)
        words = [sys.executable, "train.py", "--config", config_of(folder, pretrained, zero)]
        if name == "lora":
            demo = json.dumps([{"demo": "conversations", "count": 60}])
            given = {"out_dir": folder / "out", "stages.sft.init_from": pretrained, "stages.sft.lora.rank": 4,
                     "stages.sft.data": demo, "stages.sft.epochs": "null", "stages.sft.steps": 4, "deepspeed.train_batch_size": 4,
                     "deepspeed.train_micro_batch_size_per_gpu": 2, "model.max_position_embeddings": 128}
            words[-1] = "configs/finetune.json"
            words += [word for key, value in given.items() for word in ("--set", f"{key}={value}")]
        if name == "partitioned":
            launcher = os.path.join(os.path.dirname(sys.executable), "deepspeed")
            words = [launcher, "--num_gpus", "2", "--master_port", "29531", *words[1:]]
        result = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=300, env=environment(OMP_NUM_THREADS="1"))
        assert result.returncode == 0, result.stdout + result.stderr
        found[name] = str(folder / "out")
    return found


@pytest.mark.slow
def test_fine_tuning_starts_from_the_folder_transformers_loads_the_result_and_ranks_with_a_share_each_train_the_same(
        pretrained, fine_tuned):
    with open(os.path.join(fine_tuned["full"], "sft", "metrics.jsonl")) as file:
        first, last = [e["validation_loss"] for e in map(json.loads, file) if "validation_loss" in e]
    assert last < first - 0.3
    ours, theirs = logits_agree(fine_tuned["full"])
    assert ours.config.vocab_size == 32_005 and ours.config.max_position_embeddings == 256, "the model's, not the rows'"
    assert ours.config.rope_scaling == LLAMA3 and theirs.generation_config.eos_token_id == [32_004, 2]
    engine = load_engine(fine_tuned["full"], device="cpu")
    prompt = engine.tokenizer.render(chats(1)[0][:1], add_generation_prompt=True)[0]
    assert isinstance("".join(engine.stream(prompt, Sampling(max_new_tokens=5, seed=1))), str)
    assert f"base_model: {os.path.basename(pretrained)}" in open(os.path.join(fine_tuned["full"], "README.md")).read()
    one, two = (LanguageModel.load(fine_tuned[name]).state_dict() for name in ("full", "partitioned"))
    for name in one:
        assert float((one[name] - two[name]).norm() / one[name].norm()) < 1e-3, name


@pytest.mark.slow
def test_full_and_adapter_fine_tuning_write_the_same_artifact_and_what_adapters_leave_alone_is_untouched(pretrained, fine_tuned):
    full, adapted = (model_folder.Weights(fine_tuned[name]) for name in ("full", "lora"))
    assert full.shapes == adapted.shapes
    for name in ("config.json", "generation_config.json", "tokenizer.model", "tokenizer_config.json"):
        a, b = (open(os.path.join(fine_tuned[kind], name), "rb").read() for kind in ("full", "lora"))
        assert a == b, name
    before, after = LanguageModel.load(pretrained).state_dict(), logits_agree(fine_tuned["lora"])[0].state_dict()
    for name in before:
        changed = not torch.equal(before[name], after[name][:len(before[name])])
        assert changed is (not name.endswith("norm.weight")), name
    embedded = after["model.embed_tokens.weight"]
    assert float((embedded[32_001] - embedded[32_004]).norm()) > 0, "new tokens that stay copies of one another"


@pytest.mark.parametrize("write", [torch.save, lambda state, path: path.write_bytes(pickle.dumps(state))])
def test_a_pickle_that_would_run_code_is_refused_and_does_not_run(tmp_path, write):
    class Payload:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path / 'ran'}",)

    small_llama(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    write({"model.norm.weight": Payload()}, tmp_path / "pytorch_model.bin")
    with pytest.raises(ValueError, match="pytorch_model.bin holds more than tensors.*have its owner save it as safetensors"):
        LanguageModel.load(str(tmp_path))
    assert not (tmp_path / "ran").exists()


def without_a_shard(folder):
    small_llama(folder).save_pretrained(folder, max_shard_size="20KB")
    (folder / "model.safetensors").unlink()
    next(folder.glob("model-00002-of-*.safetensors")).unlink()


@pytest.mark.parametrize("change, message", [
    (lambda folder: (folder / "config.json").unlink(), "is not a model folder: it has no config.json"),
    (lambda folder: (folder / "config.json").write_text("{"), "config.json: not JSON"),
    (lambda folder: (folder / "model.safetensors").unlink(), "is not a finished model: it has no model.safetensors"),
    (lambda folder: (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:-100]),
     "model.safetensors is damaged or cut off"),
    (without_a_shard, ".safetensors, which is missing"), (lambda folder: model_folder.write_weights(
        str(folder), LanguageModel.load(str(folder)).state_dict() | {"model.layers.0.self_attn.q_proj.bias": torch.zeros(32)}),
     "q_proj.bias has no place in the model"),
    (edited(architectures=["GemmaForCausalLM"]), "architecture GemmaForCausalLM is not supported, only Llama, Mistral, Qwen2,"),
    (edited(architectures=["Qwen2ForCausalLM"]), "self_attn.q_proj.bias should be [32], found nothing"),
    *((edited(**{key: True}), f"{key} true is not supported, only false") for key in ("attention_bias", "mlp_bias")),
    (edited(hidden_act="gelu"), "hidden_act \"gelu\" is not supported, only \"silu\""),
    (edited(head_dim=16), "self_attn.q_proj.weight should be [64, 32], found [32, 32]"),
    (edited(sliding_window=32), "sliding_window 32 is not supported; max_position_embeddings is 64"),
    (edited(quantization_config={"bits": 4}), "quantization_config {\"bits\": 4} is not supported"),
    (edited(rope_scaling={"rope_type": "yarn", "factor": 4.0}), "rope_scaling of type 'yarn' is not supported, only linear and"),
    (edited(rope_scaling={"rope_type": "llama3", "factor": 4.0}), "rope_scaling of type 'llama3' needs low_freq_factor"),
    (edited(intermediate_size=64), "model.layers.0.mlp.gate_proj.weight should be [64, 32], found [48, 32]"),
    (edited(num_hidden_layers=3), "model.layers.2.input_layernorm.weight should be [32], found nothing"),
    (edited(num_hidden_layers=1), "model.layers.1.input_layernorm.weight has no place in the model")])
def test_a_folder_that_cannot_be_used_is_refused_in_one_line_that_names_what_is_wrong(tmp_path, change, message):
    small_llama(tmp_path)
    change(tmp_path)
    with pytest.raises(ValueError) as caught:
        LanguageModel.load(str(tmp_path))
    assert message in str(caught.value) and str(tmp_path) in str(caught.value) and "\n" not in str(caught.value)


def test_a_start_that_does_not_fit_the_run_is_refused_before_anything_is_written(pretrained, tmp_path, tokenizer_folder):
    def refused(message, **changes):
        config = load_config(config_of(tmp_path, pretrained, 1))
        for key, value in changes.items():
            section, _, name = key.partition("__")
            config[section] = {**config[section], name: value} if name else value
        with pytest.raises(ValueError) as caught:
            train.check_base(pretrained, config)
        assert message in str(caught.value) and "\n" not in str(caught.value)

    refused("has 900 pieces, the model", tokenizer__path=tokenizer_folder)
    refused("a vocabulary of 32000", tokenizer__path=tokenizer_folder)
    refused("the tokens of a row, is more than the 256", model__max_position_embeddings=512)
    refused("is also out_dir", out_dir=pretrained)
    refused("lora.rank 25 is more than the 24 of the narrowest matrix", stages=[{"lora": {"rank": 25}}])
    refused("has no chat template to keep", tokenizer__chat_template="keep")
    with pytest.raises(ValueError, match="model.hidden_size: the shape is that of init_from"):
        load_config(config_of(tmp_path, pretrained, 1, model={"hidden_size": 64}))
    train.check_base(pretrained, load_config(config_of(tmp_path, pretrained, 1)))


@pytest.mark.slow
def test_a_run_from_a_folder_that_is_no_model_is_one_line_and_leaves_nothing(tmp_path):
    result = launch("train.py", "--config", config_of(tmp_path, str(tmp_path / "nowhere"), 1))
    assert result.returncode == 1 and not (tmp_path / "out").exists()
    assert re.fullmatch(f"error: {tmp_path}/nowhere is not a model folder: it has no config.json [^\n]*\n", result.stderr)


def test_a_tokenizer_that_has_a_marker_as_ordinary_text_or_is_of_another_kind_is_told_apart(tmp_path):
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ValueError, match="tokenizer.json is no tokenizer that the library reads"):
        Tokenizer(str(tmp_path))
    more = {"byte_fallback": True, "user_defined_symbols": ["<|user|>"], "model_prefix": f"{tmp_path}/tokenizer"}
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(["a b c d e f"] * 9), vocab_size=268, minloglevel=2, **more)
    with pytest.raises(ValueError, match=r"tokenizer.model: the tokenizer has <\|user\|> as ordinary text already"):
        Tokenizer(str(tmp_path), "markers")
