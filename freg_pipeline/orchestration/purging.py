"""Releases that are no longer kept are purged each night, and with them what only they name."""

# No `from __future__ import annotations`: Dagster reads the annotations of decorated functions.

import dagster as dg

from freg_pipeline.lake.purge import purge
from freg_pipeline.orchestration.names import Names
from freg_pipeline.orchestration.resources import freg_of
from freg_pipeline.orchestration.telling import in_our_words
from freg_pipeline.orchestration.workers import Workers


def purge_job(names: Names, workers: Workers) -> dg.JobDefinition:
    """What removes old releases."""

    @dg.op(
        name=names.of("purge_old_releases"),
        required_resource_keys={names.resource},
        description="Removes releases by FREG_KEEP_RELEASES and FREG_KEEP_DAYS.",
    )
    @in_our_words
    def purge_old_releases(context: dg.OpExecutionContext) -> None:
        """Purge as the settings say. The current release and pinned ones are always kept."""
        freg = freg_of(context, names)
        keep, days = freg.settings.keep_releases, freg.settings.keep_days
        removed = purge(freg.store, keep=keep, older_than_days=days)
        told = f"{removed[0]} to {removed[-1]}" if removed else "none"
        context.log.info("releases purged: %d (%s)", len(removed), told)

    @dg.job(
        name=names.of("purge"),
        **workers.place("purge"),
        description="Removes old releases, and the files that only they name.",
    )
    def job() -> None:
        """One step."""
        purge_old_releases()

    return job
