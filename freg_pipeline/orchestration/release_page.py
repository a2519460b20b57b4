"""What the page of the asset ``release`` shows: what came of the identifiers, who it holds, what it
took; in this order, in which Dagster keeps it.

Pictures are drawn of a full load and of a compaction, and once a day of a sync: others carry the
last ones along, since a sync is to cost what it changes, and drawing takes a look at all persons.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import dagster as dg

from freg_pipeline.errors import FregError
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.measures import Measures
from freg_pipeline.orchestration.metadata import counts, fresh
from freg_pipeline.report.small import small_pictures
from freg_pipeline.report.state import accounting
from freg_pipeline.store import Store

logger = logging.getLogger(__name__)

Told = Mapping[str, Any]  # metadata, as Dagster has recorded it
_PICTURE = "persons_"  # what the names of pictures begin with
_DRAWN = "persons_drawn"  # as of when they were drawn, or nothing could be
_AGAIN_AFTER = 24 * 3600.0  # seconds


def release_metadata(
    store: Store, manifest: Manifest, before: Told | None = None, *, is_kept: bool = True
) -> dict[str, Any]:
    """What is told of a release, whoever publishes it.

    Args:
        store: where it lies.
        manifest: the release.
        before: what was told of the one recorded last; a full load needs nothing of it.
        is_kept: whether it is recorded beyond this process: else a sync draws nothing.
    """
    account = manifest.accounting
    return {
        "accounting": dg.MetadataValue.md(_accounting(manifest)),
        **(_pictures(store, manifest, before or {}) if is_kept or not manifest.deltas else {}),
        "release": manifest.number,
        "uttrekk": manifest.uttrekk,
        "sekvensnummer": manifest.sekvensnummer,
        "incomplete": manifest.incomplete,
        **fresh(manifest),
        **_took(manifest.measures),
        "contract": manifest.contract,
        "dagster/row_count": manifest.persons,
        **counts(
            delivered=account.delivered,
            landed=account.landed,
            merged=account.merged,
            duplicates=account.duplicates,
            gone=account.gone,
            failed=account.failed,
            unexplained=account.unexplained,
            erased=account.erased,
        ),
    }


def _accounting(manifest: Manifest) -> str:
    """That what was delivered is what became of it, as a table."""
    delivered = f"|delivered by `{manifest.uttrekk}`|{manifest.accounting.delivered:,}|"
    became = [f"|{what}|{count:,}|" for what, count in accounting(manifest)]
    return "\n".join(["|identifiers||", "|:--|--:|", delivered, *became])


def _took(measures: Measures) -> dict[str, dg.MetadataValue]:
    """What its uttrekk took, as numbers that Dagster draws over time."""
    told = {
        "look_ups": measures.look_ups,
        "look_ups_per_second": measures.look_ups_per_second,
        "latency_p50": measures.latency_p50,
        "latency_p95": measures.latency_p95,
        "bytes": measures.bytes,
        "retries": measures.retries,
        **{f"seconds/{stage}": lasted for stage, lasted in measures.seconds.items()},
    }
    return counts(**{name: number for name, number in told.items() if number is not None})


def _pictures(store: Store, manifest: Manifest, before: Told) -> dict[str, Any]:
    """Small pictures of the release, or those of the one recorded last."""
    if not _wants_new(manifest, before):
        return {name: value for name, value in before.items() if name.startswith(_PICTURE)}
    drawn: dict[str, str] = {}
    try:
        drawn = small_pictures(store, manifest)
    except FregError as error:  # the release is published, and is told of all the same
        logger.warning("release %s is shown without pictures: %s", manifest.number, error)
    shown = {f"{_PICTURE}{name}": dg.MetadataValue.md(text) for name, text in drawn.items()}
    return {**shown, _DRAWN: dg.MetadataValue.timestamp(manifest.created)}


def _wants_new(manifest: Manifest, before: Told) -> bool:
    last = before.get(_DRAWN)
    if not manifest.deltas or not isinstance(last, dg.TimestampMetadataValue):
        return True
    return manifest.created.timestamp() - last.value >= _AGAIN_AFTER
