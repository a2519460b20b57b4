"""An uttrekk of a search's hits: its batch is written here, and nothing is ordered."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import msgspec

from freg_pipeline.client import Register, SoekKriterier
from freg_pipeline.extract.batches import add_batches, close_batches
from freg_pipeline.extract.order import NO_CONDITIONS, Approval, open_uttrekk
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.settings import Settings
from freg_pipeline.store import Store


@dataclass(frozen=True)
class SoekSpoersmaal:
    """Which search it was, without a name, a date or an address: these are a person's."""

    kind: ClassVar[Literal["soek"]] = "soek"

    kriterier: SoekKriterier

    def to_register(self) -> dict[str, Any]:
        """As the request records it: which criteria, and the SHA-256 of their values."""
        given = self.kriterier.to_register()
        digest = hashlib.sha256(msgspec.json.encode(given, order="sorted")).hexdigest()
        return {"kriterier": sorted(given), "sha256": digest}


async def open_soek(
    store: Store,
    register: Register,
    settings: Settings,
    kriterier: SoekKriterier,
    *,
    name: str | None = None,
    approval: Approval = NO_CONDITIONS,
) -> Uttrekk:
    """Return the uttrekk of a search, with its hits written as a batch.

    The feed's position is noted before the search, as it is before an order. A search that was
    answered is not made again.

    Raises:
        RefusedError: among others, over 10,000 fit: the register asks for narrower criteria.
        ConfigurationError: as :func:`freg_pipeline.extract.order.open_uttrekk`.
    """
    question = SoekSpoersmaal(kriterier)
    uttrekk = await open_uttrekk(
        store, register, settings, kriterier=question, name=name, approval=approval
    )
    if not uttrekk.lacks_batches:
        return uttrekk
    treff = await register.personer.soek(kriterier)
    add_batches(uttrekk, 0, "foedselsEllerDNummer", treff.numre)
    # Counted in the store: the hits of a process that was killed here stand, and are one batch.
    close_batches(uttrekk, len(uttrekk.batches()))
    return uttrekk
