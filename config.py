"""The one config file: plain JSON over these defaults, every key checked, every number in one place.

Only differences need writing down; `configs/small.json` is a complete example. A key that does not exist
is an error that names it and the nearest one that does. The section `deepspeed` is DeepSpeed's own
configuration and is passed on unchanged, except for values `"auto"`, which are resolved at the end of this file.
"""

import codecs
import copy
import difflib
import json

import torch

from model import TRAINING_FIELDS, ModelConfig
from zerochat.preparation.formats import FORMATS

SOURCE = {
    "path": None,  # a file, a folder or a glob, relative to data.data_root, or an http(s) address; or
    "sha256": None,  # of what the address gives
    "demo": None,  # "conversations" or "documents": the built-in data
    "format": "auto",  # text, lines, eou, or a name from sources.FORMATS; auto: recognised by looking
    "encoding": "utf-8",  # of the files: "gb18030", "latin-1", ... a byte order mark of UTF-8 is always understood
    "weight": 1.0,  # how often an epoch has each sample: 2 is twice, 0.5 every other one
    "split": None,  # of demo data: "train" or "validation"
    "count": 1000,  # of demo data: how many
    "seed": 0,  # of demo data
    "limit": None,  # read at most so many records
}

STAGE = {
    "name": None,
    "data": [],  # sources
    "validation": [],  # sources; empty: data.validation_fraction of `data` is held out
    "init_from": None,  # Llama folder to start from; null: the stage before, else random weights
    "steps": None,  # optimizer steps, or
    "epochs": None,  # passes over the data
    "lora": {  # low-rank adapters (lora.py); rank 0: train all weights
        "rank": 0,
        "alpha": 16.0,  # the correction counts alpha / rank
        "dropout": 0.0,
    },
    "loss_on": "assistant",  # or "all": plain language modelling on chats, for comparison only
    "log_every": 10,  # steps between lines in metrics.jsonl
    "evaluate_every": 200,  # steps between validations
    "checkpoint_every": 200,  # steps between checkpoints
    "deepspeed": {},  # merged over the section `deepspeed` for this stage
}

DEFAULTS = {
    "out_dir": "out/small",
    "seed": 1337,
    "tokenizer": {
        "path": None,  # folder of an existing tokenizer; null: init_from's, else train one on the run's data
        "chat_template": "markers",  # for a tokenizer without ours: add them, or "keep" the model's own template
        "vocab_size": 2048,
        "model_type": "bpe",  # or "unigram"
        "character_coverage": 0.9995,
        "split_digits": True,
        "max_piece_length": 16,  # in characters: in a narrow corpus whole phrases would become one token
        "max_train_chars": 20_000_000,  # a sample of so many characters trains it
    },
    "data": {
        "data_root": ".",
        "rules": {},  # cleaning rules to switch off: {"name": false}; clean.py lists them
        "deduplicate": True,  # texts that differ in case, width, blanks and punctuation are the same
        "near_duplicates": None,  # such as 0.8: texts that share so much of their character n-grams are, too
        "tools": "drop",  # conversations with tool turns; "text": calls as answers, results as questions
        "max_bad": 0.01,  # a larger share of unreadable records stops the run
        "strict": False,  # the first one stops it
        "processes": None,  # that prepare; null: one a core, where there is enough to do. The result is the same
        "cache": "~/.cache/zerochat",  # of what is downloaded
        "augment": {  # of the training split, user's text only; probabilities
            "variants": 0,  # versions of each sample, epoch e sees version e mod variants; 0: off
            "typos": 0.0,  # per character
            "case": 0.0,
            "punctuation": 0.0,
            "width": 0.0,
            "subword": 0.0,  # BPE dropout, or the temperature of unigram sampling
            "system": 0.0,  # a system prompt added, or the one there left out
            "suffixes": 0.0,  # the end of a long conversation as one more sample
        },
        "validation_fraction": 0.02,
        "validation_overlap": 1,  # tokens of context repeated, unscored, at a cut in held-out plain text
    },
    "model": {},
    "stages": [],
    "evaluate": {
        "data": [],  # sources of conversations to answer when training is over
        "max_new_tokens": 128,
        "slots": 32,  # conversations answered side by side
    },
    "deepspeed": {},
}
DEFAULTS["model"] = {
    name: field.default for name, field in ModelConfig.__dataclass_fields__.items() if name != "vocab_size"
}

# DeepSpeed accepts unknown top-level keys in silence, so a typing error there would go unnoticed.
DEEPSPEED_KEYS = set(
    """
    train_batch_size train_micro_batch_size_per_gpu gradient_accumulation_steps optimizer scheduler fp16 bf16
    gradient_clipping zero_optimization steps_per_print wall_clock_breakdown activation_checkpointing
    prescale_gradients gradient_predivide_factor communication_data_type data_types dump_state memory_breakdown
    zero_allow_untested_optimizer zero_force_ds_cpu_optimizer flops_profiler comms_logger tensorboard wandb
    csv_monitor comet checkpoint aio compile torch_autocast sparse_gradients seq_parallel_communication_data_type
    """.split()
)


def load_config(path: str, overrides: list[str] = ()) -> dict:
    """Defaults, then the file, then each `section.key=value`; raises ValueError naming file and key.

    A value is read as JSON where it is JSON and as text where not; a stage is addressed by its name.
    """
    try:
        with open(path, encoding="utf-8") as file:
            given = json.load(file)
    except FileNotFoundError:
        raise ValueError(f"{path}: no such config file; configs/small.json is one to start from") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}:{error.lineno}:{error.colno}: not JSON: {error.msg}") from None
    for override in overrides:
        _set(given, override)
    config = _merge(DEFAULTS, given, path, "")
    config["stages"] = [_stage(stage, f"{path}: stages[{i}]") for i, stage in enumerate(config["stages"])]
    if starts := [stage["init_from"] for stage in config["stages"] if stage["init_from"]]:
        config["tokenizer"]["path"] = config["tokenizer"]["path"] or starts[0]
    if config["stages"] and config["stages"][0]["init_from"]:
        for key in set(given.get("model", {})) - {"max_position_embeddings", *TRAINING_FIELDS}:
            raise ValueError(
                f"{path}: model.{key}: the shape is that of init_from, {starts[0]}; leave it out (of this "
                f"section only max_position_embeddings, {', '.join(TRAINING_FIELDS)} count)"
            )
    config["evaluate"]["data"] = _sources(config["evaluate"]["data"], f"{path}: evaluate.data")
    _check(config, path)
    return config


def _set(given: dict, override: str) -> None:
    keys, equals, text = override.partition("=")
    if not equals:
        raise ValueError(f"--set {override}: write it as section.key=value")
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        value = text
    target, path = given, keys.split(".")
    for i, key in enumerate(path):
        if isinstance(target, list):
            named = [stage for stage in target if stage.get("name") == key]
            if not named:
                names = ", ".join(str(stage.get("name")) for stage in target)
                raise ValueError(f"--set {override}: no stage is named {key!r}; there are {names}")
            key = target.index(named[0])
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
        known = DEEPSPEED_KEYS if section.endswith("deepspeed") else set(defaults)
        if key not in known and section != "data.rules":
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
            raise ValueError(
                f"{path}: unknown key {full!r}"
                + (f"; did you mean {near[0]!r}?" if near else f"; known here: {', '.join(sorted(known))}")
            )
        default = defaults.get(key)
        if isinstance(default, dict) or key == "deepspeed":
            merged[key] = _merge(default or {}, value, path, full)
        elif default is not None and not _same_kind(default, value):
            raise ValueError(f"{path}: {full} should be {_kind(default)}, found {json.dumps(value)}")
        else:
            merged[key] = value
    return merged


def _kind(value) -> str:
    kinds = {bool: "true or false", int: "a whole number", float: "a number", str: "text", list: "a list"}
    return kinds[type(value)]


def _same_kind(default, value) -> bool:
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    return isinstance(value, (int, float) if isinstance(default, float) else type(default))


def _sources(sources, where: str) -> list[dict]:
    if not isinstance(sources, list):
        raise ValueError(f"{where} should be a list of sources, found {json.dumps(sources)}")
    sources = [_merge(SOURCE, {"path": s} if isinstance(s, str) else s, where, "") for s in sources]
    for source in sources:
        if (source["path"] is None) == (source["demo"] is None):
            raise ValueError(f'{where}: a source needs either "path" or "demo"')
        if source["demo"] not in (None, "conversations", "documents"):
            raise ValueError(f'{where}: demo should be "conversations" or "documents", found {source["demo"]!r}')
        if source["format"] not in ("auto", "text", "lines", "eou", *FORMATS):
            raise ValueError(
                f"{where}: format should be one of auto, text, lines, eou, {', '.join(FORMATS)}, "
                f"found {source['format']!r}"
            )
        try:
            codecs.lookup(source["encoding"])
        except (LookupError, TypeError):
            raise ValueError(f"{where}: no encoding is called {source['encoding']!r}") from None
        for key, kind in (("sha256", str), ("limit", int)):
            if source[key] is not None and (not isinstance(source[key], kind) or source[key] is True):
                raise ValueError(f"{where}: {key} should be {_kind(kind())}, found {source[key]!r}")
        if not 0 < source["weight"] <= 100:
            raise ValueError(f"{where}: weight should be above 0 and at most 100, found {source['weight']}")
        if source["split"] not in (None, "train", "validation"):
            raise ValueError(f'{where}: split should be "train" or "validation", found {source["split"]!r}')
    return sources


def _stage(given: dict, where: str) -> dict:
    stage = _merge(STAGE, given, where, "")
    if not isinstance(stage["name"], str) or not stage["name"].isidentifier() or stage["name"] == "data":
        raise ValueError(f'{where}: name should be one word, not "data", found {json.dumps(stage["name"])}')
    if (stage["steps"] is None) == (stage["epochs"] is None):
        raise ValueError(f"{where} ({stage['name']}): give either steps or epochs")
    for key in ("steps", "epochs", "log_every", "evaluate_every", "checkpoint_every"):
        value = stage[key]
        whole = isinstance(value, int) and not isinstance(value, bool)
        if value is not None and not ((whole or key == "epochs" and isinstance(value, float)) and value > 0):
            raise ValueError(f"{where} ({stage['name']}): {key} should be a positive number, found {json.dumps(value)}")
    if stage["lora"]["rank"] < 0 or not 0 <= stage["lora"]["dropout"] < 1 or stage["lora"]["alpha"] <= 0:
        raise ValueError(
            f"{where} ({stage['name']}): lora needs rank >= 0, alpha > 0, dropout in [0, 1), found "
            f"{json.dumps(stage['lora'])}"
        )
    if stage["loss_on"] not in ("assistant", "all"):
        raise ValueError(f'{where}: loss_on should be "assistant" or "all", found {json.dumps(stage["loss_on"])}')
    stage["data"] = _sources(stage["data"], f"{where} ({stage['name']}) data")
    stage["validation"] = _sources(stage["validation"], f"{where} ({stage['name']}) validation")
    return stage


def _check(config: dict, path: str) -> None:
    names = [stage["name"] for stage in config["stages"]]
    if not names or len(set(names)) < len(names):
        raise ValueError(f"{path}: stages should be a list of at least one stage, their names all different: {names}")
    if config["tokenizer"]["model_type"] not in ("bpe", "unigram"):
        raise ValueError(f'{path}: tokenizer.model_type should be "bpe" or "unigram"')
    if config["tokenizer"]["chat_template"] not in ("markers", "keep"):
        raise ValueError(f'{path}: tokenizer.chat_template should be "markers" or "keep"')
    for section, key, low, high in (
        ("data", "validation_fraction", 0, 0.5),
        ("tokenizer", "character_coverage", 0.9, 1.0),
        ("data", "validation_overlap", 1, config["model"]["max_position_embeddings"] - 2),
        ("model", "attention_dropout", 0, 0.99),
        ("model", "hidden_dropout", 0, 0.99),
    ):
        if not low <= config[section][key] <= high:
            raise ValueError(
                f"{path}: {section}.{key} should be between {low} and {high}, found {config[section][key]}"
            )
    data = config["data"]
    if data["tools"] not in ("drop", "text"):
        raise ValueError(f'{path}: data.tools should be "drop" or "text", found {data["tools"]!r}')
    for key in ("near_duplicates", "max_bad", "processes"):
        low, high = {"near_duplicates": (0.5, 1), "max_bad": (0, 1), "processes": (1, 1024)}[key]
        if data[key] is not None and not (isinstance(data[key], (int, float)) and low <= data[key] <= high):
            raise ValueError(f"{path}: data.{key} should be between {low} and {high}, found {data[key]!r}")
    for key, value in data["augment"].items():
        if value < 0 or key != "variants" and value > 1:
            raise ValueError(
                f"{path}: data.augment.{key} should be {'0 or more' if key == 'variants' else 'between 0 and 1'}, "
                f"found {value}"
            )
    for key in ("hidden_size", "num_hidden_layers", "num_attention_heads", "max_position_embeddings"):
        if config["model"][key] < 1:
            raise ValueError(f"{path}: model.{key} should be at least 1, found {config['model'][key]}")
    try:
        ModelConfig(vocab_size=config["tokenizer"]["vocab_size"], **config["model"])
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def deep_merge(base: dict, over: dict) -> dict:
    """A copy of `base` with the values of `over` in it, objects merged key by key."""
    merged = copy.deepcopy(base)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = deep_merge(merged[key], value) if both else copy.deepcopy(value)
    return merged


def choose_precision(settings: dict, accelerator) -> str:
    """Resolve `"auto"` in fp16.enabled and bf16.enabled of a DeepSpeed config, in place; returns why, as text."""
    fp16, bf16 = settings.setdefault("fp16", {"enabled": False}), settings.setdefault("bf16", {"enabled": False})
    on_gpu = accelerator.device_name() != "cpu"
    processor = torch.cpu.get_capabilities()
    native = processor.get("avx512_bf16") or processor.get("amx_bf16")
    if fp16.get("enabled") is True and not accelerator.is_fp16_supported():
        raise ValueError(
            f"deepspeed.fp16.enabled is true, but this {accelerator.device_name()} cannot train in fp16; "
            'set it to "auto" or false'
        )
    why = "as the config says"
    if fp16.get("enabled") == "auto":
        fp16["enabled"] = on_gpu and accelerator.is_fp16_supported() and bf16.get("enabled") is not True
        why = "the accelerator has it" if fp16["enabled"] else "the config asks for it"
    if bf16.get("enabled") == "auto":
        bf16["enabled"] = bool(native and not fp16["enabled"] and not on_gpu)
        why = (
            "no fp16 on a CPU, but this processor multiplies bf16 natively"
            if bf16["enabled"]
            else why
            if fp16["enabled"]
            else "this processor has neither fp16 nor native bf16"
        )
    if fp16["enabled"] and bf16["enabled"]:
        raise ValueError("deepspeed.fp16 and deepspeed.bf16 are both enabled; choose one")
    return f"{'fp16' if fp16['enabled'] else 'bf16' if bf16['enabled'] else 'fp32'} ({why})"


def resolve(settings: dict, total_steps: int, ranks: int) -> None:
    """Resolve the batch and schedule values that are `"auto"`, in place. The config fixes the global batch."""
    batch, micro = settings.get("train_batch_size"), settings.get("train_micro_batch_size_per_gpu")
    if not isinstance(batch, int) or batch < 1:
        raise ValueError(
            f"deepspeed.train_batch_size, the rows of one step, should be a positive number, found {batch!r}"
        )
    if "type" not in settings.get("optimizer", {}):
        raise ValueError(
            'deepspeed.optimizer.type is missing; "AdamW" is DeepSpeed\'s fused Adam with decoupled weight decay'
        )
    if micro in (None, "auto"):
        micro = settings["train_micro_batch_size_per_gpu"] = max(1, batch // ranks)
    accumulation = settings.get("gradient_accumulation_steps", "auto")
    if accumulation == "auto":
        accumulation = max(1, batch // (micro * ranks))
    if batch != micro * accumulation * ranks:
        raise ValueError(
            f"deepspeed.train_batch_size {batch} is not train_micro_batch_size_per_gpu {micro} x "
            f"gradient_accumulation_steps {accumulation} x {ranks} ranks = {micro * accumulation * ranks}"
        )
    settings["gradient_accumulation_steps"] = accumulation
    schedule = settings.get("scheduler", {}).get("params", {})
    if schedule.get("total_num_steps") == "auto":
        schedule["total_num_steps"] = total_steps
    settings.setdefault("steps_per_print", 10**9)
    settings.setdefault("gradient_clipping", 1.0)


def differences(old: dict, new: dict, prefix: str = "") -> list[tuple[str, object, object]]:
    """(key, old value, new value) for every leaf in which two configs differ; stages are told apart by name."""
    found = []
    for key in [*old, *(k for k in new if k not in old)]:
        a, b, full = old.get(key), new.get(key), f"{prefix}{key}"
        if key == "stages" and a and b:
            a, b = ({stage["name"]: stage for stage in stages} for stages in (a, b))
        if isinstance(a, dict) and isinstance(b, dict):
            found += differences(a, b, full + ".")
        elif a != b:
            found.append((full, a, b))
    return found
