"""Which files a run may read as lists: those in one folder.

Whoever may launch runs names the file, on a page that may have no login, and the process that reads
it may read more than they may. What is refused is refused in the same words, there or not.
"""

from __future__ import annotations

from pathlib import Path

from freg_pipeline.errors import ConfigurationError
from freg_pipeline.settings import Settings

FOLDER = "lists"  # in a local store, unless a setting says otherwise


def list_file(settings: Settings, named: str) -> Path:
    """The file of a list, by its name in the folder or its full path there.

    Raises:
        ConfigurationError: it lies elsewhere, also by ``..`` or a link; it isn't there; or there is
            no such folder.
    """
    folder = settings.lists
    if folder is None and settings.store.startswith("s3://"):
        raise ConfigurationError(
            "no folder is configured that runs may read lists from",
            "Set FREG_LISTS where runs work, or use freg uttrekk liste FILE",
        )
    try:
        root = (folder or Path(settings.store, FOLDER)).resolve()
        path = (root / named).resolve()
        if path.is_relative_to(root) and path.is_file():
            return path
    except (OSError, RuntimeError, ValueError):  # a circle of links, a name with NUL
        pass
    raise ConfigurationError(
        "the list isn't a file in the folder that runs may read lists from",
        "Put it there (FREG_LISTS; by default the folder lists in the store), or use "
        "freg uttrekk liste FILE",
    )
