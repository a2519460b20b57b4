"""A person's record -> their person documents, with every entity that the register's model has.

The rules are those of the register's documentation. A subject is a module of its own; each yields
its entities in a fixed order, since all of them draw from one random sequence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from freg_pipeline.synthetic.documents.abroad import Abroad
from freg_pipeline.synthetic.documents.addresses import Addresses, may_move
from freg_pipeline.synthetic.documents.particulars import Particulars
from freg_pipeline.synthetic.documents.rare import Rarities
from freg_pipeline.synthetic.documents.relations import Relations
from freg_pipeline.synthetic.documents.versions import Version
from freg_pipeline.synthetic.people import Person
from freg_pipeline.synthetic.rows import Row, Rows

__all__ = ["Version", "Writer"]


class Writer:
    """Writes documents for the people of one population."""

    def __init__(self, rows: Rows, people: Sequence[Person]) -> None:
        self._particulars = Particulars(rows, people)
        self._addresses = Addresses(rows)
        self._relations = Relations(rows, people)
        self._abroad = Abroad(rows)
        self._rarities = Rarities(rows, people)

    def versions(self, person: Person) -> list[Version]:
        """A person's documents, the earliest first; the last one is in force.

        Persons with late changes have several: each change of name, or of home, made a new one.
        """
        document = self._document(person)
        document["navn"] = self._particulars.navn(person)
        made = [Version("personErOpprettet", document["navn"][0], document)]
        if person.merged_into is None and person.died is None:
            late = person.index % 33
            if late == 7:
                made += self._particulars.renamed(person, document)
            elif late == 20 and document.get("bostedsadresse") and may_move(person):
                made.append(self._addresses.moved(person, document))
        return made

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
