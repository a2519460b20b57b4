"""How changes are asked for: by the command, in Python, and for a place on S3."""

from __future__ import annotations

from pathlib import Path

import boto3
import pyarrow.parquet as pq
import pytest

import freg_pipeline
from freg_pipeline.errors import ConfigurationError
from freg_pipeline.lake.purge import purge
from freg_pipeline.store.local import LocalStore
from freg_pipeline.store.s3 import S3Store
from freg_pipeline_tests.s3 import s3_server
from freg_pipeline_tests.unit.changes.differing import (
    PEOPLE,
    A,
    B,
    ended,
    load,
    named,
    sync,
    written,
)


def test_the_command_tells_what_comes_next(made: LocalStore, tmp_path: Path) -> None:
    found = ended(made, "--since", "000001", "--output", str(tmp_path / "new"))
    assert found.exit_code == 0, found.output
    assert "--since 000002" in found.stdout
    assert not set(PEOPLE) & set(found.output.split())


@pytest.mark.parametrize(
    ("since", "told"),
    [
        ("000001", "release 000001 has been purged"),
        ("000009", "there is no release 000009"),
        ("150", "no release that is kept shows the state at 150"),
        ("yesterday", "neither a release nor a position"),
    ],
)
def test_what_nothing_can_be_told_since(
    store: LocalStore, since: str, told: str, tmp_path: Path
) -> None:
    purge(store, "000001")
    with pytest.raises(Exception, match=told):
        written(store, since, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_table_that_there_is_none_of(made: LocalStore, tmp_path: Path) -> None:
    with pytest.raises(Exception, match="there is no table person_oversikt"):
        written(made, "0", tmp_path / "new", ["person_oversikt"])
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_something_in_it_stays_as_it_is(made: LocalStore, tmp_path: Path) -> None:
    (tmp_path / "theirs").write_text("something")
    with pytest.raises(Exception, match="holds something already"):
        written(made, "0", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["theirs"]
    (tmp_path / "empty").mkdir()
    assert written(made, "0", tmp_path / "empty").tables


def test_python_gives_the_same_as_the_files(made: LocalStore, tmp_path: Path) -> None:
    written(made, "000001", tmp_path / "new")
    with freg_pipeline.open(made.location) as lake, lake.changes("000001") as found:
        assert found.before is not None
        assert (found.before.number, found.after.number) == ("000001", "000002")
        names = []
        for table in found:
            (part,) = table.parts
            names.append(table.name)
            there = pq.read_table(tmp_path / f"new/{table.name}.upserts.parquet")
            assert part.upserts.read_all().to_pylist() == there.to_pylist()
            if table.key is not None:
                there = pq.read_table(tmp_path / f"new/{table.name}.deletes.parquet")
                assert part.deletes.to_pylist() == there.to_pylist()
    assert names == [*found.tables]


def test_python_gives_some_tables_and_takes_a_position(made: LocalStore) -> None:
    with freg_pipeline.open(made.location) as lake:
        with lake.changes(100, tables=["navn"]) as found:
            (table,) = found
            (part,) = table.parts
            assert (table.name, table.key) == ("navn", "personidentifikator")
            assert part.deletes.to_pylist() == [{"personidentifikator": A}]
            assert [row["fornavn"] for row in part.upserts.read_all().to_pylist()] == ["Ada"]
        with lake.changes(0, tables=["navn"]) as found:
            (table,) = found
            assert table.whole
            assert sum(part.upserts.read_all().num_rows for part in table.parts) == len(PEOPLE)
        for since, tables, told in ((0, ["navm"], "no table navm"), (150, [], "no release")):
            with pytest.raises(ConfigurationError, match=told):
                lake.changes(since, tables=tables).__enter__()
    with freg_pipeline.open(made.location, as_of=100) as lake:
        with pytest.raises(ConfigurationError, match="earlier state"):
            lake.changes(0).__enter__()


def test_a_copy_that_is_ahead_of_what_is_open_is_told(store: LocalStore) -> None:
    with freg_pipeline.open(store.location) as lake:
        sync(store, 200, named(B, "Berit", 2))
        with pytest.raises(ConfigurationError, match="is newer than 000002"):
            lake.changes("000003").__enter__()


def test_on_s3_the_manifest_comes_last_and_what_is_there_stays(tmp_path: Path) -> None:
    with s3_server() as endpoint, pytest.MonkeyPatch.context() as patch:
        for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "DEFAULT_REGION"):
            patch.setenv(f"AWS_{name}", "us-east-1")
        boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket="bucket")
        store = S3Store("s3://bucket/store", endpoint=endpoint)
        load(store, "one", [named(A, "Ola"), named(B, "Ola")])
        sync(store, 100, named(A, "Ada", 2))
        output = S3Store("s3://bucket/changes", endpoint=endpoint)
        told = written(store, "000001", output)
        assert "manifest.json" in output.list("")
        again = S3Store("s3://bucket/all", endpoint=endpoint)
        assert written(store, "0", again).tables["navn"].upserts.rows == 2
        with pytest.raises(Exception, match="holds something already"):
            written(store, "000001", output)
        late = S3Store("s3://bucket/late", endpoint=endpoint)

        def first(prefix: str) -> list[str]:
            """Nothing is there, and right afterwards somebody else begins."""
            del prefix
            late.write("navn.upserts.parquet", b"theirs")
            return []

        patch.setattr(late, "list", first)
        with pytest.raises(Exception, match="holds something already"):
            written(store, "000001", late)
        assert not late.exists("manifest.json")
        assert late.read("navn.upserts.parquet") == b"theirs"
    assert told.tables["navn"].upserts.rows == 1
