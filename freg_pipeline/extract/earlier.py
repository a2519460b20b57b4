"""Answers that came for a job which the register has lost since: they are used for the next one.

The order of a new job's batches is the register's. So answers are found by identifier, among the
batches of the same number and its neighbours, which bounds the memory.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from freg_pipeline.envelope import IdentifierKind, Oppslag, compose, is_xml, match, parse
from freg_pipeline.journal.batches import chunks
from freg_pipeline.journal.raw import RawMeta, read_raw
from freg_pipeline.journal.uttrekk import Uttrekk

_NEIGHBOURS = (-1, 0, 1)


@dataclass(frozen=True)
class _Look:
    """A look-up of an earlier job that was answered."""

    job: int
    batch: int
    chunk: int


class EarlierAnswers:
    """What is known of a batch's identifiers from earlier jobs of its uttrekk.

    Args:
        uttrekk: whose batch.
        batch: its number.
    """

    def __init__(self, uttrekk: Uttrekk, batch: int) -> None:
        self._views = {view.job: view for view in uttrekk.earlier_jobs()}
        self._asked: dict[_Look, list[str]] = {}
        self._where: dict[str, _Look] = {}
        for view in self._views.values():  # what a later job was told wins
            for near in (batch + offset for offset in _NEIGHBOURS):
                if near >= 0 and view.has_batch(near):
                    self._note(view, near)

    def _note(self, view: Uttrekk, batch: int) -> None:
        asked = chunks(view.identifiers(batch))
        for chunk in sorted(view.answered(batch)):
            look = _Look(view.job, batch, chunk)
            self._asked[look] = asked[chunk]
            self._where.update(dict.fromkeys(asked[chunk], look))

    async def completed(
        self,
        asked: list[str],
        kind: IdentifierKind,
        ask: Callable[[list[str]], Awaitable[tuple[RawMeta, bytes]]],
    ) -> tuple[RawMeta, bytes]:
        """The answer to a look-up: of what is here already, and of the register for the rest.

        Args:
            asked: the identifiers, 1,000 at most.
            kind: what they are.
            ask: asks the register.

        Raises:
            RefusedError, PassingError: as for every request.
        """
        known, oldest = await asyncio.to_thread(self._known, asked)
        if not known:
            return await ask(asked)
        missing = [identifier for identifier in asked if identifier not in known]
        if missing:
            meta, body = await ask(missing)
            oldest = min(oldest, meta.hentet)
            fresh = zip(missing, match(missing, parse(body)), strict=True)
            known |= {one: replace(found, identifikator=one) for one, found in fresh if found}
        body = compose([known[one] for one in asked if one in known], kind)
        form = "application/xml" if is_xml(body) else "application/json"
        return RawMeta(len(body), oldest, form, "", composed=True), body

    def _known(self, asked: list[str]) -> tuple[dict[str, Oppslag], datetime]:
        """The documents that are here, by identifier, and when the oldest of them came.

        Reasons for there being none are asked for again: they may have passed.
        """
        by_look: dict[_Look, set[str]] = defaultdict(set)
        for identifier in asked:
            if identifier in self._where:
                by_look[self._where[identifier]].add(identifier)
        found: dict[str, Oppslag] = {}
        oldest = datetime.now(UTC)
        for look, wanted in by_look.items():
            view = self._views[look.job]
            meta, body = read_raw(view.store, view.answer_key(look.batch, look.chunk))
            oldest = min(oldest, meta.hentet)
            answers = zip(self._asked[look], match(self._asked[look], parse(body)), strict=True)
            found |= {
                identifier: replace(oppslag, identifikator=identifier)
                for identifier, oppslag in answers
                if oppslag is not None and oppslag.person is not None and identifier in wanted
            }
        return found, oldest
