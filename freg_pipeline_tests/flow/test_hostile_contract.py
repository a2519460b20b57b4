"""A contract whose names are ours, SQL's or a path's: its release is queried like any other."""

from __future__ import annotations

import re
from collections.abc import Callable

import duckdb

from freg_pipeline.lake.catalogue import refresh_catalogue
from freg_pipeline.lake.checks import run_checks
from freg_pipeline.lake.compact import begin_compaction, compact
from freg_pipeline.lake.query import query
from freg_pipeline.lake.sql import identifier
from freg_pipeline.settings import Settings
from freg_pipeline.store import open_store
from freg_pipeline.synthetic import xsd
from freg_pipeline_tests.conftest import StartRegister
from freg_pipeline_tests.loads import full_load, sync
from freg_pipeline_tests.registers import happen, tampered

# Element -> the table that it becomes.
TABLES = {
    "hendelse": "hendelse_2",
    "dokument": "dokument_2",
    "person": "person_2",
    "ukjentFelt": "ukjent_felt_2",
    "tidligereIdentifikator": "tidligere_identifikator_2",
    "personOversikt": "person_oversikt_2",
    "utgivelse": "utgivelse_2",
    "Navn": "navn_2",
    "_navn": "navn_3",
    "_erstattet": "erstattet",
    "navnPer": "navn_per",
    "select": "select",
    "duckdb_tables": "duckdb_tables",
    "a..b": "a__b",
    "ÆØÅ": "æøå",
}
FIELDS = {
    "personidentifikator": "personidentifikator_2",
    "RadNr": "rad_nr_2",
    "dok_nr": "dok_nr_2",
    "_person": "person",
    "_delta": "delta",
    "vedSekvensnummer": "ved_sekvensnummer_2",
    "rowid": "rowid",
    "from": "from",
    "verdi": "verdi",
    "Verdi": "verdi_2",
}


def _contract() -> bytes:
    fields = "".join(f'<xs:element name="{f}" type="xs:string" minOccurs="0"/>' for f in FIELDS)
    hostile = "".join(
        f'<xs:element name="{name}" minOccurs="0" maxOccurs="unbounded"><xs:complexType>'
        f"<xs:sequence>{fields}</xs:sequence></xs:complexType></xs:element>"
        for name in TABLES
    )
    text = xsd().decode()
    first = re.search(r'<xs:element name="identifikasjonsnummer"', text)
    assert first is not None
    return (text[: first.start()] + hostile + text[first.start() :]).encode()


def _with_rows(path: str, body: bytes) -> bytes:
    row = "{" + ",".join(f'"{field}":"{field}!"' for field in FIELDS) + "}"
    rows = ",".join(f'"{name}":[{row},{row}]' for name in TABLES)
    return body.replace(b'"folkeregisterperson":{', b'"folkeregisterperson":{%s,' % rows.encode())


def test_its_release_can_be_queried(
    start_register: StartRegister, make_settings: Callable[..., Settings]
) -> None:
    base_url = start_register(persons=40, batch_size=40, contract=_contract())
    with tampered(base_url, _with_rows) as url:
        settings = make_settings(url)
        persons = full_load(settings).persons
        store = open_store(settings)
        for table in TABLES.values():
            counted = query(store, f"SELECT count(*) FROM {identifier(table)}").fetchall()
            assert counted == [(2 * persons,)], table
        shown = ", ".join(f'"{column}"' for column in FIELDS.values())
        found = query(store, f'SELECT DISTINCT {shown} FROM "navn_3"').fetchall()
        assert found == [tuple(f"{field}!" for field in FIELDS)]
        happen(base_url, 20)
        assert sync(settings)
        compaction = begin_compaction(store)
        assert compaction is not None
        compact(store, compaction, lambda more: None)
        happen(base_url, 20)
        assert sync(settings)
    failed = {result.check.name for result in run_checks(store) if not result.passed}
    assert not failed & {"rows_match_accounting", "keys_unique", "rows_have_a_person"}
    path = refresh_catalogue(store)
    position = query(store, "SELECT max(sekvensnummer) FROM hendelse").fetchall()[0][0]
    with duckdb.connect(path, read_only=True) as catalogue:
        for table in TABLES.values():
            rows = catalogue.execute(f'SELECT count(*) FROM "{table}"').fetchall()
            then = catalogue.execute(f'SELECT count(*) FROM "{table}_per"({position})').fetchall()
            assert rows == then != [(0,)]
    outside = [path for path in store_files(settings) if not re.fullmatch(r"[\w./-]+", path)]
    assert outside == []


def store_files(settings: Settings) -> list[str]:
    return open_store(settings).list("")
