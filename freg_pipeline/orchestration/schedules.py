"""Schedules: when something begins by itself."""

# No `from __future__ import annotations`: Dagster reads the annotations of decorated functions.

from typing import NamedTuple

import dagster as dg

from freg_pipeline.orchestration.common import Job
from freg_pipeline.orchestration.config import OrderKind
from freg_pipeline.orchestration.names import Names
from freg_pipeline.orchestration.partitions import UTTREKK
from freg_pipeline.orchestration.running import Running

ZONE = "Europe/Oslo"
NIGHTLY_TABLE_CHECKS = "nightly_table_checks"


def quarterly_full_load(names: Names, job: Job, running: Running) -> dg.ScheduleDefinition:
    """Orders everyone anew, each quarter."""
    name = "quarterly_full_load"

    @dg.schedule(
        name=names.of(name),
        job=job,
        cron_schedule="0 2 1 1,4,7,10 *",
        execution_timezone=ZONE,
        default_status=running.schedule(name),
        description=(
            "A full load each quarter, at night. A safety net for what no event tells: the register"
            " has changed documents of very many persons without any. It means a komplett uttrekk"
            " for the first load, never for daily upkeep: agree a large one with its staff before"
            " you turn this on. Off until then; spot_check tells whether there is a need."
        ),
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        """Order a new komplett uttrekk named after its date."""
        uttrekk = f"komplett-{context.scheduled_execution_time:%Y%m%d}"
        context.instance.add_dynamic_partitions(names.of(UTTREKK), [uttrekk])
        return dg.RunRequest(
            run_key=uttrekk,
            partition_key=uttrekk,
            run_config=names.config({"uttrekk": {"kind": OrderKind.komplett.name}}),
            tags={names.tag("uttrekk"): uttrekk},
        )

    return schedule


def weekly_spot_check(names: Names, job: Job, running: Running) -> dg.ScheduleDefinition:
    """Looks for what no event has told, each week."""
    when = When("weekly_spot_check", "30 6 * * 1", "spot-check")
    return _regular(
        names, job, running, when,
        "Each Monday morning, 200 persons drawn at random against the tables: finds what no event"
        " has told. One look-up. Off until it is turned on.",
    )  # fmt: skip


def nightly_table_checks(names: Names, job: Job, running: Running) -> dg.ScheduleDefinition:
    """Checks all tables, each night."""
    return _regular(
        names, job, running, When(NIGHTLY_TABLE_CHECKS, "45 4 * * *", "tables"),
        "Each night, every table of the current release is checked: keys, persons, relations,"
        " fields and codes. It reads the tables, and asks the register nothing. On by default: a"
        " sync checks only what it brings.",
    )  # fmt: skip


def purge_releases(names: Names, job: Job, running: Running) -> dg.ScheduleDefinition:
    """Removes old releases, each night."""
    return _regular(
        names, job, running, When("purge_releases", "15 3 * * *", "purge"),
        "Each night, releases are purged that are neither among the newest FREG_KEEP_RELEASES nor"
        " younger than FREG_KEEP_DAYS, nor pinned, nor current; and raw answers, staging tables and"
        " notes of access by FREG_KEEP_ANSWERS_DAYS, FREG_KEEP_STAGING_DAYS and"
        " FREG_KEEP_ACCESS_DAYS. On by default, since each sync makes a release.",
    )  # fmt: skip


def purge_old_runs(names: Names, job: Job, running: Running) -> dg.ScheduleDefinition:
    """Removes what Dagster has recorded of old runs, each night."""
    return _regular(
        names, job, running, When("purge_old_runs", "45 3 * * *", "purge-runs"),
        "Each night, runs of ours that ended FREG_KEEP_RUNS_DAYS ago or earlier are removed with"
        " their events and logs, but what is newest of an asset, a partition, a check or a job, and"
        " what is still open. On by default, since each sync is a run.",
    )  # fmt: skip


class When(NamedTuple):
    """A schedule's name, its time as cron has it, and what the keys of its runs begin with."""

    name: str
    cron: str
    runs: str


def _regular(
    names: Names, job: Job, running: Running, when: When, description: str
) -> dg.ScheduleDefinition:
    """Launches a job that takes no more than the settings, once a day or a week."""

    @dg.schedule(
        name=names.of(when.name),
        job=job,
        cron_schedule=when.cron,
        execution_timezone=ZONE,
        default_status=running.schedule(when.name),
        description=description,
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        """By the settings."""
        return dg.RunRequest(run_key=f"{when.runs}-{context.scheduled_execution_time:%Y%m%d}")

    return schedule
