"""The copy in a warehouse, where one is configured: an asset, its job, and the sensor that asks.

What a copy has it says itself; what Dagster has recorded of it decides only whether a run is
requested.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of decorated functions.

import dagster as dg

from freg_pipeline.journal.pointer import current_number
from freg_pipeline.orchestration.common import OWNERS, Job
from freg_pipeline.orchestration.metadata import counts
from freg_pipeline.orchestration.names import Names
from freg_pipeline.orchestration.resources import Freg, freg_of
from freg_pipeline.orchestration.running import Running
from freg_pipeline.orchestration.runs import UNDER_WAY, runs_of
from freg_pipeline.orchestration.telling import in_our_words
from freg_pipeline.orchestration.workers import Workers
from freg_pipeline.settings import Settings

COPY, LOAD_COPY, COPY_SENSOR = "kopi", "load_copy", "kopi_sensor"


def copy_definitions(
    names: Names, freg: Freg, running: Running, workers: Workers
) -> dg.Definitions:
    """The copy's definitions; none, where no destination is configured.

    Args:
        names: what everything is called.
        freg: whose settings name the destination.
        running: which sensors run from the start.
        workers: where jobs run.
    """
    settings = freg.settings_now()
    if settings is None or settings.load_to is None:
        return dg.Definitions()
    asset, job = copy_asset(names), copy_job(names, workers)
    return dg.Definitions(assets=[asset], jobs=[job], sensors=[copy_sensor(names, job, running)])


def copy_asset(names: Names) -> dg.AssetsDefinition:
    """The copy."""

    @dg.asset(
        key=names.key(COPY),
        deps=[names.key("release"), names.key("hendelser")],
        group_name=names.of("readers"),
        kinds={"dlt"},
        owners=OWNERS,
        pool=names.of(COPY),
        required_resource_keys={names.resource},
        description=(
            "The tables in the warehouse that FREG_LOAD_TO names: as a whole the first time, then"
            " what has changed. May be interrupted, and goes on."
        ),
    )
    @in_our_words
    def kopi(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        """Bring the copy to the current release."""
        # Not for those who have no copy: what copies rows takes a quarter of a second.
        from freg_pipeline.load.destination import destination
        from freg_pipeline.load.loading import load

        freg = freg_of(context, names)
        loaded = load(freg.store, destination(_where(freg.settings), freg.settings.load_schema))
        return dg.MaterializeResult(
            metadata={
                "release": loaded.release,
                "since": loaded.since or "nothing",
                **counts(sekvensnummer=loaded.sekvensnummer, rows_sent=loaded.rows),
            }
        )

    return kopi


def _where(settings: Settings) -> str:
    return settings.load_to or ""  # taken away since the code location was loaded: no destination


def copy_job(names: Names, workers: Workers) -> Job:
    """What loads it."""
    return dg.define_asset_job(
        names.of(LOAD_COPY),
        selection=[names.key(COPY)],
        **workers.place(LOAD_COPY),
        description="Brings the copy in the warehouse to the current release.",
    )


def copy_sensor(names: Names, job: Job, running: Running) -> dg.SensorDefinition:
    """What sees to it that it is current."""

    @dg.sensor(
        name=names.of(COPY_SENSOR),
        job=job,
        minimum_interval_seconds=60,
        default_status=running.sensor(COPY_SENSOR),
        required_resource_keys={names.resource},
        description="Brings the copy in the warehouse along after each release.",
    )
    @in_our_words
    def sensor(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        """Request a run, if there is a release that isn't known to have been copied."""
        number = current_number(freg_of(context, names).store)
        if number is None:
            return dg.SkipReason("there is no release yet")
        instance = context.instance
        if number == _copied(instance, names):
            return dg.SkipReason(f"the copy is at release {number}")
        under_way = dg.RunsFilter(job_name=job.name, statuses=UNDER_WAY)
        tag = {names.tag(COPY): number}
        if instance.get_run_records(under_way, limit=1) or not runs_of(instance, tag).may_begin(
            job.name
        ):
            return dg.SkipReason("a load is under way, or waits after a failure")
        return dg.RunRequest(tags=tag)

    return sensor


def _copied(instance: dg.DagsterInstance, names: Names) -> object:
    """The release of the last load that Dagster has recorded."""
    event = instance.get_latest_materialization_event(names.key(COPY))
    told = event.asset_materialization.metadata if event and event.asset_materialization else {}
    return told["release"].value if "release" in told else None
