"""The contract of a new release against that of the current one."""

from __future__ import annotations

from freg_pipeline.contract import Change, compare, incompatible
from freg_pipeline.errors import ContractError
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.store import Store

MOST_NAMED = 5


def changes_between(store: Store, old: str | None, new: str) -> list[Change]:
    """What the contract ``new`` changes; nothing where there is no ``old`` one.

    Args:
        store: keeps both, by fingerprint.
        old: the earlier contract's fingerprint.
        new: the later one's.
    """
    if old is None or old == new:
        return []
    return compare(load_plan(store, old), load_plan(store, new))


def require_compatible(changes: list[Change], uttrekk: Uttrekk) -> None:
    """See that queries written for the current release work on the next one.

    Raises:
        ContractError: they don't; names what breaks and what to do.
    """
    breaking = incompatible(changes)
    if breaking:
        named = ", ".join(str(change) for change in breaking[:MOST_NAMED])
        more = f" and {len(breaking) - MOST_NAMED} more" if len(breaking) > MOST_NAMED else ""
        raise ContractError(
            f"the register's contract has changed in a way that breaks queries: {named}{more}; "
            "nothing was released",
            f"Tell your analysts, then: {uttrekk.resume_command} --accept-contract",
        )
