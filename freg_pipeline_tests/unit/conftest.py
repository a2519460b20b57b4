"""Contracts for the tests of single parts."""

from __future__ import annotations

import pytest

from freg_pipeline.contract import Plan, compile_contract
from freg_pipeline.synthetic import xsd


@pytest.fixture(scope="session")
def plan() -> Plan:
    """The plan of the synthetic register's contract."""
    return compile_contract(xsd())
