"""Our code location for a test of several machines.

Its sensors look at each turn of the daemon's, and runs are heard of more often, so that a lost one
is missed sooner.
"""

from __future__ import annotations

import dagster as dg

from freg_pipeline.definitions import build_defs
from freg_pipeline.lake import keys
from freg_pipeline.orchestration import alive, grouping, lost_runs

FASTER = 3  # times: a run is missed after 20 s
alive.BEAT_SECONDS /= FASTER
lost_runs.SILENT_SECONDS /= FASTER
lost_runs.LOADING_SECONDS /= FASTER
grouping.IDENTIFIERS_A_RUN = 220  # two batches
keys.PERSONS_A_BUCKET = 300  # a release of four pieces


@dg.definitions
def defs() -> dg.Definitions:
    """As our own code location's, with all sensors on."""
    ours = build_defs(
        running=("uttrekk_sensor", "hendelser_sensor", "compaction_sensor", "lost_runs_sensor")
    )
    for sensor in ours.sensors or ():
        sensor._min_interval = 2  # type: ignore[union-attr]
    return dg.Definitions.merge(ours, dg.Definitions(executor=dg.in_process_executor))
