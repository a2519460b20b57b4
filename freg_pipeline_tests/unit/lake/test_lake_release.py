"""Releases: built once, published whole; also when killed in between."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from freg_pipeline.errors import (
    ConfigurationError,
    ContractError,
    DamagedError,
    FregError,
    IncompleteError,
)
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.pointer import POINTER, current_number
from freg_pipeline.journal.releases import (
    current_release,
    list_releases,
    read_manifest,
    require_current,
)
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake import keys
from freg_pipeline.lake.guards import Policy
from freg_pipeline.lake.landing import LandedBatch, packed_key, staging_key
from freg_pipeline.lake.query import query
from freg_pipeline.lake.release import build_release
from freg_pipeline.lake.tally import tally_of
from freg_pipeline.lake.verify import verify
from freg_pipeline.store import Store, read_record, write_record
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.unit.lake.delivered import (
    SELECTION,
    XSD,
    deliver,
    document,
    local_store,
    navn,
)
from freg_pipeline_tests.unit.lake.kills import Dying, KilledError
from freg_pipeline_tests.unit.lake.released import EVERYONE, ODD, A, B, C, D, names_in, released


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return local_store(tmp_path)


# -- what a release is -----------------------------------------------------------------------------


def test_a_release_holds_each_person_once_and_accounts_for_the_rest(store: LocalStore) -> None:
    manifest = released(store)

    assert (manifest.number, manifest.previous, manifest.incomplete) == ("000001", None, False)
    assert (manifest.uttrekk, manifest.kind, manifest.sekvensnummer) == ("one", "komplett", 100)
    account = msgspec.to_builtins(manifest.accounting)
    reasons = account.pop("reasons")
    assert account == {
        "delivered": 5, "landed": 2, "merged": 1, "duplicates": 1, "gone": 1, "failed": 0,
        "unexplained": 0, "events_not_followed": 0, "events_without_document": 0, "erased": 0,
    }  # fmt: skip
    assert reasons["borte: dokumentet er slettet"] == 1
    assert sum(reasons.values()) == account["delivered"] - account["landed"]
    assert names_in(store) == ["Ada", "Cato"]
    rows = query(store, "SELECT * EXCLUDE hentet FROM person ORDER BY ALL").fetchall()
    assert rows == [(A, "d-a", 100, "one"), (C, "d-c", 100, "one")]
    assert query(store, "FROM tidligere_identifikator").fetchall() == [(B, A)]
    avvik = query(store, "SELECT identifikator, batch_nr, utfall, gikk_til FROM avvik ORDER BY 1")
    assert avvik.fetchall() == [
        ("d-a-old", 0, "duplikat", A),
        ("d-b", 0, "sammenslaatt", A),
        ("d-x", 1, "borte", None),
    ]


def test_everything_that_was_landed_is_in_the_manifest_with_its_files(store: LocalStore) -> None:
    manifest = released(store)
    for name, entry in manifest.tables.items():
        assert entry.rows == query(store, f'SELECT count(*) FROM "{name}"').fetchall()[0][0]
        assert entry.files, name
        for file in entry.files:
            assert len(store.read(file.key)) == file.bytes
    assert read_manifest(store, "000001") == current_release(store) == manifest
    assert read_manifest(store, "1") == manifest
    assert verify(store) == []


def test_the_same_uttrekk_is_released_once(store: LocalStore) -> None:
    manifest = released(store)
    before = sorted(store.list(""))
    assert build_release(store, Uttrekk(store, "one")) == manifest
    assert sorted(store.list("")) == before


def test_a_selection_counts_persons_not_numbers(store: LocalStore) -> None:
    batches = [[(B, document(A, B)), (A, document(A, B)), (C, document(C)), (D, "ukjent")]]
    account = build_release(store, deliver(store, "some", *batches, kind=SELECTION)).accounting
    assert (account.delivered, account.landed, account.merged, account.gone) == (4, 2, 1, 1)
    rows = query(store, "SELECT personidentifikator, dokumentidentifikator FROM person ORDER BY 1")
    assert rows.fetchall() == [(A, None), (C, None)]
    twice = "SELECT count(*) FROM identifikasjonsnummer WHERE foedsels_eller_d_nummer = '{}'"
    assert query(store, twice.format(B)).fetchall() == [(1,)]


def test_a_selection_of_nobody_is_an_empty_release_and_a_full_load_of_nobody_is_refused(
    store: LocalStore,
) -> None:
    manifest = build_release(store, deliver(store, "nobody", kind=SELECTION))
    assert manifest.accounting.delivered == 0
    with pytest.raises(IncompleteError, match="nobody"):
        build_release(store, deliver(store, "everybody"), policy=Policy(allow_other_kind=True))


# -- what is refused -------------------------------------------------------------------------------


def test_what_failed_refuses_the_release_and_readers_keep_the_one_before(store: LocalStore) -> None:
    before = released(store)
    odd = deliver(store, "odd", [("d-a", document(A)), ODD])
    with pytest.raises(IncompleteError) as refused:
        build_release(store, odd)
    said = str(refused.value)
    assert "1 failed" in said
    assert "dokumentet sier ikke hvem det gjelder" in said
    assert "freg uttrekk resume odd --allow-incomplete" in said
    assert A not in said
    assert refused.value.exit_code == 4
    assert current_release(store) == before
    assert not store.list("bases/odd/")

    manifest = build_release(store, odd, policy=Policy(allow_incomplete=True))
    assert manifest.incomplete
    assert current_release(store) == manifest
    avvik = query(store, "SELECT identifikator, utfall, sti FROM avvik").fetchall()
    assert avvik == [("odd", "feilet", "identifikasjonsnummer")]


def test_what_was_delivered_and_never_decoded_is_unexplained(store: LocalStore) -> None:
    uttrekk = deliver(store, "one", [("d-a", document(A)), ("d-c", document(C))])
    shorter = deliver(store, "short", [("d-a", document(A))])
    for key in store.list("uttrekk/short/tables/000000/"):
        into = staging_key("one", 0, key.rsplit("/", 1)[-1])
        store.delete(into)
        if key.endswith(".json"):
            write_record(store, into, read_record(store, key, LandedBatch))
        else:
            store.write(into, store.read(key))
    assert shorter.end == 1
    with pytest.raises(IncompleteError, match="1 are unexplained"):
        build_release(store, uttrekk)
    allowed = Policy(allow_incomplete=True)
    assert build_release(store, uttrekk, policy=allowed).accounting.unexplained == 1


@pytest.mark.parametrize("missing", [0, 1])
def test_a_batch_that_has_not_landed_stops_the_release(store: LocalStore, missing: int) -> None:
    uttrekk = deliver(store, "one", *EVERYONE)
    store.delete(staging_key("one", missing, "done.json"))
    # One that is not of this uttrekk does not make up for it.
    write_record(store, staging_key("one", 7, "done.json"), {})
    with pytest.raises(FregError, match=r"freg uttrekk resume one"):
        build_release(store, uttrekk)
    assert list_releases(store) == []


def test_an_uttrekk_whose_end_is_unknown_is_not_released(store: LocalStore) -> None:
    uttrekk = deliver(store, "one", *EVERYONE)
    store.delete(uttrekk.end_key)
    with pytest.raises(FregError, match="batches"):
        build_release(store, uttrekk)


def test_a_contract_that_breaks_queries_is_refused_until_it_is_accepted(store: LocalStore) -> None:
    before = released(store)
    without = XSD.replace(b'name="etternavn"', b'name="slektsnavn"')
    uttrekk = deliver(store, "two", [("d-a", document(A))], xsd=without)
    with pytest.raises(ContractError, match=r"navn\.etternavn.*resume two --accept-contract"):
        build_release(store, uttrekk)
    assert current_release(store) == before
    assert not store.list("bases/two/")

    manifest = build_release(store, uttrekk, policy=Policy(accept_contract=True))
    assert current_release(store) == manifest
    assert query(store, "SELECT count(slektsnavn) FROM navn").fetchall() == [(0,)]


def test_a_damaged_staging_file_is_named(store: LocalStore) -> None:
    uttrekk = deliver(store, "one", *EVERYONE)
    Path(store.path(packed_key("one", 1))).write_bytes(b"PAR1 no")
    with pytest.raises(DamagedError, match=r"tables/000001/tables.arrow in .* is damaged"):
        build_release(store, uttrekk)


def test_without_a_release_readers_are_told_how_to_make_one(store: LocalStore) -> None:
    assert current_release(store) is None
    for ask in (require_current, verify, lambda store: query(store, "FROM person")):
        with pytest.raises(ConfigurationError, match="freg uttrekk komplett"):
            ask(store)


# -- killed ----------------------------------------------------------------------------------------


def _changes_of_a_build(folder: Path) -> int:
    store = local_store(folder)
    counting = Dying(store, 10_000, after=True)
    build_release(counting, Uttrekk(counting, deliver(store, "one", *EVERYONE).name))  # type: ignore[arg-type]
    return 10_000 - counting.changes


def test_killed_at_any_change_the_next_build_ends_as_if_nothing_had_happened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "PERSONS_A_BUCKET", 1)  # two pieces
    changes = _changes_of_a_build(tmp_path / "count")
    plain = local_store(tmp_path / "plain")
    expected = _content(plain, released(plain))
    assert changes > 20
    # While tables are written, some changes; the last ones, where publishing is, on both sides.
    kills = [(at, at % 2 == 0) for at in range(0, changes - 5, 7)]
    kills += [(at, after) for at in range(changes - 5, changes) for after in (False, True)]
    for at, after in kills:
        store = local_store(tmp_path / f"{at}-{after}")
        deliver(store, "one", *EVERYONE)
        dying = Dying(store, at, after)
        with pytest.raises(KilledError):
            build_release(dying, Uttrekk(dying, "one"))  # type: ignore[arg-type]
        if current_number(store) is not None:
            assert verify(store) == []

        manifest = build_release(store, Uttrekk(store, "one"))

        assert _content(store, manifest) == expected
        assert [one.number for one in list_releases(store)] == ["000001"]
        assert current_number(store) == "000001" == Uttrekk(store, "one").release
        assert verify(store) == []


def _content(store: Store, manifest: Manifest) -> Any:
    """What a release holds; its tally, which is made when it is needed, is asked for first."""
    tally = tally_of(store, manifest)
    return manifest.tables, manifest.accounting, tally, set(store.list("bases/"))


def test_a_build_that_was_killed_after_the_manifest_is_not_made_twice(store: LocalStore) -> None:
    first = released(store)
    store.delete(POINTER)
    store.delete(Uttrekk(store, "one").release_key)
    assert build_release(store, Uttrekk(store, "one")) == first
    assert current_number(store) == "000001"


def test_an_older_unfinished_release_does_not_take_the_pointer_back(store: LocalStore) -> None:
    released(store, "one")
    store.delete(Uttrekk(store, "one").release_key)
    released(store, "two", label="two")
    assert build_release(store, Uttrekk(store, "one")).number == "000001"
    assert current_number(store) == "000002"
    assert Uttrekk(store, "one").release == "000001"


def test_a_file_that_another_version_left_is_made_anew(store: LocalStore) -> None:
    other = local_store(Path(store.location).parent / "other")
    left = build_release(other, deliver(other, "one", [("d", document(D))]))
    stale = left.tables["identifikasjonsnummer"].files[0].key
    store.write(stale, other.read(left.tables["navn"].files[0].key))

    released(store)
    assert verify(store) == []
    assert query(store, "SELECT count(*) FROM identifikasjonsnummer").fetchall() == [(3,)]


# -- at the same time ------------------------------------------------------------------------------


def _at_once(*works: Callable[[], Manifest]) -> list[Manifest]:
    start = threading.Barrier(len(works))
    done: list[Manifest] = []

    def run(work: Callable[[], Manifest]) -> None:
        start.wait()
        done.append(work())

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == len(works)
    return done


def test_two_who_release_the_same_uttrekk_make_one_release(store: LocalStore) -> None:
    deliver(store, "one", *EVERYONE)
    first, second = _at_once(
        *[lambda: build_release(LocalStore(Path(store.location)), Uttrekk(store, "one"))] * 2
    )
    assert first == second
    assert [one.number for one in list_releases(store)] == ["000001"]
    assert verify(store) == []


def test_a_slow_builder_finds_that_another_has_published(store: LocalStore) -> None:
    uttrekk = deliver(store, "one", *EVERYONE)

    class Slow(Dying):
        def __getattr__(self, name: str) -> Any:
            if name == "write":
                return self._write
            return getattr(self.inner, name)

        def _write(self, key: str, data: bytes) -> bool:
            if key.endswith("ukjent_felt.json"):  # its tables are nearly done
                build_release(self.inner, uttrekk)
            return self.inner.write(key, data)

    slow: Any = Slow(store, 0, after=True)
    manifest = build_release(slow, Uttrekk(slow, "one"))
    assert [one.number for one in list_releases(store)] == [manifest.number] == ["000001"]
    assert verify(store) == []


def test_a_file_that_another_worker_put_just_now_is_the_one_that_counts(store: LocalStore) -> None:
    class Late(Dying):
        def __getattr__(self, name: str) -> Any:
            return self._put_file if name == "put_file" else getattr(self.inner, name)

        def _put_file(self, key: str, source: Path) -> bool:
            sink = pa.BufferOutputStream()
            pq.write_table(pq.read_table(source, partitioning=None), sink, compression="none")
            self.inner.write(key, sink.getvalue().to_pybytes())
            return self.inner.put_file(key, source)

    late: Any = Late(store, 0, after=True)
    deliver(store, "one", *EVERYONE)
    build_release(late, Uttrekk(late, "one"))
    assert verify(store) == []


def test_different_uttrekk_get_different_numbers_and_the_newest_is_current(
    store: LocalStore,
) -> None:
    names = ["one", "two", "three"]
    for name in names:
        deliver(store, name, [(f"d-{name}", document(A, navn=[navn(name)]))])
    done = _at_once(
        *[lambda name=name: build_release(store, Uttrekk(store, name)) for name in names]
    )
    assert sorted(one.number for one in done) == ["000001", "000002", "000003"]
    newest = max(done, key=lambda one: one.number)
    assert current_release(store) == newest
    assert names_in(store) == [newest.uttrekk]


def test_a_pointer_that_a_slower_publisher_set_back_is_set_right(store: LocalStore) -> None:
    released(store, "one")
    deliver(store, "two", [("d-two", document(A, navn=[navn("two")]))])
    deliver(store, "three", [("d-three", document(A, navn=[navn("three")]))])

    class Overtaken(Dying):
        def __getattr__(self, name: str) -> Any:
            return self._replace if name == "replace" else getattr(self.inner, name)

        def _replace(self, key: str, data: bytes) -> None:
            if current_number(self.inner) == "000001":
                build_release(self.inner, Uttrekk(self.inner, "three"))
            self.inner.replace(key, data)

    overtaken: Any = Overtaken(store, 0, after=True)
    assert build_release(overtaken, Uttrekk(overtaken, "two")).number == "000002"
    assert current_number(store) == "000003"
