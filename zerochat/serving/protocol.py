"""The language of OpenAI's HTTP API: what may be asked, checked field by field, and the shape of every answer.

`app.py` moves the bytes; this file knows the fields. What it does not understand it refuses with the field's
name and what it should have been, since a setting that is silently ignored is a wrong answer.
Ours, beyond OpenAI's: `top_k`, `min_p`, `repetition_penalty`, `mend`; a token's `id` in the log-probabilities.
Left out on purpose: tools, JSON mode, images, logit_bias, token ids as a prompt."""

import dataclasses
import difflib
import time
import uuid

from zerochat.generation.engine import Engine, Request, Sampling
from zerochat.text import mended

MAX_TOKENS = 256  # where the request does not say
# Fields that are known and not supported, with the values that ask for nothing; `null` and {} everywhere do.
NEUTRAL: dict[str, tuple] = dict.fromkeys(("frequency_penalty", "presence_penalty"), (0,))
NEUTRAL |= dict.fromkeys(("logit_bias", "metadata"), ())
NEUTRAL |= dict.fromkeys(("echo", "store"), (False,)) | dict.fromkeys(("tools", "functions"), ([],))
NEUTRAL |= dict.fromkeys(("tool_choice", "function_call"), ("none", "auto")) | {"parallel_tool_calls": (True, False)}
NEUTRAL |= {"response_format": ({"type": "text"},), "modalities": (["text"],), "best_of": (1,), "suffix": ("",)}
NEUTRAL |= {"service_tier": ("auto", "default"), "include_obfuscation": (False,)}
IN_MESSAGE: dict[str, tuple] = {"tool_calls": ([],), "annotations": ([],), "refusal": ("",)}
NO_MATTER = ("user", "safety_identifier", "prompt_cache_key")  # texts about who is asking


class Refused(Exception):
    """An HTTP status with its reason and the field at fault; `body` has the shape of OpenAI's errors."""

    def __init__(self, status: int, reason: str, field: str | None = None, code: str | None = None):
        super().__init__(reason)
        self.status = status
        kind = "invalid_request_error" if status < 500 else "server_error"
        kind = {401: "authentication_error", 429: "rate_limit_error"}.get(status, kind)
        self.body = {"error": {"message": reason, "param": field, "code": code, "type": kind}}


KINDS = {"a string": (str,), "true or false": (bool,), "a whole number": (int,), "a number": (int, float)}
KINDS |= {"a list": (list,), "an object": (dict,)}


class Fields:
    """A JSON object read field by field; `null` is as good as absent, and `done` refuses what nobody asked for."""

    def __init__(self, value, where: str = "", neutral: dict[str, tuple] = NEUTRAL):
        self.neutral = neutral
        if not isinstance(value, dict):
            raise Refused(400, f"{where or 'the body'} should be a JSON object", where or None)
        self.left, self.where, self.known = {k: v for k, v in value.items() if v is not None}, where, set()

    def refuse(self, name: str, reason: str, code: str | None = None):
        name = f"{self.where}.{name}" if self.where else name
        raise Refused(400, f"{name} {reason}", name, code)

    def take(self, name: str, kind: str, default=None, low: int | None = None, high: int | None = None):
        """The field, or the default; refused where it is not of its kind or outside [low, high]."""
        self.known.add(name)
        value = self.left.pop(name, None)
        if value is None:
            return default
        if type(value) not in KINDS[kind]:
            self.refuse(name, f"should be {kind}")
        if low is not None and not low <= value <= high:
            self.refuse(name, f"should be from {low} to {high}")
        return value

    def required(self, name: str, kind: str):
        value = self.take(name, kind)
        if value is None:
            self.refuse(name, "is missing")
        return value

    def done(self) -> None:
        for name, value in self.left.items():
            if name not in self.neutral:
                near = difflib.get_close_matches(name, self.known, 1)
                self.refuse(name[:100], "is not a field of this request" + (f"; is {near[0]} meant?" if near else ""))
            # In JSON 0 and 0.0 are one number, and false is none.
            same = (value == fine and isinstance(value, bool) is isinstance(fine, bool) for fine in self.neutral[name])
            if value != {} and not any(same):
                self.refuse(name, "is not supported here")


@dataclasses.dataclass
class Ask:
    """A request that has been understood: prompts of token ids, one for every answer, each with its sampling."""

    chat: bool
    model: str
    prompts: list[list[int]]
    samplings: list[Sampling]
    stream: bool
    include_usage: bool
    turns_left_out: int = 0
    id: str = dataclasses.field(default_factory=lambda: uuid.uuid4().hex)
    created: int = dataclasses.field(default_factory=lambda: int(time.time()))


def read_messages(body: Fields, roles: tuple[str, ...]) -> list[dict]:
    """The messages of a conversation between `roles`, as for training unless `mend` is false; content text or parts."""
    value, mend = body.required("messages", "a list"), body.take("mend", "true or false", True)
    if not value:
        raise Refused(400, "messages should hold at least one message", "messages")
    messages = []
    for i, item in enumerate(value):
        fields = Fields(item, f"messages[{i}]", IN_MESSAGE)
        role = fields.required("role", "a string")
        role = "system" if role == "developer" else role  # OpenAI's newer name for it
        if role not in roles:
            fields.refuse("role", f"should be one of {', '.join(roles)}")
        fields.take("name", "a string")
        content = fields.left.pop("content", None)
        if isinstance(content, list):
            parts = [Fields(part, f"messages[{i}].content[{j}]", {}) for j, part in enumerate(content)]
            for part in parts:
                if part.required("type", "a string") != "text":
                    part.refuse("type", "should be text: nothing else can be read here")
            content = "".join(part.required("text", "a string") for part in parts)
        if not isinstance(content, str):
            fields.refuse("content", "should be a string or a list of text parts")
        fields.done()
        messages.append({"role": role, "content": content})
    return mended(messages) if mend else messages


def fit(engine: Engine, messages: list[dict], max_tokens: int) -> tuple[list[int], int]:
    """A conversation's prompt ids, and how many of its oldest exchanges were left out."""
    try:
        return engine.fit(messages, max_tokens)[1:]
    except ValueError as error:
        raise Refused(400, str(error), "messages", "context_length_exceeded") from None


def read_ask(body, engine: Engine, name: str, chat: bool) -> Ask:
    """Understand the body of `/v1/chat/completions` or `/v1/completions`; raises Refused."""
    fields, tokenizer, slots = Fields(body), engine.tokenizer, len(engine.running)
    model = fields.take("model", "a string", name)
    if model != name:
        raise Refused(404, f"there is no model {model[:100]!r} here; this is {name!r}", "model", "model_not_found")
    stream = fields.take("stream", "true or false", False)
    options = Fields(fields.take("stream_options", "an object", {}), "stream_options")
    include_usage = options.take("include_usage", "true or false", False)
    options.done()
    for ignored in NO_MATTER:
        fields.take(ignored, "a string")
    n = fields.take("n", "a whole number", 1, 1, slots)
    values = _sampling_values(fields, chat)
    if chat:
        messages = read_messages(fields, tokenizer.roles)
    else:
        texts = fields.left.pop("prompt", None)
        texts = [texts] if isinstance(texts, str) else texts
        if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
            fields.refuse("prompt", "should be a string or a list of strings")
        if len(texts) * n > slots:
            fields.refuse("prompt", f"asks for {len(texts) * n} answers, and this server gives at most {slots} at once")
    fields.done()
    try:
        sampling = Sampling(**values)
        sampling.check(len(tokenizer))
    except ValueError as error:
        raise Refused(400, str(error), str(error).split()[0]) from None
    left_out = 0
    if chat:
        prompt, left_out = fit(engine, messages, sampling.max_new_tokens)
        prompts = [prompt]
    else:
        prompts = [tokenizer.render({"text": text})[0][:-1] for text in texts]  # without the end
    if (longest := max(map(len, prompts))) >= engine.context:
        reason = f"the prompt's {longest} tokens leave no room for an answer in the context of {engine.context}"
        raise Refused(400, reason, "messages" if chat else "prompt", "context_length_exceeded")
    # Answers to one prompt differ by their seeds, so that each can be had again alone.
    seeds = [None if sampling.seed is None else sampling.seed + i for i in range(n)]
    samplings = [dataclasses.replace(sampling, seed=seed) for seed in seeds] * len(prompts)
    return Ask(chat, name, [prompt for prompt in prompts for _ in range(n)], samplings, stream, include_usage, left_out)


def _sampling_values(fields: Fields, chat: bool) -> dict:
    """The arguments of `Sampling` that a request gives."""
    stop = fields.left.pop("stop", [])
    stop = [stop] if isinstance(stop, str) else stop
    if not isinstance(stop, list) or len(stop) > 4 or not all(isinstance(s, str) and 0 < len(s) <= 1000 for s in stop):
        fields.refuse("stop", "should be a string or a list of at most 4, none of them empty or over 1000 characters")
    values = {"stop": tuple(stop), "seed": fields.take("seed", "a whole number", None, 0, 2**62)}
    numbers = dict.fromkeys(("temperature", "top_p", "min_p", "repetition_penalty"), "a number")
    for key, kind in {**numbers, "top_k": "a whole number"}.items():
        values[key] = fields.take(key, kind, getattr(Sampling, key))
    values["max_new_tokens"] = fields.take("max_tokens", "a whole number", MAX_TOKENS, 1, 2**31)
    if not chat:
        return values | {"logprobs": fields.take("logprobs", "a whole number", None, 0, 5)}
    limit = fields.take("max_completion_tokens", "a whole number", values["max_new_tokens"], 1, 2**31)
    wanted = fields.take("logprobs", "true or false", False)
    logprobs = fields.take("top_logprobs", "a whole number", 0, 0, 20)
    if logprobs and not wanted:
        fields.refuse("top_logprobs", "needs logprobs to be true")
    return values | {"max_new_tokens": limit, "logprobs": logprobs if wanted else None}


def token_entry(tokenizer, token: int, logprob: float) -> dict:
    """One token of a log-probability list; `bytes` is None for a marker, which is no text."""
    data, text = tokenizer.bytes_of(token), tokenizer.name_of(token)
    if data is not None:
        try:
            text = data.decode()
        except UnicodeDecodeError:  # a part of a character
            text = "".join(f"\\x{byte:02x}" for byte in data)
    return {"token": text, "id": token, "logprob": logprob, "bytes": None if data is None else list(data)}


def token_entries(engine: Engine, request: Request, begin: int) -> list[dict] | None:
    """The log-probabilities of a request's tokens from `begin` on, without the end marker; None if not asked for."""
    if request.sampling.logprobs is None:
        return None
    entries = []
    for token, (logprob, others) in zip(request.tokens[begin:], request.logprobs[begin:]):
        if token not in engine.tokenizer.end_ids:
            entry = token_entry(engine.tokenizer, token, logprob)
            entries.append(entry | {"top_logprobs": [token_entry(engine.tokenizer, *other) for other in others]})
    return entries


def choice(ask: Ask, index: int, text: str, entries: list | None, finish_reason: str | None, name: str, first=True):
    """One element of `choices`: name is "message" for a whole answer, "delta" for a piece, of which the `first` alone
    tells the role, since clients put them together."""
    shape = {"index": index, "finish_reason": finish_reason}
    if ask.chat:
        logprobs = entries if entries is None else {"content": entries, "refusal": None}
        return shape | {name: {**({"role": "assistant"} if first else {}), "content": text}, "logprobs": logprobs}
    logprobs = None
    if entries is not None:
        logprobs = {"tokens": [entry["token"] for entry in entries]}
        logprobs["token_logprobs"] = [entry["logprob"] for entry in entries]
        tops = [entry["top_logprobs"] for entry in entries]
        logprobs["top_logprobs"] = [{other["token"]: other["logprob"] for other in others} for others in tops]
    return shape | {"text": text, "logprobs": logprobs}


def envelope(ask: Ask, choices: list[dict], streamed: bool, usage: dict | None = None) -> dict:
    """What surrounds the choices, in a whole answer and in every event of a stream."""
    kind = ("chat.completion.chunk" if streamed else "chat.completion") if ask.chat else "text_completion"
    prefix = "chatcmpl-" if ask.chat else "cmpl-"
    around = {"id": prefix + ask.id, "object": kind, "created": ask.created, "model": ask.model, "choices": choices}
    return around if usage is None else around | {"usage": usage}


def usage(ask: Ask, tokens: int, seconds: float) -> dict:
    """Token counts, the end marker included, since it is generated too; a prompt counts once for all its answers. Ours:
    `seconds` from the first token to the last, as the engine saw it."""
    prompt = sum(map(len, {id(prompt): prompt for prompt in ask.prompts}.values()))
    counts = {"prompt_tokens": prompt, "completion_tokens": tokens, "total_tokens": prompt + tokens}
    return counts | {"seconds": round(seconds, 4)}
