"""Schedules: when something begins by itself."""

# No `from __future__ import annotations`: Dagster reads the annotations of decorated functions.

import dagster as dg

from freg_pipeline.orchestration.config import OrderKind
from freg_pipeline.orchestration.jobs import full_load
from freg_pipeline.orchestration.partitions import UTTREKK
from freg_pipeline.orchestration.purging import purge_job
from freg_pipeline.orchestration.runs import UTTREKK_TAG
from freg_pipeline.orchestration.spot_check import spot_check_job


@dg.schedule(
    job=full_load,
    cron_schedule="0 2 1 1,4,7,10 *",
    execution_timezone="Europe/Oslo",
    description=(
        "A full load each quarter, at night. A safety net for what no event tells: the register"
        " has changed documents of very many persons without any. It means a komplett uttrekk for"
        " the first load, never for daily upkeep: agree a large one with its staff before you turn"
        " this on. Off until then; spot_check tells whether there is a need."
    ),
)
def quarterly_full_load(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Order a new komplett uttrekk named after its date."""
    name = f"komplett-{context.scheduled_execution_time:%Y%m%d}"
    context.instance.add_dynamic_partitions(UTTREKK.name or "", [name])
    return dg.RunRequest(
        run_key=name,
        partition_key=name,
        run_config={"ops": {"uttrekk": {"config": {"kind": OrderKind.komplett.name}}}},
        tags={UTTREKK_TAG: name},
    )


@dg.schedule(
    job=spot_check_job,
    cron_schedule="30 6 * * 1",
    execution_timezone="Europe/Oslo",
    description=(
        "Each Monday morning, 200 persons drawn at random against the tables: finds what no event"
        " has told. One look-up. Off until it is turned on."
    ),
)
def weekly_spot_check(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Check the current release."""
    return dg.RunRequest(run_key=f"spot-check-{context.scheduled_execution_time:%Y%m%d}")


@dg.schedule(
    job=purge_job,
    cron_schedule="15 3 * * *",
    execution_timezone="Europe/Oslo",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description=(
        "Each night, releases are purged that are neither among the newest FREG_KEEP_RELEASES nor"
        " younger than FREG_KEEP_DAYS, nor pinned, nor current. On by default, since each sync"
        " makes a release."
    ),
)
def purge_releases(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Purge by the settings."""
    return dg.RunRequest(run_key=f"purge-{context.scheduled_execution_time:%Y%m%d}")
