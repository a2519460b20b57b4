"""What a command works on: the settings in force, the store and the places that it names."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from freg_pipeline.settings import Settings
    from freg_pipeline.store import Store


def settings(form: str | None = None) -> Settings:
    """The settings in force: flags over environment. Raises ConfigurationError.

    Args:
        form: json or xml, over what the settings say.
    """
    import stamina

    from freg_pipeline.settings import load

    # The client tells each retry itself. Of a library's user the hooks are their own to set; this
    # process is ours.
    stamina.instrumentation.set_on_retry_hooks([])
    given = dict(click.get_current_context().ensure_object(dict))
    given.pop("debug", None)
    return load(**given, answer_format=form)


def store() -> Store:
    """The store that the settings name. Raises StoreError."""
    from freg_pipeline.store import open_store

    return open_store(settings())


_PLAIN_PATH = re.compile(r"[\w/.-]+")  # whatever else a path holds is for the settings to judge


def store_to_read() -> Store:
    """The store that the settings name, for who only reads it.

    Of a local one with a plain name no more is imported than that takes, and no other setting is
    looked at.

    Raises:
        ConfigurationError: a setting is wrong.
        StoreError: the store can't be used.
    """
    given = click.get_current_context().ensure_object(dict)
    named = given.get("store") or next(
        (value for name, value in os.environ.items() if name.upper() == "FREG_STORE"), ""
    )
    path = Path(named).absolute()
    if given.keys() - {"store", "debug"} or not named or not _PLAIN_PATH.fullmatch(str(path)):
        return store()
    from freg_pipeline.store.local import LocalStore

    return LocalStore(path)


def output_place(named: str) -> Path | Store:
    """Where a copy goes: a folder, or a place on S3."""
    if not named.startswith("s3://"):
        return Path(named)
    from freg_pipeline.store import open_store

    return open_store(settings().model_copy(update={"store": named}))
