"""An uttrekk of a search's hits: its batch is written here, and nothing is ordered."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import msgspec

from freg_pipeline.client import Register, SoekKriterier
from freg_pipeline.extract.batches import add_batches, close_batches
from freg_pipeline.extract.blank import batch_without
from freg_pipeline.journal.keptout import kept_out
from freg_pipeline.journal.kinds import Soek
from freg_pipeline.journal.uttrekk import Uttrekk


@dataclass(frozen=True)
class Search:
    """A search whose hits are looked up.

    Attributes:
        kriterier: what it searches for.
    """

    kriterier: SoekKriterier

    @property
    def kind(self) -> Soek:
        """Which search it is: which criteria, and the SHA-256 of their values."""
        given = self.kriterier.to_register()
        digest = hashlib.sha256(msgspec.json.encode(given, order="sorted")).hexdigest()
        return Soek(tuple(sorted(given)), digest)

    async def fill(self, register: Register, uttrekk: Uttrekk) -> None:
        """Search, and write the hits as a batch.

        The feed's position was noted before the search, as it is before an order. A search that was
        answered is not made again.

        Raises:
            RefusedError: among others, over 10,000 fit: the register asks for narrower criteria.
        """
        treff = await register.personer.soek(self.kriterier)
        hits = batch_without(treff.numre, kept_out(uttrekk.store)) or treff.numre
        add_batches(uttrekk, 0, "foedselsEllerDNummer", hits)
        # Counted in the store: the hits of a process that was killed here stand, and are one batch.
        close_batches(uttrekk, len(uttrekk.batches()))
