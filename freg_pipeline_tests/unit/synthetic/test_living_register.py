"""What happens to the people while the register is served: documents, events and look-ups agree."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from typing import Any

import httpx
import pytest
from lxml import etree

from freg_pipeline.synthetic import RegisterOptions, SyntheticRegister
from freg_pipeline.synthetic.event_documents import hendelse
from freg_pipeline.synthetic.events import moment_text
from freg_pipeline.synthetic.living import KINDS, UNKNOWN
from freg_pipeline.synthetic.wave import told
from freg_pipeline_tests.conftest import StartRegister
from freg_pipeline_tests.registers import bulk, events_of, get, happen, status_of

EVERYTHING = {"part": ["person-basis", "historikk", "relasjon-utvidet"]}


@pytest.fixture(scope="module")
def lived() -> Iterator[SyntheticRegister]:
    """A register after many changes of all kinds."""
    with closing(SyntheticRegister(RegisterOptions(persons=600, unknown_kinds=0.01))) as made:
        made.living.happen(3_000)
        yield made


def document_of(register: SyntheticRegister, place: int) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(register.archive.document(place))
    return document


# -- each kind -------------------------------------------------------------------------------


def test_every_kind_happens_and_its_documents_are_valid_by_the_contracts_that_are_served(
    start_register: StartRegister,
) -> None:
    register = start_register(persons=400, refused_parts=())
    event_schema = etree.XMLSchema(etree.fromstring(get(register, "hendelser/xsd").content))
    person_schema = etree.XMLSchema(etree.fromstring(get(register, "personer/xsd").content))
    parts = [field.get("name") for field in _fields_of(get(register, "personer/xsd").content)]
    for kind in KINDS:
        before = status_of(register)["sekvensnummer"]
        happen(register, 2, type=kind)
        events = [event["hendelse"] for event in events_of(register, before + 1)]
        assert sum(event["hendelsetype"] == kind for event in events) >= 2, kind
        for event in events:
            told = event["hendelsetype"]
            assert ("hendelsesdokument" in event) == (told != "personErOppdatert")
            assert ("persondokument" in event) == (told != "personErOpphoertSomDublett")
            if "hendelsesdokument" in event and kind != UNKNOWN:
                path = f"hendelser/{event['hendelsesdokument']}"
                document = get(register, path, "application/xml")
                event_schema.assertValid(etree.fromstring(document.content))
            if "persondokument" in event:
                path = f"personer/arkiv/{event['persondokument']}"
                person = get(register, path, "application/xml", part=[*parts, "historikk"])
                person_schema.assertValid(etree.fromstring(person.content))


def _fields_of(xsd: bytes) -> Any:
    root = etree.fromstring(xsd)
    path = "{*}complexType[@name='Folkeregisterperson']/{*}sequence/{*}element"
    return root.iterfind(path)


def test_what_an_event_document_tells_stands_in_the_person_document(
    lived: SyntheticRegister,
) -> None:
    archive = lived.archive
    told_rows = Counter[str]()
    for event in archive.events.events(range(700, len(archive.events))):
        body = json.loads(archive.events.body(event.place) or "{}")
        document = document_of(lived, event.document)
        for change in body.get("egenskapshendelse", []):
            told_rows[change["entitetsendring"]] += 1
            (element,) = set(change) - {"entitet", "entitetsendring"} or {None}
            assert (element is None) == (
                change["entitetsendring"] in {"annullere", "korrigereHistorisk"}
            )
            if element is not None:
                rows = _rows(document[element])
                assert change[element] in [_as_told(row) for row in rows]
    assert set(told_rows) == {"registrereNy", "korrigere", "annullere", "korrigereHistorisk"}


def _rows(value: Any) -> list[dict[str, Any]]:
    """An entity's rows, be it single or repeated."""
    return value if isinstance(value, list) else [value]


def _as_told(row: dict[str, Any]) -> dict[str, Any]:
    told = {name: value for name, value in row.items() if name != "erGjeldende"}
    if "identitetsgrunnlagstatus" in told:
        told["legitimasjonskontroll"] = told.pop("identitetsgrunnlagstatus")
    return told


# folkeregisteret-api.md, Event kinds.
PUBLISHED = {
    "endringINavn", "endringIBostedsadresse", "endringIBostedsadresseUtenFlytting",
    "endringISivilstand", "endringIDoedsfall", "endringIFamilierelasjon",
    "endringIIdentifikasjonsnummer", "endringIIdentitetsgrunnlag", "endringIStatus",
    "endringIAdressebeskyttelse", "endringIBostedsadresseVedKommuneregulering",
    "personErOpprettet", "personErBosatt", "personErUtflyttet", "personErDoed",
    "personErOppdatert", "personErOpphoert", "personErOpphoertSomDublett",
    "personErViderefoertSomGjeldendeVedSammenslaaing", "personErEndretVedSplitting",
    "personErGjenopprettetVedSplitting", "personErReaktivert", "personErInaktiv",
}  # fmt: skip
NEVER_USED = "endringIFratattRettsligHandleevne"


def test_every_published_kind_can_happen_but_the_reserved_one() -> None:
    assert set(KINDS) >= PUBLISHED
    assert NEVER_USED not in KINDS


def test_all_kinds_come_by_themselves_and_unknown_ones_where_that_was_asked_for(
    lived: SyntheticRegister,
) -> None:
    archive = lived.archive
    met = Counter(event.kind for event in archive.events.events(range(len(archive.events))))
    assert set(met) == set(KINDS)
    assert 1 <= met[UNKNOWN] < 80


def test_one_seed_and_the_same_calls_are_one_register() -> None:
    def all_of(seed: int, *calls: int) -> tuple[list[bytes], list[Any]]:
        with closing(SyntheticRegister(RegisterOptions(persons=100, seed=seed))) as made:
            for events in calls:
                made.living.happen(events)
            log = made.archive.events
            return list(made.archive.documents()), list(log.events(range(len(log))))

    assert all_of(7, 100, 50) == all_of(7, 100, 50)
    assert all_of(7, 100) != all_of(8, 100)


HOMES = ("bostedsadresse", "oppholdsadresse", "deltBosted", "postadresseIUtlandet")


def test_addresses_keep_the_registers_rules_whatever_happens(lived: SyntheticRegister) -> None:
    protected = Counter[str]()
    for person in lived.archive.people:
        place = lived.archive.by_number(person.number)
        assert place is not None
        document = document_of(lived, place)
        rows = {kind: document.get(kind, []) for kind in (*HOMES, "postadresse")}
        current = {kind: [one for one in rows[kind] if one["erGjeldende"]] for kind in rows}
        assert all(len(one) <= 1 for one in current.values())
        by_number = {row["identifikatortype"]: row for row in document["identifikasjonsnummer"]}
        assert "foedselsnummer" in by_number or not current["bostedsadresse"]
        if person.protection in {"fortrolig", "strengtFortrolig"}:
            protected[person.protection] += 1
            grades = {row["adressegradering"] for kind in rows for row in rows[kind]}
            assert grades == {person.protection}
        if person.protection == "strengtFortrolig":
            assert not any(rows[kind] for kind in HOMES)
            assert current["postadresse"]
    assert set(protected) == {"fortrolig", "strengtFortrolig"}


# -- documents, in force and before -------------------------------------------------------------


def test_only_what_is_taken_back_makes_a_document_look_older(lived: SyntheticRegister) -> None:
    lived.living.happen(200, "endringINavn")  # some of which take the latest row back
    archive = lived.archive
    newest: dict[str, datetime] = {}
    older = Counter[str]()
    for event in archive.events.events(range(len(archive.events))):
        document = document_of(lived, event.document)
        latest = max(
            datetime.fromisoformat(row["ajourholdstidspunkt"])
            for rows in document.values()
            for row in _rows(rows)
        )
        if latest < newest.get(event.number, latest):
            body = json.loads(archive.events.body(event.place) or "{}")
            changes = body["egenskapshendelse"]
            assert {change["entitetsendring"] for change in changes} == {"annullere"}
            older[event.kind] += 1
        newest[event.number] = latest
    assert {"endringINavn", "personErEndretVedSplitting"} <= set(older)


def test_rows_are_history_or_current_never_both(lived: SyntheticRegister) -> None:
    archive = lived.archive
    for identifier in archive.valid_from(archive.last_sequence_number):
        document = document_of(lived, archive.by_id(identifier) or 0)
        for rows in document.values():
            for row in _rows(rows):
                assert row["erGjeldende"] == ("opphoerstidspunkt" not in row)


def test_parents_and_children_tell_the_same_of_who_answers(lived: SyntheticRegister) -> None:
    archive = lived.archive
    told, back = set(), set()
    for identifier in archive.valid_from(archive.last_sequence_number):
        document = document_of(lived, archive.by_id(identifier) or 0)
        number = document["identifikasjonsnummer"][0]["foedselsEllerDNummer"]
        for row in document.get("foreldreansvar", []):
            if row["erGjeldende"] and "ansvarlig" in row:
                told.add((number, row["ansvarlig"], row["ansvar"]))
            elif row["erGjeldende"] and "ansvarssubjekt" in row:
                back.add((row["ansvarssubjekt"], number, row["ansvar"]))
    assert told == back
    assert {ansvar for _, _, ansvar in told} == {"felles", "mor"}


def test_look_ups_archive_and_uttrekk_agree_on_who_is_a_person(lived: SyntheticRegister) -> None:
    """By every number that anybody has, or had: the document of the person that goes on."""
    archive = lived.archive
    in_force = archive.valid_from(archive.last_sequence_number)
    assert len(in_force) == len(archive.people)
    documents = {identifier: document_of(lived, archive.by_id(identifier) or 0)
                 for identifier in in_force}  # fmt: skip
    for identifier, document in documents.items():
        (own,) = [row for row in document["identifikasjonsnummer"] if row["erGjeldende"]]
        found = archive.by_number(own["foedselsEllerDNummer"])
        assert found is not None
        if own["status"] == "iBruk":
            assert archive.identifier(found) == identifier
            for row in document["identifikasjonsnummer"]:
                assert archive.by_number(row["foedselsEllerDNummer"]) == found
    selected = {numbers[-1]: numbers for numbers in archive.selected([])}
    for document in documents.values():
        rows = document["identifikasjonsnummer"]
        number = rows[0]["foedselsEllerDNummer"]
        if number in selected:
            assert {row["foedselsEllerDNummer"] for row in rows} == set(selected[number])
    gone_over = [person for person in archive.people if person.merged_into is not None]
    assert len(selected) == len(archive.people) - len(gone_over)
    assert gone_over


def test_komplett_at_a_number_gives_what_was_in_force_and_every_later_document(
    lived: SyntheticRegister,
) -> None:
    """Told by another register of the same seed that had lived only so long."""
    archive = lived.archive
    with closing(SyntheticRegister(lived.options)) as younger:
        younger.living.happen(1_000)
        number = younger.archive.last_sequence_number
        before = younger.archive.valid_from(number)
        count = len(younger.archive)
    later = [archive.identifier(place) for place in range(count, len(archive))]
    assert archive.valid_from(number) == [*before, *later]


# -- merges and splits ---------------------------------------------------------------------------


def _person(register: str, number: str) -> dict[str, Any]:
    person: dict[str, Any] = get(register, f"personer/{number}", **EVERYTHING).json()
    return person


def _statuses(person: dict[str, Any]) -> dict[str, str]:
    return {row["foedselsEllerDNummer"]: row["status"] for row in person["identifikasjonsnummer"]}


def test_a_merge_leads_the_number_that_goes_out_to_who_goes_on_and_a_split_undoes_it(
    start_register: StartRegister,
) -> None:
    register = start_register(persons=60, seed=3)
    before = status_of(register)["sekvensnummer"]
    happen(register, 1, type="personErOpphoertSomDublett")
    events = {e["hendelse"]["hendelsetype"]: e["hendelse"] for e in events_of(register, before + 1)}
    out = events["personErOpphoertSomDublett"]
    on = events["personErViderefoertSomGjeldendeVedSammenslaaing"]
    numbers = out["folkeregisteridentifikator"], on["folkeregisteridentifikator"]
    assert _person(register, numbers[0]) == _person(register, numbers[1])
    assert _statuses(_person(register, numbers[0])).items() >= {
        (numbers[0], "opphoert"), (numbers[1], "iBruk"),
    }  # fmt: skip
    assert "persondokument" not in out

    last = status_of(register)["sekvensnummer"]
    while _person(register, numbers[0]) == _person(register, numbers[1]):
        happen(register, 1, type="personErGjenopprettetVedSplitting")
    kinds = {event["hendelse"]["hendelsetype"] for event in events_of(register, last + 1)}
    assert kinds == {"personErGjenopprettetVedSplitting", "personErEndretVedSplitting"}
    assert _statuses(_person(register, numbers[0]))[numbers[0]] == "iBruk"
    assert numbers[0] not in _statuses(_person(register, numbers[1]))


def test_someone_who_settles_gets_another_number_and_is_found_by_both(
    start_register: StartRegister,
) -> None:
    register = start_register()
    before = status_of(register)["sekvensnummer"]
    happen(register, 6, type="personErBosatt")
    settled = [
        event["hendelse"]["folkeregisteridentifikator"]
        for event in events_of(register, before + 1)
        if event["hendelse"]["hendelsetype"] == "endringIIdentifikasjonsnummer"
    ]
    assert settled
    for number in settled:
        person = _person(register, number)
        (earlier,) = [other for other in _statuses(person) if other[0] in "4567"]
        assert _statuses(person) == {number: "iBruk", earlier: "opphoert"}
        assert _person(register, earlier) == person
        assert person["status"][0]["status"] == "bosatt"
        assert person["bostedsadresse"][0]["erGjeldende"]


def test_when_someone_dies_the_spouse_is_told_of_too(start_register: StartRegister) -> None:
    register = start_register(persons=200)
    before = status_of(register)["sekvensnummer"]
    happen(register, 20, type="personErDoed")
    events = [event["hendelse"] for event in events_of(register, before + 1)]
    dead = {e["folkeregisteridentifikator"] for e in events if e["hendelsetype"] == "personErDoed"}
    widowed = {
        event["folkeregisteridentifikator"]
        for event in events
        if event["hendelsetype"] == "endringISivilstand"
    } - dead
    assert widowed
    for number in widowed:
        (row,) = [r for r in _person(register, number)["sivilstand"] if r["erGjeldende"]]
        assert row["sivilstand"] in {"enkeEllerEnkemann", "gjenlevendePartner"}
        assert "relatertVedSivilstand" not in row
    for number in dead:
        person = _person(register, number)
        assert person["doedsfall"]["doedsdato"]
        assert person["status"][0]["status"] == "doed"


# -- by the clock, on demand, as a wave ------------------------------------------------------------


def test_things_happen_by_the_clock_when_a_rate_is_set(start_register: StartRegister) -> None:
    still, busy = start_register(), start_register(events_per_minute=60_000)
    numbers = [get(register, "hendelser/siste/sekvensnummer").json() for register in (still, busy)]
    time.sleep(0.05)
    later = [get(register, "hendelser/siste/sekvensnummer").json() for register in (still, busy)]
    assert later[0] == numbers[0]
    assert later[1] > numbers[1] + 20


def test_a_batch_ordered_before_a_change_stays_as_it_was(start_register: StartRegister) -> None:
    register = start_register(persons=50, ready_after_seconds=0.0)
    job = get(register, "uttrekk/komplett", feedsekvensnr=10**9).json()["jobbId"]
    batch = get(register, f"uttrekk/{job}/batch/0").json()
    happen(register, 30)
    assert get(register, f"uttrekk/{job}/batch/0").json() == batch
    answers = bulk(register, "personer/bulkoppslag/arkiv", batch["dokumentidentifikator"]).json()
    assert all("folkeregisterperson" in entry for entry in answers["oppslag"])


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("hendelser", {}),
        ("hendelser", {"antall": "-1"}),
        ("hendelser", {"antall": "1", "type": "endringIHobby"}),
        ("boelge", {"antall": "x"}),
        ("alder", {}),
    ],
)
def test_wrong_demands_are_400(path: str, query: Any, small_register: str) -> None:
    root = small_register.split("/folkeregisteret/")[0]
    answer = httpx.post(f"{root}/_synthetic/{path}", params=query, trust_env=False)
    assert answer.status_code == 400
    assert answer.json()["melding"]


def test_what_cannot_happen_to_anybody_is_409(start_register: StartRegister) -> None:
    register = start_register(persons=1)
    root = register.split("/folkeregisteret/")[0]
    answer = httpx.post(
        f"{root}/_synthetic/hendelser?antall=9&type=personErOpphoertSomDublett", trust_env=False
    )
    assert answer.status_code == 409


def test_something_can_happen_in_the_smallest_register() -> None:
    with closing(SyntheticRegister(RegisterOptions(persons=1, seed=9))) as made:
        made.living.happen(1_500)  # where once only the newcomers' turn never came
        assert len(made.archive.events) >= 1_500


def test_history_can_be_made_too_old(start_register: StartRegister) -> None:
    register = start_register()
    happen(register, 5, path="alder", sekvensnummer=1_200)
    assert get(register, "hendelser/feed", seq=1_199).status_code == 406
    assert get(register, "hendelser/feed", seq=1_200).status_code == 200


def test_a_wave_gives_distinct_persons_a_code_that_no_contract_lists_and_then_again(
    start_register: StartRegister,
) -> None:
    register = start_register(persons=300)
    status = status_of(register)
    happen(register, 700, path="boelge")
    events = [event["hendelse"] for event in events_of(register, status["sekvensnummer"] + 1)]
    assert {event["hendelsetype"] for event in events} == {"endringIIdentitetsgrunnlag"}
    rounds = Counter(event["folkeregisteridentifikator"] for event in events)
    assert len(events) == 700
    assert set(rounds.values()) == {2, 3}
    changes = Counter[str]()
    for event in events[::23]:
        document = get(register, f"hendelser/{event['hendelsesdokument']}").json()["hendelse"]
        (change,) = document["egenskapshendelse"]
        changes[change["entitetsendring"]] += 1
        path = f"personer/arkiv/{event['persondokument']}"
        rows = get(register, path, part=["identitetsgrunnlag", "historikk"]).json()
        (current,) = [row for row in rows["identitetsgrunnlag"] if row["erGjeldende"]]
        assert current["identitetsgrunnlagstatus"] == "unik"
        assert change["identitetsgrunnlag"] == _as_told(current)
        assert event["ajourholdstidspunkt"] == current["ajourholdstidspunkt"]
        assert rows["identitetsgrunnlag"][1]["opphoerstidspunkt"] == current["gyldighetstidspunkt"]
    assert set(changes) == {"registrereNy", "korrigere"}
    assert b"unik" not in get(register, "personer/xsd").content


def test_people_go_on_living_after_a_wave(start_register: StartRegister) -> None:
    register = start_register(persons=200, wave=250)
    last = status_of(register)["sekvensnummer"]
    happen(register, 10, type="endringIIdentitetsgrunnlag")
    happen(register, 200, path="boelge")
    event = events_of(register, last + 1)[0]["hendelse"]
    path = f"personer/arkiv/{event['persondokument']}"
    rows = get(register, path, part=["identitetsgrunnlag", "historikk"]).json()
    assert rows["identitetsgrunnlag"][1]["identitetsgrunnlagstatus"] == "unik"
    assert not rows["identitetsgrunnlag"][1]["erGjeldende"]


def test_a_waves_event_document_is_written_as_every_other() -> None:
    moment = 1_780_000_000_123
    at = moment_text(moment)
    row = {
        "ajourholdstidspunkt": at,
        "erGjeldende": True,
        "kilde": "Skatteetaten",
        "aarsak": "Patch",
        "gyldighetstidspunkt": at,
        "identitetsgrunnlagstatus": "unik",
    }
    changes = [("identitetsgrunnlag", "registrereNy", row)]
    number = "01912400000"
    expected = hendelse(number, "endringIIdentitetsgrunnlag", at, changes)
    assert told(number, moment, "registrereNy") == expected
