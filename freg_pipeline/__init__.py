"""The Norwegian population register (Folkeregisteret) as Parquet tables."""


def __getattr__(name: str) -> str:
    """``__version__``, looked up when it is asked for: it costs more than all that precedes it."""
    if name == "__version__":
        from importlib.metadata import version

        return version("freg_pipeline")
    raise AttributeError(name)
