"""A release shows at the assets that it changes, whoever publishes it.

A sync and a compaction publish too, and so does a command beside Dagster. What is downstream of
``release``, of a table or of ``duckdb_katalog`` is requested by their materialisations
(AutomationCondition), so each release is one, with its number as data version; and one of each
table that it has changed.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of decorated functions.

import contextlib
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg
from dagster import DagsterInstance

from freg_pipeline.errors import StoreError
from freg_pipeline.feed.standstill import CONFIRMED_EVERY
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.releases import read_if_there
from freg_pipeline.lake.catalogue import renew_catalogue
from freg_pipeline.orchestration.metadata import counts
from freg_pipeline.orchestration.names import Names
from freg_pipeline.orchestration.release_page import release_metadata
from freg_pipeline.orchestration.tables import VERSION, ShownTables, TableEvent
from freg_pipeline.store import Store


def show_release(
    context: dg.AssetExecutionContext, names: Names, store: Store, manifest: Manifest
) -> None:
    """Write the catalogue of a release that a run has just published, and record both.

    Raises:
        StoreError: the store's own catalogue can't be written.
    """
    for made in recorded(context.instance, names, store, manifest):
        context.log_event(made)


def show_tables(
    context: dg.AssetExecutionContext, names: Names, store: Store, manifest: Manifest
) -> None:
    """Record the tables of a release that a run has just published, and records itself.

    Its catalogue is written before: what is requested by a table's record reads that, and the
    release's checks take their time until it is the catalogue's turn.
    """
    before = _shown(store, _last(context.instance, names))
    with contextlib.suppress(StoreError):  # the catalogue's own turn comes, and tells it
        renew_catalogue(store, before)
    for made in ShownTables(names, store, before, manifest).events():
        context.log_event(made)


def is_shown(instance: DagsterInstance, names: Names, manifest: Manifest) -> bool:
    """Whether a release is the one that was recorded last; else a command made it."""
    return _number(_last(instance, names)) == manifest.number


def _last(instance: DagsterInstance, names: Names) -> dg.AssetMaterialization | None:
    """What was recorded of a release last."""
    last = instance.get_latest_materialization_event(names.key("release"))
    return last.asset_materialization if last is not None else None


def _number(last: dg.AssetMaterialization | None) -> str | None:
    """The number of the release that was recorded last."""
    return (last.tags or {}).get(VERSION) if last is not None else None


def _shown(store: Store, last: dg.AssetMaterialization | None) -> Manifest | None:
    """The release that was recorded last, if it is still there."""
    return read_if_there(store, _number(last))


def recorded(
    instance: DagsterInstance, names: Names, store: Store, manifest: Manifest
) -> Iterator[TableEvent]:
    """What records a release: its tables, its catalogue, which is written before, and itself.

    What a table's record requests reads the catalogue. The release is the last, since one that is
    recorded isn't again: whoever is stopped on the way leaves all of it to the next one.

    Raises:
        StoreError: the store's own catalogue can't be written; all else is recorded.
    """
    tags = {VERSION: manifest.number}
    last = _last(instance, names)
    before = _shown(store, last)
    written, failure = None, None
    try:
        written = written_catalogue(store, before)
    except StoreError as error:
        failure = error
    told = release_metadata(
        store, manifest, last.metadata if last is not None else None,
        is_kept=last is not None or not instance.is_ephemeral,
    )  # fmt: skip
    yield from ShownTables(names, store, before, manifest).events()
    if written is not None:
        yield dg.AssetMaterialization(names.key("duckdb_katalog"), metadata=written, tags=tags)
    yield dg.AssetMaterialization(names.key("release"), metadata=told, tags=tags)
    if failure is not None:
        raise failure


def written_catalogue(
    store: Store, before: Manifest | None = None
) -> dict[str, dg.MetadataValue] | None:
    """Write the catalogue anew, and return what is told of it; None: it can't be written.

    Args:
        store: where the release lies.
        before: as :func:`freg_pipeline.lake.catalogue.renew_catalogue` takes it.

    Raises:
        StoreError: the store's own catalogue can't be written.
    """
    began = time.monotonic()
    path = renew_catalogue(store, before)
    if path is None:
        return None
    seconds = round(time.monotonic() - began, 3)
    return {"path": dg.MetadataValue.path(str(path)), **counts(seconds=seconds)}


def confirmation(
    instance: DagsterInstance, names: Names, manifest: Manifest
) -> dg.AssetMaterialization | None:
    """What records that nothing is new, so that its freshness shows; None: it was, a moment ago."""
    at = confirmed_at(instance, names)
    if at is not None and datetime.now(UTC) - at < CONFIRMED_EVERY:
        return None
    position = manifest.sekvensnummer
    told = {"sekvensnummer": position, "events": 0, "events_behind": 0, "minutes_behind": 0.0}
    return dg.AssetMaterialization(names.key("hendelser"), metadata=told)


def confirmed_at(instance: DagsterInstance, names: Names) -> datetime | None:
    """When it was last recorded that a release is up to date, or was brought there."""
    latest = instance.get_latest_materialization_event(names.key("hendelser"))
    return None if latest is None else datetime.fromtimestamp(latest.timestamp, UTC)
