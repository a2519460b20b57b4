"""Expand a batch of identifiers into kept answers, 1,000 at a time.

What was kept is not asked for again. How one look-up is made: :mod:`freg_pipeline.extract.look_up`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Protocol

import msgspec

from freg_pipeline.client import Register
from freg_pipeline.envelope import IdentifierKind
from freg_pipeline.extract.apart import with_numbers
from freg_pipeline.extract.blank import answer_without, without_placeholders
from freg_pipeline.extract.crowd import for_each
from freg_pipeline.extract.earlier import EarlierAnswers
from freg_pipeline.extract.look_up import Plain, look_up
from freg_pipeline.extract.parts import HISTORY
from freg_pipeline.extract.took import measured
from freg_pipeline.journal.batches import chunks
from freg_pipeline.journal.keptout import NOBODY, KeptOut, kept_out
from freg_pipeline.journal.raw import RawMeta, pack
from freg_pipeline.journal.request import Request
from freg_pipeline.journal.uttrekk import Uttrekk


class Along(Protocol):
    """Reads a batch's answers as they come."""

    @property
    def kept_out(self) -> KeptOut:
        """Who is kept out."""

    async def read_plain(self, chunk: int, body: bytes, hentet: datetime) -> bool:
        """Read an answer, if it answers everything in the plain form; else it isn't read."""

    async def kept(self, chunk: int, meta: RawMeta, body: bytes) -> None:
        """Be told that the answer to a look-up is kept; it may have been read before."""

    def give_up(self) -> None:
        """Be told that another answer than the one that was read is kept."""


@dataclass(frozen=True)
class FetchReport:
    """What fetching a batch took.

    Attributes:
        identifiers: in the batch.
        fetched: look-ups made now.
        kept: look-ups that were answered before.
        bytes: of the answers fetched now, before compression.
    """

    identifiers: int
    fetched: int
    kept: int
    bytes: int


async def fetch_batch(
    register: Register,
    uttrekk: Uttrekk,
    batch: int,
    *,
    concurrency: int,
    progress: Callable[[int], None] | None = None,
    along: Along | None = None,
) -> FetchReport:
    """Fetch and keep the answers to all look-ups of a batch that lack one.

    Args:
        register: whom to ask.
        uttrekk: whose batch it is.
        batch: its number.
        concurrency: look-ups under way at once; each holds some 6 MB.
        progress: told how many more identifiers are answered.
        along: reads the answers as they come. What it can read in one go isn't checked besides.

    Raises:
        RefusedError, PassingError: as for every request; what was fetched until then is kept.
    """
    asked = chunks(uttrekk.identifiers(batch))
    kind = uttrekk.identifier_kind(batch)
    kept = uttrekk.answered(batch)
    report = progress or (lambda _: None)
    report(sum(len(asked[chunk]) for chunk in kept))
    waiting = [chunk for chunk in range(len(asked)) if chunk not in kept]
    sizes: list[int] = []

    earlier = EarlierAnswers(uttrekk, batch)
    out = NOBODY
    if waiting:
        out = kept_out(uttrekk.store) if along is None else along.kept_out

    async def work(chunk: int) -> None:
        plain = None if along is None or out else partial(along.read_plain, chunk)

        async def ask(identifiers: list[str]) -> tuple[RawMeta, bytes]:
            whole = plain if len(identifiers) == len(asked[chunk]) else None
            return await _documents(register, uttrekk.request, kind, identifiers, whole)

        answered = earlier.completed(asked[chunk], kind, partial(without_placeholders, ask))
        (meta, body), took = await measured(answered)
        meta, body = await asyncio.to_thread(_without, out, kind, meta, body)
        meta = msgspec.structs.replace(meta, took=took)
        key = uttrekk.answer_key(batch, chunk)
        is_ours = await asyncio.to_thread(_keep, uttrekk, key, meta, body)
        if along is not None:
            await along.kept(chunk, meta, body) if is_ours else along.give_up()
        sizes.append(len(body))
        report(len(asked[chunk]))

    await for_each(waiting, work, concurrency)
    return FetchReport(sum(map(len, asked)), len(sizes), len(kept), sum(sizes))


def _without(
    out: KeptOut, kind: IdentifierKind, meta: RawMeta, body: bytes
) -> tuple[RawMeta, bytes]:
    """An answer as it may be kept: nothing of those who are kept out."""
    meta = msgspec.structs.replace(meta, kept_out=out.number)
    left = answer_without(body, kind, out) if out else None
    if left is None:
        return meta, body
    return msgspec.structs.replace(meta, size=len(left), composed=True), left


def _keep(uttrekk: Uttrekk, key: str, meta: RawMeta, body: bytes) -> bool:
    """Whether it is kept, or another worker's answer to the same look-up."""
    return uttrekk.store.write(key, pack(key, body, meta))


async def _documents(
    register: Register,
    request: Request,
    kind: IdentifierKind,
    asked: list[str],
    plain: Plain | None,
) -> tuple[RawMeta, bytes]:
    """The documents with what tells their persons apart: of one look-up, where that will do."""
    parts, apart = request.parts, request.parts_apart
    if HISTORY not in apart:
        return await look_up(register, (*parts, *apart), kind, asked, plain)

    async def ask(parts: tuple[str, ...], asked: list[str]) -> tuple[RawMeta, bytes]:
        return await look_up(register, parts, kind, asked)

    return await with_numbers(ask, parts, apart, kind, asked)
