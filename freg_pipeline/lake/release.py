"""Build releases and publish them: readers see a whole release, or the one before.

Publishing is safe to repeat at any point: an uttrekk becomes one release, whoever finishes it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from freg_pipeline.errors import ConfigurationError
from freg_pipeline.journal.accounting import Accounting
from freg_pipeline.journal.manifest import Base, Manifest, TableEntry, base_folder
from freg_pipeline.journal.measures import Measures
from freg_pipeline.journal.publish import note_release, publish_after
from freg_pipeline.journal.releases import (
    current_release,
    manifest_key,
    newest_number,
    read_manifest,
    release_of_base,
)
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.accounting import account, require_complete
from freg_pipeline.lake.base import BaseWriter
from freg_pipeline.lake.counts import current_rows_of, missing_persons
from freg_pipeline.lake.database import working_database
from freg_pipeline.lake.delta import build_delta
from freg_pipeline.lake.drift import changes_between, require_compatible
from freg_pipeline.lake.guards import (
    STRICT,
    Policy,
    has_same_persons,
    require_not_fewer,
    require_not_gone,
    require_rows,
    require_same_persons,
)
from freg_pipeline.lake.landing import load_plan, require_landed
from freg_pipeline.lake.measured import measures_of
from freg_pipeline.lake.resolve import resolve
from freg_pipeline.lake.staging import Staging
from freg_pipeline.store import Store


def build_release(
    store: Store,
    uttrekk: Uttrekk,
    *,
    policy: Policy = STRICT,
    progress: Callable[[int], None] | None = None,
) -> Manifest:
    """Make an uttrekk's release and publish it; one that is made already is returned.

    What is published last is current, also where its sekvensnummer is lower than that of the
    release before: whoever orders an uttrekk wants to see it. An uttrekk of events continues the
    current release: see :func:`freg_pipeline.lake.delta.build_delta`.

    Args:
        store: where the batches lie and the release goes.
        uttrekk: whose release; all its batches have landed.
        policy: how strict the release is.
        progress: told how many more tables are written, those without rows among them.

    Raises:
        ContractError: the contract has changed so that queries break.
        OtherKindError: the current release is of another kind or selection.
        FewerError: it would hold far fewer persons or rows than the current release.
        IncompleteError: something failed or is unexplained; readers keep the release before.
        FregError: not all batches have landed.
    """
    if uttrekk.kind.is_sync:
        return build_delta(store, uttrekk, policy=policy)
    done = _released(store, uttrekk)
    if done is not None:
        return done
    batches = require_landed(uttrekk)
    current = current_release(store)
    if not _may_be_of_others(uttrekk, policy):  # before anything is written, and once more after
        require_same_persons(store, current, uttrekk.question)
    if not policy.accept_contract:
        old = current.contract if current else None
        changes = changes_between(store, old, uttrekk.request.contract)
        require_compatible(changes, uttrekk)
    told = progress or (lambda _: None)
    manifest = _build(store, uttrekk, batches, policy=policy, progress=told)
    return _publish(store, uttrekk, manifest, policy)


def _build(
    store: Store,
    uttrekk: Uttrekk,
    batches: list[int],
    *,
    policy: Policy,
    progress: Callable[[int], None],
) -> Manifest:
    began = time.monotonic()
    staging = Staging(store, uttrekk.place, batches)
    delivered = sum(len(uttrekk.identifiers(batch)) for batch in batches)
    with store.scratch() as folder, working_database(folder) as connection:
        resolve(connection, staging)
        persons = connection.execute("SELECT count(*) FROM landed").fetchall()[0][0]
        early = account(connection, delivered=delivered, landed=persons)
        if not policy.allow_incomplete:  # what failed is known before anything is written
            require_complete(early, uttrekk)
        require_not_gone(uttrekk, early, policy)
        plan = load_plan(store, uttrekk.request.contract)
        tables, base = BaseWriter(store, uttrekk, staging, connection, plan).write(progress)
        accounting = account(connection, delivered=delivered, landed=tables["person"].rows)
    if not policy.allow_incomplete:
        require_complete(accounting, uttrekk)
    measures = measures_of(uttrekk, staging.landed, began)
    return _manifest(uttrekk, tables, base, accounting, measures)


def _manifest(
    uttrekk: Uttrekk,
    tables: dict[str, TableEntry],
    base: Base,
    accounting: Accounting,
    measures: Measures,
) -> Manifest:
    request = uttrekk.request
    return Manifest(
        number="",
        created=datetime.now(UTC),
        kind=request.question.kind.name,
        uttrekk=uttrekk.name,
        environment=request.question.environment,
        rettighetspakke=request.question.rettighetspakke,
        parts=request.parts,
        parts_refused=request.parts_refused,
        contract=request.contract,
        contract_from=request.contract_from,
        sekvensnummer=uttrekk.sekvensnummer,
        tables=tables,
        accounting=accounting,
        incomplete=bool(accounting.failed or accounting.unexplained),
        previous=None,
        persons=tables["person"].rows,
        measures=measures,
        base=base,
    )


def _publish(store: Store, uttrekk: Uttrekk, manifest: Manifest, policy: Policy) -> Manifest:
    while True:
        # Another process may have made this very uttrekk's release since we began. Whoever does it
        # after this look takes the number that we are about to write: one of the two fails.
        newest = newest_number(store)
        done = _released(store, uttrekk)
        if done is not None:
            return done
        if newest is not None:  # what it replaces is looked at, not what was there at first
            _require_may_replace(store, read_manifest(store, newest), uttrekk, manifest, policy)
        published = publish_after(store, newest, manifest)
        if published is not None:
            note_release(store, uttrekk, published)
            return published


def _require_may_replace(
    store: Store, before: Manifest, uttrekk: Uttrekk, after: Manifest, policy: Policy
) -> None:
    """See that readers lose nothing that nobody has agreed to."""
    if not has_same_persons(store, before, uttrekk.question):  # there is nothing to compare
        if not _may_be_of_others(uttrekk, policy):
            require_same_persons(store, before, uttrekk.question)
        return
    if policy.allow_fewer:
        return
    lost = before.persons - after.persons
    if after.kind == "liste":  # as many others make up for nobody
        lost = missing_persons(store, before, after)
    require_not_fewer(uttrekk, before, persons=after.persons, lost=lost, policy=policy)
    rows = {name: entry.rows for name, entry in after.tables.items()}
    require_rows(uttrekk, before.number, current_rows_of(before), rows, policy)


def _may_be_of_others(uttrekk: Uttrekk, policy: Policy) -> bool:
    """Whether it was agreed, now or when it was begun, that it replaces a release of others."""
    return policy.allow_other_kind or uttrekk.request.allow_other_kind


def _released(store: Store, uttrekk: Uttrekk) -> Manifest | None:
    """An uttrekk's release, if it has one; what a killed process left undone is done here."""
    number = uttrekk.release
    if number is not None:
        if not store.exists(manifest_key(number)):
            raise ConfigurationError(
                f"the uttrekk {uttrekk.name} became release {number}, which has been purged",
                "Start a new uttrekk under another name",
            )
        return read_manifest(store, number)
    manifest = release_of_base(store, base_folder(uttrekk.name))  # deltas may have followed
    if manifest is not None:
        note_release(store, uttrekk, manifest)
    return manifest
