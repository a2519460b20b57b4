"""Begin an uttrekk: what is asked for is recorded before anything is ordered or looked up."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from freg_pipeline.client import Register
from freg_pipeline.errors import ConfigurationError
from freg_pipeline.extract.contracts import InForce, fetch_contract
from freg_pipeline.extract.parts import check_configured
from freg_pipeline.extract.probe import chosen_parts, tell_refused
from freg_pipeline.journal.home import require_home
from freg_pipeline.journal.kinds import Komplett
from freg_pipeline.journal.question import Question
from freg_pipeline.journal.request import Request
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.settings import Settings
from freg_pipeline.store import Store

logger = logging.getLogger(__name__)

# Writes the batches of an uttrekk that is no job at the register.
Fill = Callable[[Register, Uttrekk], Awaitable[None]]


class OtherQuestionError(ConfigurationError):
    """An uttrekk asks for something else than it is now told to (exit code 2)."""


@dataclass(frozen=True)
class Approval:
    """What somebody has agreed to about an uttrekk, and who looks at it before it is begun.

    Attributes:
        check: raises ConfigurationError for a question that mustn't become an uttrekk here.
        allow_other_kind: it may replace a release of another kind or selection.
    """

    check: Callable[[Question], None]
    allow_other_kind: bool = False


NO_CONDITIONS = Approval(lambda _: None)


async def open_uttrekk(
    store: Store,
    register: Register,
    question: Question,
    *,
    fill: Fill | None = None,
    contract_file: Path | None = None,
    name: str | None = None,
    approval: Approval = NO_CONDITIONS,
) -> Uttrekk:
    """Return the uttrekk to work on, recorded before anything is ordered.

    Args:
        store: where it lies.
        register: whom to ask.
        question: what for.
        fill: writes its batches, where it is no job at the register; not called if they are here.
        contract_file: FREG_CONTRACT_FILE; None: not set.
        name: its name. Without one, an uttrekk of the same question that is under way is gone on
            with, and only if there is none is a new one begun.
        approval: looks at what is asked for before it is recorded.

    Raises:
        OtherQuestionError: the name belongs to another question; says what differs.
        ConfigurationError: approval is refused, the store belongs to another register, or the
            uttrekk is to begin after the register's last event.
        RefusedError: the package of rights lacks a service that such an uttrekk takes.
        ContractError: the contract can't be compiled.
    """
    register.require(*question.kind.services)
    require_home(store, question.environment)
    uttrekk = _under_way(store, question) if name is None else Uttrekk(store, name)
    if uttrekk is None or not uttrekk.exists:
        approval.check(question)
        request = await _request(store, register, question, contract_file, approval)
        uttrekk = _begun(store, request, name)
        _require_question(uttrekk, question)  # another process may have been first
    else:
        _require_question(uttrekk, question)
        require_approved(uttrekk, approval)
    if fill is not None and uttrekk.lacks_batches:
        await fill(register, uttrekk)
    return uttrekk


async def _request(
    store: Store,
    register: Register,
    question: Question,
    contract_file: Path | None,
    approval: Approval,
) -> Request:
    """The question with its circumstances, which are found out now.

    The contract in force and the register's last sequence number are noted first, so that nothing
    that happens while the uttrekk is made can be lost between it and the event list. The parts are
    asked for without those that the register refuses, which is said.
    """
    contract = await fetch_contract(store, register, contract_file)
    check_configured(question.parts, contract.plan)
    sekvensnummer = await register.hendelser.siste_sekvensnummer()
    _require_known(question, sekvensnummer)
    request = await as_taken(register, question, contract, sekvensnummer)
    return msgspec.structs.replace(request, allow_other_kind=approval.allow_other_kind)


async def as_taken(
    register: Register,
    question: Question,
    contract: InForce,
    sekvensnummer: int,
    refused_before: tuple[str, ...] = (),
) -> Request:
    """A question as the register takes it now: by its contract, without the parts that it refuses.

    Args:
        register: whom to ask for what it takes.
        question: as it was asked, of a name that is given later.
        contract: the one in force.
        sekvensnummer: the event list's position that the answers are right from.
        refused_before: parts that are known to be refused: they aren't asked for, nor told, again.

    Raises:
        RefusedError: the register refuses the question, whatever its parts.
        PassingError: as for every request.
    """
    parts, refused = await chosen_parts(register, question.parts, contract.plan, refused_before)
    tell_refused(refused[len(refused_before) :], parts.landed, contract.plan)
    return Request(
        name="",
        question=question,
        parts=parts.landed,
        parts_apart=parts.apart,
        parts_refused=refused,
        contract=contract.plan.fingerprint,
        contract_from=contract.source,
        sekvensnummer=sekvensnummer,
        created=datetime.now(UTC),
    )


def _require_known(question: Question, last: int) -> None:
    """See that an uttrekk doesn't begin after the last event: no sync could go on from there."""
    begin = question.kind.feedsekvensnr if isinstance(question.kind, Komplett) else None
    if begin is not None and begin > last:
        raise ConfigurationError(
            f"feedsekvensnr is {begin}, and the register's last event is number {last}",
            "Give it the number of an event, or leave it out",
        )


def _under_way(store: Store, question: Question) -> Uttrekk | None:
    for uttrekk in reversed(Uttrekk.list_open(store)):
        if uttrekk.question == question and not uttrekk.is_gone:
            logger.info("resuming the uttrekk %s", uttrekk.name)
            return uttrekk
    return None


def _begun(store: Store, request: Request, name: str | None) -> Uttrekk:
    """The uttrekk, recorded under its name, or under one of its own; another worker's stands."""
    if name is not None:
        Uttrekk.begin(store, request.named(name))
        return Uttrekk(store, name)
    usual = f"{request.question.kind.name}-{request.created:%Y%m%dt%H%M%S}"
    number = 1
    while True:  # two within a second is rare; each try is decided by who writes first
        name = usual if number == 1 else f"{usual}-{number}"
        if Uttrekk.begin(store, request.named(name)):
            return Uttrekk(store, name)
        number += 1


def _require_question(uttrekk: Uttrekk, question: Question) -> None:
    differences = uttrekk.question.differences(question)
    if differences:
        raise OtherQuestionError(
            f"the uttrekk {uttrekk.name} asks for something else: {'; '.join(differences)}",
            f"Choose another name, or resume it as it is: {uttrekk.resume_command}",
        )


def require_approved(uttrekk: Uttrekk, approval: Approval) -> None:
    """See that an uttrekk that is begun may still become a release.

    Raises:
        ConfigurationError: approval is refused, and wasn't given when it was begun.
    """
    if uttrekk.release is None and not uttrekk.request.allow_other_kind:
        approval.check(uttrekk.question)


def require_same_settings(uttrekk: Uttrekk, settings: Settings) -> None:
    """See that an uttrekk is resumed as it was started: the settings ask for nothing else.

    Raises:
        OtherQuestionError: they name another environment, package of rights or other parts.
    """
    question = uttrekk.question
    differences = question.differences(question.under(settings))
    if differences:
        raise OtherQuestionError(
            f"the uttrekk {uttrekk.name} was started with different settings: "
            f"{'; '.join(differences)}",
            "Set them back, or start a new uttrekk",
        )
