"""A municipality's uttrekk: through Fiks, by a key of its own, while tokens expire."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from freg_pipeline.client import TilpassetKriterier, maskinporten
from freg_pipeline.journal.kinds import Tilpasset
from freg_pipeline.lake.query import query
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline.orchestration.run import run_uttrekk
from freg_pipeline.settings import load
from freg_pipeline_tests.conftest import StartRegister
from freg_pipeline_tests.lent import lend, root_of, settings_of
from freg_pipeline_tests.registers import status_of


class Hurrying:
    """A clock by which a token of two minutes is at its end after a tenth of a second."""

    def monotonic(self) -> float:
        return time.monotonic() * 1_000

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


def test_an_uttrekk_by_fiks_has_everyone_that_was_delivered(
    start_register: StartRegister, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maskinporten, "time", Hurrying())
    url = start_register(persons=200, auth=True)
    lent = lend(url, "ks:fiks")
    settings = load(
        environment="fiks-test",
        base_url=f"{root_of(url)}/folkeregister/api/v1/6c2f-rolle",
        fiks_integrasjon_id=lent["fiks"]["IntegrasjonId"],
        fiks_integrasjon_passord=lent["fiks"]["IntegrasjonPassord"],
        store=str(tmp_path / "store"),
        poll_seconds=0.02,
        **settings_of(lent, tmp_path),
    )
    freg = Freg.from_settings(settings)
    run_uttrekk(freg, Tilpasset(TilpassetKriterier(personstatustyper=("bosatt", "doed"))))
    persons = query(freg.store, "SELECT count(*) FROM person").fetchall()[0][0]
    assert persons > 150
    assert status_of(url)["requests"]["personer/bulkoppslag"] >= 2
