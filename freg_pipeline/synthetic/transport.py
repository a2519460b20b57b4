"""Transport faults: what happens to a request on its way to the services and back."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from freg_pipeline.synthetic.faults import Faults
from freg_pipeline.synthetic.problems import feilkode, firewall, gateway, kode

SLOW_SECONDS = 1.0
_SERVICES = (
    (re.compile(r"uttrekk/[^/]+/batch/[^/]+"), "uttrekk/batch"),
    (re.compile(r"personer/arkiv/[^/]+"), "personer/arkiv/{dokumentidentifikator}"),
    (
        re.compile(r"personer/(?!bulkoppslag$|soek$|entydigsoek$|xsd$)[^/]+"),
        "personer/{personidentifikator}",
    ),
    (
        re.compile(r"hendelser/(?!bulkoppslag$|feed$|feedxsd$|xsd$)[^/]+"),
        "hendelser/{hendelsesidentifikator}",
    ),
)


class FaultyTransport:
    """Wraps the services: counts requests, adds latency, and lets things go wrong."""

    def __init__(
        self, app: ASGIApp, faults: Faults, requests: Counter[str], latency_ms: int
    ) -> None:
        self._app = app
        self._faults = faults
        self._requests = requests
        self._latency = latency_ms / 1000
        self._pages = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one request."""
        if scope["type"] != "http" or "/v1/" not in scope["path"]:
            await self._app(scope, receive, send)
            return
        service = service_name(scope["path"])
        self._requests[service] += 1
        if self._latency:
            await asyncio.sleep(self._latency)
        fault = self._faults.transport(service)
        if fault is None:
            await self._app(scope, receive, send)
        elif fault in {"truncated", "garbled"}:
            await self._cut(scope, receive, send, complete=fault == "garbled")
        elif fault == "reset":
            scope["extensions"]["synthetic"]["abort"]()
        elif fault == "slow":
            await asyncio.sleep(SLOW_SECONDS)
            await self._app(scope, receive, send)
        else:
            await self._answer(fault, scope, receive, send)

    async def _answer(self, fault: str, scope: Scope, receive: Receive, send: Send) -> None:
        self._pages += fault == "html"
        answers: dict[str, Callable[[], Response]] = {
            "500": lambda: feilkode(500, "FREG-500", "Intern feil"),
            "503": lambda: gateway(503, "SERVICE_UNAVAILABLE", "Tjenesten er nede"),
            "429": lambda: kode(429, "FREG-429", "For mange kall", {"Retry-After": "50"}),
            "404": lambda: gateway(404, "NOT_FOUND", "Tjenesten finnes ikke"),
            "410": lambda: gateway(410, "GONE", "Tjenesten er lagt ned"),
            "401": lambda: gateway(401, "UNAUTHORIZED", "Token er utløpt"),
            "html": lambda: firewall(403 if self._pages % 2 else 503),
        }
        await answers[fault]()(scope, receive, send)

    async def _cut(self, scope: Scope, receive: Receive, send: Send, *, complete: bool) -> None:
        """Give half of the real answer: as if it were whole, or with the connection lost."""
        start: Message = {}
        body = b""

        async def collect(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                start = message
            else:
                body += message.get("body", b"")

        await self._app(scope, receive, collect)
        half = body[: len(body) // 2]
        length = len(half) if complete else len(body)
        headers: list[Any] = [one for one in start["headers"] if one[0] != b"content-length"]
        headers.append((b"content-length", str(length).encode()))
        await send({**start, "headers": headers})
        await send({"type": "http.response.body", "body": half, "more_body": not complete})
        if not complete:
            await asyncio.sleep(0.01)  # let what there is be sent first
            scope["extensions"]["synthetic"]["abort"]()


def service_name(path: str) -> str:
    """A service's name, without identifiers: ``uttrekk/batch`` for any job's any batch."""
    resource = path.split("/v1/", 1)[1]
    for pattern, name in _SERVICES:
        if pattern.fullmatch(resource):
            return name
    return resource
