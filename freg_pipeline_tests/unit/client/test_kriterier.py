"""The criteria of a selection reach the register under its names, and no others do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from freg_pipeline.client import Register, TilpassetKriterier
from freg_pipeline.errors import ConfigurationError
from freg_pipeline.settings import Settings
from freg_pipeline_tests.conftest import StartRegister
from freg_pipeline_tests.published import Recorder
from freg_pipeline_tests.registers import status_of

CRITERIA = TilpassetKriterier(
    personstatustyper=("bosatt", "doed"),
    bostedskommunenummer="0301",
    foedselsaar_fra_og_med="1980",
    foedselsaar_til_og_med="1990",
    doedsaar_fra_og_med="2001",
    doedsaar_til_og_med="2009",
    kjoenn="kvinne",
    statsborgerskap="NOR",
    sivilstandstype="gift",
)


def order(settings: Settings, kriterier: Any) -> str:
    async def ordered() -> str:
        async with Register.from_settings(settings) as register:
            return await register.uttrekk.bestill_tilpasset(kriterier)

    return asyncio.run(ordered())


def test_what_the_register_takes_is_read_back_as_it_was() -> None:
    assert TilpassetKriterier.from_register(CRITERIA.to_register()) == CRITERIA
    elsewhere = TilpassetKriterier(personstatustyper=("aktiv",), oppholdskommunenummer="4601")
    assert TilpassetKriterier.from_register(elsewhere.to_register()) == elsewhere
    lenient = {"personstatustyper": ["aktiv"], "kjoenn": None, "foedselsaarFraOgMed": 1980}
    assert TilpassetKriterier.from_register(lenient).to_register() == {
        "personstatustyper": ["aktiv"],
        "foedselsaarFraOgMed": "1980",
    }


@pytest.mark.parametrize("given", [CRITERIA, CRITERIA.to_register()])
def test_criteria_are_sent_under_the_registers_names(
    given: Any,
    start_register: StartRegister,
    make_settings: Callable[..., Settings],
    sent_requests: Recorder,
) -> None:
    assert order(make_settings(start_register(persons=50)), given)
    (sent,) = [one for one in sent_requests.sent if one.resource == "uttrekk/tilpasset"]
    assert json.loads(sent.body) == CRITERIA.to_register()


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({}, "needs a personstatustype"),
        ({"personstatustyper": []}, "needs a personstatustype"),
        ({"personstatustyper": "bosatt"}, "not a list"),
        ({"personstatustyper": ["bosatt"], "bostedskommunenummer": "0301"}, "no criterion"),
        ({"personstatustyper": ["bosatt"], "foedselsaar_fra_og_med": "1980"}, "no criterion"),
        ({"personstatustyper": ["bosatt"], "hoeyde": "180"}, "no criterion hoeyde"),
        ({"personstatustyper": ["bosatt"], "kommunenummer": "0301"}, "not an object"),
        ({"personstatustyper": ["bosatt"], "kommunenummer": {"nr": "0301"}}, "no criterion nr"),
        ({"personstatustyper": ["bosatt"], "kjoenn": ["kvinne"]}, "not a valid kjoenn"),
        ({"personstatustyper": ["bosatt"], "statsborgerskap": ["NOR"]}, "not a country code"),
        ({"personstatustyper": ["bosatt"], "doedsaarFraOgMed": "i fjor"}, "not a year"),
    ],
)
def test_what_the_register_would_ignore_is_refused_before_it_is_sent(
    given: dict[str, Any],
    why: str,
    small_register: str,
    make_settings: Callable[..., Settings],
) -> None:
    before = status_of(small_register)["requests"].get("uttrekk/tilpasset", 0)
    with pytest.raises(ConfigurationError, match=why):
        order(make_settings(small_register), given)
    assert status_of(small_register)["requests"].get("uttrekk/tilpasset", 0) == before
