"""Read the pages of the event list that a sync contains, and keep them as they came.

A sync takes a slice of the list: from the position of the release that it continues to the end of
the list, but at most MAX_PAGES pages, so that a wave of any size needs bounded memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Literal

from freg_pipeline.client import Register
from freg_pipeline.client.answers import Answer
from freg_pipeline.client.feed import FeedEntry, FeedPage, parse_feed
from freg_pipeline.errors import DamagedError
from freg_pipeline.extract.blank import composed_page, events_without
from freg_pipeline.extract.poll import circumstances
from freg_pipeline.feed.position import require_within
from freg_pipeline.journal.keptout import KeptOut, kept_out, numbers_in
from freg_pipeline.journal.raw import pack, recall_raw
from freg_pipeline.journal.uttrekk import FeedEnd, Uttrekk
from freg_pipeline.store import write_record

MAX_PAGES = 50  # pages a slice; the register gives up to 1,000 events a page
Form = Literal["json", "xml"]  # of documents, as settings say
# How the list is asked for, by how documents are.
_FORMS: dict[Form, Literal["json", "atom"]] = {"json": "json", "xml": "atom"}


async def read_events(
    register: Register,
    uttrekk: Uttrekk,
    *,
    first: FeedPage | None = None,
    keep: bool = True,
) -> list[FeedEntry]:
    """The events of a sync, in the list's order; what isn't here yet is read and kept.

    A page that another worker kept at the same time counts, and not the one that came here: it may
    end earlier. The next page begins after the last event of the one before, whatever number that
    is: numbers have gaps, and pages any size.

    Args:
        register: whom to ask.
        uttrekk: of kind hendelser.
        first: the first page, where it was asked for already, holds events and was held against
            the register's last number (:func:`~freg_pipeline.feed.position.require_within`).
        keep: whether pages are kept, and the slice closed; they tell of everybody.

    Raises:
        DamagedError: what was kept isn't as it was written, or part of it is gone.
        TooOldError: the list no longer reaches back to the release's position.
        BeyondTheEndError: a page tells an event after the register's last one; it isn't kept.
        RefusedError, PassingError: as for every request; pages read until then are kept.
    """
    end = uttrekk.feed_end
    if end is not None:
        return _until(uttrekk, end)
    if uttrekk.batches():  # these were made of the events up to an end that is gone
        raise DamagedError(uttrekk.feed_end_key, uttrekk.store.location, how="gone")
    position = uttrekk.etter or 0
    last = 0  # the register's, as far as it is known
    events: list[FeedEntry] = []
    kept = 0 if first is not None else _kept(uttrekk)  # none were here when it was asked for
    out = kept_out(uttrekk.store)
    for page in range(MAX_PAGES):
        if page < kept:
            events += _after(_entries(uttrekk, page), position)
        else:
            answer = first if first is not None and page == 0 else None
            if answer is None:
                answer = await ask(register, uttrekk.question.form, position)
                if answer is None or not answer.entries:
                    break
                if answer.entries[-1].sekvensnummer > last:
                    last = await require_within(register, answer.entries[-1].sekvensnummer)
            answer = _without(answer, out)
            events += _keep(uttrekk, page, answer, position) if keep else answer.entries
        position = events[-1].sekvensnummer
    if not keep:
        return events
    end = FeedEnd(position, len(events))
    if not write_record(uttrekk.store, uttrekk.feed_end_key, end):
        return _until(uttrekk, uttrekk.feed_end or end)  # another worker's word stands
    return events


def _without(page: FeedPage, out: KeptOut) -> FeedPage:
    """A page as it may be kept: nothing of those who are kept out."""
    if not out:
        return page
    entries = tuple(events_without(page.entries, out))
    if entries == page.entries and not out.among(numbers_in(page.raw.body)):
        return page
    return replace(page, entries=entries, raw=_composed(page.raw, entries))


def _composed(raw: Answer, entries: Iterable[FeedEntry]) -> Answer:
    return replace(raw, body=composed_page(entries), content_type="application/json")


def _until(uttrekk: Uttrekk, end: FeedEnd) -> list[FeedEntry]:
    """The events of a slice that is closed: another worker may have kept pages after its end."""
    position = uttrekk.etter or 0
    events: list[FeedEntry] = []
    for page in range(_kept(uttrekk)):
        events += _after(_entries(uttrekk, page), events[-1].sekvensnummer if events else position)
    found = [event for event in events if event.sekvensnummer <= end.siste]
    if len(found) != end.hendelser:
        raise DamagedError(uttrekk.key("feed/"), uttrekk.store.location)
    return found


async def ask(
    register: Register, form: Form, position: int, etag: str | None = None
) -> FeedPage | None:
    """The page of events after a position, in order; None if it is still the one of ``etag``."""
    page = await register.hendelser.feed(position + 1, form=_FORMS[form], etag=etag)
    return page and replace(page, entries=tuple(_after(page.entries, position)))


def has_pages(uttrekk: Uttrekk) -> bool:
    """Whether any event of a sync is here."""
    return _kept(uttrekk) > 0


def _keep(uttrekk: Uttrekk, page: int, answer: FeedPage, position: int) -> Sequence[FeedEntry]:
    """Keep a page, and return the events of the one that is kept."""
    key = _page_key(uttrekk, page)
    if uttrekk.store.write(key, pack(key, answer.raw.body, circumstances(answer.raw))):
        return answer.entries
    return _after(_entries(uttrekk, page), position)


def _kept(uttrekk: Uttrekk) -> int:
    """How many pages are here: they are kept in their order, one after the other.

    Raises:
        DamagedError: one before another is gone. It is not asked for again: the page that the
            register gives now may end elsewhere.
    """
    here = {key for key in uttrekk.store.list(uttrekk.key("feed/")) if key.endswith(".zst")}
    for page in range(len(here)):
        if _page_key(uttrekk, page) not in here:
            raise DamagedError(_page_key(uttrekk, page), uttrekk.store.location, how="gone")
    return len(here)


def _page_key(uttrekk: Uttrekk, page: int) -> str:
    return uttrekk.key("feed", f"{page:06d}.{uttrekk.question.form}.zst")


def _entries(uttrekk: Uttrekk, page: int) -> list[FeedEntry]:
    return parse_feed(recall_raw(uttrekk.store, _page_key(uttrekk, page))[1])


def _after(entries: Iterable[FeedEntry], position: int) -> list[FeedEntry]:
    """Those that come after a position, each once, in the order of their numbers.

    Different events of one number all stay, in the order in which the list tells them: each tells
    of somebody who has to be looked up (docs/decisions/0024).
    """
    later = {entry: None for entry in entries if entry.sekvensnummer > position}
    return sorted(later, key=lambda entry: entry.sekvensnummer)
