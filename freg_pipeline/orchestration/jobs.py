"""An uttrekk's jobs. Assets of different partitions can't share a run, so there are several."""

from __future__ import annotations

from typing import NamedTuple

import dagster as dg

from freg_pipeline.orchestration.common import Job
from freg_pipeline.orchestration.in_order import NAME as IN_ORDER
from freg_pipeline.orchestration.names import Names
from freg_pipeline.orchestration.sharing import release_piece_job
from freg_pipeline.orchestration.spot_check import SPOT_CHECK
from freg_pipeline.orchestration.workers import Workers


class UttrekkJobs(NamedTuple):
    """The jobs that take an uttrekk to its release."""

    full_load: Job
    land_batch: Job
    release_piece: Job
    publish_release: Job


def uttrekk_jobs(names: Names, workers: Workers) -> UttrekkJobs:
    """One orders, one takes in a batch, one makes a piece of a release, and one publishes."""
    return UttrekkJobs(
        full_load=dg.define_asset_job(
            names.of("full_load"),
            selection=[names.key("uttrekk")],
            **workers.place("full_load"),
            description=(
                "Orders an uttrekk: everyone, unless a selection is configured. uttrekk_sensor then"
                " lands its batches and publishes the release."
            ),
        ),
        land_batch=dg.define_asset_job(
            names.of("land_batch"),
            selection=[
                names.key(name)
                for name in ("batch_identifikatorer", "bulkoppslag", "batch_tabeller")
            ],
            **workers.place("land_batch"),
            description="Takes one batch from identifiers to tables.",
        ),
        release_piece=release_piece_job(names, workers),
        publish_release=dg.define_asset_job(
            names.of("publish_release"),
            selection=_published(names),
            **workers.place("publish_release"),
            description="Publishes an uttrekk whose batches have all landed, and checks it.",
        ),
    )


def _published(names: Names) -> dg.AssetSelection:
    """The release and the catalogue, with all checks but those that look at more than them."""
    release, catalogue = names.key("release"), names.key("duckdb_katalog")
    checks = dg.AssetSelection.checks_for_assets(release)
    without = dg.AssetSelection.checks(
        *(dg.AssetCheckKey(release, name) for name in (SPOT_CHECK, IN_ORDER))
    )
    return dg.AssetSelection.assets(release, catalogue).without_checks() | (checks - without)
