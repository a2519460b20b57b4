"""Which runs take an uttrekk's batches in: small ones that follow each other share a run.

A run costs Dagster seconds and 40 kB of records, a batch of a thousand identifiers less than one
second. What a run has taken stays together: should it fail, the same partition is requested again,
and what has landed of it is found. So how often it failed is known, and when it is done.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from freg_pipeline.errors import DamagedError, ObjectMissingError
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.orchestration.partitions import batches_of, batches_partition
from freg_pipeline.orchestration.runs import Runs

IDENTIFIERS_A_RUN = 20_000
BATCHES_A_RUN = 100


def batches_to_request(
    uttrekk: Uttrekk, batches: Collection[int], runs: Runs, job: str
) -> Iterator[str]:
    """The partitions whose runs are to be requested now.

    Args:
        uttrekk: whose batches.
        batches: those that are to be taken in.
        runs: that there are of the uttrekk.
        job: the name of the job that takes batches in.
    """
    of_run: dict[int, str] = {}
    for known in (runs.troubles, runs.under_way):  # what is under way has the last word
        for of_job, partition in known:
            if of_job == job:
                of_run.update(dict.fromkeys(batches_of(partition), partition))
    again = dict.fromkeys(of_run[batch] for batch in sorted(batches) if batch in of_run)
    yield from (partition for partition in again if runs.may_begin(job, partition))
    new = sorted(set(batches).difference(of_run))
    for group in grouped(new, _most(uttrekk, new)):
        yield batches_partition(uttrekk.name, group)


def grouped(batches: Sequence[int], most: int) -> Iterator[range]:
    """Batches that follow each other, in groups of at most so many.

    Args:
        batches: their numbers, sorted.
        most: how many a group has.
    """
    start = 0
    for end in range(1, len(batches) + 1):
        is_last = end == len(batches) or batches[end] != batches[end - 1] + 1
        if is_last or end - start == most:
            yield range(batches[start], batches[end - 1] + 1)
            start = end


def _most(uttrekk: Uttrekk, batches: Sequence[int]) -> int:
    """How many batches a run takes. The register makes all of a job's alike but the last one."""
    if len(batches) < 2:
        return 1
    try:
        identifiers = len(uttrekk.identifiers(batches[0]))
    except (DamagedError, ObjectMissingError):
        return 1  # its run asks for it again
    return max(1, min(BATCHES_A_RUN, IDENTIFIERS_A_RUN // max(1, identifiers)))
