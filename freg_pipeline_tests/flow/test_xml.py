"""A whole load in XML gives the tables that it gives in JSON."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import pytest

from freg_pipeline.client import TilpassetKriterier
from freg_pipeline.journal.releases import require_current
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.query import connect
from freg_pipeline.settings import Settings
from freg_pipeline.store import open_store
from freg_pipeline_tests.conftest import StartRegister
from freg_pipeline_tests.loads import full_load

STATUSES = ("aktiv", "bosatt", "utflyttet", "doed", "inaktiv")
EVERYONE = TilpassetKriterier(personstatustyper=STATUSES)


@pytest.mark.parametrize(
    "faults", ["", "ukjentfelt=0.1,gone=0.05,unordered=1", "arkivliste=1,gone=0.1"]
)
@pytest.mark.parametrize("kriterier", [None, EVERYONE], ids=["komplett", "tilpasset"])
def test_the_same_tables_cell_by_cell(
    kriterier: TilpassetKriterier | None,
    faults: str,
    start_register: StartRegister,
    make_settings: Callable[..., Settings],
) -> None:
    url = start_register(persons=300, faults=faults)
    in_json = make_settings(url)
    full_load(in_json, kriterier)
    in_xml = make_settings(url, store=in_json.store + "-xml", answer_format="xml")
    manifest = full_load(in_xml, kriterier)

    store, other = open_store(in_json), open_store(in_xml)
    (answer, *_) = Uttrekk(other, manifest.uttrekk).answers(0)
    assert answer.body.startswith(b"<?xml"), "the raw answer is kept as it came"
    with closing(connect(store, states=False)) as one, closing(connect(other, states=False)) as two:
        for table in require_current(store).tables:
            columns = "* EXCLUDE (hentet, uttrekk)" if table == "person" else "*"
            columns = "* EXCLUDE (uttrekk)" if table == "avvik" else columns
            statement = f"SELECT {columns} FROM {table} ORDER BY ALL"
            assert two.execute(statement).fetchall() == one.execute(statement).fetchall(), table
