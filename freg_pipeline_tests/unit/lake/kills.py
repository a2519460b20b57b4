"""A store that works until so many changes were made, as if its process had been killed then."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from freg_pipeline.store.local import LocalStore


class KilledError(BaseException):
    """Stands for the end of a process: nothing handles it."""


@dataclass
class Dying:
    """A real store that works until so many changes were made, and then no more.

    The last change is made, or not, as a process can be killed on either side of it.
    """

    inner: LocalStore
    changes: int
    after: bool

    def __getattr__(self, name: str) -> Any:
        if name == "delete_all":
            return self._delete_all
        method = getattr(self.inner, name)
        if name not in {"write", "put_file", "replace", "delete"}:
            return method

        def changing(*arguments: Any) -> Any:
            self.changes -= 1
            if self.changes < 0 and not self.after:
                raise KilledError
            result = method(*arguments)
            if self.changes < 0:
                raise KilledError
            return result

        return changing

    def _delete_all(self, keys: Iterable[str]) -> None:
        for key in keys:
            self.delete(key)
