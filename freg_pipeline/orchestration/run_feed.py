"""Keeping current in this process: the same asset and job as on Dagster's page.

For the command, and for those without a daemon.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import dagster as dg

from freg_pipeline.feed.standstill import note_standstill
from freg_pipeline.feed.watch import has_news, wait_for_events
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.releases import read_manifest, require_current
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.orchestration.config import ReleaseConfig, SyncConfig
from freg_pipeline.orchestration.engine import Engine, open_engine
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline.orchestration.run import carry_on
from freg_pipeline.orchestration.shown import confirmation, confirmed_at, is_shown

NO_LIMIT = 1_000_000  # slices: a command goes on until nothing is new


@dataclass(frozen=True)
class Synced:
    """What a sync took.

    Attributes:
        manifest: the release that is current now.
        releases: how many were published.
        events: how many they took.
        without_document: events' documents that the register didn't give.
        not_followed: events that name neither a person nor a document.
        persons: looked up; one with events in several slices counts in each.
        seconds: what it took.
        events_behind: events that the register has and the release hasn't, at the most.
    """

    manifest: Manifest
    releases: int
    events: int
    without_document: int
    not_followed: int
    persons: int
    seconds: float
    events_behind: int


class Syncing:
    """Syncs one after the other, with one Dagster instance.

    Args:
        freg: settings, store and register.
        engine: runs the job.
        strictness: how strict the releases are.
    """

    def __init__(self, freg: Freg, engine: Engine, strictness: ReleaseConfig) -> None:
        self._freg = freg
        self._engine = engine
        self._strictness = strictness

    def once(self) -> Synced:
        """Bring the current release up to the register's latest event.

        Where the event list no longer reaches back, and settings say so, that is a full load.

        Raises:
            ConfigurationError: there is no release, or it was made with other settings.
            TooOldError: the event list no longer reaches back to it.
            IncompleteError: not everything is accounted for: the release stays where it is.
            RefusedError, PassingError: as for every request.
        """
        current = require_current(self._freg.store)
        if not self._is_due(current):
            return Synced(current, 0, 0, 0, 0, 0, 0.0, 0)
        config = SyncConfig(slices=NO_LIMIT, **self._strictness.model_dump())
        result = self._engine.run("sync_hendelser", config={"hendelser": config.model_dump()})
        names = self._engine.names
        (made,) = (
            one
            for one in result.asset_materializations_for_node(names.of("hendelser"))
            if one.asset_key == names.key("hendelser")  # the releases that it published are others
        )
        if "full_load" in made.metadata:
            name = str(made.metadata["full_load"].value)
            carry_on(self._freg, Uttrekk(self._freg.store, name), release=self._strictness)
            return self.once()
        current = read_manifest(self._freg.store, str(made.metadata["release"].value))
        self._note(current)
        return Synced(
            manifest=current,
            releases=int(_number(made, "releases")),
            events=int(_number(made, "events")),
            without_document=int(_number(made, "events_without_document")),
            not_followed=int(_number(made, "events_not_followed")),
            persons=int(_number(made, "persons")),
            seconds=_number(made, "seconds"),
            events_behind=int(_number(made, "events_behind")),
        )

    def _is_due(self, current: Manifest) -> bool:
        """Whether there is anything for a run to do: each run is recorded."""
        instance, names, settings = self._engine.instance, self._engine.names, self._freg.settings
        if not is_shown(instance, names, current):
            return True
        if self._freg.ask(lambda register: has_news(register, settings, current)):
            return True
        made = confirmation(instance, names, current)
        if made is not None:
            instance.report_runless_asset_event(made)
        self._note(current)
        return False

    def _note(self, current: Manifest) -> None:
        """Spare the next one the look at the records."""
        at = confirmed_at(self._engine.instance, self._engine.names)
        note_standstill(self._freg.settings, self._freg.store, current, at or datetime.now(UTC))

    def wait(self) -> None:
        """Wait until the register has an event that the release doesn't contain."""
        current, settings = require_current(self._freg.store), self._freg.settings
        self._freg.ask(lambda register: wait_for_events(register, settings, current))


@contextmanager
def syncing(freg: Freg, strictness: ReleaseConfig | None = None) -> Iterator[Syncing]:
    """What syncs are made with, one or many.

    Args:
        freg: settings, store and register.
        strictness: by default as strict as possible.
    """
    with open_engine(freg) as engine:
        yield Syncing(freg, engine, strictness or ReleaseConfig())


def _number(made: dg.AssetMaterialization, name: str) -> float:
    value = made.metadata[name].value
    return value if isinstance(value, int | float) else 0
