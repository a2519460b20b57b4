"""Where our jobs run, and what their runs need there: executor, memory, processors, and time.

The steps of a job of ours follow each other, and what is spread over machines is its runs. So a run
does its steps in its own process unless it is told otherwise: that is quickest, and works in every
pool of workers. Celery's prefork pool, for one, doesn't let a run start processes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self, TypedDict

import dagster as dg

from freg_pipeline.errors import ConfigurationError
from freg_pipeline.outside import showable

DEPLOYMENTS = "deployment"
_NAMED: Mapping[str, dg.ExecutorDefinition | None] = {
    "in_process": dg.in_process_executor,
    "multiprocess": dg.multiprocess_executor,
    DEPLOYMENTS: None,  # what the code location's definitions name
}
EXECUTORS = tuple(_NAMED)

# Megabytes that a run takes at its peak (docs/operations.md), of those that take more than others.
_MEMORY = {
    "land_batch": 800,
    "release_piece": 800,
    "publish_release": 800,
    "sync_hendelser": 800,
    "compact_piece": 800,
    "check_tables": 800,
}
_OTHERS_MEMORY = 500
# A load waits half a day for a register that is away; what takes longer than a day hangs.
_LONGEST_SECONDS = 86_400


class Placed(TypedDict):
    """What of a job says where it runs, as Dagster is told it."""

    executor_def: dg.ExecutorDefinition | None
    tags: dict[str, str]


@dataclass(frozen=True)
class Workers:
    """Where jobs run.

    Attributes:
        executor: of all of them; None: that of the code location that they lie in.
    """

    executor: dg.ExecutorDefinition | None = dg.in_process_executor

    @property
    def is_one_process(self) -> bool:
        """Whether one process does all the steps of a run."""
        return self.executor is dg.in_process_executor

    @classmethod
    def of(cls, executor: str | dg.ExecutorDefinition) -> Self:
        """By an executor, or by its name.

        Raises:
            ConfigurationError: it is neither.
        """
        if isinstance(executor, dg.ExecutorDefinition):
            return cls(executor)
        if not isinstance(executor, str) or executor not in _NAMED:
            raise ConfigurationError(
                f"there is no executor {showable(str(executor))}",
                f"Write {', '.join(EXECUTORS)}, or give one of Dagster's executors itself",
            )
        return cls(_NAMED[executor])

    def place(self, job: str, tags: Mapping[str, str] | None = None) -> Placed:
        """Where a job runs, and its tags.

        Args:
            job: its name, without a prefix.
            tags: that it has beside those that say what its runs need.
        """
        memory = f"{_MEMORY.get(job, _OTHERS_MEMORY)}Mi"
        requests = {"cpu": "1", "memory": memory}
        kubernetes = {"container_config": {"resources": {"requests": requests}}}
        needs = {
            "dagster-k8s/config": json.dumps(kubernetes, separators=(",", ":")),
            "dagster/max_runtime": str(_LONGEST_SECONDS),
        }
        return {"executor_def": self.executor, "tags": {**needs, **(tags or {})}}


IN_PROCESS = Workers()
