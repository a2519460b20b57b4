"""Files of changes: what is in them, whom they leave out, and what is refused."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from freg_pipeline.changes.difference import changes
from freg_pipeline.changes.since import state_since
from freg_pipeline.errors import ConfigurationError, StoreError
from freg_pipeline.journal.pins import being_read, pins
from freg_pipeline.journal.releases import require_current
from freg_pipeline.lake import keys
from freg_pipeline.lake.compact import begin_compaction, compact
from freg_pipeline.lake.purge import purge
from freg_pipeline.lake.release import build_release
from freg_pipeline.lake.restore import restore
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.contracts import field
from freg_pipeline_tests.copies import Copy, documented, recipe
from freg_pipeline_tests.unit.changes.differing import (
    PEOPLE,
    A,
    B,
    C,
    ended,
    load,
    named,
    sync,
    who,
    written,
)
from freg_pipeline_tests.unit.lake.delivered import (
    XSD,
    deliver_events,
    document,
    local_store,
    number,
)
from freg_pipeline_tests.waiting import wait_until


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
