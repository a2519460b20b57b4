"""``freg status``: one look at what is late, fails or waits for a person, without a daemon."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from freg_pipeline.lake.release import build_release
from freg_pipeline_tests.conftest import RunFreg
from freg_pipeline_tests.receivers import webhook
from freg_pipeline_tests.unit.feed.made import EventList, event
from freg_pipeline_tests.unit.lake.delivered import deliver, document, local_store, number

POSITION = 100
LIMITS = {"FREG_LATE_SYNC_HOURS": "0.01", "FREG_LATE_FULL_LOAD_DAYS": "0"}  # 36 seconds


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a release at position 100."""
    folder = tmp_path_factory.mktemp("status")
    store = local_store(folder)
    uttrekk = deliver(store, "one", [("d1", document(number(1)))], sekvensnummer=POSITION)
    build_release(store, uttrekk)
    return Path(store.location)


@pytest.fixture
def store(made: Path, tmp_path: Path) -> str:
    return str(shutil.copytree(made, tmp_path / "store"))


@pytest.fixture
def feed() -> EventList:
    return EventList([event(POSITION)])


@pytest.fixture
def url(feed: EventList) -> Iterator[str]:
    with feed.served() as url:
        yield url


def facts(text: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(text)
    told["keys"] = {one["key"] for one in told["to_see_to"]}
    return told


def test_where_all_is_well_it_says_so_and_writes_nothing(
    freg: RunFreg, store: str, url: str
) -> None:
    before = sorted(Path(store).rglob("*"))
    ended = freg("status", FREG_STORE=store, FREG_BASE_URL=url, FREG_LATE_FULL_LOAD_DAYS="0")
    assert ended.code == 0, ended.stdout + ended.stderr
    assert "at the register's last event" in ended.stdout
    assert "Nothing is late, has failed or waits for a person." in ended.stdout
    assert "Dagster's records aren't here" in ended.stdout
    assert sorted(Path(store).rglob("*")) == before


def test_what_is_behind_for_too_long_is_late_and_the_exit_code_says_so(
    freg: RunFreg, store: str, url: str, feed: EventList
) -> None:
    long_ago = "2026-01-01T00:00:00Z"
    feed.events.append(event(POSITION + 5, ajourholdstidspunkt=long_ago))
    ended = freg("status", "--format", "json", FREG_STORE=store, FREG_BASE_URL=url, **LIMITS)
    told = facts(ended.stdout)
    assert ended.code == 4, ended.stderr
    assert (told["in_order"], told["keys"]) == (False, {"late/sync"})
    assert told["events_behind"] == 5
    assert told["minutes_behind"] > 1000


def test_a_register_that_is_away_is_said_and_not_asked_where_nobody_wants_that(
    freg: RunFreg, store: str
) -> None:
    environment = {"FREG_STORE": store, "FREG_BASE_URL": "http://127.0.0.1:1"}
    environment["FREG_LATE_FULL_LOAD_DAYS"] = "0"
    ended = freg("status", **environment)
    assert ended.code == 4
    assert "can't be asked" in ended.stdout
    assert freg("status", "--no-ask", **environment).code == 0


def test_a_register_that_is_behind_the_release_is_said(
    freg: RunFreg, store: str, url: str, feed: EventList
) -> None:
    feed.events[:] = [event(POSITION - 50)]
    ended = freg("status", FREG_STORE=store, FREG_BASE_URL=url, FREG_LATE_FULL_LOAD_DAYS="0")
    assert ended.code == 4, ended.stdout + ended.stderr
    assert "the register was restored from a backup or reset" in ended.stdout
    assert "at the register's last event" not in ended.stdout


def test_without_a_release_it_says_what_to_do(freg: RunFreg) -> None:
    ended = freg("status", "--no-ask")
    assert ended.code == 4
    assert "there is no release yet. Make a full load: freg uttrekk komplett." in ended.stdout


def test_what_failed_is_known_by_dagsters_records(freg: RunFreg, store: str, url: str) -> None:
    """A sync against a register that has begun anew fails, and leaves a run that says why."""
    with EventList([event(POSITION - 50)]).served() as anew:
        assert freg("hendelser", "sync", FREG_STORE=store, FREG_BASE_URL=anew).code != 0
    ended = freg("status", FREG_STORE=store, FREG_BASE_URL=url, FREG_LATE_FULL_LOAD_DAYS="0")
    assert ended.code == 4
    (line,) = (one for one in ended.stdout.splitlines() if one.startswith("*"))
    assert "sync_hendelser failed: the register's last event is number 50" in line
    assert f"{datetime.now(UTC):%Y}" in line


def test_a_test_message_shows_who_can_be_told(freg: RunFreg) -> None:
    with webhook() as hook:
        address = f"http://127.0.0.1:{hook.port}/s3cret-path"
        ended = freg("status", "--test-alert", FREG_ALERTS=address)
        assert (ended.code, ended.stdout) == (0, "receiver 1 of FREG_ALERTS (JSON) took it\n")
        assert len(hook.lines) == 1
        hook.status = 500
        ended = freg("status", "--test-alert", FREG_ALERTS=address)
    assert ended.code == 1
    assert "didn't take the message" in ended.stdout
    assert "s3cret" not in ended.stdout + ended.stderr
    assert freg("status", "--test-alert").code == 2
