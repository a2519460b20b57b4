"""Where machine code lies that was compiled before.

That is ``__pycache__`` beside the code, the user's cache folder, or NUMBA_CACHE_DIR: the first that
can be written. numba reads nowhere else, so that a container whose file system is read-only would
compile in every process what its image holds. Here code beside ours is read in any case.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from numba.core.caching import (
    CompileResultCacheImpl,
    FunctionCache,
    InTreeCacheLocator,
    NullCache,
)


class _Beside(InTreeCacheLocator):
    def ensure_cache_path(self) -> None:
        """Ask for nothing: it is only read."""


class _BesideOnly(CompileResultCacheImpl):
    _locator_classes = [_Beside]  # noqa: RUF012  numba's own name


class _Installed(FunctionCache):
    _impl_class = _BesideOnly


class KeptCode:
    """What numba asks for a function's code, and gives it to, as it does a cache of its own."""

    def __init__(self, function: Any) -> None:
        cache: Any = FunctionCache  # untyped
        beside: Any = _Installed
        self._installed = beside(function)
        try:
            self._own = cache(function)
        except RuntimeError:  # no folder can be written
            self._own = NullCache()

    @property
    def cache_path(self) -> str | None:
        """Where new code is kept; None: nowhere."""
        path: str | None = self._own.cache_path
        return path

    def load_overload(self, signature: Any, context: Any) -> Any:
        """Return the code for this machine, or None."""
        found = None
        with suppress(OSError):  # nothing there that this user may read
            found = self._installed.load_overload(signature, context)
        return self._own.load_overload(signature, context) if found is None else found

    def save_overload(self, signature: Any, code: Any) -> None:
        """Keep new code where that can be done."""
        with suppress(OSError):  # a full disk: it is compiled again another time
            self._own.save_overload(signature, code)
