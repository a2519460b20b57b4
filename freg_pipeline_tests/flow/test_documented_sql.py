"""Every SQL example of the documentation, against an answer reckoned another way.

By plain Python, from the documents as the register gives them: nothing of the client, the decoder
or the views has touched them. Each example is run in UTC and in Norwegian time.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from docs.examples import Example, all_examples
from freg_pipeline.lake.catalogue import refresh_catalogue
from freg_pipeline_tests.living import Living
from freg_pipeline_tests.reckoned import ANSWERS, Rows
from freg_pipeline_tests.reckoned.analysts import KOMMUNER, LAND, an_old_number

# What a copy is reconciled by is tried beside what reckons it, in PostgreSQL too: test_content.
_ELSEWHERE = ("Of `tidligere_identifikator`, in DuckDB", "and in PostgreSQL 14 or later")
EXAMPLES = [one for one in all_examples() if one.title not in _ELSEWHERE]
# Their rows are all of a table's: what these hold is held against the register elsewhere.
COUNTED_ONLY = {
    "SELECT * FROM bostedsadresse": "bostedsadresse",
    "FROM bostedsadresse": "bostedsadresse",
    "FROM navn": "navn",
}


@pytest.fixture(scope="module")
def folder(lived: Living, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a reader's own files lie."""
    folder = tmp_path_factory.mktemp("reader")
    old, now = an_old_number(lived), min(lived.persons)
    files = {
        "fil.csv": [("id", "fnr"), ("en", old), ("to", now), ("tre", "01010199999")],
        "kommuner.csv": [("kommunenummer", "navn"), *KOMMUNER.items()],
        "land.csv": [("kode", "navn"), *LAND.items()],
    }
    for name, rows in files.items():
        with (folder / name).open("w", newline="") as file:
            csv.writer(file).writerows(rows)
    return folder


@pytest.fixture(scope="module", params=["UTC", "Europe/Oslo"])
def freg(lived: Living, request: pytest.FixtureRequest) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(refresh_catalogue(lived.store)), read_only=True) as connection:
        connection.execute(f"SET TimeZone = '{request.param}'")
        yield connection


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: f"{one.page}: {one.title}")
def test_an_example_gives_what_the_registers_documents_say(
    example: Example,
    lived: Living,
    freg: duckdb.DuckDBPyConnection,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(folder)
    found = freg.sql(_here(example.sql, lived)).fetchall()
    if example.title in COUNTED_ONLY:
        assert len(found) == len([*lived.rows(COUNTED_ONLY[example.title])])
        return
    expected = ANSWERS[example.title](lived)
    assert expected, "an answer of no rows would tell nothing"
    assert _bag(found) == _bag(expected)


def _here(sql: str, lived: Living) -> str:
    """An example with the numbers of this population in place of the documentation's."""
    places = {"100000": lived.then, "200000": lived.now, "…": an_old_number(lived)}
    for written, meant in places.items():
        sql = sql.replace(written, str(meant))
    return sql


def _bag(rows: Rows | list[Any]) -> Counter[str]:
    return Counter(repr(tuple(row)) for row in rows)


def test_there_is_no_answer_without_its_example() -> None:
    assert {one.title for one in EXAMPLES} == {*ANSWERS, *COUNTED_ONLY}
