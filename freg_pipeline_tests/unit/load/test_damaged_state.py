"""What a copy keeps of its state, damaged: it is told as that, and the copy stays as it is."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from freg_pipeline.errors import FregError
from freg_pipeline.lake.release import build_release
from freg_pipeline.load.destination import destination
from freg_pipeline.load.loading import load
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.unit.lake.delivered import deliver, document, local_store, navn, number

SCHEMA = "kopi"
STATE, VERSION = f"{SCHEMA}._dlt_pipeline_state", f"{SCHEMA}._dlt_version"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> LocalStore:
    """A store, and a copy of its release beside it."""
    folder = tmp_path_factory.mktemp("copied")
    store = local_store(folder)
    build_release(store, deliver(store, "one", [("d-a", document(number(0), navn=[navn("Ada")]))]))
    load(store, destination(f"duckdb:{folder / 'copy.duckdb'}", SCHEMA))
    return store


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (f"UPDATE {STATE} SET state = chr(xor(ascii(state), 4)) || substr(state, 2)", "damaged"),
        (f"UPDATE {STATE} SET state = left(state, 101)", "damaged"),
        (f"UPDATE {STATE} SET state = ''", "damaged"),
        (f"UPDATE {VERSION} SET schema = left(schema, len(schema) // 2)", "damaged"),
        (f"DELETE FROM {STATE}", "aren't a copy of ours"),
        (f"DROP TABLE {STATE}", "aren't a copy of ours"),
    ],
)
def test_a_damaged_state_is_told(made: LocalStore, tmp_path: Path, damage: str, said: str) -> None:
    path = tmp_path / "copy.duckdb"
    shutil.copy(Path(made.location).parent / "copy.duckdb", path)
    with closing(duckdb.connect(str(path))) as copy:
        copy.execute(damage)
    with pytest.raises(FregError, match=f"{said}.* --schema"):
        load(made, destination(f"duckdb:{path}", SCHEMA))
    with closing(duckdb.connect(str(path), read_only=True)) as copy:
        assert copy.execute(f"SELECT fornavn FROM {SCHEMA}.navn").fetchall() == [("Ada",)]
