"""A spot check over HTTP: finds what no event told, and nothing else."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable

import pytest

from freg_pipeline.client import Register
from freg_pipeline.errors import ConfigurationError
from freg_pipeline.feed.spot_check import SpotCheck, spot_check
from freg_pipeline.settings import Settings
from freg_pipeline.store import open_store
from freg_pipeline_tests.conftest import RunFreg, StartRegister
from freg_pipeline_tests.loads import full_load
from freg_pipeline_tests.registers import happen

MakeSettings = Callable[..., Settings]


def check(settings: Settings, persons: int = 1_000) -> SpotCheck:
    async def run() -> SpotCheck:
        async with Register.from_settings(settings) as register:
            return await spot_check(open_store(settings), register, settings, persons)

    return asyncio.run(run())


@pytest.mark.parametrize("persons", [-1, 0, 10_001])
def test_what_is_no_sample_is_refused_before_anything_is_read(
    persons: int, make_settings: MakeSettings
) -> None:
    with pytest.raises(ConfigurationError, match="1 to 10,000"):
        check(make_settings("http://127.0.0.1:1"), persons)


@pytest.mark.parametrize("parts", ["", "navn,bostedsadresse"])
@pytest.mark.parametrize("form", ["json", "xml"])
def test_a_release_that_has_just_been_made_has_not_drifted(
    form: str, parts: str, start_register: StartRegister, make_settings: MakeSettings
) -> None:
    settings = make_settings(start_register(persons=150), parts=parts, answer_format=form)
    manifest = full_load(settings)
    found = check(settings)
    assert (found.asked, found.changed) == (manifest.persons, 0)
    assert (found.found.compared, found.found.failed) == (manifest.persons, 0)
    assert (found.found.persons, found.found.tables) == (0, {})


def test_what_no_event_told_is_found_by_table(
    start_register: StartRegister, make_settings: MakeSettings
) -> None:
    register = start_register(persons=150)
    settings = make_settings(register)
    full_load(settings)
    before = happen(register, 0)
    assert happen(register, 4, path="stille", type="endringINavn") == before, "no event"
    happen(register, 1, path="stille", type="endringIOppholdPaaSvalbard")
    found = check(settings).found
    assert 1 <= found.tables["navn"] <= 4
    assert found.tables["opphold_paa_svalbard"] == 1
    assert set(found.tables) == {"navn", "opphold_paa_svalbard"}
    assert found.persons <= 5


def test_another_number_without_an_event_is_told_by_person(
    start_register: StartRegister, make_settings: MakeSettings
) -> None:
    register = start_register(persons=150)
    settings = make_settings(register)
    full_load(settings)
    happen(register, 1, path="stille", type="endringIIdentifikasjonsnummer")
    assert check(settings).found.tables["person"] == 1


def test_whom_an_event_concerns_since_then_is_left_out(
    start_register: StartRegister, make_settings: MakeSettings
) -> None:
    register = start_register(persons=150)
    settings = make_settings(register)
    full_load(settings)
    happen(register, 40)
    found = check(settings)
    assert found.changed > 10
    assert found.found.compared == found.asked - found.changed
    assert found.found.tables == {}


def test_what_the_check_asks_is_another_registers(
    small_register: str, make_settings: MakeSettings
) -> None:
    settings = make_settings(small_register)
    with pytest.raises(ConfigurationError, match="no release"):
        check(settings)


def test_the_command_warns_by_table_and_tells_no_number(
    start_register: StartRegister, make_settings: MakeSettings, freg: RunFreg
) -> None:
    register = start_register(persons=120)
    full_load(make_settings(register))
    happen(register, 30, path="stille", type="endringINavn")
    ended = freg("release", "spot-check", "--persons", "120", FREG_BASE_URL=register)
    assert ended.code == 0, ended.stderr
    assert "navn" in ended.stdout
    assert "full load" in ended.stderr
    assert not re.search(r"\d{11}", ended.stdout + ended.stderr)
    told = freg(
        "release", "spot-check", "--persons", "120", "--format", "json", FREG_BASE_URL=register
    )
    assert json.loads(told.stdout)["tables"]["navn"] > 5
    assert freg("release", "spot-check", "--persons", "0").code == 2
