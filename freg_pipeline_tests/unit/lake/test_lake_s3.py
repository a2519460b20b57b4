"""The same on S3: built, verified, queried and catalogued without any extension of DuckDB."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import boto3
import duckdb
import pytest

import freg_pipeline
from freg_pipeline.errors import ConfigurationError, StoreError
from freg_pipeline.journal.access_log import entries, note_access
from freg_pipeline.journal.releases import current_release
from freg_pipeline.lake.catalogue import refresh_catalogue, renew_catalogue
from freg_pipeline.lake.checks import run_checks
from freg_pipeline.lake.compact import begin_compaction, compact
from freg_pipeline.lake.export import export, render
from freg_pipeline.lake.people_described import OVERVIEW
from freg_pipeline.lake.purge import purge
from freg_pipeline.lake.query import query
from freg_pipeline.lake.release import build_release
from freg_pipeline.lake.retention import Keeping, retain
from freg_pipeline.lake.verify import verify
from freg_pipeline.report.page import write_report
from freg_pipeline.store.readers import Reading
from freg_pipeline.store.s3 import S3Store
from freg_pipeline_tests.s3 import s3_server
from freg_pipeline_tests.unit.lake.delivered import (
    deliver,
    deliver_events,
    document,
    navn,
    number,
)

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
A, B, C = (number(index) for index in range(3))


@pytest.fixture(scope="module")
def store() -> Iterator[S3Store]:
    """One store with a release, on a server of the tests' own."""
    with s3_server() as endpoint, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setenv("AWS_ENDPOINT_URL", endpoint)
        boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket="bucket")
        store = S3Store("s3://bucket/some/prefix", endpoint=endpoint)
        documents = [
            ("d-a", document(A, B, navn=[navn("Ada")])),
            ("d-b", document(B)),
            ("d-c", document(C, navn=[navn("Cato")])),
        ]
        build_release(store, deliver(store, "one", documents))
        yield store


def test_the_release_is_whole_and_passes_its_checks(store: S3Store) -> None:
    manifest = current_release(store)
    assert manifest is not None
    assert (manifest.accounting.landed, manifest.accounting.merged) == (2, 1)
    assert verify(store) == []
    assert [result for result in run_checks(store) if not result.passed] == []


def test_queries_read_by_pyarrow(store: S3Store) -> None:
    relation = query(store, "SELECT fornavn FROM navn ORDER BY 1")
    gc.collect()  # the relation alone keeps alive what it reads from
    assert relation.fetchall() == [("Ada",), ("Cato",)]
    statement = f"SELECT gjeldende_identifikator('{B}'), count(*) FROM {OVERVIEW}"
    assert query(store, statement).fetchall() == [(A, 2)]
    assert query(store, "SELECT typeof(any_value(hentet)) FROM person").fetchall() == [
        ("TIMESTAMP WITH TIME ZONE",)
    ]
    assert "Cato" in render(store, "FROM navn")[0]
    with pytest.raises(ConfigurationError, match="nothing"):
        query(store, "SELECT nothing FROM navn")


def test_a_page_about_the_release_is_made_here(store: S3Store, tmp_path: Path) -> None:
    page = write_report(store, tmp_path / "page.html").read_text()
    assert "All checks passed" in page
    assert "under 10" in page


def test_results_are_written_to_a_file_here(store: S3Store, tmp_path: Path) -> None:
    export(store, "SELECT fornavn FROM navn ORDER BY 1", "csv", tmp_path / "names.csv")
    assert (tmp_path / "names.csv").read_text() == "fornavn\nAda\nCato\n"


def test_the_catalogue_lies_at_the_stores_root_and_names_s3(store: S3Store, tmp_path: Path) -> None:
    assert refresh_catalogue(store) == "s3://bucket/some/prefix/freg.duckdb"
    path = tmp_path / "fetched.duckdb"
    path.write_bytes(store.read("freg.duckdb"))
    with duckdb.connect(str(path), read_only=True) as connection:
        statement = "SELECT sql FROM duckdb_views() WHERE view_name = 'navn'"
        ((sql,),) = connection.sql(statement).fetchall()
        assert "s3://bucket/some/prefix" in sql
        assert "bases/one/navn/0000.parquet" in sql
        statement = "SELECT column_name FROM duckdb_columns() WHERE table_name = 'navn' LIMIT 2"
        assert connection.sql(statement).fetchall() == [("personidentifikator",), ("rad_nr",)]


def test_where_the_catalogue_lies_and_what_it_names_can_be_set(
    store: S3Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading = Reading(catalogue=tmp_path / "analysts" / "freg.duckdb", root="/mnt/it's mounted")
    monkeypatch.setattr(store, "reading", reading)
    path = refresh_catalogue(store)
    for key in store.list("bases/") + store.list("deltas/"):
        file = tmp_path / "copy" / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(store.read(key))
    with duckdb.connect(str(path), read_only=True) as connection:
        with pytest.raises(duckdb.IOException, match="/mnt/it's mounted/bases/one/navn"):
            connection.sql("FROM navn")
        connection.execute(f"SET VARIABLE freg_store = '{tmp_path}/copy'")
        assert connection.sql("SELECT max(fornavn) FROM navn").fetchall() == [("Cato",)]


def test_a_catalogue_that_cannot_be_written_is_a_warning_after_a_release(
    store: S3Store,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setattr(store, "reading", Reading(catalogue=tmp_path / "file" / "freg.duckdb"))
    assert renew_catalogue(store) is None
    (told,) = [one.getMessage() for one in caplog.records if one.levelname == "WARNING"]
    assert "published" in told
    assert "FREG_CATALOGUE" in told
    with pytest.raises(StoreError, match="FREG_CATALOGUE"):
        refresh_catalogue(store)


def test_purge_removes_objects(store: S3Store) -> None:
    build_release(store, deliver(store, "two", [("d-c", document(C))]))
    assert purge(store, keep=1) == ["000001"]
    assert {key.split("/")[1] for key in store.list("bases/")} == {"two"}
    assert query(store, "SELECT personidentifikator FROM person").fetchall() == [(C,)]


def test_deltas_and_a_compaction(store: S3Store) -> None:
    names = "SELECT fornavn FROM navn ORDER BY 1"
    build_release(store, deliver(store, "three", [("d-a", document(A, navn=[navn("Ada")]))]))
    changed = (A, document(A, B, day=5, navn=[navn("Adele")]))
    build_release(store, deliver_events(store, 100, 200, [changed]))
    assert query(store, names).fetchall() == [("Adele",)]
    assert query(store, names, as_of=150).fetchall() == [("Ada",)]
    assert query(store, "FROM navn_per(100)").fetchall()[0][4] == "Ada"

    compaction = begin_compaction(store)
    assert compaction is not None
    manifest = compact(store, compaction, lambda _: None)
    assert manifest.deltas == ()
    assert query(store, names).fetchall() == [("Adele",)]
    assert query(store, "FROM tidligere_identifikator").fetchall() == [(B, A)]
    assert verify(store) == []
    assert [result for result in run_checks(store) if not result.passed] == []


def test_it_opens_in_python_and_each_scan_reads_for_itself(
    store: S3Store,
) -> None:
    with freg_pipeline.open(store.location) as lake:
        names = lake.polars("navn")
        joined = names.join(lake.polars("person"), on="personidentifikator")
        assert joined.select("fornavn").collect().height == names.collect().height > 0
        assert lake.arrow("navn").read_all().num_rows == len(lake.table("navn"))


def test_what_is_kept_no_longer_goes_there_too(store: S3Store) -> None:
    note_access(store, "sql").gave(1)
    assert [one["rows"] for one in entries(store)][-1] == 1
    before = store.list("")
    keeping = Keeping(releases=9, answers=0, staging=0)
    told = retain(store, keeping, dry_run=True)
    assert store.list("") == before
    assert told == retain(store, keeping)
    assert len(before) - len(store.list("")) == sum(one.objects for one in told) > 3
    assert all(one.size > 0 for one in told if one.objects)
    assert not [key for key in store.list("uttrekk/one/") if "/answers/" in key]
    assert verify(store) == []
