"""Loads and syncs whose register turns hostile at one service: nothing comes of them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from freg_pipeline.settings import load
from freg_pipeline.synthetic import RegisterOptions, running
from freg_pipeline_tests.hostile.meeting import Ended, met_by, settings_for, where
from freg_pipeline_tests.hostile.peers import ENDLESS, FAULTS, NUMBER, PEERS, REFUSALS, SECRET, said
from freg_pipeline_tests.hostile.server import Peer, answering_by
from freg_pipeline_tests.loads import full_load
from freg_pipeline_tests.registers import happen
from freg_pipeline_tests.unit.contract.test_hostile_contracts import EXPLODING

LOAD, SYNC = ("uttrekk", "komplett"), ("hendelser", "sync")
SERVICES = {
    LOAD: ["siste/sekvensnummer", "uttrekk/komplett", "/batch/", "personer/xsd", "bulkoppslag"],
    SYNC: ["siste/sekvensnummer", "hendelser/feed", "personer/bulkoppslag"],
}
# One of each sort that servers in general have.
GENERAL = [
    "a body that trickles", "503 without end", "400 without end", "gzip bomb",
    "gzip bomb as an error", "gzip bomb as a fault", "shorter than it says", "two lengths",
    "it leads on without encryption", "not modified", "what was asked", "a list of objects",
    "texts of nothing", "brackets without end", "nested without end", "another protocol",
]  # fmt: skip
HEALED = "another's error"  # a sync asks for each document by itself, and has them all
MOST_BYTES = 250 * 1024**2  # with answers of 8 MB, several at once


def _json(answer: object) -> Peer:
    return said("200 OK", json.dumps(answer).encode())


def _rows(count: int) -> Peer:
    """Everybody's document has so many rows of nothing."""
    rows = b",".join([b"{}"] * count)
    body = b'{"oppslag":[{"dokumentidentifikator":"x","folkeregisterperson":{"navn":[%s]}}]}' % rows
    return said("200 OK", body)


def _exploding(name: str) -> Peer:
    return said("200 OK", EXPLODING[name][0])


# What only this register's own services can say, by service; each means a 1, 3 or 4.
OWN: dict[str, dict[str, Peer]] = {
    "uttrekk/komplett": {
        "a job that leads elsewhere": _json({"jobbId": ".."}),
        "a job of a long name": _json({"jobbId": "a" * 10_000}),
        "a job without a name": _json({"jobbId": None}),
        "a job of two lines": _json({"jobbId": "a\r\nX-A: b"}),
    },
    "/batch/": {
        "the same batch for ever": _json({"dokumentidentifikator": ["d-1", "d-2"]}),
        "one identifier a thousand times": _json({"dokumentidentifikator": ["d-1"] * 100_000}),
        "identifiers that lead elsewhere": _json({"dokumentidentifikator": ["../..", "a\n", ""]}),
        "identifiers of a megabyte": _json({"dokumentidentifikator": ["a" * 10**6, "b" * 10**6]}),
        "a batch of two kinds": _json(
            {"dokumentidentifikator": ["a"], "foedselsEllerDNummer": ["b"]}
        ),
    },
    "personer/xsd": {name: _exploding(name) for name in EXPLODING},
    "bulkoppslag": {"millions of rows": _rows(2_000_000), "another's document": _rows(1)},
    "personer/bulkoppslag": {
        "millions of rows": _rows(2_000_000),
        # Of somebody between us and the register.
        HEALED: _json({"error": "the backend is away"}),
    },
    "siste/sekvensnummer": {"a number below nothing": said("200 OK", b"-1")},
    "hendelser/feed": {
        "a number beyond the last": _json([{"sekvensnummer": 2**62, "hendelse": {}}]),
        "a number beyond numbers": _json([{"sekvensnummer": 2**63, "hendelse": {}}]),
        "an event without a number": _json([{"hendelse": {"hendelsetype": "x"}}]),
    },
}


@dataclass(frozen=True)
class Case:
    """A command, the service at which it meets a peer, and the peer's name."""

    command: tuple[str, ...]
    service: str
    peer: str

    def __str__(self) -> str:
        return f"{self.command[-1]}, {self.service}, {self.peer}"

    @property
    def answer(self) -> Peer:
        """What answers there."""
        return OWN.get(self.service, {}).get(self.peer) or PEERS[self.peer]


CASES = [
    Case(command, service, peer)
    for command, services in SERVICES.items()
    for service in services
    for peer in (*OWN[service], *GENERAL)
    if peer != HEALED
]


class Flows:
    """A register, and a store that a sync of it begins with.

    Args:
        register: its base URL.
        folder: where that store may lie.
    """

    def __init__(self, register: str, folder: Path) -> None:
        self._register, self._base = register, folder
        given = self._settings(register, folder)
        full_load(load(**{name[5:].lower(): value for name, value in given.items()}))
        happen(register, 3)

    def met(self, case: Case, folder: Path) -> tuple[Ended, Sequence[str]]:
        """How a command ended, and which releases it added to the store in a folder."""
        if case.command == SYNC:
            shutil.copytree(self._base, folder, dirs_exist_ok=True)
        before = _releases(folder)
        hostile = where(lambda target: case.service in target, case.answer, self._register)
        with answering_by(hostile) as met:
            ended = met_by(case.peer, case.command, self._settings(met.url, folder))
        reached = any(case.service.encode() in head for head in met.heads)
        assert reached or case.peer in ENDLESS, met.heads
        return ended, _releases(folder)[len(before) :]

    @staticmethod
    def _settings(url: str, folder: Path) -> dict[str, str]:
        return settings_for(
            url, folder, FREG_POLL_SECONDS="0.02", FREG_CONFIRM_SECONDS="0",
            FREG_POLL_TIMEOUT_HOURS="0.01",
        )  # fmt: skip


def _releases(folder: Path) -> list[str]:
    return sorted(one.name for one in (folder / "store" / "releases").glob("*"))


def faults_in(ended: Ended, added: Sequence[str], case: Case) -> list[str]:
    """What is wrong with how a command ended."""
    codes = {1, 3, 4}
    if case.peer in ENDLESS or case.peer in FAULTS:
        codes = {1}
    elif case.peer in REFUSALS:
        codes = {3}
    told = [line for line in ended.stderr.splitlines() if line.startswith("Error: ")]
    wrong = {
        f"exit code {ended.code}": ended.code not in codes,
        f"{len(told)} errors": len(told) != 1,
        f"releases {added}": bool(added),
        "a surprise": "unforeseen" in ended.stderr or "Traceback" in ended.stderr,
        f"{ended.grown / 1e6:.0f} MB": ended.grown > MOST_BYTES,
        "a number or a secret is told": NUMBER in ended.stderr or SECRET in ended.stderr,
    }
    return [f"{what}: {ended.stderr[-600:]}" for what, is_so in wrong.items() if is_so]


@contextmanager
def flows(folder: Path) -> Iterator[Flows]:
    """A small register, loaded once."""
    options = RegisterOptions(persons=30, batch_size=30, ready_after_seconds=0)
    with running(options) as url:
        yield Flows(url, folder)
