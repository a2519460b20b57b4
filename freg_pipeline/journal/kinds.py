"""The kinds of uttrekk: in what they differ, each in one place.

A kind says which services it takes, where its batches come from, whom it is about, and the command
that goes on with one. What comes next for an uttrekk of a kind is in :mod:`freg_pipeline.advance`.
"""

from __future__ import annotations

from abc import ABC
from typing import Any, ClassVar, Literal

KindName = Literal["komplett", "tilpasset", "liste", "soek", "hendelser"]


class Kind(ABC):
    """One kind of uttrekk.

    Attributes:
        name: as requests and manifests record it.
        services: the register's services that it takes.
        is_job: its batches come from a job at the register; else they are written on this side.
        is_everyone: it holds everybody, so that every person of the register belongs to it.
        is_sync: it continues a release by what the event list tells.
        source: what its batches are made of, for messages: "its … was taken over".
    """

    name: ClassVar[KindName]
    services: ClassVar[tuple[str, ...]]
    is_job: ClassVar[bool] = False
    is_everyone: ClassVar[bool] = False
    is_sync: ClassVar[bool] = False
    source: ClassVar[str] = "batches were"

    @classmethod
    def command(cls) -> str:
        """The command that begins one."""
        return f"freg uttrekk {cls.name}"

    @classmethod
    def resume_command(cls, name: str) -> str:
        """The command that goes on with one."""
        return f"freg uttrekk resume {name}"

    @classmethod
    def selection(cls, kriterier: dict[str, Any] | None) -> dict[str, Any] | None:
        """The criteria by which somebody new can come to belong to it; None: there are none."""
        del kriterier
        return None


class _Job(Kind):
    is_job = True


class Komplett(_Job):
    """Everyone, ordered from the register."""

    name = "komplett"
    services = ("uttrekk/komplett", "uttrekk/batch", "personer/bulkoppslag/arkiv")
    is_everyone = True


class Tilpasset(_Job):
    """A selection by criteria, ordered from the register."""

    name = "tilpasset"
    services = ("uttrekk/tilpasset", "uttrekk/batch", "personer/bulkoppslag")

    @classmethod
    def selection(cls, kriterier: dict[str, Any] | None) -> dict[str, Any] | None:
        """Its own criteria: who fits them belongs to it from then on."""
        return kriterier or {}


class Liste(Kind):
    """The identity numbers of a list of one's own."""

    name = "liste"
    services = ("personer/bulkoppslag",)
    source = "list was"


class Soek(Kind):
    """The hits of a search."""

    name = "soek"
    services = ("personer/soek", "personer/bulkoppslag")
    source = "search's hits were"

    @classmethod
    def command(cls) -> str:
        """The search, with the flag that keeps its hits."""
        return "freg soek … --uttrekk"


class Hendelser(Kind):
    """The persons whom a slice of the event list concerns."""

    name = "hendelser"
    services = ("hendelser/feed", "personer/bulkoppslag")
    is_sync = True

    @classmethod
    def command(cls) -> str:
        """A sync."""
        return "freg hendelser sync"

    @classmethod
    def resume_command(cls, name: str) -> str:
        """A sync: it goes on with the one that was begun."""
        del name
        return cls.command()


_KINDS: dict[KindName, type[Kind]] = {
    kind.name: kind for kind in (Komplett, Tilpasset, Liste, Soek, Hendelser)
}


def kind_of(name: KindName) -> type[Kind]:
    """The kind that a request or a manifest names."""
    return _KINDS[name]
