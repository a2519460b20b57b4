"""A contract that changes between two loads: reported, and stopped where queries would break."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from freg_pipeline.errors import ContractError
from freg_pipeline.journal.pointer import current_number
from freg_pipeline.lake.checks import run_checks
from freg_pipeline.lake.query import query
from freg_pipeline.orchestration.config import ReleaseConfig
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline.orchestration.run import run_uttrekk
from freg_pipeline.synthetic import xsd
from freg_pipeline_tests.conftest import RunFreg, StartRegister

MakeFreg = Callable[..., Freg]
ELEMENT = b'<xs:element name="forkortetNavn" type="xs:string" minOccurs="0">'
ADDED = xsd().replace(
    ELEMENT, ELEMENT.replace(b"forkortetNavn", b"kallenavn") + b"</xs:element>" + ELEMENT
)
RETYPED = xsd().replace(ELEMENT, ELEMENT.replace(b"xs:string", b"xs:int"))


def test_the_contracts_of_these_tests_differ_from_the_one_that_is_served() -> None:
    assert len({xsd(), ADDED, RETYPED}) == 3


def test_a_field_added_is_reported_and_has_its_column(
    start_register: StartRegister, make_freg: MakeFreg, freg: RunFreg
) -> None:
    before = make_freg(start_register(persons=60))
    run_uttrekk(before, name="before")
    later = start_register(persons=60, contract=ADDED)
    check = freg("check", FREG_BASE_URL=later)
    assert "navn.kallenavn: added" in check.stdout
    assert "queries work" in check.stdout

    manifest = run_uttrekk(make_freg(later), name="after")

    assert manifest.number == "000002"
    assert query(before.store, "SELECT count(kallenavn) FROM navn").fetchall() == [(0,)]
    failed = {result.check.name for result in run_checks(before.store) if not result.passed}
    assert failed == {"contract_unchanged"}


def test_a_field_retyped_stops_the_release_until_it_is_accepted(
    start_register: StartRegister, make_freg: MakeFreg, freg: RunFreg
) -> None:
    before = make_freg(start_register(persons=60))
    run_uttrekk(before, name="before")
    url = start_register(persons=60, contract=RETYPED)
    check = freg("check", FREG_BASE_URL=url)
    assert "navn.forkortet_navn: retyped (string to integer)" in check.stdout
    assert "would break" in check.stdout

    later = make_freg(url)
    with pytest.raises(ContractError, match="--accept-contract"):
        run_uttrekk(later, name="after", release=ReleaseConfig(allow_incomplete=True))
    assert current_number(later.store) == "000001"

    accepted = ReleaseConfig(allow_incomplete=True, accept_contract=True, allow_fewer=True)
    assert run_uttrekk(later, name="after", release=accepted).number == "000002"
