"""Receivers of alerts, for real: a webhook over HTTP, and a mail server."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass
class Webhook:
    """What a webhook was sent.

    Attributes:
        port: where it listens.
        status: what it answers with.
        got: the JSON of each request that it took.
        paths: the path of each request.
    """

    port: int = 0
    status: int = 200
    got: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    @property
    def lines(self) -> list[str]:
        """Every line that it was sent."""
        return [line for one in self.got for line in one["message"].splitlines()]


@contextmanager
def webhook() -> Iterator[Webhook]:
    """A webhook on loopback."""
    made = Webhook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.paths.append(self.path)
            if made.status == 200:
                made.got.append(json.loads(body))
            self.send_response(made.status)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()


@dataclass
class Mailbox:
    """What a mail server took.

    Attributes:
        port: where it listens.
        got: the messages.
    """

    port: int = 0
    got: list[EmailMessage] = field(default_factory=list)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  as the library has it
        """Take a message."""
        content = cast(bytes, envelope.content)
        self.got.append(message_from_bytes(content, policy=policy.default))
        return "250 OK"


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    """A mail server on loopback."""
    made = Mailbox()
    listening, done = threading.Event(), asyncio.Event()

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: SMTP(made, loop=loop), "127.0.0.1", 0)
        async with server:
            made.port = server.sockets[0].getsockname()[1]
            listening.set()
            await done.wait()

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert listening.wait(30)
    try:
        yield made
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join()
        loop.close()
