"""Golden documents to golden rows, for every entity: ``cases/person/<entity>.json``.

The rows follow from the rules of the design's tables, not from what the code gave: names in
snake_case, structures flattened, times in UTC cut to microseconds, years as numbers.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from freg_pipeline.contract import Plan, compile_contract, snake_case
from freg_pipeline_tests.answers import entity_rows, normalize
from freg_pipeline_tests.contracts import PERSON_XSD, published

CASES = sorted((Path(__file__).parents[2] / "cases" / "person").glob("*.json"))


def _case(path: Path) -> dict[str, Any]:
    case: dict[str, Any] = json.loads(path.read_text())
    return case


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_document_gives_exactly_these_rows(path: Path, plan: Plan) -> None:
    case = _case(path)
    assert entity_rows(normalize(plan, [case["document"]])) == case["tables"]


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_slow_path_gives_the_same_rows(path: Path, plan: Plan) -> None:
    """Another document of the answer is so odd that the quick path can't read it."""
    case = _case(path)
    odd = {"identifikasjonsnummer": {"foedselsEllerDNummer": 1}, "navn": {"fornavn": 7}}
    found = normalize(plan, [case["document"], odd])
    mine = {
        table: [row for row in rows if row["dok_nr"] == 0]
        for table, rows in found.tables.items()
        if table not in {"dokument", "ukjent_felt"}
    }
    for rows in mine.values():
        for row in rows:
            del row["dok_nr"]
    assert {table: rows for table, rows in mine.items() if rows} == case["tables"]


def test_there_is_a_case_for_every_entity(plan: Plan) -> None:
    assert {path.stem for path in CASES} == {snake_case(entity) for entity in plan.entities}


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_published_contract_gives_the_same_rows(path: Path) -> None:
    """Where the published contract has the entity; it is older than the model of today."""
    contract = compile_contract(published(PERSON_XSD))
    case = _case(path)
    tables = {table.name: table for table in contract.tables}
    found = normalize(contract, [case["document"]])
    if path.stem not in tables or found.failed:
        pytest.skip("the published contract knows this entity differently")
    known = {column.name for column in tables[path.stem].columns} | {"personidentifikator"}
    expected = [
        {name: value for name, value in row.items() if name in known | {"rad_nr"}}
        for row in case["tables"][path.stem]
    ]
    assert entity_rows(found)[path.stem] == expected
