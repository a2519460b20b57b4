"""Writing the documents of a population, a stretch of its people at a time.

The first stretch draws from the population's own random sequence. Each of the others has a sequence
of its own, so that several processes can write them side by side; what all documents must agree on,
the moment of a day at which one row ends and the next begins, they have from the first.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import msgspec
import numpy as np

from freg_pipeline.synthetic.columns import Column
from freg_pipeline.synthetic.documents import Writer
from freg_pipeline.synthetic.events import LARGEST_GAP, moment_of
from freg_pipeline.synthetic.people import Person
from freg_pipeline.synthetic.rows import Rows
from freg_pipeline.synthetic.selection import Selection

STRETCH = 20_000  # persons
KINDS = ("personErOpprettet", "endringINavn", "endringIBostedsadresse")
ENTITIES = (
    "identifikasjonsnummer", "identitetsgrunnlag", "status", "kjoenn", "foedsel",
    "statsborgerskap", "sivilstand", "navn", "adressebeskyttelse", "bostedsadresse",
    "oppholdsadresse", "deltBosted", "postadresse", "postadresseIUtlandet", "familierelasjon",
    "foreldreansvar", "doedsfall", "kontaktinformasjonForDoedsbo", "innflytting", "utflytting",
    "opphold", "utenlandskPersonidentifikasjon", "utlendingsmyndighetenesIdentifikasjonsnummer",
    "legitimasjonsdokument", "foedselINorge", "falskIdentitet", "bibehold", "brukAvSamiskSpraak",
    "forholdTilSametingetsValgmanntall", "oppholdPaaSvalbard", "vergemaalEllerFremtidsfullmakt",
    "rettsligHandleevne",
)  # fmt: skip
_BITS = {entity: 1 << place for place, entity in enumerate(ENTITIES)}
_OTHERS = 1 << len(ENTITIES)
_TOLD = 1_000


class Sink(Protocol):
    """Where documents are put."""

    def add(self, text: bytes) -> int:
        """Keep a text; returns where it starts."""


@dataclass
class Documents:
    """Where documents lie, and which entities they hold; a row a document."""

    starts: array[int] = field(default_factory=lambda: array("q"))
    lengths: array[int] = field(default_factory=lambda: array("i"))
    entities: array[int] = field(default_factory=lambda: array("Q"))


@dataclass
class Written:
    """The documents of a stretch.

    Attributes:
        first: everybody's first document.
        gaps: by how much the sequence number of its event exceeds the next possible one.
        later: the documents that late changes made.
        changed: whose each of them is.
        moments: when each was made, in milliseconds since 1970.
        kinds: by what kind of event, as a place in KINDS.
        moved: those who have another home now than before their documents were written.
    """

    first: Documents = field(default_factory=Documents)
    gaps: array[int] = field(default_factory=lambda: array("B"))
    later: Documents = field(default_factory=Documents)
    changed: array[int] = field(default_factory=lambda: array("i"))
    moments: array[int] = field(default_factory=lambda: array("q"))
    kinds: array[int] = field(default_factory=lambda: array("B"))
    moved: list[Person] = field(default_factory=list)
    selection: Selection = field(default_factory=Selection)

    def columns(self) -> dict[str, Column]:
        """All of it but ``moved`` and ``selection``, by name."""
        columns = {name: getattr(self, name) for name in ("gaps", "changed", "moments", "kinds")}
        for prefix, documents in (("first", self.first), ("later", self.later)):
            columns |= {f"{prefix}_{name}": column for name, column in vars(documents).items()}
        return {name: np.array(column, dtype=column.typecode) for name, column in columns.items()}


def entities_of(names: Iterable[str]) -> int:
    """Different entities as bits of a number; those that this register doesn't write share one."""
    try:
        return sum(map(_BITS.__getitem__, names))
    except KeyError:
        return _OTHERS | sum(_BITS.get(name, 0) for name in names)


def write(
    stretch: range,
    people: Sequence[Person],
    rows: Rows,
    sink: Sink,
    told: Callable[[int], None],
) -> Written:
    """Write the documents of a stretch of the people.

    Args:
        stretch: who, by index.
        people: everyone.
        rows: makes the rows, and draws.
        sink: where the documents are put.
        told: is told of how many persons more, now and then.
    """
    written, writer = Written(), Writer(rows, people)
    encode, random = msgspec.json.Encoder().encode, rows.random.random

    def put(documents: Documents, document: dict[str, object]) -> None:
        text = encode(document)
        documents.starts.append(sink.add(text))
        documents.lengths.append(len(text))
        documents.entities.append(entities_of(document))

    said = stretch.start
    for index in stretch:
        person = people[index]
        home = person.home
        first, *later = writer.versions(person)
        put(written.first, first.document)
        written.gaps.append(int(random() * LARGEST_GAP))
        for version in later:
            put(written.later, version.document)
            written.changed.append(index)
            written.moments.append(moment_of(version.row))
            written.kinds.append(KINDS.index(version.kind))
        written.selection.add(later[-1].document if later else first.document)
        if person.home is not home:
            written.moved.append(person)
        if index % _TOLD == 0:
            told(index - said)
            said = index
    told(stretch.stop - said)
    return written
