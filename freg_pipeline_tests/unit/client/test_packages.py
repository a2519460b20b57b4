"""Who may call what: each service and package, allowed and refused before it is sent."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from freg_pipeline.client import EntydigKriterier, Register
from freg_pipeline.client.access import ReadyToken
from freg_pipeline.client.environments import base_url, granted, requests_per_minute
from freg_pipeline.client.packages import PACKAGES, package
from freg_pipeline.client.transport import Transport
from freg_pipeline.errors import ConfigurationError, RefusedError
from freg_pipeline.settings import load
from freg_pipeline_tests.conftest import RunFreg
from freg_pipeline_tests.registers import serving

# The register's own table, service by service: the packages that have each one.
MED, UTEN, PRIVAT_UTEN, FINANS = (
    "offentlig-med-hjemmel", "offentlig-uten-hjemmel", "privat-uten-hjemmel", "finans",
)  # fmt: skip
EID = "utsteder-eid"
MOST = {MED, UTEN, PRIVAT_UTEN, FINANS, EID}
ALL = {
    *MOST, "privat", "presse",
    "privat-uten-folkeregisteridentifikator", "presse-uten-folkeregisteridentifikator",
}  # fmt: skip
SERVICES = {
    "personer/{personidentifikator}": MOST,
    "personer/bulkoppslag": MOST,
    "personer/soek": MOST,
    "personer/entydigsoek": ALL,
    "personer/xsd": ALL,
    "personer/bulkoppslag/arkiv": {MED},
    "personer/arkiv/{dokumentidentifikator}": {MED},
    "uttrekk/komplett": {MED},
    "uttrekk/tilpasset": MOST,
    "uttrekk/batch": MOST,
    "hendelser/feed": ALL,
    "hendelser/siste/sekvensnummer": ALL,
    "hendelser/xsd": ALL,
    "hendelser/feedxsd": ALL,
    "hendelser/{hendelsesidentifikator}": {MED},
    "hendelser/bulkoppslag": {MED},
}


def test_the_table_is_the_registers() -> None:
    assert set(PACKAGES) == ALL
    has = {
        service: {name for name, package in PACKAGES.items() if service in package.services}
        for service in SERVICES
    }
    assert has == SERVICES
    assert set().union(*(package.services for package in PACKAGES.values())) == set(SERVICES)


@pytest.mark.parametrize("name", sorted(ALL))
def test_each_service_is_sent_or_refused_by_package(name: str) -> None:
    sent: list[str] = []

    async def answer(request: Request) -> Response:
        sent.append(request.path_params["path"])
        return Response("ok")

    async def call(url: str, service: str) -> None:
        async with Transport(
            url,
            auth=ReadyToken(None),
            connections=1,
            requests_per_minute=None,
            package=package(name),
        ) as transport:
            await transport.get(service, service)

    refused = {}
    with serving(Starlette(routes=[Route("/v1/{path:path}", answer)])) as url:
        for service in SERVICES:
            try:
                asyncio.run(call(url, service))
            except RefusedError as error:
                refused[service] = error
    assert {service for service, having in SERVICES.items() if name in having} == set(sent)
    assert set(refused) == set(SERVICES) - set(sent)
    for service, error in refused.items():
        assert error.exit_code == 3
        assert f"{service} is not in the package {name}" in str(error)
        assert all(having in str(error) for having in SERVICES[service])


@pytest.mark.parametrize("arguments", [["komplett"], ["tilpasset", "--personstatustype", "doed"]])
def test_an_uttrekk_outside_the_package_is_not_begun(
    arguments: list[str], freg: RunFreg, tmp_path: Path
) -> None:
    nowhere = "http://127.0.0.1:9/folkeregisteret/api/privat"
    ended = freg("uttrekk", *arguments, FREG_BASE_URL=nowhere, FREG_RETTIGHETSPAKKE="privat")
    assert ended.code == 3
    assert len(ended.lines) == 1
    assert f"uttrekk/{arguments[0]} is not in the package privat" in ended.stderr
    assert not list((tmp_path / "store").glob("uttrekk/*"))


def test_a_service_outside_the_package_is_not_ordered() -> None:
    async def order() -> None:
        settings = load(base_url="http://127.0.0.1:9", rettighetspakke="privat")
        async with Register.from_settings(settings) as register:
            await register.uttrekk.bestill_komplett(1)

    with pytest.raises(RefusedError, match=r"uttrekk/komplett .* offentlig-med-hjemmel"):
        asyncio.run(order())


def test_a_setting_lets_a_call_through_that_the_table_refuses() -> None:
    named = load(rettighetspakke="privat", allow_services="personer/soek, uttrekk/komplett")
    granted(named).require("personer/soek")
    granted(named).require("uttrekk/komplett")
    with pytest.raises(RefusedError, match="FREG_ALLOW_SERVICES=personer/bulkoppslag"):
        granted(named).require("personer/bulkoppslag")
    for service in SERVICES:
        granted(load(rettighetspakke="privat", allow_services="alle")).require(service)
    with pytest.raises(ConfigurationError, match="names personer/sok, which is not a service"):
        granted(load(allow_services="personer/sok"))


def test_criteria_of_a_search_are_let_through_with_the_search(small_register: str) -> None:
    foreign = EntydigKriterier(foedselsdato="19850131", legitimasjonsdokument="IRL-195509132386")
    privat = small_register.replace("offentlig-med-hjemmel/api", "api/privat")

    async def search(**settings: Any) -> None:
        given = load(base_url=privat, rettighetspakke="privat", **settings)
        async with Register.from_settings(given) as register:
            await register.personer.entydigsoek(foreign)

    with pytest.raises(RefusedError, match="nothing was sent"):
        asyncio.run(search())
    with pytest.raises(RefusedError, match="400"):  # the register's own word
        asyncio.run(search(allow_services="personer/entydigsoek"))


def test_the_scope_can_be_another() -> None:
    segment = "folkeregister:deling/offentligmedhjemmel.segmentansvarlig"
    several = f" {segment}  folkeregister:deling/svalbardregister\n"
    assert granted(load(maskinporten_scope=segment)).scope == segment
    assert granted(load(maskinporten_scope=several)).scope == " ".join(several.split())
    assert granted(load(environment="fiks", maskinporten_scope="ks:fiks x")).scope == "ks:fiks x"
    with pytest.raises(ConfigurationError, match="FREG_MASKINPORTEN_SCOPE"):
        load(maskinporten_scope="deling/utgått")


@pytest.mark.parametrize(
    ("name", "path", "scope"),
    [
        (MED, "offentlig-med-hjemmel/api", "offentligmedhjemmel"),
        (UTEN, "api/offentligutenhjemmel", "offentligutenhjemmel"),
        (PRIVAT_UTEN, "api/privatutenhjemmel", "privatutenhjemmel"),
        ("privat", "api/privat", "privat"),
        (FINANS, "api/finans", "finans"),
        ("presse", "api/presse", "presse"),
        ("utsteder-eid", "api/eid", "utstedereid"),
        *((f"{whose}-uten-folkeregisteridentifikator",
           f"api/{whose}utenfolkeregisteridentifikator",
           f"{whose}utenfolkeregisteridentifikator") for whose in ("privat", "presse")),
    ],
)  # fmt: skip
def test_address_and_scope_of_a_package(name: str, path: str, scope: str) -> None:
    settings = load(environment="produksjon", rettighetspakke=name)
    host = "https://folkeregisteret.api.skatteetaten.no"
    assert base_url(settings) == f"{host}/folkeregisteret/{path}"
    assert granted(settings).scope == f"folkeregister:deling/{scope}"


@pytest.mark.parametrize(
    ("environment", "host"),
    [
        ("produksjon", "https://folkeregisteret.api.skatteetaten.no"),
        ("konsumenttest", "https://folkeregisteret-api-konsument.sits.no"),
        ("playground", "https://folkeregisteret-api-konsument-playground.sits.no"),
    ],
)
def test_each_environment_has_its_own_host(environment: str, host: str) -> None:
    assert base_url(load(environment=environment)) == (
        f"{host}/folkeregisteret/offentlig-med-hjemmel/api"
    )


def test_at_fiks_the_role_stands_in_the_address_and_the_scope_is_its_own() -> None:
    settings = load(environment="fiks-test", fiks_rolle_id="0f2b/9")
    assert base_url(settings) == "https://api.fiks.test.ks.no/folkeregister/api/v1/0f2b%2F9"
    assert granted(settings).scope == "ks:fiks"
    assert base_url(load(environment="fiks", fiks_rolle_id="r")).startswith(
        "https://api.fiks.ks.no/"
    )
    with pytest.raises(ConfigurationError, match="FREG_FIKS_ROLLE_ID"):
        base_url(load(environment="fiks"))


def test_limits_by_environment() -> None:
    assert requests_per_minute(load(environment="produksjon")) == 60_000
    assert requests_per_minute(load(environment="konsumenttest")) == 1_200
    assert requests_per_minute(load(environment="konsumenttest", requests_per_minute=10)) == 10


def test_an_unknown_package_is_a_setting_to_correct() -> None:
    with pytest.raises(ConfigurationError, match="FREG_RETTIGHETSPAKKE"):
        base_url(load(rettighetspakke="alt"))
