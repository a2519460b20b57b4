"""What each package of rights may call at the synthetic register, and what it sees."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest

from freg_pipeline.synthetic.packages import PACKAGES, Package

# The table of folkeregisteret-api.md, "What each package may call", by path with an example.
TABLE = {
    "personer/{personidentifikator}": "med hjemmel, off. uten, Finans, privat uten",
    "personer/bulkoppslag": "med hjemmel, off. uten, Finans, privat uten",
    "personer/soek": "med hjemmel, off. uten, Finans, privat uten",
    "personer/entydigsoek": "med hjemmel, off. uten, Finans, privat uten, Privat",
    "personer/xsd": "med hjemmel, off. uten, Finans, privat uten, Privat",
    "hendelser/xsd": "med hjemmel, off. uten, Finans, privat uten, Privat",
    "hendelser/feedxsd": "med hjemmel, off. uten, Finans, privat uten, Privat",
    "hendelser/feed": "med hjemmel, off. uten, Finans, privat uten, Privat",
    "hendelser/{hendelsesidentifikator}": "med hjemmel",
    "hendelser/bulkoppslag": "med hjemmel",
    "uttrekk/komplett": "med hjemmel",
    "uttrekk/tilpasset": "med hjemmel, off. uten, Finans, privat uten",
    "uttrekk/batch": "med hjemmel, off. uten, Finans, privat uten",
    "hendelser/siste/sekvensnummer": "med hjemmel, off. uten, Finans, privat uten, Privat",
    "personer/bulkoppslag/arkiv": "med hjemmel",
    "personer/arkiv/{dokumentidentifikator}": "med hjemmel",
}
COLUMNS = {
    "offentlig-med-hjemmel": "med hjemmel",
    "offentlig-uten-hjemmel": "off. uten",
    "finans": "Finans",
    "privat-uten-hjemmel": "privat uten",
    "privat": "Privat",
    "utsteder-eid": "eID",
}
EID = {"personer/{personidentifikator}", "personer/bulkoppslag", "personer/soek",
       "uttrekk/tilpasset", "uttrekk/batch"}  # fmt: skip
PATHS = {"uttrekk/batch": "uttrekk/{jobbid}/batch/0"}
POSTS = {
    "personer/bulkoppslag", "personer/bulkoppslag/arkiv", "uttrekk/tilpasset",
    "hendelser/bulkoppslag",
}  # fmt: skip
BY_NAME = {package.name: package for package in PACKAGES}
LEGITIMATION = {"legitimasjonsdokument", "utenlandskPersonidentifikasjon"}
IDENTITY = {"falskIdentitet", *LEGITIMATION}
SECRET = {"opphold", "bibehold", "brukAvSamiskSpraak",
          "utlendingsmyndighetenesIdentifikasjonsnummer"}  # fmt: skip
RELATIONS = {"familierelasjon", "foreldreansvar"}
EVERYTHING = ["person-basis", "historikk", "identitetsgrunnlag-utvidet", "relasjon-utvidet",
              *sorted(SECRET)]  # fmt: skip


def root(base_url: str, package: Package) -> str:
    return f"{base_url.split('/folkeregisteret/')[0]}/folkeregisteret/{package.path}/v1"


def call(base_url: str, package: Package, service: str) -> httpx.Response:
    method = "POST" if service in POSTS else "GET"
    url = f"{root(base_url, package)}/{PATHS.get(service, service)}"
    return httpx.request(method, url, content=b"{}", trust_env=False,
                         headers={"Content-Type": "application/json"})  # fmt: skip


@pytest.mark.parametrize("name", COLUMNS)
def test_a_package_calls_its_services_and_no_others(name: str, small_register: str) -> None:
    for service, row in TABLE.items():
        columns = f"{row}, eID" if service in EID or row.endswith("Privat") else row
        answer = call(small_register, BY_NAME[name], service)
        if COLUMNS[name] in columns.split(", "):
            assert answer.status_code != 403, service
        else:
            assert answer.status_code == 403, service
            assert answer.json()["feilkode"] == "FREG-403"
            assert service in answer.json()["feilmelding"]


@pytest.fixture(scope="module")
def numbers(small_register: str) -> list[str]:
    """Everyone's numbers, by the package that may select them."""
    url = root(small_register, BY_NAME["offentlig-med-hjemmel"])
    body = {"personstatustyper": ["aktiv", "bosatt", "utflyttet", "doed", "inaktiv"]}
    job = httpx.post(f"{url}/uttrekk/tilpasset", json=body, trust_env=False).json()["jobbId"]
    found: list[str] = []
    for number in range(10):
        answer = httpx.get(f"{url}/uttrekk/{job}/batch/{number}", trust_env=False)
        while answer.status_code == 404:
            answer = httpx.get(f"{url}/uttrekk/{job}/batch/{number}", trust_env=False)
        found += answer.json().get("foedselsEllerDNummer", [])
    return found[:1000]


def documents(
    base_url: str, package: Package, numbers: list[str], parts: list[str]
) -> list[dict[str, Any]]:
    answer = httpx.post(
        f"{root(base_url, package)}/personer/bulkoppslag",
        params={"part": parts, "somBestilt": "true"},
        content=json.dumps({"foedselsEllerDNummer": numbers}),
        headers={"Content-Type": "application/json"},
        trust_env=False,
    )
    return [one["folkeregisterperson"] for one in answer.raise_for_status().json()["oppslag"]]


@pytest.mark.parametrize(
    ("name", "unseen", "past"),
    [
        ("offentlig-med-hjemmel", set(), {"status", "sivilstand", "navn", "bostedsadresse"}),
        (
            "offentlig-uten-hjemmel",
            LEGITIMATION | RELATIONS | SECRET,
            {"navn", "bostedsadresse"},
        ),
        ("privat-uten-hjemmel", IDENTITY | RELATIONS | SECRET, {"navn", "bostedsadresse"}),
        ("finans", LEGITIMATION | SECRET, {"navn", "bostedsadresse", "sivilstand"}),
        ("utsteder-eid", RELATIONS | SECRET, {"navn", "bostedsadresse"}),
    ],
)
def test_a_package_sees_no_more_than_it_may(
    name: str, unseen: set[str], past: set[str], small_register: str, numbers: list[str]
) -> None:
    found = documents(small_register, BY_NAME[name], numbers, EVERYTHING)
    everything = IDENTITY | RELATIONS | SECRET | {"vergemaalEllerFremtidsfullmakt"}
    assert everything - {entity for document in found for entity in document} == unseen
    assert all(document["identifikasjonsnummer"] for document in found)
    with_past = {
        entity
        for document in found
        for entity, rows in document.items()
        if isinstance(rows, list) and not all(row["erGjeldende"] for row in rows)
    }
    assert with_past & {"status", "sivilstand", "navn", "bostedsadresse"} == past


def test_what_a_package_may_not_see_is_left_out_without_a_word_when_it_is_named(
    small_register: str, numbers: list[str]
) -> None:
    package = BY_NAME["offentlig-uten-hjemmel"]
    found = documents(small_register, package, numbers[:50], ["familierelasjon", "navn"])
    assert {entity for document in found for entity in document} == {
        "identifikasjonsnummer", "navn",
    }  # fmt: skip


@pytest.mark.parametrize("accept", ["application/json", "application/atom+xml", "application/xml"])
def test_only_med_hjemmel_is_told_which_documents_an_event_has(
    accept: str, small_register: str
) -> None:
    told = {
        package.name
        for package in PACKAGES
        if "hendelsesdokument"
        in httpx.get(
            f"{root(small_register, package)}/hendelser/feed",
            params={"seq": 0},
            headers={"Accept": accept},
            trust_env=False,
        ).text
    }
    assert told == {"offentlig-med-hjemmel"}


@pytest.mark.parametrize(
    ("name", "unnamed", "named"),
    [
        ("privat", False, True),
        ("presse", False, True),
        ("privat-uten-folkeregisteridentifikator", False, False),
        ("presse-uten-folkeregisteridentifikator", False, False),
        ("utsteder-eid", True, True),
    ],
)
def test_who_gets_a_number_and_when(
    name: str, unnamed: bool, named: bool, small_register: str, numbers: list[str]
) -> None:
    def ask(*parts: str) -> httpx.Response:
        return found_by(small_register, BY_NAME[name], numbers[0], *parts)

    assert ("identifikasjonsnummer" in ask("person-basis").json()) == unnamed
    answer = ask("person-basis", "identifikasjonsnummer")
    assert answer.json()["navn"]
    assert ("identifikasjonsnummer" in answer.json()) == named
    assert (numbers[0] in answer.text) == named


def found_by(base_url: str, package: Package, number: str, *parts: str) -> httpx.Response:
    """One person by entydigsoek, as a package sees them."""
    whole = documents(base_url, BY_NAME["offentlig-med-hjemmel"], [number], [])[0]
    row = whole["navn"][0]
    return httpx.get(
        f"{root(base_url, package)}/personer/entydigsoek",
        params={
            "navn": f"{row['fornavn']} {row['etternavn']}",
            "identifikasjonsnummer": number,
            "part": [*parts],
        },
        trust_env=False,
    ).raise_for_status()


ELEVEN_DIGITS = re.compile(r'"\d{11}"')


def test_packages_without_numbers_get_none_by_another_way_either(
    small_register: str, numbers: list[str]
) -> None:
    parts = ["person-basis", "relasjon-utvidet", "historikk"]
    whole = documents(small_register, BY_NAME["offentlig-med-hjemmel"], numbers, parts)
    holding = [
        document["identifikasjonsnummer"][0]["foedselsEllerDNummer"]
        for document in whole
        if any(
            "foedselsEllerDNummer" in row.get("person", {})
            for row in document.get("kontaktinformasjonForDoedsbo", [])
        )
        or any(
            "foedselsEllerDNummer" in row["verge"]
            for row in document.get("vergemaalEllerFremtidsfullmakt", [])
        )
    ]
    married = [
        document["identifikasjonsnummer"][0]["foedselsEllerDNummer"]
        for document in whole
        if "relatertVedSivilstand" in document["sivilstand"][0]
    ]
    assert len(holding) > 10
    package = BY_NAME["presse-uten-folkeregisteridentifikator"]
    for number in [*holding[:20], *married[:5]]:
        answer = found_by(small_register, package, number, *parts)
        assert not ELEVEN_DIGITS.search(answer.text)


def test_a_secret_status_is_told_as_aktiv(small_register: str, numbers: list[str]) -> None:
    def statuses(name: str) -> set[str]:
        found = documents(small_register, BY_NAME[name], numbers, ["status"])
        return {row["status"] for document in found for row in document["status"]}

    secret = {"midlertidig", "ikkeBosatt"}
    assert secret < statuses("offentlig-med-hjemmel")
    for name in ("offentlig-uten-hjemmel", "privat-uten-hjemmel", "finans", "utsteder-eid"):
        open_ones = {"aktiv", "bosatt", "doed", "inaktiv", "utflyttet", "opphoert"}
        assert statuses(name) <= open_ones


@pytest.mark.parametrize("accept", ["application/json", "application/atom+xml"])
def test_privat_and_presse_are_not_told_what_happened(accept: str, small_register: str) -> None:
    for package in PACKAGES:
        url = f"{root(small_register, package)}/hendelser/feed?seq=0"
        text = httpx.get(url, headers={"Accept": accept}, trust_env=False).text
        silent = package.name == "privat" or package.name.startswith(("privat-uten-f", "presse"))
        assert ("endringIPerson" in text) == silent
        assert ("personErOpprettet" in text) != silent
