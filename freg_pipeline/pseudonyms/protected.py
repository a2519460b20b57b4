"""Who is protected, and so not in a copy."""

from __future__ import annotations

import duckdb
import pyarrow as pa

from freg_pipeline.errors import ConfigurationError
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.lake.described import Described
from freg_pipeline.lake.protection import Protection
from freg_pipeline.lake.sql import identifier


def protected_numbers(
    views: duckdb.DuckDBPyConnection, manifest: Manifest, tables: list[Described]
) -> pa.Array:
    """Every number, current and earlier, of those who are protected at all.

    Args:
        views: of the release.
        manifest: the release.
        tables: its tables.

    Raises:
        ConfigurationError: the register wasn't asked who is.
    """
    protection = Protection(tables, manifest.parts)
    if not protection.is_told:
        raise ConfigurationError(
            "nothing tells who has adressebeskyttelse: FREG_PARTS doesn't ask for it",
            'Ask for it; or say protected = "keep" in the rules, where they may be in the copy',
        )
    told = protection.numbers(identifier, protection.graded)
    found = views.sql(f"SELECT identifikator FROM {told} WHERE rang > 0").to_arrow_table()  # noqa: S608
    return found["identifikator"].combine_chunks()
