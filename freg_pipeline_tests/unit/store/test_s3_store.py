"""Objects on S3, over HTTP, by an S3 server of the tests' own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import boto3
import pyarrow.parquet as pq
import pytest

from freg_pipeline.errors import ObjectMissingError, StoreError
from freg_pipeline.store.s3 import S3Store
from freg_pipeline_tests.s3 import s3_server

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with s3_server() as address:
        yield address


@pytest.fixture
def store(endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> S3Store:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    bucket = f"bucket{abs(hash(tmp_path)) % 10**8}"
    boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket=bucket)
    return S3Store(f"s3://{bucket}/some/prefix", endpoint=endpoint)


def test_an_object_is_written_once(store: S3Store) -> None:
    assert store.write("a/b", b"first")
    assert not store.write("a/b", b"second")
    assert store.read("a/b") == b"first"
    assert store.exists("a/b")
    assert not store.exists("a/c")


def test_replace_list_and_delete(store: S3Store) -> None:
    store.replace("pointer", b"1")
    store.replace("pointer", b"2")
    store.write("b/1", b"")
    assert store.read("pointer") == b"2"
    assert store.list("") == ["b/1", "pointer"]
    assert store.list("b/") == ["b/1"]
    store.delete("pointer")
    store.delete("pointer")
    with pytest.raises(ObjectMissingError):
        store.read("pointer")


def test_folders_right_under_a_folder(store: S3Store) -> None:
    assert store.folders("a/") == []
    for key in ("a/c/1", "a/b/2/3", "a/4", "ab/5"):
        store.write(key, b"")
    assert store.folders("a/") == ["b", "c"]


def test_a_file_is_put_once_and_pyarrow_reads_it(store: S3Store) -> None:
    import pyarrow as pa

    for number in (1, 2):
        with store.scratch() as folder:
            pq.write_table(pa.table({"n": [number]}), folder / "x.parquet")
            assert store.put_file("t/x.parquet", folder / "x.parquet") is (number == 1)
            assert not list(folder.iterdir()) or number == 2
    with store.filesystem.open_input_file(store.path("t/x.parquet")) as file:
        assert pq.read_table(file).to_pydict() == {"n": [1]}


def test_a_bucket_that_is_not_there_is_one_clear_error(store: S3Store, endpoint: str) -> None:
    with pytest.raises(StoreError, match="NoSuchBucket"):
        S3Store("s3://no-such-bucket", endpoint=endpoint).write("a", b"")
    with pytest.raises(StoreError, match="has no bucket"):
        S3Store("s3://", endpoint=endpoint)
