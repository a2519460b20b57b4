"""Counts, tables and schemas as Dagster's metadata. Never a value of a person."""

from __future__ import annotations

from typing import Any

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


def tables_of(manifest: Manifest) -> dg.TableMetadataValue:
    """The release's tables with rows, files and bytes."""
    return dg.MetadataValue.table(
        [
            dg.TableRecord(
                {
                    "table": name,
                    "rows": entry.rows,
                    "files": len(entry.files),
                    "bytes": sum(file.bytes for file in entry.files),
                }
            )
            for name, entry in sorted(manifest.tables.items())
        ]
    )


def release_metadata(manifest: Manifest) -> dict[str, Any]:
    """What is told of a release, whoever publishes it."""
    account = manifest.accounting
    return {
        "release": manifest.number,
        "uttrekk": manifest.uttrekk,
        "contract": manifest.contract,
        "sekvensnummer": manifest.sekvensnummer,
        "incomplete": manifest.incomplete,
        "dagster/row_count": manifest.persons,
        "tables": tables_of(manifest),
        **counts(
            delivered=account.delivered,
            landed=account.landed,
            merged=account.merged,
            duplicates=account.duplicates,
            gone=account.gone,
            failed=account.failed,
            unexplained=account.unexplained,
        ),
        **fresh(manifest),
    }
