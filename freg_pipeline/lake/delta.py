"""An uttrekk of events -> a delta on top of the current release.

A delta holds all rows of the persons whose documents it brings, and whom it replaces: readers hide
the earlier rows of these. Making one reads and writes what these persons have, and nothing else of
the register, whatever its size.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import duckdb
import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from freg_pipeline.errors import FregError, OvertakenError
from freg_pipeline.journal.accounting import Accounting
from freg_pipeline.journal.kept import require_whole
from freg_pipeline.journal.keptout import forget_lifted
from freg_pipeline.journal.manifest import Delta, Manifest, TableFile
from freg_pipeline.journal.measures import Measures
from freg_pipeline.journal.pointer import point_to_newest
from freg_pipeline.journal.publish import note_release, publish_after
from freg_pipeline.journal.releases import read_manifest, require_current
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.accounting import account, require_complete
from freg_pipeline.lake.database import working_database
from freg_pipeline.lake.documents import landed_documents
from freg_pipeline.lake.drift import changes_between, require_compatible
from freg_pipeline.lake.files import BucketedRows, Buckets, keep_file
from freg_pipeline.lake.grown import grown
from freg_pipeline.lake.guards import STRICT, Policy, require_not_fewer
from freg_pipeline.lake.identity import add_known, keep_delta_only
from freg_pipeline.lake.landing import load_plan, require_landed
from freg_pipeline.lake.layout import FileLayout, layouts
from freg_pipeline.lake.measured import measures_of
from freg_pipeline.lake.merge import merged
from freg_pipeline.lake.merging import Merging
from freg_pipeline.lake.newer import rank
from freg_pipeline.lake.packed import decoded
from freg_pipeline.lake.resolve import NOBODY, load, settle
from freg_pipeline.lake.rows import Origin, OwnRows, is_own
from freg_pipeline.lake.staging import Staging, event_key, staged_events
from freg_pipeline.lake.state import State
from freg_pipeline.lake.tables import AVVIK, EVENT_TABLES, HENDELSE
from freg_pipeline.lake.tally import TALLY, Counting
from freg_pipeline.store import Store, is_there, read_record, recall_record, write_record
from freg_pipeline.store.overlap import Overlap


class _Made(msgspec.Struct, frozen=True):
    """A delta whose files are in the store.

    Attributes:
        delta: what it holds.
        accounting: of its uttrekk.
        change: by how many persons the release grows.
        measures: what its uttrekk took.
    """

    delta: Delta
    accounting: Accounting
    change: int
    measures: Measures = Measures()


def build_delta(
    store: Store,
    uttrekk: Uttrekk,
    *,
    policy: Policy = STRICT,
) -> Manifest:
    """Put what an uttrekk of events brought on top of the current release, and publish that.

    The current release is returned if it contains the uttrekk's events already. Of two who do this
    at the same time, one publishes, and both return the same.

    Args:
        store: where the batches lie and the release goes.
        uttrekk: of kind hendelser; its batches and its events have landed.
        policy: how strict the release is.

    Raises:
        OvertakenError: the current release isn't the one that the events follow.
        ConfigurationError: there is none.
        ContractError: the contract has changed so that queries break.
        FewerError: it would take far more persons away than is plausible.
        IncompleteError: something failed or is unexplained; readers keep the release before.
        FregError: not everything has landed.
    """
    while True:
        newest = point_to_newest(store)  # published last, by a killed process maybe: it goes on
        current = read_manifest(store, newest) if newest else require_current(store)
        last = Uttrekk(store, current.uttrekk)
        if last.release is None:  # so does that process's uttrekk know of it
            note_release(store, last, current)
        if _contains(current, uttrekk):
            _note(store, uttrekk, current)
            return current
        _require_continues(uttrekk, current)
        if not policy.accept_contract:
            changes = changes_between(store, current.contract, uttrekk.request.contract)
            require_compatible(changes, uttrekk)
        made = _make(store, uttrekk, current, policy)
        persons = current.persons + made.change
        require_not_fewer(uttrekk, current, persons=persons, lost=-made.change, policy=policy)
        published = publish_after(store, current.number, _on_top(store, current, uttrekk, made))
        if published is not None:
            _note(store, uttrekk, published, just_published=True)
            return published


def _note(
    store: Store, uttrekk: Uttrekk, manifest: Manifest, *, just_published: bool = False
) -> None:
    note_release(store, uttrekk, manifest, just_published=just_published)
    for order in uttrekk.request.lifts:
        forget_lifted(store, order)


def delta_of(store: Store, manifest: Manifest) -> Delta | None:
    """What the last sync of a release brought, also where it was merged; None: it is gone."""
    done = _done(manifest.uttrekk, manifest)
    return recall_record(store, done, _Made).delta if is_there(store, done) else None


def _folder(uttrekk: str, current: Manifest) -> str:
    return f"deltas/{uttrekk}/{current.base.uttrekk}{current.base.suffix}"


def _done(uttrekk: str, current: Manifest) -> str:
    return f"{_folder(uttrekk, current)}/done.json"


def _contains(current: Manifest, uttrekk: Uttrekk) -> bool:
    return current.sekvensnummer >= uttrekk.sekvensnummer


def _require_continues(uttrekk: Uttrekk, current: Manifest) -> None:
    after = uttrekk.etter
    if current.sekvensnummer != after:
        raise OvertakenError(
            f"the uttrekk {uttrekk.name} holds events after {after}, but release "
            f"{current.number} is at {current.sekvensnummer}",
            "Read the events again from there: freg hendelser sync",
        )


def _on_top(store: Store, current: Manifest, uttrekk: Uttrekk, made: _Made) -> Manifest:
    request, accounting = uttrekk.request, made.accounting
    return msgspec.structs.replace(
        current,
        created=datetime.now(UTC),
        uttrekk=uttrekk.name,
        parts=request.parts,
        parts_refused=request.parts_refused,
        contract=request.contract,
        contract_from=request.contract_from,
        sekvensnummer=uttrekk.sekvensnummer,
        accounting=accounting,
        measures=made.measures,
        incomplete=current.incomplete or bool(accounting.failed or accounting.unexplained),
        persons=current.persons + made.change,
        deltas=merged(store, current, made.delta),
    )


def _make(store: Store, uttrekk: Uttrekk, current: Manifest, policy: Policy) -> _Made:
    """Write the delta's files, unless they are there: for the same base and position they stay.

    What a delta holds depends on the state that it continues. That is the same for all releases
    that began with the same uttrekk and stand at the same position, compacted or not.
    """
    folder, done = _folder(uttrekk.name, current), _done(uttrekk.name, current)
    if is_there(store, done):
        made = recall_record(store, done, _Made)
        require_whole(store, ((file.key, file) for file in made.delta.files.values()))
    else:
        made = _write(store, uttrekk, current, folder, policy)
        if not write_record(store, done, made):
            made = read_record(store, done, _Made)
    if not policy.allow_incomplete:
        require_complete(made.accounting, uttrekk)
    return made


def _write(store: Store, uttrekk: Uttrekk, current: Manifest, folder: str, policy: Policy) -> _Made:
    began = time.monotonic()
    batches = require_landed(uttrekk)
    if not is_there(store, event_key(uttrekk.name, "done.json")):
        raise FregError(
            f"the events of {uttrekk.name} have not been loaded",
            f"Resume it: {uttrekk.resume_command}",
        )
    staging = Staging(store, uttrekk.place, batches)
    delivered = sum(len(uttrekk.identifiers(batch)) for batch in batches)
    with store.scratch() as scratch, working_database(scratch) as connection:
        load(connection, staging)
        add_known(connection, State(store, current))
        rank(connection, staged_events(store, uttrekk.name, HENDELSE.name))
        settle(connection)
        keep_delta_only(connection)
        _account_for_events(connection, staged_events(store, uttrekk.name, AVVIK.name))
        landed = _count(connection, "landed WHERE batch >= 0")
        accounting = account(connection, delivered=delivered, landed=landed)
        if not policy.allow_incomplete:  # nothing is written that may not be published
            require_complete(accounting, uttrekk)
        events = {
            table.name: staged_events(store, uttrekk.name, table.name) for table in EVENT_TABLES
        }
        origin = Origin(uttrekk.name, uttrekk.sekvensnummer, delta=True)
        plan = load_plan(store, uttrekk.request.contract)
        own = OwnRows(connection, staging, origin, 1, events)
        documents = landed_documents(connection, 1, NOBODY)[0]
        parts = uttrekk.request.parts
        merging = Merging(staging, plan, parts, documents, origin)
        tables = [(one, _rows(one, own, merging)) for one in layouts(plan, delta=True)]
        files, recorded = _files(store, tables, folder, scratch)
        return _Made(
            Delta(
                uttrekk=uttrekk.name,
                sekvensnummer=uttrekk.sekvensnummer,
                recorded=recorded or uttrekk.request.created,
                contract=uttrekk.request.contract,
                events=files[HENDELSE.name].rows if HENDELSE.name in files else 0,
                persons=landed,
                replaced=_count(connection, "replaced"),
                missing=_count(connection, "missing"),
                files=files,
                folder=folder,
                grown=grown(connection, store, current, plan, files),
            ),
            accounting,
            landed - _count(connection, "state_person SEMI JOIN replaced USING (person)"),
            measures_of(uttrekk, staging.landed, began),
        )


def _account_for_events(connection: duckdb.DuckDBPyConnection, rows: Iterator[pa.Table]) -> None:
    """Add what could not be had or followed of the events to the account."""
    for piece in rows:
        connection.register("piece", piece)
        connection.execute(
            "INSERT INTO avvik BY NAME SELECT identifikator, utfall, aarsak FROM piece"
        )
        connection.unregister("piece")


def _rows(layout: FileLayout, own: OwnRows, merging: Merging) -> Iterator[BucketedRows]:
    """A table's rows; they are made when they are read."""
    if is_own(layout):
        yield from own.of_table(layout)
    else:
        for rows in merging.of_table(layout):
            yield decoded(rows), np.zeros(len(rows), np.int16)


def _files(
    store: Store,
    tables: Iterable[tuple[FileLayout, Iterator[BucketedRows]]],
    folder: str,
    scratch: Path,
) -> tuple[dict[str, TableFile], datetime | None]:
    """The files of the tables that have rows, and when the last of their events was recorded."""
    begun, recorded, counting = {}, None, Counting()
    with Overlap(store) as overlap:
        for layout, rows in tables:
            name = layout.name
            writer = Buckets(scratch, layout)
            for piece, bucket in rows:
                writer.add(piece, bucket)
                counting.add(name, piece)
                if name == HENDELSE.name:
                    times = (recorded, pc.max(piece["ajourholdstidspunkt"]).as_py())
                    recorded = max(filter(None, times), default=None)
            for path in writer.close(empty=False).values():
                kept = partial(keep_file, store, f"{folder}/{name}.parquet", 0, path)
                begun[name] = overlap.begin(kept)
        tally = scratch / f"{TALLY}.parquet"
        counting.write(tally)
        begun[TALLY] = overlap.begin(partial(keep_file, store, f"{folder}/{tally.name}", 0, tally))
    return {name: one.result() for name, one in begun.items()}, recorded


def _count(connection: duckdb.DuckDBPyConnection, rows: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {rows}").fetchall()[0][0])  # noqa: S608
