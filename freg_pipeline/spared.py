"""What a command is spared: imports that are of no use to it, looking for garbage, and tidying up.

Libraries import some others only because they are there: httpx its own command, pyarrow pandas at
the first array that it makes, numba cffi, and what alembic and Dagster bring, Mako and structlog,
what colours their errors. None of it is of use here, and a command waits half a second for it. To
those who import one of them it looks as if it weren't installed, for which each of them is made.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

SPARED = frozenset({"cffi", "httpx._main", "mako.ext.pygmentplugin", "pandas", "rich.traceback"})


class _Spared(MetaPathFinder, Loader):
    """Finds them, since some who ask whether there is one don't expect an error; loads none."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        del path, target
        return ModuleSpec(fullname, self) if fullname in SPARED else None

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        raise ModuleNotFoundError(f"{spec.name} isn't imported here", name=spec.name)

    def exec_module(self, module: ModuleType) -> None:
        del module


def spare_imports() -> None:
    """From now on, and until the process ends, import none of them."""
    sys.meta_path.insert(0, _Spared())


# Objects made until garbage is looked for: a sync ends before it has made the first so many.
_AT_FIRST, _LATER = 700_000, 100_000


def collect_later() -> None:
    """Look for garbage when a command's start is long over.

    What is imported lives on, and is half a million objects: to look it through as it grows takes a
    fifth of a second.
    """

    def once(phase: str, told: dict[str, int]) -> None:
        if phase == "stop" and told["generation"] == 0:  # the others: Python's end asks for them
            gc.callbacks.remove(once)
            gc.set_threshold(_LATER)

    gc.callbacks.append(once)
    gc.set_threshold(_AT_FIRST)


def spare_end() -> Callable[[int], None]:
    """End the process with what was registered to be done at its end, and without tidying memory.

    Python would take a second to let go of each object that a sync has made. To be called before
    anybody registers something: what is registered first is done last.

    Returns:
        What is to be told the exit code when all is done; until then Python ends as always.
    """
    codes: list[int] = []

    def end() -> None:
        if not codes:
            return
        try:
            for stream in (sys.stdout, sys.stderr):
                if stream is not None:
                    stream.flush()
        except (OSError, ValueError):  # Python's own end tries again, and tells it
            return
        os._exit(codes[0])

    atexit.register(end)
    return codes.append
