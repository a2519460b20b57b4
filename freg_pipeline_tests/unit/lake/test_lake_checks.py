"""Checks derived from the contract: quiet over a sound release, and loud over each fault."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from freg_pipeline.contract import compile_contract
from freg_pipeline.errors import StoreError
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.releases import current_release
from freg_pipeline.lake.checks import DESCRIPTIONS, CheckResult, checks, run_checks
from freg_pipeline.lake.release import build_release
from freg_pipeline.store.local import LocalStore
from freg_pipeline.synthetic import xsd
from freg_pipeline_tests.unit.lake.delivered import (
    SELECTION,
    XSD,
    Delivery,
    copy_of,
    deliver,
    document,
    local_store,
    navn,
    number,
    put_manifest,
)

A, B, C, STRANGER = (number(index) for index in range(4))


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return local_store(tmp_path)


def release(store: LocalStore, *deliveries: Delivery, **options: Any) -> Manifest:
    return build_release(store, deliver(store, "one", list(deliveries), **options))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> LocalStore:
    """A store with a sound release; not to be changed."""
    store = local_store(tmp_path_factory.mktemp("made"))
    kontakt = [{"linje": "x"}, {"linje": "y"}]
    release(
        store,
        ("d-a", document(A, B, navn=[navn("Ada"), navn("Ana")], vergemaal=[{"kontakt": kontakt}])),
        ("d-c", document(C, familierelasjon=[{"relatertPerson": A}, {"relatertPerson": B}])),
    )
    return store


@pytest.fixture
def sound(made: LocalStore, tmp_path: Path) -> LocalStore:
    return copy_of(made, tmp_path)


def failed(store: LocalStore) -> dict[tuple[str, str], int]:
    return {
        (result.check.name, result.check.place): result.found
        for result in run_checks(store)
        if not result.passed
    }


def rewrite(store: LocalStore, table: str, change: Callable[[pa.Table], pa.Table]) -> None:
    """Change a table's file behind the release's back."""
    manifest = current_release(store)
    assert manifest is not None
    path = store.path(manifest.tables[table].files[0].key)
    rows = pq.read_table(path, partitioning=None)
    pq.write_table(change(rows), path)


def test_a_sound_release_passes_and_every_check_has_a_description(made: LocalStore) -> None:
    results = run_checks(made)
    assert failed(made) == {}
    assert {result.check.name for result in results} == set(DESCRIPTIONS)
    assert all(isinstance(result, CheckResult) and result.passed for result in results)
    assert run_checks(made, current_release(made)) == results


def test_the_checks_cover_every_table_of_a_contract() -> None:
    plan = compile_contract(xsd())
    manifest = _manifest_of("komplett")
    all_checks = list(checks(manifest, plan))
    for name in ("keys_unique", "rows_have_a_person"):
        tables = {check.table for check in all_checks if check.name == name}
        assert tables >= {table.name for table in plan.tables}
    related = {check.place for check in all_checks if check.name == "relations_have_targets"}
    assert related >= {
        "familierelasjon.relatert_person",
        "sivilstand.relatert_ved_sivilstand",
        "foreldreansvar.ansvarlig",
        "foreldreansvar.ansvarssubjekt",
    }
    coded = sum(bool(column.codes) for table in plan.tables for column in table.columns)
    assert len([check for check in all_checks if check.name == "codes_known"]) == coded > 30


def _manifest_of(kind: str) -> Manifest:
    account = dict.fromkeys(
        ("delivered", "landed", "merged", "duplicates", "gone", "failed", "unexplained"), 0
    )
    given = {
        "number": "000001", "created": "2026-06-01T12:00:00Z", "kind": kind, "uttrekk": "one",
        "environment": "syntetisk", "rettighetspakke": "x", "parts": [], "contract": "0",
        "sekvensnummer": 1, "tables": {}, "accounting": {**account, "reasons": {}},
        "incomplete": False, "previous": None, "persons": 0,
        "base": {"uttrekk": "one", "contract": "0", "sekvensnummer": 1, "buckets": 1,
                 "identity": {"rows": 0, "files": []}, "folder": "bases/one",
                 "ordered": "2026-06-01T11:00:00Z", "recorded": "2026-06-01T10:00:00Z"},
    }  # fmt: skip
    return msgspec.convert(given, Manifest, strict=False)


def _twice(rows: pa.Table) -> pa.Table:
    return pa.concat_tables([rows, rows.slice(0, 1)])


def _to_a_stranger(rows: pa.Table) -> pa.Table:
    strangers = pa.array([STRANGER] * len(rows))
    rows = rows.set_column(0, rows.schema.field(0), strangers)
    place = rows.column_names.index("_person")
    keys = pa.array([int(STRANGER)] * len(rows))
    return rows.set_column(place, rows.schema.field(place), keys)


FAULTS: dict[str, tuple[str, Callable[[pa.Table], pa.Table], dict[tuple[str, str], int]]] = {
    "a person is lost": (
        "person",
        lambda rows: rows.slice(1),
        {
            ("rows_match_accounting", "person"): 1,
            ("rows_have_a_person", "person_naa"): 1,
            ("rows_have_a_person", "identifikasjonsnummer"): 2,
            ("rows_have_a_person", "navn"): 2,
            ("rows_have_a_person", "vergemaal"): 1,
            ("rows_have_a_person", "vergemaal__kontakt"): 2,
            ("relations_have_targets", "familierelasjon.relatert_person"): 1,
        },
    ),
    "a person is there twice": (
        "person",
        _twice,
        {("rows_match_accounting", "person"): 3, ("keys_unique", "person"): 1},
    ),
    "a row is there twice": ("navn", _twice, {("keys_unique", "navn"): 1}),
    "an element is there twice": (
        "vergemaal__kontakt",
        _twice,
        {("keys_unique", "vergemaal__kontakt"): 1},
    ),
    "rows belong to nobody": (
        "navn",
        _to_a_stranger,
        {("rows_have_a_person", "navn"): 2},
    ),
    "an earlier number is there twice": (
        "tidligere_identifikator",
        _twice,
        {("keys_unique", "tidligere_identifikator"): 1},
    ),
    "an earlier number is lost": (
        "tidligere_identifikator",
        lambda rows: rows.slice(1),
        {("relations_have_targets", "familierelasjon.relatert_person"): 1},
    ),
}


@pytest.mark.parametrize("case", FAULTS)
def test_each_fault_is_counted_by_the_checks_that_it_concerns(case: str, sound: LocalStore) -> None:
    table, change, expected = FAULTS[case]
    rewrite(sound, table, change)
    assert failed(sound) == expected


def test_a_release_that_is_incomplete_fails_its_check(store: LocalStore) -> None:
    uttrekk = deliver(store, "one", [("d-a", document(A))])
    build_release(store, uttrekk)
    manifest = current_release(store)
    assert manifest is not None
    account = msgspec.structs.replace(manifest.accounting, unexplained=3)
    changed = msgspec.structs.replace(manifest, accounting=account)
    put_manifest(store, changed)
    assert failed(store) == {("rows_match_accounting", "avvik"): 3}


def test_relations_to_unknown_numbers_are_a_warning_of_full_loads_only(tmp_path: Path) -> None:
    relative = document(A, familierelasjon=[{"relatertPerson": STRANGER}, {}])
    full, some = local_store(tmp_path / "full"), local_store(tmp_path / "some")
    release(full, ("d", relative))
    release(some, (A, relative), kind=SELECTION)
    assert failed(full) == {("relations_have_targets", "familierelasjon.relatert_person"): 1}
    assert failed(some) == {}


def test_what_the_contract_does_not_know_is_a_warning(store: LocalStore) -> None:
    languages = [{"spraak": ["nordsamisk", "umesamisk", "pitesamisk"]}, {"spraak": ["lulesamisk"]}]
    status = [{"foedselsEllerDNummer": A, "status": "unik", "nytt": "felt", "nyere": [1, 2]}]
    person = {**document(A, brukAvSamiskSpraak=languages), "identifikasjonsnummer": status}
    release(store, ("d", person))
    assert failed(store) == {
        ("fields_known", "ukjent_felt"): 2,
        ("fields_known", "identifikasjonsnummer"): 2,
        ("codes_known", "bruk_av_samisk_spraak.spraak"): 2,
        ("codes_known", "identifikasjonsnummer.status"): 1,
    }
    severities = {result.check.name: result.check.severity for result in run_checks(store)}
    assert {name for name, severity in severities.items() if severity == "error"} == {
        "rows_match_accounting",
        "keys_unique",
        "rows_have_a_person",
        "position_moved",
    }


def test_a_contract_that_has_changed_since_the_release_before_is_a_warning(
    store: LocalStore,
) -> None:
    release(store, ("d", document(A)))
    added = XSD.replace(b'name="fornavn"', b'name="kallenavn" type="xs:string" minOccurs="0"/>'
                        b'<xs:element name="fornavn"')  # fmt: skip
    build_release(store, deliver(store, "two", [("d", document(A))], xsd=added))
    assert failed(store) == {("contract_unchanged", "contract"): 1}
    build_release(store, deliver(store, "three", [("d", document(A))], xsd=added))
    assert failed(store) == {}


def test_results_hold_counts_only(store: LocalStore) -> None:
    release(store, ("d", document(A, familierelasjon=[{"relatertPerson": STRANGER}])))
    texts = [repr(result) for result in run_checks(store)]
    assert not any(A in text or STRANGER in text for text in texts)
    assert all(isinstance(result.found, int) for result in run_checks(store))


def test_files_that_cannot_be_read_are_told_as_that(sound: LocalStore) -> None:
    path = Path(sound.path("bases/one/navn/0000.parquet"))
    data = bytearray(path.read_bytes())
    group = pq.read_metadata(path).row_group(0)
    columns = {group.column(at).path_in_schema: group.column(at) for at in range(group.num_columns)}
    start = columns["_person"].data_page_offset  # a page that is looked at; the schema stays
    data[start : start + 20] = b"\xff" * 20
    path.write_bytes(data)
    with pytest.raises(StoreError, match=r"bases/one/navn/0000\.parquet in .* is damaged"):
        run_checks(sound)
