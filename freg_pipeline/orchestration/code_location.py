"""Everything that Dagster loads of one store, put together."""

from __future__ import annotations

from collections.abc import Callable

import dagster as dg

from freg_pipeline.contract import Plan
from freg_pipeline.orchestration.alert_sensor import alert_sensor
from freg_pipeline.orchestration.assets import uttrekk_asset
from freg_pipeline.orchestration.batches import batch_assets
from freg_pipeline.orchestration.checks import release_checks
from freg_pipeline.orchestration.compaction import (
    compaction_assets,
    compaction_jobs,
    compaction_sensor,
)
from freg_pipeline.orchestration.copying import copy_definitions
from freg_pipeline.orchestration.failing import Ours
from freg_pipeline.orchestration.feed import hendelser_asset, hendelser_checks, sync_job
from freg_pipeline.orchestration.feed_sensor import hendelser_sensor
from freg_pipeline.orchestration.in_order import in_order_check
from freg_pipeline.orchestration.jobs import uttrekk_jobs
from freg_pipeline.orchestration.lateness import Policies
from freg_pipeline.orchestration.lost_runs import lost_runs_sensor
from freg_pipeline.orchestration.names import UNPREFIXED, Names
from freg_pipeline.orchestration.old_runs import OurRecords
from freg_pipeline.orchestration.publishing import catalogue_asset, release_asset
from freg_pipeline.orchestration.purging import purge_job
from freg_pipeline.orchestration.report import report_asset
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline.orchestration.retention import purge_runs_job
from freg_pipeline.orchestration.running import BY_DEFAULT, Running
from freg_pipeline.orchestration.schedules import (
    NIGHTLY_TABLE_CHECKS,
    nightly_table_checks,
    purge_old_runs,
    purge_releases,
    quarterly_full_load,
    weekly_spot_check,
)
from freg_pipeline.orchestration.sensors import uttrekk_sensor
from freg_pipeline.orchestration.sharing import release_piece_asset
from freg_pipeline.orchestration.spot_check import spot_check, spot_check_job
from freg_pipeline.orchestration.table_checks import checks_of_tables, table_checks_job
from freg_pipeline.orchestration.tables import table_keys, table_specs
from freg_pipeline.orchestration.workers import IN_PROCESS, Workers


def make_definitions(
    freg: Freg,
    names: Names = UNPREFIXED,
    running: Running = BY_DEFAULT,
    plan: Plan | None = None,
    workers: Workers = IN_PROCESS,
) -> dg.Definitions:
    """Return the code location that works with ``freg``.

    Args:
        freg: settings, store and register.
        names: what everything is called.
        running: which sensors and schedules run from the start.
        plan: whose tables are assets; None: no tables are shown, as runs of a command need none.
        workers: where jobs run.

    Raises:
        ConfigurationError: one of those is unknown.
    """
    made = dg.Definitions.merge(
        dg.Definitions(
            assets=_assets(names, Policies(freg), plan),
            asset_checks=[spot_check(names), release_checks(names), hendelser_checks(names)],
            resources={names.resource: freg},
        ),
        _automation(names, running, workers, lambda where: OurRecords.of(defined, where)),
        *([_tables(freg, names, plan, running, workers)] if plan else []),
        copy_definitions(names, freg, running, workers),
    )
    ours = Ours.of(names, made)
    looked_at = dg.Definitions(
        asset_checks=[in_order_check(ours)], sensors=[alert_sensor(ours, freg, running)]
    )
    defined = dg.Definitions.merge(made, looked_at)
    running.require_known([NIGHTLY_TABLE_CHECKS, *_started(names, defined)])
    return defined


def _started(names: Names, definitions: dg.Definitions) -> list[str]:
    """The sensors and schedules, by their names without the prefix."""
    sensors = [one.name for one in definitions.sensors or ()]
    schedules = [one.name for one in definitions.schedules or ()]
    return [names.without(name) for name in (*sensors, *schedules)]


def _tables(
    freg: Freg, names: Names, plan: Plan, running: Running, workers: Workers
) -> dg.Definitions:
    """The tables, and what is checked of them."""
    checks = checks_of_tables(names, plan)
    job = table_checks_job(names, checks, workers)
    return dg.Definitions(
        assets=table_specs(names, plan, Policies(freg).of_tables),
        asset_checks=[checks],
        jobs=[job],
        schedules=[nightly_table_checks(names, job, running)],
    )


def _assets(names: Names, policies: Policies, plan: Plan | None) -> list[dg.AssetsDefinition]:
    return [
        uttrekk_asset(names),
        *batch_assets(names),
        release_piece_asset(names),
        release_asset(names, policies.of_tables),
        catalogue_asset(names, policies.of_tables, table_keys(names, plan) if plan else ()),
        hendelser_asset(names, policies.of_syncs),
        *compaction_assets(names),
        report_asset(names),
    ]


def _automation(
    names: Names,
    running: Running,
    workers: Workers,
    records: Callable[[str | None], OurRecords],
) -> dg.Definitions:
    """Jobs, and what starts them."""
    uttrekk, compaction = uttrekk_jobs(names, workers), compaction_jobs(names, workers)
    sync, purge = sync_job(names, workers), purge_job(names, workers)
    check = spot_check_job(names, workers)
    purge_runs = purge_runs_job(names, records, workers)
    schedules = [
        quarterly_full_load(names, uttrekk.full_load, running),
        weekly_spot_check(names, check, running),
        purge_releases(names, purge, running),
        purge_old_runs(names, purge_runs, running),
    ]
    sensors = [
        uttrekk_sensor(names, uttrekk, running),
        hendelser_sensor(names, sync, running),
        compaction_sensor(names, compaction, running),
        lost_runs_sensor(names, running, workers, records),
    ]
    jobs = [*uttrekk, *compaction, sync, purge, purge_runs, check]
    return dg.Definitions(jobs=jobs, schedules=schedules, sensors=sensors)
