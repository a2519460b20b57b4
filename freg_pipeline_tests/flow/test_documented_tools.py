"""The Python of analysts.md, python.md and tools.md runs as it stands; each tool reads all rows."""

from __future__ import annotations

import re
import subprocess
import sys
import warnings
from pathlib import Path

import duckdb
import ibis
import polars as pl
import pytest
from sqlalchemy import create_engine, text

from docs.examples import FOLDER
from freg_pipeline.lake.catalogue import refresh_catalogue
from freg_pipeline.lake.export import export
from freg_pipeline_tests.living import Living

_BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
EXAMPLES = [
    pytest.param(example, id=f"{page} {number}")
    for page in ("analysts.md", "python.md", "tools.md")
    for number, example in enumerate(_BLOCK.findall((FOLDER / page).read_text()), 1)
]


@pytest.fixture(scope="module")
def folder(lived: Living, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store in it, and what freg sql has written from that."""
    folder = tmp_path_factory.mktemp("reader")
    refresh_catalogue(lived.store)
    (folder / "data").symlink_to(lived.store.location)
    export(lived.store, "FROM bostedsadresse", "parquet", folder / "bostedsadresse.parquet")
    return folder


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_runs_as_it_stands(example: str, folder: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", example], cwd=folder, capture_output=True, text=True
    )
    assert not ended.returncode, ended.stderr
    assert ended.stdout.strip() or "print" not in example


def test_each_python_tool_gives_all_that_is_current(
    lived: Living, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With deltas on the base: those whose rows were replaced count once, the new ones count."""
    monkeypatch.chdir(folder)
    expected = len([*lived.current("bostedsadresse")])
    current = "SELECT count(*) FROM bostedsadresse WHERE er_gjeldende"
    with duckdb.connect("data/freg.duckdb", read_only=True) as freg:
        (found,) = freg.sql(current).fetchall()
        lazy = freg.sql("FROM bostedsadresse").pl(lazy=True).filter(pl.col("er_gjeldende"))
        assert (found, lazy.select(pl.len()).collect().item()) == ((expected,), expected)
    written = pl.scan_parquet("bostedsadresse.parquet").filter(pl.col("er_gjeldende"))
    assert written.select(pl.len()).collect().item() == expected
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        opened = ibis.duckdb.connect("data/freg.duckdb", read_only=True)
        table = opened.table("bostedsadresse")
        assert table.filter(table.er_gjeldende).count().execute() == expected
        opened.disconnect()
        engine = create_engine("duckdb:///data/freg.duckdb", connect_args={"read_only": True})
        with engine.connect() as connection:
            assert connection.execute(text(current)).scalar_one() == expected
        engine.dispose()
