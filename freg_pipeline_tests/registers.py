"""Registers for tests: what the synthetic one has counted, and answers made up for one test."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

# One for all: what a client costs is its TLS context. Nothing stays open between requests.
_CLIENT = httpx.Client(
    trust_env=False, limits=httpx.Limits(max_keepalive_connections=0), timeout=60
)


def status_of(base_url: str) -> dict[str, Any]:
    """What the register has counted: requests by service, orders, faults."""
    root = base_url.split("/folkeregisteret/")[0]
    answer = _CLIENT.get(f"{root}/_synthetic/status")
    answer.raise_for_status()
    status: dict[str, Any] = answer.json()
    return status


def looked_up(base_url: str) -> list[dict[str, Any]]:
    """What a register that notes it was asked to look up since this was last asked."""
    root = base_url.split("/folkeregisteret/")[0]
    asked: list[dict[str, Any]] = _CLIENT.get(f"{root}/_synthetic/oppslag").json()
    return asked


def happen(base_url: str, events: int, *, path: str = "hendelser", **query: Any) -> int:
    """Let things happen in a synthetic register; returns its last sequence number."""
    root = base_url.split("/folkeregisteret/")[0]
    query = {"antall": events, **query}
    answer = _CLIENT.post(f"{root}/_synthetic/{path}", params=query)
    return int(answer.raise_for_status().json()["sekvensnummer"])


def get(base_url: str, path: str, accept: str = "*/*", **more: Any) -> httpx.Response:
    """Ask a service of a register, by hand."""
    headers = {"Accept": accept, **more.pop("headers", {})}
    return _CLIENT.get(f"{base_url}/v1/{path}", headers=headers, params=more)


def events_of(base_url: str, seq: int = 0) -> list[dict[str, Any]]:
    """Every event from a number on, page by page."""
    found: list[dict[str, Any]] = []
    while True:
        page = get(base_url, "hendelser/feed", seq=seq).raise_for_status().json()
        if not page:
            return found
        found += page
        seq = page[-1]["sekvensnummer"] + 1


def bulk(base_url: str, path: str, identifiers: list[str], **more: Any) -> httpx.Response:
    """Ask a bulk service for documents, by hand."""
    content = json.dumps({"dokumentidentifikator": identifiers}).encode()
    headers = {"Content-Type": "application/json", **more.pop("headers", {})}
    return _CLIENT.post(f"{base_url}/v1/{path}", content=content, headers=headers, params=more)


@contextmanager
def tampered(
    base_url: str,
    change: Callable[[str, bytes], bytes] = lambda _, body: body,
    statuses: Mapping[str, int] | None = None,
) -> Iterator[str]:
    """A register whose answers are changed on their way; yields its base URL.

    Args:
        base_url: the register's.
        change: given the path after ``/v1/`` and the answer's body, returns what comes of it.
        statuses: paths that are answered by a status and nothing else.
    """

    async def forward(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        path = request.url.path.removeprefix("/v1/")
        if statuses and path in statuses:
            await Response(status_code=statuses[path])(scope, receive, send)
            return
        headers = {
            name: value for name, value in request.headers.items()
            if name in {"accept", "content-type", "authorization"}
        }  # fmt: skip
        answer = await run_in_threadpool(
            _CLIENT.request,
            request.method,
            f"{base_url}/v1/{path}",
            params=request.query_params.multi_items(),
            content=await request.body(),
            headers=headers,
        )
        kept = {"content-type": answer.headers.get("content-type", "application/json")}
        body = change(path, answer.content)
        await Response(body, answer.status_code, kept)(scope, receive, send)

    with serving(forward) as url:
        yield url


@contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """Serve an application of a test's own; yields its base URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        app, log_config=None, log_level="critical", lifespan="off", ws="none", server_header=False
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


class Door:
    """The way to a register, which can be shut for a while: nothing answers, connections end.

    Args:
        base_url: of the register behind it.
    """

    def __init__(self, base_url: str) -> None:
        self.behind = base_url
        behind = urlsplit(base_url)
        self._behind = (behind.hostname or "", behind.port or 80)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._port = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self.connections = 0  # that were ever opened
        self._hangs = False
        self._held: list[socket.socket] = []  # of those who wait for an answer
        self.url = f"http://127.0.0.1:{self._port}{behind.path}"
        self._accepting = self._accept()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.shut()

    def shut(self) -> None:
        """Nobody comes in any more, and whoever is inside is thrown out."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # ends accept(), which closes it
        self._accepting.join()
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._open.clear()
        for connection in self._held:
            connection.close()
        self._held.clear()

    def hang(self) -> None:
        """From now on everybody is let in, and nobody gets an answer."""
        self.shut()
        self.open(hangs=True)

    def open(self, *, hangs: bool = False) -> None:
        """Let everybody in again, at the same place."""
        self._hangs = hangs
        self._listener = socket.create_server(("127.0.0.1", self._port))
        self._accepting = self._accept()

    def _accept(self) -> threading.Thread:
        thread = threading.Thread(target=self._let_in, args=(self._listener,), daemon=True)
        thread.start()
        return thread

    def _let_in(self, listener: socket.socket) -> None:
        with listener, suppress(OSError):
            while True:
                here, _ = listener.accept()
                self.connections += 1
                if self._hangs:
                    self._held.append(here)
                    continue
                there = socket.create_connection(self._behind)
                self._open += [here, there]
                for one, other in ((here, there), (there, here)):
                    threading.Thread(target=_pass_on, args=(one, other), daemon=True).start()


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    with one, suppress(OSError):
        while data := one.recv(65_536):
            other.sendall(data)
    with suppress(OSError):
        other.shutdown(socket.SHUT_RDWR)  # its own reader closes it


@contextmanager
def altered(base_url: str, path: str, change: Callable[[Any], Any]) -> Iterator[str]:
    """A register whose JSON answers of one service are changed; yields its base URL."""
    root, _, base = base_url.partition("/folkeregisteret/")

    async def forward(request: Request) -> Response:
        headers = {
            name: value
            for name, value in request.headers.items()
            if name in {"accept", "content-type", "authorization"}
        }
        async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
            answer = await client.request(
                request.method,
                f"{root}{request.url.path}?{request.url.query}",
                headers=headers,
                content=await request.body(),
            )
        body = answer.content
        if request.url.path.endswith(path) and answer.is_success:
            body = json.dumps(change(answer.json())).encode()
        kind = answer.headers.get("content-type")
        return Response(body, answer.status_code, media_type=kind)

    every = Route("/{path:path}", forward, methods=["GET", "POST", "HEAD"])
    with serving(Starlette(routes=[every])) as url:
        yield f"{url}/folkeregisteret/{base}"
