"""Everything that Dagster loads, put together."""

from __future__ import annotations

import dagster as dg

from freg_pipeline.orchestration.assets import (
    batch_identifikatorer,
    batch_tabeller,
    bulkoppslag,
    duckdb_katalog,
    release,
    uttrekk,
)
from freg_pipeline.orchestration.checks import release_checks
from freg_pipeline.orchestration.jobs import JOBS
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline.orchestration.schedules import quarterly_full_load
from freg_pipeline.orchestration.sensors import uttrekk_sensor

ASSETS = [
    uttrekk,
    batch_identifikatorer,
    bulkoppslag,
    batch_tabeller,
    release,
    duckdb_katalog,
]


def make_definitions(freg: Freg) -> dg.Definitions:
    """Return the code location that works with ``freg``."""
    return dg.Definitions(
        assets=ASSETS,
        asset_checks=[release_checks],
        jobs=JOBS,
        schedules=[quarterly_full_load],
        sensors=[uttrekk_sensor],
        resources={"freg": freg},
    )
