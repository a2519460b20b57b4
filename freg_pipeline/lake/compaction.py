"""A compaction that is under way: what it makes, and whether it may still be published."""

from __future__ import annotations

import msgspec

from freg_pipeline.errors import ObjectMissingError
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.store import Store, read_record


class Compaction(msgspec.Struct, frozen=True):
    """The base that is made of a base and the deltas on top of it.

    Attributes:
        uttrekk: what the base began with.
        sekvensnummer: the position of the last delta that goes into it.
        buckets: how many buckets it is split into.
    """

    uttrekk: str
    sekvensnummer: int
    buckets: int

    @property
    def name(self) -> str:
        """Its name; no uttrekk can have that, as it holds a full stop."""
        return f"{self.uttrekk}.{self.sekvensnummer:012d}"

    def key(self, *parts: str) -> str:
        """The key of one of its objects."""
        return "/".join(("bases", self.name, *parts))

    def continues(self, manifest: Manifest) -> bool:
        """Whether it can take the place of a release's base and first deltas."""
        return (
            manifest.base.uttrekk == self.uttrekk
            and manifest.base.sekvensnummer < self.sekvensnummer
            and self.sekvensnummer in manifest.positions()
        )


def read_compaction(store: Store, name: str) -> Compaction | None:
    """A compaction by its name; None: there is none."""
    try:
        return read_record(store, f"bases/{name}/plan.json", Compaction)
    except ObjectMissingError:
        return None
