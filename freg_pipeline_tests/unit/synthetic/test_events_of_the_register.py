"""The event list and event documents over HTTP, asked by hand."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from lxml import etree

from freg_pipeline_tests.conftest import StartRegister
from freg_pipeline_tests.registers import bulk, events_of, get, status_of

ATOM = "{http://www.w3.org/2005/Atom}"
HENDELSE = "{folkeregisteret:tilgjengeliggjoering:hendelse:v1}"
TOO_OLD = "Sekvensnummer kan ikke være mere enn 36 måneder gammelt"


def test_pages_hold_a_thousand_events_in_order_with_gaps(small_register: str) -> None:
    first = get(small_register, "hendelser/feed", seq=0).json()
    everything = events_of(small_register)
    numbers = [event["sekvensnummer"] for event in everything]
    assert len(first) == 1_000 < len(everything)
    assert numbers == sorted(set(numbers))
    assert len(numbers) < numbers[-1] - numbers[0] + 1, "there are gaps"
    assert numbers[-1] == status_of(small_register)["sekvensnummer"]
    assert len(everything) == status_of(small_register)["documents"]


def test_the_number_asked_for_is_in_the_page_and_a_number_in_a_gap_finds_the_next(
    small_register: str,
) -> None:
    numbers = [event["sekvensnummer"] for event in events_of(small_register)]
    gap = next(number + 1 for number in numbers if number + 1 not in numbers)
    for seq in (numbers[3], gap):
        page = get(small_register, "hendelser/feed", seq=seq).json()
        assert page[0]["sekvensnummer"] == min(n for n in numbers if n >= seq)


def test_each_event_points_to_the_document_that_came_of_it(small_register: str) -> None:
    for event in events_of(small_register)[-40:]:
        told = event["hendelse"]
        path = f"personer/arkiv/{told['persondokument']}"
        person = get(small_register, path, part=["historikk", "person-basis"]).json()
        document = get(small_register, f"hendelser/{told['hendelsesdokument']}").json()
        number = person["identifikasjonsnummer"][0]["foedselsEllerDNummer"]
        assert told["folkeregisteridentifikator"] == number
        assert document["dokumentidentifikator"] == told["hendelsesdokument"]
        for name in ("folkeregisteridentifikator", "ajourholdstidspunkt"):
            assert document["hendelse"][name] == told[name]
        assert document["hendelse"]["hendelsestype"] == told["hendelsetype"]


def test_pointers_are_for_those_with_hjemmel_only(small_register: str) -> None:
    without = small_register.replace("offentlig-med-hjemmel/api", "api/offentligutenhjemmel")
    for accept in ("application/json", "application/atom+xml", "application/xml"):
        answer = get(without, "hendelser/feed", accept, seq=0)
        assert answer.status_code == 200
        assert b"folkeregisteridentifikator" in answer.content
        assert b"hendelsesdokument" not in answer.content
        assert b"persondokument" not in answer.content


def test_xml_is_atom_unless_told_otherwise(
    small_register: str, start_register: StartRegister
) -> None:
    plain = start_register(persons=10, faults="feedliste")
    roots = [
        etree.fromstring(get(register, "hendelser/feed", "application/xml", seq=0).content).tag
        for register in (small_register, plain)
    ]
    assert roots[0] == f"{ATOM}feed"
    assert roots[1] != roots[0]


def test_the_last_number_can_come_in_an_object(start_register: StartRegister) -> None:
    register = start_register(persons=10, faults="sekvensnummerobjekt")
    told = get(register, "hendelser/siste/sekvensnummer").json()
    assert told == {"sekvensnummer": status_of(register)["sekvensnummer"]}


def test_atom_and_xml_tell_the_same_events(small_register: str) -> None:
    seq = status_of(small_register)["sekvensnummer"] - 50
    expected = get(small_register, "hendelser/feed", seq=seq).json()
    schema = etree.XMLSchema(etree.fromstring(get(small_register, "hendelser/feedxsd").content))
    for accept in ("application/atom+xml", "application/xml"):
        answer = get(small_register, "hendelser/feed", accept, seq=seq)
        assert answer.headers["content-type"] == accept
        stored = list(etree.fromstring(answer.content).iter(f"{HENDELSE}lagretHendelse"))
        for one in stored:
            schema.assertValid(etree.ElementTree(one))
        assert [_told(one) for one in stored] == expected


def _told(stored: Any) -> dict[str, Any]:
    number, hendelse = stored
    told = {etree.QName(field).localname: field.text for field in hendelse}
    return {"sekvensnummer": int(number.text), "hendelse": told}


def test_atom_links_lead_through_the_list_and_end(small_register: str) -> None:
    seq, visited, ends = 0, 0, False
    while not ends:
        answer = get(small_register, "hendelser/feed", "application/atom+xml", seq=seq)
        feed = etree.fromstring(answer.content)
        links = {link.get("rel"): link.get("href") for link in feed.iterchildren(f"{ATOM}link")}
        assert links["self"] == str(answer.url)
        assert links["first"].endswith("/v1/hendelser/feed?seq=0")
        visited += len(feed.findall(f"{ATOM}entry"))
        ends = "next" not in links
        seq = int(links.get("next", "seq=0").partition("seq=")[2])
    assert visited == len(events_of(small_register))


@pytest.mark.parametrize("accept", ["application/json", "application/atom+xml"])
def test_a_page_that_is_known_is_304_until_there_is_more(accept: str, small_register: str) -> None:
    last = status_of(small_register)["sekvensnummer"]
    known = get(small_register, "hendelser/feed", accept, seq=last)
    match = {"If-None-Match": known.headers["ETag"]}
    again = get(small_register, "hendelser/feed", accept, seq=last, headers=match)
    assert (known.status_code, again.status_code, again.content) == (200, 304, b"")
    other = get(small_register, "hendelser/feed", accept, seq=last - 30, headers=match)
    assert other.status_code == 200


def test_head_tells_the_tag_without_the_page(small_register: str) -> None:
    url = f"{small_register}/v1/hendelser/feed?seq=0"
    head, full = httpx.head(url, trust_env=False), httpx.get(url, trust_env=False)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["ETag"] == full.headers["ETag"]


@pytest.mark.parametrize("seq", ["", "x", "-1", "1.5", "9" * 30])
def test_a_number_that_is_none_is_400(seq: str, small_register: str) -> None:
    assert get(small_register, "hendelser/feed", seq=seq).status_code == 400


def test_past_the_last_event_the_page_is_empty(small_register: str) -> None:
    last = status_of(small_register)["sekvensnummer"]
    assert get(small_register, "hendelser/feed", seq=last + 1).json() == []


def test_history_that_is_too_old_is_gone_from_the_feed_and_the_archive(
    start_register: StartRegister,
) -> None:
    whole = start_register()
    events = events_of(whole)
    renamed = [event["hendelse"] for event in events if _is_renaming(event)]
    persons = {told["folkeregisteridentifikator"] for told in renamed}
    replaced = next(
        event["hendelse"]["persondokument"]
        for event in events
        if event["hendelse"]["folkeregisteridentifikator"] in persons and not _is_renaming(event)
    )
    oldest = events[-1]["sekvensnummer"]
    cut = start_register(oldest_sekvensnummer=oldest)
    short = start_register(history_months=0.9)
    for register, first in ((cut, oldest), (short, None)):
        answer = get(register, "hendelser/feed", seq=1)
        assert (answer.status_code, answer.json()["melding"]) == (406, TOO_OLD)
        old = renamed[0]["persondokument"] if first is None else replaced
        assert get(register, f"personer/arkiv/{replaced}").status_code == 400
        (entry,) = bulk(register, "personer/bulkoppslag/arkiv", [replaced]).json()["oppslag"]
        assert entry["feilmelding"]
        assert get(whole, f"personer/arkiv/{old}").status_code == 200
    assert len(get(cut, "hendelser/feed", seq=oldest).json()) == 1


def _is_renaming(event: dict[str, Any]) -> bool:
    return bool(event["hendelse"]["hendelsetype"] == "endringINavn")


def test_event_documents_come_in_bulk_valid_and_in_the_order_asked_for(
    small_register: str,
) -> None:
    events = events_of(small_register)[::37]
    asked = [event["hendelse"]["hendelsesdokument"] for event in events]
    answer = bulk(small_register, "hendelser/bulkoppslag", [*asked, "0" * 32])
    assert [document["dokumentidentifikator"] for document in answer.json()] == asked
    schema = etree.XMLSchema(etree.fromstring(get(small_register, "hendelser/xsd").content))
    xml = bulk(small_register, "hendelser/bulkoppslag", asked,
               headers={"Accept": "application/xml"})  # fmt: skip
    documents = list(etree.fromstring(xml.content))
    assert len(documents) == len(asked)
    for document in documents:
        schema.assertValid(etree.ElementTree(document))


def test_an_event_document_older_than_36_months_is_400(start_register: StartRegister) -> None:
    register = start_register(persons=50)
    first, *_, last = events_of(register)
    cut = start_register(persons=50, oldest_sekvensnummer=last["sekvensnummer"])
    path = f"hendelser/{first['hendelse']['hendelsesdokument']}"
    assert get(register, path).status_code == 200
    assert get(cut, path).status_code == 400
    assert get(cut, f"hendelser/{last['hendelse']['hendelsesdokument']}").status_code == 200


def test_one_old_event_document_refuses_all_that_is_asked_for_with_it(
    start_register: StartRegister,
) -> None:
    first, *_, last = events_of(start_register(persons=50))
    oldest = last["sekvensnummer"]
    old, new = (one["hendelse"]["hendelsesdokument"] for one in (first, last))
    refusing = start_register(persons=50, oldest_sekvensnummer=oldest)
    assert bulk(refusing, "hendelser/bulkoppslag", [new, old]).status_code == 400
    assert len(bulk(refusing, "hendelser/bulkoppslag", [new]).json()) == 1
    lenient = start_register(persons=50, oldest_sekvensnummer=oldest, old_hendelser="left-out")
    answer = bulk(lenient, "hendelser/bulkoppslag", [new, old])
    assert [document["dokumentidentifikator"] for document in answer.json()] == [new]


def test_event_documents_that_are_unknown_or_too_many_are_refused(small_register: str) -> None:
    assert get(small_register, f"hendelser/{'0' * 32}").status_code == 404
    assert get(small_register, "hendelser/nonsense").status_code == 404
    answer = bulk(small_register, "hendelser/bulkoppslag", ["x"] * 1_001)
    assert answer.status_code == 400


def test_each_service_is_counted_by_its_name_and_can_go_wrong(
    start_register: StartRegister,
) -> None:
    services = ("hendelser/feed", "hendelser/siste/sekvensnummer", "hendelser/xsd",
                "hendelser/feedxsd", "hendelser/bulkoppslag",
                "hendelser/{hendelsesidentifikator}")  # fmt: skip
    faults = ",".join(f"503@{service}=#2" for service in services)
    register = start_register(persons=10, faults=faults)
    asked = [get(register, "hendelser/feed", seq=0).json()[0]["hendelse"]["hendelsesdokument"]]

    def ask(service: str) -> httpx.Response:
        if service == "hendelser/bulkoppslag":
            return bulk(register, service, asked)
        return get(register, service.format(hendelsesidentifikator=asked[0]), seq=0)

    statuses = {service: [ask(service).status_code for _ in range(3)] for service in services[1:]}
    assert set(map(tuple, statuses.values())) == {(200, 503, 200)}
    assert ask("hendelser/feed").status_code == 503
    counted = status_of(register)["requests"]
    assert counted == {**dict.fromkeys(services[1:], 3), "hendelser/feed": 2}


def test_event_documents_come_in_an_object_where_that_is_asked_for(
    start_register: StartRegister,
) -> None:
    register = start_register(persons=10, faults="hendelseobjekt")
    asked = [event["hendelse"]["hendelsesdokument"] for event in events_of(register)]
    (documents,) = bulk(register, "hendelser/bulkoppslag", asked).json().values()
    assert [document["dokumentidentifikator"] for document in documents] == asked


def test_bulk_answers_come_in_any_order_where_that_is_asked_for(
    start_register: StartRegister,
) -> None:
    register = start_register(persons=30, faults="unordered")
    events = [event["hendelse"] for event in events_of(register)]
    documents = [event["hendelsesdokument"] for event in events]
    answer = bulk(register, "hendelser/bulkoppslag", documents).json()
    found = [document["dokumentidentifikator"] for document in answer]
    assert found != documents
    assert sorted(found) == sorted(documents)
    numbers = list(dict.fromkeys(event["folkeregisteridentifikator"] for event in events))
    ordered = httpx.post(
        f"{register}/v1/personer/bulkoppslag?somBestilt=true",
        json={"foedselsEllerDNummer": [*numbers, "0"]},
        trust_env=False,
    ).json()["oppslag"]
    answered = [one["foedselsEllerDNummer"] for one in ordered]
    assert answered != [*numbers, "0"]
    assert sorted(answered) == sorted([*numbers, "0"]), "one for each, errors among them"
