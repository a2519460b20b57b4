"""What is kept no longer goes, by its kind; what somebody goes on with never does."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from freg_pipeline.advance import Done, next_steps, standing_of
from freg_pipeline.errors import ConfigurationError
from freg_pipeline.journal.access_log import note_access
from freg_pipeline.journal.kinds import AnyKind, Soek
from freg_pipeline.journal.pins import pin
from freg_pipeline.journal.releases import require_current
from freg_pipeline.journal.status import read_status
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake import retention
from freg_pipeline.lake.compact import begin_compaction, compact
from freg_pipeline.lake.guards import Policy
from freg_pipeline.lake.open_tables import register
from freg_pipeline.lake.purge import purge, remove_release
from freg_pipeline.lake.release import build_release
from freg_pipeline.lake.restore import restore
from freg_pipeline.lake.retention import Going, Keeping, objects, retain
from freg_pipeline.lake.verify import verify
from freg_pipeline.settings import load
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.conftest import RunFreg
from freg_pipeline_tests.unit.lake.delivered import (
    LISTE,
    copy_of,
    deliver,
    deliver_events,
    document,
    local_store,
    number,
)

A, B = number(0), number(1)
ALL = Keeping(releases=9, answers=0, staging=0, access=0)
STAYS = {"request.json", "release.json", "end.json"}


@pytest.fixture
def store(copy_of_synced: LocalStore) -> LocalStore:
    return copy_of_synced


def _compacted(store: LocalStore) -> None:
    compaction = begin_compaction(store)
    assert compaction is not None
    compact(store, compaction, lambda more: None)


def _later_sync(store: LocalStore) -> None:
    again = [(B, document(B, day=9))]
    build_release(store, deliver_events(store, 100, 250, again, name="hendelser-000000000100-9"))


def _by_kind(told: list[Going]) -> dict[str, int]:
    return {one.kind: one.objects for one in told}


def _later(monkeypatch: pytest.MonkeyPatch, days: float) -> None:
    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime.now(tz) + timedelta(days=days)

    monkeypatch.setattr(retention, "datetime", Later)


def test_what_goes_is_told_before_and_nothing_goes_then(store: LocalStore) -> None:
    before = store.list("")
    told = retain(store, ALL, dry_run=True)
    assert store.list("") == before
    assert told == retain(store, ALL)
    counted = _by_kind(told)
    assert counted["answers"] > 5
    assert counted["staging"] > 3
    assert len(before) - len(store.list("")) == sum(counted.values())
    assert sum(one.size for one in told) > 1000
    oldest = [one.oldest for one in told if one.objects]
    assert all(one is not None and datetime.now(UTC) - one < timedelta(days=1) for one in oldest)
    assert set(_by_kind(retain(store, ALL)).values()) == {0}


def test_releases_are_as_good_without_raw_answers_and_staging(store: LocalStore) -> None:
    retain(store, ALL)
    left = {key.rpartition("/")[2] for key in store.list("uttrekk/one/")}
    assert left == STAYS
    assert verify(store) == [] == verify(store, "1")
    one = Uttrekk(store, "one")
    assert next_steps(standing_of(one)) == (Done("000001"),)
    assert build_release(store, one).number == "000001"
    assert read_status(one).stage == "released"
    assert restore(store, "2").sekvensnummer == 200
    again = [(B, document(B, day=9))]
    name = "hendelser-000000000200-2"
    after = build_release(store, deliver_events(store, 200, 250, again, name=name))
    assert after.sekvensnummer == 250
    compaction = begin_compaction(store)
    assert compaction is not None
    compact(store, compaction, lambda more: None)
    retain(store, ALL)
    assert verify(store) == []


def test_what_the_last_sync_staged_is_still_looked_at(store: LocalStore) -> None:
    retain(store, ALL)
    assert Uttrekk(store, "hendelser-000000000200").events_staged
    assert not Uttrekk(store, "hendelser-000000000100").events_staged


def test_of_what_is_unfinished_nothing_goes(store: LocalStore) -> None:
    deliver(store, "landed", [("a", document(A))])
    deliver(store, "fetched", [("a", document(A))], land=False)
    sync = deliver_events(store, 300, 400, [(A, document(A, day=3))])
    before = store.list("uttrekk/landed/") + store.list("uttrekk/fetched/")
    before += store.list(sync.key(""))
    retain(store, ALL)
    assert set(before) <= set(store.list("uttrekk/"))
    assert build_release(store, sync).sekvensnummer == 400
    Uttrekk(store, "landed").abandon()
    retain(store, ALL)
    left = {key.rpartition("/")[2] for key in store.list("uttrekk/landed/")}
    assert left == {"request.json", "abandoned.json", "end.json"}


def test_kinds_go_by_their_own_age(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    note_access(store, "sql").gave(1)
    keeping = Keeping(releases=9)
    assert set(_by_kind(retain(store, keeping)).values()) == {0}
    _later(monkeypatch, 2)
    assert {kind for kind, count in _by_kind(retain(store, keeping)).items() if count} == {
        "staging"
    }
    _later(monkeypatch, 31)
    forever = Keeping(releases=9, answers=None, staging=None, access=None)
    assert set(_by_kind(retain(store, forever)).values()) == {0}
    assert _by_kind(retain(store, keeping))["answers"] > 5
    assert store.list("access/")
    _later(monkeypatch, 367)
    assert _by_kind(retain(store, keeping))["access"] == 2
    assert store.list("access/") == []


def test_answers_of_a_release_that_is_purged_are_as_old_as_the_next(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    purge(store, "1")
    assert _by_kind(retain(store, Keeping(releases=9)))["answers"] == 0
    _later(monkeypatch, 31)
    retain(store, Keeping(releases=9))
    assert store.list("uttrekk/one/answers/") == []


def test_a_purge_by_retention_tells_files_and_syncs_that_go_with_releases(
    store: LocalStore,
) -> None:
    compaction = begin_compaction(store)
    assert compaction is not None
    compact(store, compaction, lambda more: None)
    keeping = Keeping(releases=1, release_days=0, answers=None, staging=None)
    before = store.list("")
    told = retain(store, keeping, dry_run=True)
    assert told[0].releases == ["000001", "000002", "000003"]
    assert store.list("") == before
    retain(store, keeping)
    gone = {*before} - {*store.list("")}
    assert len(gone) == told[0].objects
    assert verify(store) == []
    assert require_current(store).number == "000004"


@pytest.mark.parametrize("keeping", [
    Keeping(releases=1, release_days=0, answers=0, staging=0, access=0),
    Keeping(releases=2, release_days=0, answers=0, staging=None, access=None),
    Keeping(releases=1, release_days=0, answers=None, staging=0, access=0),
])  # fmt: skip
def test_of_whatever_lies_there_a_dry_run_tells_just_what_goes(
    store: LocalStore, keeping: Keeping
) -> None:
    """Leftovers of the killed, what formats name, lists, pins, what was given up."""
    note_access(store, "sql").gave(1)
    register(store, "iceberg")
    register(store, "delta")
    _compacted(store)  # formats name the base before
    remove_release(store, "000002")  # a purge that was killed then
    store.write("bases/gone/person/0000.parquet", b"what nobody names")
    deliver(store, "listed", [(A, document(A))], kind=LISTE).abandon()
    deliver(store, "landed", [("a", document(A))])
    build_release(store, deliver(store, "again", [("a", document(A)), ("b", document(B))]))
    _later_sync(store)
    pin(store, "000003", "mine")
    before = {one.key: one.size for one in objects(store, "")}
    told = retain(store, keeping, dry_run=True)
    assert {one.key for one in objects(store, "")} == {*before}

    assert told == retain(store, keeping)

    gone = {one for one in {*before} - {*store.list("")} if not one.startswith("formats/")}
    assert len(gone) == sum(one.objects for one in told)
    assert sum(before[one] for one in gone) == sum(one.size for one in told)
    assert not store.exists("bases/gone/person/0000.parquet")
    assert {one.objects for one in retain(store, keeping)} == {0}
    assert verify(store) == []


def test_a_pinned_release_and_its_files_stay(store: LocalStore, freg: RunFreg) -> None:
    at = {"FREG_STORE": store.location, "FREG_KEEP_RELEASES": "1", "FREG_KEEP_DAYS": "0"}
    assert freg("release", "pin", "1", **at).code == 0
    shown = freg("retention", "--dry-run", "--format", "json", **at)
    assert json.loads(shown.stdout)[0]["releases"] == ["000002"]
    ended = freg("retention", FREG_KEEP_STAGING_DAYS="0", FREG_KEEP_ANSWERS_DAYS="0", **at)
    assert ended.code == 0, ended.stderr
    assert ended.stdout.startswith("Gone:\n  releases  ")
    assert verify(store, "1") == []
    assert A not in ended.stdout + shown.stdout


def test_a_retention_that_is_killed_anywhere_is_finished_by_the_next(
    synced: LocalStore, tmp_path: Path
) -> None:
    class KilledError(Exception):
        pass

    (tmp_path / "from").mkdir()
    made = copy_of(synced, tmp_path / "from")
    deliver(made, "listed", [(A, document(A))], kind=LISTE).abandon()
    whole = copy_of(made, tmp_path)
    count = sum(_by_kind(retain(whole, ALL)).values())
    assert whole.list("uttrekk/listed/") == []
    for at in range(0, count, 3):
        (tmp_path / str(at)).mkdir()
        store = copy_of(made, tmp_path / str(at))
        deletes = iter(range(at))
        delete = store.delete

        def dying(key: str) -> None:
            if next(deletes, None) is None:  # noqa: B023  within its round
                raise KilledError
            delete(key)  # noqa: B023

        store.delete = dying  # type: ignore[method-assign]
        with pytest.raises(KilledError):
            retain(store, ALL)
        store.delete = delete  # type: ignore[method-assign]
        assert verify(store) == []
        assert next_steps(standing_of(Uttrekk(store, "one"))) == (Done("000001"),)
        retain(store, ALL)
        assert store.list("") == whole.list("")


@pytest.mark.parametrize("kind", [Soek(("navn",), "0"), LISTE])
def test_what_was_searched_or_listed_goes_with_its_releases(tmp_path: Path, kind: AnyKind) -> None:
    """The digest of a list of one number tells that number to whoever tries them all."""
    store = local_store(tmp_path)
    build_release(store, deliver(store, "search", [(A, document(A))], kind=kind))
    retain(store, ALL)
    build_release(store, deliver_events(store, 100, 200, [(A, document(A, day=3))]))
    retain(store, Keeping(releases=1, release_days=0, answers=0, staging=0))
    assert Uttrekk(store, "search").exists, "syncs go by it"
    build_release(
        store, deliver(store, "all", [("a", document(A))]), policy=Policy(allow_other_kind=True)
    )
    retain(store, Keeping(releases=1, release_days=0, answers=0, staging=0))
    assert store.list("uttrekk/search/") == []


def test_settings_take_never_and_no_nonsense(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FREG_KEEP_ANSWERS_DAYS", "never")
    assert Keeping.of(load()).answers is None
    for wrong in ("-1", "nan", "soon", "1e9"):
        monkeypatch.setenv("FREG_KEEP_ANSWERS_DAYS", wrong)
        with pytest.raises(ConfigurationError, match="FREG_KEEP_ANSWERS_DAYS is wrong"):
            load()


def test_where_dagsters_records_are_misnamed_nothing_goes(store: LocalStore, freg: RunFreg) -> None:
    before = store.list("uttrekk/")
    none_kept = {"FREG_KEEP_ANSWERS_DAYS": "0", "FREG_KEEP_STAGING_DAYS": "0"}
    wrong = freg("retention", FREG_STORE=store.location, DAGSTER_HOME="/nowhere", **none_kept)
    assert wrong.code == 2
    assert "DAGSTER_HOME (/nowhere) doesn't exist" in wrong.lines[-1]
    assert store.list("uttrekk/") == before
    assert freg("retention", FREG_STORE=store.location, **none_kept).code == 0
    assert len(store.list("uttrekk/")) < len(before)
