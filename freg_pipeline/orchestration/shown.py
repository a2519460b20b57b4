"""A release shows at the assets that it changes, whoever publishes it.

A sync and a compaction publish too, and so does a command beside Dagster. What is downstream of
``release`` and ``duckdb_katalog`` is requested by their materialisations (AutomationCondition), so
each release is one, with its number as data version.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of decorated functions.

from collections.abc import Iterator

import dagster as dg
from dagster import DagsterInstance

from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.lake.catalogue import catalogue_path, renew_catalogue
from freg_pipeline.orchestration.metadata import release_metadata
from freg_pipeline.orchestration.publishing import duckdb_katalog, release
from freg_pipeline.store import Store

_VERSION = "dagster/data_version"


def show_release(context: dg.AssetExecutionContext, store: Store, manifest: Manifest) -> None:
    """Write the catalogue of a release that a run has just published, and record both.

    Raises:
        StoreError: the store's own catalogue can't be written.
    """
    shown, catalogue = _materialised(store, manifest)
    context.log_event(shown)
    if renew_catalogue(store) is not None:
        context.log_event(catalogue)


def not_shown(
    instance: DagsterInstance, store: Store, manifest: Manifest
) -> list[dg.AssetMaterialization]:
    """What records the current release where another one was recorded last: a command made it."""
    last = instance.get_latest_materialization_event(release.key)
    made = last.asset_materialization if last is not None else None
    if made is not None and (made.tags or {}).get(_VERSION) == manifest.number:
        return []
    return list(_materialised(store, manifest))


def _materialised(store: Store, manifest: Manifest) -> Iterator[dg.AssetMaterialization]:
    tags = {_VERSION: manifest.number}
    told = release_metadata(store, manifest)
    yield dg.AssetMaterialization(release.key, metadata=told, tags=tags)
    path = {"path": dg.MetadataValue.path(str(catalogue_path(store)))}
    yield dg.AssetMaterialization(duckdb_katalog.key, metadata=path, tags=tags)
