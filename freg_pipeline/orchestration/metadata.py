"""Counts as Dagster's metadata. Never a value of a person."""

from __future__ import annotations

import dagster as dg

from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.lake.freshness import freshness


def counts(**numbers: float) -> dict[str, dg.MetadataValue]:
    """Numbers under their names, so that Dagster draws them over time."""
    return {
        name: dg.MetadataValue.int(number)
        if isinstance(number, int)
        else dg.MetadataValue.float(number)
        for name, number in numbers.items()
    }


def fresh(manifest: Manifest) -> dict[str, dg.MetadataValue]:
    """When the last full load was ordered, and how many days ago: what no event has told since."""
    told = freshness(manifest)
    return {
        "last_full_load": dg.MetadataValue.timestamp(told.full_load),
        **counts(days_since_full_load=round(told.days(), 2)),
    }
