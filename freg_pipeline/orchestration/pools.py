"""Our pools have a limit from the start, in a deployment whose dagster.yaml gives them none too.

Without one, Dagster holds a pool's runs back from nothing: a backfill would look up in as many runs
as its queue lets through. Whoever has set a limit, whichever, keeps it.
"""

from __future__ import annotations

from dagster import DagsterInstance

from freg_pipeline.orchestration.common import LOOK_UP_POOL, ORDER_POOL
from freg_pipeline.orchestration.names import Names

LIMIT = 10  # the register allows an organisation ten running jobs


def limit_pools(instance: DagsterInstance, names: Names) -> None:
    """Give our pools a limit, those that have none by name or by default."""
    storage = instance.event_log_storage
    default = instance.get_concurrency_config().pool_config.default_pool_limit
    if default is not None or not storage.supports_global_concurrency_limits:
        return
    limited = {one.name for one in storage.get_pool_limits()}
    for pool in (names.of(ORDER_POOL), names.of(LOOK_UP_POOL)):
        if pool not in limited:
            storage.set_concurrency_slots(pool, LIMIT)
