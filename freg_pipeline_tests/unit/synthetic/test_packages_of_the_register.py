"""What each package of rights may call at the synthetic register, and what it sees."""

from __future__ import annotations

import json
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
}
PATHS = {"uttrekk/batch": "uttrekk/{jobbid}/batch/0"}
POSTS = {
    "personer/bulkoppslag", "personer/bulkoppslag/arkiv", "uttrekk/tilpasset",
    "hendelser/bulkoppslag",
}  # fmt: skip
BY_NAME = {package.name: package for package in PACKAGES}
IDENTITY = {"falskIdentitet", "legitimasjonsdokument", "utenlandskPersonidentifikasjon"}
RELATIONS = {"familierelasjon", "foreldreansvar"}
EVERYTHING = ["person-basis", "historikk", "identitetsgrunnlag-utvidet", "relasjon-utvidet"]


def root(base_url: str, package: Package) -> str:
    return f"{base_url.split('/folkeregisteret/')[0]}/folkeregisteret/{package.path}/v1"


def call(base_url: str, package: Package, service: str) -> httpx.Response:
    method = "POST" if service in POSTS else "GET"
    url = f"{root(base_url, package)}/{PATHS.get(service, service)}"
    return httpx.request(method, url, content=b"{}", trust_env=False,
                         headers={"Content-Type": "application/json"})  # fmt: skip


@pytest.mark.parametrize("name", COLUMNS)
def test_a_package_calls_its_services_and_no_others(name: str, small_register: str) -> None:
    for service, columns in TABLE.items():
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
        ("offentlig-uten-hjemmel", IDENTITY | RELATIONS, {"navn", "bostedsadresse"}),
        ("privat-uten-hjemmel", IDENTITY | RELATIONS, {"navn", "bostedsadresse"}),
        ("finans", IDENTITY, {"navn", "bostedsadresse", "sivilstand"}),
    ],
)
def test_a_package_sees_no_more_than_it_may(
    name: str, unseen: set[str], past: set[str], small_register: str, numbers: list[str]
) -> None:
    found = documents(small_register, BY_NAME[name], numbers, EVERYTHING)
    everything = IDENTITY | RELATIONS | {"vergemaalEllerFremtidsfullmakt"}
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


@pytest.mark.parametrize("name", ["privat", "presse", "privat-uten-folkeregisteridentifikator"])
def test_some_packages_never_see_a_number(
    name: str, small_register: str, numbers: list[str]
) -> None:
    whole = documents(small_register, BY_NAME["offentlig-med-hjemmel"], numbers[:1], [])[0]
    row = whole["navn"][0]
    answer = httpx.get(
        f"{root(small_register, BY_NAME[name])}/personer/entydigsoek",
        params={
            "navn": f"{row['fornavn']} {row['etternavn']}",
            "identifikasjonsnummer": numbers[0],
            "part": ["person-basis", "identifikasjonsnummer"],
        },
        trust_env=False,
    )
    assert answer.status_code == 200
    assert answer.json()["navn"]
    assert "identifikasjonsnummer" not in answer.json()
    assert numbers[0] not in answer.text
