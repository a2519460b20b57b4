"""A register that turns hostile in the middle of a load or a sync: nothing comes of it.

Each answers everything as it should, but for one service.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from freg_pipeline.lake.query import query
from freg_pipeline.settings import load
from freg_pipeline.store import open_store
from freg_pipeline.synthetic import RegisterOptions, running
from freg_pipeline_tests.hostile.meeting import Ended, met_by, settings_for, where
from freg_pipeline_tests.hostile.peers import NUMBER, PEERS, SECRET, said
from freg_pipeline_tests.hostile.server import answering_by
from freg_pipeline_tests.loads import full_load
from freg_pipeline_tests.registers import happen

# Somebody between us and the register has an error.
_PEERS = {**PEERS, "another's error": said("200 OK", b'{"error":"the backend is away"}')}
LOADS = {
    "an order's receipt": ("uttrekk/komplett", "half a pair", 1),
    "a batch that unpacks to gigabytes": ("/batch/", "gzip bomb", 3),
    "documents of odd headers": ("personer/bulkoppslag", "odd letters in headers", 1),
    "a contract that grows": ("personer/xsd", "XML that grows", 1),
    "a contract from elsewhere": ("personer/xsd", "an XSD from elsewhere", 1),
}
SYNCS = {
    "events without a sense": ("hendelser/feed", "numbers beyond numbers", 1),
    "events not modified": ("hendelser/feed", "not modified", 3),
}


@pytest.fixture(scope="module")
def register() -> Iterator[str]:
    with running(RegisterOptions(persons=30, batch_size=30, ready_after_seconds=0)) as url:
        yield url


def _met(
    register: str, folder: Path, arguments: list[str], service: str, peer: str, *, behind: bool
) -> tuple[Ended, list[str]]:
    """How a command ended that met a peer at one service, and which releases it added.

    ``behind``: there is a release before, and events have come since.
    """
    turned = not behind
    hostile = where(lambda target: turned and service in target, _PEERS[peer], register)
    with answering_by(hostile) as met:
        settings = settings_for(
            met.url, folder, FREG_POLL_SECONDS="0.02", FREG_CONFIRM_SECONDS="0",
            FREG_POLL_TIMEOUT_HOURS="0.01",
        )  # fmt: skip
        if behind:
            full_load(load(**{name[5:].lower(): value for name, value in settings.items()}))
            happen(register, 3)
            turned = True
        met.heads.clear()
        before = _releases(folder)
        ended = met_by(peer, arguments, settings)
    assert any(service.encode() in head for head in met.heads)
    for secret in (SECRET, NUMBER, "unforeseen"):
        assert secret not in ended.stderr
    return ended, _releases(folder)[len(before) :]


def _said_no(ended: Ended, code: int) -> None:
    told = [line for line in ended.stderr.splitlines() if line.startswith("Error: ")]
    assert (ended.code, len(told)) == (code, 1), ended.stderr


def _releases(folder: Path) -> list[str]:
    return sorted(one.name for one in (folder / "store" / "releases").glob("*"))


@pytest.mark.parametrize("case", LOADS)
def test_a_load_publishes_nothing(case: str, register: str, tmp_path: Path) -> None:
    service, peer, code = LOADS[case]
    ended, added = _met(register, tmp_path, ["uttrekk", "komplett"], service, peer, behind=False)
    _said_no(ended, code)
    assert added == []


def test_a_list_of_one_takes_no_error_for_a_document(register: str, tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text(f"{NUMBER}\n")
    arguments = ["uttrekk", "liste", str(path)]
    ended, added = _met(
        register, tmp_path, arguments, "personer/bulkoppslag", "another's error", behind=False
    )
    _said_no(ended, 4)
    assert added == []


@pytest.mark.parametrize("case", SYNCS)
def test_a_sync_publishes_nothing(case: str, register: str, tmp_path: Path) -> None:
    service, peer, code = SYNCS[case]
    ended, added = _met(register, tmp_path, ["hendelser", "sync"], service, peer, behind=True)
    _said_no(ended, code)
    assert added == []


def test_a_sync_takes_no_error_for_a_document(register: str, tmp_path: Path) -> None:
    """It asks for each document by itself, and has them all."""
    arguments, service = ["hendelser", "sync"], "personer/bulkoppslag"
    ended, added = _met(register, tmp_path, arguments, service, "another's error", behind=True)
    assert (ended.code, len(added)) == (0, 1), ended.stderr
    empty = (
        "SELECT count(*) FROM person ANTI JOIN identifikasjonsnummer USING (personidentifikator)"
    )
    store = open_store(load(store=str(tmp_path / "store")))
    assert query(store, empty).fetchall() == [(0,)]
