"""An uttrekk's jobs. Assets of different partitions can't share a run, so there are three."""

from __future__ import annotations

import dagster as dg

from freg_pipeline.orchestration.assets import uttrekk
from freg_pipeline.orchestration.batches import batch_identifikatorer, batch_tabeller, bulkoppslag
from freg_pipeline.orchestration.publishing import duckdb_katalog, release
from freg_pipeline.orchestration.spot_check import spot_check, spot_check_job

full_load = dg.define_asset_job(
    "full_load",
    selection=[uttrekk],
    description=(
        "Orders an uttrekk: everyone, unless a selection is configured. uttrekk_sensor then lands"
        " its batches and publishes the release."
    ),
)
land_batch = dg.define_asset_job(
    "land_batch",
    selection=[batch_identifikatorer, bulkoppslag, batch_tabeller],
    executor_def=dg.in_process_executor,  # its steps follow each other; a process costs
    description="Takes one batch from identifiers to tables.",
)
publish_release = dg.define_asset_job(
    "publish_release",
    selection=dg.AssetSelection.assets(release, duckdb_katalog).without_checks()
    | (dg.AssetSelection.checks_for_assets(release) - dg.AssetSelection.checks(spot_check)),
    executor_def=dg.in_process_executor,
    description="Publishes an uttrekk whose batches have all landed, and checks it.",
)
JOBS = [full_load, land_batch, publish_release, spot_check_job]
