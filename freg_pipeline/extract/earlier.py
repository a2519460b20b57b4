"""Answers that came for a job which the register has lost since: they are used for the next one.

The order of a new job's batches is the register's. So answers are found by identifier, among the
batches of the same number and its neighbours, which bounds the memory.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from freg_pipeline.envelope import Oppslag, match, parse
from freg_pipeline.journal.raw import read_raw
from freg_pipeline.journal.uttrekk import Uttrekk, chunks

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
            here = set(view.batches())
            for near in sorted({batch + offset for offset in _NEIGHBOURS} & here):
                self._note(view, near)

    def _note(self, view: Uttrekk, batch: int) -> None:
        asked = chunks(view.identifiers(batch))
        for chunk in sorted(view.answered(batch)):
            look = _Look(view.job, batch, chunk)
            self._asked[look] = asked[chunk]
            self._where.update(dict.fromkeys(asked[chunk], look))

    def of(self, asked: Sequence[str]) -> tuple[dict[str, Oppslag], datetime | None]:
        """The answers that are here, by identifier, and when the oldest of them came."""
        by_look: dict[_Look, set[str]] = defaultdict(set)
        for identifier in asked:
            if identifier in self._where:
                by_look[self._where[identifier]].add(identifier)
        found: dict[str, Oppslag] = {}
        times: list[datetime] = []
        for look, wanted in by_look.items():
            view = self._views[look.job]
            meta, body = read_raw(view.store, view.answer_key(look.batch, look.chunk))
            times.append(meta.hentet)
            answers = zip(self._asked[look], match(self._asked[look], parse(body)), strict=True)
            found |= {
                identifier: replace(oppslag, identifikator=identifier)
                for identifier, oppslag in answers
                if oppslag is not None and oppslag.person is not None and identifier in wanted
            }
        return found, min(times, default=None)
