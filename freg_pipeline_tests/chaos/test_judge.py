"""The judge sees what is wrong: else a course that settles would say nothing."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pytest

from freg_pipeline_tests.chaos.judge import wrong_cells, wrong_numbers, wrong_persons
from freg_pipeline_tests.chaos.oracle import Seen, snake

ONE, OTHER, FORMER = "01010112345", "02020223456", "03030334567"
_TIME = "2020-01-01T12:00:00.123456789+01:00"
PEOPLE: dict[str, dict[str, Any]] = {
    ONE: {
        "identifikasjonsnummer": [
            {"foedselsEllerDNummer": ONE, "status": "iBruk"},
            {"foedselsEllerDNummer": FORMER, "status": "opphoert"},
        ],
        "navn": {"fornavn": "KARI", "ajourholdstidspunkt": _TIME, "erGjeldende": True},
        "verge": [{"omraade": [{"tekst": "A"}, {"tekst": "B"}], "linjer": ["x", "y"]}],
    },
    OTHER: {
        "identifikasjonsnummer": [{"foedselsEllerDNummer": OTHER, "status": "iBruk"}],
        "navn": [{"fornavn": "OLA"}, {"fornavn": "OLAV", "erGjeldende": False, "tom": {}}],
    },
}
_TABLES = f"""
CREATE TABLE person AS SELECT unnest(['{ONE}', '{OTHER}']) AS personidentifikator;
CREATE TABLE tidligere_identifikator AS
    SELECT '{FORMER}' AS identifikator, '{ONE}' AS personidentifikator;
CREATE TABLE hendelse (sekvensnummer BIGINT);
CREATE TABLE ukjent_felt (sti VARCHAR);
CREATE TABLE utgivelse AS SELECT '000001' AS nummer, 7 AS sekvensnummer;
CREATE TABLE identifikasjonsnummer AS FROM (VALUES
    ('{ONE}', 0, '{ONE}', 'iBruk'), ('{ONE}', 1, '{FORMER}', 'opphoert'),
    ('{OTHER}', 0, '{OTHER}', 'iBruk')
) AS t(personidentifikator, rad_nr, foedsels_eller_d_nummer, status);
CREATE TABLE navn AS FROM (VALUES
    ('{ONE}', 0, 'KARI', '2020-01-01 11:00:00.123456+00'::TIMESTAMPTZ, true),
    ('{OTHER}', 0, 'OLA', NULL, NULL), ('{OTHER}', 1, 'OLAV', NULL, false)
) AS t(personidentifikator, rad_nr, fornavn, ajourholdstidspunkt, er_gjeldende);
CREATE TABLE verge AS SELECT '{ONE}' AS personidentifikator, 0 AS rad_nr, ['x', 'y'] AS linjer;
CREATE TABLE verge__omraade AS FROM (VALUES ('{ONE}', 0, 0, 'A'), ('{ONE}', 0, 1, 'B'))
    AS t(personidentifikator, rad_nr, element_nr, tekst);
"""


def seen(folder: Path, more: str = "") -> Seen:
    path = folder / "freg.duckdb"
    with closing(duckdb.connect(str(path))) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(_TABLES + more)
    return Seen(path)


def said(of: Seen, people: dict[str, dict[str, Any]]) -> str:
    numbers = {ONE: ONE, FORMER: ONE, OTHER: OTHER}
    everyone = {*people}
    return "; ".join(
        [
            *wrong_cells(of, people),
            *wrong_numbers(of, numbers),
            *wrong_persons(of, everyone, everyone),
        ]
    )


def test_what_is_as_the_register_says_is_right(tmp_path: Path) -> None:
    assert said(seen(tmp_path), PEOPLE) == ""


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        ("DELETE FROM navn WHERE rad_nr = 1", "navn: 0 rows"),
        (f"INSERT INTO navn SELECT '{OTHER}', 2, 'X', NULL, NULL", "navn: 1 rows"),
        ("INSERT INTO navn FROM navn WHERE fornavn = 'OLA'", "navn: 1 rows"),
        ("UPDATE navn SET fornavn = 'KARl' WHERE fornavn = 'KARI'", "columns fornavn"),
        (
            "UPDATE navn SET ajourholdstidspunkt = ajourholdstidspunkt + INTERVAL 1 MICROSECOND",
            "columns ajourholdstidspunkt",
        ),
        ("UPDATE verge__omraade SET element_nr = 1 - element_nr", "verge__omraade"),
        ("UPDATE verge SET linjer = ['y', 'x']", "columns linjer"),
        ("ALTER TABLE navn DROP er_gjeldende", "unknown to the contract and not told"),
        ("DROP TABLE verge", "not told: verge"),
        (f"DELETE FROM person WHERE personidentifikator = '{ONE}'", "lost"),
        (f"INSERT INTO person VALUES ('{ONE}')", "twice"),
        ("INSERT INTO person VALUES ('04040445678')", "weren't asked for"),
        ("DELETE FROM tidligere_identifikator", "are missing"),
        (f"UPDATE tidligere_identifikator SET personidentifikator = '{OTHER}'", "elsewhere"),
    ],
)
def test_what_is_wrong_is_seen(damage: str, complaint: str, tmp_path: Path) -> None:
    found = said(seen(tmp_path, damage), PEOPLE)
    assert complaint in found
    assert not any(number in found for number in (ONE, OTHER, FORMER))


def _drop(people: dict[str, Any]) -> None:
    del people[ONE]["navn"]


def _more(people: dict[str, Any]) -> None:
    people[ONE]["navn"]["ukjentFelt"] = 1


@pytest.mark.parametrize("change", [_drop, _more])
def test_another_document_is_seen(change: Callable[[dict[str, Any]], None], tmp_path: Path) -> None:
    people = copy.deepcopy(PEOPLE)
    change(people)
    assert said(seen(tmp_path), people) != ""


def test_names_as_the_tables_have_them() -> None:
    assert snake("foedselsEllerDNummer") == "foedsels_eller_d_nummer"
    assert snake("navn") == "navn"
