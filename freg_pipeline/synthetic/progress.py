"""How long work of the register tells how far it is."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

Begin = Callable[
    [str, int], Callable[[int], None]
]  # what, and how much; then how much more is done
Progress = Callable[[], AbstractContextManager[Begin]]  # for as long as there is something to tell


def silently(what: str, total: int) -> Callable[[int], None]:
    """Tell nobody."""
    del what, total
    return lambda _: None


def no_progress() -> AbstractContextManager[Begin]:
    """Tell nobody, of any work."""
    return nullcontext(silently)
