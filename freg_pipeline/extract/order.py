"""Begin an uttrekk, and order it from the register: recorded before and after.

An order is no idempotent call: each one that the register accepts starts a job, of which an
organisation may have ten. So an order is recorded before it is sent, and its answer after. If the
process dies between the two, nobody knows whether a job runs, and no second order is made blindly.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import msgspec

from freg_pipeline.client import Register
from freg_pipeline.client.html import PageError
from freg_pipeline.contract import Plan
from freg_pipeline.errors import (
    ConfigurationError,
    FregError,
    PassingError,
    RefusedError,
    ThrottledError,
    UncertainOrderError,
)
from freg_pipeline.extract.contracts import fetch_contract
from freg_pipeline.extract.parts import check_configured, choose
from freg_pipeline.extract.probe import chosen_parts, tell_refused
from freg_pipeline.extract.sender import others_answer, this_process
from freg_pipeline.journal.home import require_home
from freg_pipeline.journal.kinds import KindName, kind_of
from freg_pipeline.journal.request import OrderAnswer, Request
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.settings import Settings
from freg_pipeline.store import Store, write_record

logger = logging.getLogger(__name__)

ATTEMPTS = 3  # orders sent by one living process when answers get lost
RUNNING_JOBS = 10  # the register's limit for an organisation
JOB_HOURS = 24  # an order older than this, and never collected, holds no place any more


class _OrderedElsewhereError(FregError):
    """Another process took the attempt first."""


class Kriterier(Protocol):
    """What tells one question of a kind from another: a selection, a list, a search."""

    @property
    def kind(self) -> KindName:
        """Which kind of uttrekk it makes."""
        ...

    def to_register(self) -> dict[str, Any]:
        """As the request records it, under the register's names."""
        ...


@dataclass(frozen=True)
class Approval:
    """What somebody has agreed to about an uttrekk, and who looks at it before it is begun.

    Attributes:
        check: raises ConfigurationError for a request that mustn't become an uttrekk here.
        allow_other_kind: may replace a release of another kind or selection.
    """

    check: Callable[[Request], None]
    allow_other_kind: bool = False


NO_CONDITIONS = Approval(lambda _: None)


async def open_uttrekk(
    store: Store,
    register: Register,
    settings: Settings,
    *,
    kriterier: Kriterier | None = None,
    feedsekvensnr: int | None = None,
    name: str | None = None,
    approval: Approval = NO_CONDITIONS,
) -> Uttrekk:
    """Return the uttrekk to work on, recorded before anything is ordered.

    The contract in force and the register's last sequence number are noted first, so that nothing
    that happens while the uttrekk is made can be lost between it and the event list.

    Args:
        store: where it lies.
        register: whom to ask.
        settings: environment, package and parts.
        kriterier: a selection (tilpasset), a list or a search; None: everyone (komplett).
        feedsekvensnr: where a komplett uttrekk begins; None: the register's last number.
        name: its name. Without one, an uttrekk of the same question that is under way is gone on
            with, and only if there is none is a new one begun.
        approval: looks at what is asked for before it is recorded.

    Raises:
        ConfigurationError: approval is refused; or the name belongs to another question, or the
            store to another register.
        RefusedError: the package of rights lacks a service that such an uttrekk takes.
        ContractError: the contract can't be compiled.
    """
    kind: KindName = "komplett" if kriterier is None else kriterier.kind
    register.require(*kind_of(kind).services)
    require_home(store, settings.environment)
    contract = await fetch_contract(store, register, settings.contract_file)
    check_configured(settings.parts, contract.plan)
    parts = choose(settings.parts, contract.plan)
    wanted = Request(
        name="",
        kind=kind,
        environment=settings.environment,
        base_url=register.base_url,
        rettighetspakke=settings.rettighetspakke,
        parts_asked=settings.parts,
        parts=parts.landed,
        parts_apart=parts.apart,
        contract=contract.plan.fingerprint,
        contract_from=contract.source,
        sekvensnummer=await register.hendelser.siste_sekvensnummer(),
        feedsekvensnr=feedsekvensnr,
        kriterier=None if kriterier is None else kriterier.to_register(),
        created=datetime.now(UTC),
        form=settings.answer_format,
        allow_other_kind=approval.allow_other_kind,
    )
    there = _under_way(store, wanted) if name is None else Uttrekk(store, name)
    if there is None or not there.exists:
        approval.check(wanted)
        wanted = await _as_taken(register, settings, contract.plan, wanted)
    elif there.release is None:
        approval.check(there.request)
    if name is not None:
        return _named(Uttrekk(store, name), wanted)
    return there or _begin_unnamed(store, wanted)


async def _as_taken(register: Register, settings: Settings, plan: Plan, wanted: Request) -> Request:
    """The request without the parts that the register refuses, which is said."""
    parts, refused = await chosen_parts(register, settings.parts, plan)
    tell_refused(refused, parts.landed, plan)
    return msgspec.structs.replace(
        wanted, parts=parts.landed, parts_apart=parts.apart, parts_refused=refused
    )


def require_same_register(uttrekk: Uttrekk, settings: Settings) -> None:
    """See that an uttrekk is gone on with at the register that it was begun at.

    Raises:
        ConfigurationError: settings name another environment, or another package of rights.
    """
    request = uttrekk.request
    for name, then, now in (
        ("FREG_ENVIRONMENT", request.environment, settings.environment),
        ("FREG_RETTIGHETSPAKKE", request.rettighetspakke, settings.rettighetspakke),
    ):
        if then != now:
            raise ConfigurationError(
                f"the uttrekk {uttrekk.name} was started with {name}={then}, but {name} is "
                f"now {now}",
                "Set it back, or start a new uttrekk",
            )


def _named(uttrekk: Uttrekk, wanted: Request) -> Uttrekk:
    Uttrekk.begin(uttrekk.store, msgspec.structs.replace(wanted, name=uttrekk.name))
    if not uttrekk.request.same_question(wanted):
        raise ConfigurationError(
            f"the uttrekk {uttrekk.name} asks for something else",
            f"Choose another --name, or resume it: freg uttrekk resume {uttrekk.name}",
        )
    return uttrekk


def _under_way(store: Store, wanted: Request) -> Uttrekk | None:
    for uttrekk in reversed(Uttrekk.list_open(store)):
        if uttrekk.request.same_question(wanted) and not uttrekk.is_gone:
            logger.info("resuming the uttrekk %s", uttrekk.name)
            return uttrekk
    return None


def _begin_unnamed(store: Store, wanted: Request) -> Uttrekk:
    base = f"{wanted.kind}-{wanted.created:%Y%m%dt%H%M%S}"
    number = 1
    while True:  # two within a second is rare; each try is decided by who writes first
        uttrekk = Uttrekk(store, base if number == 1 else f"{base}-{number}")
        if Uttrekk.begin(store, msgspec.structs.replace(wanted, name=uttrekk.name)):
            return uttrekk
        number += 1


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
            raise UncertainOrderError(
                f"an order for the uttrekk {uttrekk.name} was sent, but its answer was "
                "never recorded: the register may be running a job for it, one of the ten "
                "it allows",
                f"To order again: freg uttrekk resume {uttrekk.name} --order-again",
            )
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
        and other.request.base_url == mine.request.base_url
        and other.request.created > horizon
        and other.end is None
        and not other.is_gone
        and other.job_id is not None
    ]


async def _send(register: Register, request: Request) -> str:
    if request.kriterier is not None:
        return await register.uttrekk.bestill_tilpasset(request.kriterier)
    begin = request.feedsekvensnr
    return await register.uttrekk.bestill_komplett(
        request.sekvensnummer if begin is None else begin
    )


def _record_sent(uttrekk: Uttrekk, number: int) -> None:
    if not write_record(uttrekk.store, uttrekk.order_key(number, "sent"), this_process()):
        raise _OrderedElsewhereError(
            f"another process is ordering the uttrekk {uttrekk.name} right now",
            f"Follow it with freg uttrekk status {uttrekk.name}",
        )


def _record(uttrekk: Uttrekk, number: int, answer: OrderAnswer) -> None:
    write_record(uttrekk.store, uttrekk.order_key(number, "answer"), answer)
