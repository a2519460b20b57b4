"""Faults that pass change nothing about what lands."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from freg_pipeline.lake.query import query
from freg_pipeline.settings import Settings
from freg_pipeline.store import open_store
from freg_pipeline_tests.conftest import RunFreg, StartRegister
from freg_pipeline_tests.loads import full_load
from freg_pipeline_tests.registers import status_of

KINDS = ["500", "503", "429", "reset", "truncated", "garbled", "html", "slow", "401"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_now_and_then_is_overcome(
    kind: str, start_register: StartRegister, make_settings: Callable[..., Settings]
) -> None:
    # Every fourth request: never two of one kind after each other, so no bound is reached.
    url = start_register(persons=300, batch_size=100, faults=f"{kind}=#4")
    settings = make_settings(url, concurrency=1)
    manifest = full_load(settings)
    assert manifest.accounting.landed + manifest.accounting.merged == 300
    assert manifest.accounting.failed == manifest.accounting.gone == 0
    assert status_of(url)["faults"][kind] > 0, "no fault was met: the test shows nothing"
    assert query(open_store(settings), "SELECT count(*) FROM navn").fetchall()[0][0] >= 290


def test_a_fault_that_stays_ends_in_one_line(start_register: StartRegister, freg: RunFreg) -> None:
    url = start_register(persons=50, faults="reset@personer/xsd=1")
    ended = freg("uttrekk", "komplett", FREG_BASE_URL=url)
    assert ended.code == 1
    assert len(ended.lines) == 1, ended.stderr
    assert "personer/xsd" in ended.stderr
    assert "again later" in ended.stderr
