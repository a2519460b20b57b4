"""Macros that give a time as Norway's clocks and calendars had it, in whatever zone one asks."""

from __future__ import annotations

from freg_pipeline.lake.sql import quoted

ZONE = "Europe/Oslo"
_MOMENT = "tidspunkt"
_LOCAL = f"timezone({quoted(ZONE)}, {_MOMENT}::TIMESTAMPTZ)"

# docs/decisions/0052: why views don't give local times themselves.
LOCAL_TIMES = (
    f"CREATE OR REPLACE MACRO norsk_tid({_MOMENT}) AS {_LOCAL}",
    f"CREATE OR REPLACE MACRO norsk_dato({_MOMENT}) AS {_LOCAL}::DATE",
)
