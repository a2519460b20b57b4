"""A population that has lived, in a store kept by syncs, and its documents at the register.

The documents are asked for by hand, so that what is reckoned from them owes nothing to the client,
the decoder or the views.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from lxml import etree

from freg_pipeline.settings import load
from freg_pipeline.store import Store, open_store
from freg_pipeline.synthetic import RegisterOptions, running
from freg_pipeline_tests.loads import full_load, sync
from freg_pipeline_tests.registers import bulk, events_of, get, happen

Row = dict[str, Any]
Document = dict[str, Any]
MERGE = "personErViderefoertSomGjeldendeVedSammenslaaing"
COMPOSITES = ("person-basis", "historikk", "identitetsgrunnlag-utvidet", "relasjon-utvidet")
_XS = "{http://www.w3.org/2001/XMLSchema}"


@dataclass(frozen=True)
class Living:
    """A store, and the register that it follows.

    Attributes:
        base_url: of the register.
        store: a full load, and deltas on top of it.
        earlier: everyone's document as it was at the position ``then``.
        loaded: the position of the full load.
        then: an earlier position of the event list, that the store can show.
        now: the position that the store is at.
    """

    base_url: str
    store: Store
    earlier: dict[str, Document]
    loaded: int
    then: int
    now: int

    @cached_property
    def persons(self) -> dict[str, Document]:
        """Everyone's document, by current number."""
        return everyone(self.base_url)

    @cached_property
    def events(self) -> list[Row]:
        """The events that the store has taken over."""
        return [
            event
            for event in events_of(self.base_url, self.loaded + 1)
            if event["sekvensnummer"] <= self.now
        ]

    @cached_property
    def event_documents(self) -> list[Document]:
        """Their documents."""
        events = (event["hendelse"] for event in self.events)
        told = [one["hendelsesdokument"] for one in events if "hendelsesdokument" in one]
        answer = bulk(self.base_url, "hendelser/bulkoppslag", told).raise_for_status().json()
        return [one["hendelse"] for one in answer]

    def current(self, entity: str) -> Iterator[tuple[str, Row]]:
        """Every current row of an entity, with whose it is."""
        return ((number, row) for number, row in self.rows(entity) if row.get("erGjeldende", True))

    def rows(self, entity: str) -> Iterator[tuple[str, Row]]:
        """Every row of an entity, with whose it is."""
        for number, document in self.persons.items():
            for row in rows_of(document, entity):
                yield number, row

    def one(self, entity: str, field: str) -> dict[str, Any]:
        """A field of everyone's current row of an entity; of several the one that began last."""
        found = sorted(self.current(entity), key=lambda told: moment(told[1]))
        return {number: row.get(field) for number, row in found}

    @cached_property
    def numbers(self) -> dict[str, str]:
        """Every number that anyone has or has had, and today's number for it."""
        return numbers_of(self.persons)


def moment(row: Row, name: str = "gyldighetstidspunkt") -> datetime:
    """A time of a row; one that isn't told lies before all others."""
    told = row.get(name)
    return datetime.fromisoformat(told) if told else datetime.min.replace(tzinfo=UTC)


def rows_of(document: Document, entity: str) -> list[Row]:
    """The rows of an entity, one alone too."""
    rows = document.get(entity, [])
    return rows if isinstance(rows, list) else [rows]


def numbers_of(persons: Mapping[str, Document]) -> dict[str, str]:
    """Every number that persons have or have had, and today's number for it."""
    return {
        row["foedselsEllerDNummer"]: number
        for number, document in persons.items()
        for row in rows_of(document, "identifikasjonsnummer")
    }


def everyone(base_url: str) -> dict[str, Document]:
    """Everyone's document, by current number: of two of one person, that which goes on."""
    documents = [*_documents(base_url)]
    ended = {
        row["foedselsEllerDNummer"]
        for document in documents
        for row in document["identifikasjonsnummer"]
        if own_number(document) not in {None, row["foedselsEllerDNummer"]}
    }
    first = (document["identifikasjonsnummer"][0] for document in documents)
    numbers = (
        own_number(document) or row["foedselsEllerDNummer"]
        for document, row in zip(documents, first, strict=True)
    )
    found = dict(zip(numbers, documents, strict=True))
    return {number: document for number, document in found.items() if number not in ended}


def own_number(document: Document) -> str | None:
    """The number in use, if there is one."""
    in_use = (
        str(row["foedselsEllerDNummer"])
        for row in document["identifikasjonsnummer"]
        if row["status"] == "iBruk" and row.get("erGjeldende", True)
    )
    return next(in_use, None)


@contextmanager
def living(folder: Path, *, persons: int, events: int, **options: Any) -> Iterator[Living]:
    """Load a population, let it live, and keep the store current by two syncs."""
    chosen = {"batch_size": 700, "ready_after_seconds": 0.02, "refused_parts": (), **options}
    with running(RegisterOptions(persons=persons, **chosen)) as base_url:
        settings = load(base_url=base_url, store=str(folder / "store"), poll_seconds=0.02)
        positions = [full_load(settings).sekvensnummer]
        for _ in range(2):
            happen(base_url, events // 2)
            positions.append(happen(base_url, 2, type=MERGE))
            sync(settings)
            if len(positions) == 2:
                earlier = everyone(base_url)
        yield Living(base_url, open_store(settings), earlier, *positions)


def _documents(base_url: str) -> Iterator[Document]:
    parts = [*COMPOSITES, *_entities(base_url)]
    for identifiers in _batches(base_url):
        for first in range(0, len(identifiers), 1000):
            asked = identifiers[first : first + 1000]
            answer = bulk(base_url, "personer/bulkoppslag/arkiv", asked, part=parts)
            for one in answer.raise_for_status().json()["oppslag"]:
                if "folkeregisterperson" in one:
                    yield one["folkeregisterperson"]


def _batches(base_url: str) -> Iterator[list[str]]:
    last = get(base_url, "hendelser/siste/sekvensnummer").raise_for_status().json()
    order = get(base_url, "uttrekk/komplett", feedsekvensnr=last).raise_for_status().json()
    number = 0
    while True:
        answer = get(base_url, f"uttrekk/{order['jobbId']}/batch/{number}")
        if answer.status_code == 404:
            time.sleep(0.02)
            continue
        found = answer.raise_for_status().json().get("dokumentidentifikator", [])
        if not found:
            return
        yield found
        number += 1


def _entities(base_url: str) -> list[str]:
    contract = etree.fromstring(get(base_url, "personer/xsd", "application/xml").content)
    (document,) = contract.iterfind(f"{_XS}complexType[@name='Folkeregisterperson']")
    return [str(one.get("name")) for one in document.iter(f"{_XS}element")]
