"""Erased persons are in no table of Iceberg or Delta either, and two lists don't meet badly."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from click.testing import CliRunner
from deltalake import DeltaTable
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.io.pyarrow import PyArrowFileIO
from pyiceberg.table import StaticTable

from freg_pipeline.commands.root import cli
from freg_pipeline.erasure import answers
from freg_pipeline.erasure.course import Receipt, erase
from freg_pipeline.erasure.persons import Persons, with_other_numbers
from freg_pipeline.erasure.returned import returned
from freg_pipeline.erasure.survey import survey
from freg_pipeline.errors import ConfigurationError
from freg_pipeline.journal.raw import unpack
from freg_pipeline.journal.registered import FORMATS, registered
from freg_pipeline.journal.releases import require_current
from freg_pipeline.lake import keys
from freg_pipeline.lake.compact import begin_compaction, compact
from freg_pipeline.lake.open_tables import register
from freg_pipeline.lake.purge import purge
from freg_pipeline.lake.release import build_release
from freg_pipeline.lake.verify import verify
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.searched import found_in
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
ERASED, OTHER = PEOPLE[2], PEOPLE[5]


class KilledError(BaseException):
    """The process is gone."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> LocalStore:
    """Four buckets; registered at a full load, and at a compaction that a delta lies on."""
    store = local_store(tmp_path_factory.mktemp("made"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keys, "PERSONS_A_BUCKET", 3)
        people = [
            (f"d-{place}", document(one, navn=[navn("Ola")])) for place, one in enumerate(PEOPLE)
        ]
        build_release(store, deliver(store, "one", people))
        for kind in FORMATS:
            register(store, kind)
        _renamed(store, 100)
        compaction = begin_compaction(store)
        assert compaction is not None
        _renamed(store, 200)
        compact(store, compaction, lambda more: None)
        for kind in FORMATS:
            register(store, kind)
    return store


def _renamed(store: LocalStore, etter: int) -> None:
    told = [(one, document(one, day=2, navn=[navn("Ada")])) for one in (ERASED, OTHER)]
    build_release(store, deliver_events(store, etter, etter + 100, told))


@pytest.fixture
def store(made: LocalStore, tmp_path: Path) -> LocalStore:
    store = copy_of(made, tmp_path)
    for kind in FORMATS:  # at its own place
        register(store, kind)
    return store


def _erase(store: LocalStore) -> Receipt:
    persons = with_other_numbers(store, Persons({ERASED: 0}, (1,)))
    return erase(store, survey(store, persons))


def _readable(store: LocalStore, table: str) -> dict[str, list[dict[str, Any]]]:
    """The rows of a table by each of its readers, and of each state of it that can be opened."""
    root = Path(store.location)
    found = {}
    catalogue = SqlCatalog("freg", uri=f"sqlite:///{root}/formats/iceberg/catalogue.db")
    found["catalogue"] = catalogue.load_table(f"freg.{table}").scan().to_arrow().to_pylist()
    for path in root.glob(f"formats/iceberg/freg/{table}/metadata/*.metadata.json"):
        opened = StaticTable.from_metadata(str(path))
        found[path.name] = opened.scan().to_arrow().to_pylist()
        for snapshot in opened.snapshots():
            for manifest in snapshot.manifests(PyArrowFileIO()):
                for entry in manifest.fetch_manifest_entry(PyArrowFileIO()):
                    assert not entry.data_file.lower_bounds
                    assert not entry.data_file.upper_bounds
    told = registered(store, "delta")
    assert told is not None
    if table in told.tables:
        opened_delta = DeltaTable(told.tables[table])
        found["delta"] = opened_delta.to_pyarrow_table().to_pylist()
        statistics = pa.table(opened_delta.get_add_actions(flatten=True)).to_pylist()
        told_of = {value for row in statistics for name, value in row.items()
                   if name.startswith(("min", "max"))}  # fmt: skip
        assert told_of == {None}
    return found


def test_nothing_that_can_be_read_through_them_holds_the_person(store: LocalStore) -> None:
    before = found_in(Path(store.location), {ERASED})
    assert "whole" in set().union(*before.values()), "as eight bytes it is found as long as it is"
    assert all(any(row["personidentifikator"] == ERASED for row in rows)
               for rows in _readable(store, "person").values())  # fmt: skip

    _erase(store)

    assert found_in(Path(store.location), {ERASED}) == {}
    for table in ("person", "navn", "person_naa", "identifikasjonsnummer", "hendelse"):
        for reader, rows in _readable(store, table).items():
            assert not any(ERASED in str(row) for row in rows), reader
    names = {name: {row["personidentifikator"] for row in rows}
             for name, rows in _readable(store, "navn").items()}  # fmt: skip
    assert all(found == {*PEOPLE} - {ERASED} for found in names.values())
    # One table of two folders: no log of Delta's reaches both, until there is a new base.
    assert set(names) == {"catalogue", f"v{int(require_current(store).number)}.metadata.json"}
    assert not list(Path(store.location).glob("bases/*/navn/_delta_log/*"))
    compaction = begin_compaction(store)
    assert compaction is not None
    compact(store, compaction, lambda more: None)
    purge(store)
    told = registered(store, "delta")
    assert told is not None
    assert len(DeltaTable(told.tables["navn"]).to_pyarrow_table()) == len(PEOPLE) - 1
    assert found_in(Path(store.location), {ERASED}) == {}
    assert verify(store) == []


def test_what_a_process_that_was_killed_a_moment_ago_left_goes(store: LocalStore) -> None:
    left = Path(store.location) / ".tmp/tmpkilled/000000"
    left.parent.mkdir(parents=True)
    left.write_text("rows of persons")
    _erase(store)
    assert not left.parent.exists()


@pytest.mark.parametrize("at", ["releases/current.json", "formats/delta.json"])
def test_who_is_killed_before_they_are_written_anew_does_it_the_next_time(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    replace = LocalStore.replace

    def dying(self: LocalStore, key: str, data: bytes) -> None:
        replace(self, key, data)
        if key == at:
            raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(LocalStore, "replace", dying)
        with pytest.raises(KilledError):
            _erase(store)

    _erase(store)

    assert found_in(Path(store.location), {ERASED}) == {}
    for rows in _readable(store, "person").values():
        assert {row["personidentifikator"] for row in rows} == {*PEOPLE} - {ERASED}
    assert verify(store) == []


def test_two_at_once_leave_nobody_and_damage_nothing(store: LocalStore) -> None:
    """The other one's whole course lies between this one's reading and its publishing."""
    others = iter([PEOPLE[7]])
    write = LocalStore.write

    def in_between(self: LocalStore, key: str, data: bytes) -> bool:
        if key.startswith("releases/") and key.endswith("/manifest.json"):
            for other in others:
                erase(store, survey(store, Persons({other: 0}, (1,))))
        return write(self, key, data)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LocalStore, "write", in_between)
        _erase(store)

    assert found_in(Path(store.location), {ERASED, PEOPLE[7]}) == {}
    assert verify(store) == []
    for rows in _readable(store, "person").values():
        assert {row["personidentifikator"] for row in rows} == {*PEOPLE} - {ERASED, PEOPLE[7]}


def test_an_answer_that_another_has_rewritten_meanwhile_doesnt_bring_anybody_back(
    store: LocalStore,
) -> None:
    """Both had read it: the later one to write takes out whom the other has."""
    others = iter([PEOPLE[7]])
    found = survey(store, Persons({ERASED: 0}, (1,)))
    (answer,) = {hit.key for hit in found.of("answers") if "/one/" in hit.key}
    delete = LocalStore.delete

    def in_between(self: LocalStore, key: str) -> None:
        delete(self, key)
        if key.startswith("check-"):  # right before anything is rewritten
            for other in others:
                erase(store, survey(store, Persons({other: 0}, (1,))))

    content = store.read(answer)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LocalStore, "delete", in_between)
        patch.setattr(answers, "read_raw", lambda lies, key: unpack(
            content if key == answer else lies.read(key), key, lies.location))  # fmt: skip
        erase(store, found)
    assert found_in(Path(store.location), {ERASED, PEOPLE[7]}) == {}


def test_a_list_that_was_killed_hinders_no_other_list(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tables that it had written for the next release are no other's."""
    put_file = LocalStore.put_file
    left = iter(range(8))

    def dying(self: LocalStore, key: str, source: Path) -> bool:
        if next(left, None) is None:
            raise KilledError
        return put_file(self, key, source)

    with monkeypatch.context() as patch:
        patch.setattr(LocalStore, "put_file", dying)
        with pytest.raises(KilledError):
            _erase(store)
    erase(store, survey(store, Persons({PEOPLE[7]: 0}, (1,))))
    assert verify(store) == []
    assert found_in(Path(store.location), {PEOPLE[7]}) == {}
    _erase(store)
    assert found_in(Path(store.location), {ERASED, PEOPLE[7]}) == {}


def test_who_came_back_with_a_backup_is_found_without_a_list(
    store: LocalStore, tmp_path: Path
) -> None:
    backup = Path(shutil.copytree(store.location, tmp_path / "backup"))
    _erase(store)
    assert not len(returned(store))
    shutil.copytree(Path(store.location, "erasures"), backup / "erasures")
    restored = LocalStore(backup)
    for kind in FORMATS:
        register(restored, kind)

    environment = {"FREG_STORE": restored.location}
    ended = CliRunner().invoke(cli, ["erase", "--kept-out", "--yes"], env=environment)

    assert ended.exit_code == 0, ended.output
    assert found_in(backup, {ERASED}) == {}
    assert verify(restored) == []
    assert ERASED not in ended.output
    told = CliRunner().invoke(cli, ["erase", "--kept-out", "--yes"], env=environment)
    assert "Nobody who is kept out is held" in told.output
    for wrong in (["--kept-out", "--list"], ["--kept-out", "--lift"], [], ["x", "--kept-out"]):
        refused = CliRunner().invoke(cli, ["erase", *wrong], env=environment)
        assert isinstance(refused.exception, ConfigurationError), wrong
