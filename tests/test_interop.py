"""The folder that a run writes, from the other side: what transformers and the rest make of it."""

import json
import pickle
import stat

import pytest
import torch
from runs import start_engine
from strings import strings
from tiny import load_engine, save_model, tiny_model

import train
from model import LanguageModel
from tokenizer import END, MARKERS
from zerochat.demo import chats as demo_data
from zerochat.generation.sampling import Sampling
from zerochat.pretrained import folder as model_folder
from zerochat.run_folder import RunFolder
from zerochat.training import engine as engines
from zerochat.training import ranks, report

transformers = pytest.importorskip("transformers")
OPTIMIZER = {"type": "AdamW", "params": {"lr": 1e-3, "betas": [0.9, 0.95], "eps": 1e-6, "weight_decay": 0.1}}


def theirs_of(folder):
    return transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)


@pytest.fixture(scope="module")
def oracle(tokenizer, tmp_path_factory):
    """transformers' tokenizer of our folder."""
    folder = str(tmp_path_factory.mktemp("folder"))
    save_model(folder, tiny_model(), tokenizer)
    return transformers.AutoTokenizer.from_pretrained(folder)


def chats(count, split="train"):
    return [chat["messages"] for chat in demo_data.conversations(count, split=split)]


def test_transformers_gives_the_same_ids_for_ten_thousand_strings_of_every_kind_that_do_not_spell_a_marker(tokenizer, oracle):
    texts = strings(10_000)
    assert len(set(texts)) > 8_000
    texts += ["Hello, world!", "  two  spaces\n\n", "你好，世界！", "🙈 naïve\tx = 12345", "Order 80331 for Zoë"]
    for text, theirs in zip(texts, oracle(texts, add_special_tokens=False)["input_ids"]):
        assert theirs == tokenizer.encode(text), repr(text)
    for marker in (*MARKERS, END, "<s>", "</s>"):  # which stays text here and becomes the marker there
        marker_id = tokenizer.pieces.piece_to_id(marker)
        assert marker_id not in tokenizer.encode(f"a{marker}b") and tokenizer.decode(tokenizer.encode(marker)) == marker
        assert marker_id in oracle.encode(f"a{marker}b", add_special_tokens=False), marker


def test_apply_chat_template_gives_the_ids_and_the_assistant_mask_of_render(tokenizer, oracle):
    said = zip(("system", "user", "assistant", "user", "assistant"), ("Be kind.", "Hi there!", "你好。", "Bye", "See you."))
    said = [{"role": role, "content": text} for role, text in said]
    for messages in [*chats(150), [{"role": "user", "content": ""}, {"role": "assistant", "content": " x \n"}], said, said[:3]]:
        result = oracle.apply_chat_template(messages, return_dict=True, return_assistant_tokens_mask=True)
        assert (list(result["input_ids"]), [bool(m) for m in result["assistant_masks"]]) == tokenizer.render(messages)
        prompt = oracle.apply_chat_template(messages[:-1], add_generation_prompt=True, return_dict=True)["input_ids"]
        assert list(prompt) == tokenizer.render(messages[:-1], add_generation_prompt=True)[0]


@pytest.mark.parametrize("stage", [0, 1, 2, 3])
@pytest.mark.parametrize("changes", [{}, {"tie_word_embeddings": False, "num_key_value_heads": 1}], ids=["tied", "untied"])
def test_transformers_computes_the_logits_of_a_model_trained_in_any_zero_stage(tokenizer, tmp_path, stage, changes):
    """Two optimizer steps, exported as a run exports; and the export is what the engine held."""
    engines.load_deepspeed(verbose=False)
    if not torch.distributed.is_initialized():
        ranks.start_process_group()
    settings = {"train_batch_size": 2, "optimizer": OPTIMIZER, "zero_optimization": {"stage": stage}}
    if stage == 3:  # small parameters, too, are given up between uses, or nothing here would be partitioned
        settings["zero_optimization"]["stage3_param_persistence_threshold"] = 0
    engine = start_engine(tiny_model(**changes).train(), settings, 10, 1)
    rows = [torch.tensor(tokenizer.render(messages)[0][:64]) for messages in chats(8) if len(messages) > 2][:2]
    ids = torch.stack([torch.nn.functional.pad(row, (0, 64 - len(row)), value=tokenizer.pad_id) for row in rows])
    for _ in range(2):
        engine.backward(engine(ids, ids != tokenizer.pad_id) / 100)
        engine.step()
    train.export(engine, str(tmp_path), tokenizer, None, 0)
    engine.eval()
    with torch.no_grad():
        held = engine(ids)
    engine.destroy()
    theirs, ours = theirs_of(tmp_path), LanguageModel.load(str(tmp_path))
    assert theirs.config.tie_word_embeddings is not bool(changes)
    random = torch.randint(8, 900, (2, 64), generator=torch.Generator().manual_seed(stage))
    with torch.no_grad():
        torch.testing.assert_close(theirs(random).logits, ours(random), rtol=0, atol=1e-4)
        for row in rows:  # real chats, each alone: transformers knows nothing of packing
            torch.testing.assert_close(theirs(row[None]).logits, ours(row[None]), rtol=0, atol=1e-4)
        torch.testing.assert_close(held, ours(ids), rtol=0, atol=1e-4)
        assert (ours(ids) - tiny_model(**changes)(ids)).abs().max() > 1e-3, "nothing was trained"


def test_greedy_generation_agrees_for_200_tokens_and_stops_at_the_end_marker(tokenizer, tmp_path):
    model = tiny_model(max_position_embeddings=256, tie_word_embeddings=False)
    forbidden = [tokenizer.bos_id, tokenizer.pad_id, *tokenizer.role_ids.values()]

    def both(silenced):
        save_model(str(tmp_path), model, tokenizer)
        theirs, engine = theirs_of(tmp_path), load_engine(str(tmp_path), device="cpu")
        for messages in chats(3):
            prompt, _ = tokenizer.render(messages[:1], add_generation_prompt=True)
            request = engine.answer_all([prompt], Sampling(temperature=0, max_new_tokens=200))[0]
            ids = torch.tensor([prompt])
            output = theirs.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=200,
                                     suppress_tokens=[*forbidden, *silenced])[0, len(prompt):]
            yield request, output.tolist()

    with torch.no_grad():  # a head that never writes an end marker: the whole 200 tokens are compared
        model.lm_head.weight[[tokenizer.template.end_id, tokenizer.eos_id]] = 0
    for request, output in both([tokenizer.template.end_id, tokenizer.eos_id]):
        assert output == request.tokens and len(output) == 200 and request.finish_reason == "length"
        often = max(set(output), key=output.count)
    with torch.no_grad():  # and one that writes it where it would have written a frequent token
        model.lm_head.weight[tokenizer.template.end_id] = 1.01 * model.lm_head.weight[often]
    stopped = [(request, output) for request, output in both([]) if request.finish_reason == "stop"]
    assert stopped and all(output == request.tokens and output[-1] == tokenizer.template.end_id for request, output in stopped)


def test_large_weights_are_written_in_shards_with_an_index_and_small_ones_replace_them(monkeypatch, tokenizer, tmp_path):
    model = tiny_model(tie_word_embeddings=False)
    whole = sum(p.nbytes for p in model.parameters())
    monkeypatch.setattr(model_folder, "SHARD_BYTES", whole // 3)
    save_model(str(tmp_path), model, tokenizer)
    index = json.loads((tmp_path / "model.safetensors.index.json").read_text())
    names = sorted(set(index["weight_map"].values()))
    assert names[0] == f"model-00001-of-{len(names):05d}.safetensors" and len(names) > 2
    assert index["metadata"]["total_size"] == whole and not (tmp_path / "model.safetensors").exists()
    assert all(stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o644 for name in names), "others may read them"
    ids = torch.randint(8, 900, (1, 30))
    with torch.no_grad():
        assert torch.equal(LanguageModel.load(str(tmp_path))(ids), model(ids))
        torch.testing.assert_close(theirs_of(tmp_path)(ids).logits, model(ids), rtol=0, atol=1e-4)
    monkeypatch.undo()
    save_model(str(tmp_path), model, tokenizer)
    assert sorted(path.name for path in tmp_path.glob("model*")) == ["model.safetensors"]


def test_no_pickle_is_read_between_the_folder_and_an_answer(monkeypatch, tokenizer, tmp_path):
    save_model(str(tmp_path), tiny_model(), tokenizer)
    (tmp_path / "pytorch_model.bin").write_bytes(b"never read")

    def refuse(*_, **__):
        raise AssertionError("something was unpickled")

    for owner, name in ((pickle, "load"), (pickle, "loads"), (pickle, "Unpickler"), (torch, "load")):
        monkeypatch.setattr(owner, name, refuse)
    prompt = tokenizer.render(chats(1)[0][:1], True)[0]
    assert isinstance("".join(load_engine(str(tmp_path), device="cpu").stream(prompt, Sampling(seed=1, max_new_tokens=5))), str)


def test_the_model_card_says_what_it_was_trained_on_and_never_replaces_a_page_of_the_users(tmp_path):
    config = {"stages": [{"name": "sft", "init_from": "/home/me/base/", "steps": 7, "epochs": None, "lora": {"rank": 8}}], "deepspeed": {}}
    preparation = {"stages": {"sft": {"sources": {"chats.jsonl": {"read": 12, "kept": 9}},
                                      "train": {"samples": 9, "tokens": 1234, "supervised": 300}}}}
    stages = {"sft": [{"step": 7, "validation_loss": 1.5, "bits_per_byte": 0.75}]}
    figures = {"conversations": 5, "loss": 0.5, "perplexity": 1.6, "bits_per_byte": 0.25, "likelihood": {}, "groups": {}}
    (tmp_path / "config.json").write_text('{"hidden_size": 48, "num_hidden_layers": 2}')
    report._card(RunFolder(str(tmp_path)), config, preparation, stages, figures)
    text = (tmp_path / "README.md").read_text()
    header = text.split("---")[1]
    assert "library_name: transformers" in header and "base_model: base\n" in header
    for part in ("chats.jsonl: 9 of 12", "1,234", "rank 8", "0.7500", "| hidden_size | 48 |", "5 held-out conversations"):
        assert part in text, part
    report._card(RunFolder(str(tmp_path)), config, preparation, stages, None)
    assert "held-out conversations" not in (tmp_path / "README.md").read_text(), "its own page is renewed"
    (tmp_path / "README.md").write_text("mine")
    report._card(RunFolder(str(tmp_path)), config, preparation, stages, figures)
    assert (tmp_path / "README.md").read_text() == "mine"
