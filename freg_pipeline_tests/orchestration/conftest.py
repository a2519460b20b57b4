"""What tests of Dagster's side share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from dagster import DagsterInstance


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    """A Dagster instance of the test's own, in memory."""
    with DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral
