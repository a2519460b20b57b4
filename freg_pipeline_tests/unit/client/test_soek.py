"""The criteria of the searches, the hits, and how both reach the register."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from freg_pipeline.client import EntydigKriterier, Register, SoekKriterier
from freg_pipeline.client.treff import Treff, parse_treff
from freg_pipeline.errors import ConfigurationError, NotFoundError, RefusedError
from freg_pipeline.settings import load
from freg_pipeline_tests.registers import serving

NUMBER = "41819077906"
NAVN = {"navn": "Rød Fjell"}


def test_criteria_under_the_registers_names() -> None:
    kriterier = SoekKriterier(
        navn="Rød Fjell", foedselsaar_fra_og_med="1980", soek_fonetisk=True, maks_treff=50
    )
    assert kriterier.query() == [
        ("navn", "Rød Fjell"),
        ("foedselsaarFraOgMed", "1980"),
        ("soekFonetisk", "true"),
        ("maksTreff", "50"),
    ]
    assert "Fjell" not in repr(kriterier)


@pytest.mark.parametrize(
    ("criteria", "said"),
    [
        ({}, "needs a criterion"),
        ({"soek_fonetisk": True, "opplysningsgrunnlag": "historisk"}, "needs a criterion"),
        ({"navn": " "}, "navn is empty"),
        ({"kjoenn": "mannlig"}, "kvinne, mann"),
        ({"foedselsdato": "1985-01-31"}, "YYYYMMDD"),
        ({"foedselsdato": "19850231"}, "YYYYMMDD"),
        ({"foedselsdato": "1985131"}, "YYYYMMDD"),
        ({"foedselsaar_fra_og_med": "85"}, "four digits"),
        ({"foedselsaar_fra_og_med": "1990", "foedselsaar_til_og_med": "1980"}, "after the last"),
        ({"adressenavn": "Ro"}, "fewer than 3"),
        ({"navn": "Fjell", "husnummer": "syv"}, "husnummer"),
        ({"postnummer": "150"}, "postnummer has 4 digits"),
        ({"kommunenummer": "٠٣٠١"}, "kommunenummer has 4 digits"),
        ({"fylkesnummer": "3"}, "fylkesnummer has 2 digits"),
        ({"navn": "Fjell", "opplysningsgrunnlag": "alt"}, "gjeldende, historisk"),
        ({"navn": "Fjell", "maks_treff": 10_001}, "between 1 and 10000"),
        ({"navn": "Fjell", "maks_treff": 0}, "between 1 and 10000"),
    ],
)
def test_what_the_register_would_refuse_is_not_sent(criteria: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        SoekKriterier(**criteria)


@pytest.mark.parametrize(
    "criteria",
    [
        {**NAVN, "identifikasjonsnummer": NUMBER},
        {**NAVN, "foedselsdato": "19850131"},
        {**NAVN, "postnummer": "0150"},
        {**NAVN, "adressenavn": "Rødbergveien", "husnummer": "7B"},
        {**NAVN, "utenlandskpersonidentifikasjon": "ARG-876"},
        {**NAVN, "legitimasjonsdokument": "IRL-195509132386"},
        {**NAVN, "utlendingsmyndighetenesidentifikasjonsnummer": "201012345678"},
        # As the published description has it.
        {"foedselsdato": "19850131", "legitimasjonsdokument": "IRL-195509132386"},
    ],
)
def test_what_tells_one_person(criteria: dict[str, str]) -> None:
    assert dict(EntydigKriterier(**criteria).query()) == criteria


@pytest.mark.parametrize(
    ("criteria", "said"),
    [
        ({}, "needs a name"),
        ({"foedselsdato": "19850131"}, "needs a name"),
        ({"navn": "Fjell", "foedselsdato": "19850131"}, "first and last"),
        (NAVN, "identifies nobody"),
        ({**NAVN, "adressenavn": "Rødbergveien"}, "identifies nobody"),
        ({**NAVN, "identifikasjonsnummer": "20036914712"}, "control digits"),
        ({**NAVN, "legitimasjonsdokument": "195509132386"}, "country"),
        ({**NAVN, "postnummer": "15"}, "4 digits"),
    ],
)
def test_what_tells_nobody_is_not_sent(criteria: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said) as caught:
        EntydigKriterier(**criteria)
    assert "20036914712" not in str(caught.value)


@pytest.mark.parametrize(
    ("package", "criterion", "allowed"),
    [
        ("offentlig-med-hjemmel", "legitimasjonsdokument", True),
        ("utsteder-eid", "legitimasjonsdokument", True),
        ("utsteder-eid", "utlendingsmyndighetenesidentifikasjonsnummer", False),
        ("finans", "utenlandskpersonidentifikasjon", False),
        ("privat", "legitimasjonsdokument", False),
    ],
)
def test_criteria_outside_the_package_are_refused_before_sending(
    package: str, criterion: str, allowed: bool
) -> None:
    kriterier = EntydigKriterier(**NAVN, **{criterion: "ARG-876"})  # type: ignore[arg-type]
    if allowed:
        kriterier.require_package(package)
        return
    with pytest.raises(RefusedError, match=f"{criterion}.*{package}.*offentlig-med-hjemmel"):
        kriterier.require_package(package)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"foedselsEllerDNummer": ["41819077906", "41819077302"]}',
         ["41819077906", "41819077302"]),
        (b'{"foedselsEllerDNummer": []}', []),
        (b'{"foedselsEllerDNummer": null}', []),
        (b"{}", []),
        (b'{"foedselsEllerDNummer": "41819077906"}', [NUMBER]),
        (b'["41819077906"]', [NUMBER]),
        (b'{"foedselsEllerDNummer": [3851598730]}', ["03851598730"]),
        (b"<r xmlns='urn:v1'><foedselsEllerDNummer>41819077906</foedselsEllerDNummer></r>",
         [NUMBER]),
        (b'{"foedselsEllerDNummer": ["", " 41819077906 ", null]}', [NUMBER]),
        (b"<r/>", []),
    ],
)  # fmt: skip
def test_hits_in_every_form(body: bytes, expected: list[str]) -> None:
    assert parse_treff(body) == expected


@pytest.mark.parametrize("body", [b"", b"7", b'{"foedselsEllerDNummer": [', b"<r>", b'"x"'])
def test_damaged_hits(body: bytes) -> None:
    with pytest.raises(ValueError, match="answer"):
        parse_treff(body)


def test_an_error_text_in_place_of_hits() -> None:
    for body in (
        b'{"feilmelding": "For mange"}',
        b'{"kode": "FREG-006", "melding": "For mange"}',
        b"<r><feilmelding>For mange</feilmelding></r>",
    ):
        with pytest.raises(RefusedError, match="For mange"):
            parse_treff(body)


def _ask(question: Callable[[Register], Awaitable[Any]], path: str, answer: Response) -> Any:
    async def handler(request: Request) -> Response:
        return answer if request.query_params["navn"] == "Rød Fjell" else Response(status_code=400)

    async def run(url: str) -> Any:
        async with Register.from_settings(load(base_url=url)) as register:
            return await question(register)

    with serving(Starlette(routes=[Route(f"/v1/personer/{path}", handler)])) as url:
        return asyncio.run(run(url))


def test_a_search_over_http() -> None:
    answer = Response(b'{"foedselsEllerDNummer": ["41819077906"]}')
    treff: Treff = _ask(lambda it: it.personer.soek(SoekKriterier(**NAVN)), "soek", answer)
    assert treff.numre == (NUMBER,)
    assert NUMBER not in repr(treff)


def test_nobody_or_several_is_one_clear_line() -> None:
    kriterier = EntydigKriterier(**NAVN, foedselsdato="19850131")
    answer = Response(b'{"kode": "FREG-404", "melding": "Ikke entydig"}', 404)
    with pytest.raises(NotFoundError, match=r"Ikke entydig.*Nobody or more than one"):
        _ask(lambda register: register.personer.entydigsoek(kriterier), "entydigsoek", answer)
