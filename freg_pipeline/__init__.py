"""The Norwegian population register (Folkeregisteret) as Parquet tables."""

from importlib.metadata import version

__version__ = version("freg_pipeline")
