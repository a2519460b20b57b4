"""What a release may have changed for readers, table by table, against an earlier one.

A sync replaces all rows of the persons that its events concern: a table counts as changed where
such a person has rows, or had any. A compaction changes none. No file of a table is read.
"""

from __future__ import annotations

from freg_pipeline.journal.manifest import Delta, Manifest
from freg_pipeline.lake.delta import delta_of
from freg_pipeline.lake.described import described
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.lake.lineage import made_of
from freg_pipeline.lake.offered import offered
from freg_pipeline.lake.utgivelse import UTGIVELSE
from freg_pipeline.store import Store


def touched(store: Store, before: Manifest | None, after: Manifest) -> list[str]:
    """The tables and views whose rows may differ, in the order in which they are described.

    Args:
        store: where both lie.
        before: the earlier release; None: there is none.
        after: the later one.
    """
    plan = load_plan(store, after.contract)
    tables = described(plan)
    names = [one.name for one in offered(plan)]
    if before is None or not _continues(before, after):
        return names
    changed = {UTGIVELSE} if before.number != after.number else set()
    for delta in _new(store, before, after):
        changed |= delta.touched()
    made = made_of(tables)  # each after what it is made of
    changed.update(name for name in names if changed & made.get(name, frozenset()))
    return [name for name in names if name in changed]


def _continues(before: Manifest, after: Manifest) -> bool:
    """Whether what is new in a release is in deltas on top of the earlier one."""
    return (
        before.base.uttrekk == after.base.uttrekk
        and before.contract == after.contract
        and after.base.sekvensnummer <= before.sekvensnummer <= after.sekvensnummer
    )


def _new(store: Store, before: Manifest, after: Manifest) -> list[Delta]:
    """The deltas that came since; of the one release that follows, without what it merged."""
    new = [delta for delta in after.deltas if delta.sekvensnummer > before.sekvensnummer]
    if len(new) == 1 and new[0].syncs > 1 and after.previous == before.number:
        own = delta_of(store, after)
        return new if own is None else [own]
    return new
