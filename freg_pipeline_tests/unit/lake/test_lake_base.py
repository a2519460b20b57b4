"""Base files: every table, the right rows in the right bucket, sorted, and within memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from freg_pipeline.contract import compile_contract
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.lake import files, keys, layout, packed, room
from freg_pipeline.lake.checks import run_checks
from freg_pipeline.lake.described import described
from freg_pipeline.lake.guards import Policy
from freg_pipeline.lake.keys import bucket_count
from freg_pipeline.lake.kommune import with_column
from freg_pipeline.lake.query import connect, query
from freg_pipeline.lake.release import build_release
from freg_pipeline.lake.tables import OWN_TABLES, PERSON, PERSON_KEY, file_schema
from freg_pipeline.lake.verify import verify
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.unit.lake.delivered import (
    XSD,
    Delivery,
    deliver,
    document,
    local_store,
    navn,
    number,
)

PERSONS = 60


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return local_store(tmp_path)


def people(count: int = PERSONS) -> list[list[Delivery]]:
    """Persons in no order, in three batches, with rows of several kinds; some come twice."""
    deliveries: list[Delivery] = []
    for index in range(count):
        place = index * 37 % count
        kontakt = [{"linje": f"linje {line}"} for line in range(place % 4)]
        person = document(
            number(place),
            *([number(1000 + place)] if place % 5 == 0 else []),
            day=2,
            navn=[navn(f"Navn{place}"), navn(f"Før{place}", gjeldende=False)],
            vergemaal=[{"kontakt": kontakt}, {"kontakt": kontakt[:1]}],
            brukAvSamiskSpraak=[{"spraak": ["nordsamisk", "lulesamisk"][: place % 3]}],
        )
        deliveries.append((f"d-{place}", person))
        if place % 7 == 0:
            older = document(number(place), day=1, navn=[navn("gammelt")])
            deliveries.append((f"old-{place}", older))
    third = len(deliveries) // 3
    return [deliveries[:third], deliveries[third : 2 * third], deliveries[2 * third :]]


def split(monkeypatch: pytest.MonkeyPatch, *, persons_a_bucket: int, memory: int) -> None:
    monkeypatch.setattr(keys, "PERSONS_A_BUCKET", persons_a_bucket)
    monkeypatch.setattr(files, "BUFFER_BYTES", memory)
    monkeypatch.setattr(room, "MERGED_BYTES", memory)
    monkeypatch.setattr(packed, "ROWS_A_PART", 4)
    monkeypatch.setattr(layout, "ROW_GROUP", 8)
    monkeypatch.setattr(layout, "LOOKED_UP_ROW_GROUP", 8)


def rows_of(store: LocalStore, manifest: Manifest) -> dict[str, list[Any]]:
    with connect(store, manifest) as connection:
        return {
            name: connection.sql(f'FROM "{name}" ORDER BY ALL').fetchall()
            for name in manifest.tables
        }


def keys_in(store: LocalStore, key: str) -> list[tuple[Any, ...]]:
    rows = pq.read_table(store.path(key), partitioning=None)
    names = [name for name in (PERSON_KEY, "rad_nr", "element_nr") if name in rows.column_names]
    return list(zip(*(rows[name].to_pylist() for name in names), strict=True))


def test_the_number_of_buckets_is_a_power_of_two_that_fits_the_persons() -> None:
    sizes = {0: 1, 1: 1, 125_000: 1, 125_001: 2, 1_000_000: 8, 5_600_000: 64, 10**9: 64}
    assert {persons: bucket_count(persons) for persons in sizes} == sizes


def test_every_table_is_there_with_its_full_schema_also_when_empty(store: LocalStore) -> None:
    manifest = build_release(store, deliver(store, "one", [("d", document(number(1)))]))
    plan = compile_contract(XSD)
    schemas = {
        own.name: file_schema(own.schema, keyed=own.per_person, recorded=own is PERSON)
        for own in OWN_TABLES
    }
    schemas |= {table.name: file_schema(with_column(table), keyed=True) for table in plan.tables}
    assert set(manifest.tables) == set(schemas)
    for name, schema in schemas.items():
        (file,) = manifest.tables[name].files
        written = pq.read_schema(store.path(file.key))
        assert written.names == schema.names
        assert "dok_nr" not in written.names
        assert [str(kind) for kind in written.types] == [
            str(kind).replace("item", "element") for kind in schema.types
        ]
    empty = [name for name, entry in manifest.tables.items() if not entry.rows]
    assert {"avvik", "ukjent_felt", "navn", "vergemaal__kontakt"} <= set(empty)


def test_tables_are_described_as_duckdb_shows_them(store: LocalStore) -> None:
    build_release(store, deliver(store, "one", [("d", document(number(1)))]))
    with connect(store) as connection:
        for table in described(compile_contract(XSD)):
            shown = connection.sql(f'DESCRIBE "{table.name}"').fetchall()
            assert [row[:2] for row in shown] == [(name, kind) for name, kind, _ in table.shown]


@pytest.fixture(scope="module")
def plainly_made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """Every table's rows, as one bucket with plenty of memory gives them."""
    store = local_store(tmp_path_factory.mktemp("plain"))
    return rows_of(store, build_release(store, deliver(store, "one", *people())))


@pytest.mark.parametrize(("persons_a_bucket", "memory"), [(8, 10**9), (8, 4_000), (PERSONS, 0)])
def test_rows_do_not_depend_on_buckets_or_memory(
    persons_a_bucket: int,
    memory: int,
    plainly_made: dict[str, list[Any]],
    store: LocalStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    split(monkeypatch, persons_a_bucket=persons_a_bucket, memory=memory)
    manifest = build_release(store, deliver(store, "one", *people()))

    assert rows_of(store, manifest) == plainly_made
    assert manifest.accounting.landed == PERSONS
    assert verify(store) == []
    assert [result for result in run_checks(store) if not result.passed] == []


def test_a_person_lies_in_one_bucket_of_all_tables_sorted(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    split(monkeypatch, persons_a_bucket=8, memory=10**9)
    manifest = build_release(store, deliver(store, "one", *people()))
    assert len(manifest.tables["person"].files) == 8
    for name, entry in manifest.tables.items():
        for file in entry.files:
            keys = keys_in(store, file.key)
            if name not in {"avvik", "ukjent_felt", "hendelse", "hendelse_egenskap"}:
                assert len(keys) == file.rows
                assert {key[0] % 9973 % 8 for key in keys} <= {file.bucket}
                assert file.key.endswith(f"/{name}/{file.bucket:04d}.parquet")
                assert keys == sorted(keys)
    assert [file.bucket for file in manifest.tables["avvik"].files] == [0]


def test_with_little_memory_a_bucket_is_in_order_all_the_same(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    split(monkeypatch, persons_a_bucket=PERSONS, memory=2_000)
    manifest = build_release(store, deliver(store, "one", *people()))
    for name in ("person", "navn", "tidligere_identifikator"):
        (file,) = manifest.tables[name].files
        assert pq.ParquetFile(store.path(file.key)).num_row_groups > 1
        keys = keys_in(store, file.key)
        assert keys == sorted(keys)


def test_codes_are_dictionaries_and_all_is_compressed(store: LocalStore) -> None:
    manifest = build_release(store, deliver(store, "one", *people()))
    (file,) = manifest.tables["identifikasjonsnummer"].files
    group = pq.read_metadata(store.path(file.key)).row_group(0)
    columns = {group.column(i).path_in_schema: group.column(i) for i in range(group.num_columns)}
    key = columns.pop(PERSON_KEY)
    assert {column.compression for column in columns.values()} == {"ZSTD"}
    assert (key.compression, "DELTA_BINARY_PACKED" in key.encodings) == ("UNCOMPRESSED", True)
    assert columns["status"].has_dictionary_page
    assert not columns["foedsels_eller_d_nummer"].has_dictionary_page


def test_unknown_fields_are_summed_over_batches(store: LocalStore) -> None:
    def person(index: int, *extra: str) -> Delivery:
        unknown = dict.fromkeys(extra, f"Verdi {index}")
        return (f"d-{index}", {**document(number(index)), "navn": [{**navn("A"), **unknown}]})

    batches = [[person(1, "nytt"), person(2, "nytt")], [person(3)], [person(4, "nytt", "nyere")]]
    build_release(store, deliver(store, "one", *batches))
    rows = query(store, "FROM ukjent_felt ORDER BY sti").fetchall()
    assert [(path.rsplit(".", 1)[-1], count) for path, count, _ in rows] == [
        ("nyere", 1),
        ("nytt", 3),
    ]
    assert {example for _, _, example in rows} == {"xxxxx 9"}


def test_two_builds_of_the_same_uttrekk_write_the_same_bytes(tmp_path: Path) -> None:
    first, second = local_store(tmp_path / "first"), local_store(tmp_path / "second")
    one = build_release(first, deliver(first, "one", *people()))
    two = build_release(second, deliver(second, "one", *people()))
    assert one.tables == two.tables


def test_what_was_delivered_is_what_is_queried(tmp_path: Path) -> None:
    names = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1)
    persons = st.dictionaries(st.integers(0, 30), st.lists(names, max_size=3), max_size=12)

    @settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
    @given(persons)
    def holds(told: dict[int, list[str]]) -> None:
        store = local_store(tmp_path / f"{len(list(tmp_path.iterdir()))}")
        deliveries: list[Delivery] = [
            (f"d-{index}", document(number(index), navn=[navn(name) for name in given_names]))
            for index, given_names in told.items()
        ]
        allowed = Policy(allow_incomplete=True)
        build_release(store, deliver(store, "one", deliveries), policy=allowed)
        rows = query(
            store, "SELECT personidentifikator, rad_nr, fornavn FROM navn ORDER BY ALL"
        ).fetchall()
        assert rows == sorted(
            (number(index), row, name)
            for index, given_names in told.items()
            for row, name in enumerate(given_names)
        )

    holds()
