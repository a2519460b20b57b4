"""``freg hendelser sync`` as users run it: what it says, how it ends, how it follows."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import duckdb
import pytest

from freg_pipeline.cli import main
from freg_pipeline.journal.releases import require_current
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.verify import verify
from freg_pipeline.settings import Settings
from freg_pipeline.store import open_store
from freg_pipeline_tests.conftest import StartRegister
from freg_pipeline_tests.loads import full_load
from freg_pipeline_tests.registers import happen, status_of, tampered
from freg_pipeline_tests.waiting import STUCK_SECONDS, started, wait_until


@pytest.fixture
def settings(start_register: StartRegister, make_settings: Callable[..., Settings]) -> Settings:
    """A living register, loaded."""
    settings = make_settings(start_register(persons=100))
    full_load(settings)
    return settings


def run(settings: Settings, *arguments: str) -> int:
    places = ("--base-url", str(settings.base_url), "--store", settings.store)
    with pytest.raises(SystemExit) as ended:
        main([*arguments, *places, "--poll-seconds", "0.05"])
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_it_tells_what_it_took_and_then_that_nothing_is_new(
    settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    last = happen(str(settings.base_url), 40)
    assert run(settings, "hendelser", "sync") == 0
    told = capfd.readouterr().out
    assert told.startswith("Release 000002: ")
    assert "events" in told
    assert f"up to date at {last}" in told
    assert run(settings, "hendelser", "sync") == 0
    assert f"Release 000002: nothing new, up to date at {last}" in capfd.readouterr().out
    assert run(settings, "uttrekk", "status") == 0
    assert "hendelser-" in capfd.readouterr().out
    catalogue = Path(settings.store) / "freg.duckdb"
    with duckdb.connect(str(catalogue), read_only=True) as connection:
        assert connection.execute("SELECT max(sekvensnummer) FROM hendelse").fetchall() == [(last,)]


def test_it_tells_of_event_documents_that_could_not_be_had(
    settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    def without_the_first(path: str, body: bytes) -> bytes:
        if path != "hendelser/bulkoppslag":
            return body
        answer = json.loads(body)
        documents = answer if isinstance(answer, list) else next(iter(answer.values()))
        del documents[0]
        return json.dumps(answer).encode()

    happen(str(settings.base_url), 20)
    with tampered(str(settings.base_url), without_the_first) as url:
        assert run(settings.model_copy(update={"base_url": url}), "hendelser", "sync") == 0
    told = capfd.readouterr().out
    assert "Left out, and named in avvik: 1 event documents that the register doesn't give" in told


def test_staging_goes_with_the_next_sync_and_raw_answers_stay(settings: Settings) -> None:
    store = open_store(settings)
    for _ in range(2):
        happen(str(settings.base_url), 10)
        assert run(settings, "hendelser", "sync") == 0
    first, second = (one for one in Uttrekk.list_all(store) if one.kind.is_sync)
    assert store.list(first.key("tables/")) == []
    assert store.list(second.key("tables/")) != []
    for kept in ("feed/", "batches/", "answers/", "hendelsesdokumenter/"):
        assert store.list(first.key(kept)) != []
    assert verify(store) == []


def test_too_old_is_a_refusal_unless_a_full_load_is_wanted(
    settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    last = happen(str(settings.base_url), 30)
    happen(str(settings.base_url), 0, path="alder", sekvensnummer=last)
    assert run(settings, "hendelser", "sync") == 3
    (line,) = capfd.readouterr().err.strip().splitlines()
    assert "freg uttrekk komplett" in line
    assert run(settings, "hendelser", "sync", "--full-load-when-too-old") == 0
    manifest = require_current(open_store(settings))
    assert (manifest.kind, manifest.sekvensnummer) == ("komplett", last)
    assert manifest.deltas == ()


def test_a_list_that_is_not_there_is_never_taken_for_one_without_events(
    settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    """The API description has a 404 for the event list, and doesn't say when."""
    store, last = open_store(settings), happen(str(settings.base_url), 30)
    with tampered(str(settings.base_url), statuses={"hendelser/feed": 404}) as url:
        without = settings.model_copy(update={"base_url": url})
        for more in ((), ("--follow",)):
            assert run(without, "hendelser", "sync", *more) == 3
            out, err = capfd.readouterr()
            assert not out
            (line,) = err.strip().splitlines()
            assert "hendelser/feed answered 404" in line
            assert "FREG_RETTIGHETSPAKKE" in line
    assert require_current(store).number == "000001"
    assert [one.name for one in Uttrekk.list_all(store) if one.kind.is_sync] == []
    assert run(settings, "hendelser", "sync") == 0
    assert require_current(store).sekvensnummer == last


def test_a_register_that_has_begun_anew_is_refused_and_a_new_load_leads_on(
    start_register: StartRegister,
    settings: Settings,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("freg_pipeline.feed.position.FIRST_PAUSE", 0.01)
    last = happen(str(settings.base_url), 40)
    assert run(settings, "hendelser", "sync") == 0
    anew = settings.model_copy(update={"base_url": start_register(persons=100)})
    capfd.readouterr()
    for command in (("hendelser", "sync"), ("check",)):
        assert run(anew, *command) == 2
        (line,) = capfd.readouterr().err.strip().splitlines()
        assert f"release 000002 is at {last:,}" in line
        assert "freg uttrekk komplett" in line
    assert require_current(open_store(settings)).number == "000002"
    assert run(anew, "uttrekk", "komplett", "--name", "anew") == 0
    happen(str(anew.base_url), 40)
    assert run(anew, "hendelser", "sync") == 0
    assert verify(open_store(anew)) == []


def test_following_it_syncs_when_there_is_news_asks_cheaply_and_ends_well(
    settings: Settings, tmp_path: Path
) -> None:
    url = str(settings.base_url)
    store = open_store(settings)
    with _following(settings, tmp_path) as process:
        for release in ("000002", "000003"):
            last = happen(url, 10)
            wait_until(lambda last=last: require_current(store).sekvensnummer == last, process)
            assert require_current(store).number == release
        quiet = _asked(url, "hendelser/feed"), _asked(url, "hendelser/siste/sekvensnummer")
        wait_until(lambda: _asked(url, "hendelser/feed") > quiet[0] + 3, process)
        assert _asked(url, "hendelser/siste/sekvensnummer") <= quiet[1] + 1
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=STUCK_SECONDS)
    assert process.returncode == 130
    assert "up to date" in out


def test_in_a_shells_background_it_ends_at_sigterm_too(settings: Settings, tmp_path: Path) -> None:
    """A script's shell lets its background jobs ignore SIGINT, and Dagster copies that."""
    store, last = open_store(settings), happen(str(settings.base_url), 10)
    with _following(settings, tmp_path, shell_job=True) as process:
        wait_until(lambda: require_current(store).sekvensnummer == last, process)
        time.sleep(1)  # it waits for news
        process.terminate()
        process.communicate(timeout=STUCK_SECONDS)
    assert process.returncode == 143


def _following(
    settings: Settings, folder: Path, *, shell_job: bool = False
) -> AbstractContextManager[subprocess.Popen[str]]:
    command = [
        sys.executable, "-m", "freg_pipeline.cli", "hendelser", "sync", "--follow",
        "--follow-seconds", "0.1",
    ]  # fmt: skip
    return started(
        ["sh", "-c", 'trap "" INT; exec "$@"', "sh", *command] if shell_job else command,
        env={
            **os.environ,
            "FREG_STORE": settings.store,
            "FREG_BASE_URL": str(settings.base_url),
        },
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
    )


def _asked(url: str, service: str) -> int:
    return int(status_of(url)["requests"][service])
