"""Look at persons who are not in a release, to find out whether they belong to it; keep nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from typing import Any

import msgspec

from freg_pipeline.client import Register, TilpassetKriterier
from freg_pipeline.envelope import IdentifierKind, is_xml, match, numbers_of, parse
from freg_pipeline.errors import PassingError
from freg_pipeline.extract.crowd import for_each
from freg_pipeline.extract.look_up import is_open, look_up
from freg_pipeline.extract.parts import HISTORY, NUMBERS
from freg_pipeline.feed.criteria import entities_of, fits
from freg_pipeline.journal.batches import chunks
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.normalize import json_answer
from freg_pipeline.readable import read_json

logger = logging.getLogger(__name__)

BY_NUMBER: IdentifierKind = "foedselsEllerDNummer"
BY_DOCUMENT: IdentifierKind = "dokumentidentifikator"


class Newcomers:
    """Asks the register about strangers, for no more than the question takes.

    Args:
        register: whom to ask.
        uttrekk: the sync that they may belong to.
        concurrency: look-ups under way at once.
        must_know: whom the register doesn't answer for holds the sync up; else they are passed
            over, as one who allows an incomplete release has said.
    """

    def __init__(
        self, register: Register, uttrekk: Uttrekk, concurrency: int, *, must_know: bool = True
    ) -> None:
        self._register = register
        self._concurrency = concurrency
        self._must_know = must_know
        self._plan = load_plan(uttrekk.store, uttrekk.request.contract)
        asked = {*uttrekk.request.parts, *uttrekk.request.parts_apart}
        self._numbers = tuple(part for part in (NUMBERS, HISTORY) if part in asked) or (NUMBERS,)

    async def numbers_told(
        self, whom: Collection[str], kind: IdentifierKind = BY_NUMBER
    ) -> dict[str, set[str]]:
        """For each identifier that finds somebody, the numbers that they have and had."""
        told: dict[str, set[str]] = {}

        def take(identifier: str, person: bytes) -> None:
            told[identifier] = set(numbers_of(person))

        await self._look(whom, kind, self._numbers, take)
        return told

    async def fitting(
        self, whom: Collection[str], kriterier: TilpassetKriterier, kind: IdentifierKind = BY_NUMBER
    ) -> set[str]:
        """Those of the identifiers whose persons fit the criteria of a tilpasset uttrekk."""
        found: set[str] = set()

        def take(identifier: str, person: bytes) -> None:
            if fits(self._decoded(person), kriterier):
                found.add(identifier)

        await self._look(whom, kind, entities_of(kriterier), take)
        return found

    def _decoded(self, person: bytes) -> dict[str, Any]:
        try:
            document = read_json(msgspec.json.decode, person)
        except (msgspec.DecodeError, UnicodeDecodeError):
            if self._must_know:
                what = "a document that was looked up can't be read"
                raise _unknown(what) from None
            return {}
        return document if isinstance(document, dict) else {}

    async def _look(
        self,
        whom: Collection[str],
        kind: IdentifierKind,
        parts: tuple[str, ...],
        take: Callable[[str, bytes], None],
    ) -> None:
        """Look persons up, and pass on the documents of those who are there."""

        async def work(asked: list[str]) -> None:
            _, body = await look_up(self._register, parts, kind, asked)
            if is_xml(body):
                body = json_answer(body, self._plan.contract.structure)
            answers = match(asked, parse(body))
            left_open = sum(map(is_open, answers))
            if left_open and not self._must_know:
                logger.warning(
                    "%d of %d look-ups got no answer: whether their persons belong to the release "
                    "is unknown, so they are skipped",
                    left_open,
                    len(asked),
                )
            elif left_open:
                raise _unknown(
                    f"the register left {left_open} of {len(asked)} look-ups unanswered time and "
                    "again"
                )
            for identifier, one in zip(asked, answers, strict=True):
                if one is not None and one.person is not None:
                    take(identifier, one.person)

        await for_each(chunks(sorted(whom)), work, self._concurrency)


def _unknown(what: str) -> PassingError:
    return PassingError(
        f"{what}: whether their persons belong to the release is unknown",
        "Run freg hendelser sync again: it starts with them. If it persists, --allow-incomplete "
        "skips them",
    )
