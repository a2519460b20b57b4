"""Order an uttrekk from the register: recorded before and after.

An order is no idempotent call: each one that the register accepts starts a job, of which an
organisation may have ten. So an order is recorded before it is sent, and its answer after. If the
process dies between the two, nobody knows whether a job runs, and no second order is made blindly.
"""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import UTC, datetime, timedelta

import msgspec

from freg_pipeline.client import Register
from freg_pipeline.client.html import PageError
from freg_pipeline.errors import (
    ConfigurationError,
    FregError,
    PassingError,
    RefusedError,
    ThrottledError,
    UncertainOrderError,
)
from freg_pipeline.extract.sender import others_answer, this_process
from freg_pipeline.journal.kinds import Komplett, Tilpasset
from freg_pipeline.journal.request import OrderAnswer, Request
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.outside import showable
from freg_pipeline.settings import Settings
from freg_pipeline.store import write_record

logger = logging.getLogger(__name__)

ATTEMPTS = 3  # orders sent by one living process when answers get lost
RUNNING_JOBS = 10  # the register's limit for an organisation
JOB_HOURS = 24  # an order older than this, and never collected, holds no place any more


class _OrderedElsewhereError(FregError):
    """Another process took the attempt first."""


async def place_order(
    register: Register, uttrekk: Uttrekk, settings: Settings, *, again: bool = False
) -> str:
    """Order an uttrekk that is a job at the register, unless it is ordered; return the job.

    Ten running jobs (429) are waited for, up to ``settings.poll_timeout_hours``. An answer that
    gets lost while this process lives is recorded as lost, and the order is sent anew, a few times;
    each may leave a job behind at the register, which is logged.

    Args:
        register: whom to order from.
        uttrekk: what to order.
        settings: how long to wait.
        again: order anew although an earlier order's fate is unknown.

    Raises:
        UncertainOrderError: an order was sent, and the process died before its answer was recorded.
            One that lives is waited for.
        RefusedError: the register said no.
        PassingError: answers got lost every time.
    """
    attempts = uttrekk.attempts()
    while attempts and attempts[-1][1] is None and not again:
        if not await others_answer(uttrekk, attempts[-1][0], settings.poll_seconds):
            raise uncertain(uttrekk.name)
        attempts = uttrekk.attempts()
    job = uttrekk.job_id
    if job is not None:
        return job
    number = attempts[-1][0] if attempts else 0
    for tries in range(1, ATTEMPTS + 1):
        try:
            return await _attempt(register, uttrekk, settings, number + tries)
        except _OrderedElsewhereError:
            return await place_order(register, uttrekk, settings)
        except (PassingError, PageError) as error:  # a page may be the firewall's mood
            if tries == ATTEMPTS:
                raise
            logger.warning("%s; ordering again, a job may be left at the register", error)
            await asyncio.sleep(min(settings.poll_seconds, 2.0) * tries)
            await register.hendelser.siste_sekvensnummer()  # which waits until it is back
    raise AssertionError  # the last try returns or raises


def uncertain(name: str) -> UncertainOrderError:
    """An order was sent, and its answer never recorded: a person has to decide."""
    return UncertainOrderError(
        f"an order for the uttrekk {name} was sent, but its answer was never recorded: "
        "the register may be running a job for it, one of the ten it allows",
        f"To order again: freg uttrekk resume {name} --order-again",
    )


async def _attempt(register: Register, uttrekk: Uttrekk, settings: Settings, number: int) -> str:
    deadline = time.monotonic() + settings.poll_timeout_hours * 3600
    while True:
        await _wait_for_slot(uttrekk, settings, deadline)
        _record_sent(uttrekk, number)
        try:
            job = await _send(register, uttrekk.request)
        except ThrottledError as error:
            # No job was started, so no order is under way: the record of it goes.
            uttrekk.store.delete(uttrekk.order_key(number, "sent"))
            wait = max(error.retry_after or 0.0, settings.poll_seconds)
            if time.monotonic() + wait > deadline:
                raise
            logger.warning(
                "the register is too busy to take the order; trying again in %.0f s", wait
            )
            await asyncio.sleep(wait)
        except RefusedError as error:
            _record(uttrekk, number, OrderAnswer(refused=error.what))
            raise
        except (PassingError, ConfigurationError) as error:
            _record(uttrekk, number, OrderAnswer(lost=error.what))
            raise
        else:
            _record(uttrekk, number, OrderAnswer(jobbId=job))
            logger.info("ordered %s: the register's job is %s", uttrekk.name, showable(job))
            return job


async def _wait_for_slot(uttrekk: Uttrekk, settings: Settings, deadline: float) -> None:
    """Claim one of the jobs that the register allows before asking for it."""
    while len(_running(uttrekk)) >= RUNNING_JOBS:
        if time.monotonic() > deadline:
            raise PassingError(
                f"{RUNNING_JOBS} uttrekk are unfinished here, the most the register allows",
                "Finish them: freg uttrekk status, freg uttrekk resume NAME",
            )
        logger.warning("%d uttrekk are unfinished: waiting before ordering", RUNNING_JOBS)
        await asyncio.sleep(settings.poll_seconds)


def _running(mine: Uttrekk) -> list[Uttrekk]:
    """Other uttrekk whose jobs the register may still be working on."""
    horizon = datetime.now(UTC) - timedelta(hours=JOB_HOURS)
    return [
        other
        for other in Uttrekk.list_open(mine.store)
        if other.name != mine.name
        and other.question.base_url == mine.question.base_url
        and other.request.created > horizon
        and other.end is None
        and other.job_id is not None
    ]


async def _send(register: Register, request: Request) -> str:
    match request.question.kind:
        case Tilpasset(kriterier):
            return await register.uttrekk.bestill_tilpasset(kriterier)
        case Komplett(feedsekvensnr):
            begin = request.sekvensnummer if feedsekvensnr is None else feedsekvensnr
            return await register.uttrekk.bestill_komplett(begin)
        case kind:
            msg = f"an uttrekk of the kind {kind.name} is no job at the register"
            raise AssertionError(msg)


def _record_sent(uttrekk: Uttrekk, number: int) -> None:
    if not write_record(uttrekk.store, uttrekk.order_key(number, "sent"), this_process()):
        raise _OrderedElsewhereError(
            f"another process is ordering the uttrekk {uttrekk.name} right now",
            f"Follow it with freg uttrekk status {uttrekk.name}",
        )


def _record(uttrekk: Uttrekk, number: int, answer: OrderAnswer) -> None:
    noted = msgspec.structs.replace(answer, recorded=datetime.now(UTC))
    write_record(uttrekk.store, uttrekk.order_key(number, "answer"), noted)
