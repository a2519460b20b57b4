"""What things are called in Dagster, with a prefix and without."""

from __future__ import annotations

import itertools
from contextlib import suppress
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.utils import check_valid_name
from dagster._utils.tags import is_valid_tag_key
from hypothesis import given
from hypothesis import strategies as st

from freg_pipeline.errors import ConfigurationError
from freg_pipeline.orchestration.names import Names

KOMMUNE = Names(("oslo", "kommune"))
PARTS = st.lists(st.text(alphabet="aB_9/-. \nø", max_size=6), max_size=3)


def test_without_a_prefix_things_are_called_what_they_are() -> None:
    names = Names()
    assert names.key("freg", "person") == dg.AssetKey(["freg", "person"])
    assert (names.of("land_batch"), names.tag("uttrekk")) == ("land_batch", "freg/uttrekk")
    assert names.resource == "freg"


def test_a_prefix_comes_first_in_every_name() -> None:
    assert KOMMUNE.key("freg", "person") == dg.AssetKey(["oslo", "kommune", "freg", "person"])
    assert KOMMUNE.of("land_batch") == "oslo__kommune__land_batch"
    assert KOMMUNE.tag("uttrekk") == "freg/oslo__kommune__uttrekk"
    assert KOMMUNE.resource == "oslo__kommune__freg"


@pytest.mark.parametrize("names", [Names(), KOMMUNE])
def test_an_assets_op_is_called_as_dagster_would_call_it(names: Names) -> None:
    @dg.asset(key=names.key("release"))
    def release() -> None: ...

    assert release.op.name == names.of("release")


@pytest.mark.parametrize(
    ("written", "prefix"),
    [
        (None, ()),
        ("", ()),
        ([], ()),
        ("kommune", ("kommune",)),
        ("oslo/kommune", ("oslo", "kommune")),
        (["oslo", "kommune"], ("oslo", "kommune")),
    ],
)
def test_a_prefix_is_written_as_one_likes(
    written: str | list[str] | None, prefix: tuple[str, ...]
) -> None:
    assert Names.of_prefix(written).prefix == prefix


@given(PARTS, PARTS)
def test_dagster_takes_the_names_of_every_prefix_and_no_two_make_the_same(
    one: list[str], other: list[str]
) -> None:
    made = []
    for parts in (one, other):
        with suppress(ConfigurationError):
            made.append(Names(tuple(parts)))
    for names in made:
        assert check_valid_name(names.of("release")) == names.of("release")
        assert is_valid_tag_key(names.tag("compaction_piece"))
        dg.Definitions(resources={names.resource: 1}).get_repository_def()
    for mine, theirs in itertools.combinations(made, 2):
        assert (mine.of("release") == theirs.of("release")) == (mine == theirs)


@pytest.mark.parametrize("part", ["", "a__b", "_a", "a_", "å", "a b", "a\n", "a/b", "a-b", "a.b"])
def test_an_unfit_part_is_refused(part: str) -> None:
    with pytest.raises(ConfigurationError, match="can't be part of a key prefix") as refused:
        Names((part,))
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize("prefix", ["1", "2024/oslo", "1abc"])
def test_a_prefix_begins_with_a_letter(prefix: str) -> None:
    with pytest.raises(ConfigurationError, match="Put a letter first"):
        Names.of_prefix(prefix)


@pytest.mark.parametrize(
    "given",
    [{"store": "a"}, {"a", "b"}, 5, True, b"a", Path("a"), [1], dg.AssetKey("a"), iter("a")],
)
def test_what_is_no_prefix_is_not_taken_for_one(given: Any) -> None:
    with pytest.raises(ConfigurationError, match="a key prefix is text or a list of text") as told:
        Names.of_prefix(given)
    assert len(str(told.value).splitlines()) == 1


def test_a_prefix_is_no_variable_that_is_read_later() -> None:
    with pytest.raises(ConfigurationError, match="Set FREG_KEY_PREFIX"):
        Names.of_prefix(dg.EnvVar("MINE"))


def test_no_prefix_is_so_long_that_its_tags_are_not() -> None:
    longest = Names(("a" * 40,))
    assert is_valid_tag_key(longest.tag("compaction_piece"))
    with pytest.raises(ConfigurationError, match="too long"):
        Names(("a" * 41,))
