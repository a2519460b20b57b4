"""The events of a sync as tables: what happened, and what each event changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from freg_pipeline.client.feed import FeedEntry
from freg_pipeline.extract.blank import is_blank
from freg_pipeline.extract.parts import table_of_event
from freg_pipeline.feed.documents import documents_of, read_documents
from freg_pipeline.journal.files import KeptFile
from freg_pipeline.journal.kept import keep
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.owntable import OwnTable
from freg_pipeline.lake.staging import event_key
from freg_pipeline.lake.tables import (
    AVVIK,
    HENDELSE,
    HENDELSE_EGENSKAP,
    NO_DOCUMENT,
    NOT_FOLLOWED,
)
from freg_pipeline.normalize.values import moment
from freg_pipeline.store import Store, is_there, recall_record, write_record

_TIME_COLUMN = "ajourholdstidspunkt"
_TIME = HENDELSE.schema.field(_TIME_COLUMN).type


class StagedEvents(msgspec.Struct, frozen=True):
    """A sync's event tables, in the store.

    Attributes:
        files: staging files by table.
        documents: event documents that the events point to.
        missing: those of them that the register didn't give.
    """

    files: dict[str, KeptFile]
    documents: int
    missing: int


def staged_events(store: Store, name: str) -> StagedEvents:
    """What staging a sync's events gave.

    Raises:
        ObjectMissingError: they have not been staged.
    """
    return recall_record(store, event_key(name, "done.json"), StagedEvents)


def stage_events(store: Store, uttrekk: Uttrekk, events: Sequence[FeedEntry]) -> StagedEvents:
    """Make the staging tables of a sync's events, unless they are there already.

    Args:
        store: where the answers lie and the tables go.
        uttrekk: of kind hendelser; all its event documents are fetched.
        events: its events, in the list's order.
    """
    done = event_key(uttrekk.name, "done.json")
    if is_there(store, done):
        return staged_events(store, uttrekk.name)
    documents = documents_of(events)
    with store.scratch() as folder:
        changes = _Changes(uttrekk, events, documents)
        files = {
            table.name: _stage(store, uttrekk, table, folder, rows)
            for table, rows in (
                (HENDELSE, iter([_happened(events)])),
                (HENDELSE_EGENSKAP, changes.rows()),
                (AVVIK, _unexpected(uttrekk, events, changes)),
            )
        }
    staged = StagedEvents(files, len(documents), len(changes.missing))
    write_record(store, done, staged)
    return staged_events(store, uttrekk.name)  # whoever was first


def times_of(events: Sequence[FeedEntry]) -> pa.Array:
    """When each event was recorded; null where it tells no time, or none that can be read."""
    return pa.array([_time(event.ajourholdstidspunkt) for event in events], _TIME)


def _time(text: str | None) -> datetime | None:
    try:
        return moment(text) if text else None
    except ValueError:
        return None


def _happened(events: Sequence[FeedEntry]) -> pa.Table:
    """One row an event, but for those of persons who are kept out."""
    events = [event for event in events if not is_blank(event)]
    rows = {
        name: pa.array([getattr(event, name) for event in events])
        for name in HENDELSE.schema.names
        if name != _TIME_COLUMN
    }
    return (
        pa.table({**rows, _TIME_COLUMN: times_of(events)})
        .select(HENDELSE.schema.names)
        .cast(HENDELSE.schema)
    )


def _unexpected(
    uttrekk: Uttrekk, events: Sequence[FeedEntry], changes: _Changes
) -> Iterator[pa.Table]:
    """The account of what could not be had or followed, once the changes are read."""
    rows = [(name, NO_DOCUMENT, reason) for name, reason in changes.missing.items()]
    rows += [
        (str(event.sekvensnummer), NOT_FOLLOWED, "hendelsen sier ikke hvem den gjelder")
        for event in events
        if event.folkeregisteridentifikator is None
        and event.persondokument is None
        and not is_blank(event)
    ]
    told = [
        {"identifikator": name, "uttrekk": uttrekk.name, "utfall": outcome, "aarsak": reason}
        for name, outcome, reason in rows
    ]
    yield pa.Table.from_pylist(told, schema=AVVIK.schema)


class _Changes:
    """The rows of hendelse_egenskap, and which event documents could not be had."""

    def __init__(self, uttrekk: Uttrekk, events: Sequence[FeedEntry], documents: list[str]) -> None:
        self._uttrekk = uttrekk
        self._documents = documents
        self._events: dict[str, list[int]] = defaultdict(list)
        for event in events:
            if event.hendelsesdokument is not None:
                self._events[event.hendelsesdokument].append(event.sekvensnummer)
        self.missing: dict[str, str] = {}  # filled by rows(): document and reason

    def rows(self) -> Iterator[pa.Table]:
        for answered in read_documents(self._uttrekk, self._documents):
            self.missing |= {
                name: document.feilmelding
                for name, document in answered.items()
                if document.feilmelding is not None
            }
            told = [
                (
                    number,
                    name,
                    place,
                    table_of_event(change.entitet),
                    change.entitetsendring,
                    change.innhold,
                )
                for name, document in answered.items()
                for number in self._events.get(name, ())
                for place, change in enumerate(document.egenskaper)
            ]
            columns = list(zip(*told, strict=True)) or [()] * len(HENDELSE_EGENSKAP.schema)
            yield pa.table(list(map(list, columns)), schema=HENDELSE_EGENSKAP.schema)


def _stage(
    store: Store, uttrekk: Uttrekk, table: OwnTable, folder: Path, rows: Iterator[pa.Table]
) -> KeptFile:
    path = folder / f"{table.name}.parquet"
    with pq.ParquetWriter(
        path, table.schema, compression="zstd", store_schema=False, write_page_checksum=True
    ) as writer:
        for piece in rows:
            writer.write_table(piece)
    return keep(store, event_key(uttrekk.name, path.name), path)
