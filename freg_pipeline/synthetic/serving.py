"""Serve a synthetic register: in a thread for tests and the demo, or in the foreground."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from freg_pipeline.errors import ConfigurationError, FregError
from freg_pipeline.synthetic.options import RegisterOptions
from freg_pipeline.synthetic.packages import OFFENTLIG_MED_HJEMMEL
from freg_pipeline.synthetic.server import SyntheticRegister

START_SECONDS = 60.0  # a moment, but for a machine that has other things to do


class _Protocol(H11Protocol):
    """Lets the application drop its connection, as a broken network would."""

    def handle_events(self) -> None:
        app = self.app

        async def with_abort(scope: Any, receive: Any, send: Any) -> None:
            scope.setdefault("extensions", {})["synthetic"] = {"abort": self.transport.abort}
            await app(scope, receive, send)

        self.app = with_abort
        try:
            super().handle_events()
        finally:
            self.app = app


class _Server(uvicorn.Server):
    """Tells when it accepts connections."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()


@contextmanager
def running(options: RegisterOptions, *, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve a register in a thread; yields its base URL, everything before ``/v1``.

    Raises:
        ConfigurationError: the port can't be used, or the options are wrong.
    """
    with _listen(host, port) as listener, closing(SyntheticRegister(options)) as register:
        started = threading.Event()
        server = _Server(_config(register), started.set)
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        try:
            if not started.wait(START_SECONDS):
                raise FregError("the synthetic register did not start", "Try again")
            yield _base_url(listener)
        finally:
            server.should_exit = True
            thread.join()


def serve(options: RegisterOptions, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Serve a register until it is interrupted; ``ready`` gets the base URL.

    Raises:
        ConfigurationError: as :func:`running`.
    """
    with _listen(host, port) as listener, closing(SyntheticRegister(options)) as register:
        server = _Server(_config(register), lambda: ready(_base_url(listener)))
        server.run([listener])


def _config(register: SyntheticRegister) -> uvicorn.Config:
    # No access log: paths hold identity numbers.
    return uvicorn.Config(
        register.app,
        http=_Protocol,
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        timeout_graceful_shutdown=1,
        timeout_keep_alive=75,  # as nginx does
        ws="none",
    )


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), backlog=512)
    except OSError as error:
        raise ConfigurationError(
            f"the address {host}:{port} can't be used: {os.strerror(error.errno or 0)}",
            "Choose another --port",
        ) from None


def _base_url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://{host}:{port}/folkeregisteret/{OFFENTLIG_MED_HJEMMEL.path}"
