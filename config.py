"""The one config file: plain JSON over these defaults, every key checked, every number in one place.

    python config.py --config configs/base.json     # check it

Only differences need writing down; `configs/small.json` is a complete example. A key that does not exist is an error
that names it and the nearest one that does. The section `deepspeed` is DeepSpeed's own configuration and is passed on
with values `"auto"` resolved and gradients clipped at 1.0 where nothing is said (`zerochat/training/engine.py`)."""

import argparse
import copy
import difflib
import json
import os
from typing import Any

from model import TRAINING_FIELDS, ModelConfig
from zerochat.preparation.formats import FORMATS, NAMES, TEXT_FORMATS
from zerochat.preparation.gather import name_of
from zerochat.run_folder import RESERVED
from zerochat.training.section import ABOVE_0, MOST, SECTION_KEYS, check_section, check_value

SMALL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "configs", "small.json")

SOURCE: dict = {
    "path": None,  # a file, a folder or a glob, relative to data.data_root; or
    "demo": None,  # "conversations" or "documents": the built-in data
    "format": "auto",  # text, lines, or a name from formats.FORMATS; auto: recognised by looking
    "columns": {},  # keys that nobody guesses: {"Frage": "question", "Antwort": "answer"}
    "encoding": "utf-8",  # of the files: "gb18030", "latin-1", ... a byte order mark of UTF-8 is always understood
    "weight": 1.0,  # how often an epoch has each sample: 2 is twice, 0.5 every other one
    "split": None,  # of demo data: "train" (null, too) or "validation"
    "count": 1000,  # of demo data: how many
    "seed": 0,  # of demo data
    "made_up": 0.0,  # of demo data: the share of names, dishes, places and things that are random signs, to be copied
    "limit": None,  # read at most so many records
}

STAGE: dict = {
    "name": None,
    "data": [],  # sources
    "validation": [],  # sources; empty: data.validation_fraction of `data` is held out
    "init_from": None,  # Llama folder to start from; null: the stage before, else random weights
    "steps": None,  # optimizer steps, or
    "epochs": None,  # passes over the data
    "lora": {"rank": 0, "alpha": 16.0, "dropout": 0.0},  # adapters, times alpha / rank; rank 0: train all weights
    "loss_on": "assistant",  # or "all": plain language modelling on chats, for comparison only
    "log_every": 10,  # steps between lines in metrics.jsonl
    "evaluate_every": 200,  # steps between validations
    "checkpoint_every": 200,  # steps between checkpoints
    "deepspeed": {},  # merged over the section `deepspeed` for this stage
}

DEFAULTS: dict = {
    "out_dir": "out/small",
    "seed": 1337,
    "tokenizer": {
        "path": None,  # folder of an existing tokenizer; null: init_from's, else train one on the run's data
        "chat_template": "markers",  # ours, added if missing; "keep": the model's own; "chatml": as many models do
        "vocab_size": 2048,
        "model_type": "bpe",  # or "unigram"
        "character_coverage": 0.9995,
        "split_digits": True,
        "max_piece_length": 16,  # in characters: in a narrow corpus whole phrases would become one token
        "max_train_chars": 20_000_000,  # so many characters, drawn by chance, train it
    },
    "data": {
        "data_root": ".",
        "rules": {},  # cleaning rules to switch off: {"name": false}; clean.py lists them
        "deduplicate": True,  # texts that differ only in case, width, blanks and end marks are the same
        "near_duplicates": None,  # such as 0.8: so are texts whose character n-grams are this alike
        "tools": "drop",  # conversations with tool turns; "text": calls as answers, results as questions
        "max_bad": 0.01,  # a larger share of unreadable records stops the run
        "strict": False,  # the first one stops it
        "processes": None,  # that prepare; null: one a core, where there is enough to do. The result is the same
        "augment": {  # of the training split, user's text only; probabilities
            "variants": 0,  # versions of each sample, epoch e sees version e mod variants; 0: off
            "typos": 0.0,  # per character
            "case": 0.0,
            "punctuation": 0.0,
            "width": 0.0,
            "subword": 0.0,  # BPE dropout, or unigram's inverse temperature: less is noisier
        },
        # Of all conversations, the share that is joined from 2 to `turns` samples of these sources ([]: of all).
        "join": {"share": 0.0, "turns": 4, "sources": []},
        "validation_fraction": 0.02,
        "validation_overlap": 1,  # tokens of context repeated, unsupervised, at a cut in held-out plain text
    },
    "model": {name: field.default for name, field in ModelConfig.__dataclass_fields__.items() if name != "vocab_size"},
    "stages": [],
    "evaluate": {
        "data": [],  # sources of conversations to answer when training is over
        "max_new_tokens": 128,
        "slots": 32,  # answers generated side by side
    },
    "deepspeed": {},
}

FREE = ("data.rules", "columns")  # sections whose keys are the user's
NAMED = [*" ".join(NAMES.values()).split(), "text", "history", "choices", "chosen", "rejected"]
# What a value may be, by its key: one of these texts, or a number from ... to ...
ALLOWED: dict[str, tuple] = dict.fromkeys(("rank", "variants"), (0, 2**12))
ALLOWED |= {"seed": (0, 2**32 - 1), "limit": (1, MOST), "count": (1, 10**8), "slots": (1, 2**12), "turns": (2, 64)}
ALLOWED |= {"model_type": ("bpe", "unigram"), "chat_template": ("markers", "keep", "chatml"), "tools": ("drop", "text")}
ALLOWED |= {"demo": ("conversations", "documents"), "split": ("train", "validation"), "loss_on": ("assistant", "all")}
ALLOWED |= {"format": (*TEXT_FORMATS, *FORMATS), "weight": (0.001, 100), "character_coverage": (0.98, 1)}
ALLOWED |= {"validation_fraction": (0, 0.5), "near_duplicates": (0.5, 1), "max_bad": (0, 1), "processes": (1, 1024)}
ALLOWED |= dict.fromkeys(("attention_dropout", "hidden_dropout", "dropout", "share", "made_up"), (0, 0.99))
ALLOWED |= dict.fromkeys(("typos", "case", "punctuation", "width", "subword"), (0, 1))
ALLOWED |= dict.fromkeys(("steps", "epochs", "log_every", "evaluate_every", "checkpoint_every"), (ABOVE_0, MOST))
ALLOWED |= dict.fromkeys(("num_hidden_layers", "num_attention_heads"), (1, 2**12))
ALLOWED |= dict.fromkeys(("num_key_value_heads", "head_dim"), (0, 2**12))
ALLOWED |= {"hidden_size": (1, 2**20), "intermediate_size": (0, 2**22), "vocab_size": (1, 2**24)}
ALLOWED |= {"max_position_embeddings": (1, 2**24), "rope_theta": (1, 1e12)}
ALLOWED |= {"rms_norm_eps": (0, 1), "initializer_range": (0, 1), "alpha": (ABOVE_0, MOST)}
# The kind of what is null by default.
KINDS = {"path": "", "demo": "", "split": "", "limit": 0, "steps": 0, "epochs": 0.0, "init_from": ""}
KINDS |= {"near_duplicates": 0.0, "processes": 0}


def load_config(path: str, overrides: list[str] | tuple = ()) -> dict:
    """Defaults, then the file, then each `section.key=value`; raises ValueError naming file and key. A value is read as
    JSON where it is JSON and as text where not; a stage is addressed by its name."""
    try:
        with open(path, encoding="utf-8") as file:
            given = json.load(file)
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not UTF-8, at byte {error.start}; save it as UTF-8") from None
    except RecursionError:
        raise ValueError(f"{path}: lists or objects in more lists or objects than can be read") from None
    except FileNotFoundError:
        raise ValueError(f"{path}: no such config file; configs/small.json is one to start from") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}:{error.lineno}:{error.colno}: not JSON: {error.msg}") from None
    for override in overrides:
        _set(given, override)
    config = _merge(DEFAULTS, given, path, "")
    check_section(config["deepspeed"], f"{path}: deepspeed")
    config["stages"] = [_stage(stage, f"{path}: stages[{i}]") for i, stage in enumerate(config["stages"])]
    if starts := [stage["init_from"] for stage in config["stages"] if stage["init_from"]]:
        config["tokenizer"]["path"] = config["tokenizer"]["path"] or starts[0]
    if config["stages"] and config["stages"][0]["init_from"]:
        allowed = ("max_position_embeddings", *TRAINING_FIELDS)
        for key in set(given.get("model", {})) - set(allowed):
            advice = f"leave it out (of this section only {', '.join(allowed)} count)"
            raise ValueError(f"{path}: model.{key}: the shape is that of init_from, {starts[0]}; {advice}")
    config["evaluate"]["data"] = sources_of(config["evaluate"]["data"], f"{path}: evaluate.data")
    _check(config, path)
    return config


def deep_merge(base: dict, over: dict) -> dict:
    """A copy of `base` with the values of `over` in it, objects merged key by key."""
    merged = copy.deepcopy(base)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = deep_merge(merged[key], value) if both else copy.deepcopy(value)
    return merged


def _set(given: dict, override: str) -> None:
    keys, equals, text = override.partition("=")
    if not equals:
        raise ValueError(f"--set {override}: write it as section.key=value")
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        value = text
    target, path = given, list[Any](keys.split("."))
    for i, key in enumerate(path):
        if isinstance(target, list):
            stages = {item.get("name"): item for item in target if isinstance(item, dict)}
            if key not in stages:
                known = f"no stage is named {key!r}; there are {', '.join(map(str, stages))}"
                raise ValueError(f"--set {override}: {known if i == 1 else f'{path[i - 1]} is a list: give it whole'}")
            key = target.index(stages[key])
        elif not isinstance(target, dict):
            raise ValueError(f"--set {override}: {'.'.join(path[:i])} has no keys")
        if i == len(path) - 1:
            target[key] = value
        else:
            target = target[key] if isinstance(target, list) else target.setdefault(key, {})


def _merge(defaults: dict, given: dict, path: str, section: str) -> dict:
    if not isinstance(given, dict):
        raise ValueError(f"{path}: {section or 'the config'} should be a JSON object, found {given!r}")
    merged = copy.deepcopy(defaults)
    for key, value in given.items():
        full = f"{section}.{key}" if section else key
        known = SECTION_KEYS if section.endswith("deepspeed") else defaults
        if key not in known and section not in FREE:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
            hint = f"; did you mean {near[0]!r}?" if near else f"; known here: {', '.join(sorted(known))}"
            raise ValueError(f"{path}: unknown key {full!r}{hint}")
        default = defaults.get(key)
        if isinstance(default, dict) or key == "deepspeed":
            merged[key] = _merge(default or {}, value, path, full)
            continue
        kind = KINDS.get(key) if default is None else default
        if kind is not None and (value is not None or default is not None) and "deepspeed" not in section:
            check_value(kind, ALLOWED.get(key), value, f"{path}: {full}")
        merged[key] = value
    return merged


def sources_of(sources, where: str) -> list[dict]:
    if not isinstance(sources, list):
        raise ValueError(f"{where} should be a list of sources, found {json.dumps(sources)}")
    sources = [_merge(SOURCE, {"path": s} if isinstance(s, str) else s, where, "") for s in sources]
    for source in sources:
        if bool(source["path"]) == bool(source["demo"]):
            raise ValueError(f'{where}: a source needs either "path" or "demo"')
        wrong = [name for name in source["columns"].values() if name not in NAMED]
        if wrong:
            names = ", ".join(NAMED)
            raise ValueError(f"{where}: columns should give names of a record ({names}), found {json.dumps(wrong[0])}")
        try:
            "".encode(source["encoding"])  # "hex" and the like are found, and encode no text
        except (LookupError, ValueError, TypeError):
            raise ValueError(f"{where}: no encoding is called {source['encoding']!r}") from None
    return sources


def _stage(given: dict, where: str) -> dict:
    stage = _merge(STAGE, given, where, "")
    name = stage["name"]
    if not isinstance(name, str) or not name.isidentifier() or name in RESERVED:
        raise ValueError(f"{where}: name should be one word, not {' or '.join(RESERVED)}, found {json.dumps(name)}")
    where = f"{where} ({name})"
    check_section(stage["deepspeed"], f"{where} deepspeed")
    if (stage["steps"] is None) == (stage["epochs"] is None):
        raise ValueError(f"{where}: give either steps or epochs")
    for key in ("data", "validation"):
        stage[key] = sources_of(stage[key], f"{where} {key}")
    return stage


def _check(config: dict, path: str) -> None:
    names = [stage["name"] for stage in config["stages"]]
    if not names or len(set(names)) < len(names):
        raise ValueError(f"{path}: stages should be a list of at least one stage, their names all different: {names}")
    if config["stages"][0]["lora"]["rank"] and not config["stages"][0]["init_from"]:
        raise ValueError(f"{path}: stages[0].lora needs init_from: beside random weights there is nothing to adapt")
    named = {name_of(source) for stage in config["stages"] for source in stage["data"]}
    if not named >= set(config["data"]["join"]["sources"]):
        raise ValueError(f"{path}: data.join.sources should be of the sources {sorted(named)}")
    overlap, most = config["data"]["validation_overlap"], config["model"]["max_position_embeddings"] - 2
    if not 1 <= overlap <= most:
        raise ValueError(f"{path}: data.validation_overlap should be between 1 and {most}, found {overlap}")
    try:
        ModelConfig(vocab_size=config["tokenizer"]["vocab_size"], **config["model"])
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def main(argv=None) -> None:
    parser = argparse.ArgumentParser(description="check a config")
    parser.add_argument("--config", required=True)
    parser.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE", help="repeatable")
    args = parser.parse_args(argv)
    try:
        load_config(args.config, args.set)
    except (ValueError, OSError) as error:
        raise SystemExit(f"error: {error}") from None
    print(f"{args.config}: every key and value is known")


if __name__ == "__main__":
    main()
