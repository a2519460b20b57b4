"""Releases whose persons change, and files of what has changed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq
from click.testing import CliRunner, Result

from freg_pipeline.changes.difference import changes
from freg_pipeline.changes.folder import ChangeSet, write_changes
from freg_pipeline.changes.since import state_since
from freg_pipeline.commands.root import cli
from freg_pipeline.journal.releases import require_current
from freg_pipeline.lake.guards import Policy
from freg_pipeline.lake.release import build_release
from freg_pipeline.store import Store
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.unit.lake.delivered import (
    XSD,
    Delivery,
    deliver,
    deliver_events,
    document,
    navn,
    number,
)

PEOPLE = [number(index) for index in range(12)]
A, B, C, D = PEOPLE[:4]


def named(person: str, fornavn: str, day: int = 1, *earlier: str) -> Delivery:
    return person, document(person, *earlier, day=day, navn=[navn(fornavn)])


def load(store: Store, name: str, people: Sequence[Delivery], at: int = 100) -> None:
    documents = [(f"d-{name}-{person}", answer) for person, answer in people]
    build_release(store, deliver(store, name, documents, sekvensnummer=at))


def sync(store: Store, etter: int, *people: Delivery, xsd: bytes = XSD) -> None:
    events = deliver_events(store, etter, etter + 100, people, xsd=xsd)
    build_release(store, events, policy=Policy(accept_contract=True))


def written(
    store: Store, since: str, output: Path | Store, tables: Sequence[str] = ()
) -> ChangeSet:
    with changes(store, state_since(store, since), require_current(store)) as found:
        return write_changes(found, output, tables)


def who(folder: Path, what: str) -> list[str]:
    return sorted(pq.read_table(folder / what)["personidentifikator"].to_pylist())


def ended(store: LocalStore, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["changes", "--store", store.location, *arguments])
