"""A register that turns hostile in the middle of a load or a sync: nothing comes of it.

Each answers everything as it should, but for one service. More of them, each at each service, are
met by ``python -m freg_pipeline_tests.hostile.table --flows``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from freg_pipeline.lake.query import query
from freg_pipeline.settings import load
from freg_pipeline.store import open_store
from freg_pipeline_tests.hostile.flows import HEALED, LOAD, SYNC, Case, Flows, faults_in, flows
from freg_pipeline_tests.hostile.peers import NUMBER

CASES = {
    Case(LOAD, "uttrekk/komplett", "half a pair"): 3,
    Case(LOAD, "uttrekk/komplett", "a job that leads elsewhere"): 3,
    Case(LOAD, "/batch/", "gzip bomb"): 3,
    Case(LOAD, "/batch/", "the same batch for ever"): 3,
    Case(LOAD, "personer/bulkoppslag", "odd letters in headers"): 1,
    Case(LOAD, "personer/bulkoppslag", "answers of nothing"): 3,
    Case(LOAD, "personer/xsd", "XML that grows"): 1,
    Case(LOAD, "personer/xsd", "an XSD from elsewhere"): 1,
    Case(SYNC, "hendelser/feed", "numbers beyond numbers"): 1,
    Case(SYNC, "hendelser/feed", "not modified"): 3,
    Case(SYNC, "hendelser/feed", "a number beyond the last"): 1,
    Case(SYNC, "personer/bulkoppslag", "millions of rows"): 3,
}


@pytest.fixture(scope="module")
def register(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flows]:
    with flows(tmp_path_factory.mktemp("flows")) as given:
        yield given


@pytest.mark.parametrize("case", CASES, ids=str)
def test_it_publishes_nothing(case: Case, register: Flows, tmp_path: Path) -> None:
    ended, added = register.met(case, tmp_path)
    assert faults_in(ended, added, case) == []
    assert ended.code == CASES[case]


def test_a_list_of_one_takes_no_error_for_a_document(register: Flows, tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text(f"{NUMBER}\n")
    case = Case(("uttrekk", "liste", str(path)), "personer/bulkoppslag", HEALED)
    ended, added = register.met(case, tmp_path)
    assert faults_in(ended, added, case) == []
    assert ended.code == 4


def test_a_sync_takes_no_error_for_a_document(register: Flows, tmp_path: Path) -> None:
    """It asks for each document by itself, and has them all."""
    ended, added = register.met(Case(SYNC, "personer/bulkoppslag", HEALED), tmp_path)
    assert (ended.code, len(added)) == (0, 1), ended.stderr
    empty = (
        "SELECT count(*) FROM person ANTI JOIN identifikasjonsnummer USING (personidentifikator)"
    )
    store = open_store(load(store=str(tmp_path / "store")))
    assert query(store, empty).fetchall() == [(0,)]
