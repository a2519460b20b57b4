"""What a release is, as others' programs read it: ``freg release list`` and ``show`` as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from freg_pipeline.journal.manifest import Facts, Manifest

if TYPE_CHECKING:
    from freg_pipeline.lake.content import Content


def release_facts(
    manifest: Manifest, current: str | None, pins: Mapping[str, str]
) -> dict[str, Any]:
    """What a release is, without its files.

    Args:
        manifest: the release.
        current: the number of the one that readers see.
        pins: which release each pin keeps.
    """
    facts = {name: getattr(manifest, name) for name in Facts.__struct_fields__}
    base = manifest.base
    return {
        **msgspec.to_builtins(facts),
        "current": manifest.number == current,
        "pins": sorted(name for name, kept in pins.items() if kept == manifest.number),
        "recorded": manifest.recorded()[-1],
        "base": {
            "uttrekk": base.uttrekk,
            "sekvensnummer": base.sekvensnummer,
            "ordered": base.ordered,
        },
        "deltas": len(manifest.deltas),
    }


def table_facts(
    manifest: Manifest, rows: Mapping[str, int], contents: Mapping[str, Content] | None = None
) -> list[dict[str, Any]]:
    """A release's tables: the rows that readers see, those of base and deltas, and bytes.

    Args:
        manifest: the release.
        rows: how many rows readers see of each table.
        contents: what the tables hold, as far as it was asked for.
    """
    contents = contents or {}
    return [
        {
            "table": name,
            "rows": count,
            "base_rows": sum(file.rows for file in base),
            "delta_rows": sum(file.rows for file in deltas),
            "bytes": sum(file.bytes for file in (*base, *deltas)),
            **({"content": msgspec.to_builtins(contents[name])} if name in contents else {}),
        }
        for name, count in rows.items()
        for base in [manifest.tables[name].files if name in manifest.tables else ()]
        for deltas in [[one.files[name] for one in manifest.deltas if name in one.files]]
    ]
