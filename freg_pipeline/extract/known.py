"""Whether a register has been met before, by what lies in the store."""

from __future__ import annotations

from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.store import Store

LOOKED_AT = 50  # uttrekk; one of the others would hardly tell anything else


def has_met(store: Store, base_url: str) -> bool:
    """Whether anything in the store was asked of the register at an address.

    Where it was, that nothing answers there is an outage, and no wrong address.
    """
    keys = [key for key in store.list("uttrekk/") if key.endswith("/request.json")]
    names = [key.split("/")[1] for key in keys if key.count("/") == 2]
    return any(
        Uttrekk(store, name).request.base_url == base_url for name in names[: -LOOKED_AT - 1 : -1]
    )
