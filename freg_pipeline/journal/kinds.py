"""The kinds of uttrekk: in what they differ, each in one place.

A kind says which services it takes, where its batches come from, whom it is about, and the command
that goes on with one. Its value is what somebody has to say to have one: a selection, which list,
which search. What comes next for an uttrekk of a kind is in :mod:`freg_pipeline.advance`.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import msgspec

from freg_pipeline.criteria.rules import given
from freg_pipeline.criteria.tilpasset import TilpassetKriterier

KindName = Literal["komplett", "tilpasset", "liste", "soek", "hendelser"]


class Kind(msgspec.Struct, frozen=True, tag_field="kind", tag=str.lower):
    """One kind of uttrekk. It is recorded under its name, as requests and manifests tell it.

    Attributes:
        name: the same.
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

    def says(self) -> dict[str, Any]:
        """What tells one of this kind from another, by the names under which it is asked for."""
        return msgspec.structs.asdict(self)

    def has_persons_of(self, other: Kind) -> bool:
        """Whether it is about the persons that the other one is about."""
        return self == other

    @classmethod
    def command(cls) -> str:
        """The command that begins one."""
        return f"freg uttrekk {cls.name}"

    @classmethod
    def resume_command(cls, name: str) -> str:
        """The command that goes on with one."""
        return f"freg uttrekk resume {name}"


class Komplett(Kind, frozen=True):
    """Everyone, ordered from the register.

    Attributes:
        feedsekvensnr: the sequence number to begin at; None: the register's last one.
    """

    name = "komplett"
    services = ("uttrekk/komplett", "uttrekk/batch", "personer/bulkoppslag/arkiv")
    is_job = True
    is_everyone = True

    feedsekvensnr: int | None = None

    def has_persons_of(self, other: Kind) -> bool:
        """Of another komplett uttrekk, wherever it began."""
        return isinstance(other, Komplett)


class Tilpasset(Kind, frozen=True):
    """A selection, ordered from the register. Who fits its criteria later belongs to it, too.

    Attributes:
        kriterier: its criteria.
    """

    name = "tilpasset"
    services = ("uttrekk/tilpasset", "uttrekk/batch", "personer/bulkoppslag")
    is_job = True

    kriterier: TilpassetKriterier

    def says(self) -> dict[str, Any]:
        """The criteria, by the register's names."""
        return given(self.kriterier)


class Liste(Kind, frozen=True):
    """The identity numbers of a list of one's own, which changes from time to time.

    Attributes:
        antall: well-formed numbers in it.
        sha256: of the numbers in their order.
    """

    name = "liste"
    services = ("personer/bulkoppslag",)
    source = "list was"

    antall: int
    sha256: str

    def has_persons_of(self, other: Kind) -> bool:
        """Of any list: the next one is meant to take its place."""
        return isinstance(other, Liste)


class Soek(Kind, frozen=True):
    """The hits of a search, told without a name, a date or an address: these are a person's.

    Attributes:
        kriterier: which criteria were given.
        sha256: of their values.
    """

    name = "soek"
    services = ("personer/soek", "personer/bulkoppslag")
    source = "search's hits were"

    kriterier: tuple[str, ...]
    sha256: str

    @classmethod
    def command(cls) -> str:
        """The search, with the flag that keeps its hits."""
        return "freg soek … --uttrekk"


class Hendelser(Kind, frozen=True):
    """The persons whom a slice of the event list concerns.

    Attributes:
        etter: the position of the release that it continues: its events come after it.
        base: what that release began with.
    """

    name = "hendelser"
    services = ("hendelser/feed", "personer/bulkoppslag")
    is_sync = True

    etter: int
    base: str

    @classmethod
    def command(cls) -> str:
        """A sync."""
        return "freg hendelser sync"

    @classmethod
    def resume_command(cls, name: str) -> str:
        """A sync: it goes on with the one that was begun."""
        del name
        return cls.command()


AnyKind = Komplett | Tilpasset | Liste | Soek | Hendelser

_KINDS: dict[KindName, type[Kind]] = {
    kind.name: kind for kind in (Komplett, Tilpasset, Liste, Soek, Hendelser)
}


def kind_of(name: KindName) -> type[Kind]:
    """The kind that a manifest names."""
    return _KINDS[name]
