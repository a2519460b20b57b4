"""Files of changes: what is in them, whom they leave out, and what is refused."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import boto3
import duckdb
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

import freg_pipeline
from freg_pipeline.changes.difference import changes
from freg_pipeline.changes.folder import ChangeSet, write_changes
from freg_pipeline.changes.since import state_since
from freg_pipeline.commands.root import cli
from freg_pipeline.errors import ConfigurationError, StoreError
from freg_pipeline.journal.pins import being_read, pins
from freg_pipeline.journal.releases import require_current
from freg_pipeline.lake import keys
from freg_pipeline.lake.compact import begin_compaction, compact
from freg_pipeline.lake.guards import Policy
from freg_pipeline.lake.purge import purge
from freg_pipeline.lake.release import build_release
from freg_pipeline.lake.restore import restore
from freg_pipeline.store import Store
from freg_pipeline.store.local import LocalStore
from freg_pipeline.store.s3 import S3Store
from freg_pipeline_tests.contracts import field
from freg_pipeline_tests.copies import Copy, documented, recipe
from freg_pipeline_tests.s3 import s3_server
from freg_pipeline_tests.unit.lake.delivered import (
    XSD,
    Delivery,
    copy_of,
    deliver,
    deliver_events,
    document,
    local_store,
    navn,
    number,
)
from freg_pipeline_tests.waiting import wait_until

PEOPLE = [number(index) for index in range(12)]
A, B, C, D = PEOPLE[:4]


def named(person: str, fornavn: str, day: int = 1, *earlier: str) -> Delivery:
    return person, document(person, *earlier, day=day, navn=[navn(fornavn)])


def load(store: Store, name: str, people: Sequence[Delivery], at: int = 100) -> None:
    documents = [(f"d-{name}-{person}", answer) for person, answer in people]
    build_release(store, deliver(store, name, documents, sekvensnummer=at))


def sync(store: Store, etter: int, *people: Delivery, xsd: bytes = XSD) -> None:
    events = deliver_events(store, etter, etter + 100, people, xsd=xsd)
    build_release(store, events, policy=Policy(accept_contract=True))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> LocalStore:
    """Everybody (000001, at 100), and A under another name (000002, at 200); not to be changed."""
    store = local_store(tmp_path_factory.mktemp("made"))
    load(store, "one", [named(person, "Ola") for person in PEOPLE])
    sync(store, 100, named(A, "Ada", 2))
    return store


@pytest.fixture
def store(made: LocalStore, tmp_path: Path) -> LocalStore:
    return copy_of(made, tmp_path)


def written(
    store: Store, since: str, output: Path | Store, tables: Sequence[str] = ()
) -> ChangeSet:
    with changes(store, state_since(store, since), require_current(store)) as found:
        return write_changes(found, output, tables)


def who(folder: Path, what: str) -> list[str]:
    return sorted(pq.read_table(folder / what)["personidentifikator"].to_pylist())


@pytest.mark.parametrize("since", ["000001", "100"])
def test_a_sync_is_its_persons_and_nobody_else(
    made: LocalStore, since: str, tmp_path: Path
) -> None:
    told = written(made, since, tmp_path / "new")
    for what in ("navn.deletes.parquet", "navn.upserts.parquet", "person.upserts.parquet"):
        assert who(tmp_path / "new", what) == [A]
    assert told.before is not None
    assert (told.before.sekvensnummer, told.after.sekvensnummer) == (100, 200)
    assert told.after.release == "000002"
    assert (
        pq.read_table(tmp_path / "new/hendelse.upserts.parquet")["sekvensnummer"][0].as_py() == 200
    )


def test_files_are_private_and_the_manifest_tells_of_each(made: LocalStore, tmp_path: Path) -> None:
    folder = tmp_path / "new"
    written(made, "0", folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["from"] is None
    assert folder.stat().st_mode & 0o777 == 0o700
    there = {path.name for path in folder.iterdir()}
    told = set()
    for table in manifest["tables"].values():
        for file in filter(None, (table["deletes"], table["upserts"])):
            path = folder / file["file"]
            assert path.stat().st_mode & 0o777 == 0o600
            assert hashlib.sha256(path.read_bytes()).hexdigest() == file["sha256"]
            assert pq.read_metadata(path).num_rows == file["rows"]
            told.add(path.name)
    assert there == told | {"manifest.json"}
    assert (folder / "manifest.json").stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [folder]


def test_a_compaction_changes_nothing(store: LocalStore, tmp_path: Path) -> None:
    sync(store, 200, named(B, "Berit", 2))
    compaction = begin_compaction(store)
    assert compaction is not None
    compact(store, compaction, lambda more: None)
    told = written(store, "000003", tmp_path / "new")
    assert sum(one.upserts.rows for one in told.tables.values()) == 0
    assert sum(one.deletes.rows for one in told.tables.values() if one.deletes) == 0
    sync(store, 300, named(C, "Cato", 2))
    written(store, "000002", tmp_path / "over")  # by deltas, although the base holds one of them
    assert who(tmp_path / "over", "navn.upserts.parquet") == [B, C]
    purge(store, "000003")  # what lay between is gone: both states are compared
    written(store, "000002", tmp_path / "compared")
    assert who(tmp_path / "compared", "navn.upserts.parquet") == [B, C]


def test_of_a_full_load_those_only_who_have_changed(
    store: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = Copy(tmp_path)
    copy.keep_up(store)
    monkeypatch.setattr(keys, "PERSONS_A_BUCKET", 3)  # four buckets, and one before
    left = [named(person, "Ola") for person in PEOPLE if person not in {A, B}]
    load(store, "two", [named(A, "Ada", 2), *left, named(number(77), "Ny")], at=300)
    told = copy.keep_up(store)
    folder = tmp_path / f"changes-{2}"
    assert who(folder, "navn.deletes.parquet") == sorted([B, number(77)])
    assert who(folder, "navn.upserts.parquet") == [number(77)]
    assert told.tables["person"].upserts.rows == len(PEOPLE)  # each was fetched anew
    assert copy.wrong(store) == {}
    assert copy.connection.execute("SELECT sekvensnummer FROM hendelse").fetchall() == [(200,)]
    sync(store, 300, named(C, "Cato", 2))
    copy.keep_up(store)
    assert copy.wrong(store) == {}
    assert copy.connection.execute("SELECT count(*) FROM hendelse").fetchall() == [(2,)]


def test_what_events_changed_stays_over_a_full_load_but_no_address(
    store: LocalStore, tmp_path: Path
) -> None:
    told = '{"adressegradering": "ugradert", "vegadresse": {}}'
    changed = [(300, "bostedsadresse", told), (300, "navn", '{"fornavn": "Berit"}')]
    moved = B, document(B, day=2)
    build_release(store, deliver_events(store, 200, 300, [moved], changed=changed))
    copy = Copy(tmp_path)
    copy.keep_up(store)
    changed = [(400, "navn", '{"fornavn": "Cato"}')]
    moved = C, document(C, day=2)
    build_release(store, deliver_events(store, 300, 400, [moved], changed=changed))
    everybody = [named(person, "Ola") for person in PEOPLE]
    load(store, "two", everybody, at=500)  # the copy hasn't had the event 400 yet
    copy.keep_up(store)
    assert copy.wrong(store) == {}
    load(store, "three", everybody, at=600)
    copy.keep_up(store)
    assert copy.wrong(store) == {}
    asked = "SELECT sekvensnummer, entitet, innhold FROM hendelse_egenskap ORDER BY ALL"
    assert copy.connection.execute(asked).fetchall() == [
        (300, "bostedsadresse", None),
        (300, "navn", '{"fornavn": "Berit"}'),
        (400, "navn", '{"fornavn": "Cato"}'),
    ]
    events = copy.connection.execute("SELECT sekvensnummer FROM hendelse ORDER BY ALL").fetchall()
    assert events == [(200,), (300,), (400,)]


def test_a_purge_takes_nothing_away_under_whoever_reads(store: LocalStore, tmp_path: Path) -> None:
    sync(store, 200, named(B, "Berit", 2))
    with changes(store, state_since(store, "000001"), require_current(store)) as found:
        sync(store, 300, named(C, "Cato", 2))
        assert purge(store, keep=1) == []
        with pytest.raises(ConfigurationError, match="pinned"):
            purge(store, "2")
        assert pins(store) == {}  # nobody's to remove
        for table in found.of():
            assert [*table.parts]
    assert store.list("pins/") == []
    assert purge(store, keep=1) == ["000001", "000002", "000003"]


def test_what_the_dead_were_reading_is_kept_for_an_hour(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with being_read(store, "000001", "000001"):
        (key,) = store.list("pins/")
        pin = store.read(key)
    store.write(key, pin)  # as a killed process leaves it
    assert purge(store, keep=1) == []
    store.delete(key)
    monkeypatch.setattr("freg_pipeline.journal.pins.LAPSES", timedelta(seconds=-1))
    with being_read(store, "000001", "000001"):
        (key,) = store.list("pins/")
        pin = store.read(key)
    store.write(key, pin)
    assert purge(store, keep=1) == ["000001"]
    assert store.list("pins/") == []


def test_a_pin_is_renewed_while_it_lasts(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("freg_pipeline.journal.pins._RENEWED_SECONDS", 0.01)
    with being_read(store, "000001", "000002"):
        (key,) = store.list("pins/")
        first = store.read(key)
        wait_until(lambda: store.read(key) != first)


def test_a_release_that_was_purged_before_it_is_pinned_is_not_read(store: LocalStore) -> None:
    before = state_since(store, "000001")
    purge(store, keep=1)
    with pytest.raises(ConfigurationError, match="there is no release"):
        with changes(store, before, require_current(store)):
            pytest.fail("it can't be read")
    assert store.list("pins/") == []


def test_a_file_that_is_gone_is_told_in_one_line(store: LocalStore, tmp_path: Path) -> None:
    for key in store.list("bases/"):
        if "navn" in key:
            Path(store.path(key)).unlink()
    with pytest.raises(StoreError, match=r"navn/0000\.parquet in .* is gone") as told:
        written(store, "0", tmp_path / "new")
    assert "\n" not in str(told.value)
    assert not (tmp_path / "new").exists()


def test_an_error_of_whoever_reads_is_their_own(made: LocalStore) -> None:
    def asked() -> None:
        with changes(made, None, require_current(made)) as found:
            for _ in found.of(["navn"]):
                duckdb.connect().execute("FROM nothing_there")

    with pytest.raises(duckdb.Error, match="nothing_there"):
        asked()


def test_a_release_that_is_restored_over_another_line_of_syncs(
    store: LocalStore, tmp_path: Path
) -> None:
    restore(store, "000001")
    others = deliver_events(
        store, 100, 150, [named(B, "Berit", 2)], name="hendelser-000000000100-2"
    )
    build_release(store, others)
    copy = Copy(tmp_path)
    copy.keep_up(store)
    restore(store, "000002")  # in which A has changed up to 200, and nobody else
    copy.keep_up(store)
    assert who(tmp_path / "changes-2", "navn.upserts.parquet") == [A, B]
    assert copy.wrong(store) == {}


def test_a_number_that_goes_over_to_somebody_takes_its_events_along(
    store: LocalStore, tmp_path: Path
) -> None:
    sync(store, 200, named(B, "Berit", 2))
    copy = Copy(tmp_path)
    copy.keep_up(store)
    sync(store, 300, named(C, "Cato", 3, B))  # B is merged into C
    copy.keep_up(store)
    assert copy.wrong(store) == {}
    asked = "SELECT personidentifikator FROM hendelse WHERE folkeregisteridentifikator = ?"
    assert copy.connection.execute(asked, [B]).fetchall() == [(C,)]


def test_tables_and_columns_that_a_contract_no_longer_has_go(
    store: LocalStore, tmp_path: Path
) -> None:
    copy = Copy(tmp_path)
    copy.keep_up(store)
    fewer = XSD.replace(field("etternavn").encode(), b"").replace(b"vergemaal", b"bistand")
    sync(store, 200, (A, document(A, day=2)), xsd=fewer)
    told = copy.keep_up(store)
    assert told.gone == ("vergemaal", "vergemaal__kontakt")
    assert copy.wrong(store) == {}
    sync(store, 300, named(B, "Berit", 2))  # and come back
    assert copy.keep_up(store).gone == ("bistand", "bistand__kontakt")
    assert copy.wrong(store) == {}


def test_changes_since_a_position_are_for_whichever_release_was_there(
    store: LocalStore, tmp_path: Path
) -> None:
    copy = Copy(tmp_path)
    copy.keep_up(store)
    sync(store, 200, named(B, "Berit", 2), xsd=XSD.replace(b'"etternavn"', b'"slektsnavn"'))
    compaction = begin_compaction(store)
    assert compaction is not None
    compact(store, compaction, lambda more: None)
    found = ended(store, "--since", "200", "--output", str(tmp_path / "new"))
    assert found.exit_code == 0, found.output
    told = json.loads((tmp_path / "new/manifest.json").read_text())
    assert (told["from"]["release"], told["from"]["sekvensnummer"]) == (None, 200)
    assert told["tables"]["navn"]["whole"]  # its columns were others then
    recipe()(copy.connection, tmp_path / "new")
    names = copy.connection.execute("SELECT fornavn, slektsnavn FROM navn ORDER BY ALL LIMIT 2")
    assert names.fetchall() == [("Ada", None), ("Berit", None)]


def test_a_position_that_two_full_loads_show_is_no_state(store: LocalStore) -> None:
    load(store, "two", [named(person, "Per") for person in PEOPLE], at=200)
    with pytest.raises(ConfigurationError, match="release 000002 and release 000003 show"):
        state_since(store, "200")


def test_a_set_that_isnt_the_copys_next_one_is_refused(
    made: LocalStore, store: LocalStore, tmp_path: Path
) -> None:
    copy = Copy(tmp_path / "copy")
    (tmp_path / "copy").mkdir()
    copy.keep_up(store)
    sync(store, 200, named(B, "Berit", 2))
    written(store, "000002", tmp_path / "one", ["navn"])
    other = local_store(tmp_path / "other")  # whose releases have the same numbers
    for name, at in (("one", 100), ("two", 200), ("three", 300)):
        load(other, name, [named(person, "Ola") for person in PEOPLE], at=at)
    written(other, "000002", tmp_path / "theirs")
    for folder, told in (("one", "other tables than the changes"), ("theirs", "the copy is at")):
        with pytest.raises(ValueError, match=told):
            recipe()(copy.connection, tmp_path / folder)
    copy.keep_up(store)
    assert copy.wrong(store) == {}
    part = Copy(tmp_path)
    written(store, "0", tmp_path / "navn", ["navn"])
    recipe()(part.connection, tmp_path / "navn")
    sync(store, 300, named(C, "Cato", 2))
    written(store, "000003", tmp_path / "all")
    with pytest.raises(ValueError, match="other tables than the changes"):
        recipe()(part.connection, tmp_path / "all")


def test_an_address_that_is_protected_from_now_on_is_taken_out(
    store: LocalStore, tmp_path: Path
) -> None:
    address = [{"erGjeldende": True, "adressegradering": "ugradert"}]
    told = '{"adressegradering": "ugradert", "vegadresse": {}}'
    moved = B, document(B, day=2, bostedsadresse=address)
    changed = [(300, "bostedsadresse", told)]
    parts = deliver_events(store, 200, 300, [moved], changed=changed)
    build_release(store, parts)
    copy = Copy(tmp_path)
    copy.keep_up(store)
    hidden = [{"erGjeldende": True, "graderingsnivaa": "strengtFortrolig"}]
    sync(store, 300, (B, document(B, day=3, adressebeskyttelse=hidden)))
    copy.keep_up(store)
    assert copy.wrong(store) == {}
    asked = "SELECT innhold FROM hendelse_egenskap WHERE sekvensnummer = 300"
    assert copy.connection.execute(asked).fetchall() == [(None,)]


def test_the_documented_sql_takes_in_a_table(made: LocalStore, tmp_path: Path) -> None:
    written(made, "0", tmp_path / "first")
    written(made, "000001", tmp_path / "changes", ["navn"])
    assert {path.name.split(".")[0] for path in (tmp_path / "changes").iterdir()} == {
        "navn", "manifest"
    }  # fmt: skip
    connection = duckdb.connect()
    connection.execute(f"CREATE TABLE navn AS FROM '{tmp_path}/first/navn.upserts.parquet'")
    connection.execute("UPDATE navn SET fornavn = 'before'")
    connection.execute(documented("sql").replace("'changes/", f"'{tmp_path}/changes/"))
    names = connection.execute("SELECT fornavn, count(*) FROM navn GROUP BY ALL ORDER BY ALL")
    assert names.fetchall() == [("Ada", 1), ("before", len(PEOPLE) - 1)]


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


def ended(store: LocalStore, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["changes", "--store", store.location, *arguments])


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
