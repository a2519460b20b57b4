"""No look-up is made again whose answer was kept; and nobody is looked up who isn't asked for.

The register notes whom it was asked for, and between two steps the store says which batches there
are and which of them are answered. What was under way when a process ended may be asked again.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import pyarrow as pa

from freg_pipeline_tests.chaos.places import Folder
from freg_pipeline_tests.registers import looked_up

_BATCH = re.compile(r"(uttrekk/.+/)batches/(\d+)\.json\.zst")
_ANSWER = re.compile(r"(uttrekk/.+/)answers/(\d+)/\d+\.json\.zst")  # a thousand to each: one only
_NOBODY = frozenset({"01015450068"})  # whom it is asked of which parts there are
Batches = Mapping[str, AbstractSet[str]]


@dataclass(frozen=True)
class Asked:
    """A look-up that the register was asked for.

    Attributes:
        service: which.
        identifiers: of whom.
    """

    service: str
    identifiers: AbstractSet[str]


class LookUps:
    """Counts look-ups, step by step.

    Args:
        url: of the register.
        place: where the store lies.
        by_batch: nobody is looked up but by batches; else syncs ask of newcomers, too, whether they
            belong.
    """

    def __init__(self, url: str, place: Folder, *, by_batch: bool = True) -> None:
        self._url = url
        self._by_batch = by_batch
        self._place = place
        self._batches: dict[str, frozenset[str]] = {}
        self._answered: set[str] = set()
        self.made = 0

    def after(self, *, undisturbed: bool, spot_checked: bool) -> list[str]:
        """What was wrong with those of a step, once its commands have ended.

        Args:
            undisturbed: one command, with nothing in its way: it asks once.
            spot_checked: persons were looked up by number to compare them with the tables.
        """
        asked = [
            Asked(one["tjeneste"], frozenset(one["identifikatorer"]))
            for one in looked_up(self._url)
            if not (spot_checked and one["tjeneste"] == "personer/bulkoppslag")
        ]
        keys = self._place.names()
        for key in keys:
            told = _BATCH.fullmatch(key)
            if told and "".join(told.groups()) not in self._batches:
                self._batches["".join(told.groups())] = _identifiers(self._place.read(key))
        there = {"".join(told.groups()) for told in map(_BATCH.fullmatch, keys) if told}
        # A sync that was purged may be made again, under the same name.
        self._batches = {name: of for name, of in self._batches.items() if name in there}
        self._answered &= there
        before = frozenset(self._answered)
        answered = {"".join(told.groups()) for told in map(_ANSWER.fullmatch, keys) if told}
        self._answered |= answered & there
        self.made += len(asked)
        if not self._by_batch:
            whole = {of for of in self._batches.values() if len(of) > 1}
            asked = [one for one in asked if one.identifiers in whole]
        return [*repeated(asked, self._batches, before, once=undisturbed)]


def repeated(
    asked: Sequence[Asked], batches: Batches, answered: AbstractSet[str], *, once: bool
) -> Iterator[str]:
    """Look-ups that needn't have been made.

    Args:
        asked: all of a step.
        batches: the identifiers of each batch that there is.
        answered: those whose answer was kept before the step.
        once: each batch that wasn't answered may be asked for once only.
    """
    waiting = [of for name, of in batches.items() if name not in answered]
    asked = [one for one in asked if not one.identifiers <= _NOBODY]
    again = [one for one in asked if not any(one.identifiers <= of for of in waiting)]
    known = [one for one in again if any(one.identifiers <= of for of in batches.values())]
    if known:
        yield f"{len(known)} look-ups were made again though their answers were kept"
    if len(again) > len(known):
        yield f"{len(again) - len(known)} look-ups are of nobody who is in a batch"
    if once and len(asked) - len(again) > len(waiting):
        yield f"{len(asked)} look-ups were made of {len(waiting)} batches that had no answer"


def _identifiers(packed: bytes) -> frozenset[str]:
    with pa.input_stream(io.BytesIO(packed), compression="zstd") as stream:
        told = json.loads(stream.read())
    return frozenset(one for many in told.values() for one in many)
