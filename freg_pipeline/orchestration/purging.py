"""Releases that are no longer kept are purged each night, and with them what only they name."""

# No `from __future__ import annotations`: Dagster reads the annotations of decorated functions.

import dagster as dg

from freg_pipeline.lake.purge import purge
from freg_pipeline.orchestration.common import FregResource
from freg_pipeline.orchestration.telling import in_our_words


@dg.op(description="Removes releases by FREG_KEEP_RELEASES and FREG_KEEP_DAYS.")
@in_our_words
def purge_old_releases(context: dg.OpExecutionContext, freg: FregResource) -> None:
    """Purge as the settings say. The current release and pinned ones are always kept."""
    settings = freg.settings
    removed = purge(freg.store, keep=settings.keep_releases, older_than_days=settings.keep_days)
    told = f"{removed[0]} to {removed[-1]}" if removed else "none"
    context.log.info("releases purged: %d (%s)", len(removed), told)


@dg.job(
    name="purge",
    executor_def=dg.in_process_executor,  # one step; a process costs
    description="Removes old releases, and the files that only they name.",
)
def purge_job() -> None:
    """One step."""
    purge_old_releases()
