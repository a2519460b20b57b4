"""Everything that Dagster loads, put together."""

from __future__ import annotations

import dagster as dg

from freg_pipeline.orchestration.assets import uttrekk
from freg_pipeline.orchestration.batches import batch_identifikatorer, batch_tabeller, bulkoppslag
from freg_pipeline.orchestration.checks import release_checks
from freg_pipeline.orchestration.compaction import (
    compact_job,
    compaction_sensor,
    komprimering,
    komprimert_del,
    publish_job,
)
from freg_pipeline.orchestration.feed import hendelser, hendelser_checks, sync_hendelser
from freg_pipeline.orchestration.feed_sensor import hendelser_sensor
from freg_pipeline.orchestration.jobs import JOBS
from freg_pipeline.orchestration.publishing import duckdb_katalog, release
from freg_pipeline.orchestration.purging import purge_job
from freg_pipeline.orchestration.report import release_rapport
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline.orchestration.schedules import (
    purge_releases,
    quarterly_full_load,
    weekly_spot_check,
)
from freg_pipeline.orchestration.sensors import uttrekk_sensor
from freg_pipeline.orchestration.spot_check import spot_check

ASSETS = [
    uttrekk,
    batch_identifikatorer,
    bulkoppslag,
    batch_tabeller,
    release,
    duckdb_katalog,
    hendelser,
    komprimert_del,
    komprimering,
    release_rapport,
]


def make_definitions(freg: Freg) -> dg.Definitions:
    """Return the code location that works with ``freg``."""
    return dg.Definitions(
        assets=ASSETS,
        asset_checks=[spot_check, release_checks, hendelser_checks],
        jobs=[*JOBS, sync_hendelser, compact_job, publish_job, purge_job],
        schedules=[quarterly_full_load, weekly_spot_check, purge_releases],
        sensors=[uttrekk_sensor, hendelser_sensor, compaction_sensor],
        resources={"freg": freg},
    )
