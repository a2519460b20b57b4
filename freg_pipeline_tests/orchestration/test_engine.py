"""The folder of Dagster's records that a command works with."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from freg_pipeline.errors import StoreError
from freg_pipeline.orchestration.engine import open_engine
from freg_pipeline.orchestration.resources import Freg

pytestmark = [
    pytest.mark.skipif(os.geteuid() == 0, reason="root writes anywhere"),
    pytest.mark.usefixtures("recorded"),
]


def test_a_store_that_cannot_be_written_is_told_in_a_line(
    make_freg: Callable[..., Freg], tmp_path: Path
) -> None:
    freg = make_freg("http://127.0.0.1:1")
    with open_engine(freg):
        pass
    records = tmp_path / "store" / "dagster"
    records.chmod(0o500)
    try:
        with pytest.raises(StoreError, match="can't be written"), open_engine(freg):
            pass
    finally:
        records.chmod(0o700)
