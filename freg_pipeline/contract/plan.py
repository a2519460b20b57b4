"""Element model -> the plan of tables: which tables, which columns, from which path, of which type.

One table for each element under the document element; structures are flattened into columns
(``vegadresse_adressenavn``); a list of single values is a LIST column; a list of structures is a
table of its own, ``<entity>__<element>``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import pyarrow as pa

from freg_pipeline.contract.identity import REFERENCES, Identity, identity_by_name
from freg_pipeline.contract.model import Contract, Field, Simple, Structure, ValueKind
from freg_pipeline.contract.names import (
    ELEMENT_COLUMN,
    PERSON_COLUMN,
    ROW_COLUMN,
    column_names,
    snake_case,
    table_names,
)

_KEY_COMMENTS = {
    PERSON_COLUMN: "Personens gjeldende fødselsnummer eller D-nummer. Viser til person.",
    ROW_COLUMN: "Radens plass i listen i persondokumentet, fra 0. Sier ikke hva som er nyest.",
    ELEMENT_COLUMN: "Plassen i den indre listen som denne tabellen holder, fra 0.",
}
_TYPES = {
    ValueKind.STRING: pa.string(),
    ValueKind.CODE: pa.string(),
    ValueKind.BOOLEAN: pa.bool_(),
    ValueKind.INTEGER: pa.int64(),
    ValueKind.DECIMAL: pa.decimal128(38, 10),
    ValueKind.FLOAT: pa.float64(),
    ValueKind.DATE: pa.date32(),
    ValueKind.DATETIME: pa.timestamp("us", tz="UTC"),
    ValueKind.YEAR: pa.int16(),
    ValueKind.OPAQUE: pa.string(),
}
_CAN_BE_NUMBERS = {
    ValueKind.STRING,
    ValueKind.INTEGER,
    ValueKind.DECIMAL,
    ValueKind.FLOAT,
}


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        name: in snake_case; unique in its table.
        path: element names from the table's row to the value.
        kind: what the value is.
        repeated: the column is a LIST of such values.
        codes: known values; open.
        comment: what it means, from the contract.
        texts: what the contract says of each code, in their order.
        number: its type is one of persons' identity numbers.
    """

    name: str
    path: tuple[str, ...]
    kind: ValueKind
    repeated: bool
    codes: tuple[str, ...]
    comment: str
    texts: tuple[str, ...] = ()
    number: bool = False

    @property
    def type(self) -> pa.DataType:
        """The column's Arrow type."""
        value = _TYPES[self.kind]
        return pa.list_(value) if self.repeated else value

    @property
    def is_reference(self) -> bool:
        """Whether it holds persons' numbers, current or earlier ones."""
        return self.path[-1] in REFERENCES and self.type == pa.string()

    @property
    def identity(self) -> Identity | None:
        """Whose identity number it holds, by its type or by what it is called."""
        if self.kind is ValueKind.OPAQUE:
            return Identity.EMBEDDED
        if self.number:
            return Identity.PERSON
        if self.kind not in _CAN_BE_NUMBERS:
            return None
        if REFERENCES.intersection(self.path):
            return Identity.PERSON
        return identity_by_name(self.path[-1])


@dataclass(frozen=True)
class Table:
    """A table: one row an occurrence of the element at ``path``.

    Attributes:
        name: in snake_case.
        entity: the element under the document element that it comes from.
        path: element names from the document to the row's element; the first is the entity.
        levels: repetitions below the entity: 0 for the entity's own table.
        columns: the columns after the keys.
        comment: what the entity or the element means, from the contract.
    """

    name: str
    entity: str
    path: tuple[str, ...]
    levels: int
    columns: tuple[Column, ...]
    comment: str

    @property
    def keys(self) -> tuple[str, ...]:
        """``personidentifikator``, ``rad_nr`` and one ``element_nr`` a level."""
        elements = [element_column(level) for level in range(1, self.levels + 1)]
        return (PERSON_COLUMN, ROW_COLUMN, *elements)

    @cached_property
    def arrow_schema(self) -> pa.Schema:
        """Keys and columns with their types; comments in the fields' metadata."""
        fields = [
            pa.field(
                name, pa.string() if name == PERSON_COLUMN else pa.int32(), nullable=False
            ).with_metadata({"comment": _KEY_COMMENTS.get(name, _KEY_COMMENTS[ELEMENT_COLUMN])})
            for name in self.keys
        ]
        fields += [
            pa.field(column.name, column.type).with_metadata({"comment": column.comment})
            for column in self.columns
        ]
        return pa.schema(fields, metadata={"comment": self.comment})


@dataclass(frozen=True)
class Plan:
    """All tables that a contract gives.

    Attributes:
        contract: the element model that the plan was made from.
        tables: entities in the contract's order, each followed by its lists of structures.
    """

    contract: Contract
    tables: tuple[Table, ...]

    @property
    def fingerprint(self) -> str:
        """Names the exact XSD."""
        return self.contract.fingerprint

    @property
    def entities(self) -> tuple[str, ...]:
        """The elements under the document element; each is also a ``part`` to ask for."""
        return tuple(field.name for field in self.contract.structure.fields)

    def table(self, name: str) -> Table:
        """The table of that name. Raises KeyError."""
        for table in self.tables:
            if table.name == name:
                return table
        raise KeyError(name)


def element_column(level: int) -> str:
    """The key column of a list ``level`` repetitions below the entity, from 1."""
    return ELEMENT_COLUMN if level == 1 else f"{ELEMENT_COLUMN}_{level}"


def as_structure(field: Field) -> Structure:
    """What a row of ``field``'s table holds; a single value becomes a structure of one column."""
    if isinstance(field.type, Structure):
        return field.type
    return Structure(field.name, (Field(field.name, field.type, required=True, repeated=False,
                                        comment=field.comment),))  # fmt: skip


def make_plan(contract: Contract) -> Plan:
    """Lay out the tables for ``contract``."""
    tables: list[Table] = []
    for field in contract.structure.fields:
        short = Counter(path[-1] for path, _ in _lists(as_structure(field), ()))
        tables += _tables(field, (), snake_case(field.name), short)
    names = table_names([(table.path, table.name) for table in tables])
    return Plan(
        contract,
        tuple(replace(table, name=name) for table, name in zip(tables, names, strict=True)),
    )


def _tables(
    field: Field, above: tuple[str, ...], name: str, short: Counter[str], levels: int = 0
) -> Iterator[Table]:
    path = (*above, field.name)
    structure = as_structure(field)
    comment = field.comment or structure.comment
    yield Table(name, path[0], path, levels, tuple(_columns(structure)), comment)
    entity = snake_case(path[0])
    for below, inner in _own_lists(structure, ()):
        unique = short[below[-1]] == 1
        words = [below[-1]] if unique else [*path[1:], *below]
        child = f"{entity}__" + "_".join(snake_case(word) for word in words)
        yield from _tables(inner, (*path, *below[:-1]), child, short, levels + 1)


def _columns(structure: Structure) -> Iterator[Column]:
    leaves = list(_leaves(structure, ()))
    names = column_names([path for path, _ in leaves])
    for name, (path, field) in zip(names, leaves, strict=True):
        assert isinstance(field.type, Simple)  # noqa: S101  _leaves yields no other
        kind = field.type
        # Of what is opaque, one text holds them all.
        repeated = field.repeated and kind.kind is not ValueKind.OPAQUE
        yield Column(
            name, path, kind.kind, repeated, kind.codes, field.comment, kind.texts, kind.number
        )


def _leaves(
    structure: Structure, above: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Field]]:
    for field in structure.fields:
        path = (*above, field.name)
        if isinstance(field.type, Simple):
            yield path, field
        elif not field.repeated:
            yield from _leaves(field.type, path)


def _own_lists(
    structure: Structure, above: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Field]]:
    """Lists of structures that hang directly on a row, not within another list."""
    for field in structure.fields:
        path = (*above, field.name)
        if isinstance(field.type, Structure):
            if field.repeated:
                yield path, field
            else:
                yield from _own_lists(field.type, path)


def _lists(structure: Structure, above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Field]]:
    """Lists of structures at any depth."""
    for path, field in _own_lists(structure, above):
        yield path, field
        assert isinstance(field.type, Structure)  # noqa: S101  _own_lists yields no other
        yield from _lists(field.type, path)
