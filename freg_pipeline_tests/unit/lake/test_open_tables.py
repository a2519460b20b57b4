"""The base as tables of Iceberg and Delta, read by their libraries, which know nothing of ours."""

from __future__ import annotations

import json
import shutil
import stat
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from deltalake import DeltaTable
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.table import StaticTable

from freg_pipeline.commands.root import cli
from freg_pipeline.errors import DamagedError
from freg_pipeline.journal.registered import FORMATS, Registered, registered, registered_key
from freg_pipeline.journal.releases import require_current
from freg_pipeline.lake import keys, open_iceberg, open_tables
from freg_pipeline.lake.catalogue import renew_catalogue
from freg_pipeline.lake.compact import begin_compaction, compact
from freg_pipeline.lake.described import described
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.lake.open_tables import open_state, register, renew, withdraw
from freg_pipeline.lake.purge import purge
from freg_pipeline.lake.query import connect
from freg_pipeline.lake.release import build_release
from freg_pipeline.lake.verify import verify
from freg_pipeline.settings import load
from freg_pipeline.store import Store, open_store
from freg_pipeline.store.local import LocalStore
from freg_pipeline.store.readers import Readers, Reading
from freg_pipeline.store.s3 import S3Store
from freg_pipeline.synthetic import RegisterOptions, running
from freg_pipeline_tests.loads import full_load, sync
from freg_pipeline_tests.registers import happen
from freg_pipeline_tests.s3 import s3_server
from freg_pipeline_tests.unit.lake.delivered import (
    copy_of,
    deliver,
    deliver_events,
    document,
    local_store,
    navn,
    number,
)

PEOPLE = [number(index) for index in range(12)]
# What the views show of some only, and what they make of other tables.
NOT_THERE = {"hendelse_egenskap": {"innhold"}, "hendelse": {"personidentifikator"}}
Opened = Callable[[Store, str], pa.Table]


def load_everyone(store: Store, name: str, at: int = 100) -> None:
    people = [(f"d-{name}-{one}", document(one, navn=[navn("Ola")])) for one in PEOPLE]
    build_release(store, deliver(store, name, people, sekvensnummer=at))


def renamed(store: Store, etter: int, person: str, fornavn: str) -> None:
    told = person, document(person, day=2, navn=[navn(fornavn)])
    build_release(store, deliver_events(store, etter, etter + 100, [told]))


def compacted(store: Store) -> None:
    compaction = begin_compaction(store)
    assert compaction is not None
    compact(store, compaction, lambda more: None)


def iceberg(store: Store, table: str) -> pa.Table:
    """As Spark or DuckDB open it: by the table's folder."""
    return (
        StaticTable.from_metadata(f"{store.location}/formats/iceberg/freg/{table}")
        .scan()
        .to_arrow()
    )


def catalogued(store: Store, table: str) -> pa.Table:
    """As pyiceberg opens it: by the catalogue."""
    return catalogue(store).load_table(f"freg.{table}").scan().to_arrow()


def catalogue(store: Store) -> SqlCatalog:
    return SqlCatalog("freg", uri=f"sqlite:///{store.location}/formats/iceberg/catalogue.db")


def delta(store: Store, table: str) -> pa.Table:
    told = registered(store, "delta")
    assert told is not None
    return DeltaTable(told.tables[table]).to_pyarrow_table()


def polars_delta(store: Store, table: str) -> pa.Table:
    told = registered(store, "delta")
    assert told is not None
    frame = pl.scan_delta(told.tables[table]).collect()
    return frame.to_arrow()


READERS: dict[str, Opened] = {
    "iceberg": iceberg, "catalogued": catalogued, "delta": delta, "polars": polars_delta
}  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> LocalStore:
    """Everybody at 100, one of them renamed at 200; not to be changed."""
    store = local_store(tmp_path_factory.mktemp("made"))
    load_everyone(store, "one")
    renamed(store, 100, PEOPLE[0], "Ada")
    return store


@pytest.fixture
def store(made: LocalStore, tmp_path: Path) -> LocalStore:
    return copy_of(made, tmp_path)


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> LocalStore:
    """A population by the register's own contract, that has lived and is compacted since."""
    folder = tmp_path_factory.mktemp("lived")
    options = RegisterOptions(persons=200, batch_size=200, ready_after_seconds=0.02)
    with running(options) as base_url:
        settings = load(base_url=base_url, store=str(folder / "store"), poll_seconds=0.02)
        full_load(settings)
        happen(base_url, 60)
        sync(settings)
    store = open_store(settings)
    assert isinstance(store, LocalStore)
    compacted(store)
    for kind in FORMATS:
        register(store, kind)
    return store


def rows(table: pa.Table) -> Counter[str]:
    return Counter(str(one) for one in table.to_pylist())


@pytest.mark.parametrize("reader", READERS)
def test_after_a_compaction_tables_are_as_the_views_show_them(
    lived: LocalStore, reader: str
) -> None:
    manifest = require_current(lived)
    assert not manifest.deltas
    tables = described(load_plan(lived, manifest.contract))
    filled = 0
    with connect(lived, manifest) as views:
        views.execute("SET TimeZone = 'UTC'")
        for table in tables:
            names = [
                name for name, _, _ in table.shown if name not in NOT_THERE.get(table.name, set())
            ]
            there = READERS[reader](lived, table.name)
            assert there.column_names == names, table.name
            shown = ", ".join(f'"{name}"' for name in names)
            view = views.sql(f'SELECT {shown} FROM "{table.name}"').to_arrow_table()
            assert rows(there) == rows(view), table.name
            filled += bool(there.num_rows)
    assert filled > 20


def test_what_a_table_is_told_to_be(lived: LocalStore) -> None:
    manifest = require_current(lived)
    tables = {one.name: one for one in described(load_plan(lived, manifest.contract))}
    found = catalogue(lived).load_table("freg.hendelse")
    assert found.properties["freg.release"] == manifest.number
    assert found.properties["freg.sekvensnummer"] == str(manifest.base.sekvensnummer)
    assert "syncs since then aren't in it" in found.properties["freg.state"]
    assert found.properties["comment"] == tables["hendelse"].comment
    said = {field.name: field.doc for field in found.schema().fields}
    assert said["hendelsetype"] == {n: c for n, _, c in tables["hendelse"].columns}["hendelsetype"]
    told = registered(lived, "delta")
    assert told is not None
    opened = DeltaTable(told.tables["hendelse"])
    assert opened.history()[0]["freg.release"] == manifest.number
    assert f"til og med {manifest.base.sekvensnummer}" in str(opened.metadata().description)
    fields = {field.name: field.metadata for field in opened.schema().fields}
    assert fields["hendelsetype"]["comment"] == said["hendelsetype"]


def test_nothing_of_anybody_is_in_what_tells_of_files(lived: LocalStore) -> None:
    with connect(lived) as views:
        found = views.sql("SELECT personidentifikator FROM person").fetchall()
        found += views.sql("SELECT DISTINCT etternavn FROM navn").fetchall()
    held = [str(one).encode() for (one,) in found if len(str(one)) > 4]
    root = Path(lived.location)
    told = [*root.glob("formats/**/*"), *root.glob("bases/*/*/_delta_log/*")]
    files = [path for path in told if path.is_file()]
    assert len(files) > 200
    for path in files:
        content = path.read_bytes()
        assert not [one for one in held if one in content], path.name
    list_of_files = StaticTable.from_metadata(f"{root}/formats/iceberg/freg/person").inspect.files()
    assert list_of_files["lower_bounds"].to_pylist() == [None]
    assert str(Path.cwd()) not in "".join(p.read_text() for p in files if p.suffix == ".json")


def test_between_compactions_it_is_the_bases_state_and_says_so(store: LocalStore) -> None:
    for kind in FORMATS:
        told = register(store, kind)
        assert (told.release, told.sekvensnummer) == ("000002", 100)
    for opened in READERS.values():
        assert set(opened(store, "navn")["fornavn"].to_pylist()) == {"Ola"}
    compacted(store)
    assert renew(store) == []
    for opened in READERS.values():
        assert sorted(opened(store, "navn")["fornavn"].to_pylist()) == ["Ada", *["Ola"] * 11]
    told = register(store, "iceberg")
    assert (told.release, told.sekvensnummer) == ("000003", 200)


def test_a_new_base_is_registered_where_the_setting_says_so(
    made: LocalStore, tmp_path: Path
) -> None:
    shutil.copytree(made.location, tmp_path / "store")
    store = open_store(load(store=str(tmp_path / "store"), open_formats="iceberg,delta"))
    renew_catalogue(store)
    assert {*map(str, catalogued(store, "navn")["fornavn"])} == {"Ola"}
    before = registered(store, "iceberg")
    renamed(store, 200, PEOPLE[1], "Berit")
    renew_catalogue(store)
    assert registered(store, "iceberg") == before  # the base is the same: there is nothing to do
    compacted(store)
    renew_catalogue(store)
    assert len(iceberg(store, "navn")) == len(delta(store, "navn")) == len(PEOPLE)
    assert "Berit" in delta(store, "navn")["fornavn"].to_pylist()


def test_a_compaction_under_newer_deltas_is_registered_too(store: LocalStore) -> None:
    """By the command alone; and a sync, whose base is the same, doesn't look."""
    for kind in FORMATS:
        register(store, kind)
    compaction = begin_compaction(store)
    assert compaction is not None
    before = require_current(store)
    renamed(store, 200, PEOPLE[1], "Berit")  # while it is under way
    after_sync = registered(store, "iceberg")
    renew_catalogue(store, before)
    assert registered(store, "iceberg") == after_sync
    manifest = compact(store, compaction, lambda more: None)
    assert manifest.deltas

    renew_catalogue(store, before)

    for opened in READERS.values():
        names = opened(store, "navn")["fornavn"].to_pylist()
        assert ("Ada" in names, "Berit" in names) == (True, False)


def test_a_purge_leaves_no_table_without_files(store: LocalStore) -> None:
    for kind in FORMATS:
        register(store, kind)
    compacted(store)
    purge(store)
    assert [path.name for path in Path(store.location, "bases").iterdir()] == ["one.000000000200"]
    for opened in READERS.values():
        assert "Ada" in opened(store, "navn")["fornavn"].to_pylist()


def test_a_registration_that_is_damaged_is_made_anew_before_anything_goes(
    store: LocalStore, caplog: pytest.LogCaptureFixture
) -> None:
    for kind in FORMATS:
        register(store, kind)
        path = Path(store.path(registered_key(kind)))
        path.write_bytes(path.read_bytes()[:-9])
        with pytest.raises(DamagedError, match=f"freg catalogue --format {kind}"):
            registered(store, kind)
    compacted(store)
    assert purge(store, keep=1)
    assert "are registered anew" in caplog.text
    for kind in FORMATS:
        told = registered(store, kind)
        assert told is not None
        assert told.bases == (require_current(store).base.folder,)


def test_what_tells_of_a_tables_files_is_written_anew_where_it_is_damaged(
    store: LocalStore,
) -> None:
    for kind in FORMATS:
        register(store, kind)
    assert verify(store) == []
    written = {key: store.read(key) for key in told_of_navn(store)}
    assert len(written) == 6
    for turn, (key, content) in enumerate(written.items()):
        path = Path(store.path(key))
        if turn % 2:
            path.write_bytes(content[:-9])
        else:
            path.unlink()
    kinds = ["delta", *["iceberg"] * 5]
    assert sorted(verify(store)) == sorted(
        f"{key}: it isn't as it was written; written anew by freg catalogue --format {kind}"
        for key, kind in zip(written, kinds, strict=True)
    )
    for kind in FORMATS:
        register(store, kind)
    assert verify(store) == []
    for opened in READERS.values():
        assert len(opened(store, "navn")) == len(PEOPLE)


def told_of_navn(store: Store) -> list[str]:
    (log,) = (key for key in store.list("bases/one/navn/") if "_delta_log" in key)
    return [log, "formats/iceberg/catalogue.db", *store.list("formats/iceberg/freg/navn/")]


@pytest.mark.parametrize("said", ["numRecords", "path", "metaData", "add", "dataChange"])
def test_a_log_that_tells_otherwise_gives_way_though_nobody_knows_how_it_was_written(
    store: LocalStore, said: str
) -> None:
    register(store, "delta")
    whole = {key: store.read(key) for key in told_of_navn(store)[:1]}
    for key, content in whole.items():
        Path(store.path(key)).write_bytes(content.replace(said.encode(), said[::-1].encode()))
    Path(store.path(registered_key("delta"))).unlink()
    told = register(store, "delta")
    assert verify(store) == []
    assert len(delta(store, "navn")) == len(PEOPLE)
    before = told.objects
    Path(store.path(registered_key("delta"))).unlink()
    assert register(store, "delta").objects == before  # what is whole stays as it is


def test_metadata_that_a_later_release_has_stays(store: LocalStore) -> None:
    """Two who register at the same time: the slower one doesn't take away what the other tells."""
    register(store, "iceberg")
    before = open_state(store, require_current(store))
    renamed(store, 200, PEOPLE[1], "Berit")
    register(store, "iceberg")
    open_iceberg.clear_tables(store, before)
    assert len(iceberg(store, "navn")) == len(catalogued(store, "navn")) == len(PEOPLE)
    assert verify(store) == []


def test_two_who_register_the_same_release_write_the_same(store: LocalStore) -> None:
    """So that one who dies amid it leaves whole what the other has written."""
    for kind in FORMATS:
        before = register(store, kind).objects
        assert register(store, kind).objects == before


def test_two_who_register_at_the_same_time_leave_what_is_said_of_it(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the one says what it wrote, another has written it of a later release."""
    note, others = open_tables.note_registered, [register]

    def late(store: Store, kind: str, told: Registered) -> None:
        if told.objects and others:
            other = others.pop()
            renamed(store, 200, PEOPLE[1], "Berit")
            other(store, kind)
        note(store, kind, told)

    monkeypatch.setattr(open_tables, "note_registered", late)
    register(store, "iceberg")
    assert verify(store) == []
    assert len(iceberg(store, "navn")) == len(catalogued(store, "navn")) == len(PEOPLE)


@pytest.mark.parametrize("kind", FORMATS)
def test_the_command_mends_what_is_damaged(store: LocalStore, kind: str) -> None:
    register(store, kind)
    told = registered(store, kind)
    assert told is not None
    for key in [*told.objects][:2]:
        store.replace(key, b"of another")
    assert len(verify(store)) == 2
    result = CliRunner().invoke(cli, ["catalogue", "--store", store.location])
    assert (result.exit_code, verify(store)) == (0, []), result.output


def test_files_that_a_table_names_stay_where_it_cannot_be_renewed(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    register(store, "iceberg")
    compacted(store)
    monkeypatch.setitem(__import__("sys").modules, "pyiceberg.catalog.sql", None)
    monkeypatch.delitem(__import__("sys").modules, "freg_pipeline.lake.open_iceberg")
    purge(store)
    assert "iceberg show the base before" in caplog.text
    assert len(catalogued_without_the_library(store)) == len(PEOPLE)


def catalogued_without_the_library(store: Store) -> pa.Table:
    return iceberg(store, "navn")


def test_whoever_dies_on_the_way_leaves_tables_that_can_be_read(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind in FORMATS:
        register(store, kind)
    compacted(store)
    replace = LocalStore.replace
    left = 0

    def dying(self: LocalStore, key: str, data: bytes) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise KeyboardInterrupt
        replace(self, key, data)

    for writes in range(0, 63, 12):
        left = writes
        with monkeypatch.context() as patch:
            patch.setattr(LocalStore, "replace", dying)
            with pytest.raises(KeyboardInterrupt):
                register(store, "iceberg")
        told = registered(store, "iceberg")
        assert told is not None
        for table in ("person", "navn", "vergemaal__kontakt"):
            iceberg(store, table)
            catalogued(store, table)
    assert renew(store) == []
    assert "Ada" in catalogued(store, "navn")["fornavn"].to_pylist()


def test_a_table_of_several_buckets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "PERSONS_A_BUCKET", 3)
    store = local_store(tmp_path)
    load_everyone(store, "one")
    assert len(require_current(store).tables["navn"].files) == 4
    for kind in FORMATS:
        register(store, kind)
    for opened in READERS.values():
        assert sorted(opened(store, "person")["personidentifikator"].to_pylist()) == PEOPLE
    only = StaticTable.from_metadata(f"{store.location}/formats/iceberg/freg/person")
    mine = only.scan(row_filter=f"personidentifikator = '{PEOPLE[3]}'").to_arrow()
    assert mine["personidentifikator"].to_pylist() == [PEOPLE[3]]


def test_readers_get_at_it_and_others_do_not(made: LocalStore, tmp_path: Path) -> None:
    shutil.copytree(made.location, tmp_path / "store")
    open_to_all = LocalStore(tmp_path / "store", Reading(Readers(everyone=True)))
    register(made_private := LocalStore(tmp_path / "store"), "delta")
    assert modes(made_private) == {0o600}
    for kind in FORMATS:
        register(open_to_all, kind)
    assert modes(open_to_all) == {0o644}


def modes(store: LocalStore) -> set[int]:
    root = Path(store.location)
    told = [*root.glob("formats/**/*"), *root.glob("bases/*/*/_delta_log/*")]
    return {stat.S_IMODE(path.stat().st_mode) for path in told if path.is_file()}


def test_where_readers_call_the_store_otherwise(store: LocalStore, tmp_path: Path) -> None:
    elsewhere = LocalStore(Path(store.location), Reading(root=str(tmp_path / "mounted")))
    register(elsewhere, "iceberg")
    shutil.move(store.location, tmp_path / "mounted")
    moved = LocalStore(tmp_path / "mounted")
    assert len(iceberg(moved, "navn")) == len(PEOPLE)
    assert len(catalogued(moved, "navn")) == len(PEOPLE)


def test_withdrawn_it_is_gone_and_the_base_is_not(store: LocalStore) -> None:
    for kind in FORMATS:
        register(store, kind)
        withdraw(store, kind)
    left = [path for path in Path(store.location).rglob("*") if path.is_file()]
    assert not [path for path in left if "formats" in path.parts or "_delta_log" in path.parts]
    with connect(store) as views:
        assert views.sql("SELECT count(*) FROM navn").fetchall() == [(len(PEOPLE),)]


def ended(store: LocalStore, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["catalogue", "--store", store.location, *arguments])


def test_the_command(store: LocalStore) -> None:
    found = ended(store, "--format", "iceberg", "--format", "delta")
    assert found.exit_code == 0, found.output
    assert "release 000002, as of position 100: the last full load" in found.output
    assert f"file://{store.location}/formats/iceberg/freg/navn" in found.output
    assert ended(store, "--withdraw", "--format", "delta").exit_code == 0
    assert registered(store, "delta") is None
    wrong = ended(store, "--withdraw")
    assert "--withdraw takes tables of Iceberg or Delta away" in str(wrong.exception)


def test_on_s3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with s3_server() as endpoint:
        for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "DEFAULT_REGION"):
            monkeypatch.setenv(f"AWS_{name}", "us-east-1")
        boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket="bucket")
        store = S3Store("s3://bucket/store", endpoint=endpoint)
        load_everyone(store, "one")
        told = {kind: register(store, kind) for kind in FORMATS}
        s3 = {"s3.endpoint": endpoint, "s3.access-key-id": "us-east-1",
              "s3.secret-access-key": "us-east-1", "s3.region": "us-east-1"}  # fmt: skip
        opened = StaticTable.from_metadata(told["iceberg"].tables["navn"], s3)
        assert len(opened.scan().to_arrow()) == len(PEOPLE)
        options = {"AWS_ENDPOINT_URL": endpoint, "AWS_ALLOW_HTTP": "true"}
        there = DeltaTable(told["delta"].tables["navn"], storage_options=options)
        assert there.to_pyarrow_table().num_rows == len(PEOPLE)
        withdraw(store, "iceberg")
        assert store.list("formats/") == ["formats/delta.json"]


def test_what_files_tell_of_their_columns(store: LocalStore) -> None:
    compacted(store)
    manifest = require_current(store)
    for table in described(load_plan(store, manifest.contract)):
        for file in manifest.tables[table.name].files:
            told = pq.read_metadata(store.path(file.key))
            assert told.metadata[b"comment"].decode() in table.comment
            said: dict[str, Any] = json.loads(told.metadata[b"comments"])
            assert {*said} <= {name for name, _, _ in table.columns}
            numbers = [one.metadata[b"PARQUET:field_id"] for one in told.schema.to_arrow_schema()]
            assert len({*numbers}) == len(numbers)
    of_navn = pq.read_metadata(store.path(manifest.tables["navn"].files[0].key))
    sorted_by = [one.column_index for one in of_navn.row_group(0).sorting_columns]
    assert [of_navn.schema.to_arrow_schema().names[one] for one in sorted_by] == [
        "_person",
        "rad_nr",
    ]


def test_a_columns_number_is_its_names(made: LocalStore) -> None:
    base = require_current(made)
    numbers = {
        pq.read_schema(made.path(file.key)).field("personidentifikator").metadata[b"PARQUET:field_id"]
        for files in (base.tables["navn"].files, base.tables["person"].files,
                      [base.deltas[0].files["navn"]])
        for file in files
    }  # fmt: skip
    assert numbers == {b"680011576"}  # for ever: whoever keeps tables of theirs finds it by that
