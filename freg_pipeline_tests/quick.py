"""Our code location, with sensors that look at every turn of the daemon's, for tests that wait."""

from __future__ import annotations

from freg_pipeline.definitions import build_defs
from freg_pipeline.orchestration import grouping

grouping.IDENTIFIERS_A_RUN = 1  # each batch has a run of its own, to be looked at
defs = build_defs()

for sensor in defs.sensors or ():
    sensor._min_interval = 1  # type: ignore[union-attr]
