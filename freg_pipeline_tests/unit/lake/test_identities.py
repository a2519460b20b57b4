"""Every column that holds a person's number is marked, whatever is said of it or is in it."""

from __future__ import annotations

from freg_pipeline.contract import Identity
from freg_pipeline.identifiers import parse
from freg_pipeline.journal.releases import require_current
from freg_pipeline.lake.codes import KODE
from freg_pipeline.lake.described import Described, described, identity_columns
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.lake.owntable import TO_PERSON, TO_SOMEBODY
from freg_pipeline.lake.people_described import VIEWS
from freg_pipeline.lake.query import connect
from freg_pipeline.lake.utgivelse import SHOWN
from freg_pipeline_tests.living import Living


def _all(lived: Living) -> list[Described]:
    manifest = require_current(lived.store)
    return [*described(load_plan(lived.store, manifest.contract)), *VIEWS, KODE, SHOWN]


def test_what_is_said_to_point_to_persons_is_marked(lived: Living) -> None:
    pointing = {
        (table.name, name)
        for table in _all(lived)
        for name, _, comment in table.shown
        if TO_PERSON in comment or TO_SOMEBODY in comment
    }
    persons = {
        (table.name, name)
        for table in _all(lived)
        for name, identity in identity_columns(table).items()
        if identity is Identity.PERSON
    }
    assert len(pointing) > 30
    assert pointing <= persons


def test_what_is_marked_is_there(lived: Living) -> None:
    for table in _all(lived):
        assert {*identity_columns(table)} <= {name for name, _, _ in table.shown}, table.name


def test_no_other_column_holds_a_number(lived: Living) -> None:
    holding = set()
    with connect(lived.store) as views:
        for table in _all(lived):
            shown = views.sql(f'SELECT COLUMNS(*)::VARCHAR FROM "{table.name}"').to_arrow_table()
            for name in shown.column_names:
                digits = {
                    found
                    for (found,) in views.sql(
                        "SELECT DISTINCT unnest(regexp_extract_all("
                        f'"{name}"::VARCHAR, \'[0-9]{{11}}\')) FROM "{table.name}"'
                    ).fetchall()
                }
                if any(map(_is_number, digits)):
                    holding.add((table.name, name))
    marked = {(table.name, name) for table in _all(lived) for name in identity_columns(table)}
    assert len(holding) > 20
    assert holding <= marked


def _is_number(text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True
