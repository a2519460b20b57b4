"""What tables and columns are called in a copy: as in the views, and as databases take it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freg_pipeline.contract import Plan, compile_contract
from freg_pipeline.contract.names import LONGEST_NAME, column_names, is_element_name, table_names
from freg_pipeline.lake.described import described
from freg_pipeline.load.naming import NamingConvention
from freg_pipeline.load.pipeline import COPIED
from freg_pipeline.load.rows import GONE
from freg_pipeline_tests.contracts import PERSON_XSD, published

OF_POSTGRES = 63  # bytes; what is longer it cuts without a word


@pytest.fixture(scope="module")
def plan() -> Plan:
    return compile_contract(published(PERSON_XSD))


def names_of(plan: Plan) -> list[str]:
    tables = described(plan)
    columns = [name for table in tables for name, _, _ in table.shown]
    return [*(table.name for table in tables), *columns, COPIED, GONE]


def test_every_name_of_the_published_contract_fits(plan: Plan) -> None:
    names = names_of(plan)
    assert len(names) > 300
    assert [name for name in names if len(name.encode()) > OF_POSTGRES] == []
    assert [name for name in names if copied(name) != name] == []


def copied(name: str) -> str:
    """What dlt calls a table or a column, by our rules, in PostgreSQL."""
    naming = NamingConvention(OF_POSTGRES)
    assert naming.normalize_path(name) == naming.normalize_tables_path(name)
    return naming.normalize_path(name)


# Alike for longer than a name may be, spelled with other letters, or with underscores anywhere.
_ELEMENTS = st.one_of(
    st.builds(str.__add__, st.just("a" * 80), st.sampled_from(["", "b", "c", "bC"])),
    st.builds(str.__add__, st.just("å" * 40), st.sampled_from(["", "æ", "ø"])),
    st.text("aAåØ_.2", min_size=1, max_size=70),
).filter(is_element_name)


@given(st.lists(st.lists(_ELEMENTS, min_size=1, max_size=3).map(tuple), max_size=12, unique=True))
def test_no_contract_has_a_name_that_is_cut_or_two_that_become_one(
    paths: list[tuple[str, ...]],
) -> None:
    for names in (column_names(paths), table_names([(path, "__".join(path)) for path in paths])):
        assert len({*names}) == len(names)
        assert [name for name in names if len(name.encode()) > LONGEST_NAME] == []
        assert [copied(name) for name in names] == names


def test_a_copy_takes_no_longer_names_than_a_contract_gives() -> None:
    assert LONGEST_NAME == OF_POSTGRES
