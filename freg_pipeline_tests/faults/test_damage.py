"""Single flipped bits, truncation, emptying and deletion of everything that a store keeps.

Whatever is damaged: the right data comes of it, or an error that names the object. Never others.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from freg_pipeline.errors import DamagedError, FregError, ObjectMissingError, StoreError
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.pointer import POINTER
from freg_pipeline.journal.releases import current_release, require_current
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.catalogue import refresh_catalogue
from freg_pipeline.lake.compact import begin_compaction, compact, compact_piece, pieces
from freg_pipeline.lake.counts import all_rows_of
from freg_pipeline.lake.purge import purge
from freg_pipeline.lake.query import query
from freg_pipeline.lake.release import build_release
from freg_pipeline.lake.restore import restore
from freg_pipeline.lake.tally import TALLY, tally_of
from freg_pipeline.lake.verify import verify
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.unit.lake.delivered import deliver, deliver_events, document, navn, number

A, B, C, D = (number(index) for index in range(4))
PEOPLE = [
    ("d-a", document(A, B, navn=[navn("Ada")])),
    ("d-b", document(B)),
    ("d-c", document(C, navn=[navn("Cato")])),
    ("d-d", document(D, navn=[navn("Dina"), navn("Dora")])),
]
SAMPLE = 12  # flips in each kind of object: those of one run are the same as those of every other

Damage = Callable[[Path], None]


def flip(seed: int) -> Damage:
    """Flip one bit of a file, somewhere."""

    def damage(path: Path) -> None:
        data = bytearray(path.read_bytes())
        place = random.Random(f"{seed} {path.name} {len(data)}").randrange(len(data) * 8)
        data[place // 8] ^= 1 << place % 8
        path.write_bytes(data)

    return damage


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


DAMAGES: list[Damage] = [*map(flip, range(SAMPLE)), truncate, empty, Path.unlink]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release with a delta on top, and what is needed to make a next one of each."""
    root = tmp_path_factory.mktemp("damage") / "store"
    store = LocalStore(root)
    build_release(store, deliver(store, "one", PEOPLE[:2], PEOPLE[2:]))
    build_release(store, deliver_events(store, 100, 103, [(C, document(C, navn=[navn("Carl")]))]))
    return root


@pytest.fixture
def damaged(prepared: Path, tmp_path: Path) -> Callable[[str, Damage], LocalStore]:
    """A copy of the prepared store in which one object is damaged."""

    def make(key: str, damage: Damage) -> LocalStore:
        root = tmp_path / "store"
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(prepared, root)
        damage(root / key)
        return LocalStore(root)

    return make


def names(store: LocalStore) -> list[tuple[str, str]]:
    statement = "SELECT personidentifikator, fornavn FROM navn ORDER BY ALL"
    return query(store, statement).fetchall()


NAMES = sorted([(A, "Ada"), (C, "Carl"), (D, "Dina"), (D, "Dora")])
AFTERWARDS = sorted([*NAMES[1:], (A, "Anna")])  # as `deliver_and_build` leaves them


def files_of(root: Path) -> list[str]:
    manifest = require_current(LocalStore(root))
    return [file.key for file in manifest.files()]


def test_verify_finds_every_damage(
    prepared: Path, damaged: Callable[[str, Damage], LocalStore]
) -> None:
    store = LocalStore(prepared)
    assert verify(store) == []
    keys = [*files_of(prepared), *store.list("contracts/")]
    for turn, key in enumerate(keys):
        hurt = damaged(key, DAMAGES[turn % len(DAMAGES)])
        assert [line.split(":")[0] for line in verify(hurt)] == [key]


def test_compaction_never_makes_other_data_of_a_damaged_file(
    prepared: Path, damaged: Callable[[str, Damage], LocalStore]
) -> None:
    """Every file in turn, and each kind of damage to the file of names.

    But for a delta's tally, which tells nothing that goes into a base.
    """
    keys = [key for key in files_of(prepared) if TALLY not in key]
    cases = [(key, DAMAGES[turn % len(DAMAGES)]) for turn, key in enumerate(keys)]
    cases += [(key, damage) for key in keys if "/navn" in key for damage in DAMAGES[:4]]
    for key, damage in cases:
        store = damaged(key, damage)
        before = require_current(store)
        with pytest.raises(DamagedError, match=r"freg release restore NUMBER") as raised:
            compacted(store)
        assert raised.value.key == key
        assert current_release(store) == before
        assert [line.split(":")[0] for line in verify(store)] == [key]


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_a_damaged_tally_of_a_delta_told_is_counted(
    damage: Damage, prepared: Path, damaged: Callable[[str, Damage], LocalStore]
) -> None:
    """A sync of whom the delta holds counts their rows; a compaction needs it no more."""
    (key,) = (key for key in files_of(prepared) if TALLY in key)
    store = damaged(key, damage)
    again = deliver_events(store, 103, 104, [(C, document(C, navn=[navn("Kai"), navn("Karl")]))])
    manifest = build_release(store, again)
    assert names(store) == sorted([*NAMES[:1], *NAMES[2:], (C, "Kai"), (C, "Karl")])
    assert all_rows_of(store, manifest)["navn"] == len(names(store))
    compacted(store)
    assert names(store) == sorted([*NAMES[:1], *NAMES[2:], (C, "Kai"), (C, "Karl")])
    assert verify(store) == []


def compacted(store: LocalStore) -> Manifest:
    compaction = begin_compaction(store)
    assert compaction is not None
    return compact(store, compaction, lambda _: None)


def test_an_undamaged_store_is_compacted_and_whole(
    damaged: Callable[[str, Damage], LocalStore],
) -> None:
    store = damaged("uttrekk/one/release.json", lambda _: None)
    compacted(store)
    assert names(store) == NAMES
    assert verify(store) == []


def test_a_sync_never_makes_other_data_of_what_a_damaged_base_knows(
    prepared: Path, damaged: Callable[[str, Damage], LocalStore]
) -> None:
    """A sync reads parts of it: the row groups of those whom its events touch."""
    (key,) = (key for key in files_of(prepared) if "bases/one/_identitet/" in key)
    told = 0
    for seed in range(SAMPLE):
        store = damaged(key, flip(seed))
        try:
            deliver_and_build(store)
        except DamagedError as error:
            told += error.key == key
        else:  # the part that was damaged isn't read
            assert names(store) == AFTERWARDS
    assert told > SAMPLE // 3, "most of so small a file is read"


@pytest.mark.parametrize("table", ["person", "navn"])
def test_what_a_damaged_base_holds_is_never_counted_wrong(
    table: str, prepared: Path, damaged: Callable[[str, Damage], LocalStore]
) -> None:
    """Where the tally is gone, it is made of the base's files, or the damaged one is named."""
    (key,) = (key for key in files_of(prepared) if f"bases/one/{table}/" in key)
    told = []
    for damage in DAMAGES:
        store = damaged(key, damage)
        manifest = require_current(store)
        whole = tally_of(LocalStore(prepared), manifest)
        store.delete_all(store.list(f"bases/one/{TALLY}"))
        try:
            made = tally_of(store, manifest)
        except DamagedError as error:
            told.append(error.key)
        else:  # the columns that were damaged aren't read
            assert made == whole
    assert set(told) == {key}
    assert len(told) > len(DAMAGES) // 3


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_sync_makes_a_damaged_tally_of_the_base_again(
    damage: Damage, prepared: Path, damaged: Callable[[str, Damage], LocalStore]
) -> None:
    for key in LocalStore(prepared).list(f"bases/one/{TALLY}"):
        store = damaged(key, damage)
        manifest = deliver_and_build(store)
        assert names(store) == AFTERWARDS
        assert all_rows_of(store, manifest)["navn"] == len(AFTERWARDS)
        assert tally_of(store, manifest) == tally_of(LocalStore(prepared), manifest)
        assert verify(store) == []


def deliver_and_build(store: LocalStore) -> Manifest:
    uttrekk = deliver_events(store, 103, 104, [(A, document(A, B, navn=[navn("Anna")]))])
    return build_release(store, uttrekk)


def test_a_release_with_a_damaged_file_is_not_restored(
    prepared: Path, damaged: Callable[[str, Damage], LocalStore]
) -> None:
    key = next(key for key in files_of(prepared) if "bases/one/navn/" in key)
    store = damaged(key, flip(0))
    with pytest.raises(DamagedError, match="bases/one/navn"):
        restore(store, "1")


def staged(prepared: Path) -> list[str]:
    return LocalStore(prepared).list("uttrekk/one/tables/")


def test_damaged_staging_makes_no_release(
    prepared: Path, damaged: Callable[[str, Damage], LocalStore]
) -> None:
    for turn, key in enumerate(staged(prepared)):
        for damage in (DAMAGES[turn % SAMPLE], truncate, empty):
            store = damaged(key, damage)
            uttrekk = unreleased(store)
            with pytest.raises((StoreError, ObjectMissingError), match=key):
                build_release(store, uttrekk)
            assert not store.list("releases/")


def unreleased(store: LocalStore) -> Uttrekk:
    for prefix in ("releases/", "bases/", "deltas/", "uttrekk/one/release.json", "uttrekk/hend"):
        for key in store.list(prefix):
            store.delete(key)
    return Uttrekk(store, "one")


@pytest.mark.parametrize("damage", [*DAMAGES[:3], empty, Path.unlink])
def test_the_pointer_is_computed_where_it_is_gone_or_damaged(
    damage: Damage, damaged: Callable[[str, Damage], LocalStore]
) -> None:
    store = damaged(POINTER, damage)
    assert names(store) == NAMES
    assert deliver_and_build(store).number == "000003"
    again = LocalStore(Path(store.location))
    assert require_current(again).number == "000003"


def test_a_damaged_manifest_is_named(damaged: Callable[[str, Damage], LocalStore]) -> None:
    key = "releases/000002/manifest.json"
    for damage in (*DAMAGES[:SAMPLE], truncate, empty):
        with pytest.raises(StoreError, match=key):
            names(damaged(key, damage))


def test_the_release_before_is_current_where_a_manifest_is_gone(
    damaged: Callable[[str, Damage], LocalStore], caplog: pytest.LogCaptureFixture
) -> None:
    store = damaged("releases/000002/manifest.json", Path.unlink)
    assert require_current(store).number == "000001"
    assert "the manifest of release 000002 is gone" in caplog.text
    refresh_catalogue(store)
    number = "000001"
    anew = deliver_events(store, 100, 105, [(A, document(A, B, navn=[navn("Anna")]))], name="anew")
    assert build_release(store, anew).previous == number
    caplog.clear()
    assert require_current(LocalStore(Path(store.location))).uttrekk == "anew"
    assert not caplog.text, "the pointer names what is here"


@pytest.mark.parametrize("damage", [*DAMAGES[:3], truncate, empty])
def test_an_uttrekk_whose_request_is_damaged_holds_up_no_other(
    damage: Damage,
    damaged: Callable[[str, Damage], LocalStore],
    caplog: pytest.LogCaptureFixture,
) -> None:
    key = "uttrekk/one/request.json"
    store = damaged(key, damage)
    deliver(store, "two", PEOPLE)
    for name in ("one", "two"):
        store.write(f"open/{name}", b"")
    for listed in (Uttrekk.list_all, Uttrekk.list_open):
        found = listed(store)
        assert "two" in {uttrekk.name for uttrekk in found}
        assert "one" not in {uttrekk.name for uttrekk in found}
        assert key in caplog.text
        caplog.clear()


@pytest.mark.parametrize("damage", [*DAMAGES[:6], truncate, empty, Path.unlink])
def test_a_compaction_whose_plan_is_damaged_is_begun_anew(
    damage: Damage, damaged: Callable[[str, Damage], LocalStore]
) -> None:
    store = damaged("uttrekk/one/release.json", lambda _: None)
    compaction = begin_compaction(store)
    assert compaction is not None
    damage(Path(store.path(compaction.key("plan.json"))))
    compacted(store)
    assert (names(store), verify(store)) == (NAMES, [])


@pytest.mark.parametrize("damage", [*DAMAGES[:4], empty])
def test_a_finished_piece_of_a_compaction_whose_record_is_damaged_is_made_again(
    damage: Damage, damaged: Callable[[str, Damage], LocalStore]
) -> None:
    store = damaged("uttrekk/one/release.json", lambda _: None)
    compaction = begin_compaction(store)
    assert compaction is not None
    piece = pieces(compaction)[0]
    compact_piece(store, compaction, piece)
    damage(Path(store.path(compaction.key(f"{piece}.json"))))
    compacted(store)
    assert (names(store), verify(store)) == (NAMES, [])


@pytest.mark.parametrize("damage", [*DAMAGES[:3], Path.unlink])
def test_a_purge_passes_over_a_damaged_plan(
    damage: Damage, damaged: Callable[[str, Damage], LocalStore]
) -> None:
    store = damaged("uttrekk/one/release.json", lambda _: None)
    compaction = begin_compaction(store)
    assert compaction is not None
    damage(Path(store.path(compaction.key("plan.json"))))
    assert purge(store, keep=1) == ["000001"]
    assert not store.list("bases/one.")


def test_a_contract_that_is_damaged_is_named(damaged: Callable[[str, Damage], LocalStore]) -> None:
    (key,) = LocalStore(Path(damaged("uttrekk/one/release.json", lambda _: None).location)).list(
        "contracts/"
    )
    for damage in (*DAMAGES[:4], truncate, empty):
        with pytest.raises(FregError, match=key):
            names(damaged(key, damage))
