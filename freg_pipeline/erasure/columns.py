"""Where in a table persons' numbers stand, and what becomes of a row that names an erased one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from freg_pipeline.contract import Identity, Plan
from freg_pipeline.erasure.persons import Persons
from freg_pipeline.extract.blank import blanked
from freg_pipeline.journal.keptout import numbers_in
from freg_pipeline.lake.keys import keys_of
from freg_pipeline.lake.owntable_naa import PERSON_NAA
from freg_pipeline.lake.tables import (
    AVVIK,
    HENDELSE,
    HENDELSE_EGENSKAP,
    IDENTITY,
    PERSON,
    PERSON_KEY,
    REPLACED,
    TIDLIGERE_IDENTIFIKATOR,
    UKJENT_FELT,
)
from freg_pipeline.lake.tally import TALLY
from freg_pipeline.normalize.account import DOCUMENT_TABLE

Places = npt.NDArray[np.int64]  # of each row, whose it is: a place in the list; -1: nobody's


@dataclass(frozen=True)
class Columns:
    """The columns of a table in which persons' numbers stand.

    Attributes:
        own: a row that tells one of these numbers here is that person's, and goes.
        named: here a number is of somebody else than the row's person, and becomes null.
        texts: JSON, in which numbers may stand anywhere.
    """

    own: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()

    def among(self, names: list[str]) -> list[str]:
        """Those that a file has, and what tells whose an event's row is."""
        every = (*self.own, *self.named, *self.texts, PERSON_KEY)
        return [name for name in names if name in every or name == _EVENT]


_EVENT = "sekvensnummer"
_OWN = {
    PERSON.name: Columns(own=("personidentifikator",)),
    PERSON_NAA.name: Columns(own=("personidentifikator",), named=("mor", "far", "medmor")),
    TIDLIGERE_IDENTIFIKATOR.name: Columns(own=("identifikator", "personidentifikator")),
    # A line of the account stays, so that it adds up.
    AVVIK.name: Columns(named=("identifikator", "gikk_til")),
    UKJENT_FELT.name: Columns(),
    HENDELSE.name: Columns(own=("folkeregisteridentifikator",)),
    HENDELSE_EGENSKAP.name: Columns(texts=("innhold",)),
    IDENTITY.name: Columns(own=("nokkel", "nummer", "person")),
    REPLACED.name: Columns(own=("personidentifikator",)),
    TALLY: Columns(own=(PERSON_KEY,)),
    DOCUMENT_TABLE: Columns(own=("identifikator", "personidentifikator")),
}


def columns_of(plan: Plan, table: str) -> Columns:
    """Where persons' numbers stand in a table of a base, a delta or of staging."""
    if table in _OWN:
        return _OWN[table]
    described = next((one for one in plan.tables if one.name == table), None)
    if described is None:
        return Columns(own=("personidentifikator",))
    told = {
        sort: tuple(column.name for column in described.columns if column.identity is sort)
        for sort in (Identity.PERSON, Identity.EMBEDDED)
    }
    return Columns(("personidentifikator",), told[Identity.PERSON], told[Identity.EMBEDDED])


@dataclass(frozen=True)
class Whose:
    """Of a table's rows, which are persons' of the list, and which name them.

    Attributes:
        own: a place in the list for each row that is somebody's of it; else -1.
        named: the same for each other row that names somebody of it.
    """

    own: Places
    named: Places

    @property
    def any(self) -> bool:
        """Whether there are any."""
        return bool((self.own >= 0).any() or (self.named >= 0).any())


def whose(rows: pa.Table, columns: Columns, persons: Persons, events: dict[int, int]) -> Whose:
    """Whose the rows of a table are.

    Args:
        rows: with the columns of :meth:`Columns.among`.
        columns: of the table.
        persons: who is looked for.
        events: the sequence numbers of their events, with each person's place in the list.
    """
    own = np.full(len(rows), -1, np.int64)
    for name in columns.own:
        if name in rows.column_names:
            own = np.maximum(own, _places(rows[name], persons))
    if columns == _OWN[HENDELSE_EGENSKAP.name] and events:
        own = np.maximum(own, _by_event(rows[_EVENT], events))
    named = np.full(len(rows), -1, np.int64)
    for name in columns.named:
        if name in rows.column_names:
            named = np.maximum(named, _places(rows[name], persons))
    for name in columns.texts:
        if name in rows.column_names:
            named = np.maximum(named, _in_texts(rows[name], persons))
    return Whose(own, np.where(own >= 0, -1, named))


def without(rows: pa.Table, columns: Columns, found: Whose, persons: Persons) -> pa.Table:
    """A table without its rows of the persons, and without their numbers in the others."""
    if (found.named >= 0).any():
        for name in columns.named:
            rows = _put(rows, name, _blank(rows[name], persons))
        for name in columns.texts:
            rows = _put(rows, name, _texts_without(rows[name], found.named, persons))
    return rows.filter(pa.array(found.own < 0))


def _put(rows: pa.Table, name: str, column: pa.ChunkedArray) -> pa.Table:
    place = rows.column_names.index(name)
    return rows.set_column(place, rows.schema.field(name), column)


def _places(column: pa.ChunkedArray, persons: Persons) -> Places:
    if pa.types.is_list(column.type):
        places = np.full(len(column), -1, np.int64)
        found = _places(pc.list_flatten(column), persons)
        np.maximum.at(places, pc.list_parent_indices(column).to_numpy(), found)
        return places
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    found = pc.fill_null(pc.index_in(column, value_set=_values(column.type, persons)), -1)
    return _taken([*persons.places.values(), -1], found)


def _values(kind: pa.DataType, persons: Persons) -> pa.Array:
    """The numbers as a column of a type holds them; none, where it can't."""
    if pa.types.is_string(kind):
        return persons.numbers()
    if pa.types.is_integer(kind) or pa.types.is_decimal(kind) or pa.types.is_floating(kind):
        return pa.array(keys_of(persons.numbers())).cast(kind)
    return pa.array([], kind)


def _taken(places: list[int], found: pa.ChunkedArray) -> Places:
    taken: Places = np.array(places, np.int64)[found.to_numpy()]
    return taken


def _blank(column: pa.ChunkedArray, persons: Persons) -> pa.ChunkedArray:
    if not pa.types.is_list(column.type):
        there = pc.is_in(column, value_set=_values(column.type, persons))
        return pc.if_else(there, pa.scalar(None, column.type), column)
    out = set(_values(column.type.value_type, persons).to_pylist())
    told = [None if row is None else [one for one in row if one not in out]
            for row in column.to_pylist()]  # fmt: skip
    return pa.chunked_array([pa.array(told, column.type)])


def _by_event(column: pa.ChunkedArray, events: dict[int, int]) -> Places:
    values = pa.array(list(events), pa.int64())
    found = pc.fill_null(pc.index_in(column.cast(pa.int64()), value_set=values), -1)
    return _taken([*events.values(), -1], found)


def _in_texts(column: pa.ChunkedArray, persons: Persons) -> Places:
    found = np.full(len(column), -1, np.int64)
    if column.type != pa.string():
        return found
    maybe = pc.fill_null(pc.match_substring_regex(column, r"\d{10}"), fill_value=False)
    for row in np.flatnonzero(maybe.to_numpy()).tolist():
        told = numbers_in(column[row].as_py().encode())
        found[row] = max((persons.places.get(one, -1) for one in told), default=-1)
    return found


def _texts_without(column: pa.ChunkedArray, named: Places, persons: Persons) -> pa.ChunkedArray:
    texts = column.to_pylist()
    for row in np.flatnonzero(named >= 0).tolist():
        if texts[row] is not None:
            texts[row] = blanked(texts[row].encode(), persons).decode()
    return pa.chunked_array([pa.array(texts, column.type)])
