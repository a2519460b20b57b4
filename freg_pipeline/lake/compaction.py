"""A compaction that is under way: what it makes, and whether it may still be published."""

from __future__ import annotations

import msgspec

from freg_pipeline.errors import ObjectMissingError
from freg_pipeline.journal.manifest import Manifest, base_folder
from freg_pipeline.store import Store, read_record

_OPEN = "compacting/"


class Compaction(msgspec.Struct, frozen=True):
    """The base that is made of a base and the deltas on top of it.

    Attributes:
        uttrekk: what the base began with.
        sekvensnummer: the position of the last delta that goes into it.
        buckets: how many buckets it is split into.
        erased: as the base's: once somebody was taken out of that, what was begun before is moot.
    """

    uttrekk: str
    sekvensnummer: int
    buckets: int
    erased: int = 0

    @property
    def name(self) -> str:
        """Its name; no uttrekk can have that, as it holds a full stop."""
        suffix = f".e{self.erased:06d}" if self.erased else ""
        return f"{self.uttrekk}.{self.sekvensnummer:012d}{suffix}"

    @property
    def folder(self) -> str:
        """Where its base lies."""
        return base_folder(self.name)

    @property
    def open_key(self) -> str:
        """Where it is marked as under way."""
        return f"{_OPEN}{self.name}"

    def key(self, *parts: str) -> str:
        """The key of one of its objects."""
        return "/".join((self.folder, *parts))

    def continues(self, manifest: Manifest) -> bool:
        """Whether it can take the place of a release's base and first deltas."""
        return (
            manifest.base.uttrekk == self.uttrekk
            and manifest.base.erased == self.erased
            and manifest.base.sekvensnummer < self.sekvensnummer
            and self.sekvensnummer in manifest.positions()
        )


def read_compaction(store: Store, name: str) -> Compaction | None:
    """A compaction by its name; None: there is none."""
    try:
        return read_record(store, f"{base_folder(name)}/plan.json", Compaction)
    except ObjectMissingError:
        return None


def under_way(store: Store) -> list[str]:
    """The names of the compactions that were begun and not published, the latest last."""
    return sorted(key.removeprefix(_OPEN) for key in store.list(_OPEN))


def positions_taken(store: Store, manifest: Manifest) -> set[int]:
    """The positions up to which compactions under way take deltas of a release."""
    names = [name.split(".") for name in under_way(store)]
    return {int(position) for base, position, *_ in names if base == manifest.base.uttrekk}
