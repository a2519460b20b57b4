"""Lift an erasure: its persons are kept out no longer, and looked up by the next sync."""

from __future__ import annotations

from typing import NamedTuple

from freg_pipeline.erasure.persons import Persons
from freg_pipeline.journal.keptout import add_order, await_sync, erased_before, kept_out
from freg_pipeline.journal.releases import current_release
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.store import Store


class Lifted(NamedTuple):
    """Who is kept out no longer.

    Attributes:
        persons: how many were asked for.
        kept_out: so many of them were kept out.
        looked_up: so many the next sync looks up.
    """

    persons: int
    kept_out: int
    looked_up: int


def lift(store: Store, persons: Persons) -> Lifted:
    """Keep persons out no longer, under any of their numbers, whichever is told.

    The next sync looks them up. Of a release that isn't everyone's it looks up those who were in
    it: the others are none of its persons.
    """
    out = kept_out(store).among(persons.places)
    number = add_order(store, persons.by_person(), lifts=True)
    current = current_release(store)
    wanted: list[str] = []
    if current is not None:  # also whom an order has lifted that was killed here
        is_everyone = Uttrekk(store, current.base.uttrekk).kind.is_everyone
        wanted = erased_before(store, list(persons.places), members=not is_everyone)
    if wanted:
        await_sync(store, number, wanted)
    return Lifted(len(persons), len(out), len(wanted))
