"""Times as Norway's clocks and calendars had them, as SQL and macros, in whatever zone one asks."""

from __future__ import annotations

from freg_pipeline.lake.sql import quoted

ZONE = "Europe/Oslo"
_MOMENT = "tidspunkt"


def local(moment: str) -> str:
    """What Norway's clocks showed at a moment, as SQL; or when they showed a time without zone."""
    return f"timezone({quoted(ZONE)}, {moment})"


_LOCAL = local(f"{_MOMENT}::TIMESTAMPTZ")
# docs/decisions/0052: why views don't give local times themselves.
LOCAL_TIMES = (
    f"CREATE OR REPLACE MACRO norsk_tid({_MOMENT}) AS {_LOCAL}",
    f"CREATE OR REPLACE MACRO norsk_dato({_MOMENT}) AS {_LOCAL}::DATE",
)
