"""An analyst who may read a store on S3, and no more, from a machine that has never loaded."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from botocore.exceptions import ClientError
from fsspec.implementations.arrow import ArrowFSWrapper

import freg_pipeline
from freg_pipeline.lake.catalogue import refresh_catalogue
from freg_pipeline.settings import load
from freg_pipeline.store import Store, open_store
from freg_pipeline.store.s3_session import S3Session
from freg_pipeline.synthetic import RegisterOptions, running
from freg_pipeline_tests.conftest import RunFreg
from freg_pipeline_tests.loads import full_load, sync
from freg_pipeline_tests.radosgw import Keys, Radosgw
from freg_pipeline_tests.registers import happen

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"
NAMES = "SELECT count(*), count(fornavn) FROM navn"


@dataclass(frozen=True)
class Lake:
    """A store with two releases, and who may read it."""

    where: str
    bucket: str
    reader: Keys


@pytest.fixture(scope="module")
def lake(radosgw: Radosgw) -> Iterator[Lake]:
    bucket = radosgw.bucket()
    where = f"s3://{bucket}/some/prefix"
    reader = radosgw.user("analyst")
    radosgw.client().put_bucket_policy(Bucket=bucket, Policy=documented_policy(bucket))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in radosgw.environment().items():
            patch.setenv(name, value)
        with running(RegisterOptions(persons=200, batch_size=200, ready_after_seconds=0.05)) as url:
            settings = load(base_url=url, store=where, poll_seconds=0.05)
            full_load(settings)
            happen(url, 30)
            sync(settings)
        refresh_catalogue(open_store(settings))
        yield Lake(where, bucket, reader)


def documented_policy(bucket: str) -> str:
    """The bucket's policy as the documents have it, for this bucket, prefix and user."""
    (policy,) = re.findall(r"```json\n(\{.*?\n\})\n```", OPERATIONS.read_text(), re.DOTALL)
    assert json.loads(policy)["Statement"]
    told = {
        "arn:aws:iam::111122223333:role/analytikere": "arn:aws:iam:::user/analyst",
        "BUCKET": bucket,
        "PREFIX": "some/prefix",
    }
    for word, ours in told.items():
        assert word in policy
        policy = policy.replace(word, ours)
    return policy


@pytest.fixture
def analyst(lake: Lake, radosgw: Radosgw, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """The environment is the analyst's from now on."""
    for name, value in radosgw.environment(lake.reader).items():
        monkeypatch.setenv(name, value)
    return lake


def expected(lake: Lake, radosgw: Radosgw) -> list[tuple[int, int]]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in radosgw.environment().items():
            patch.setenv(name, value)
        with freg_pipeline.open(lake.where) as opened:
            return opened.sql(NAMES).fetchall()


def test_commands_and_python_need_no_more_than_to_read(
    analyst: Lake, radosgw: Radosgw, freg: RunFreg
) -> None:
    ((rows, names),) = expected(analyst, radosgw)
    with freg_pipeline.open(analyst.where) as opened:
        assert opened.sql(NAMES).fetchall() == [(rows, names)]
        assert opened.polars("navn").select("fornavn").collect().height == rows
    with freg_pipeline.open(analyst.where, as_of=2_000_000) as opened:
        assert opened.sql(NAMES).fetchall() == [(rows, names)]
    for words, said in (
        (("sql", NAMES, "--format", "csv"), f"{rows},{names}"),
        (("release", "list"), "000002"),
        (("release", "show"), "000002"),
    ):
        ended = freg(*words, FREG_STORE=analyst.where)
        assert ended.code == 0, ended.stderr
        assert said in ended.stdout


def test_a_copy_of_the_tables_needs_no_more_than_to_read(
    analyst: Lake, freg: RunFreg, tmp_path: Path
) -> None:
    for since in ("0", "000001"):
        words = ("changes", "--since", since, "--output", str(tmp_path / f"since-{since}"))
        ended = freg(*words, FREG_STORE=analyst.where)
        assert ended.code == 0, ended.stderr
    names = tmp_path / "since-000001/navn.upserts.parquet"
    (rows,) = duckdb.execute(f"SELECT count(*) FROM '{names}'").fetchall()
    assert rows > (0,)


def test_what_is_the_owners_is_not_read_and_nothing_is_written(
    analyst: Lake, radosgw: Radosgw, freg: RunFreg
) -> None:
    owner, reader = radosgw.client(), radosgw.client(analyst.reader)
    claims = {"bases/one/_identitet/0000.parquet", "deltas/one/1-2/_identitet.parquet"}
    for name in claims:
        owner.put_object(Bucket=analyst.bucket, Key=f"some/prefix/{name}", Body=b"who claims which")
    found = owner.list_objects_v2(Bucket=analyst.bucket)["Contents"]
    readable, closed, denied = set(), set(), set()
    for key in [one["Key"] for one in found]:
        name = key.removeprefix("some/prefix/")
        try:
            reader.get_object(Bucket=analyst.bucket, Key=key)
        except ClientError as error:
            closed.add(name)
            denied.add(error.response["Error"]["Code"])
        else:
            readable.add(name)
    assert denied == {"AccessDenied"}
    folders = {name.split("/")[0] for name in readable}
    assert folders == {"freg.duckdb", "bases", "deltas", "releases", "contracts"}
    kept = {name for name in closed if name.startswith(("bases/", "deltas/"))}
    assert kept >= claims
    assert all("/_identitet" in name or "/_antall" in name for name in kept)
    assert {name.split("/")[0] for name in closed} >= {"uttrekk", "register"}

    ended = freg("catalogue", FREG_STORE=analyst.where)
    assert ended.code == 2
    assert "AccessDenied" in ended.stderr
    assert "freg catalogue --output" in ended.stderr
    assert len(ended.lines) == 1


@pytest.mark.parametrize("way", ["fetched", "made"])
def test_the_catalogue_is_there_for_duckdb_without_the_machine_that_loads(
    way: str, analyst: Lake, radosgw: Radosgw, freg: RunFreg, tmp_path: Path
) -> None:
    """DuckDB reads ``s3://`` by its httpfs, which has to be downloaded; here fsspec stands in."""
    catalogue = tmp_path / "own.duckdb"
    if way == "fetched":
        key = "some/prefix/freg.duckdb"
        radosgw.client(analyst.reader).download_file(analyst.bucket, key, str(catalogue))
    else:
        ended = freg("catalogue", "--output", str(catalogue), FREG_STORE=analyst.where)
        assert ended.code == 0, ended.stderr
        assert str(catalogue) in ended.stdout
    files = S3Session(analyst.bucket, None).filesystem
    with closing(duckdb.connect()) as connection:
        connection.register_filesystem(ArrowFSWrapper(files))
        connection.execute(f"ATTACH '{catalogue}' AS freg (READ_ONLY)")
        told = NAMES.replace("FROM navn", "FROM freg.navn")
        assert connection.execute(told).fetchall() == expected(analyst, radosgw)
        ((text,),) = connection.execute(
            "SELECT sql FROM duckdb_views() WHERE database_name = 'freg' AND view_name = 'navn'"
        ).fetchall()
    read = set(re.findall(r"'+(s3://[^']+[.]parquet)'", text))
    assert read
    store = open_store(load(store=analyst.where))
    assert {one.removeprefix(analyst.where + "/") for one in read} <= _keys(store, radosgw)


def _keys(store: Store, radosgw: Radosgw) -> set[str]:
    bucket, _, prefix = store.location.removeprefix("s3://").partition("/")
    found = radosgw.client().list_objects_v2(Bucket=bucket, Prefix=f"{prefix}/")["Contents"]
    return {one["Key"].removeprefix(f"{prefix}/") for one in found}
