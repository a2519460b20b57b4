"""Build releases and publish them: readers see a whole release, or the one before.

Publishing is safe to repeat at any point: an uttrekk becomes one release, whoever finishes it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from freg_pipeline.errors import ConfigurationError
from freg_pipeline.extract.uttrekk import Uttrekk
from freg_pipeline.lake.accounting import Accounting, account
from freg_pipeline.lake.base import BaseWriter
from freg_pipeline.lake.database import working_database
from freg_pipeline.lake.delta import build_delta
from freg_pipeline.lake.drift import changes_between, require_compatible
from freg_pipeline.lake.landing import load_plan, require_landed
from freg_pipeline.lake.manifest import (
    Base,
    Manifest,
    TableEntry,
    current_release,
    list_releases,
    manifest_key,
    numbers,
    read_manifest,
)
from freg_pipeline.lake.publish import note_release, publish_after
from freg_pipeline.lake.resolve import resolve
from freg_pipeline.lake.staging import Staging
from freg_pipeline.store import Store


def build_release(
    store: Store,
    uttrekk: Uttrekk,
    *,
    allow_incomplete: bool = False,
    accept_contract: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Manifest:
    """Make an uttrekk's release and publish it; one that is made already is returned.

    What is published last is current, also where its sekvensnummer is lower than that of the
    release before: whoever orders an uttrekk wants to see it. An uttrekk of events continues the
    current release: see :func:`freg_pipeline.lake.delta.build_delta`.

    Args:
        store: where the batches lie and the release goes.
        uttrekk: whose release; all its batches have landed.
        allow_incomplete: publish although something failed or is unexplained.
        accept_contract: publish although the contract has changed so that queries break.
        progress: told how many more tables are written, those without rows among them.

    Raises:
        ContractError: the contract has changed so that queries break.
        IncompleteError: something failed or is unexplained; readers keep the release before.
        FregError: not all batches have landed.
    """
    if uttrekk.request.kind == "hendelser":
        return build_delta(
            store, uttrekk, allow_incomplete=allow_incomplete, accept_contract=accept_contract
        )
    done = _released(store, uttrekk)
    if done is not None:
        return done
    batches = require_landed(uttrekk)
    if not accept_contract:
        current = current_release(store)
        old = current.contract if current else None
        changes = changes_between(store, old, uttrekk.request.contract)
        require_compatible(changes, uttrekk)
    told = progress or (lambda _: None)
    tables, base, accounting = _build(
        store, uttrekk, batches, allow_incomplete=allow_incomplete, progress=told
    )
    return _publish(store, uttrekk, tables, base, accounting)


def _build(
    store: Store,
    uttrekk: Uttrekk,
    batches: list[int],
    *,
    allow_incomplete: bool,
    progress: Callable[[int], None],
) -> tuple[dict[str, TableEntry], Base, Accounting]:
    staging = Staging(store, uttrekk.name, batches)
    delivered = sum(len(uttrekk.identifiers(batch)) for batch in batches)
    with store.scratch() as folder, working_database(folder) as connection:
        resolve(connection, staging)
        if not allow_incomplete:  # what failed is known before anything is written
            persons = connection.execute("SELECT count(*) FROM landed").fetchall()[0][0]
            early = account(connection, delivered=delivered, landed=persons)
            early.require_complete(uttrekk)
        plan = load_plan(store, uttrekk.request.contract)
        tables, base = BaseWriter(store, uttrekk, staging, connection, plan).write(progress)
        accounting = account(connection, delivered=delivered, landed=tables["person"].rows)
    if not allow_incomplete:
        accounting.require_complete(uttrekk)
    return tables, base, accounting


def _publish(
    store: Store,
    uttrekk: Uttrekk,
    tables: dict[str, TableEntry],
    base: Base,
    accounting: Accounting,
) -> Manifest:
    request = uttrekk.request
    manifest = Manifest(
        number="",
        created=datetime.now(UTC),
        kind=request.kind,
        uttrekk=uttrekk.name,
        environment=request.environment,
        rettighetspakke=request.rettighetspakke,
        parts=request.parts,
        contract=request.contract,
        sekvensnummer=uttrekk.sekvensnummer,
        tables=tables,
        accounting=accounting,
        incomplete=bool(accounting.failed or accounting.unexplained),
        previous=None,
        persons=tables["person"].rows,
        base=base,
    )
    while True:
        # Another process may have made this very uttrekk's release since we began. Whoever does it
        # after this look takes the number that we are about to write: one of the two fails.
        newest = max(numbers(store), default=None)
        done = _released(store, uttrekk)
        if done is not None:
            return done
        published = publish_after(store, newest, manifest)
        if published is not None:
            note_release(store, uttrekk, published)
            return published


def _released(store: Store, uttrekk: Uttrekk) -> Manifest | None:
    """An uttrekk's release, if it has one; what a killed process left undone is done here."""
    number = uttrekk.release
    if number is not None:
        if not store.exists(manifest_key(number)):
            raise ConfigurationError(
                f"the uttrekk {uttrekk.name} became release {number}, which has been purged",
                "Begin a new uttrekk, under another name",
            )
        return read_manifest(store, number)
    for manifest in list_releases(store):
        if manifest.base.uttrekk == uttrekk.name:  # the first one; deltas may have followed
            note_release(store, uttrekk, manifest)
            return manifest
    return None
