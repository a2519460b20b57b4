"""A page of the event list, read from any of the forms in which the register gives it.

Source: the register's documentation, hendelser/feed: a JSON array, Atom or plain XML. Fields are
known by name; what is beside them is passed over, since the list of fields is open.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from lxml import etree

from freg_pipeline.client.answers import Answer
from freg_pipeline.envelope import is_xml
from freg_pipeline.envelope_xml import local_name, parse_root
from freg_pipeline.identifiers import as_told
from freg_pipeline.readable import read_json

FEED_FORMS = {"json": "application/json", "atom": "application/atom+xml", "xml": "application/xml"}

_LARGEST = 2**63 - 1  # sequence number
_PERSON = "folkeregisteridentifikator"
_FIELDS = (
    _PERSON,
    "hendelsetype",
    "hendelsesdokument",
    "persondokument",
    "ajourholdstidspunkt",
)
# The list says hendelsetype, the event documents hendelsestype, and the documentation's example of
# Atom both at once.
_OTHER_NAMES = {"hendelsestype": "hendelsetype"}


class FeedEntry(msgspec.Struct, frozen=True):
    """One event of the list. One event concerns one person.

    Attributes:
        sekvensnummer: its place; numbers ascend and may have gaps.
        folkeregisteridentifikator: whom it concerns.
        hendelsetype: what happened; an open list of codes.
        hendelsesdokument: identifier of the event's document; "med hjemmel" only.
        persondokument: identifier of the person's document as the event left it; likewise.
        ajourholdstidspunkt: when it was recorded, as the register writes it.
    """

    sekvensnummer: int
    folkeregisteridentifikator: str | None = None
    hendelsetype: str | None = None
    hendelsesdokument: str | None = None
    persondokument: str | None = None
    ajourholdstidspunkt: str | None = None

    def __repr__(self) -> str:
        return f"FeedEntry({self.sekvensnummer}, {self.hendelsetype})"


@dataclass(frozen=True, repr=False)
class FeedPage:
    """What one question for the list gave.

    Attributes:
        entries: the events, in the order that they came; none: the list has ended.
        raw: the answer as it came.
        etag: to be told with the next question for the same page, so that it isn't sent again.
    """

    entries: tuple[FeedEntry, ...]
    raw: Answer
    etag: str | None

    def __repr__(self) -> str:
        return f"FeedPage({len(self.entries)} events, {self.raw})"


class _Lagret(msgspec.Struct):
    sekvensnummer: Any = None
    hendelse: dict[str, Any] | None = None


_page = msgspec.json.Decoder(list[_Lagret | None])
_one = msgspec.json.Decoder(_Lagret)
_lists = msgspec.json.Decoder(dict[str, msgspec.Raw])


def parse_feed(body: bytes) -> list[FeedEntry]:
    """Return the events that a page holds, in its order; JSON, Atom or plain XML by its content.

    Raises:
        ValueError: the page is damaged, or an event has no number; says nothing of its content.
    """
    if is_xml(body):
        return [_from_xml(element) for element in _stored(parse_root(body))]
    try:
        stored = [one for one in read_json(_from_json, body.lstrip()) if one is not None]
        return [_entry(one.sekvensnummer, one.hendelse or {}) for one in stored]
    except (msgspec.DecodeError, UnicodeDecodeError):
        # Not chained: the decoder's message can quote what it met.
        msg = "the answer is no complete page of events"
        raise ValueError(msg) from None


def _from_json(text: bytes) -> Sequence[_Lagret | None]:
    """The events of an array, of an object that wraps one, or of one event alone."""
    if not text.startswith(b"{"):
        return _page.decode(text)
    fields = _lists.decode(text)
    if "sekvensnummer" in fields:
        return [_one.decode(text)]
    wrapped = [value for value in map(bytes, fields.values()) if value.lstrip().startswith(b"[")]
    if len(wrapped) > 1 or (fields and not wrapped):
        msg = "the answer is no page of events"
        raise ValueError(msg)
    return _page.decode(wrapped[0]) if wrapped else []


def _entry(number: object, hendelse: dict[str, Any]) -> FeedEntry:
    for other, name in _OTHER_NAMES.items():
        hendelse.setdefault(name, hendelse.get(other))
    person = hendelse.get(_PERSON)
    if isinstance(person, int):
        hendelse[_PERSON] = as_told(person)
    return FeedEntry(_number(number), *(_text(hendelse.get(name)) for name in _FIELDS))


def _number(value: object) -> int:
    text = str(value).strip()
    if not (text.isascii() and text.isdigit()):
        msg = "an event has no sequence number"
        raise ValueError(msg)
    if len(text) > len(str(_LARGEST)) or int(text) > _LARGEST:
        msg = "an event's sequence number is larger than 64 bits hold"
        raise ValueError(msg)
    return int(text)


def _text(value: object) -> str | None:
    if value is None or isinstance(value, dict | list):
        return None
    return str(value).strip() or None


def _stored(root: etree._Element) -> Iterable[etree._Element]:
    """The elements that hold one event each: in Atom the entries, else what tells a number."""
    entries = list(root.iter("{*}entry"))
    if entries:
        return entries
    holders = (number.getparent() for number in root.iter("{*}sekvensnummer"))
    return [holder for holder in holders if holder is not None]


def _from_xml(stored: etree._Element) -> FeedEntry:
    told = {local_name(one): one.text for one in stored.iterdescendants(etree.Element)}
    return _entry(told.pop("sekvensnummer", None), dict(told))
