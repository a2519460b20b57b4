"""Which names an uttrekk can have."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from freg_pipeline.errors import ConfigurationError
from freg_pipeline.journal.request import check_name


@given(st.integers(0, 10**13), st.integers(1, 99))
@example(101_234_567, 2)
@example(1_010_123_456, 1)
def test_no_position_of_the_event_list_stops_a_sync_by_its_name(position: int, tried: int) -> None:
    name = f"hendelser-{position:012d}" + (f"-{tried}" if tried > 1 else "")
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name", ["03851598730", "liste-03851598730", "038515-98730", "hendelser-03851598730"]
)
def test_an_identity_number_is_no_name(name: str) -> None:
    with pytest.raises(ConfigurationError, match="may be an identity number"):
        check_name(name)
