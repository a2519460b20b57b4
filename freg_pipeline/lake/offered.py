"""Everything that can be queried of a release, described: tables, views, codes, and what it is."""

from __future__ import annotations

from freg_pipeline.contract import Plan
from freg_pipeline.lake.codes import KODE
from freg_pipeline.lake.people_described import VIEWS
from freg_pipeline.lake.tables import Described, described
from freg_pipeline.lake.utgivelse import SHOWN


def offered(plan: Plan) -> list[Described]:
    """All of it, by a contract; the tables that have files of their own first."""
    return [*described(plan), *VIEWS, KODE, SHOWN]
