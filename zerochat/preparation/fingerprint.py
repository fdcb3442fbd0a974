"""The name of prepared data: a hash of all that they depend on."""

import hashlib
import itertools
import json
import os

from zerochat.demo import chats, world
from zerochat.files import known_hash
from zerochat.preparation import reading

VERSION = 4  # raised by hand whenever the same files and settings come out of preparation otherwise than before
TOKENIZER_FILES = ("tokenizer.model", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja")
TOKENIZER_FILES += ("special_tokens_map.json", "added_tokens.json", "generation_config.json")
GRAMMAR = (chats.__file__, world.__file__)
PLACES = ("processes", "data_root")  # how and where, not what


def fingerprint(config: dict) -> str:
    """Settings, the content of the files read (the grammar's, too), an adopted tokenizer, `VERSION`: 16 digits."""
    stages = [{key: stage[key] for key in ("name", "data", "validation", "loss_on")} for stage in config["stages"]]
    options = {key: value for key, value in config["data"].items() if key not in PLACES}
    sources = [source for stage in stages for source in stage["data"] + stage["validation"]]
    found = [reading.files_of(source["path"], config["data"]["data_root"]) for source in sources if source["path"]]
    files = [*itertools.chain(*found), *(GRAMMAR if any(source["demo"] for source in sources) else ())]
    seen = [[os.path.basename(file), known_hash(file)] for file in files]
    adopted = config["tokenizer"]["path"]
    brought = [os.path.join(adopted, name) for name in TOKENIZER_FILES] if adopted else []
    settings = {**config["tokenizer"], "path": bool(adopted)}
    tokenizer = [settings, [known_hash(file) for file in brought if os.path.isfile(file)]]
    seed = config["seed"] if options["augment"]["variants"] else None
    everything = [VERSION, stages, seen, options, tokenizer, config["model"]["max_position_embeddings"], seed]
    return hashlib.sha256(json.dumps(everything).encode()).hexdigest()[:16]
