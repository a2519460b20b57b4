"""A copy's DuckDB file: begun whole, and one that can be read."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import duckdb

from freg_pipeline.errors import ConfigurationError
from freg_pipeline.store.scratch import scratch_beside


def ready(path: Path) -> None:
    """See that a database is there.

    DuckDB writes a new file bit by bit: nobody could open one that a killed process has begun, or
    for which there was no room. So it is made beside, and put there when it is whole.

    Raises:
        ConfigurationError: what is there can't be read.
        duckdb.Error: another process has it.
    """
    if not path.exists():
        with scratch_beside(path) as folder:
            made = folder / path.name
            duckdb.connect(made).close()
            with suppress(FileExistsError):  # another one's was quicker
                os.link(made, path)
        return
    try:
        duckdb.connect(path).close()
    except duckdb.Error as error:
        if "lock" in str(error):
            raise
        raise ConfigurationError(
            f"{path} isn't a DuckDB database that can be read",
            "Name another file; or remove it if it was only this copy, which is loaded anew then",
        ) from None
