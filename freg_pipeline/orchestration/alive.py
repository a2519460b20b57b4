"""A run tells that it lives, so that one whose machine is lost can be told from one that is slow.

Whoever works on a piece renews, every few seconds, when its run was last heard of; that is one
field in Dagster's records, so that nothing grows by it. It has nothing to do with progress: a
look-up may wait for hours for a register that is away. Who looks is
:mod:`freg_pipeline.orchestration.lost_runs`.
"""

from __future__ import annotations

import contextvars
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from freg_pipeline.orchestration.recorded import hear_of_run, is_in_tables

BEAT_SECONDS = 15.0
_FORGOTTEN_SECONDS = 3_600.0

logger = logging.getLogger(__name__)

# When a run was last heard of, for those that work in this process: the pause between two assets
# isn't longer than that within one.
_heard: dict[str, float] = {}


@contextmanager
def telling_that_it_lives(context: dg.OpExecutionContext) -> Iterator[None]:
    """Tell so, while an asset, a check or an op of a run is at work."""
    instance, run_id = context.instance, context.run_id
    if not (instance.is_persistent and is_in_tables(instance)):
        yield  # nobody else can look
        return
    now = time.monotonic()
    for other in [one for one, heard in _heard.items() if heard < now - _FORGOTTEN_SECONDS]:
        del _heard[other]  # a worker's process may see thousands of runs
    _heard.setdefault(run_id, now)  # that it began was recorded just now
    ended = threading.Event()
    # In this context, so that what it has to say is in the log of the run.
    beat = contextvars.copy_context().run
    thread = threading.Thread(
        target=beat, args=(_beat, instance, run_id, ended), name="alive", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _beat(instance: dg.DagsterInstance, run_id: str, ended: threading.Event) -> None:
    while not ended.wait(max(0.0, _heard[run_id] + BEAT_SECONDS - time.monotonic())):
        _heard[run_id] = time.monotonic()
        try:
            if not hear_of_run(instance, run_id):
                logger.warning(
                    "this run was ended by somebody else, and its process lives: what it still"
                    " does is found by whoever does it again"
                )
                return
        except Exception as error:  # whatever the storage raises: the work goes on
            logger.warning("it couldn't be recorded that this run lives: %s", type(error).__name__)
