"""What a process has read or written of a store that is far away, kept for a moment.

Objects are written once, so that what was there a moment ago is what is there. Only for a moment,
since they may be removed: by a purge, or to be made anew.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict

SECONDS = 60.0
WHOLE_BYTES = 4 * 1024**2  # a table's file is read as a whole up to this: less than its round trips
EACH_BYTES = 16 * 1024**2
ALL_BYTES = 64 * 1024**2


class Remembered:
    """The contents of small objects by their keys, those used last. Safe for many threads.

    And what lies in a folder, by its name, which ends in ``/``.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self._bytes = 0

    def get(self, key: str) -> bytes | None:
        """The content; None: it isn't known any more."""
        with self._lock:
            since, content = self._held.get(key, (0.0, None))
            if content is None or time.monotonic() - since > SECONDS:
                return None
            self._held.move_to_end(key)
            return content

    def put(self, key: str, content: bytes) -> None:
        """Remember what was read or written just now, unless it is large."""
        with self._lock:
            self._drop(key)
            if len(content) > EACH_BYTES:
                return
            self._held[key] = time.monotonic(), content
            self._bytes += len(content)
            while self._bytes > ALL_BYTES:
                self._drop(next(iter(self._held)))

    def forget(self, key: str) -> None:
        """It was written, replaced or removed, or is about to be: so its folder is another one."""
        with self._lock:
            self._drop(key)
            self._drop(f"{key.rpartition('/')[0]}/")

    def _drop(self, key: str) -> None:
        _, content = self._held.pop(key, (0.0, b""))
        self._bytes -= len(content)
