"""Compaction: the same content on a new base, piece by piece, also while deltas come; and pins."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from freg_pipeline.errors import ConfigurationError, FregError
from freg_pipeline.journal.manifest import Manifest, TableFile
from freg_pipeline.journal.pins import pin, pins, unpin
from freg_pipeline.journal.pointer import current_number, manifest_key
from freg_pipeline.journal.releases import list_releases, require_current
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake import keys
from freg_pipeline.lake.checks import run_checks
from freg_pipeline.lake.compact import (
    begin_compaction,
    compact,
    compact_piece,
    needs_compaction,
    pieces,
    pieces_left,
    publish_compaction,
)
from freg_pipeline.lake.compaction import Compaction
from freg_pipeline.lake.guards import Policy, RowsChangedError
from freg_pipeline.lake.purge import purge
from freg_pipeline.lake.query import connect, query
from freg_pipeline.lake.release import build_release
from freg_pipeline.lake.restore import restore
from freg_pipeline.lake.verify import verify
from freg_pipeline.store import Store, read_record, write_record
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.unit.lake.delivered import (
    LISTE,
    copy_of,
    deliver,
    deliver_events,
    document,
    local_store,
    navn,
    number,
    put_manifest,
)
from freg_pipeline_tests.unit.lake.kills import Dying, KilledError

PERSONS = 12
A, B, C, D = (number(index) for index in range(4))


def nothing(_: int) -> None:
    """Tell nobody."""


def sync(store: LocalStore, etter: int, *who: str) -> Manifest:
    """A delta in which these have a new name, and the first one has gained a number."""
    day = etter // 100 + 2
    names = [navn(f"Ny {etter}")]
    changed = [(one, document(one, navn=names, day=day)) for one in who[1:]]
    first = (who[0], document(who[0], number(100 + etter), navn=names, day=day))
    return build_release(store, deliver_events(store, etter, etter + 100, [first, *changed]))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> LocalStore:
    """A store with a release of twelve persons and two deltas on top. Not to be changed."""
    store = local_store(tmp_path_factory.mktemp("made"))
    documents = [
        (f"d-{index}", document(number(index), navn=[navn(f"Navn {index}")]))
        for index in range(PERSONS)
    ]
    build_release(store, deliver(store, "one", [*documents, ("gone", "slettet")]))
    sync(store, 100, A, B)
    sync(store, 200, C, A)
    return store


@pytest.fixture
def store(made: LocalStore, tmp_path: Path) -> LocalStore:
    return copy_of(made, tmp_path)


def content(store: Store) -> dict[str, list[Any]]:
    manifest = require_current(store)
    with connect(store, manifest) as connection:
        return {
            name: connection.sql(f'FROM "{name}" ORDER BY ALL').fetchall()
            for name in manifest.tables
        }


def begun(store: Store) -> Compaction:
    compaction = begin_compaction(store)
    assert compaction is not None
    return compaction


def test_a_folder_that_is_named_like_a_partition_changes_no_rows(
    made: LocalStore, tmp_path: Path
) -> None:
    folder = tmp_path / "fornavn=x" / "kilde=freg"
    folder.mkdir(parents=True)
    store = copy_of(made, folder)
    expected = content(made)
    assert content(store) == expected
    compact(store, begun(store), nothing)
    assert content(store) == expected
    sync(store, 300, A)
    names = "SELECT DISTINCT fornavn FROM navn WHERE personidentifikator = '{}'"
    assert query(store, names.format(A)).fetchall() == [("Ny 300",)]


def test_the_content_is_the_same_on_a_new_base(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, old = content(store), require_current(store)
    monkeypatch.setattr(keys, "PERSONS_A_BUCKET", 4)  # the register has grown: more buckets
    compaction = begun(store)
    assert compaction.buckets == 4
    manifest = compact(store, compaction, nothing)

    assert content(store) == before
    assert (manifest.deltas, manifest.base.sekvensnummer) == ((), 300)
    assert (manifest.sekvensnummer, manifest.persons) == (300, old.persons)
    assert manifest.accounting == old.accounting
    for name, entry in manifest.tables.items():
        assert entry.rows == len(before[name])
        assert sum(file.rows for file in entry.files) == entry.rows
    assert [one for one in run_checks(store) if not one.passed] == []
    assert verify(store) == []
    assert begin_compaction(store) is None

    after = sync(store, 300, B)
    assert (after.persons, len(after.deltas)) == (PERSONS, 1)
    assert content(store)["navn"] != before["navn"]
    assert [one for one in run_checks(store) if not one.passed] == []


def test_a_compaction_that_would_change_what_readers_find_is_not_published(
    store: LocalStore,
) -> None:
    compaction = begun(store)
    for piece in pieces(compaction):
        compact_piece(store, compaction, piece)
    before, done = content(store), compaction.key("0000.json")
    made = read_record(store, done, dict[str, TableFile])
    store.delete(done)
    fewer = msgspec.structs.replace(made["navn"], rows=made["navn"].rows - 1)
    write_record(store, done, {**made, "navn": fewer})
    with pytest.raises(RowsChangedError, match=f"navn: {PERSONS - 1} for {PERSONS}"):
        publish_compaction(store, compaction)
    assert current_number(store) == "000003"
    assert content(store) == before


def test_a_sync_in_between_stays_on_top(store: LocalStore) -> None:
    compaction = begun(store)
    *others, last = pieces(compaction)
    for piece in others:
        compact_piece(store, compaction, piece)
    sync(store, 300, D)
    before = content(store)
    assert begun(store) == compaction
    assert pieces_left(store, compaction) == [last]
    with pytest.raises(FregError, match="freg compact"):
        publish_compaction(store, compaction)
    compact_piece(store, compaction, last)

    manifest = publish_compaction(store, compaction)
    assert content(store) == before
    assert [one.sekvensnummer for one in manifest.deltas] == [400]
    assert manifest.positions() == [300, 400]
    assert [one for one in run_checks(store) if not one.passed] == []


def test_a_sync_that_publishes_first_is_kept(store: LocalStore) -> None:
    """Another publishes between the look at the current release and the compaction's manifest."""
    compaction = begun(store)
    for piece in pieces(compaction):
        compact_piece(store, compaction, piece)

    class Overtaken(Dying):
        def __getattr__(self, name: str) -> Any:
            return self._write if name == "write" else getattr(self.inner, name)

        def _write(self, key: str, data: bytes) -> bool:
            if key == manifest_key("000004") and not self.inner.exists(key):
                sync(self.inner, 300, D)
            return self.inner.write(key, data)

    overtaken: Any = Overtaken(store, 0, after=True)
    manifest = publish_compaction(overtaken, compaction)
    assert (manifest.number, manifest.sekvensnummer, len(manifest.deltas)) == ("000005", 400, 1)
    names = query(store, f"SELECT fornavn FROM navn WHERE personidentifikator = '{D}'")
    assert names.fetchall() == [("Ny 300",)]


def test_a_full_load_in_between_makes_it_moot(store: LocalStore) -> None:
    compaction = begun(store)
    compact_piece(store, compaction, "0000")
    two = deliver(store, "two", [("d", document(A))], sekvensnummer=500)
    newer = build_release(store, two, policy=Policy(allow_fewer=True))
    assert publish_compaction(store, compaction) == newer
    with pytest.raises(FregError, match="no longer concerns"):
        compact_piece(store, compaction, "felles")
    assert begin_compaction(store) is None
    assert store.list(compaction.key(""))
    purge(store, keep=1)
    assert not store.list(compaction.key(""))


@pytest.mark.parametrize("after", [True, False])
def test_killed_at_any_change_the_next_one_ends_the_same(
    made: LocalStore, tmp_path: Path, after: bool
) -> None:
    before = content(made)
    kill, ended = 0, False
    while not ended:
        store = copy_of(made, tmp_path / f"{kill}-{after}")
        try:
            compact(dying := Dying(store, kill, after), begun(dying), nothing)  # type: ignore[arg-type]
            ended = True
        except KilledError:
            purge(store, keep=5)  # leaves what is being made
            compaction = begin_compaction(store)
            if compaction is not None:
                compact(store, compaction, nothing)
        assert content(store) == before
        assert [one.deltas for one in list_releases(store)][-1] == ()
        assert len(list_releases(store)) == 4
        assert verify(store) == []
        kill += 3
    assert kill > 12


def test_two_at_once_make_one_release(store: LocalStore) -> None:
    compaction = begun(store)
    first = compact(store, compaction, nothing)
    assert compact(store, compaction, nothing) == first
    assert len(list_releases(store)) == 4


def test_when_it_is_needed(store: LocalStore) -> None:
    manifest = require_current(store)  # of 12 persons 4 replaced, one of them twice, in two deltas
    assert needs_compaction(manifest, share=0.3, deltas=9)
    assert not needs_compaction(manifest, share=0.4, deltas=9)
    assert needs_compaction(manifest, share=0.4, deltas=1)
    assert not needs_compaction(manifest, share=0.4, deltas=2)


# -- what is kept ----------------------------------------------------------------------------------


def test_a_pinned_release_stays_readable_until_it_is_unpinned(store: LocalStore) -> None:
    assert pin(store, "2", "quarter") == "quarter"
    assert pin(store, "2", "quarter") == "quarter"
    assert pins(store) == {"quarter": "000002"}
    compact(store, begun(store), nothing)
    assert purge(store, keep=1) == ["000001", "000003"]
    assert verify(store, "2") == []
    assert query(store, "SELECT count(*) FROM person", as_of=250).fetchall() == [(PERSONS,)]
    with pytest.raises(ConfigurationError, match="unpin quarter"):
        purge(store, "2")
    unpin(store, "quarter")
    assert purge(store, "2") == ["000002"]
    assert not store.list("deltas/")
    assert not store.list("bases/one/")
    assert verify(store) == []
    for wrong in (
        lambda: unpin(store, "quarter"),
        lambda: pin(store, "2"),
        lambda: pin(store, "x"),
    ):
        with pytest.raises(ConfigurationError, match="freg release list"):
            wrong()


def test_an_earlier_release_is_current_again_and_syncs_go_on_from_it(store: LocalStore) -> None:
    before = content(store)
    other = Policy(allow_other_kind=True)
    build_release(store, deliver(store, "mine", [(D, document(D))], kind=LISTE), policy=other)
    assert require_current(store).persons == 1
    restored = restore(store, "3")
    assert (restored.number, restored.previous) == ("000005", "000004")
    assert content(store) == before
    assert pins(store) == {}
    with pytest.raises(ConfigurationError, match="is the current one"):
        restore(store, "5")
    assert purge(store, keep=1) == ["000001", "000002", "000003", "000004"]
    assert verify(store) == []
    assert sync(store, 300, D, A).number == "000006"
    compact(store, begun(store), nothing)
    assert verify(store) == []
    assert query(store, "SELECT count(*) FROM person").fetchall() == [(PERSONS,)]


def test_a_lists_release_is_no_earlier_state_of_everyones(store: LocalStore) -> None:
    other = Policy(allow_other_kind=True)
    build_release(store, deliver(store, "mine", [(D, document(D))], kind=LISTE), policy=other)
    restore(store, "3")
    assert query(store, "SELECT count(*) FROM person", as_of=200).fetchall() == [(PERSONS,)]


def test_deltas_stay_as_long_as_a_release_names_them(store: LocalStore) -> None:
    assert purge(store, "2") == ["000002"]
    assert verify(store) == []
    assert len(require_current(store).deltas) == 2


def test_what_is_being_made_is_left_alone_and_what_nobody_can_finish_is_removed(
    store: LocalStore,
) -> None:
    uttrekk = deliver_events(store, 300, 400, [(D, document(D, day=9))])
    with pytest.raises(KilledError):
        build_release(Dying(store, 4, after=True), uttrekk)  # type: ignore[arg-type]
    begun = store.list(f"deltas/{uttrekk.name}/")
    assert begun
    purge(store, keep=5)
    assert store.list(f"deltas/{uttrekk.name}/") == begun
    for key in store.list(f"uttrekk/{uttrekk.name}/"):
        store.delete(key)
    purge(store, keep=5)
    assert not store.list(f"deltas/{uttrekk.name}/")
    assert verify(store) == []


def syncs(store: Store) -> set[int | None]:
    """The positions that syncs in the store continue."""
    kept = (one.etter for one in Uttrekk.list_all(store) if one.kind.is_sync)
    return set(kept)


@pytest.mark.parametrize("changes", [0, 1, 2, 5, 8])
@pytest.mark.parametrize("after", [False, True])
def test_syncs_that_the_base_holds_go_with_their_releases(
    store: LocalStore, changes: int, after: bool
) -> None:
    purge(store, keep=9)
    assert syncs(store) == {100, 200}
    compact(store, begun(store), nothing)
    sync(store, 300, D)
    before = content(store)
    purge(store, keep=9)
    assert syncs(store) == {100, 200, 300}, "a release that was made by them is kept"
    with pytest.raises(KilledError):
        purge(Dying(store, changes, after=after))  # type: ignore[arg-type]
    purge(store)
    assert syncs(store) == {300}
    assert not store.list("uttrekk/hendelser-000000000100/")
    assert store.list("uttrekk/one/answers/"), "a full load's answers stay"
    assert content(store) == before
    assert verify(store) == []
    assert sync(store, 400, A).persons == PERSONS


def test_a_pin_that_comes_while_its_release_is_being_purged_wins(store: LocalStore) -> None:
    class Pinned(Dying):
        def __getattr__(self, name: str) -> Any:
            return self._delete if name == "delete" else getattr(self.inner, name)

        def _delete(self, key: str) -> None:
            if key == manifest_key("000001"):
                pin(self.inner, "1")
            self.inner.delete(key)

    pinned: Any = Pinned(store, 0, after=True)
    assert purge(pinned, keep=1) == ["000002"]
    assert verify(store, "1") == []


def test_the_young_are_spared(store: LocalStore) -> None:
    assert purge(store, keep=1, older_than_days=1) == []
    old = list_releases(store)[0]
    aged = msgspec.structs.replace(old, created=datetime.now(UTC) - timedelta(days=3))
    put_manifest(store, aged)
    assert purge(store, keep=1, older_than_days=2) == ["000001"]
