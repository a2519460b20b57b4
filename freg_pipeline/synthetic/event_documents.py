"""Hendelsesdokumenter: what an event changed, and the contract that they follow.

The rows in them are those of the person document, but for what the published description of both
shows: no ``erGjeldende``, and ``legitimasjonskontroll`` in place of ``identitetsgrunnlagstatus``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec
from lxml import etree

from freg_pipeline.synthetic.archive import Archive
from freg_pipeline.synthetic.events import Event, moment_text
from freg_pipeline.synthetic.rows import Row
from freg_pipeline.synthetic.wave import told

SCHEMA_VERSION = "1.5"
ENTITIES = {"postadresse": "kontaktadresse", "postadresseIUtlandet": "kontaktadresseIUtlandet"}

WITHOUT_EVENT_DOCUMENT = frozenset({"personErOppdatert"})

_XSD = "{http://www.w3.org/2001/XMLSchema}"
_NOT_OF_EVENTS = ("Folkeregisterperson", "PreferertKontaktadresse")
_TOLD_BY_DOCUMENT = {
    "personErOpprettet": ("identifikasjonsnummer", "status", "kjoenn", "foedsel", "navn"),
    "endringINavn": ("navn",),
    "endringIBostedsadresse": ("bostedsadresse",),
}

Change = tuple[str, str, Row | None]  # the entity, entitetsendring, and the row where it is told


def read_xsd(name: str) -> bytes:
    """An XSD of this package."""
    return files("freg_pipeline.synthetic").joinpath(f"{name}.xsd").read_bytes()


@cache
def hendelse_xsd() -> bytes:
    """The contract of the event document: its own head, and the person document's types.

    They are the same but for the namespace and the two differences named above.
    """
    schema = etree.fromstring(read_xsd("hendelsesdokument"))
    namespace = schema.get("targetNamespace")
    person = read_xsd("persondokument").replace(b":person:v1", b":hendelse:v1")
    for definition in etree.fromstring(person).iterchildren(f"{_XSD}complexType",
                                                            f"{_XSD}simpleType"):  # fmt: skip
        if definition.get("name") not in _NOT_OF_EVENTS:
            schema.append(_as_told_by_events(definition))
    assert namespace == "folkeregisteret:tilgjengeliggjoering:hendelse:v1"  # noqa: S101
    etree.indent(schema)
    text: bytes = etree.tostring(schema, encoding="utf-8", xml_declaration=True)
    return text


def _as_told_by_events(definition: etree._Element) -> etree._Element:
    for element in list(definition.iter(f"{_XSD}element")):
        if element.get("name") == "erGjeldende":
            parent = element.getparent()
            assert parent is not None  # noqa: S101  an element of a type has one
            parent.remove(element)
        elif element.get("name") == "identitetsgrunnlagstatus":
            element.set("name", "legitimasjonskontroll")
    return definition


def hendelse(number: str, kind: str, moment: str, changes: Iterable[Change]) -> bytes:
    """What an event document says, as JSON, without its identifier."""
    content: Row = {
        "folkeregisteridentifikator": number,
        "hendelsestype": kind,
        "ajourholdstidspunkt": moment,
    }
    properties = list(_properties(changes))
    if properties:
        content["egenskapshendelse"] = properties
    return msgspec.json.encode(content)


def _properties(changes: Iterable[Change]) -> Iterator[dict[str, Any]]:
    for element, change, row in changes:
        given: dict[str, Any] = {} if row is None else {element: _row(row)}
        yield {**given, "entitet": ENTITIES.get(element, element), "entitetsendring": change}


def _row(row: Row) -> Row:
    given = {name: value for name, value in row.items() if name != "erGjeldende"}
    if "identitetsgrunnlagstatus" in given:
        given["legitimasjonskontroll"] = given.pop("identitetsgrunnlagstatus")
    return given


class EventDocuments:
    """The event documents of one register's events."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def by_id(self, identifier: str) -> bytes | None:
        """The event document of that identifier, as JSON; None: there is none, or no longer."""
        events = self._archive.events
        place = events.pointers.place(identifier, len(events))
        if place is None or self.is_too_old(identifier):
            return None
        event = next(events.events((place,)))
        if event.kind in WITHOUT_EVENT_DOCUMENT:
            return None
        body = events.body(place) or self._of_document(event)
        return b'{"dokumentidentifikator":"%s","skjemaversjon":"%s","hendelse":%s}' % (
            identifier.encode(), SCHEMA_VERSION.encode(), body,
        )  # fmt: skip

    def is_too_old(self, identifier: str) -> bool:
        """Whether there was an event document of that identifier that is gone by now."""
        events = self._archive.events
        place = events.pointers.place(identifier, len(events))
        oldest = self._archive.oldest_sequence_number
        return place is not None and events.is_before(place, oldest)

    def _of_document(self, event: Event) -> bytes:
        """What happened before anybody asked, or in a wave: the person document tells it."""
        if self._archive.is_of_wave(event.document):
            return told(event.number, event.moment, "registrereNy")
        document = msgspec.json.decode(self._archive.document(event.document))
        changes = [
            (entity, "registrereNy", row)
            for entity in _TOLD_BY_DOCUMENT[event.kind]
            for row in document[entity]
            if row["erGjeldende"]
        ]
        return hendelse(event.number, event.kind, moment_text(event.moment), changes)
