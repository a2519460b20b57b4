"""No figure that is shown points at somebody, whatever others know or reckon."""

from __future__ import annotations

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from freg_pipeline.report.figures import LEAST, STEP, Figure, figure, largest

FEW = 5  # so many persons don't stand out
TABLE = st.lists(st.integers(0, 60), min_size=1, max_size=12)


def span(shown: Figure) -> tuple[int, int]:
    """What a figure may stand for."""
    if shown.value is None:
        return 0, LEAST - 1
    return shown.value, shown.value + STEP - 1


def left(total: int, others: list[Figure]) -> tuple[int, int]:
    """What is left of an exact total by taking away all that is shown beside a figure."""
    return (
        total - sum(span(one)[1] for one in others),
        total - sum(span(one)[0] for one in others),
    )


@given(st.integers(0, 10_000_000))
def test_a_figure_is_hidden_or_near(count: int) -> None:
    shown = figure(count)
    least, most = span(shown)
    assert least <= count <= most
    assert (shown.value is None) == (count < LEAST)
    assert shown.value is None or shown.value % STEP == 0


@given(TABLE)
def test_nothing_adds_up_to_few_persons(counts: list[int]) -> None:
    """Also for one who knows the exact number of all."""
    adds_up_to_nobody(counts)


def test_nothing_adds_up_to_few_persons_in_any_table_of_two_or_three() -> None:
    """All of them, as what gives somebody away lies at the edges."""
    for first, second, third in product(range(31), range(31), (None, 0, 1, 4, 9, 10, 14, 15)):
        adds_up_to_nobody([first, second] if third is None else [first, second, third])


def adds_up_to_nobody(counts: list[int]) -> None:
    """What is left of an exact total beside the other figures is no small group."""
    shown = [figure(count) for count in counts]
    for place, one in enumerate(shown):
        low, high = span(one)
        below, above = left(sum(counts), shown[:place] + shown[place + 1 :])
        low, high = max(low, below), min(high, above)
        assert low <= counts[place] <= high
        # To know that there is somebody, and that they are few, needs both.
        if len(counts) > 1:
            assert low < 1 or high >= FEW


@given(st.dictionaries(st.text("0123456789", min_size=4, max_size=4), st.integers(1, 60)))
def test_the_largest_are_those_that_may_be_shown(counts: dict[str, int]) -> None:
    shown, rest = largest(counts.items(), 5)
    assert len(shown) == min(5, sum(count >= LEAST for count in counts.values()))
    assert sum(counts[name] for name, _ in shown) + rest == sum(counts.values())
    hidden = [count for name, count in counts.items() if name not in dict(shown)]
    assert all(counts[name] >= most for name, _ in shown for most in hidden)
