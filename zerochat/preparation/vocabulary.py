"""SentencePiece learns a vocabulary from the run's own training data (Kudo & Richardson 2018)."""

import io
import itertools
import os
import re
from collections.abc import Iterable, Iterator

import numpy as np
from sentencepiece import SentencePieceTrainer

from zerochat.preparation.shards import samples, texts_of

SAMPLE_SEED = 1337  # of what is learned from; not the run's seed, as in gather.py
# Every string comes back as it went in: no normalisation, blanks as they are, what is not in the vocabulary as bytes.
EXACT: dict = {"normalization_rule_name": "identity", "remove_extra_whitespaces": False, "add_dummy_prefix": False}
EXACT |= {"allow_whitespace_only_pieces": True, "byte_fallback": True, "user_defined_symbols": ["\n"], "minloglevel": 2}
IDS: dict = {"unk_id": 0, "bos_id": 1, "eos_id": 2, "pad_id": 3}


def lines_of(folders: list[str], most: int) -> Iterator[str]:
    """The texts of the samples in some shards' folders, line by line; by chance some `most` characters of them. A book
    is one sample, so what is left out is chosen by line."""
    size = sum(os.path.getsize(os.path.join(folder, "samples.jsonl")) for folder in folders)
    share, chosen = min(1.0, most / max(1, size)), np.random.default_rng(SAMPLE_SEED)
    for sample in itertools.chain.from_iterable(map(samples, folders)):
        for text in texts_of(sample):
            yield from (line for line in text.split("\n") if share == 1.0 or chosen.random() < share)


def learn(texts: Iterable[str], symbols: list[str], options: dict) -> bytes:
    """A serialized SentencePiece model; options: the config's section `tokenizer`; symbols: control symbols. The same
    texts in the same order give the same model, on any number of cores. Raises ValueError, naming the largest
    vocabulary that fits, where the texts are too few."""

    def lines() -> Iterator[str]:
        # SentencePiece learns from lines and skips any over 4192 bytes, so long ones are cut.
        seen = 0
        for text in texts:
            for line in text.split("\n"):
                for begin in range(0, len(line), 1000):
                    yield line[begin : begin + 1000].encode("utf-8", "replace").decode("utf-8").replace("\0", " ")
            seen += len(text)
            if seen > options["max_train_chars"]:
                return

    model, kind = io.BytesIO(), options["model_type"]
    chosen: dict = {key: options[key] for key in ("vocab_size", "model_type", "character_coverage", "split_digits")}
    chosen |= {"max_sentencepiece_length": options["max_piece_length"], "control_symbols": symbols}
    chosen["num_threads"] = os.cpu_count() or 1 if kind == "bpe" else 1  # unigram's sums depend on their number
    try:
        SentencePieceTrainer.train(sentence_iterator=lines(), model_writer=model, **chosen, **EXACT, **IDS)
    except (RuntimeError, OSError) as error:
        raise ValueError(f"tokenizer.vocab_size {options['vocab_size']}: {_advice(str(error))}") from error
    return model.getvalue()


def _advice(error: str) -> str:
    if fits := re.search(r"value <= (\d+)", error):
        return f"too large for this training text; at most {fits[1]} fits"
    if needs := re.search(r"smaller than required_chars\D*\d+ vs (\d+)", error):
        return f"too small: bytes, markers and this text's characters need at least {needs[1]}"
    return "SentencePiece could not train: " + " ".join(error.split())
