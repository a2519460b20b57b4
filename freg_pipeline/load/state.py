"""What a copy has, as it says itself, and what therefore comes next.

It lies in dlt's own state at the destination, which counts once all of a load is there. Before
anything is changed, it is said what a load leads to: tables follow each other, so one that was
interrupted has left some of them at the new state. That same load is done again first, and brings
all of them there; only then goes the copy on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from freg_pipeline.errors import ConfigurationError
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.pointer import numbers
from freg_pipeline.journal.releases import read_if_there
from freg_pipeline.outside import showable
from freg_pipeline.store import Store

_ANEW = "Begin anew with --full"
_KEEP = "and keep releases for as long as copies need them: FREG_KEEP_DAYS, freg release pin"


class Point(msgspec.Struct, frozen=True):
    """A release.

    Attributes:
        release: its number.
        sekvensnummer: the event list's position that it is good to.
        mark: what no other store's release of that number has.
    """

    release: str
    sekvensnummer: int
    mark: str

    @classmethod
    def of(cls, manifest: Manifest) -> Point:
        """A release's."""
        return cls(manifest.number, manifest.sekvensnummer, manifest.mark)


class State(msgspec.Struct, frozen=True):
    """What a copy has.

    Attributes:
        copied: the release that all of its tables show; None: some may be half done.
        under_way: the release that a load was to lead to that isn't known to have ended.
        by: the rules and the key that it is made by; None: it is as the views are.
        erasures: how many had ended when it was loaded whole.
    """

    copied: Point | None = None
    under_way: Point | None = None
    by: str | None = None
    erasures: int = 0

    @classmethod
    def read(cls, told: object) -> State:
        """As it lies at the destination.

        Raises:
            ConfigurationError: that isn't ours.
        """
        try:
            return msgspec.convert(told, cls)
        except msgspec.ValidationError:
            raise ConfigurationError(
                "the copy's state isn't as this software writes it",
                "Another version did: name a new --schema",
            ) from None

    def written(self) -> Any:
        """To be read by :meth:`read`."""
        return msgspec.to_builtins(self)


@dataclass(frozen=True)
class Step:
    """A load.

    Attributes:
        before: the state that the copy has; None: everything is replaced.
        after: that it is to have.
    """

    before: Manifest | None
    after: Manifest


def require_same_kind(state: State, by: str | None) -> None:
    """See that a copy is made by the rules that it was made by: none, or the same, with one key.

    Raises:
        ConfigurationError: it isn't, and would hold what is by others beside what is by these.
    """
    if state != State() and state.by != by:
        there = "is as the views are" if state.by is None else "is by other rules, or another key"
        raise ConfigurationError(f"the copy there {there}", "Name a new --schema")


def steps(
    store: Store, state: State, current: Manifest, *, anew: bool, erasures: int = 0
) -> list[Step]:
    """What brings a copy to the current release: nothing, one load, or two.

    After an erasure it begins anew: releases that held somebody are gone, and what a copy has kept
    of them, events of earlier full loads, no release tells of any more.

    Args:
        store: where the releases lie.
        state: what the copy has.
        current: the release.
        anew: begin anew, whatever it has.
        erasures: how many have ended.

    Raises:
        ConfigurationError: what it has isn't of this store, or no longer kept.
    """
    if anew or state.copied is None or state.erasures < erasures:
        return [Step(None, current)]
    if Point.of(current) == state.copied and state.under_way is None:
        return []
    before = _kept(store, state.copied)
    if state.under_way in {None, Point.of(current)}:
        return [Step(before, current)]
    assert state.under_way is not None  # noqa: S101
    between = _kept(store, state.under_way)
    return [Step(before, between), Step(between, current)]


def _kept(store: Store, point: Point) -> Manifest:
    found = read_if_there(store, point.release)
    if found is not None and Point.of(found) == point:
        return found
    number = showable(point.release)
    if found is None and point.release < max(numbers(store), default="000000"):
        raise ConfigurationError(
            f"the copy needs release {number}, which has been purged", f"{_ANEW}, {_KEEP}"
        )
    raise ConfigurationError(
        f"the copy is at a release {number} that {store.location} has never had",
        f"Name the store that it is a copy of. {_ANEW} if it is to be one of this store",
    )
