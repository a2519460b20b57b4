"""A whole load in XML gives the tables that it gives in JSON."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from freg_pipeline.client import TilpassetKriterier
from freg_pipeline.journal.releases import require_current
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.query import query
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline.orchestration.run import run_uttrekk
from freg_pipeline_tests.conftest import StartRegister

EVERYONE = TilpassetKriterier(personstatustyper=("aktiv", "bosatt", "utflyttet", "doed", "inaktiv"))


@pytest.mark.parametrize(
    "faults", ["", "ukjentfelt=0.1,gone=0.05,unordered=1", "arkivliste=1,gone=0.1"]
)
@pytest.mark.parametrize("kriterier", [None, EVERYONE], ids=["komplett", "tilpasset"])
def test_the_same_tables_cell_by_cell(
    kriterier: TilpassetKriterier | None,
    faults: str,
    start_register: StartRegister,
    make_freg: Callable[..., Freg],
) -> None:
    url = start_register(persons=300, faults=faults)
    in_json = make_freg(url)
    run_uttrekk(in_json, kriterier=kriterier)
    in_xml = make_freg(url, store=in_json.settings.store + "-xml", answer_format="xml")
    manifest = run_uttrekk(in_xml, kriterier=kriterier)

    (answer, *_) = Uttrekk(in_xml.store, manifest.uttrekk).answers(0)
    assert answer.body.startswith(b"<?xml"), "the raw answer is kept as it came"
    for table in require_current(in_json.store).tables:
        columns = "* EXCLUDE (hentet, uttrekk)" if table == "person" else "*"
        columns = "* EXCLUDE (uttrekk)" if table == "avvik" else columns
        statement = f"SELECT {columns} FROM {table} ORDER BY ALL"
        assert (
            query(in_xml.store, statement).fetchall() == query(in_json.store, statement).fetchall()
        ), table
