"""Lists of identity numbers that commands are given: a file or stdin, never the command line."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from freg_pipeline.commands.opening import store

given_list = click.argument(
    "source", metavar="FILE|-", type=click.Path(path_type=Path), required=False
)
given_column = click.option("--column", help="The column with the numbers, in CSV or Parquet.")


@contextmanager
def seekable(source: Path) -> Iterator[Path]:
    """The list as a file; what comes on stdin is laid aside in the store's scratch folder."""
    if str(source) != "-":
        yield source
        return
    with store().scratch() as folder:
        path = folder / "stdin"
        with path.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
        yield path
