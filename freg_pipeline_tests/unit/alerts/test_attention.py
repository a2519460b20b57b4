"""What the store tells needs a person: an uttrekk that waits for one, a release that is late."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from freg_pipeline.alerts.attention import ORDER_PATIENCE, late, waiting
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.release import build_release
from freg_pipeline.settings import load
from freg_pipeline.store import Store, write_record
from freg_pipeline_tests.unit.lake.delivered import (
    HENTET,
    deliver,
    document,
    local_store,
    number,
)

HOUR = timedelta(hours=1)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return local_store(tmp_path)


@pytest.fixture
def manifest(store: Store) -> Manifest:
    return build_release(store, deliver(store, "one", [("d1", document(number(1)))]))


def keys(manifest: Manifest | None, now: datetime, **limits: float) -> list[str]:
    settings = load(**{"late_sync_hours": 3.0, "late_full_load_days": 400.0, **limits})
    return [sign.key for sign in late(manifest, settings, now=now)]


def test_a_release_is_late_once_it_is_older_than_the_setting_says(manifest: Manifest) -> None:
    assert keys(manifest, manifest.created + 2.9 * HOUR, late_full_load_days=0) == []
    late_since = manifest.created + 3.1 * HOUR
    assert keys(manifest, late_since, late_full_load_days=0) == ["late/sync"]
    assert keys(manifest, late_since, late_full_load_days=0, late_sync_hours=0) == []
    (sign,) = late(manifest, load(late_sync_hours=3, late_full_load_days=0), now=late_since)
    assert sign.at == manifest.created + 3 * HOUR
    assert "longer than 3 hours (FREG_LATE_SYNC_HOURS)" in sign.what


def test_a_quiet_register_makes_no_release_late(manifest: Manifest) -> None:
    now = manifest.created + 100 * HOUR
    settings = load(late_full_load_days=0)
    assert list(late(manifest, settings, at_register=now - HOUR, now=now)) == []
    assert len(list(late(manifest, settings, at_register=now - 4 * HOUR, now=now))) == 1


def test_the_last_full_load_grows_old_however_many_syncs_follow(manifest: Manifest) -> None:
    """Its age is that of the order, and of a release without a sync too."""
    full_load = HENTET
    limits = {"late_sync_hours": 0, "late_full_load_days": 365}
    assert keys(manifest, full_load + timedelta(days=364), **limits) == []
    assert keys(manifest, full_load + timedelta(days=366), **limits) == ["late/full_load"]


def test_without_a_release_nothing_is_late() -> None:
    assert keys(None, HENTET) == []


def test_an_order_whose_fate_is_unknown_waits_for_a_person(store: Store) -> None:
    done = deliver(store, "done", [("d1", document(number(1)))])
    build_release(store, done)
    deliver(store, "ready", [("d1", document(number(1)))])
    uncertain = deliver(store, "uncertain")
    store.delete(uncertain.end_key)
    write_record(store, uncertain.order_key(1, "sent"), {})
    (sign,) = waiting(store, load(), now=HENTET)
    assert sign.key == "waiting/uncertain"
    assert "freg uttrekk resume uncertain --order-again" in sign.remedy
    assert sign.patience == ORDER_PATIENCE, "an order that is answered in a moment is no trouble"
    uncertain.abandon()
    assert waiting(store, load(), now=HENTET) == []


def test_a_first_batch_that_never_comes_is_told(store: Store) -> None:
    silent = _ordered(store, "silent")
    settings = load(poll_timeout_hours=24)
    assert waiting(store, settings, now=HENTET + 23 * HOUR) == []
    (sign,) = waiting(store, settings, now=HENTET + 25 * HOUR)
    assert sign.key == f"waiting/{silent.name}"
    assert "longer than 24 hours (FREG_POLL_TIMEOUT_HOURS)" in sign.what


def test_one_that_is_damaged_hides_no_other(store: Store) -> None:
    """Damage is trouble of its own: it is told with what to do."""
    damaged, uncertain = _ordered(store, "damaged"), deliver(store, "uncertain")
    store.delete(uncertain.end_key)
    write_record(store, uncertain.order_key(1, "sent"), {})
    store.replace(damaged.order_key(1, "answer"), b"nonsense")
    names = {sign.key for sign in waiting(store, load(), now=HENTET)}
    assert names >= {"waiting/uncertain"}


def _ordered(store: Store, name: str) -> Uttrekk:
    """An uttrekk whose job the register has taken, and of which nothing has come."""
    uttrekk = deliver(store, name)
    store.delete(uttrekk.end_key)
    write_record(store, uttrekk.order_key(1, "sent"), {})
    write_record(store, uttrekk.order_key(1, "answer"), {"jobbId": "job-1"})
    return uttrekk
