"""Copies kept by what ``freg changes`` writes to S3, from a store that lies there."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import duckdb

import freg_pipeline
from freg_pipeline.journal.releases import require_current
from freg_pipeline.lake.content import contents
from freg_pipeline.lake.purge import purge
from freg_pipeline.store import open_store
from freg_pipeline_tests.conftest import RunFreg, StartRegister
from freg_pipeline_tests.copies import EVENTS, recipe
from freg_pipeline_tests.loads import full_load, sync
from freg_pipeline_tests.on_s3.conftest import MakeSettings
from freg_pipeline_tests.radosgw import Radosgw
from freg_pipeline_tests.registers import happen


def test_a_copy_is_kept_from_s3_alone(
    start_register: StartRegister,
    make: MakeSettings,
    where: str,
    bucket: str,
    freg: RunFreg,
    radosgw: Radosgw,
    tmp_path: Path,
) -> None:
    url = start_register(persons=200, batch_size=200)
    settings = make(url)
    store = open_store(settings)
    take_in, hash_sql = recipe(), recipe("hash_sql", 1)
    full_load(settings)
    since = "0"
    with closing(duckdb.connect()) as copy:
        for step in ("first", "synced", "loaded"):
            if step != "first":
                happen(url, 60)
                sync(settings) if step == "synced" else full_load(settings)
            output = f"s3://{bucket}/copies/{step}"
            words = ("changes", "--since", since, "--hashes", "--output", output)
            ended = freg(*words, FREG_STORE=where)
            assert ended.code == 0, ended.stderr
            again = freg(*words, FREG_STORE=where)
            assert (again.code, "holds something already" in again.stderr) == (2, True)
            fetched = fetch(radosgw, bucket, f"copies/{step}/", tmp_path / step)
            take_in(copy, fetched)
            since = require_current(store).number
            for name, held in contents(store, require_current(store)).items():
                columns = {row[0]: row[1] for row in copy.execute(f"DESCRIBE {name}").fetchall()}
                query = hash_sql(name, columns, "duckdb")
                if name in EVENTS:
                    query += " WHERE sekvensnummer BETWEEN ? AND ?"
                places = [held.first, held.last] if name in EVENTS else []
                assert copy.execute(query, places).fetchall() == [(held.rows, held.hash)], name
    assert store.list("pins/") == []


def fetch(radosgw: Radosgw, bucket: str, prefix: str, into: Path) -> Path:
    """What an engineer has, who has the files and nothing else."""
    into.mkdir()
    client = radosgw.client()
    for one in client.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]:
        client.download_file(bucket, one["Key"], str(into / one["Key"].removeprefix(prefix)))
    return into


def test_no_purge_takes_away_what_is_read_as_arrow(
    start_register: StartRegister, make: MakeSettings, where: str
) -> None:
    url = start_register(persons=60, batch_size=60)
    settings = make(url)
    store = open_store(settings)
    full_load(settings)
    happen(url, 30)
    sync(settings)
    with freg_pipeline.open(where) as lake, lake.changes("000001") as found:
        happen(url, 30)
        sync(settings)
        assert purge(store, keep=1) == []
        rows = sum(part.upserts.read_all().num_rows for table in found for part in table.parts)
        assert rows
    assert purge(store, keep=1) == ["000001", "000002"]
