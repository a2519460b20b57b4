"""A server on bare sockets, which says whatever bytes a peer wants to say."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

SENT_AT_MOST = 400 * 1024**2  # to one who reads without a bound: then it is seen that they do


@dataclass
class Connection:
    """One request's connection.

    Attributes:
        socket: as it is.
        method: of the request.
        target: path and query.
        body: of the request.
        heads: of all requests that the server has met, as they came.
    """

    socket: socket.socket
    method: str
    target: str
    body: bytes
    heads: list[bytes]

    def send(self, *parts: bytes) -> None:
        """Say this."""
        for part in parts:
            self.socket.sendall(part)

    def endless(self, part: bytes) -> None:
        """Say this again and again, until nobody reads."""
        block = part * max(1, 65_536 // len(part))
        for _ in range(SENT_AT_MOST // len(block)):
            self.socket.sendall(block)

    def trickle(self, part: bytes) -> None:
        """Say this byte by byte, until nobody reads."""
        while True:
            for at in range(len(part)):
                self.socket.sendall(part[at : at + 1])
                self.socket.settimeout(0.02)
                with suppress(TimeoutError):
                    if not self.socket.recv(1):
                        return


Peer = Callable[[Connection], None]


@dataclass
class Met:
    """A server that answers by a peer.

    Attributes:
        url: its root.
        heads: of the requests that it was sent.
    """

    url: str
    heads: list[bytes] = field(default_factory=list)


@contextmanager
def answering_by(peer: Peer, secured: ssl.SSLContext | None = None) -> Iterator[Met]:
    """A server on this machine; every request of it is answered by ``peer``."""
    listener = socket.create_server(("127.0.0.1", 0))
    scheme = "http" if secured is None else "https"
    met = Met(f"{scheme}://127.0.0.1:{listener.getsockname()[1]}")
    opened: list[socket.socket] = []

    def answer(plain: socket.socket) -> None:
        with plain, suppress(OSError):
            here = plain if secured is None else secured.wrap_socket(plain, server_side=True)
            with here:
                connection = _asked(here, met.heads)
                if connection is not None:
                    peer(connection)
                    with suppress(OSError):
                        here.shutdown(socket.SHUT_WR)
                    here.settimeout(0.5)
                    while here.recv(65_536):  # else what was said may be lost by a reset
                        pass

    def accept() -> None:
        with listener, suppress(OSError):
            while True:
                connection, _ = listener.accept()
                opened.append(connection)
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield met
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        for connection in opened:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def _asked(here: socket.socket, heads: list[bytes]) -> Connection | None:
    """Read a request; None: nobody asked anything."""
    read = b""
    while b"\r\n\r\n" not in read:
        part = here.recv(65_536)
        if not part:
            return None
        read += part
    head, _, body = read.partition(b"\r\n\r\n")
    heads.append(head)
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            while len(body) < int(line.split(b":")[1]):
                part = here.recv(65_536)
                if not part:
                    return None
                body += part
    method, target, _ = head.split(b" ", 2)
    return Connection(here, method.decode(), target.decode("latin-1"), body, heads)
