"""What Dagster's runs tell: what is under way, what has failed, and when it may be tried again.

A run that failed is requested again after a pause that grows, and never given up
(:mod:`freg_pipeline.failure`). Two kinds wait for a person: one that the domain refused, which
would be refused again, and one that somebody cancelled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import dagster as dg

from freg_pipeline.failure import Trouble

REFUSED_TAG = "freg/refused"  # on a run that a second try would not help
PARTITION_TAG = "dagster/partition"
UNDER_WAY = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
_ENDED_BADLY = [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]

What = tuple[str, str]  # a job, and a partition of it; "" where it has none


@dataclass(frozen=True)
class Runs:
    """The runs that share tags.

    Attributes:
        under_way: what has a run now.
        troubles: what has failed: how often, and when last.
        held: what waits for a person, since its last run was refused or cancelled.
    """

    under_way: frozenset[What]
    troubles: Mapping[What, Trouble]
    held: frozenset[What]

    def may_begin(self, job: str, partition: str = "") -> bool:
        """Whether another run may be requested now."""
        what = (job, partition)
        trouble = self.troubles.get(what)
        is_free = what not in self.under_way and what not in self.held
        return is_free and (trouble is None or trouble.is_over)


def runs_of(instance: dg.DagsterInstance, tags: Mapping[str, str]) -> Runs:
    """The runs that carry these tags."""
    active = instance.get_run_records(dg.RunsFilter(statuses=UNDER_WAY, tags=tags))
    badly = instance.get_run_records(dg.RunsFilter(statuses=_ENDED_BADLY, tags=tags))
    troubles: dict[What, Trouble] = {}
    held: set[What] = set()
    for record in badly:  # the newest first
        what = _what(record)
        if what in troubles:
            troubles[what] = replace(troubles[what], failures=troubles[what].failures + 1)
            continue
        troubles[what] = Trouble(1, ended(record))
        if _waits_for_a_person(record.dagster_run):
            held.add(what)
    return Runs(frozenset(map(_what, active)), troubles, frozenset(held))


def ended(record: dg.RunRecord) -> datetime:
    """When a run ended; one whose process was lost tells only when it was last heard of."""
    told = record.end_time or record.update_timestamp.timestamp()
    return datetime.fromtimestamp(told, UTC)


def _waits_for_a_person(run: dg.DagsterRun) -> bool:
    return run.status is dg.DagsterRunStatus.CANCELED or REFUSED_TAG in run.tags


def _what(record: dg.RunRecord) -> What:
    run = record.dagster_run
    return run.job_name, run.tags.get(PARTITION_TAG, "")


def mark_refused(context: dg.AssetExecutionContext, rule: str) -> None:
    """Mark a run that the domain refused, so that no sensor requests it again.

    Args:
        context: of the run.
        rule: which one it broke.
    """
    context.instance.add_run_tags(context.run.run_id, {REFUSED_TAG: rule})


def carries_our_tag(run: dg.DagsterRun) -> bool:
    """Whether a run is one of ours, where its code location doesn't tell: another's job may have
    the same name."""
    return any(tag.startswith("freg/") for tag in run.tags)
