"""Round trips, the chat template with its mask, and streaming; tests/test_interop.py compares with transformers."""

import pytest
import sentencepiece
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import train_tokenizer

from tokenizer import END, LONG, MARKERS, Tokenizer
from zerochat.demo import chats as demo_data

TRICKY = ["", " ", "  two  spaces ", "line\n\n\tindent\r\n", "naïve café", "全角，ＡＢ！", "👨‍👩‍👧 🇨🇳 emoji", "\0nul",
          "<|assistant|>", "<|end|><|user|>", "＜|user|＞", "<s></s><pad><unk>", "<0x41>", "def f(x):\n    return x**2"]
MESSAGES = [{"role": who, "content": text} for who, text in [
    ("system", "Be kind."), ("user", "Hi!"), ("assistant", "Hello."), ("user", "再见"), ("assistant", "See you.")]]


@settings(max_examples=400, deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\u2581"), max_size=80)
       | st.sampled_from(TRICKY) | st.lists(st.sampled_from([*MARKERS, END, "<s>", "x", " "])).map("".join))
def test_every_string_comes_back_and_none_yields_a_control_symbol(tokenizer, text):
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text and not any(tokenizer.pieces.is_control(i) or tokenizer.pieces.is_unknown(i) for i in ids)


@settings(max_examples=200, deadline=None)
@given(text=st.text(st.sampled_from("ab 你好世界😀👩‍🚀é\n"), max_size=30))
def test_streaming_shows_only_whole_characters_and_loses_nothing(tokenizer, text):
    stream = tokenizer.stream()
    parts = [stream.push(i) for i in tokenizer.encode(text)]
    assert "".join(parts) + stream.flush() == text and not any("\ufffd" in part for part in parts)


def test_the_bytes_of_tokens_add_up_to_the_text_and_what_is_none_becomes_one_replacement_character(tokenizer):
    for text in ["Hello 你好 🙈", "a  b\n"]:
        assert b"".join(tokenizer.bytes_of(i) for i in tokenizer.encode(text)) == text.encode()
    assert tokenizer.bytes_of(tokenizer.template.end_id) is tokenizer.bytes_of(tokenizer.bos_id) is None
    assert tokenizer.decode(tokenizer.encode("a\ud800b")) == "a\ufffdb"
    emoji = tokenizer.encode("🙈")
    assert len(emoji) == 4, "the test needs an emoji the tokenizer does not know"
    assert tokenizer.decode([*emoji[:3], *tokenizer.encode("hi")]) == "\ufffdhi"


def test_only_assistant_text_and_end_marker_are_supervised(tokenizer):
    ids, mask = tokenizer.render({"messages": MESSAGES})
    e, role, end = tokenizer.encode, tokenizer.role_ids, tokenizer.template.end_id
    parts = [([tokenizer.bos_id, role["system"], *e("Be kind."), end, role["user"], *e("Hi!"), end, role["assistant"]], 0),
             ([*e("Hello."), end], 1), ([role["user"], *e("再见"), end, role["assistant"]], 0), ([*e("See you."), end], 1)]
    assert ids == [i for part, _ in parts for i in part] and mask == [bool(s) for part, s in parts for _ in part]


def test_a_plain_document_is_supervised_but_for_its_opening_and_a_prompt_is_a_chat_cut_before_its_answer(tokenizer):
    ids, mask = tokenizer.render({"text": "Once."})
    assert ids == [tokenizer.bos_id, *tokenizer.encode("Once."), tokenizer.eos_id] and mask == [False] + [True] * (len(ids) - 1)
    prompt, mask = tokenizer.render(MESSAGES[1:2], add_generation_prompt=True)
    assert tokenizer.render(MESSAGES[1:3])[0][:len(prompt)] == prompt and not any(mask)


def test_an_impossible_vocabulary_and_a_tokenizer_without_the_markers_are_refused(tmp_path):
    for size, message in ((5000, "at most 2[0-9]+ fits|at most 3[0-9]+ fits"), (100, "need at least 2")):
        with pytest.raises(ValueError, match=message):
            train_tokenizer(["the cat sat on the mat"] * 3, str(tmp_path), size)
        assert not (tmp_path / "tokenizer.model").exists(), size
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(["a b c d e f"] * 9), vocab_size=267, byte_fallback=True,
                                             model_prefix=str(tmp_path / "tokenizer"), minloglevel=2)
    with pytest.raises(ValueError, match="lacks the chat markers"):
        Tokenizer(str(tmp_path))


def test_a_long_text_is_encoded_by_lines_to_the_ids_of_the_whole(tokenizer):
    lines = ["The cat  sat.", "", "", "  你好，世界 12", "\t", "x" * 300, " "]
    text = "\n".join(lines * 60)
    assert len(text) > 2 * LONG and tokenizer.lines_apart and tokenizer.encode(text) == tokenizer.pieces.encode(text)
    assert tokenizer.encode("y" * 3 * LONG) == tokenizer.pieces.encode("y" * 3 * LONG)


@pytest.mark.parametrize("kind", ["bpe", "unigram"])
def test_the_same_texts_train_the_same_tokenizer_with_the_same_pieces_on_any_number_of_cores(tmp_path, monkeypatch, kind):
    texts = ["the cat sat on the mat", "a dog ran to the mat", "猫坐在垫子上"] * 5
    a, b = (train_tokenizer(texts, str(tmp_path / name), 300) for name in "ab")
    assert a.pieces.serialized_model_proto() == b.pieces.serialized_model_proto()
    texts = [message["content"] for chat in demo_data.conversations(150, seed=5) for message in chat["messages"]]
    found = []
    for cores in (1, 3):
        monkeypatch.setattr("os.cpu_count", lambda: cores)
        pieces = train_tokenizer(texts, str(tmp_path), 900, kind).pieces
        found.append([(pieces.id_to_piece(i), pieces.get_score(i)) for i in range(len(pieces))])
    assert found[0] == found[1]
