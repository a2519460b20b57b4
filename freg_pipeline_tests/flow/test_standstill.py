"""A sync with nothing to do imports nothing heavy, and asks the store and the register little."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from freg_pipeline.errors import ConfigurationError
from freg_pipeline.feed import standstill
from freg_pipeline.feed.standstill import at_standstill, note_standstill, opening
from freg_pipeline.journal.releases import require_current
from freg_pipeline.settings import Settings
from freg_pipeline.store import open_store
from freg_pipeline_tests.conftest import StartRegister
from freg_pipeline_tests.imported import heavy_imports
from freg_pipeline_tests.loads import full_load, sync
from freg_pipeline_tests.registers import happen


@pytest.fixture
def loaded(start_register: StartRegister, make_settings: Callable[..., Settings]) -> Settings:
    settings = make_settings(start_register(persons=20))
    full_load(settings)
    (Path(settings.store) / "dagster").mkdir()
    return settings


def _noted(settings: Settings, ago: timedelta = timedelta()) -> None:
    store = open_store(settings)
    note_standstill(settings, store, require_current(store), datetime.now(UTC) - ago)


def _is_over(settings: Settings) -> bool:
    with opening(settings) as opened:
        return at_standstill(opened) is not None


def test_nothing_heavy_is_imported_for_nothing(loaded: Settings) -> None:
    _noted(loaded)
    told, heavy = heavy_imports(loaded, "hendelser", "sync")
    assert told.startswith("Release 000001: nothing new, up to date at ")
    assert heavy == set()
    assert "\n" not in told


def test_what_has_not_been_noted_is_looked_at(loaded: Settings) -> None:
    assert not _is_over(loaded)
    _noted(loaded)
    assert _is_over(loaded)
    assert not _is_over(loaded.model_copy(update={"key_prefix": "another"}))


def test_that_nothing_is_new_is_recorded_now_and_then(loaded: Settings) -> None:
    _noted(loaded, ago=standstill.CONFIRMED_EVERY)
    assert not _is_over(loaded)


def test_news_and_another_release_end_it(loaded: Settings) -> None:
    _noted(loaded)
    happen(str(loaded.base_url), 5)
    assert not _is_over(loaded)
    assert sync(loaded)
    assert not _is_over(loaded), "nobody has noted the new release"


def test_a_note_that_cannot_be_read_or_written_is_none(loaded: Settings) -> None:
    _noted(loaded)
    (note,) = (Path(loaded.store) / "dagster").glob(".freg-shown-*")
    note.write_text("{")
    assert not _is_over(loaded)
    note.unlink()
    note.mkdir()
    _noted(loaded)
    assert not _is_over(loaded)


def test_without_a_release_there_is_nothing_to_keep_current(
    start_register: StartRegister, make_settings: Callable[..., Settings]
) -> None:
    with pytest.raises(ConfigurationError, match="no release yet"):
        _is_over(make_settings(start_register(persons=1)))
