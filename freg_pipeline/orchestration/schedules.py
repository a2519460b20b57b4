"""Schedules: when something begins by itself."""

# No `from __future__ import annotations`: Dagster reads the annotations of decorated functions.

import dagster as dg

from freg_pipeline.orchestration.config import Kind
from freg_pipeline.orchestration.jobs import full_load
from freg_pipeline.orchestration.partitions import UTTREKK
from freg_pipeline.orchestration.runs import UTTREKK_TAG


@dg.schedule(
    job=full_load,
    cron_schedule="0 2 1 1,4,7,10 *",
    execution_timezone="Europe/Oslo",
    description=(
        "A full load each quarter, at night. Meant as a safety net: the register means a komplett"
        " uttrekk for the first load, never for daily upkeep. Off until it is turned on."
    ),
)
def quarterly_full_load(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Order a new komplett uttrekk named after its date."""
    name = f"komplett-{context.scheduled_execution_time:%Y%m%d}"
    context.instance.add_dynamic_partitions(UTTREKK.name or "", [name])
    return dg.RunRequest(
        run_key=name,
        partition_key=name,
        run_config={"ops": {"uttrekk": {"config": {"kind": Kind.komplett.name}}}},
        tags={UTTREKK_TAG: name},
    )
