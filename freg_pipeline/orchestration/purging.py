"""What is no longer kept goes each night: releases with what only they name, answers, staging."""

# No `from __future__ import annotations`: Dagster reads the annotations of decorated functions.

import dagster as dg

from freg_pipeline.lake.retention import Keeping, retain
from freg_pipeline.orchestration.names import Names
from freg_pipeline.orchestration.resources import freg_of
from freg_pipeline.orchestration.telling import in_our_words
from freg_pipeline.orchestration.workers import Workers


def purge_job(names: Names, workers: Workers) -> dg.JobDefinition:
    """What removes old releases."""

    @dg.op(
        name=names.of("purge_old_releases"),
        required_resource_keys={names.resource},
        description="Removes releases, raw answers, staging tables and notes of access.",
    )
    @in_our_words
    def purge_old_releases(context: dg.OpExecutionContext) -> None:
        """Purge as the settings say. The current release and pinned ones are always kept."""
        freg = freg_of(context, names)
        gone = retain(freg.store, Keeping.of(freg.settings))
        told = "; ".join(f"{one.kind}: {one.objects} objects, {one.size} bytes" for one in gone)
        context.log.info("no longer kept: %s", told)

    @dg.job(
        name=names.of("purge"),
        **workers.place("purge"),
        description="Removes what is kept no longer: old releases, raw answers, staging tables.",
    )
    def job() -> None:
        """One step."""
        purge_old_releases()

    return job
