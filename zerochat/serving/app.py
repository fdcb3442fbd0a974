"""The server's endpoints and its door: the ASGI application that `serve.py` puts on a port.

`protocol.py` understands requests and shapes answers, `worker.py` runs the engine; this file moves the bytes and
guards the door.
"""

import asyncio
import base64
import contextlib
import dataclasses
import hashlib
import hmac
import ipaddress
import json
import os
import re

import prometheus_client as prometheus
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HTTPRequest
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from zerochat.generation.engine import Engine, Sampling
from zerochat.serving.protocol import (
    MAX_TOKENS,
    Ask,
    Fields,
    Refused,
    choice,
    envelope,
    fit,
    read_ask,
    read_messages,
    token_entry,
    usage,
)
from zerochat.serving.worker import Answers, Part, Worker, attention_weights

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "page.html")


def encoded(value) -> bytes:
    """Compact JSON; a lone surrogate that a client sent us, which has no UTF-8, becomes a question mark."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def reply(value, status: int = 200, headers: dict | None = None) -> Response:
    return Response(encoded(value), status, {"Cache-Control": "no-store", **(headers or {})}, "application/json")


class Events(StreamingResponse):
    """A stream that calls `ended` in any case, also when its listener has left and Starlette cancels it."""

    def __init__(self, content, ended, headers: dict):
        super().__init__(content, headers=headers, media_type="text/event-stream")
        self.ended = ended

    async def __call__(self, scope, receive, send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.ended()


class Service:
    """The endpoints and what they share. `app()` is the ASGI application."""

    def __init__(
        self,
        engine: Engine,
        name: str,
        queue_size: int = 64,
        api_key: str | None = None,
        allowed_hosts: tuple[str, ...] = (),
        body_limit: int = 2**20,
        body_seconds: float = 30,
    ):
        self.engine, self.name, self.api_key = engine, name, api_key
        self.allowed_hosts, self.body_limit, self.body_seconds = allowed_hosts, body_limit, body_seconds
        self.worker = Worker(engine, len(engine.running) + queue_size)
        with open(PAGE, encoding="utf-8") as file:
            self.page = file.read()
        # The page may run its own script and nothing else, whatever text a model or a person puts into it.
        script = re.search(r"<script>(.*?)</script>", self.page, re.S)[1]
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        self.policy = (
            f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data:; "
            "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        self.registry = prometheus.CollectorRegistry()
        self.count = prometheus.Counter(
            "zerochat_requests", "HTTP requests", ["path", "status"], registry=self.registry
        )
        self.tokens = prometheus.Counter(
            "zerochat_tokens", "Tokens read and generated", ["kind"], registry=self.registry
        )
        self.first = prometheus.Histogram(
            "zerochat_first_token_seconds", "Waiting for an answer's first token", registry=self.registry
        )
        for what, value in (("open_requests", lambda: self.worker.open), ("slots", lambda: len(engine.running))):
            prometheus.Gauge(f"zerochat_{what}", what.replace("_", " "), registry=self.registry).set_function(value)

    def app(self):
        @contextlib.asynccontextmanager
        async def lifespan(_):
            self.worker.loop = asyncio.get_running_loop()
            self.worker.start()
            yield
            self.worker.stop()

        routes = [
            Route(path, function, methods=[method])
            for method, path, function in (
                ("GET", "/", self.chat_page),
                ("GET", "/health", self.health),
                ("GET", "/metrics", self.metrics),
                ("GET", "/v1/models", self.models),
                ("GET", "/v1/models/{name:path}", self.models),
                ("POST", "/v1/chat/completions", self.chat),
                ("POST", "/v1/completions", self.completions),
                ("POST", "/attention", self.attention),
            )
        ]
        self.paths = {route.path for route in routes}
        app = Starlette(
            routes=routes,
            lifespan=lifespan,
            exception_handlers={Refused: self.refused, HTTPException: self.refused, Exception: self.failed},
        )
        return self.gate(app)

    def gate(self, app):
        """Before anything else: whose name the caller used, whether it has the key; and the count afterwards."""

        async def guarded(scope, receive, send):
            if scope["type"] != "http":
                return await app(scope, receive, send)
            path = scope["path"] if scope["path"] in self.paths else "other"  # strangers must not grow the metrics

            async def counted(message):
                if message["type"] == "http.response.start":
                    self.count.labels(path, message["status"]).inc()
                await send(message)

            try:
                self.check(HTTPRequest(scope))
            except Refused as error:
                return await (await self.refused(None, error))(scope, receive, counted)
            await app(scope, receive, counted)

        return guarded

    def check(self, request: HTTPRequest) -> None:
        """A page of another site can make a browser call us under its own name (DNS rebinding), but then that
        name is in the Host header; an address cannot be rebound."""
        host = re.sub(r":\d*$", "", request.headers.get("host", "")).strip("[]").lower()
        try:
            ipaddress.ip_address(host)
        except ValueError:
            if host not in ("localhost", *self.allowed_hosts):
                raise Refused(
                    400, f"Host {host[:100]!r} is not served here; allow it with --allow-host", "Host"
                ) from None
        if self.api_key and request.scope["path"] not in ("/", "/health"):
            given = request.headers.get("authorization", "").removeprefix("Bearer ")
            if not hmac.compare_digest(given.encode("latin-1"), self.api_key.encode()):
                raise Refused(
                    401, "a wrong or missing API key (Authorization: Bearer KEY)", "Authorization", "invalid_api_key"
                )
        # Any site may make a browser post a form or plain text here unasked; JSON it may not.
        kind = request.headers.get("content-type", "").split(";")[0].strip()
        if request.method == "POST" and kind != "application/json":
            raise Refused(415, "the header Content-Type should be application/json", "Content-Type")

    async def refused(self, _, error: Refused | HTTPException) -> Response:
        if isinstance(error, HTTPException):  # no such path or method
            error = Refused(error.status_code, error.detail)
        headers = {503: {"Retry-After": "1"}, 401: {"WWW-Authenticate": "Bearer"}}.get(error.status)
        return reply(error.body, error.status, headers)

    async def failed(self, _, error: Exception) -> Response:
        return reply(Refused(500, "the server failed; its log says why").body, 500)

    async def body(self, request: HTTPRequest):
        """The JSON of a request's body, within the limits of size and time."""
        data = bytearray()

        async def read():
            async for part in request.stream():
                data.extend(part)
                if len(data) > self.body_limit:
                    raise Refused(413, f"the body is over the limit of {self.body_limit:,} bytes")

        try:
            await asyncio.wait_for(read(), self.body_seconds)
        except ClientDisconnect:
            raise Refused(400, "the body ended early") from None
        except asyncio.TimeoutError:
            raise Refused(408, f"the body did not arrive within {self.body_seconds:g} seconds") from None

        def no_number(text):
            raise ValueError(f"{text} is not JSON")

        try:
            return json.loads(data.decode("utf-8"), parse_constant=no_number)
        except UnicodeDecodeError:
            raise Refused(400, "the body is not UTF-8") from None
        except (ValueError, RecursionError) as error:
            raise Refused(400, f"the body is not JSON: {str(error)[:200]}") from None

    async def chat_page(self, _) -> Response:
        return Response(
            self.page,
            media_type="text/html",
            headers={
                "Content-Security-Policy": self.policy,
                "X-Content-Type-Options": "nosniff",
                "Referrer-Policy": "no-referrer",
                "Cache-Control": "no-cache",
            },
        )

    async def health(self, _) -> Response:
        alive = self.worker.is_alive()
        status = "ok" if alive else "the engine thread has died"
        return reply({"status": status, "model": self.name}, 200 if alive else 503)

    async def metrics(self, _) -> Response:
        return Response(prometheus.generate_latest(self.registry), media_type="text/plain; version=0.0.4")

    async def models(self, request: HTTPRequest) -> Response:
        config = self.engine.model.config
        model = {
            "id": self.name,
            "object": "model",
            "created": 0,
            "owned_by": "zerochat",
            "context": self.engine.context,
            "vocabulary": config.vocab_size,
            "layers": config.num_hidden_layers,
            "heads": config.num_attention_heads,
            "parameters": sum(p.numel() for p in self.engine.model.parameters()),
            "defaults": {
                key: value for key, value in dataclasses.asdict(Sampling()).items() if isinstance(value, (int, float))
            }
            | {"max_tokens": MAX_TOKENS},
        }
        if "name" not in request.path_params:
            return reply({"object": "list", "data": [model]})
        if request.path_params["name"] != self.name:
            raise Refused(404, f"there is no such model here; this is {self.name!r}", "model", "model_not_found")
        return reply(model)

    async def chat(self, request: HTTPRequest) -> Response:
        return await self.answer(request, True)

    async def completions(self, request: HTTPRequest) -> Response:
        return await self.answer(request, False)

    async def answer(self, request: HTTPRequest, chat: bool) -> Response:
        # A megabyte takes the tokenizer a while: not on the event loop.
        ask = await asyncio.to_thread(read_ask, await self.body(request), self.engine, self.name, chat)
        answers = Answers(self.worker, ask.prompts, ask.samplings)
        self.tokens.labels("prompt").inc(usage(ask, 0, 0)["prompt_tokens"])
        headers = {
            "Cache-Control": "no-store",
            "X-Turns-Left-Out": str(ask.turns_left_out),
            "X-Accel-Buffering": "no",
        }  # nginx would hold a stream back
        if ask.stream:
            return Events(self.events(ask, answers), lambda: self.ended(answers), headers)

        async def gone():
            while (await request.receive())["type"] != "http.disconnect":
                pass
            answers.close()

        watch = asyncio.create_task(gone())
        parts: list[list[Part]] = [[] for _ in ask.prompts]
        try:
            async for part in answers:
                parts[part.index].append(part)
        finally:
            watch.cancel()
            self.ended(answers)
        if not all(some and some[-1].finish_reason for some in parts):
            return Response(status_code=499)  # nobody is listening any more
        choices = [
            choice(
                ask,
                index,
                "".join(part.text for part in some),
                None if some[0].entries is None else [entry for part in some for entry in part.entries],
                some[-1].finish_reason,
                "message",
            )
            for index, some in enumerate(parts)
        ]
        return reply(envelope(ask, choices, False, usage(ask, answers.tokens, answers.seconds)), headers=headers)

    async def events(self, ask: Ask, answers: Answers):
        """Server-sent events: one for every step of an answer that has something to show."""

        def event(value) -> bytes:
            return b"data: " + encoded(value) + b"\n\n"

        try:
            async for part in answers:
                if part.text or part.entries or part.finish_reason:
                    told = choice(ask, part.index, part.text, part.entries, part.finish_reason, "delta")
                    yield event(envelope(ask, [told], True))
            if ask.include_usage:
                yield event(envelope(ask, [], True, usage(ask, answers.tokens, answers.seconds)))
            yield b"data: [DONE]\n\n"
        except Refused as error:
            yield event(error.body)

    def ended(self, answers: Answers) -> None:
        answers.close()
        self.tokens.labels("generated").inc(answers.tokens)
        if answers.first_at is not None:
            self.first.observe(answers.first_at - answers.begun)

    async def attention(self, request: HTTPRequest) -> Response:
        """For the token `index` of an answer (token ids): how the position that predicted it attended to all before."""
        fields = Fields(await self.body(request))
        messages = read_messages(fields.required("messages", "a list"))
        answer = fields.required("answer", "a list")
        if not answer or not all(type(i) is int and 0 <= i < len(self.engine.tokenizer) for i in answer):
            fields.refuse("answer", "should be a list of token ids")
        index = fields.take("index", "a whole number", 0, 0, len(answer) - 1)
        # As it was when the answer was made: it decides how many of the oldest turns are left out.
        reserve = fields.take("max_tokens", "a whole number", MAX_TOKENS, 1, 2**31)
        fields.done()
        prompt, _ = await asyncio.to_thread(fit, self.engine, messages, reserve)
        ids = prompt + answer[:index]
        if len(ids) > self.engine.context:
            raise Refused(400, f"{len(ids)} tokens do not fit the context of {self.engine.context}", "answer")
        weights = await self.worker.call(lambda: attention_weights(self.engine.model, ids))
        tokens = [token_entry(self.engine.tokenizer, i, 0.0) for i in ids]
        return reply(
            {
                "tokens": [{"token": token["token"], "bytes": token["bytes"]} for token in tokens],
                "weights": [[[round(w, 4) for w in head] for head in layer] for layer in weights.tolist()],
            }
        )
