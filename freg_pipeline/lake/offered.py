"""Everything that can be queried of a release, described: tables, views, codes, and what it is."""

from __future__ import annotations

import re

from freg_pipeline.contract import Plan
from freg_pipeline.lake.codes import KODE
from freg_pipeline.lake.described import Described, described
from freg_pipeline.lake.people_described import VIEWS
from freg_pipeline.lake.utgivelse import SHOWN


def offered(plan: Plan) -> list[Described]:
    """All of it, by a contract; the tables that have files of their own first."""
    return [*described(plan), *VIEWS, KODE, SHOWN]


def asset_parts(table: str) -> tuple[str, str]:
    """What the key of a table's asset ends with in Dagster, for dagster-duckdb and dagster-dbt too.

    The table's name, in which Dagster takes English letters only where others depend on it.
    """
    return "freg", re.sub(r"[^\x00-\x7f]", lambda letter: f"_u{ord(letter[0]):04x}_", table)
