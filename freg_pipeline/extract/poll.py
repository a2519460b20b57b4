"""Ask for the batches of an uttrekk until the register says that there are no more."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass

import msgspec

from freg_pipeline.client import BatchState, Register
from freg_pipeline.client.answers import Answer
from freg_pipeline.client.uttrekk import BatchAnswer
from freg_pipeline.envelope_batch import parse_batch
from freg_pipeline.errors import ConfigurationError, FregError, GoneError, PassingError
from freg_pipeline.extract.batches import close_batches, packed_batch
from freg_pipeline.extract.blank import batch_without
from freg_pipeline.extract.endless import require_news
from freg_pipeline.extract.took import measured
from freg_pipeline.journal.batches import first_missing
from freg_pipeline.journal.keptout import NOBODY, kept_out
from freg_pipeline.journal.kinds import Kind
from freg_pipeline.journal.raw import RawMeta, pack
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.settings import Settings

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PollResult:
    """What one question gave.

    Attributes:
        state: ready (and kept), not ready, or the end.
        batch: which batch was asked for; at the end, how many there are.
        count: identifiers in it.
    """

    state: BatchState
    batch: int
    count: int = 0


async def poll_once(register: Register, uttrekk: Uttrekk, batch: int | None = None) -> PollResult:
    """Ask for a batch that isn't here, once, and keep it.

    Args:
        register: whom to ask.
        uttrekk: whose batch.
        batch: its number; None: the first that isn't here, for which all of them are listed.

    Raises:
        GoneError: the register no longer has the job; that is recorded.
        RefusedError: the list of batches has no end.
        FregError: the uttrekk isn't ordered yet.
    """
    end = uttrekk.end
    if batch is None:
        batch = first_missing(set(uttrekk.batches()))
    elif uttrekk.has_batch(batch):  # another process has kept it since
        return PollResult(BatchState.READY, batch, len(uttrekk.identifiers(batch)))
    if end is not None and batch >= end:
        return PollResult(BatchState.END, end)
    return await _ask_once(register, uttrekk, _job_of(uttrekk), batch)


async def poll_ready(register: Register, uttrekk: Uttrekk, batches: range) -> PollResult:
    """Ask for batches that aren't here, one after the other, as long as they are ready.

    Args:
        register: whom to ask.
        uttrekk: whose batches.
        batches: their numbers; nothing is looked up in the store for each.

    Returns:
        What the last question gave.

    Raises:
        GoneError, FregError: as :func:`poll_once`; what was ready before is kept.
    """
    result = PollResult(BatchState.NOT_READY, batches.start)
    job = _job_of(uttrekk)
    for batch in batches:
        result = await _ask_once(register, uttrekk, job, batch)
        if result.state is not BatchState.READY:
            break
    return result


async def _ask_once(register: Register, uttrekk: Uttrekk, job: str, batch: int) -> PollResult:
    answer, took = await measured(_ask(register, uttrekk, job, batch))
    if answer.raw is None:
        return PollResult(BatchState.NOT_READY, batch)
    if answer.state is BatchState.END:
        close_batches(uttrekk, batch)
        return PollResult(BatchState.END, batch)
    meta = msgspec.structs.replace(circumstances(answer.raw), took=took)
    packed = _packed(uttrekk, batch, answer.raw.body, meta)
    uttrekk.store.write(uttrekk.batch_key(batch), packed)
    return PollResult(BatchState.READY, batch, answer.count)


def _packed(uttrekk: Uttrekk, batch: int, body: bytes, meta: RawMeta) -> bytes:
    """A batch as it is kept: with nobody's number who is kept out.

    Raises:
        RefusedError: it is a copy, or there are too many.
    """
    kind, identifiers = parse_batch(body)
    out = kept_out(uttrekk.store) if kind == "foedselsEllerDNummer" else NOBODY
    left = batch_without(identifiers, out) if out else None
    require_news(uttrekk, batch, identifiers if left is None else left)
    key = uttrekk.batch_key(batch)
    if left is None:
        return pack(key, body, meta)
    return packed_batch(key, "foedselsEllerDNummer", left)


async def wait_for_batch(
    register: Register, uttrekk: Uttrekk, settings: Settings, batch: int | None = None
) -> PollResult:
    """Wait for a batch that isn't here, keep it, and return it; or the end.

    Args:
        register: whom to ask.
        uttrekk: whose batch.
        settings: how often to ask, and how long.
        batch: as :func:`poll_once` takes it.

    Raises:
        GoneError: the register no longer has the job.
        PassingError: nothing got ready within ``settings.poll_timeout_hours``.
    """
    deadline = time.monotonic() + settings.poll_timeout_hours * 3600
    while True:
        result = await poll_once(register, uttrekk, batch)
        if result.state is not BatchState.NOT_READY:
            return result
        if time.monotonic() > deadline:
            raise PassingError(
                f"batch {result.batch} of the uttrekk {uttrekk.name} was not ready within "
                f"{settings.poll_timeout_hours:g} hours",
                f"To keep waiting: freg uttrekk resume {uttrekk.name}",
            )
        logger.info("batch %d of %s is not ready", result.batch, uttrekk.name)
        await asyncio.sleep(settings.poll_seconds)


def circumstances(answer: Answer) -> RawMeta:
    """What is kept beside an answer's body."""
    return RawMeta(len(answer.body), answer.hentet, answer.content_type, answer.correlation_id)


def _job_of(uttrekk: Uttrekk) -> str:
    """The job that makes its batches.

    Raises:
        GoneError: the register no longer has it.
        FregError: the uttrekk isn't ordered yet.
    """
    if not uttrekk.kind.is_job:
        raise unwritten(uttrekk.name, uttrekk.kind)
    job = uttrekk.job_id
    if job is None and uttrekk.is_gone:
        raise _gone(uttrekk)
    if job is None:
        raise FregError(
            f"the uttrekk {uttrekk.name} is not ordered",
            f"Order it: freg uttrekk resume {uttrekk.name}",
        )
    return job


async def _ask(register: Register, uttrekk: Uttrekk, job: str, batch: int) -> BatchAnswer:
    try:
        return await register.uttrekk.batch(job, batch)
    except GoneError as error:
        uttrekk.mark_gone(error.what)
        raise _gone(uttrekk) from None


def unwritten(name: str, kind: Kind) -> FregError:
    """An uttrekk's batches are written on this side, and whoever did so was stopped."""
    return FregError(
        f"the uttrekk {name} was stopped before its {kind.source} taken over",
        "Run the command that started it again: it resumes this uttrekk",
    )


def _gone(uttrekk: Uttrekk) -> GoneError:
    return GoneError(
        f"the register no longer has the job of the uttrekk {uttrekk.name} (410)",
        f"Order it again: freg uttrekk resume {uttrekk.name}",
        status=410,
    )


async def require_batch(
    register: Register, uttrekk: Uttrekk, batch: int, settings: Settings
) -> None:
    """See that a batch's identifiers are here; wait for them if they are not.

    Raises:
        ConfigurationError: the uttrekk has no such batch.
        GoneError, PassingError: as :func:`wait_for_batch`.
    """
    first: int | None = None
    while not uttrekk.has_batch(batch):
        result = await wait_for_batch(register, uttrekk, settings, first)
        first = result.batch + 1
        # Another process may have kept it, and the end too, since the look before.
        if result.state is BatchState.END and not uttrekk.has_batch(batch):
            raise ConfigurationError(
                f"the uttrekk {uttrekk.name} has {result.batch} batches, and no number {batch}",
                "Delete that partition in Dagster",
            )
