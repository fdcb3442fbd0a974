"""The server's endpoints: the ASGI application that `serve.py` puts on a port, and where `gate.py` (who comes in),
`protocol.py` (what is asked and answered) and `worker.py` (the engine's thread) meet."""

import asyncio
import base64
import contextlib
import dataclasses
import hashlib
import pathlib
import re
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from zerochat.generation.engine import Engine, Sampling
from zerochat.serving import gate, protocol
from zerochat.serving.gate import reply
from zerochat.serving.protocol import Refused
from zerochat.serving.worker import Answers, Part, Worker

CHAT = "/v1/chat/completions"
PAGE = pathlib.Path(__file__).with_name("page.html")
POLICY = """default-src 'none'; script-src 'sha256-{}'; style-src 'unsafe-inline'; img-src data:; connect-src 'self';
base-uri 'none'; form-action 'none'; frame-ancestors 'none'""".replace("\n", " ")


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


@contextlib.asynccontextmanager
async def listening(request: Request, left: Callable[[], object]):
    """Around work on an answer in one piece: calls `left` when its listener goes."""

    async def watch():
        while (await request.receive())["type"] != "http.disconnect":
            pass
        left()

    watching = asyncio.create_task(watch())
    try:
        yield
    finally:
        watching.cancel()


class Service:
    """The endpoints and what they share. `app()` is the ASGI application; at_the_door: fields of `gate.Gate`."""

    def __init__(self, engine: Engine, name: str, queue_size: int = 64, **at_the_door):
        self.engine, self.name, self.gate = engine, name, gate.Gate(**at_the_door)
        self.worker = Worker(engine, len(engine.running) + queue_size)
        self.page = PAGE.read_text(encoding="utf-8")
        # The page may run its own script and nothing else, whatever text a model or a person puts into it.
        script = re.search(r"<script>(.*?)</script>", self.page, re.S)[1]
        policy = POLICY.format(base64.b64encode(hashlib.sha256(script.encode()).digest()).decode())
        self.page_headers = {"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff"}
        self.page_headers |= {"Referrer-Policy": "no-referrer", "Cache-Control": "no-cache"}

    def app(self):
        @contextlib.asynccontextmanager
        async def lifespan(_):
            self.worker.loop = asyncio.get_running_loop()
            self.worker.start()
            yield
            self.worker.stop()

        get = {"/": self.chat_page, "/health": self.health}
        get |= {"/v1/models": self.models, "/v1/models/{name:path}": self.models}
        post = {CHAT: self.answer, "/v1/completions": self.answer}
        routes = [Route(path, function, methods=["GET"]) for path, function in get.items()]
        routes += [Route(path, function, methods=["POST"]) for path, function in post.items()]
        handlers = dict.fromkeys((Refused, HTTPException, Exception), gate.refused)
        return self.gate.before(Starlette(routes=routes, lifespan=lifespan, exception_handlers=handlers))

    async def chat_page(self, _) -> Response:
        return Response(self.page, media_type="text/html", headers=self.page_headers)

    async def health(self, _) -> Response:
        status = "ok" if self.worker.is_alive() else "the engine thread has died"
        return reply({"status": status, "model": self.name}, 200 if status == "ok" else 503)

    async def models(self, request: Request) -> Response:
        shape, defaults = self.engine.model.config, dataclasses.asdict(Sampling())
        model: dict = {"id": self.name, "object": "model", "created": 0, "owned_by": "zerochat"}
        model |= {"context": self.engine.context, "vocabulary": shape.vocab_size}
        model |= {"layers": shape.num_hidden_layers, "heads": shape.num_attention_heads}
        model["parameters"] = sum(p.numel() for p in self.engine.model.parameters())
        model["defaults"] = {key: value for key, value in defaults.items() if isinstance(value, (int, float))}
        model["defaults"]["max_tokens"] = protocol.MAX_TOKENS
        if "name" not in request.path_params:
            return reply({"object": "list", "data": [model]})
        if request.path_params["name"] != self.name:
            raise Refused(404, f"there is no such model here; this is {self.name!r}", "model", "model_not_found")
        return reply(model)

    async def answer(self, request: Request) -> Response:
        chat = request.url.path == CHAT
        # A megabyte takes the tokenizer a while: not on the event loop.
        body = await self.gate.body(request)
        with self.worker.place():
            ask = await asyncio.to_thread(protocol.read_ask, body, self.engine, self.name, chat)
        answers = Answers(self.worker, ask.prompts, ask.samplings)
        headers = {"Cache-Control": "no-store", "X-Turns-Left-Out": str(ask.turns_left_out)}
        headers["X-Accel-Buffering"] = "no"  # nginx would hold a stream back
        if ask.stream:
            return Events(self.events(ask, answers), answers.close, headers)

        parts: list[list[Part]] = [[] for _ in ask.prompts]
        try:
            async with listening(request, answers.close):
                async for part in answers:
                    parts[part.number].append(part)
        finally:
            answers.close()
        if not all(some and some[-1].finish_reason for some in parts):
            return Response(status_code=499)  # nobody is listening any more
        choices = []
        for index, some in enumerate(parts):
            text = "".join(part.text for part in some)
            entries = None if some[0].entries is None else [entry for part in some for entry in part.entries]
            choices.append(protocol.choice(ask, index, text, entries, some[-1].finish_reason, "message"))
        usage = protocol.usage(ask, answers.tokens, answers.seconds)
        return reply(protocol.envelope(ask, choices, False, usage), headers=headers)

    async def events(self, ask: protocol.Ask, answers: Answers):
        """Server-sent events: one for every step of an answer that has something to show."""

        def event(value) -> bytes:
            return b"data: " + gate.encoded(value) + b"\n\n"

        begun = set()
        try:
            async for part in answers:
                if part.text or part.entries or part.finish_reason:
                    piece = (part.number, part.text, part.entries, part.finish_reason)
                    told = protocol.choice(ask, *piece, "delta", part.number not in begun)
                    begun.add(part.number)
                    yield event(protocol.envelope(ask, [told], True))
            if ask.include_usage:
                usage = protocol.usage(ask, answers.tokens, answers.seconds)
                yield event(protocol.envelope(ask, [], True, usage))
            yield b"data: [DONE]\n\n"
        except Refused as error:
            yield event(error.body)
