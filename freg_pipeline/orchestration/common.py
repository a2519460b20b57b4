"""What the assets have in common: who owns them, and which pools their runs wait in."""

# No `from __future__ import annotations`: Dagster reads the annotations of decorated functions.

import dagster as dg

from freg_pipeline.orchestration.resources import Freg

OWNERS = ["team:folkeregisteret"]
# Runs that order wait in this pool: the register allows ten running jobs.
ORDER_POOL = "folkeregisteret_uttrekk"
LOOK_UP_POOL = "folkeregisteret_oppslag"
# Ten batches a run: a run costs seconds, a small batch less than that.
BATCHES_A_RUN = dg.BackfillPolicy.multi_run(max_partitions_per_run=10)

FregResource = dg.ResourceParam[Freg]
