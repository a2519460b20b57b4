"""Events and their documents -> hendelse and hendelse_egenskap."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from freg_pipeline.client.feed import FeedEntry
from freg_pipeline.feed.documents import documents_of, fetch_documents
from freg_pipeline.feed.tables import StagedEvents, stage_events
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.staging import event_key
from freg_pipeline_tests.unit.feed.made import EventList, begun, entry, register, store_in

A = "99000000001"
WHEN = "2026-05-01T10:00:00.1234567+02:00"


def document(name: str | None, *changes: dict[str, Any]) -> dict[str, Any]:
    told = {} if name is None else {"dokumentidentifikator": name}
    return {**told, "hendelse": {"hendelsestype": "endringINavn", "egenskapshendelse": changes}}


def change(entitet: str, **content: Any) -> dict[str, Any]:
    return {"entitet": entitet, "entitetsendring": "registrereNy", entitet: content}


def stage(
    uttrekk: Uttrekk,
    events: list[FeedEntry],
    documents: dict[str, Any],
    feed: EventList | None = None,
) -> tuple[StagedEvents, EventList]:
    feed = feed or EventList([])
    feed.documents = documents

    async def fetch(url: str) -> None:
        async with register(url) as asked:
            await fetch_documents(
                asked, uttrekk, documents_of(events), concurrency=2, progress=lambda _: None
            )

    with feed.served() as url:
        asyncio.run(fetch(url))
    return stage_events(uttrekk.store, uttrekk, events), feed


def rows(uttrekk: Uttrekk, table: str) -> list[dict[str, Any]]:
    path = uttrekk.store.path(event_key(uttrekk.name, f"{table}.parquet"))
    found: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return found


@pytest.fixture
def uttrekk(tmp_path: Path) -> Uttrekk:
    return begun(store_in(tmp_path))


def test_every_event_is_a_row_whatever_it_lacks(uttrekk: Uttrekk) -> None:
    events = [
        entry(101, A, persondokument="p", ajourholdstidspunkt=WHEN),
        entry(103, None, hendelsetype=None, ajourholdstidspunkt="in May"),
    ]
    staged, feed = stage(uttrekk, events, {})
    assert staged.files["hendelse"].rows == 2
    assert feed.looked_up == []
    first, second = rows(uttrekk, "hendelse")
    assert first == {
        "sekvensnummer": 101,
        "hendelsetype": "endringINavn",
        "folkeregisteridentifikator": A,
        "ajourholdstidspunkt": datetime(2026, 5, 1, 8, 0, 0, 123456, tzinfo=UTC),
        "hendelsesdokument": None,
        "persondokument": "p",
    }
    assert set(second.values()) == {103, None}
    (account,) = rows(uttrekk, "avvik")
    assert (account["identifikator"], account["utfall"]) == ("103", "ikke_fulgt")


def test_each_change_of_an_event_document_is_a_row(uttrekk: Uttrekk) -> None:
    events = [
        entry(101, A, hendelsesdokument="one"),
        entry(102, A, hendelsesdokument="gone"),
        entry(103, A, hendelsesdokument="one"),
    ]
    both = document("one", change("navn", fornavn="Kari"), change("sivilstand", type="gift"))
    staged, feed = stage(uttrekk, events, {"one": both})
    assert feed.looked_up == [["one", "gone"], ["gone"]]
    (account,) = rows(uttrekk, "avvik")
    assert (account["identifikator"], account["utfall"]) == ("gone", "uten_hendelsesdokument")
    assert account["aarsak"] == "ikke besvart"
    assert (staged.documents, staged.missing) == (2, 1)
    found = rows(uttrekk, "hendelse_egenskap")
    assert [(one["sekvensnummer"], one["egenskap_nr"], one["entitet"]) for one in found] == [
        (101, 0, "navn"), (101, 1, "sivilstand"), (103, 0, "navn"), (103, 1, "sivilstand"),
    ]  # fmt: skip
    assert found[0]["innhold"] == '{"fornavn":"Kari"}'
    assert found[0]["entitetsendring"] == "registrereNy"


def test_a_change_names_the_table_that_it_is_of(uttrekk: Uttrekk) -> None:
    told = {
        "navn": "navn",
        "deltBosted": "delt_bosted",
        "kontaktadresse": "postadresse",  # as events call it
        "KontaktadresseIUtlandet": "postadresse_i_utlandet",
        "nyOpplysning": "ny_opplysning",
    }
    changes = document("one", *map(change, told))
    stage(uttrekk, [entry(101, A, hendelsesdokument="one")], {"one": changes})
    assert [one["entitet"] for one in rows(uttrekk, "hendelse_egenskap")] == [*told.values()]


def test_documents_that_do_not_tell_their_identifier_are_known_by_their_place(
    uttrekk: Uttrekk,
) -> None:
    events = [entry(101, A, hendelsesdokument="x"), entry(102, A, hendelsesdokument="y")]
    documents = {"x": document(None, change("navn")), "y": document(None, change("kjoenn"))}
    stage(uttrekk, events, documents)
    assert rows(uttrekk, "avvik") == []
    found = rows(uttrekk, "hendelse_egenskap")
    assert [(one["hendelsesdokument"], one["entitet"]) for one in found] == [
        ("x", "navn"), ("y", "kjoenn"),
    ]  # fmt: skip


def test_a_reason_in_place_of_a_document_is_told_and_one_that_sounds_like_a_fault_asked_about(
    uttrekk: Uttrekk,
) -> None:
    names = ("one", "old", "odd")
    events = [entry(101 + nr, A, hendelsesdokument=name) for nr, name in enumerate(names)]
    old, odd = "Dokumentet er slettet", "Teknisk feil"
    documents: dict[str, Any] = {
        "one": document("one", change("navn")),
        "old": {"dokumentidentifikator": "old", "feilmelding": {"feilmelding": old}},
        "odd": {"dokumentidentifikator": "odd", "feilmelding": {"feilmelding": odd}},
    }
    staged, feed = stage(uttrekk, events, documents)
    assert feed.looked_up == [[*names], ["odd"]]
    assert staged.missing == 2
    reasons = {one["identifikator"]: one["aarsak"] for one in rows(uttrekk, "avvik")}
    assert reasons == {"old": old, "odd": odd}
    assert [one["sekvensnummer"] for one in rows(uttrekk, "hendelse_egenskap")] == [101]


@pytest.mark.parametrize("there", [["one", "two"], []], ids=["one of them", "all"])
def test_what_is_refused_together_is_asked_for_one_by_one(
    uttrekk: Uttrekk, there: list[str]
) -> None:
    names = [*there, "old"]
    events = [entry(101 + nr, A, hendelsesdokument=name) for nr, name in enumerate(names)]
    feed = EventList([])
    feed.documents = {name: document(name, change("navn")) for name in there}
    feed.refused = {"old"}
    staged, feed = stage(uttrekk, events, feed.documents, feed)
    assert feed.looked_up[0] == names
    assert sorted(feed.looked_up[1:]) == sorted([name] for name in names)
    assert staged.missing == 1
    assert len(rows(uttrekk, "hendelse_egenskap")) == len(there)
    (account,) = rows(uttrekk, "avvik")
    assert account["aarsak"] == "Dokument eldre enn 36 måneder"


def test_what_was_fetched_and_staged_is_not_made_again(uttrekk: Uttrekk) -> None:
    events = [entry(100 + place, A, hendelsesdokument=f"d{place}") for place in range(2_500)]
    documents = {f"d{place}": document(f"d{place}", change("navn")) for place in range(2_500)}
    first, feed = stage(uttrekk, events, documents)
    assert sorted(map(len, feed.looked_up)) == [500, 1_000, 1_000]
    again, feed = stage(uttrekk, events, documents)
    assert feed.looked_up == []
    assert again == first
    assert first.files["hendelse_egenskap"].rows == 2_500
