"""Whose events a sync of a selection takes: its persons', and of who may have become one of them.

A release that isn't everyone's (tilpasset, liste, soek) stays that of its persons. The event list
tells of everybody, so it is asked who of them is in the release, by the current or an earlier
number. Of the others, those are looked at whom an event may have made one: a number that the
release knows stands among the ended ones of somebody else, or, of a tilpasset uttrekk, somebody
fits its criteria now. What is looked at for that is thrown away at once: these are persons whom
nobody has asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import closing

import pyarrow as pa

from freg_pipeline.client import Register
from freg_pipeline.client.feed import FeedEntry
from freg_pipeline.feed.newcomers import BY_DOCUMENT, Newcomers
from freg_pipeline.journal.kept import require_whole
from freg_pipeline.journal.kinds import AnyKind, Tilpasset
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.query import connect
from freg_pipeline.lake.sources import files_of

# Changes of one entity say nothing about who the person is, but for these. The packages that aren't
# told what changed hear of endringIPerson.
_ONE_ENTITY = "endringI"
_NEW_NUMBER = {"endringIIdentifikasjonsnummer", "endringIIdentitetsgrunnlag", "endringIPerson"}


async def own_events_of(
    register: Register,
    uttrekk: Uttrekk,
    current: Manifest,
    kind: AnyKind,
    events: Sequence[FeedEntry],
    *,
    concurrency: int,
    must_know: bool = True,
) -> list[FeedEntry]:
    """Those of the events that concern persons who belong to a release.

    An event that tells no number is known by the person's document, where it tells that.

    Args:
        register: whom to ask.
        uttrekk: of kind hendelser.
        current: the release that it continues.
        kind: what the release was made of in the beginning.
        events: the sync's events.
        concurrency: look-ups under way at once.
        must_know: as :class:`~freg_pipeline.feed.newcomers.Newcomers` takes it.

    Raises:
        RefusedError, PassingError: as for every request.
    """
    numbers, by_document = set[str](), set[str]()
    for event in events:
        if event.folkeregisteridentifikator is not None:
            numbers.add(event.folkeregisteridentifikator)
        elif event.persondokument is not None:
            by_document.add(event.persondokument)
    own = members(uttrekk, current, numbers)
    newcomers = Newcomers(register, uttrekk, concurrency, must_know=must_know)
    told = await newcomers.numbers_told(_maybe_renumbered(events) - own)
    told |= await newcomers.numbers_told(by_document, BY_DOCUMENT)
    every = set[str]().union(*told.values())
    own |= _connected(told, members(uttrekk, current, every) | own)
    if isinstance(kind, Tilpasset):
        kriterier = kind.kriterier
        own |= await newcomers.fitting(numbers - own, kriterier)
        own |= await newcomers.fitting(by_document - own, kriterier, BY_DOCUMENT)
    return [event for event in events if _concerned(event) in own]


def _concerned(event: FeedEntry) -> str | None:
    """Whom an event concerns, as far as it tells."""
    return event.folkeregisteridentifikator or event.persondokument


def members(uttrekk: Uttrekk, current: Manifest, numbers: Collection[str]) -> set[str]:
    """Those of the numbers that are, or were, numbers of persons of a release.

    And those that it was to have, and that the register had nothing for, or nothing that can be
    read: somebody may stand under them since.
    """
    asked = pa.table({"nummer": pa.array(sorted(numbers), pa.string())})
    require_whole(uttrekk.store, files_of(current, "person", "tidligere_identifikator"))
    with closing(connect(uttrekk.store, current, states=False)) as connection:
        connection.register("asked", asked)
        rows = connection.execute(
            "SELECT nummer FROM asked SEMI JOIN person ON nummer = personidentifikator UNION "
            "SELECT nummer FROM asked SEMI JOIN tidligere_identifikator ON nummer = identifikator "
            "UNION SELECT nummer FROM asked SEMI JOIN avvik ON nummer = identifikator"
        ).fetchall()
    return {number for (number,) in rows}


def _maybe_renumbered(events: Iterable[FeedEntry]) -> set[str]:
    """The numbers under which somebody may go on who had another one until now."""
    return {
        event.folkeregisteridentifikator
        for event in events
        if event.folkeregisteridentifikator is not None
        and (
            event.hendelsetype is None
            or event.hendelsetype in _NEW_NUMBER
            or not event.hendelsetype.startswith(_ONE_ENTITY)
        )
    }


def _connected(told: dict[str, set[str]], known: set[str]) -> set[str]:
    """The numbers whose documents tell a known number, by way of other ones too."""
    found: set[str] = set()
    while True:
        more = {
            number
            for number, numbers in told.items()
            if number not in found and not numbers.isdisjoint(known)
        }
        if not more:
            return found
        found |= more
        known = known.union(*(told[number] for number in more))
