"""The events of a sync whose release isn't everyone's: those of its own persons, and no others.

The list tells of everybody. Its pages are read into memory, whom they concern is found out
(freg_pipeline.feed.selection), and the events of one's own persons are kept, together with the
number of the last one that was read. Who dies before that has kept nothing, and reads anew: a slice
is 50 pages at most.
"""

from __future__ import annotations

import msgspec

from freg_pipeline.client import Register
from freg_pipeline.client.feed import FeedEntry, FeedPage
from freg_pipeline.errors import DamagedError, ObjectMissingError
from freg_pipeline.feed.pages import read_events
from freg_pipeline.feed.selection import own_events_of
from freg_pipeline.journal.kinds import AnyKind
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.uttrekk import FeedEnd, Uttrekk
from freg_pipeline.store import is_there, recall_record, write_record


class OwnEvents(msgspec.Struct, frozen=True):
    """What is kept of a slice of the list.

    Attributes:
        siste: the number of the last event of the slice, whosever it is.
        lest: how many events the slice has.
        hendelser: those of one's own persons, in the list's order.
    """

    siste: int
    lest: int
    hendelser: list[FeedEntry]


def has_own_events(uttrekk: Uttrekk) -> bool:
    """Whether it has been found out whose events they are."""
    return is_there(uttrekk.store, _key(uttrekk))


async def own_events(
    register: Register,
    uttrekk: Uttrekk,
    current: Manifest,
    kind: AnyKind,
    page: FeedPage | None,
    *,
    concurrency: int,
    must_know: bool = True,
) -> OwnEvents:
    """The events of a release's own persons; found out once, since the answer may change.

    Args:
        register: whom to ask.
        uttrekk: of kind hendelser.
        current: the release that it continues.
        kind: what the release was made of in the beginning.
        page: the first page, where it was asked for already.
        concurrency: look-ups under way at once.
        must_know: as :class:`~freg_pipeline.feed.newcomers.Newcomers` takes it.

    Raises:
        DamagedError: what was kept isn't as it was written, or is gone.
        TooOldError: the list no longer reaches back to the release's position.
        RefusedError, PassingError: as for every request; nothing is kept.
    """
    if not has_own_events(uttrekk):
        if uttrekk.feed_end is not None or uttrekk.batches():  # which were made of them
            raise DamagedError(_key(uttrekk), uttrekk.store.location, how="gone")
        events = await read_events(register, uttrekk, first=page, keep=False)
        own = await own_events_of(
            register,
            uttrekk,
            current,
            kind,
            events,
            concurrency=concurrency,
            must_know=must_know,
        )
        found = OwnEvents(
            events[-1].sekvensnummer if events else uttrekk.request.sekvensnummer,
            len(events),
            own,
        )
        write_record(uttrekk.store, _key(uttrekk), found)
    kept = _read(uttrekk)  # another worker's word may stand
    end = FeedEnd(kept.siste, len(kept.hendelser))
    write_record(uttrekk.store, uttrekk.feed_end_key, end)
    return kept


def events_read(uttrekk: Uttrekk) -> int:
    """How many events of the list a sync has taken in, whosever they are."""
    try:
        return _read(uttrekk).lest
    except ObjectMissingError:
        end = uttrekk.feed_end
        return 0 if end is None else end.hendelser


def _read(uttrekk: Uttrekk) -> OwnEvents:
    return recall_record(uttrekk.store, _key(uttrekk), OwnEvents)


def _key(uttrekk: Uttrekk) -> str:
    return uttrekk.key("feed/egne.json")
