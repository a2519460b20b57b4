"""Whatever comes from outside is understood, or refused in one line: a short run of `make fuzz`."""

from __future__ import annotations

import pytest

from freg_pipeline_tests.fuzz.parsers import READERS, fuzz


@pytest.mark.parametrize("name", READERS)
def test_wrong_inputs_are_refused_in_one_line(name: str) -> None:
    fuzz(name, 100)
