"""The gateway of the municipalities."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from freg_pipeline.client import Register
from freg_pipeline.errors import ConfigurationError, RefusedError
from freg_pipeline.settings import load
from freg_pipeline_tests.lent import lend, root_of, settings_of
from freg_pipeline_tests.unit.client.maskinporten.asked import MED, ask, told


def fiks(url: str, lent: dict[str, Any], folder: Path, role: str = "r-1") -> dict[str, Any]:
    return {
        "environment": "fiks-test",
        "base_url": f"{root_of(url)}/folkeregister/api/v1/{role}",
        "fiks_integrasjon_id": lent["fiks"]["IntegrasjonId"],
        "fiks_integrasjon_passord": lent["fiks"]["IntegrasjonPassord"],
        **settings_of(lent, folder),
    }


def test_fiks(guarded: str, tmp_path: Path) -> None:
    settings = fiks(guarded, lend(guarded, "ks:fiks"), tmp_path)
    assert ask(**settings) > 0
    wrong = told(RefusedError, **{**settings, "fiks_integrasjon_passord": "wrong-secret"})
    assert "401" in wrong
    assert "wrong-secret" not in wrong


def test_a_token_of_the_register_is_none_for_fiks(guarded: str, tmp_path: Path) -> None:
    lent = lend(guarded, MED)
    assert "ks:fiks" in told(RefusedError, **fiks(guarded, lent, tmp_path))


def test_at_fiks_the_role_decides_the_package(guarded: str, tmp_path: Path) -> None:
    settings = fiks(guarded, lend(guarded, "ks:fiks"), tmp_path, role="privat")

    async def order() -> None:
        async with Register.from_settings(load(**settings)) as register:
            await register.uttrekk.bestill_komplett(1)

    assert ask(**settings) > 0
    with pytest.raises(RefusedError, match=r"403.*ks:fiks"):
        asyncio.run(order())


@pytest.mark.parametrize("name", ["fiks_integrasjon_id", "fiks_integrasjon_passord"])
def test_fiks_without_its_headers(guarded: str, tmp_path: Path, name: str) -> None:
    settings = fiks(guarded, lend(guarded, "ks:fiks"), tmp_path)
    del settings[name]
    assert "FREG_FIKS_INTEGRASJON_PASSORD" in told(ConfigurationError, **settings)
