"""Copies of a release: what is in them, that they are private and whole, and what is refused."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path

import boto3
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from freg_pipeline.commands.root import cli
from freg_pipeline.journal.releases import require_current
from freg_pipeline.lake.described import described
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.lake.query import connect
from freg_pipeline.lake.release import build_release
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.s3 import s3_server
from freg_pipeline_tests.unit.lake.delivered import (
    deliver,
    deliver_events,
    document,
    local_store,
    navn,
    number,
)

PEOPLE = [number(index) for index in range(5)]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> LocalStore:
    """Five persons, and one of them under another name by a sync; not to be changed."""
    store = local_store(tmp_path_factory.mktemp("made"))
    spraak = [{"spraak": ["nordsamisk", "lulesamisk"]}]
    people = [
        (f"d-{one}", document(one, navn=[navn("Ola")], brukAvSamiskSpraak=spraak)) for one in PEOPLE
    ]
    build_release(store, deliver(store, "one", people))
    build_release(
        store,
        deliver_events(store, 100, 200, [(PEOPLE[0], document(PEOPLE[0], navn=[navn("Ada")]))]),
    )
    return store


def ended(store: LocalStore, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["export", "--store", store.location, *arguments])


def test_a_plain_copy_holds_what_the_views_show(made: LocalStore, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    found = ended(made, str(folder))
    assert found.exit_code == 0, found.output
    told = json.loads((folder / "manifest.json").read_text())
    assert (told["release"], told["sekvensnummer"], told["layout"]) == ("000002", 200, "plain")
    manifest = require_current(made)
    tables = described(load_plan(made, manifest.contract))
    assert sorted(told["tables"]) == sorted(table.name for table in tables)
    with connect(made, manifest) as views:
        views.execute("SET TimeZone = 'UTC'")
        for table in tables:
            copied = pq.read_table(folder / f"{table.name}.parquet")
            assert copied.column_names == [name for name, _, _ in table.shown]
            shown = views.sql(f'FROM "{table.name}"').to_arrow_table()
            rows = [Counter(map(str, one.to_pylist())) for one in (copied, shown)]
            assert rows[0] == rows[1], table.name
            comments = {
                field.name: (field.metadata or {}).get(b"comment", b"").decode()
                for field in copied.schema
            }
            assert comments == {name: text for name, _, text in table.shown}
    assert not {*PEOPLE} & {*found.output.split()}


def test_files_are_private_and_the_manifest_tells_of_each(made: LocalStore, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    assert ended(made, str(folder)).exit_code == 0
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    for table in json.loads((folder / "manifest.json").read_text())["tables"].values():
        content = (folder / table["file"]["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == table["file"]["sha256"]
        assert len(content) == table["file"]["bytes"]
    assert [*tmp_path.iterdir()] == [folder]


def test_tables_and_views_that_are_named_and_no_others(made: LocalStore, tmp_path: Path) -> None:
    named = ["--table", "navn", "--table", "person_oversikt"]
    assert ended(made, str(tmp_path / "copy"), *named).exit_code == 0
    there = sorted(path.name for path in (tmp_path / "copy").iterdir())
    assert there == ["manifest.json", "navn.parquet", "person_oversikt.parquet"]
    wrong = ended(made, str(tmp_path / "none"), "--table", "nothing")
    assert "there is no table nothing" in str(wrong.exception)
    assert not (tmp_path / "none").exists()


def test_a_folder_with_something_in_it_stays_as_it_is(made: LocalStore, tmp_path: Path) -> None:
    (tmp_path / "theirs").write_text("something")
    found = ended(made, str(tmp_path))
    assert "holds something already" in str(found.exception)
    assert [path.name for path in tmp_path.iterdir()] == ["theirs"]
    found = ended(made, str(tmp_path / "not/there"))
    assert f"nothing can be written in {tmp_path}/not: No such" in str(found.exception)


def test_a_copy_on_s3(made: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with s3_server() as endpoint:
        for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "DEFAULT_REGION"):
            monkeypatch.setenv(f"AWS_{name}", "us-east-1")
        client = boto3.client("s3", endpoint_url=endpoint)
        client.create_bucket(Bucket="bucket")
        arguments = ["s3://bucket/copy", "--s3-endpoint", endpoint, "--table", "navn"]
        found = ended(made, *arguments)
        assert found.exit_code == 0, found.output
        listed = client.list_objects_v2(Bucket="bucket")["Contents"]
        assert [one["Key"] for one in listed] == ["copy/manifest.json", "copy/navn.parquet"]
        assert "holds something already" in str(ended(made, *arguments).exception)
