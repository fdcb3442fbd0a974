"""Shared: one small tokenizer, made on the spot; no network, no GPU, no file of the user's."""

import pytest
from tiny import train_tokenizer

from tokenizer import Tokenizer
from zerochat.demo import chats as demo_data


@pytest.fixture(scope="session")
def tokenizer_folder(tmp_path_factory) -> str:
    folder = str(tmp_path_factory.mktemp("tokenizer"))
    texts = [message["content"] for chat in demo_data.conversations(300) for message in chat["messages"]]
    train_tokenizer(texts, folder, vocab_size=900)
    return folder


@pytest.fixture(scope="session")
def tokenizer(tokenizer_folder) -> Tokenizer:
    return Tokenizer(tokenizer_folder)
