"""Every service, asked by the client as the register's published description says."""

from __future__ import annotations

import asyncio
from typing import Literal

import pytest

from freg_pipeline.client import EntydigKriterier, Register, SoekKriterier, TilpassetKriterier
from freg_pipeline.client.hendelsesdokument import hendelsesdokumenter
from freg_pipeline.envelope import parse
from freg_pipeline.errors import NotFoundError
from freg_pipeline.settings import load
from freg_pipeline_tests.published import (
    DESCRIPTION,
    Recorder,
    Sent,
    operation_of,
    operations,
    violations,
)

PARTS = ("person-basis", "historikk", "navn", "navn")  # told once


@pytest.fixture(autouse=True)
def _described() -> None:
    if not DESCRIPTION.is_file():
        pytest.skip("the register's published description (OpenAPI) is not beside the project")


async def everything(register: Register, form: Literal["json", "xml"]) -> None:
    """Call every service once."""
    hendelser, personer, uttrekk = register.hendelser, register.personer, register.uttrekk
    last = await hendelser.siste_sekvensnummer()
    page = await hendelser.feed(1, form="atom" if form == "xml" else "json")
    assert page is not None
    event = page.entries[0]
    assert event.folkeregisteridentifikator
    assert event.hendelsesdokument
    assert event.persondokument
    (one,) = hendelsesdokumenter((await hendelser.hendelse(event.hendelsesdokument)).body)
    (same,) = hendelsesdokumenter((await hendelser.bulkoppslag([event.hendelsesdokument])).body)
    assert one == same
    assert (one.hendelsestype, one.folkeregisteridentifikator, one.ajourholdstidspunkt) == (
        event.hendelsetype, event.folkeregisteridentifikator, event.ajourholdstidspunkt,
    )  # fmt: skip
    number, document = event.folkeregisteridentifikator, event.persondokument
    for answer in (
        await personer.person(number, PARTS),
        await personer.bulkoppslag([number], PARTS),
        await personer.arkiv(document, PARTS),
        await personer.bulkoppslag_arkiv([document], PARTS),
    ):
        (found,) = parse(answer.body)
        assert found.person
        assert form in answer.content_type
    for contract in (await personer.xsd(), await hendelser.xsd(), await hendelser.feedxsd()):
        assert b"schema" in contract
    criteria = SoekKriterier(kjoenn="kvinne", foedselsaar_fra_og_med="1950", maks_treff=5)
    treff = await personer.soek(criteria)
    assert len(treff.numre) == 5
    with pytest.raises(NotFoundError):
        await personer.entydigsoek(
            EntydigKriterier(navn="Ingen Slik", foedselsdato="19850131", soek_fonetisk=True), PARTS
        )
    job = await uttrekk.bestill_komplett(last)
    await uttrekk.batch(job, 0)
    selection = TilpassetKriterier(personstatustyper=("bosatt",), bostedskommunenummer="0301")
    await uttrekk.bestill_tilpasset(selection.to_register())


@pytest.mark.parametrize("form", ["json", "xml"])
def test_every_operation_is_called_as_published(
    form: Literal["json", "xml"], small_register: str, sent_requests: Recorder
) -> None:
    async def run() -> None:
        settings = load(base_url=small_register, answer_format=form)
        async with Register.from_settings(settings) as register:
            await everything(register, form)

    asyncio.run(run())
    called = {(one.method, operation_of(one)) for one in sent_requests.sent}
    assert called == operations()
    assert violations(sent_requests.sent) == []


@pytest.mark.parametrize(
    ("sent", "problem"),
    [
        (Sent("GET", "hendelser/feed", (), "application/json", "", b""),
         "MissingRequiredParameter"),
        (Sent("GET", "hendelser/feed", (("seq", "x"),), "application/json", "", b""),
         "ParameterValidationError"),
        (Sent("GET", "personer/soek", (("Navn", "x"),), "application/json", "", b""),
         "no such parameter: Navn"),
        (Sent("GET", "personer/1", (("part", "navn"), ("part", "navn")), "application/json", "",
              b""), "InvalidParameter"),
        (Sent("GET", "personer/xsd", (), "application/json", "", b""), "it answers in no"),
        (Sent("GET", "personer/1/navn", (), "application/json", "", b""), "no such operation"),
        (Sent("POST", "personer/bulkoppslag", (), "application/json", "application/json",
              b'{"foedselsEllerDNummer": [1]}'), "InvalidRequestBody"),
        (Sent("POST", "personer/bulkoppslag", (), "application/json", "application/json",
              b'{"numre": ["1"]}'), "InvalidRequestBody"),
        (Sent("POST", "personer/bulkoppslag", (), "application/json", "text/csv", b"1"),
         "RequestBodyValidationError"),
    ],
)  # fmt: skip
def test_the_comparison_finds_what_is_wrong(sent: Sent, problem: str) -> None:
    (found,) = violations([sent])
    assert problem in found
