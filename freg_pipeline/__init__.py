"""The Norwegian population register (Folkeregisteret) as Parquet tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # what reads a release is imported when one is opened
    from datetime import date
    from pathlib import Path

    from freg_pipeline.component import FregComponent
    from freg_pipeline.opened import Lake

__all__ = ["FregComponent", "open"]


def open(  # noqa: A001  read as freg_pipeline.open
    store: str | Path | None = None, *, as_of: int | str | date | None = None
) -> Lake:
    """Open the current release of a store, or an earlier state, to read its tables.

    Args:
        store: a folder or ``s3://bucket/prefix``; None: as FREG_STORE says.
        as_of: a sequence number, or a date (until its end); None: the current state.

    Raises:
        freg_pipeline.errors.ConfigurationError: there is no release, or no such state.
        freg_pipeline.errors.StoreError: the store can't be read.
    """
    from freg_pipeline.opened import open_lake

    return open_lake(store, as_of)


def __dir__() -> list[str]:
    return [*globals(), "FregComponent", "__version__"]


def __getattr__(name: str) -> object:
    """What is looked up when it is asked for: it costs more than all that precedes it.

    ``__version__``; and ``FregComponent``, which Dagster looks for here.
    """
    if name == "FregComponent":
        from freg_pipeline.component import FregComponent

        return FregComponent
    if name == "__version__":
        from importlib.metadata import version

        return version("freg_pipeline")
    raise AttributeError(name)
