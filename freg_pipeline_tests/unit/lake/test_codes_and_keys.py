"""The catalogue explains itself: its codes, its keys, whom columns point to, what everything is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from lxml import etree

from freg_pipeline.contract import compile_contract
from freg_pipeline.lake.catalogue import refresh_catalogue
from freg_pipeline.lake.codes import CODES, codes
from freg_pipeline.lake.export import export
from freg_pipeline.lake.people_described import OVERVIEW
from freg_pipeline.lake.query import query
from freg_pipeline.synthetic import xsd
from freg_pipeline_tests.contracts import PERSON_XSD, entity, field, published, small_contract
from freg_pipeline_tests.living import Living

_XS = "{http://www.w3.org/2001/XMLSchema}"
_KEY = re.compile(r"Nøkkel: ([\w, ]+)\.")
_COMMENTS = (
    "SELECT table_name, column_name, comment, data_type FROM duckdb_columns() WHERE NOT internal"
    f" AND NOT starts_with(table_name, '_') AND table_name <> '{OVERVIEW}'"
)


@pytest.fixture(scope="module")
def catalogue(lived: Living) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(refresh_catalogue(lived.store)), read_only=True) as connection:
        yield connection


def _enumerations(contract: bytes) -> Counter[tuple[str, ...]]:
    """The lists of codes of a schema, as often as an element is of that type."""
    schema = etree.fromstring(contract)
    lists = {
        one.get("name"): tuple(str(code.get("value")) for code in one.iter(f"{_XS}enumeration"))
        for one in schema.iterfind(f"{_XS}simpleType")
    }
    types = (str(one.get("type")).rpartition(":")[2] for one in schema.iter(f"{_XS}element"))
    return Counter(lists[kind] for kind in types if lists.get(kind))


@pytest.mark.parametrize("name", ["", PERSON_XSD])
def test_every_list_of_codes_of_the_contract_is_in_the_table(name: str) -> None:
    contract = published(name) if name else xsd()
    columns: dict[tuple[str, str], list[str]] = {}
    for one in codes(compile_contract(contract)):
        columns.setdefault((one.table, one.column), []).append(one.code)
    assert {*map(tuple, columns.values())} == {*_enumerations(contract)}


def test_a_code_has_the_contracts_own_text_or_none() -> None:
    listed = """<xs:simpleType name="Farge"><xs:restriction base="xs:string">
      <xs:enumeration value="roed"><xs:annotation><xs:documentation>Som
        blod.</xs:documentation></xs:annotation></xs:enumeration>
      <xs:enumeration value="groenn"/></xs:restriction></xs:simpleType>
      <xs:simpleType name="Varm"><xs:restriction base="t:Farge">
      <xs:enumeration value="roed"/></xs:restriction></xs:simpleType>"""
    hat = entity("hatt", field("farge", "t:Farge") + field("for", "t:Varm", 'maxOccurs="9"'))
    plan = compile_contract(small_contract(hat, listed))
    assert [*codes(plan)] == [
        ("hatt", "farge", "roed", "Som blod."),
        ("hatt", "farge", "groenn", ""),
        ("hatt", "for", "roed", "Som blod."),
    ]


def test_codes_can_be_joined_and_are_told_by_the_columns(
    catalogue: duckdb.DuckDBPyConnection,
) -> None:
    found = catalogue.execute(
        f"SELECT DISTINCT s.sivilstand, k.tekst FROM sivilstand AS s LEFT JOIN {CODES} AS k"
        " ON k.tabell = 'sivilstand' AND k.kolonne = 'sivilstand' AND k.kode = s.sivilstand"
    ).fetchall()
    assert ("ugift", "Har aldri vært gift eller partner.") in found
    assert all(text for _, text in found)
    assert catalogue.execute(f"SELECT count(*) FROM {CODES} WHERE tekst = ''").fetchall() == [(0,)]
    told = {(table, column): text for table, column, text, _ in catalogue.sql(_COMMENTS).fetchall()}
    for table, column, code in catalogue.sql(
        f"SELECT tabell, kolonne, kode FROM {CODES}"
    ).fetchall():
        assert re.search(rf"Koder: .*\b{code}\b", told[table, column])


def test_the_key_that_a_table_tells_makes_its_rows_unique(
    catalogue: duckdb.DuckDBPyConnection,
) -> None:
    views = "SELECT view_name, comment FROM duckdb_views() WHERE NOT internal"
    without = set()
    for table, comment in catalogue.sql(views).fetchall():
        key = _KEY.search(comment or "")
        if key is None:
            without.add(table)
            continue
        columns = [f'"{column}"' for column in key[1].split(", ")]
        rows, distinct = catalogue.execute(
            f'SELECT count(*), count(DISTINCT ({", ".join(columns)})) FROM "{table}"'
        ).fetchall()[0]
        assert rows == distinct, table
        for left_out in columns[:-1] if rows > 1_500 else ():  # none of them is superfluous
            fewer = ", ".join(column for column in columns if column != left_out)
            assert catalogue.execute(
                f'SELECT count(DISTINCT ({fewer})) < {rows} FROM "{table}"'
            ).fetchall() == [(True,)], (table, left_out)
    assert without == {"avvik", "flytting", "utgivelse"}


def test_a_column_says_that_it_points_to_persons_if_and_only_if_it_does(
    catalogue: duckdb.DuckDBPyConnection,
) -> None:
    """Everyone is here: whoever is pointed to is a row of person, or was under another number."""
    wrong = {}
    texts = f"{_COMMENTS} AND data_type = 'VARCHAR'"
    for table, column, comment, _ in catalogue.sql(texts).fetchall():
        values, persons, now = catalogue.execute(
            f'SELECT count(t."{column}"), count(i.nummer), count(i.nummer) FILTER (i.gjeldende)'
            f' FROM "{table}" AS t LEFT JOIN (SELECT personidentifikator AS nummer, true AS'
            " gjeldende FROM person UNION ALL SELECT identifikator, false FROM"
            f' tidligere_identifikator) AS i ON i.nummer = t."{column}"'
        ).fetchall()[0]
        points = "Viser til person" in (comment or "")
        own = table in {"person", "tidligere_identifikator", "avvik"}
        if points and persons != values:
            wrong[table, column] = "points to nobody"
        elif points and now != values and "også ved tidligere nummer" not in comment:
            wrong[table, column] = "points to earlier numbers, too"
        elif not points and persons and not own:
            wrong[table, column] = "points to persons, and doesn't say so"
    assert wrong == {}


def test_everything_is_explained(catalogue: duckdb.DuckDBPyConnection) -> None:
    unexplained = catalogue.sql(
        f"SELECT table_name, column_name FROM ({_COMMENTS}) WHERE comment IS NULL"
    )
    assert unexplained.fetchall() == []


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT comment FROM duckdb_columns() WHERE table_name || column_name = 'navnfornavn'",
        "SELECT Comment FROM duckdb_columns WHERE table_name = 'navn' AND column_name = 'fornavn'",
    ],
)
def test_comments_come_through_freg_sql(statement: str, lived: Living, tmp_path: Path) -> None:
    assert query(lived.store, statement).fetchall() == [("Fornavn.",)]
    export(lived.store, statement, "csv", tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text().splitlines()[1:] == ["Fornavn."]
