"""A whole load in XML gives the tables that it gives in JSON."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from freg_pipeline.client import TilpassetKriterier
from freg_pipeline.journal.kinds import AnyKind, Komplett, Tilpasset
from freg_pipeline.journal.releases import require_current
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.query import query
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline.orchestration.run import run_uttrekk
from freg_pipeline_tests.conftest import StartRegister

STATUSES = ("aktiv", "bosatt", "utflyttet", "doed", "inaktiv")
EVERYONE = Tilpasset(TilpassetKriterier(personstatustyper=STATUSES))


@pytest.mark.parametrize(
    "faults", ["", "ukjentfelt=0.1,gone=0.05,unordered=1", "arkivliste=1,gone=0.1"]
)
@pytest.mark.parametrize("kind", [Komplett(), EVERYONE], ids=["komplett", "tilpasset"])
def test_the_same_tables_cell_by_cell(
    kind: AnyKind,
    faults: str,
    start_register: StartRegister,
    make_freg: Callable[..., Freg],
) -> None:
    url = start_register(persons=300, faults=faults)
    in_json = make_freg(url)
    run_uttrekk(in_json, kind)
    in_xml = make_freg(url, store=in_json.settings.store + "-xml", answer_format="xml")
    manifest = run_uttrekk(in_xml, kind)

    (answer, *_) = Uttrekk(in_xml.store, manifest.uttrekk).answers(0)
    assert answer.body.startswith(b"<?xml"), "the raw answer is kept as it came"
    for table in require_current(in_json.store).tables:
        columns = "* EXCLUDE (hentet, uttrekk)" if table == "person" else "*"
        columns = "* EXCLUDE (uttrekk)" if table == "avvik" else columns
        statement = f"SELECT {columns} FROM {table} ORDER BY ALL"
        assert (
            query(in_xml.store, statement).fetchall() == query(in_json.store, statement).fetchall()
        ), table
