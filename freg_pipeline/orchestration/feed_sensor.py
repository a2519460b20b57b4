"""The sensor that keeps the release current: one cheap call a minute, and a run where one is due.

What is due follows from the release, the register's last number and Dagster's runs, not from a
cursor, and runs have no ``run_key``: a key is remembered for ever, so a run that failed could never
be requested again.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of decorated functions.

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

import dagster as dg

from freg_pipeline.errors import FregError, StoreError
from freg_pipeline.feed.position import BegunAnewError, last_number
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.releases import current_release
from freg_pipeline.orchestration.common import Job
from freg_pipeline.orchestration.names import Names
from freg_pipeline.orchestration.resources import Freg, freg_of
from freg_pipeline.orchestration.running import Running
from freg_pipeline.orchestration.runs import UNDER_WAY, is_lost_again_and_again, trouble_of
from freg_pipeline.orchestration.shown import confirmation, is_shown, recorded
from freg_pipeline.orchestration.tables import TableEvent
from freg_pipeline.orchestration.telling import in_our_words
from freg_pipeline.orchestration.tick_time import TickTime

LONGEST_RUN = timedelta(hours=3)
FROM_TAG, _TO = "freg/etter", "freg/siste"  # of the events that a run was requested for


def hendelser_sensor(names: Names, job: Job, running: Running) -> dg.SensorDefinition:
    """What requests syncs."""
    name = "hendelser_sensor"

    @dg.sensor(
        name=names.of(name),
        job=job,
        minimum_interval_seconds=60,
        default_status=running.sensor(name),
        required_resource_keys={names.resource},
        description=(
            "Asks the register for its last event's number, and requests a sync if it is new."
        ),
    )
    @in_our_words
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        """Request a sync if the register is ahead of the release and no sync is under way.

        A release that a command has published beside Dagster is recorded, so that it shows.
        """
        freg = freg_of(context, names)
        manifest = current_release(freg.store)
        if manifest is None:
            return dg.SkipReason("There is no release yet: make a full load first.")
        tick = _Tick(context, names, freg, manifest, _Runs(context.instance, job.name, manifest))
        if tick.runs.under_way:
            return dg.SkipReason("A sync is running.")
        return tick.result()

    return sensor


@dataclass(frozen=True)
class _Tick:
    """One evaluation of the sensor, where there is a release and no sync is under way.

    Attributes:
        context: of the sensor.
        names: of the store.
        freg: settings, store and register.
        manifest: of the current release.
        runs: that were requested from where it stands.
    """

    context: dg.SensorEvaluationContext
    names: Names
    freg: Freg
    manifest: Manifest
    runs: "_Runs"

    def result(self) -> dg.SensorResult | dg.SkipReason:
        """What is due, and what records the release if nothing has yet."""
        due = self._due()
        if is_shown(self.context.instance, self.names, self.manifest):
            return due
        shown = self._shown()
        if isinstance(due, dg.SkipReason):
            return dg.SensorResult(skip_reason=due, asset_events=[*shown])
        return due._replace(asset_events=[*due.asset_events, *shown])

    def _shown(self) -> list[TableEvent]:
        """What records a release. A catalogue that can't be written doesn't hold syncs up."""
        shown: list[TableEvent] = []
        try:  # extending keeps what came before it failed
            shown.extend(
                recorded(self.context.instance, self.names, self.freg.store, self.manifest)
            )
        except StoreError as error:
            self.context.log.warning(str(error))
        return shown

    def _due(self) -> dg.SensorResult | dg.SkipReason:
        position = self.manifest.sekvensnummer
        if self.runs.is_held:
            return dg.SkipReason(
                "The last syncs from here all lost their worker: nobody requests another. Give it"
                " more memory, and launch sync_hendelser."
            )
        if (seconds := self.runs.wait()) > 0:
            return dg.SkipReason(f"Syncs from here have failed; the next one in {seconds:.0f} s.")
        try:
            tick = TickTime(self.freg.settings.tick_seconds)
            last = tick.ask(self.freg, lambda register: last_number(register, self.manifest))
        except BegunAnewError as error:
            return self._refuse(error)
        except FregError as error:
            return dg.SkipReason(str(error))
        if last <= position or self.runs.found_nothing(last):
            return self._confirm()
        tags = {FROM_TAG: str(position), _TO: str(last)}
        return dg.SensorResult(run_requests=[dg.RunRequest(tags=tags)])

    def _refuse(self, error: BegunAnewError) -> dg.SensorResult | dg.SkipReason:
        """Request nothing, and have the asset's check fail, once: somebody has to look."""
        said = str(error)
        if self.context.cursor == said:
            return dg.SkipReason(said)
        failed = dg.AssetCheckEvaluation(
            asset_key=self.names.key("hendelser"),
            check_name="not_behind",
            passed=False,
            description=said,
        )
        return dg.SensorResult(skip_reason=dg.SkipReason(said), asset_events=[failed], cursor=said)

    def _confirm(self) -> dg.SensorResult | dg.SkipReason:
        """Record that the release is current, so that its freshness shows; not at every tick."""
        made = confirmation(self.context.instance, self.names, self.manifest)
        if made is None:
            return dg.SkipReason("Nothing new.")
        return dg.SensorResult(asset_events=[made])


class _Runs:
    """The syncs that were requested from one position.

    Args:
        instance: whose runs.
        job: that makes syncs.
        manifest: of the release that they start from.
    """

    def __init__(self, instance: dg.DagsterInstance, job: str, manifest: Manifest) -> None:
        self._instance = instance
        self._job = job
        self._position = str(manifest.sekvensnummer)

    @property
    def under_way(self) -> bool:
        """Whether any sync is, from this position or another.

        One that was begun long ago has lost its process: two at once do no harm.
        """
        begun = datetime.now(UTC) - LONGEST_RUN
        wanted = dg.RunsFilter(job_name=self._job, statuses=UNDER_WAY, created_after=begun)
        return bool(self._get(wanted, limit=1))

    def wait(self) -> float:
        """Seconds until another try is due: longer after each that failed."""
        failed = self._failed
        return trouble_of(failed).until.timestamp() - time.time() if failed else 0.0

    @property
    def is_held(self) -> bool:
        """Whether each try from here loses its worker: a person has to look."""
        return is_lost_again_and_again(self._failed)

    @cached_property
    def _failed(self) -> list[dg.RunRecord]:
        tags = {FROM_TAG: self._position}
        statuses = [dg.DagsterRunStatus.FAILURE]
        return self._get(dg.RunsFilter(job_name=self._job, statuses=statuses, tags=tags))

    def found_nothing(self, last: int) -> bool:
        """Whether a sync towards this very number has succeeded, and the release stayed.

        The last number may be that of an event that the package of rights doesn't see.
        """
        tags = {FROM_TAG: self._position, _TO: str(last)}
        succeeded = dg.RunsFilter(
            job_name=self._job, statuses=[dg.DagsterRunStatus.SUCCESS], tags=tags
        )
        return bool(self._get(succeeded, limit=1))

    def _get(self, wanted: dg.RunsFilter, limit: int | None = 20) -> list[dg.RunRecord]:
        return list(self._instance.get_run_records(wanted, limit=limit))
