"""Serve a synthetic register: in a thread for tests and the demo, or in the foreground."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from freg_pipeline.errors import ConfigurationError, FregError
from freg_pipeline.synthetic.options import RegisterOptions
from freg_pipeline.synthetic.packages import OFFENTLIG_MED_HJEMMEL
from freg_pipeline.synthetic.progress import Progress, no_progress
from freg_pipeline.synthetic.server import SyntheticRegister

_BACKLOG = 512
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
def running(
    options: RegisterOptions,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    progress: Progress = no_progress,
) -> Iterator[str]:
    """Serve a register in a thread; yields its base URL, everything before ``/v1``.

    Args:
        options: what is chosen of it.
        host: where to listen.
        port: 0: any that is free.
        progress: tells how far a large population is that must be made first.

    Raises:
        ConfigurationError: the port can't be used, or the options are wrong.
    """
    with _ready(options, host, port, progress) as (register, listener):
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


def serve(
    options: RegisterOptions,
    host: str,
    port: int,
    ready: Callable[[str], None],
    progress: Progress = no_progress,
) -> None:
    """Serve a register until it is interrupted.

    Args:
        options, host, port, progress: as :func:`running`.
        ready: gets the base URL, once it answers.

    Raises:
        ConfigurationError: as :func:`running`.
    """
    with _ready(options, host, port, progress) as (register, listener):

        def told() -> None:
            _notify()
            ready(_base_url(listener))

        _Server(_config(register), told).run([listener])


@contextmanager
def _ready(
    options: RegisterOptions, host: str, port: int, progress: Progress
) -> Iterator[tuple[SyntheticRegister, socket.socket]]:
    """A register, and a socket that listens from when the register is there.

    The port is taken before: that it can't be had is told at once, and whoever connects while a
    large population is made is refused, and not kept waiting.
    """
    with _bound(host, port) as listener:
        with progress() as begin:
            made = SyntheticRegister(options, begin)
        with closing(made) as register:
            with _told(host, port):
                listener.listen(_BACKLOG)
            yield register, listener


def _notify() -> None:
    """Tell the service manager that started this, if one did (sd_notify(3))."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager, suppress(OSError):
            manager.sendto(b"READY=1", address.replace("@", "\0", 1))


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


def _bound(host: str, port: int) -> socket.socket:
    """A socket at an address, which doesn't listen yet."""
    with _told(host, port):
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, kind)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(address)
        except OSError:
            bound.close()
            raise
        return bound


@contextmanager
def _told(host: str, port: int) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigurationError(
            f"the address {host}:{port} can't be used: {os.strerror(error.errno or 0)}",
            "Choose another --port",
        ) from None


def _base_url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://{host}:{port}/folkeregisteret/{OFFENTLIG_MED_HJEMMEL.path}"
