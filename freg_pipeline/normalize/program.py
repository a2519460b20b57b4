"""The contract's plan as flat arrays of numbers, which machine code walks (``machine/walk.py``).

A *node* is the inside of a structure, a *field* one element of it, a *column* one buffer that
values are appended to, a *table* a counter of rows. Nothing here is compiled or knows of JSON.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from freg_pipeline.contract import Column, Field, Plan, Simple, Structure, Table, ValueKind
from freg_pipeline.contract.plan import as_structure

# What a field holds: the kinds of single values, then the kinds of structures.
TEXT: Final = 0
MOMENT: Final = 1
BOOLEAN: Final = 2
DATE: Final = 3
WHOLE: Final = 4
YEAR: Final = 5
DECIMAL: Final = 6  # kept as text, and cast for a whole column at once
REAL: Final = 7  # likewise
GROUP: Final = 8  # one structure: its fields are columns of the same table
ROWS: Final = 9  # structures that are a table's rows
ITEMS: Final = 10  # single values that are one LIST column
IDENTIFIER: Final = 11  # of the envelope: what was asked for
DOCUMENT: Final = 12
REFUSAL: Final = 13
OPAQUE: Final = 14  # a text as it is, anything else as its JSON

# Numbers of a field.
HOLDS: Final = 0
COLUMN: Final = 1  # of single values; of ITEMS the list
NODE: Final = 2  # of GROUP and ROWS: what is inside
ITEM: Final = 3  # of ITEMS: what an item holds
NAME: Final = 4  # address of its name, quotation marks included
LENGTH: Final = 5  # of the name in bytes, quotation marks included
RECORDED: Final = 6  # 1 if it tells how new the document is
NEXT: Final = 7  # changes: the field that came after it last time
SEEN: Final = 8  # changes: the structure, by number, that it was last seen in
FIELD_NUMBERS: Final = 9

# Numbers of a node.
FIRST: Final = 0  # field
COUNT: Final = 1  # of fields
TABLE: Final = 2  # of ROWS: whose rows they are
BARE: Final = 3  # 1 if a row is no structure but the single value of the node's only field
START: Final = 4  # changes: the field that came first last time
NODE_NUMBERS: Final = 5
ROOT: Final = 0  # the document
ENVELOPE: Final = 1  # one answer within a bulk answer

# Numbers of a table.
KEYS: Final = 0  # first of its key columns: dok_nr, rad_nr, element_nr…
LEVELS: Final = 1  # how many of them are element numbers
OF_TABLE: Final = 2  # all its columns, from
TO_TABLE: Final = 3  # to
HELD: Final = 4  # changes: rows that it holds
ROOM: Final = 5  # changes: rows that there is room for
BEFORE: Final = 6  # changes: rows before the entry under way, and before the answer
TABLE_NUMBERS: Final = 8

# Numbers of a column.
WIDTH: Final = 0  # bytes a row
IN_TABLE: Final = 1
ITEMS_TABLE: Final = 2  # of a list: whose rows are its items; else -1
CELLS: Final = 3  # address of its values; of a text or a list its length
VALID: Final = 4  # address of a byte a row, 1 where there is a value; 0 for keys
TEXTS: Final = 5  # address of its text, 0 if it holds none
USED: Final = 6  # changes: bytes of text that it holds
SIZE: Final = 7  # changes: bytes of text that there is room for
COLUMN_NUMBERS: Final = 8

_HOLDS = {
    ValueKind.STRING: TEXT,
    ValueKind.CODE: TEXT,
    ValueKind.BOOLEAN: BOOLEAN,
    ValueKind.INTEGER: WHOLE,
    ValueKind.DECIMAL: DECIMAL,
    ValueKind.FLOAT: REAL,
    ValueKind.DATE: DATE,
    ValueKind.DATETIME: MOMENT,
    ValueKind.YEAR: YEAR,
    ValueKind.OPAQUE: OPAQUE,
}
_WIDTHS = {MOMENT: 8, BOOLEAN: 1, DATE: 4, WHOLE: 8, YEAR: 2}
LENGTH_WIDTH = 4  # of a text or a list: its length
HAS_TEXT = {TEXT, DECIMAL, REAL, OPAQUE}
_NO_NAME = 2**40  # a length: no name in an answer is so long, so none is compared
_RECORDED_PATH = ("ajourholdstidspunkt",)
_ENVELOPE = (
    ("foedselsEllerDNummer", IDENTIFIER),
    ("dokumentidentifikator", IDENTIFIER),
    ("folkeregisterperson", DOCUMENT),
    ("feilmelding", REFUSAL),
)


Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Program:
    """Nodes, fields, tables and columns, a row each; see the constants of this module.

    ``names`` holds the fields' names, each filled up to a multiple of eight bytes.
    """

    nodes: Int64s
    fields: Int64s
    tables: Int64s
    columns: Int64s
    names: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class TableLayout:
    """Where a table's values lie.

    Attributes:
        table: of the plan.
        number: of its counter of rows.
        keys: its key columns: dok_nr, rad_nr and the element numbers.
        columns: for each column of the plan its number, what its values hold, and for a list the
            column of its items, else None.
    """

    table: Table
    number: int
    keys: list[int]
    columns: list[tuple[int, int, int | None]]


@dataclass
class Layout:
    """A program, and what its numbers mean.

    Attributes:
        program: for the machine code.
        tables: in the plan's order.
        paths: for each node its path in element names, for telling unknown fields.
        holds: for each column what it holds; ROWS for keys, ITEMS for lists.
        depth: of structures within each other, at most.
    """

    program: Program
    tables: list[TableLayout]
    paths: list[tuple[str, ...]]
    holds: list[int]
    depth: int


def lay_out(plan: Plan) -> Layout:
    """Make the program for ``plan``."""
    return _Builder(plan).layout()


# An element, its path, and the table whose columns its values are; None: rows of its own.
_Member = tuple[Field, tuple[str, ...], TableLayout | None]


@dataclass
class _Builder:
    """Numbers nodes, fields, tables and columns in the order of the contract."""

    plan: Plan
    nodes: list[list[int]] = field(default_factory=list)
    fields: list[list[int]] = field(default_factory=list)
    tables: list[list[int]] = field(default_factory=list)
    columns: list[list[int]] = field(default_factory=list)
    holds: list[int] = field(default_factory=list)
    names: bytearray = field(default_factory=bytearray)
    paths: list[tuple[str, ...]] = field(default_factory=list)
    layouts: dict[tuple[str, ...], TableLayout] = field(default_factory=dict)
    depth: int = 0

    def layout(self) -> Layout:
        self._by_path = {table.path: table for table in self.plan.tables}
        self._add_node(())
        self._add_node(("oppslag",))
        self.nodes[ENVELOPE][FIRST] = len(self.fields)
        for name, holds in _ENVELOPE:
            self._add_field(name, holds)
        self.nodes[ENVELOPE][COUNT] = len(self.fields)
        entities = self.plan.contract.structure.fields
        self._fill(ROOT, [(one, (one.name,), None) for one in entities], 1)
        program = self._program()
        tables = [self.layouts[table.path] for table in self.plan.tables]
        return Layout(program, tables, self.paths, self.holds, self.depth)

    def _program(self) -> Program:
        names = np.frombuffer(bytes(self.names), np.uint8)
        fields = np.array(self.fields, np.int64)
        fields[:, NAME] += names.ctypes.data
        nodes = np.array(self.nodes, np.int64)
        nodes[:, START] = nodes[:, FIRST]
        filled = nodes[nodes[:, COUNT] > 0]
        fields[filled[:, FIRST] + filled[:, COUNT] - 1, NEXT] = filled[:, FIRST]
        tables, columns = np.array(self.tables, np.int64), np.array(self.columns, np.int64)
        return Program(nodes, fields, tables, columns, names)

    def _fill(
        self,
        node: int,
        members: list[_Member],
        depth: int,
    ) -> None:
        """Add a node's fields, one after the other, then what is inside of them."""
        self.depth = max(self.depth, depth)
        self.nodes[node][FIRST] = len(self.fields)
        self.nodes[node][COUNT] = len(members)
        if (
            not members
        ):  # so that its first field, which is looked at before they are counted, is one
            self.fields.append([TEXT, -1, -1, -1, 0, _NO_NAME, 0, len(self.fields), 0])
        inner: list[tuple[int, _Member]] = []
        for member, path, table in members:
            if table is None or (isinstance(member.type, Structure) and member.repeated):
                number = self._add_field(member.name, ROWS)
                inner.append((number, (member, path, None)))
            elif isinstance(member.type, Structure):
                number = self._add_field(member.name, GROUP)
                inner.append((number, (member, path, table)))
            else:
                self._add_values(member, path, table)
        for number, (member, path, table) in inner:
            self.fields[number][NODE] = self._inside(member, path, table, depth)

    def _inside(
        self, member: Field, path: tuple[str, ...], table: TableLayout | None, depth: int
    ) -> int:
        node = self._add_node(path)
        if table is None:
            table = self._add_table(self._by_path[path])
            self.nodes[node][TABLE] = table.number
            self.nodes[node][BARE] = int(isinstance(member.type, Simple))
        structure = as_structure(member)
        members: list[_Member] = [(one, (*path, one.name), table) for one in structure.fields]
        self._fill(node, members, depth + 1)
        return node

    def _add_values(self, member: Field, path: tuple[str, ...], layout: TableLayout) -> None:
        below = path[len(layout.table.path) :]
        place = next(n for n, one in enumerate(layout.table.columns) if one.path == below)
        number, holds, items = layout.columns[place]
        field_number = self._add_field(member.name, ITEMS if items is not None else holds)
        self.fields[field_number][COLUMN] = number
        self.fields[field_number][ITEM] = holds
        self.fields[field_number][RECORDED] = int(below == _RECORDED_PATH and holds == MOMENT)

    def _add_node(self, path: tuple[str, ...]) -> int:
        self.nodes.append([0, 0, -1, 0, 0])
        self.paths.append(path)
        return len(self.nodes) - 1

    def _add_field(self, name: str, holds: int) -> int:
        text = b'"%s"' % name.encode()
        number = len(self.fields)
        self.fields.append([holds, -1, -1, -1, len(self.names), len(text), 0, number + 1, 0])
        self.names += text + bytes(-len(text) % 8)
        return number

    def _add_table(self, table: Table) -> TableLayout:
        number = len(self.tables)
        self.tables.append([len(self.columns), table.levels, len(self.columns), 0, 0, 0, 0, 0])
        keys = [self._add_column(LENGTH_WIDTH, number, ROWS) for _ in range(2 + table.levels)]
        columns = [self._add_column_of(column, number) for column in table.columns]
        self.tables[number][TO_TABLE] = len(self.columns)
        layout = TableLayout(table, number, keys, columns)
        self.layouts[table.path] = layout
        for place, column in enumerate(table.columns):
            if column.repeated:
                columns[place] = self._add_items(columns[place])
        return layout

    def _add_column_of(self, column: Column, table: int) -> tuple[int, int, int | None]:
        holds = _HOLDS[column.kind]
        if column.repeated:
            return self._add_column(LENGTH_WIDTH, table, ITEMS), holds, None
        width = _WIDTHS.get(holds, LENGTH_WIDTH)
        return self._add_column(width, table, holds), holds, None

    def _add_items(self, of: tuple[int, int, int | None]) -> tuple[int, int, int | None]:
        """A list's items are the rows of a table of one column."""
        number = len(self.tables)
        items = len(self.columns)
        self.tables.append([-1, -1, items, items + 1, 0, 0, 0, 0])
        self._add_column(_WIDTHS.get(of[1], LENGTH_WIDTH), number, of[1])
        self.columns[of[0]][ITEMS_TABLE] = number
        return of[0], of[1], items

    def _add_column(self, width: int, table: int, holds: int) -> int:
        self.columns.append([width, table, -1, 0, 0, 0, 0, 0])
        self.holds.append(holds)
        return len(self.columns) - 1
