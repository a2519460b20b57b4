"""A command that meets a peer, in this process: how it ends, what it says, what it takes."""

from __future__ import annotations

import http.client
import io
import logging
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest import mock
from urllib.parse import urlsplit

from joserfc.jwk import RSAKey

from freg_pipeline import cli
from freg_pipeline.client import bounds, maskinporten, patience, wire
from freg_pipeline_tests.hostile.peers import (
    ENDLESS,
    FAULTS,
    NUMBER,
    REFUSALS,
    REFUSED_BY_SOME,
    SECRET,
)
from freg_pipeline_tests.hostile.server import Connection, Peer

COMMANDS = {
    "sekvensnummer": ["sekvensnummer"],
    "feed": ["feed", "1"],
    "xsd": ["xsd", "person"],
    "person": ["person", NUMBER],
    "person-arkiv": ["person-arkiv", "abc"],
    "hendelse": ["hendelse", "abc"],
    "soek": ["soek", "--navn", "KARI"],
    "entydigsoek": ["entydigsoek", "--navn", "KARI NORDMANN", "--identifikasjonsnummer", NUMBER],
    "check": ["check"],
}
MOST_BYTES, MOST_SECONDS = 100 * 1024**2, 60.0  # with answers of 8 MB; of a busy machine


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Attributes:
        code: its exit code.
        stdout: what it printed.
        stderr: what it told.
        seconds: how long it took.
        grown: bytes of memory that it took, at the most at once.
    """

    code: int
    stdout: bytes
    stderr: str
    seconds: float
    grown: int


def settings_for(url: str, folder: Path, **more: str) -> dict[str, str]:
    """Settings for a register at ``url``, with a store in ``folder`` and a token."""
    return {
        "FREG_BASE_URL": url, "FREG_STORE": str(folder / "store"), "FREG_TOKEN": SECRET,
        "FREG_ENVIRONMENT": "konsumenttest", "FREG_MAX_ANSWER_MB": "8", "FREG_WAIT_HOURS": "0",
        **more,
    }  # fmt: skip


def settings_by_key(url: str, maskinporten: str, key_file: Path, folder: Path) -> dict[str, str]:
    """As :func:`settings_for`, with a key in place of a token."""
    settings = settings_for(
        url, folder, FREG_MASKINPORTEN_TOKEN_ENDPOINT=f"{maskinporten}/token",
        FREG_MASKINPORTEN_CLIENT_ID="me", FREG_MASKINPORTEN_KEY_FILE=str(key_file),
        FREG_MASKINPORTEN_KID="k", FREG_MASKINPORTEN_ISSUER=f"{maskinporten}/",
    )  # fmt: skip
    del settings["FREG_TOKEN"]
    return settings


def written_key(folder: Path) -> Path:
    """A key of one's own, in a file."""
    path = folder / "key.pem"
    path.write_bytes(RSAKey.generate_key(2048).as_pem(private=True))
    path.chmod(0o600)
    return path


def met_by(peer: str, arguments: Sequence[str], settings: Mapping[str, str]) -> Ended:
    """Run a command that meets a peer of this name."""
    with impatient(0.5) if peer in ENDLESS else impatient():
        return ran(arguments, settings)


def faults_of(ended: Ended, peer: str, command: str) -> list[str]:
    """What is wrong with how a command ended that met a peer."""
    codes = {0, 1}
    if peer in ENDLESS or peer in FAULTS:
        codes = {1}
    elif peer in REFUSALS:
        codes = {3}
    elif peer in REFUSED_BY_SOME:
        codes = {0, 1, 3}
    lines = ended.stderr.splitlines()
    wrong = {
        f"exit code {ended.code}": ended.code not in codes,
        f"{len(lines)} lines": len(lines) != (ended.code != 0),
        "a surprise": "unforeseen" in ended.stderr or "Traceback" in ended.stderr,
        f"{ended.seconds:.0f} s": ended.seconds > MOST_SECONDS,
        f"{ended.grown / 1e6:.0f} MB": ended.grown > MOST_BYTES,
        "a number is told": NUMBER in ended.stderr,
        "a secret is told": SECRET in ended.stderr or SECRET.encode() in ended.stdout,
        "an answer for none": ended.code != 0 and command != "check" and ended.stdout != b"",
    }
    return [f"{what}: {ended.stderr}" for what, is_so in wrong.items() if is_so]


@contextmanager
def impatient(seconds: float = 60.0) -> Iterator[None]:
    """Everything is tried twice, and each time waited for so many seconds."""
    usual = patience.Patience.__init__.__kwdefaults__
    few = {**usual, "faults": 2, "throttled_seconds": 0.1, "deadline_seconds": 3.0}
    with (
        mock.patch.object(patience.Patience.__init__, "__kwdefaults__", few),
        mock.patch.object(patience, "FIRST_WAIT", 0.01),
        mock.patch.object(patience, "JITTER", 0.01),
        mock.patch.object(wire, "TRY_SECONDS", seconds),
        mock.patch.object(bounds, "TOKEN_SECONDS", seconds),
        mock.patch.object(maskinporten, "TRIES", 2),
    ):
        yield


def ran(arguments: Sequence[str], settings: Mapping[str, str]) -> Ended:
    """Run a command with these settings, and no others."""
    out, err = io.TextIOWrapper(io.BytesIO()), io.StringIO()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FREG_")}
    root = logging.getLogger()
    handlers, root.handlers[:] = root.handlers[:], []
    begun, before = time.monotonic(), _peak(anew=True)
    code = 0
    try:
        with (
            mock.patch.dict(os.environ, {**kept, **settings}, clear=True),
            mock.patch.object(sys, "stdout", out),
            mock.patch.object(sys, "stderr", err),
        ):
            try:
                cli.main(arguments)
            except SystemExit as end:
                code = int(end.code or 0)
    finally:
        root.handlers[:] = handlers
    out.flush()
    stdout = out.buffer.getvalue()  # type: ignore[attr-defined]
    took = time.monotonic() - begun
    return Ended(code, stdout, err.getvalue(), took, _peak() - before)


def _peak(*, anew: bool = False) -> int:
    """The most memory that this process has had; anew: from now on (Linux)."""
    if anew:
        Path("/proc/self/clear_refs").write_text("5")
    told = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert told is not None
    return int(told[1]) * 1024


def where(is_met: Callable[[str], bool], peer: Peer, base_url: str) -> Peer:
    """A register that answers some paths by a peer, and the others as it does."""
    register = urlsplit(base_url)

    def answer(to: Connection) -> None:
        if is_met(to.target):
            peer(to)
            return
        line = http.client.HTTPConnection(register.hostname or "", register.port, timeout=60)
        names = (b"accept", b"content-type", b"authorization")
        headers = {}
        for one in to.heads[-1].split(b"\r\n")[1:]:
            name, _, value = one.partition(b":")
            if name.lower() in names:
                headers[name.decode()] = value.strip().decode()
        line.request(to.method, register.path + to.target, to.body, headers)
        given = line.getresponse()
        body = given.read()
        kind = given.getheader("Content-Type", "application/json")
        to.send(
            f"HTTP/1.1 {given.status} X\r\nContent-Type: {kind}\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
            + body
        )
        line.close()

    return answer
