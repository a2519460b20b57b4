"""The notebook of examples/ runs as it stands, and what it shows is what the tables hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from freg_pipeline.lake.query import query
from freg_pipeline_tests.living import Living

NOTEBOOK = Path(__file__).parents[2] / "examples" / "population.ipynb"


def test_the_notebook_runs_and_shows_what_the_tables_hold(
    lived: Living, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FREG_STORE", lived.store.location)
    made: dict[str, Any] = {}
    for cell in json.loads(NOTEBOOK.read_text())["cells"]:
        assert not cell.get("outputs"), "a notebook is kept without what it has shown"
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), "<notebook>", "exec"), made)
    bosatt = "SELECT count(*) FROM person_naa WHERE status = 'bosatt'"
    ((count,),) = query(lived.store, bosatt).fetchall()
    assert made["pyramid"]["personer"].sum() == count > 100
    moves = "SELECT count(*) FROM bostedsadresse WHERE year(flyttedato) = ?"
    for year, found in made["moves"].rows():
        asked = moves.replace("?", str(year))
        assert query(lived.store, asked).fetchall() == [(found,)]
    ((named,),) = query(lived.store, "SELECT count(*) FROM navn").fetchall()
    assert made["names"].total() == named
    assert len(made["common"]) == 5
