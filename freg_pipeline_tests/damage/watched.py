"""Which files are opened, by whatever library: as the kernel tells it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from watchdog.events import FileOpenedEvent, FileSystemEvent, FileSystemEventHandler
from watchdog.observers.inotify import InotifyObserver

_LAST = ".watched"  # opened when all is over: what is told before it, is told


@contextmanager
def watching(folder: Path) -> Iterator[set[str]]:
    """The files beneath a folder that are opened while this lasts, by their names beneath it."""
    opened: set[str] = set()

    class Noting(FileSystemEventHandler):
        def on_any_event(self, event: FileSystemEvent) -> None:
            if isinstance(event, FileOpenedEvent):
                opened.add(Path(str(event.src_path)).relative_to(folder).as_posix())

    observer = InotifyObserver()
    observer.schedule(Noting(), str(folder), recursive=True)
    observer.start()
    try:
        yield opened
        (folder / _LAST).write_bytes(b"")
        _wait_for(opened)
    finally:
        observer.stop()
        observer.join()


def _wait_for(opened: set[str]) -> None:
    import time

    until = time.monotonic() + 60
    while _LAST not in opened and time.monotonic() < until:
        time.sleep(0.01)
    assert _LAST in opened, "the kernel doesn't tell which files are opened"
