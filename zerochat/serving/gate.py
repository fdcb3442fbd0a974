"""The door: who may come in, and with what."""

import dataclasses
import hmac
import ipaddress
import json
import re

import anyio
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from zerochat.serving.protocol import Refused


def encoded(value) -> bytes:
    """Compact JSON; a lone surrogate that a client sent us, which has no UTF-8, becomes a question mark."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def reply(value, status: int = 200, headers: dict | None = None) -> Response:
    return Response(encoded(value), status, {"Cache-Control": "no-store", **(headers or {})}, "application/json")


async def refused(_, error: Exception) -> Response:
    if isinstance(error, HTTPException):  # no such path or method
        error = Refused(error.status_code, error.detail)
    elif not isinstance(error, Refused):
        error = Refused(500, "the server failed; its log says why")
    headers = {503: {"Retry-After": "1"}, 401: {"WWW-Authenticate": "Bearer"}}.get(error.status)
    return reply(error.body, error.status, headers)


@dataclasses.dataclass
class Gate:
    """What a caller has to show, and how much a body may be."""

    api_key: str | None = None
    allowed_hosts: tuple[str, ...] = ()
    body_limit: int = 2**20  # bytes
    body_seconds: float = 30

    def before(self, app):
        """The application behind this door."""

        async def guarded(scope, receive, send):
            if scope["type"] == "http":
                try:
                    self.check(Request(scope))
                except Refused as error:
                    return await (await refused(None, error))(scope, receive, send)
            await app(scope, receive, send)

        return guarded

    def check(self, request: Request) -> None:
        """Refuse who may not come in. A page of another site can make a browser call us under its own name (DNS
        rebinding), but then that name is in the Host header; an address cannot be rebound."""
        host = re.sub(r":\d*$", "", request.headers.get("host", "")).strip("[]").lower()
        try:
            ipaddress.ip_address(host)
        except ValueError:
            if host not in ("localhost", *self.allowed_hosts):
                reason = f"Host {host[:100]!r} is not served here; allow it with --allow-host"
                raise Refused(400, reason, "Host") from None
        if self.api_key and request.scope["path"] not in ("/", "/health"):
            given = request.headers.get("authorization", "").removeprefix("Bearer ")
            if not hmac.compare_digest(given.encode("latin-1"), self.api_key.encode()):
                reason = "a wrong or missing API key (Authorization: Bearer KEY)"
                raise Refused(401, reason, "Authorization", "invalid_api_key")
        # Any site may make a browser post a form or plain text here unasked; JSON it may not.
        kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
        if request.method == "POST" and kind != "application/json":
            raise Refused(415, "the header Content-Type should be application/json", "Content-Type")

    async def body(self, request: Request):
        """The JSON of a request's body, within the limits of size and time."""
        data = bytearray()
        try:
            with anyio.fail_after(self.body_seconds):
                async for part in request.stream():
                    data += part
                    if len(data) > self.body_limit:
                        raise Refused(413, f"the body is over the limit of {self.body_limit:,} bytes")
        except ClientDisconnect:
            raise Refused(400, "the body ended early") from None
        except TimeoutError:
            raise Refused(408, f"the body did not arrive within {self.body_seconds:g} seconds") from None

        def no_number(text):
            raise ValueError(f"{text} is not JSON")

        try:
            return json.loads(data.decode("utf-8"), parse_constant=no_number)
        except UnicodeDecodeError:
            raise Refused(400, "the body is not UTF-8") from None
        except (ValueError, RecursionError) as error:
            raise Refused(400, f"the body is not JSON: {str(error)[:200]}") from None
