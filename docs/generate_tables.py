"""Write ``docs/tables.md`` from the contract; with ``--check`` only see that it is up to date."""

from __future__ import annotations

import sys
from pathlib import Path

import generate_parts as parts

from freg_pipeline.contract import compile_contract
from freg_pipeline.lake.codes import KODE, Code, codes
from freg_pipeline.lake.described import Described, described
from freg_pipeline.lake.people_described import MACROS, VIEWS
from freg_pipeline.synthetic import xsd

PAGE = Path(__file__).parent / "tables.md"
HEAD = """# Tables

Written by `make docs` from the synthetic register's contract. A real register's tables follow from
the contract that it serves (`personer/xsd`): the same rules, and the same comments in DuckDB
(`FROM duckdb_columns() SELECT table_name, column_name, comment`).

Every entity's table begins with `personidentifikator`, the person's current number, and `rad_nr`,
the row's place in the entity's list. A table `<entity>__<element>` holds a list within the entity,
with `element_nr` for the place in it. Times are UTC.
"""


def page() -> str:
    """The whole page."""
    plan = compile_contract(xsd())
    listed = [*codes(plan)]
    sections = (
        _section(table, [one for one in listed if one.table == table.name])
        for table in (*described(plan), *VIEWS, KODE)
    )
    return "\n".join([HEAD, parts.section(plan), *sections, _macros()])


def _macros() -> str:
    lines = ["## Macros", "", "| macro | |", "| --- | --- |"]
    told = ((name.rsplit(" ", 1)[-1], text) for name, text in MACROS.items())
    lines += [f"| {name} | {text} |" for name, text in told]
    lines += ["| *tabell*_per | Tabellen eller visningen slik den var ved et sekvensnummer. |"]
    return "\n".join(lines) + "\n"


def _section(table: Described, listed: list[Code]) -> str:
    lines = [f"## {table.name}", "", table.comment, ""]
    lines += ["| column | type | |", "| --- | --- | --- |"]
    lines += [f"| {name} | {kind} | {comment} |" for name, kind, comment in table.shown]
    told = [one for one in listed if one.text]
    if told:
        lines += ["", "| column | code | |", "| --- | --- | --- |"]
        lines += [f"| {one.column} | {one.code} | {one.text} |" for one in told]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if "--check" not in sys.argv:
        PAGE.write_text(page())
    elif not PAGE.is_file() or PAGE.read_text() != page():
        sys.exit("docs/tables.md is out of date. Run make docs")
