"""Look persons up at random and hold the answers against the tables.

The register has changed documents of very many persons without an event (its news of 2020-09-11,
2021-09-07, 2021-10-12, 2021-12-01, 2022-01-03 and 2023-01-09). Whoever lives by events alone drifts
and can't know it; a few look-ups can.
"""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from typing import Any

from freg_pipeline.client import Register
from freg_pipeline.contract import Plan
from freg_pipeline.envelope import is_xml, match, numbers_of, parse
from freg_pipeline.errors import ConfigurationError, FregError
from freg_pipeline.extract.probe import again_line, taken_again, taken_by, tell_refused
from freg_pipeline.feed.pages import ask
from freg_pipeline.journal.batches import chunks
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.releases import require_current
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.lake.spot import Differences, differences, earlier_numbers, sample
from freg_pipeline.normalize import Chunk, json_answer, normalize_batch
from freg_pipeline.settings import Settings
from freg_pipeline.store import Store

logger = logging.getLogger(__name__)

MOST_PERSONS = 10_000  # their rows are in memory
MOST_EVENTS = 50_000  # that a release may be behind: more is a sync's work, not a check's


@dataclass(frozen=True)
class SpotCheck:
    """What a spot check found. Counts only: no number, no value.

    Attributes:
        release: the release's number.
        sekvensnummer: the event list's position of its tables.
        asked: persons looked up.
        changed: of them, persons left out because an event after that position concerns them.
        found: how the others' rows differ.
    """

    release: str
    sekvensnummer: int
    asked: int
    changed: int
    found: Differences

    def counts(self) -> dict[str, Any]:
        """All of it in one level, for a program."""
        own = {"release": self.release, "sekvensnummer": self.sekvensnummer}
        return {**own, "asked": self.asked, "changed": self.changed, **asdict(self.found)}


async def spot_check(
    store: Store, register: Register, settings: Settings, persons: int = 200
) -> SpotCheck:
    """Compare so many of the current release's persons, drawn at random, with the register.

    Nothing is written to the store, and what was fetched is removed at once. Parts that the
    register refuses since are compared no more, and are named in the log; so are those that it
    refused when the release was made, and takes again.

    Args:
        store: where the release lies.
        register: whom to ask; open.
        settings: which register it is, and in which form it answers.
        persons: how many, up to MOST_PERSONS.

    Raises:
        ConfigurationError: there is no release, or it is another register's; or that is no number
            of persons to look up.
        FregError: the release is so far behind that hardly anybody could be compared.
        TooOldError: the event list no longer reaches back to the release's position.
        RefusedError, PassingError: as for every request.
    """
    if not 0 < persons <= MOST_PERSONS:
        raise ConfigurationError(
            f"{persons} persons can't be drawn", f"Ask for 1 to {MOST_PERSONS:,}"
        )
    current = require_current(store)
    _require_same(current, settings)
    since = _Since(register, settings, current.sekvensnummer)
    await since.read()
    numbers = sample(store, current, persons)
    plan = load_plan(store, current.contract)
    parts = await _taken_now(register, current, plan)
    with store.scratch() as folder:
        look_up = _LookUp(register, parts, plan)
        await look_up.all_of(numbers)
        fetched = normalize_batch(iter(look_up.chunks), plan, "foedselsEllerDNummer", folder)
        await since.read()  # what has happened while they were being looked up
        known = earlier_numbers(store, current, numbers)
        changed = {
            number
            for number in numbers
            if not since.numbers.isdisjoint(
                {number, *known.get(number, ()), *look_up.told.get(number, ())}
            )
        }
        found = (
            differences(store, current, plan, fetched.tables, changed, parts)
            if numbers
            else Differences(0, 0, 0, {})
        )
    return SpotCheck(current.number, current.sekvensnummer, len(numbers), len(changed), found)


def _require_same(current: Manifest, settings: Settings) -> None:
    different = [
        name
        for name, then, now in (
            ("FREG_ENVIRONMENT", current.environment, settings.environment),
            ("FREG_RETTIGHETSPAKKE", current.rettighetspakke, settings.rettighetspakke),
        )
        if then != now
    ]
    if different:
        raise ConfigurationError(
            f"release {current.number} was made with a different {' and '.join(different)}",
            "Set it back",
        )


async def _taken_now(register: Register, current: Manifest, plan: Plan) -> tuple[str, ...]:
    """The release's parts, but for what the register refuses since; says what has changed."""
    now = await taken_by(register, current.parts)
    tell_refused(now.refused, now.parts, plan)
    again = await taken_again(register, current.parts_refused)
    if again:
        logger.warning("%s", again_line(again))
    return now.parts


class _LookUp:
    """Fetches documents with the parts that the release holds."""

    def __init__(self, register: Register, parts: tuple[str, ...], plan: Plan) -> None:
        self._register = register
        self._parts = parts
        self._structure = plan.contract.structure
        self.chunks: list[Chunk] = []
        self.told: dict[str, list[str]] = {}  # by number asked for: the numbers in the answer

    async def all_of(self, numbers: list[str]) -> None:
        first = 0
        for asked in chunks(numbers):
            answer = await self._register.personer.bulkoppslag(asked, self._parts)
            body = answer.body
            if is_xml(body):
                body = json_answer(body, self._structure)
            for number, oppslag in zip(asked, match(asked, parse(body)), strict=True):
                if oppslag is not None and oppslag.person is not None:
                    self.told[number] = list(numbers_of(oppslag.person))
            self.chunks.append(Chunk(first, asked, body, answer.hentet))
            first += len(asked)


class _Since:
    """Whom events concern that come after a position."""

    def __init__(self, register: Register, settings: Settings, position: int) -> None:
        self._register = register
        self._form = settings.answer_format
        self._position = position
        self._events = 0
        self.numbers: set[str] = set()

    async def read(self) -> None:
        """Read on to the end of the list.

        Raises:
            FregError: the release is too far behind.
            RefusedError, PassingError: as for every request.
        """
        while True:
            page = await ask(self._register, self._form, self._position)
            if page is None or not page.entries:
                return
            self._events += len(page.entries)
            if self._events > MOST_EVENTS:
                raise FregError(
                    f"the release is more than {MOST_EVENTS:,} events behind",
                    "Bring it up to date first: freg hendelser sync",
                )
            self._position = page.entries[-1].sekvensnummer
            told = (entry.folkeregisteridentifikator for entry in page.entries)
            self.numbers.update(number for number in told if number is not None)
