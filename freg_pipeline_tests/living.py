"""A population that has lived, in a store kept by syncs, and its documents at the register.

The documents are asked for by hand, so that what is reckoned from them owes nothing to the client,
the decoder or the views.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from lxml import etree

from freg_pipeline.settings import load
from freg_pipeline.store import Store, open_store
from freg_pipeline.synthetic import RegisterOptions, running
from freg_pipeline_tests.loads import full_load, sync
from freg_pipeline_tests.registers import bulk, get, happen

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
    """

    base_url: str
    store: Store

    @cached_property
    def persons(self) -> dict[str, Document]:
        """Everyone's document, by current number: of two of one person, that which goes on."""
        documents = [*_documents(self.base_url)]
        ended = {
            row["foedselsEllerDNummer"]
            for document in documents
            for row in document["identifikasjonsnummer"]
            if own_number(document) not in {None, row["foedselsEllerDNummer"]}
        }
        found = {}
        for document in documents:
            number = own_number(document) or document["identifikasjonsnummer"][0][
                "foedselsEllerDNummer"
            ]  # fmt: skip
            if number not in ended:
                found[number] = document
        return found

    def current(self, entity: str) -> Iterator[tuple[str, Row]]:
        """Every current row of an entity, with whose it is."""
        return ((number, row) for number, row in self.rows(entity) if row.get("erGjeldende", True))

    def rows(self, entity: str) -> Iterator[tuple[str, Row]]:
        """Every row of an entity, with whose it is."""
        for number, document in self.persons.items():
            rows = document.get(entity, [])
            for row in rows if isinstance(rows, list) else [rows]:
                yield number, row


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
        full_load(settings)
        for _ in range(2):
            happen(base_url, events // 2)
            happen(base_url, 2, type=MERGE)
            sync(settings)
        yield Living(base_url, open_store(settings))


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
