"""Write ``docs/tables.md`` from the contract; with ``--check`` only see that it is up to date."""

from __future__ import annotations

import sys
from pathlib import Path

from freg_pipeline.contract import compile_contract
from freg_pipeline.lake.tables import Described, described
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
    tables = described(compile_contract(xsd()))
    return "\n".join([HEAD, *(_section(table) for table in tables)])


def _section(table: Described) -> str:
    lines = [f"## {table.name}", "", table.comment, ""]
    lines += ["| column | type | |", "| --- | --- | --- |"]
    lines += [f"| {name} | {kind} | {comment} |" for name, kind, comment in table.columns]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if "--check" not in sys.argv:
        PAGE.write_text(page())
    elif not PAGE.is_file() or PAGE.read_text() != page():
        sys.exit("docs/tables.md is out of date. Run make docs")
