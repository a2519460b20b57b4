"""Tables as users see them: names, comments, columns with DuckDB's types."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from freg_pipeline.contract import Column, Identity, Plan, Table
from freg_pipeline.lake.identities import Identities, of_contract, of_own
from freg_pipeline.lake.kommune import with_column
from freg_pipeline.lake.owntable import TO_PERSON, TO_SOMEBODY, with_keys
from freg_pipeline.lake.tables import HENDELSE, OWN_TABLES, TIME


@dataclass(frozen=True)
class Described:
    """A table as users see it: name, comment, and columns with DuckDB's type and comment.

    Attributes:
        name: as users query it.
        comment: what a row is.
        columns: those in its files.
        keys: the columns that tell its rows apart; empty: none do.
        added: those that its view makes of others, after them.
        identities: the columns that hold somebody's number, or that may.
    """

    name: str
    comment: str
    columns: tuple[tuple[str, str, str], ...]
    keys: tuple[str, ...] = ()
    added: tuple[tuple[str, str, str], ...] = ()
    identities: Identities = ()

    @property
    def shown(self) -> tuple[tuple[str, str, str], ...]:
        """All that users see."""
        return self.columns + self.added

    @property
    def types(self) -> dict[str, str]:
        """DuckDB's type of each column that users see."""
        return {name: kind for name, kind, _ in self.shown}


def described(plan: Plan) -> list[Described]:
    """Every table of a release made by a contract, ours first.

    Comments are in Norwegian, as the contract's own are. After what a table is they tell its key,
    and after what a column is whom it points to, and the codes that the contract lists.
    """
    own = [
        Described(
            one.name,
            one.comment,
            of_schema(one.schema),
            one.keys,
            _ADDED.get(one.name, ()),
            of_own(one.name),
        )
        for one in OWN_TABLES
    ]
    return [*own, *map(_of_the_contract, plan.tables)]


_ADDED = {
    HENDELSE.name: (
        (
            "personidentifikator",
            "VARCHAR",
            f"Gjeldende nummer til den som hendelsen gjelder. {TO_PERSON}",
        ),
    )
}


def _of_the_contract(table: Table) -> Described:
    said = {column.name: _said(column) for column in table.columns}
    columns = tuple(
        (name, kind, said.get(name, comment))
        for name, kind, comment in of_schema(with_column(table))
    )
    comment = with_keys(sentences(table.comment), table.keys)
    return Described(table.name, comment, columns, table.keys, identities=of_contract(table))


def identity_columns(table: Described) -> dict[str, Identity]:
    """The columns that hold anyone's identity number, or that may, and how they do.

    Of the contract's tables they follow from the XSD's types and the elements' names, so that what
    a new contract brings is among them; those of ours are told in :mod:`lake.identities`.
    """
    return dict(table.identities)


def of_schema(schema: pa.Schema) -> tuple[tuple[str, str, str], ...]:
    """A schema's columns with DuckDB's type and comment."""
    return tuple((field.name, sql_type(field.type), _comment(field)) for field in schema)


def _said(column: Column) -> str:
    pointing = TO_SOMEBODY if column.is_reference else ""
    codes = f"Koder: {', '.join(column.codes)}." if column.codes else ""
    return sentences(column.comment, pointing, codes)


def sentences(*texts: str) -> str:
    """Texts one after the other, each a sentence; empty ones left out."""
    ended = (text if text.endswith((".", "!", "?", ":")) else f"{text}." for text in texts if text)
    return " ".join(ended)


_SQL = {
    pa.string(): "VARCHAR",
    pa.bool_(): "BOOLEAN",
    pa.int16(): "SMALLINT",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.float64(): "DOUBLE",
    pa.date32(): "DATE",
    TIME: "TIMESTAMP WITH TIME ZONE",
    pa.decimal128(38, 10): "DECIMAL(38,10)",
}
_ARROW = {told: kind for kind, told in _SQL.items()}


def sql_type(kind: pa.DataType) -> str:
    """DuckDB's type of a column."""
    return f"{sql_type(kind.value_type)}[]" if pa.types.is_list(kind) else _SQL[kind]


def arrow_type(kind: str) -> pa.DataType:
    """Arrow's type of a column, by DuckDB's."""
    if kind.endswith("[]"):
        return pa.list_(arrow_type(kind.removesuffix("[]")))
    return _ARROW[kind]


def _comment(field: pa.Field) -> str:
    comment: bytes = (field.metadata or {}).get(b"comment", b"")
    return comment.decode()
