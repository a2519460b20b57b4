"""Find out which ``part``s the register takes, before anything is ordered.

Parts age apart from the contract: the register refuses some whose entities its contract still
names, spells one otherwise than the contract does, and the gateway of the municipalities refuses
what the role doesn't hold (docs/decisions/0034). What a refusal says differs, so it isn't read: the
parts are asked for again by halves.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field

from freg_pipeline.client import Register
from freg_pipeline.client.html import PageError
from freg_pipeline.contract import Plan
from freg_pipeline.errors import GoneError, PartsRefusedError, RefusedError
from freg_pipeline.extract.parts import Parts, choose, entities, uncapitalised

logger = logging.getLogger(__name__)

# Valid by its control digits, of somebody born in 1854, 110 years before the register began: a
# look-up of it concerns nobody.
NOBODY = "01015450068"
MOST_LOOK_UPS = 80
_UNAUTHORISED = 401
# As the page on dataminimering spells it, and a client in production sends it.
_OTHER_SPELLINGS = {"rettsligHandleevne": "RettsligHandleevne"}

# Asks for parts of a document; the refusal, if there is one.
Ask = Callable[[Sequence[str]], Awaitable[RefusedError | None]]


@dataclass(frozen=True)
class Taken:
    """What the register takes of the parts that were asked for.

    Attributes:
        parts: in the order and the spelling to ask for them.
        refused: what it refuses, as the contract spells it.
    """

    parts: tuple[str, ...]
    refused: tuple[str, ...] = ()


async def chosen_parts(
    register: Register, configured: Sequence[str], plan: Plan, refused: Collection[str] = ()
) -> tuple[Parts, tuple[str, ...]]:
    """The parts to ask for, as the register takes them now; and those that it refuses.

    Args:
        register: whom to ask.
        configured: as in the settings.
        plan: the contract's tables.
        refused: what is known to be refused, and isn't asked for again.

    Raises:
        RefusedError: the register refuses the question, whatever its parts.
        PassingError: as for every request.
    """
    wanted = choose(configured, plan, refused)
    taken = await taken_by(register, dict.fromkeys((*wanted.landed, *wanted.apart)))
    spelling = {uncapitalised(part): part for part in taken.parts}
    told = (*refused, *taken.refused)
    return choose(configured, plan, told, spelling), told


async def taken_by(register: Register, parts: Iterable[str]) -> Taken:
    """Ask a register which parts it takes: one look-up where it takes all of them.

    A package without look-ups by number has no tables to fill, and is not asked.
    """
    wanted = tuple(parts)
    if not register.may_call("personer/bulkoppslag"):
        return Taken(wanted)

    async def ask(parts: Sequence[str]) -> RefusedError | None:
        try:
            await register.personer.bulkoppslag([NOBODY], parts)
        except RefusedError as error:
            if not _can_be_about_parts(error):
                raise
            return error
        return None

    return await find_taken(ask, wanted)


async def advised(refused: RefusedError, register: Register, parts: Sequence[str]) -> RefusedError:
    """A refused look-up, with what to do where it is about parts that were taken before.

    Args:
        refused: how it was refused.
        register: who refused it.
        parts: what it asked for.

    Returns:
        A PartsRefusedError where parts are refused of nobody, too; else the one given.

    Raises:
        PassingError: as for every request.
    """
    if not _can_be_about_parts(refused):
        return refused
    try:
        taken = await taken_by(register, parts)
    except RefusedError:  # whatever its parts
        return refused
    lost = [part for part in parts if part not in taken.parts]
    if not lost:
        return refused
    return PartsRefusedError(
        f"{refused.what}: it no longer takes {', '.join(lost)}",
        "Start a new uttrekk; if you gave a --name, choose another",
        status=refused.status,
        code=refused.code,
        said=refused.said,
    )


def _can_be_about_parts(refused: RefusedError) -> bool:
    return not isinstance(refused, PageError | GoneError) and refused.status != _UNAUTHORISED


async def find_taken(ask: Ask, parts: tuple[str, ...]) -> Taken:
    """Narrow the refused parts down by halves, with few questions.

    Raises:
        RefusedError: the question is refused without any part, too, or parts are refused in a way
            that this can't find out.
    """
    search = _Search(ask)
    refusal = await search.ask(parts)
    if refusal is None:
        return Taken(parts)
    if await search.ask(()) is not None:  # not about parts
        raise refusal
    await search.narrow(parts)
    spelt = {part: await search.spelling(part) for part in search.refused}
    kept = tuple(spelt.get(part, part) for part in parts if spelt.get(part, part) is not None)
    refused = tuple(part for part in parts if part in spelt and spelt[part] is None)
    taken = tuple(part for part in kept if part is not None)
    if not taken or await search.ask(taken) is not None:
        raise refusal
    return Taken(taken, refused)


@dataclass
class _Search:
    put: Ask
    asked: int = 0
    refused: list[str] = field(default_factory=list)

    async def ask(self, parts: Sequence[str]) -> RefusedError | None:
        self.asked += 1
        refusal = await self.put(parts)
        if refusal is not None and self.asked > MOST_LOOK_UPS:
            raise refusal
        return refusal

    async def narrow(self, parts: Sequence[str]) -> None:
        """Find the refused ones among parts of which one at least is refused."""
        if len(parts) == 1:
            self.refused.append(parts[0])
            return
        half = len(parts) // 2
        first, second = parts[:half], parts[half:]
        in_first = await self.ask(first) is not None
        if in_first:
            await self.narrow(first)
        if not in_first or await self.ask(second) is not None:
            await self.narrow(second)

    async def spelling(self, part: str) -> str | None:
        """Another spelling that is taken; None: there is none."""
        other = _OTHER_SPELLINGS.get(part)
        return other if other is not None and await self.ask((other,)) is None else None


async def taken_again(register: Register, refused: Iterable[str]) -> list[str]:
    """Those parts, refused before, that the register takes now: a look-up each.

    Raises:
        RefusedError, PassingError: as for every request.
    """
    return [part for part in refused if await _is_taken(register, part)]


async def _is_taken(register: Register, part: str) -> bool:
    try:
        return not (await taken_by(register, (part,))).refused
    except RefusedError as error:
        if not _can_be_about_parts(error):
            raise
        return False


def again_line(parts: Sequence[str]) -> str:
    """What to do about parts that were refused and are taken again."""
    return f"the register takes {', '.join(parts)} again: make a new full load to have it"


def refusal_line(refused: Sequence[str], landed: Collection[str], plan: Plan) -> str | None:
    """What it means for the tables that parts are refused; None: nothing is."""
    if not refused:
        return None
    missing = entities(refused) - entities(landed)
    empty = [table.name for table in plan.tables if table.entity in missing]
    means = f"; these tables stay empty: {', '.join(empty)}" if empty else ""
    return f"the register refuses {', '.join(refused)}: asked for without{means}"


def tell_refused(refused: Sequence[str], landed: Collection[str], plan: Plan) -> None:
    """Say in the log what it means that parts are refused."""
    line = refusal_line(refused, landed, plan)
    if line is not None:
        logger.warning("%s", line)
