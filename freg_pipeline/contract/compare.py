"""Two contracts compared: what a new one changes for those who query the tables.

The register adds fields, entities and codes within a version, days after announcing them. Such
changes are compatible: every query that worked works on. What takes something away, or makes a
column mean another type, is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from freg_pipeline.contract.plan import Column, Plan, Table


class ChangeKind(StrEnum):
    """What a change does."""

    ADDED = "added"
    REMOVED = "removed"
    RETYPED = "retyped"
    RENAMED = "renamed"
    CARDINALITY = "cardinality"
    CODES_ADDED = "codes added"
    CODES_REMOVED = "codes removed"


_COMPATIBLE = {ChangeKind.ADDED, ChangeKind.CODES_ADDED, ChangeKind.CODES_REMOVED}


@dataclass(frozen=True)
class Change:
    """One difference.

    Attributes:
        kind: what it does.
        place: the table, or ``table.column``.
        detail: from what to what.
        compatible: queries written before work on.
    """

    kind: ChangeKind
    place: str
    detail: str
    compatible: bool

    def __str__(self) -> str:
        return f"{self.place}: {self.kind}{f' ({self.detail})' if self.detail else ''}"


def compare(old: Plan, new: Plan) -> list[Change]:
    """What ``new`` changes, in order of the place.

    Tables are compared, not XML: a type with another name, or another order, changes nothing. An
    entity that becomes single or repeated keeps its table, so that is compatible; a column that
    becomes a list, or a table, is not.
    """
    return sorted(_changes(old, new), key=lambda change: (change.place, change.kind))


def incompatible(changes: list[Change]) -> list[Change]:
    """Those that break queries."""
    return [change for change in changes if not change.compatible]


def _changes(old: Plan, new: Plan) -> Iterator[Change]:
    before = {table.path: table for table in old.tables}
    after = {table.path: table for table in new.tables}
    for path in before.keys() - after.keys():
        yield _change(ChangeKind.REMOVED, before[path].name)
    for path in after.keys() - before.keys():
        yield _change(ChangeKind.ADDED, after[path].name)
    for path in before.keys() & after.keys():
        yield from _renamed(before[path].name, after[path].name)
        yield from _columns(before[path], after[path])
    yield from _cardinalities(old, new)


def _columns(old: Table, new: Table) -> Iterator[Change]:
    before = {column.path: column for column in old.columns}
    after = {column.path: column for column in new.columns}
    for path in before.keys() - after.keys():
        yield _change(ChangeKind.REMOVED, f"{old.name}.{before[path].name}")
    for path in after.keys() - before.keys():
        yield _change(ChangeKind.ADDED, f"{new.name}.{after[path].name}")
    for path in before.keys() & after.keys():
        place = f"{new.name}.{after[path].name}"
        yield from _renamed(before[path].name, after[path].name, f"{new.name}.")
        yield from _column(place, before[path], after[path])


def _renamed(old: str, new: str, table: str = "") -> Iterator[Change]:
    """Another element of the same name may have come before it (``names.py``)."""
    if old != new:
        yield _change(ChangeKind.RENAMED, f"{table}{old}", f"{new} now")


def _column(place: str, old: Column, new: Column) -> Iterator[Change]:
    if old.repeated != new.repeated:
        detail = "a list now" if new.repeated else "no list any more"
        yield _change(ChangeKind.CARDINALITY, place, detail)
    elif old.type != new.type:
        yield _change(ChangeKind.RETYPED, place, f"{old.kind} to {new.kind}")
    added = sorted(set(new.codes) - set(old.codes))
    removed = sorted(set(old.codes) - set(new.codes))
    if added and old.codes:
        yield _change(ChangeKind.CODES_ADDED, place, ", ".join(added))
    if removed and new.codes:
        yield _change(ChangeKind.CODES_REMOVED, place, ", ".join(removed))


def _cardinalities(old: Plan, new: Plan) -> Iterator[Change]:
    before = {field.name: field for field in old.contract.structure.fields}
    for field in new.contract.structure.fields:
        known = before.get(field.name)
        if known is not None and known.repeated != field.repeated:
            detail = "single to repeated" if field.repeated else "repeated to single"
            yield Change(ChangeKind.CARDINALITY, field.name, detail, compatible=True)


def _change(kind: ChangeKind, place: str, detail: str = "") -> Change:
    return Change(kind, place, detail, compatible=kind in _COMPATIBLE)
