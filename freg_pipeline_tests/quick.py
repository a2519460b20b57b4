"""Our code location, with sensors that look at every turn of the daemon's, for tests that wait."""

from __future__ import annotations

from freg_pipeline.definitions import build_defs

defs = build_defs()

for sensor in defs.sensors or ():
    sensor._min_interval = 1  # type: ignore[union-attr]
