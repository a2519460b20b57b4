"""What tests of Dagster's side share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from dagster import DagsterInstance

from freg_pipeline.orchestration import grouping


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    """A Dagster instance of the test's own, in memory."""
    with DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


@pytest.fixture
def batches_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each batch has a run of its own, however small it is."""
    monkeypatch.setattr(grouping, "IDENTIFIERS_A_RUN", 1)
