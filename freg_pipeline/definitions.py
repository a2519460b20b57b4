"""The entry point for Dagster: ``dagster dev -m freg_pipeline.definitions``.

In a deployment of one's own, :func:`build_defs` gives what to merge with the rest of it.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import dagster as dg

from freg_pipeline.errors import ConfigurationError
from freg_pipeline.orchestration.code_location import make_definitions
from freg_pipeline.orchestration.given import require_given
from freg_pipeline.orchestration.known import known_plan
from freg_pipeline.orchestration.names import Names
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline.orchestration.running import BY_DEFAULT, Running
from freg_pipeline.orchestration.workers import Workers
from freg_pipeline.outside import showable


def build_defs(
    key_prefix: str | Sequence[str] | None = None,
    *,
    running: str | Collection[str] | None = None,
    executor: str | dg.ExecutorDefinition = "in_process",
    resources: Mapping[str, Any] | None = None,
    **settings: Any,
) -> dg.Definitions:
    """Return everything that Dagster loads of one store, fresh.

    Several stores live in one deployment, each under a prefix of its own::

        defs = dg.Definitions.merge(
            build_defs("kommune", store="/data/kommune"),
            build_defs("kunder", store="/data/kunder", token=dg.EnvVar("KUNDER_TOKEN")),
        )

    Args:
        key_prefix: what every name begins with: those of assets, jobs, sensors, schedules,
            partitions, pools, groups, the resource and the tags of runs. ``"kommune"``,
            ``"oslo/kommune"``, or a list of parts, each of letters, digits and single underscores,
            the first with a letter first. Default: ``FREG_KEY_PREFIX``, or none.
        running: the sensors and schedules that run from the start, by their names without the
            prefix, in place of those that do by default (``purge_releases``, ``purge_old_runs``,
            ``nightly_table_checks`` and ``lost_runs_sensor``).
        executor: by what the steps of a run of any of our jobs are run: ``in_process`` (quickest,
            and fit for every pool of workers), ``multiprocess``, ``deployment`` (that of the
            definitions that these are merged into), or one of Dagster's executors itself.
        resources: in place of ours, by their names without the prefix: ``freg``, a
            :class:`freg_pipeline.orchestration.resources.Freg`.
        settings: those of this store, by their names in :class:`freg_pipeline.settings.Settings`;
            they win over the environment. ``dagster.EnvVar("NAME")`` is read where it is used, and
            so are all that aren't given here.

    Raises:
        ConfigurationError: the prefix is unfit, a setting, a resource, an executor, a sensor or a
            schedule is unknown, or a setting's value is wrong.
    """
    if key_prefix is None:
        key_prefix = os.environ.get("FREG_KEY_PREFIX")
    names = Names.of_prefix(key_prefix)
    freg = _freg(settings, resources or {})
    chosen = BY_DEFAULT if running is None else Running.of(running)
    workers = Workers.of(executor)
    return make_definitions(freg, names, chosen, known_plan(freg), workers)


def _freg(settings: Mapping[str, Any], resources: Mapping[str, Any]) -> Freg:
    unknown = [name for name in resources if name != "freg"]
    if unknown:
        raise ConfigurationError(
            f"there is no resource {showable(str(unknown[0]))}", "The only one is called freg"
        )
    if not resources:
        require_given(settings)
        return Freg(settings)
    freg = resources["freg"] if isinstance(resources, Mapping) else None
    if not isinstance(freg, Freg):
        raise ConfigurationError(
            "the resource freg isn't a Freg",
            'Write resources={"freg": freg_pipeline.orchestration.resources.Freg({…})}',
        )
    if settings:
        raise ConfigurationError(
            f"{', '.join(sorted(settings))} would mean nothing beside a resource freg",
            "Give it those settings itself",
        )
    return freg


@dg.definitions
def defs() -> dg.Definitions:
    """What Dagster loads of this module itself; who imports it for another store loads nothing.

    What is launched from an asset's page runs in one process, too, as Celery's pools want it. Where
    ours are merged with others' definitions, those say by what it runs.
    """
    return dg.Definitions.merge(build_defs(), dg.Definitions(executor=dg.in_process_executor))
