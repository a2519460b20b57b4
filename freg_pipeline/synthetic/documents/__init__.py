"""A person's record -> their person documents, with every entity that the register's model has.

The rules are those of the register's documentation. A subject is a module of its own; each yields
its entities in a fixed order, since all of them draw from one random sequence.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from freg_pipeline.synthetic.documents.abroad import Abroad
from freg_pipeline.synthetic.documents.addresses import Addresses
from freg_pipeline.synthetic.documents.particulars import Particulars
from freg_pipeline.synthetic.documents.rare import Rarities
from freg_pipeline.synthetic.documents.relations import Relations
from freg_pipeline.synthetic.people import Person
from freg_pipeline.synthetic.rows import Row, Rows


class Writer:
    """Writes documents for the people of one population."""

    def __init__(self, random: Random, people: list[Person]) -> None:
        rows = Rows(random)
        self._particulars = Particulars(rows, people)
        self._addresses = Addresses(rows)
        self._relations = Relations(rows, people)
        self._abroad = Abroad(rows)
        self._rarities = Rarities(rows, people)

    def versions(self, person: Person) -> list[Row]:
        """A person's documents, the earliest first; the last one is in force.

        Persons with late changes have several: each change of name made a new document.
        """
        document = self._document(person)
        names = self._particulars.navn(person)
        if person.merged_into is not None or person.index % 33 != 7:
            document["navn"] = names
            return [document]
        return [{**document, "navn": rows} for rows in self._particulars.renamed(person, names)]

    def _document(self, person: Person) -> Row:
        document: Row = dict(self._particulars.of(person))
        for entity, rows in self._others(person):
            if rows:
                document[entity] = rows
        return document

    def _others(self, person: Person) -> Iterator[tuple[str, Any]]:
        yield from self._addresses.of(person)
        yield from self._relations.of(person)
        if person.origin is not None:
            yield from self._abroad.of(person, person.origin)
        else:
            yield "foedselINorge", self._particulars.foedsel_i_norge(person)
        yield from self._rarities.of(person)
