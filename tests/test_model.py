"""The Transformer against definitions, brute force, and transformers' implementation of LLaMA."""

import math
import re

import pytest
import torch
import torch.nn.functional as F
from tiny import count_parameters, tiny_config, tiny_model

import model as page
from benchmarks.memory import memory_per_gpu
from model import LanguageModel, ModelConfig, document_layout, save


def random_ids(*shape):
    return torch.randint(8, 900, shape, generator=torch.Generator().manual_seed(1))


def test_no_position_depends_on_a_later_token_shown_by_gradients():
    model = tiny_model()
    ids = random_ids(1, 12)
    embedded = model.model.embed_tokens(ids).detach().requires_grad_()
    model.model.embed_tokens.forward = lambda _: embedded
    for position in range(12):
        (gradient,) = torch.autograd.grad(model(ids)[0, position].sum(), embedded, retain_graph=True)
        reaches = gradient[0].abs().sum(-1) > 0
        assert reaches[:position + 1].all() and not reaches[position + 1:].any()


def test_packed_documents_do_not_see_each_other_and_packing_changes_no_loss():
    """Where they begin the mask says, and no token: one opens with another id, one has `<s>` before every message."""
    positions, mask = document_layout(torch.tensor([[True, False, False, True, False]]))  # the row drawn in its docstring
    assert positions.tolist() == [[0, 1, 2, 0, 1]]
    assert mask[0, 0].int().tolist() == [[1, 0, 0, 0, 0], [1, 1, 0, 0, 0], [1, 1, 1, 0, 0], [0, 0, 0, 1, 0], [0, 0, 0, 1, 1]]
    assert document_layout(torch.tensor([[True, False, False]]))[1] is None, "one document: the fused causal kernel will do"
    model, normed = tiny_model(), []
    model.model.norm.register_forward_hook(lambda module, args, out: normed.append(out))

    def logits_of_row(ids, mask):
        """Those that the model computes on its way to the loss."""
        model(ids, mask)
        return model.lm_head(normed[-1])[0]

    a, b, c = (torch.cat((torch.tensor([first]), random_ids(n))) for first, n in ((1, 9), (1, 14), (77, 5)))
    b[4] = b[9] = 1
    packed = torch.cat((a, b, c))[None]
    mask = (torch.rand(packed.shape, generator=torch.Generator().manual_seed(2)) < 0.6).to(torch.uint8)
    mask[0, [0, len(a), len(a) + len(b)]] = 2
    alone = torch.cat([model(d[None])[0] for d in (a, b, c)])
    torch.testing.assert_close(logits_of_row(packed, mask), alone, rtol=1e-4, atol=1e-4)
    changed = packed.clone()
    changed[0, 4] = 77  # inside a
    assert torch.equal(logits_of_row(changed, mask)[len(a):], logits_of_row(packed, mask)[len(a):])
    parts = [(d[None], m[None]) for d, m in zip((a, b, c), mask[0].split([len(a), len(b), len(c)]))]
    with torch.no_grad():
        parted = sum(float(model(i, m)) for i, m in parts)
        assert float(model(packed, mask)) == pytest.approx(parted, rel=1e-5)
        unmarked = sum(float(model(i, m == 1)) for i, m in parts)
        assert parted == pytest.approx(unmarked, rel=1e-6), "a token that opens a document is not supervised"


def test_attention_by_products_in_blocks_is_its_formula_and_the_fused_kernels_for_whose_half_precision_it_stands(monkeypatch):
    q, k, v = (torch.randn(2, heads, 300, 6, dtype=torch.float64, requires_grad=True) for heads in (4, 2, 2))
    causal = torch.ones(2, 1, 300, 300).tril().bool()
    documents = causal & document_layout(torch.rand(2, 300) < 0.1)[1]
    for mask, allowed in ((documents, documents), (None, causal)):
        found, theirs = page.attend(q, k, v, mask), F.scaled_dot_product_attention(q, k, v, allowed, enable_gqa=True)
        weights = [math.exp((q[1, 3, 290] @ k[1, 1, s]).item() / 6**0.5) * allowed[1, 0, 290, s] for s in range(300)]
        torch.testing.assert_close(found[1, 3, 290], sum(w * v[1, 1, s] for s, w in enumerate(weights)) / sum(weights))
        torch.testing.assert_close(found, theirs)
        torch.testing.assert_close(*(torch.autograd.grad((y**2).sum(), (q, k, v)) for y in (found, theirs)))
    fused, model, ids = [], tiny_model(attention_dropout=0.5), random_ids(1, 8)
    monkeypatch.setattr(F, "scaled_dot_product_attention", lambda q, k, v, mask, dropout, **_: fused.append(dropout) or q)
    model(ids), model.train()(ids)
    assert fused == [0.0] * 2 + [0.5] * 2  # of two layers
    model.bfloat16()
    assert not model(ids).equal(model(ids)) and model.eval()(ids).equal(model(ids)) and len(fused) == 4


def test_loss_is_the_sum_over_supervised_tokens_of_minus_log_p_and_without_any_it_is_zero_with_zero_gradient():
    model = tiny_model()
    ids, mask = random_ids(3, 10), torch.rand(3, 10) < 0.5
    log_p = F.log_softmax(model(ids).double(), dim=-1)
    expected = -sum(log_p[b, t - 1, ids[b, t]] for b in range(3) for t in range(1, 10) if mask[b, t])
    assert float(model(ids, mask)) == pytest.approx(float(expected), rel=1e-5)
    loss = model(random_ids(2, 8), torch.zeros(2, 8, dtype=torch.bool))
    loss.backward()
    assert float(loss) == 0 and all(float(p.grad.abs().sum()) == 0 for p in model.parameters() if p.grad is not None)


@pytest.mark.parametrize("changes", [
    {}, {"tie_word_embeddings": False}, {"num_key_value_heads": 4}, {"num_key_value_heads": 1, "rope_theta": 500.0},
    {"rope_scaling": {"rope_type": "linear", "factor": 4.0}},
    {"rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                      "original_max_position_embeddings": 24}}])
def test_transformers_loads_what_we_save_and_computes_the_same_logits(tmp_path, changes):
    transformers = pytest.importorskip("transformers")
    model, ids = tiny_model(**changes), random_ids(2, 64)
    save(str(tmp_path), model.config, model.state_dict(), {"bos_token_id": 1, "pad_token_id": 3, "eos_token_id": [7, 2]})
    oracle = transformers.AutoModelForCausalLM.from_pretrained(tmp_path, dtype=torch.float32)
    with torch.no_grad():
        torch.testing.assert_close(model(ids), oracle(ids).logits, rtol=0, atol=1e-4)
        torch.testing.assert_close(LanguageModel.load(str(tmp_path))(ids), model(ids), rtol=0, atol=0)
        assert not changes or (tiny_model()(ids) - model(ids)).abs().max() > 1e-2, f"{changes} changed nothing"


def test_one_batch_is_overfitted_to_almost_no_loss():
    model = tiny_model(initializer_range=0.02).train()
    ids, mask = random_ids(4, 24), torch.ones(4, 24, dtype=torch.bool)
    optimizer = torch.optim.AdamW(model.parameter_groups(), lr=1e-2, weight_decay=0.0)
    for _ in range(120):
        optimizer.zero_grad()
        loss = model(ids, mask) / (4 * 23)
        loss.backward()
        optimizer.step()
    assert float(loss.detach()) < 0.02


def test_what_is_recomputed_changes_no_gradient_and_dropout_acts_in_training_only(monkeypatch):
    gradients, whole = [], F.cross_entropy
    monkeypatch.setattr(F, "cross_entropy", lambda logits, *rest, **more: parts.append(len(logits)) or whole(logits, *rest, **more))
    for flag, *most in ((False, 2**27, 2**20), (True, 2**27, 2**20), (False, 4500, 2000)):
        monkeypatch.setattr("model.MOST_LOGITS", most[0]), monkeypatch.setattr("model.CACHED_LOGITS", most[1])
        model, pieces, parts = tiny_model(activation_checkpointing=flag).train(), [], []
        model.lm_head.register_forward_hook(lambda _, x, logits: pieces.append(len(logits)))
        model(random_ids(2, 16), torch.ones(2, 16, dtype=torch.bool)).backward()
        gradients.append([p.grad for p in model.parameters()])
    assert max(pieces) * (size := model.config.vocab_size) <= 4500 and max(parts) * size <= 2000
    assert sum(pieces) == sum(parts) == 2 * 2 * 15 and all(torch.equal(a, b) for a, b in zip(*gradients[:2]))  # 30 logits, twice
    torch.testing.assert_close(gradients[2], gradients[0])
    model, ids = tiny_model(hidden_dropout=0.5, attention_dropout=0.5), random_ids(1, 8)
    assert torch.equal(model(ids), model(ids))
    model.train()
    assert not torch.equal(model(ids), model(ids))


def test_matrices_decay_and_vectors_do_not_and_residual_branches_start_smaller_by_the_root_of_their_number():
    model = tiny_model()
    decayed, spared = model.parameter_groups()
    assert "weight_decay" not in decayed and spared["weight_decay"] == 0
    assert {p.dim() for p in decayed["params"]} == {2} and {p.dim() for p in spared["params"]} == {1}
    assert len(decayed["params"]) + len(spared["params"]) == len(list(model.parameters()))
    layer = LanguageModel(tiny_config(hidden_size=256, num_hidden_layers=8, initializer_range=0.02)).model.layers[3]
    assert float(layer.self_attn.q_proj.weight.detach().std()) == pytest.approx(0.02, rel=0.03)
    assert float(layer.self_attn.o_proj.weight.detach().std()) == pytest.approx(0.02 / math.sqrt(16), rel=0.03)


def test_parameters_are_counted_by_hand_and_memory_follows_the_zero_paper():
    config = ModelConfig(vocab_size=100, hidden_size=32, intermediate_size=48, num_hidden_layers=3, num_attention_heads=4,
                         num_key_value_heads=2, tie_word_embeddings=False)
    layer = 32 * 32 * 2 + 32 * 16 * 2 + 3 * 32 * 48 + 2 * 32
    assert count_parameters(config) == 2 * 100 * 32 + 3 * layer + 32
    # Rajbhandari et al. 2020, figure 1: 7.5B parameters on 64 GPUs.
    for stage, gigabytes in ((0, 120), (1, 31.4), (2, 16.6), (3, 1.9)):
        assert memory_per_gpu(7_500_000_000, 7_500_000_000, stage, 64, offload=False)["gpu"] / 1e9 == pytest.approx(gigabytes, abs=0.05)


def test_impossible_shapes_are_refused_with_their_numbers_and_a_folder_that_is_no_model_by_name(tmp_path):
    for name, value, message in (
            ("hidden_size", 50, "hidden_size 50 is not a multiple of model.num_attention_heads 4"), ("hidden_size", 12, "is odd"),
            ("num_key_value_heads", 3, "num_attention_heads 4 is not a multiple of model.num_key_value_heads 3")):
        with pytest.raises(ValueError, match=re.escape(message)):
            tiny_config(**{name: value})
    for file, told in (("none", "it has no config.json [(]from Hugging"), ("run.json", "it has no config.json yet, since its run has not finished$")):
        (tmp_path / file).write_text("")
        with pytest.raises(ValueError, match=told):
            LanguageModel.load(str(tmp_path))
    model = tiny_model()
    state = {name: tensor for name, tensor in model.state_dict().items() if "layers.1.mlp.up_proj" not in name}
    save(str(tmp_path), model.config, state, {"bos_token_id": 1, "pad_token_id": 3, "eos_token_id": 7})
    with pytest.raises(ValueError, match=r"layers.1.mlp.up_proj.weight should be \[80, 48\], found nothing"):
        LanguageModel.load(str(tmp_path))
