"""What the assets have in common: who owns them, and which pools their runs wait in."""

from __future__ import annotations

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

OWNERS = ["team:folkeregisteret"]
# Runs that order wait in this pool: the register allows ten running jobs.
ORDER_POOL = "folkeregisteret_uttrekk"
LOOK_UP_POOL = "folkeregisteret_oppslag"
# Ten batches a run: a run costs seconds, a small batch less than that.
BATCHES_A_RUN = dg.BackfillPolicy.multi_run(max_partitions_per_run=10)

Job = dg.JobDefinition | UnresolvedAssetJobDefinition
