"""The synthetic register over HTTP, asked by hand: as its documentation says, faults included."""

from __future__ import annotations

import gc
import json
import time
import warnings
from typing import Any

import httpx
import pytest

from freg_pipeline.errors import ConfigurationError, FregError
from freg_pipeline.synthetic import RegisterOptions, SyntheticRegister, running
from freg_pipeline.synthetic.faults import read_faults
from freg_pipeline_tests.conftest import StartRegister
from freg_pipeline_tests.registers import status_of

JSON = {"Content-Type": "application/json"}
EVERYONE = {"personstatustyper": ["aktiv", "bosatt", "utflyttet", "doed", "inaktiv"]}


class Caller:
    """Calls the services of one register."""

    def __init__(self, base_url: str) -> None:
        self._root = f"{base_url}/v1/"

    def get(self, path: str, **parameters: Any) -> httpx.Response:
        return httpx.get(self._root + path, params=parameters, trust_env=False)

    def post(self, path: str, body: Any, headers: Any = None, **parameters: Any) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = JSON if headers is None else headers
        return httpx.post(
            self._root + path, content=content, params=parameters, headers=given, trust_env=False
        )

    def collect(self, job: str) -> list[str]:
        """All identifiers of a job, waiting while it isn't ready."""
        found: list[str] = []
        number = 0
        while True:
            answer = self.get(f"uttrekk/{job}/batch/{number}")
            if answer.status_code == 404:
                time.sleep(0.02)
                continue
            batch = answer.raise_for_status().json()
            if not batch:
                return found
            (identifiers,) = batch.values()
            found += identifiers
            number += 1

    def numbers(self, criteria: Any = None) -> list[str]:
        job = self.post("uttrekk/tilpasset", criteria or EVERYONE).raise_for_status().json()
        return self.collect(job["jobbId"])


@pytest.fixture(scope="module")
def caller(small_register: str) -> Caller:
    return Caller(small_register)


# -- uttrekk -----------------------------------------------------------------------------------


def test_batches_are_404_until_ready_then_there_and_empty_past_the_end(
    start_register: StartRegister,
) -> None:
    slow = Caller(start_register(persons=250, batch_size=100, ready_after_seconds=600))
    job = slow.get("uttrekk/komplett", feedsekvensnr=10**9).json()["jobbId"]
    assert slow.get(f"uttrekk/{job}/batch/0").status_code == 404
    caller = Caller(start_register(persons=250, batch_size=100, ready_after_seconds=0.3))
    job = caller.get("uttrekk/komplett", feedsekvensnr=10**9).json()["jobbId"]
    assert len(caller.collect(job)) == 250
    sizes = [len(caller.get(f"uttrekk/{job}/batch/{n}").json()["dokumentidentifikator"])
             for n in range(3)]  # fmt: skip
    assert sizes == [100, 100, 50]
    assert caller.get(f"uttrekk/{job}/batch/3").json() == {}
    assert caller.get(f"uttrekk/{job}/batch/x").status_code == 400


def test_an_unknown_job_and_one_past_its_lifetime_are_410(start_register: StartRegister) -> None:
    caller = Caller(start_register(job_lifetime_hours=1e-9))
    job = caller.get("uttrekk/komplett", feedsekvensnr=1).json()["jobbId"]
    for path in (f"uttrekk/{job}/batch/0", "uttrekk/unknown/batch/0"):
        answer = caller.get(path)
        assert (answer.status_code, answer.json()) == (410, {}), "the body is a batch's"


def test_jobs_are_forgotten_at_the_end_of_their_lifetime(start_register: StartRegister) -> None:
    lasting, brief = start_register(), start_register(job_lifetime_hours=0.1 / 3600)
    for caller in (Caller(lasting), Caller(brief)):
        for _ in range(5):
            caller.get("uttrekk/komplett", feedsekvensnr=1).raise_for_status()
    time.sleep(0.2)
    assert status_of(lasting)["jobs"]["kept"] == 5
    assert status_of(brief)["jobs"] == {"ordered": 5, "running": 0, "kept": 0}


def test_the_eleventh_running_job_is_429_with_milliseconds(start_register: StartRegister) -> None:
    caller = Caller(start_register(ready_after_seconds=20))
    answers = [caller.get("uttrekk/komplett", feedsekvensnr=1) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    assert 1_000 < int(answers[-1].headers["Retry-After"]) <= 60_000


def test_identifiers_can_be_delivered_twice(start_register: StartRegister) -> None:
    caller = Caller(start_register(persons=200, duplicates=0.1))
    job = caller.get("uttrekk/komplett", feedsekvensnr=10**9).json()["jobbId"]
    identifiers = caller.collect(job)
    assert (len(identifiers), len(set(identifiers))) == (220, 200)


WRONG_CRITERIA = [
    {},
    [],
    {"personstatustyper": []},
    {"personstatustyper": ["midlertidig"]},
    {"personstatustyper": "bosatt"},
    {**EVERYONE, "kommunenummer": {"bostedskommunenummer": "301"}},
    {
        **EVERYONE,
        "kommunenummer": {"bostedskommunenummer": "0301", "oppholdskommunenummer": "4601"},
    },
    {**EVERYONE, "foedselsaarFraOgMed": 19800},
    {**EVERYONE, "foedselsaarFraOgMed": True},
    {**EVERYONE, "kjoenn": "dame"},
    {**EVERYONE, "sivilstandstype": "samboer"},
    {**EVERYONE, "statsborgerskap": "no"},
    {"personstatustyper": None},
]


@pytest.mark.parametrize("criteria", WRONG_CRITERIA)
def test_wrong_criteria_are_400(criteria: Any, caller: Caller) -> None:
    answer = caller.post("uttrekk/tilpasset", criteria)
    assert answer.status_code == 400
    assert answer.json()["melding"]


def test_a_criterion_that_no_description_names_is_passed_over_or_refused(
    start_register: StartRegister,
) -> None:
    criteria = {"personstatustyper": ["doed"], "hobby": "ski"}
    passing, strict = (
        Caller(start_register(persons=100, strict_criteria=strict)) for strict in (False, True)
    )
    assert passing.numbers(criteria) == passing.numbers({"personstatustyper": ["doed"]})
    assert strict.post("uttrekk/tilpasset", criteria).status_code == 400


def _matches(document: dict[str, Any], criteria: dict[str, Any]) -> bool:
    """The criteria, asked of a document that holds current rows only."""
    status = document["status"][0]["status"]
    wanted = set(criteria["personstatustyper"])
    if "aktiv" in wanted:
        wanted |= {"midlertidig", "ikkeBosatt", "forsvunnet", "foedselsregistrert"}
    year = int(document["foedsel"][0]["foedselsaar"])
    states = {row["statsborgerskap"] for row in document["statsborgerskap"]}
    death = document.get("doedsfall", {}).get("doedsdato", "")[:4]
    tests = {
        "foedselsaarFraOgMed": lambda value: year >= int(value),
        "foedselsaarTilOgMed": lambda value: year <= int(value),
        "doedsaarFraOgMed": lambda value: bool(death) and death >= value,
        "doedsaarTilOgMed": lambda value: bool(death) and death <= value,
        "kjoenn": lambda value: document["kjoenn"][0]["kjoenn"] == value,
        "sivilstandstype": lambda value: document["sivilstand"][0]["sivilstand"] == value,
        "statsborgerskap": lambda value: value in states,
        "kommunenummer": lambda value: _lives_in(document, value),
    }
    rest = {name: value for name, value in criteria.items() if name in tests}
    return status in wanted and all(tests[name](value) for name, value in rest.items())


def _lives_in(document: dict[str, Any], kommune: dict[str, str]) -> bool:
    ((name, number),) = kommune.items()
    entity = "bostedsadresse" if name.startswith("bosted") else "oppholdsadresse"
    found = json.dumps(document.get(entity, []))
    return f'ommunenummer": "{number}"' in found or f'ostedskommune": "{number}"' in found


CRITERIA = [
    {"personstatustyper": ["bosatt"], "kommunenummer": {"bostedskommunenummer": "0301"}},
    {"personstatustyper": ["aktiv", "inaktiv"]},
    {**EVERYONE, "foedselsaarFraOgMed": "1960", "foedselsaarTilOgMed": "1969", "kjoenn": "mann"},
    {"personstatustyper": ["doed"], "doedsaarFraOgMed": "2000", "doedsaarTilOgMed": "2015"},
    {**EVERYONE, "sivilstandstype": "skilt"},
    {**EVERYONE, "statsborgerskap": "POL"},
    {**EVERYONE, "kommunenummer": {"oppholdskommunenummer": "4601"}},
]


NULLS: dict[str, Any] = dict.fromkeys(
    ("kommunenummer", "kjoenn", "doedsaarFraOgMed", "doedsaarTilOgMed", "statsborgerskap",
     "sivilstandstype")
)  # fmt: skip


def test_null_is_no_criterion_and_a_year_may_be_a_number(caller: Caller) -> None:
    """As a client in production sends them."""
    years = {"foedselsaarFraOgMed": 1960, "foedselsaarTilOgMed": 1969}
    texts = {name: str(year) for name, year in years.items()}
    assert caller.numbers(EVERYONE | NULLS | years) == caller.numbers(EVERYONE | texts)
    place = {"bostedskommunenummer": "0301", "oppholdskommunenummer": None}
    there = caller.numbers(EVERYONE | {"kommunenummer": place})
    assert there == caller.numbers(EVERYONE | {"kommunenummer": {"bostedskommunenummer": "0301"}})


@pytest.mark.parametrize("criteria", CRITERIA, ids=str)
def test_a_selection_is_whom_the_documents_say(criteria: dict[str, Any], caller: Caller) -> None:
    everyone = list(dict.fromkeys(caller.numbers()))
    answer = caller.post("personer/bulkoppslag", {"foedselsEllerDNummer": everyone[:1000]},
                         somBestilt="true").json()  # fmt: skip
    entries = answer["oppslag"]
    rest = {"foedselsEllerDNummer": everyone[1000:]}
    entries += caller.post("personer/bulkoppslag", rest, somBestilt="true").json()["oppslag"]
    expected = {
        entry["foedselsEllerDNummer"]
        for entry in entries
        if _matches(entry["folkeregisterperson"], criteria)
    }
    assert expected
    assert set(caller.numbers(criteria)) == expected


# -- personer ----------------------------------------------------------------------------------


def test_look_ups_as_ordered_and_not(caller: Caller) -> None:
    numbers = list(dict.fromkeys(caller.numbers()))[:20]
    asked = {"foedselsEllerDNummer": [*numbers[:10], "00000000000", *numbers[10:]]}
    ordered = caller.post("personer/bulkoppslag", asked, somBestilt="true").json()["oppslag"]
    assert [one["foedselsEllerDNummer"] for one in ordered] == asked["foedselsEllerDNummer"]
    assert "feilmelding" in ordered[10]
    free = caller.post("personer/bulkoppslag", asked).json()["oppslag"]
    assert [one["foedselsEllerDNummer"] for one in free] != numbers
    assert sorted(one["foedselsEllerDNummer"] for one in free) == sorted(numbers)


def test_an_old_number_finds_the_person_that_goes_on(caller: Caller) -> None:
    numbers = caller.numbers()
    found = caller.post("personer/bulkoppslag", {"foedselsEllerDNummer": numbers[:1000]},
                        somBestilt="true").json()["oppslag"]  # fmt: skip
    moved = [
        one
        for one in found
        if one["folkeregisterperson"]["identifikasjonsnummer"][0]["foedselsEllerDNummer"]
        != one["foedselsEllerDNummer"]
    ]
    assert moved


PART_CASES: dict[str, tuple[list[str], set[str], bool]] = {
    "no part": ([], {"navn", "status", "bostedsadresse"}, False),
    "one entity": (["navn"], {"navn", "identifikasjonsnummer"}, False),
    "an entity with history": (["navn", "historikk"], {"navn", "identifikasjonsnummer"}, True),
    "relations": (["relasjon-utvidet"], {"familierelasjon", "identifikasjonsnummer"}, False),
}


@pytest.mark.parametrize("case", PART_CASES)
def test_only_what_the_parts_name_is_given(case: str, caller: Caller) -> None:
    parts, wanted, history = PART_CASES[case]
    numbers = {"foedselsEllerDNummer": caller.numbers()[:300]}
    answer = caller.post("personer/bulkoppslag", numbers, part=parts, somBestilt="true").json()
    documents = [one["folkeregisterperson"] for one in answer["oppslag"]]
    entities = {entity for document in documents for entity in document}
    assert wanted <= entities
    if parts:
        assert entities <= wanted | {"foreldreansvar", "vergemaalEllerFremtidsfullmakt"}
    else:
        assert "familierelasjon" not in entities
    rows = [row for document in documents for row in document.get("navn", [])]
    assert any(not row["erGjeldende"] for row in rows) is history


NUMBER = {"identifikasjonsnummer"}
# The table of folkeregisteret-api.md, Services: what each part gives.
GIVEN = {
    "person-basis": NUMBER | {
        "identitetsgrunnlag", "status", "doedsfall", "sivilstand", "foedsel", "statsborgerskap",
        "kjoenn", "navn", "bostedsadresse", "oppholdsadresse", "deltBosted", "postadresse",
        "postadresseIUtlandet", "adressebeskyttelse", "kontaktinformasjonForDoedsbo",
    },
    "identitetsgrunnlag-utvidet": NUMBER | {
        "falskIdentitet", "legitimasjonsdokument", "utenlandskPersonidentifikasjon",
    },
    "relasjon-utvidet": NUMBER | {
        "familierelasjon", "foreldreansvar", "vergemaalEllerFremtidsfullmakt",
    },
    **{entity: NUMBER | {entity} for entity in (
        "innflytting", "utflytting", "foedselINorge", "opphold", "oppholdPaaSvalbard", "bibehold",
        "brukAvSamiskSpraak", "rettsligHandleevne", "utlendingsmyndighetenesIdentifikasjonsnummer",
    )},
}  # fmt: skip
GIVEN[""] = GIVEN["person-basis"]


def test_each_part_gives_its_entities_and_no_other_does(caller: Caller) -> None:
    numbers = list(dict.fromkeys(caller.numbers()))[:1000]
    for part, wanted in GIVEN.items():
        parts = [part] if part else []
        answer = caller.post("personer/bulkoppslag", {"foedselsEllerDNummer": numbers}, part=parts)
        documents = [one["folkeregisterperson"] for one in answer.json()["oppslag"]]
        assert {entity for document in documents for entity in document} == wanted, part


def test_an_unknown_part_and_too_many_identifiers_are_400(caller: Caller) -> None:
    one = {"foedselsEllerDNummer": ["1"]}
    assert caller.post("personer/bulkoppslag", one, part="hobby").status_code == 400
    many = {"foedselsEllerDNummer": ["1"] * 1001}
    assert caller.post("personer/bulkoppslag", many).status_code == 400
    assert caller.post("personer/bulkoppslag", {"feil": []}).status_code == 400


def test_a_body_without_a_content_type_is_taken_for_xml(caller: Caller) -> None:
    body = json.dumps(EVERYONE).encode()
    assert caller.post("uttrekk/tilpasset", body, headers={}).status_code == 400
    strange = {"Content-Type": "text/csv"}
    assert caller.post("uttrekk/tilpasset", body, headers=strange).status_code == 415
    not_taken = {**JSON, "Accept": "text/csv"}
    assert caller.post("personer/bulkoppslag", {}, headers=not_taken).status_code == 406
    assert caller.post("uttrekk/tilpasset", b"{").status_code == 400


def test_single_documents(caller: Caller) -> None:
    number = caller.numbers()[0]
    person = caller.get(f"personer/{number}").json()
    assert person["identifikasjonsnummer"]
    unknown = caller.get("personer/00000000000")
    assert unknown.status_code == 404
    assert "00000000000" not in unknown.text
    assert caller.get("personer/arkiv/unknown").status_code == 404


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("application/json", "{}"),
        ("text/plain", "{}"),
        ("application/xml", "<sekvensnummer>{}</sekvensnummer>"),
    ],
)
def test_the_last_sequence_number(accept: str, form: str, small_register: str) -> None:
    url = f"{small_register}/v1/hendelser/siste/sekvensnummer"
    answer = httpx.get(url, headers={"Accept": accept}, trust_env=False)
    number = int("".join(filter(str.isdigit, answer.text)))
    assert answer.text == form.format(number)


# -- faults ------------------------------------------------------------------------------------


def fault(base_url: str) -> httpx.Response:
    return Caller(base_url).get("personer/xsd")


@pytest.mark.parametrize(
    ("kind", "status"), [("500", 500), ("503", 503), ("429", 429), ("401", 401)]
)
def test_faults_with_a_status(kind: str, status: int, start_register: StartRegister) -> None:
    answer = fault(start_register(persons=20, faults=f"{kind}=1"))
    assert answer.status_code == status
    assert answer.json()


def test_a_firewalls_page(start_register: StartRegister) -> None:
    answer = fault(start_register(persons=20, faults="html=1"))
    assert answer.headers["content-type"].startswith("text/html")
    assert "support ID" in answer.text


def test_a_garbled_answer_is_half_of_it(start_register: StartRegister) -> None:
    answer = fault(start_register(persons=20, faults="garbled=1"))
    assert answer.status_code == 200
    assert not answer.text.rstrip().endswith(">")


@pytest.mark.parametrize("kind", ["reset", "truncated"])
def test_lost_connections(kind: str, start_register: StartRegister) -> None:
    with pytest.raises(httpx.TransportError):
        fault(start_register(persons=20, faults=f"{kind}=1"))


def test_every_third_request_of_one_service(start_register: StartRegister) -> None:
    caller = Caller(start_register(persons=20, faults="500@personer/xsd=#3"))
    statuses = [caller.get("personer/xsd").status_code for _ in range(6)]
    assert statuses == [200, 200, 500, 200, 200, 500]
    assert caller.get("hendelser/siste/sekvensnummer").status_code == 200


@pytest.mark.parametrize("wrong", ["gremlins=1", "500=2", "500=-1", "500=often", "500=#0"])
def test_a_wrong_specification_is_one_line(wrong: str) -> None:
    with pytest.raises(ConfigurationError) as told:
        read_faults(wrong)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("wrong", [{"faults": "gremlins=1"}, {"contract": b"no XML"}], ids=str)
def test_a_register_that_cannot_be_made_leaves_no_file_open(wrong: dict[str, Any]) -> None:
    with warnings.catch_warnings(record=True) as left:
        warnings.simplefilter("always", ResourceWarning)
        with pytest.raises(FregError):
            SyntheticRegister(RegisterOptions(persons=5, **wrong))
        gc.collect()
    assert [one for one in left if "BufferedRandom" in str(one.message)] == []


def test_a_port_that_is_taken_is_one_line(small_register: str) -> None:
    port = int(small_register.split(":")[2].split("/")[0])
    with pytest.raises(ConfigurationError, match="--port"):
        with running(RegisterOptions(persons=10), port=port):
            pass
