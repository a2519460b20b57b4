"""A page of the event list: as JSON, as XML, and as an Atom feed.

Source: the register's description of its hendelsesliste, and its published API description.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from freg_pipeline.synthetic.archive import Archive
from freg_pipeline.synthetic.event_documents import WITHOUT_EVENT_DOCUMENT
from freg_pipeline.synthetic.events import Event, moment_text
from freg_pipeline.synthetic.packages import Package, may_see_documents

PAGE = 1_000
ATOM = "application/atom+xml"
NAMESPACE = "folkeregisteret:tilgjengeliggjoering:hendelse:v1"
WITHOUT_PERSON_DOCUMENT = frozenset({"personErOpphoertSomDublett"})
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'


@dataclass(frozen=True)
class Page:
    """One page.

    Attributes:
        events: in order.
        following: the sequence number that the next page begins at; None at the end.
    """

    events: tuple[Event, ...]
    following: int | None


class Feed:
    """The pages of one register's event list."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def page(self, sequence_number: int) -> Page:
        """The events from a number on, the number itself included."""
        log = self._archive.events
        first = log.first_from(sequence_number)
        last = min(first + PAGE, len(log))
        events = tuple(log.events(range(first, last)))
        return Page(events, events[-1].sequence_number + 1 if last < len(log) else None)

    def json(self, page: Page, package: Package) -> bytes:
        """An array of events, as the package is told them."""
        texts = []
        for event in page.events:
            pointers = ""
            if may_see_documents(package):
                pointers = "".join(f'"{name}":"{at}",' for name, at in self._pointers(event))
            texts.append(
                f'{{"sekvensnummer":{event.sequence_number},"hendelse":{{'
                f'"folkeregisteridentifikator":"{event.number}",'
                f'"hendelsetype":"{_kind_for(package, event)}",'
                f'{pointers}"ajourholdstidspunkt":"{moment_text(event.moment)}"}}}}'
            )
        return f"[{','.join(texts)}]".encode()

    def xml(self, page: Page, package: Package) -> bytes:
        """The same events in XML."""
        entries = self._entries(page.events, package)
        body = f'<liste xmlns:h="{NAMESPACE}">{"".join(entries)}</liste>'
        return f"{_DECLARATION}{body}".encode()

    def atom(self, page: Page, url: str, sequence_number: int, package: Package) -> bytes:
        """The same events as an Atom feed.

        Args:
            page: the events.
            url: the feed's own address, without a query.
            sequence_number: what was asked for.
            package: who asks.
        """
        links = {"self": sequence_number, "first": 0, "next": page.following}
        updated = moment_text(page.events[-1].moment if page.events else self._archive.now)
        parts = [
            f'{_DECLARATION}<feed xmlns="http://www.w3.org/2005/Atom" xmlns:h="{NAMESPACE}">'
            f"<id>{escape(url)}</id><title>Hendelsesliste</title>"
            f"<author><name>Skatteetaten</name></author>"
        ]
        parts += [
            f'<link rel="{relation}" type="{ATOM}" href={quoteattr(f"{url}?seq={number}")}/>'
            for relation, number in links.items()
            if number is not None
        ]
        parts.append(f"<updated>{updated}</updated>")
        entries = self._entries(page.events, package)
        for event, entry in zip(page.events, entries, strict=True):
            identifier = f"tag:skatteetaten.no,2017-10-10:{NAMESPACE}:{event.sequence_number}"
            parts.append(
                f"<entry><title>Hendelse</title><id>{identifier}</id>"
                f"<updated>{moment_text(event.moment)}</updated>"
                f'<content type="application/xml">{entry}</content></entry>'
            )
        return "".join([*parts, "</feed>"]).encode()

    def _entries(self, events: Sequence[Event], package: Package) -> Iterable[str]:
        for event in events:
            pointers = ""
            if may_see_documents(package):
                pointers = "".join(
                    f"<h:{name}>{at}</h:{name}>" for name, at in self._pointers(event)
                )
            yield (
                f"<h:lagretHendelse><h:sekvensnummer>{event.sequence_number}</h:sekvensnummer>"
                f"<h:hendelse><h:folkeregisteridentifikator>{event.number}"
                f"</h:folkeregisteridentifikator>"
                f"<h:hendelsetype>{_kind_for(package, event)}</h:hendelsetype>"
                f"{pointers}<h:ajourholdstidspunkt>{moment_text(event.moment)}"
                "</h:ajourholdstidspunkt></h:hendelse></h:lagretHendelse>"
            )

    def _pointers(self, event: Event) -> Iterator[tuple[str, str]]:
        """Which documents there are of an event. Source: Hendelser v1.8, 4.2.3 and 4.5.2."""
        if event.kind not in WITHOUT_EVENT_DOCUMENT:
            yield "hendelsesdokument", self._archive.events.pointers.of(event.place)
        if event.kind not in WITHOUT_PERSON_DOCUMENT:
            yield "persondokument", self._archive.identifier(event.document)


def _kind_for(package: Package, event: Event) -> str:
    """The event's kind, for those who are told it (news 2020-05-13 and 2022-10-11)."""
    return event.kind if package.kinds else "endringIPerson"
