"""What goes wrong, on request: transport faults, and odd documents.

A specification is ``kind=rate`` or ``kind=#n``, several with commas between them: ``500=0.05`` is
one answer in twenty at random (seeded), ``reset=#20`` every twentieth. ``kind@service=…`` limits it
to one service. For odd documents the rate is the share of documents; which ones is fixed by the
document.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from random import Random

from freg_pipeline.errors import ConfigurationError

TRANSPORT = (
    "500", "503", "429", "reset", "truncated", "garbled", "html", "slow", "401", "404", "410",
)  # fmt: skip
DOCUMENTS = (
    "ukjentfelt", "ukjentkode", "enkeltobjekt", "talltekst", "gone", "malformed",
)  # fmt: skip
ANSWERS = ("unordered", "arkivliste", "hendelseobjekt", "feedliste", "sekvensnummerobjekt")


@dataclass(frozen=True)
class Fault:
    """One entry of a specification.

    Attributes:
        kind: one of TRANSPORT, DOCUMENTS, ANSWERS.
        service: where; None: everywhere.
        rate: share, from 0 to 1; None where ``every`` says.
        every: each so many.
    """

    kind: str
    service: str | None
    rate: float | None
    every: int | None


def read_faults(specification: str) -> tuple[Fault, ...]:
    """Read a specification.

    Raises:
        ConfigurationError: an unknown kind or a wrong rate.
    """
    entries = [entry.strip() for entry in specification.split(",") if entry.strip()]
    return tuple(_read(entry) for entry in entries)


def _read(entry: str) -> Fault:
    where, _, often = entry.partition("=")
    kind, _, service = where.partition("@")
    known = (*TRANSPORT, *DOCUMENTS, *ANSWERS)
    if kind not in known:
        raise ConfigurationError("there is no such fault", f"Use one of {', '.join(known)}")
    every, rate = _number(often.removeprefix("#")), _number(often or "1")
    if often.startswith("#") and every is not None and every >= 1:
        return Fault(kind, service or None, None, int(every))
    if rate is not None and 0 <= rate <= 1:
        return Fault(kind, service or None, rate, None)
    raise ConfigurationError(
        f"how often {kind} comes is wrong",
        "Write a share from 0 to 1, such as 0.05, or #20 for every twentieth",
    )


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


class Faults:
    """Decides what goes wrong, and counts it.

    Attributes:
        injected: how often each kind came, of those on the way.
        any_documents: whether any document can be odd.
    """

    def __init__(self, faults: tuple[Fault, ...], seed: int) -> None:
        self._random = Random(seed)
        self._met: Counter[Fault] = Counter()
        self.injected: Counter[str] = Counter()
        self._odd: dict[str, set[str]] = {}
        self.become(faults)

    def become(self, faults: tuple[Fault, ...]) -> None:
        """From now on these go wrong, and no others."""
        self._faults = faults
        self.any_documents = any(fault.kind in DOCUMENTS for fault in faults)

    def transport(self, service: str) -> str | None:
        """What is to go wrong with this answer, if anything."""
        for fault in self._faults:
            if fault.kind in TRANSPORT and fault.service in (None, service) and self._hits(fault):
                self.injected[fault.kind] += 1
                return fault.kind
        return None

    def answer(self, kind: str, service: str) -> bool:
        """Whether this answer has an odd form."""
        return any(
            fault.kind == kind and fault.service in (None, service) and self._hits(fault)
            for fault in self._faults
        )

    def _hits(self, fault: Fault) -> bool:
        self._met[fault] += 1
        if fault.every is not None:
            return self._met[fault] % fault.every == 0
        return self._random.random() < (fault.rate or 0)

    def odd(self, identifier: str) -> set[str]:
        """How this document is odd: the same each time."""
        kinds = set()
        for fault in self._faults:
            if fault.kind in DOCUMENTS and _chosen(fault, identifier):
                kinds.add(fault.kind)
                self._odd.setdefault(fault.kind, set()).add(identifier)
        return kinds

    @property
    def odd_documents(self) -> dict[str, int]:
        """Documents given out with each oddity, each counted once."""
        return {kind: len(identifiers) for kind, identifiers in self._odd.items()}


def _chosen(fault: Fault, identifier: str) -> bool:
    digest = hashlib.sha256(f"{fault.kind} {identifier}".encode()).digest()
    drawn = int.from_bytes(digest[:6], "big")
    if fault.every is not None:
        return drawn % fault.every == 0
    return drawn / 2**48 < (fault.rate or 0)
