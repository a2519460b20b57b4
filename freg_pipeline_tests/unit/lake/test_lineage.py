"""``person_naa`` is made of what changes it: each column of its sources, changed in turn."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from freg_pipeline.contract import Plan
from freg_pipeline.lake.described import described
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.lake.lineage import lineage, made_of
from freg_pipeline.lake.naa import persons_now
from freg_pipeline.normalize.write import BatchRows
from freg_pipeline.settings import Settings
from freg_pipeline.store import open_store
from freg_pipeline_tests.conftest import StartRegister
from freg_pipeline_tests.loads import fetched, released
from freg_pipeline_tests.unit.lake.delivered import staged_rows

# They decide which row counts, or of whom no address is shown: they concern all columns alike.
DECIDE = {
    "dok_nr", "rad_nr", "er_gjeldende", "gyldighetstidspunkt", "ajourholdstidspunkt",
    "opphoerstidspunkt", "adressegradering", "graderingsnivaa",
}  # fmt: skip


def changed(values: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Other values of the same type, where there are any; None: of that type nothing is taken."""
    if pa.types.is_string(values.type):
        return pc.binary_join_element_wise(values, "x", "")
    if pa.types.is_integer(values.type):
        return pc.add(values, pa.scalar(1, values.type))
    if pa.types.is_date(values.type):
        return pc.add(values.cast(pa.int32()), pa.scalar(1, pa.int32())).cast(values.type)
    return None


@pytest.fixture
def staged(
    start_register: StartRegister, make_settings: Callable[..., Settings]
) -> tuple[dict[str, BatchRows], Plan, tuple[str, ...]]:
    """A batch's rows, the contract's tables, and the parts."""
    settings = make_settings(start_register(persons=400, batch_size=400))
    uttrekk = fetched(settings)
    released(settings, uttrekk)
    store = open_store(settings)
    tables = staged_rows(store, uttrekk.place, 0)
    return tables, load_plan(store, uttrekk.request.contract), uttrekk.request.parts


def test_a_changed_column_changes_those_that_are_made_of_it(
    staged: tuple[dict[str, BatchRows], Plan, tuple[str, ...]],
) -> None:
    rows_of, plan, parts = staged
    before = persons_now(rows_of, plan, parts)
    told = lineage(described(plan))["person_naa"]
    tables = made_of(described(plan))["person_naa"] - {"person"}
    tried = set()
    for table in sorted(tables & rows_of.keys()):
        rows = rows_of[table].read()
        for column in [name for name in rows.column_names if name not in DECIDE]:
            values = changed(rows[column])
            if values is None or rows[column].null_count == len(rows):
                continue
            other = rows.set_column(rows.column_names.index(column), column, values)
            one = BatchRows(other.schema, held=[other], rows=len(other))
            after = persons_now({**rows_of, table: one}, plan, parts)
            differs = {name for name in before.column_names if after[name] != before[name]}
            expected = {name for name, sources in told.items() if (table, column) in sources}
            assert differs <= expected, (table, column)
            if expected & differs:
                tried.add((table, column))
    told_of = {source for sources in told.values() for source in sources}
    assert {("navn", "fornavn"), ("familierelasjon", "relatert_person")} <= tried
    assert len(tried) > len(told_of) / 2, "most of what is told was seen to matter"
