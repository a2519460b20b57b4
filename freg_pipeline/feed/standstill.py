"""Whether a sync has anything to do, found out with nothing heavy imported: mostly it hasn't.

Whoever has brought a release up to date, recorded it and written its catalogue notes that in a
small file, beside the records or, where none are kept, in a folder of its user's. While that note
holds, one question to the register tells whether there is more to do.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from freg_pipeline.client.environments import base_url
from freg_pipeline.client.register import Register
from freg_pipeline.client.session import Session
from freg_pipeline.feed.watch import has_news
from freg_pipeline.journal.home import has_met
from freg_pipeline.journal.manifest import Facts
from freg_pipeline.journal.pointer import current_number
from freg_pipeline.journal.releases import facts_of, no_release
from freg_pipeline.lake.place import catalogue_path, notes_folder
from freg_pipeline.lake.roots import FILE
from freg_pipeline.settings import Settings
from freg_pipeline.store import Store, open_store

CONFIRMED_EVERY = timedelta(minutes=30)  # how often it is recorded that nothing is new
logger = logging.getLogger(__name__)


class _Note(msgspec.Struct, frozen=True):
    """What was done about a release.

    Attributes:
        release: its number.
        created: when it was published: a store may have been made anew.
        confirmed: when it was last recorded that nothing is newer.
        catalogue: size and time of the catalogue written for it, zeros of one on S3; None: none
            could be written.
    """

    release: str
    created: datetime
    confirmed: datetime
    catalogue: tuple[int, int] | None


@dataclass(frozen=True)
class Opened:
    """What a process works with.

    Attributes:
        settings: those in force.
        store: where everything lies.
        session: whom to ask.
    """

    settings: Settings
    store: Store
    session: Session


@contextmanager
def opening(settings: Settings) -> Iterator[Opened]:
    """The store and the register of some settings; the latter is closed in the end.

    Raises:
        ConfigurationError, StoreError: they can't be used.
    """
    store = open_store(settings)

    def register() -> Register:
        where = base_url(settings)
        return Register.from_settings(settings, known=lambda: has_met(store, where), waits=True)

    with Session(register) as session:
        yield Opened(settings, store, session)


def at_standstill(opened: Opened) -> Facts | None:
    """The current release, if nothing is left to do about it and nothing newer has happened.

    Raises:
        ConfigurationError: there is no release yet.
        BegunAnewError: the register is behind the release.
        RefusedError, PassingError: as for every request.
    """
    settings, store = opened.settings, opened.store
    number = current_number(store)
    if number is None:
        raise no_release(store)
    current, note = facts_of(store, number), _read(_path(settings, store))
    if note is None or (note.release, note.created) != (number, current.created):
        return None
    if is_recorded(settings):
        is_due = datetime.now(UTC) - note.confirmed >= CONFIRMED_EVERY
    else:
        is_due = note.catalogue is None or note.catalogue != _stamp(store)
    if is_due or opened.session.ask(lambda register: has_news(register, settings, current)):
        return None
    return current


def note_standstill(settings: Settings, store: Store, done: Facts, confirmed: datetime) -> None:
    """Note that a release is recorded, where that is done, and shown.

    Args:
        settings: those in force.
        store: where the release lies.
        done: the release.
        confirmed: when it was recorded last that nothing is newer.
    """
    path = _path(settings, store)
    note = _Note(done.number, done.created, confirmed, _stamp(store))
    made = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        if not is_recorded(settings):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        made.write_bytes(msgspec.json.encode(note))
        made.replace(path)
    except OSError as error:  # the next one looks more closely
        logger.info("%s can't be written: %s", path, type(error).__name__)


def records_folder(settings: Settings) -> Path | None:
    """Where Dagster's records of what commands do are kept: None: they aren't, beside S3."""
    told = os.environ.get("DAGSTER_HOME")
    if told:
        return Path(told)
    return None if settings.store.startswith("s3://") else Path(settings.store) / "dagster"


def has_records(settings: Settings) -> bool:
    """Whether there may be such records: a folder that is named counts, whatever it is."""
    folder = records_folder(settings)
    return folder is not None and (bool(os.environ.get("DAGSTER_HOME")) or folder.is_dir())


def is_recorded(settings: Settings) -> bool:
    """Whether Dagster's records of what commands do are kept."""
    return records_folder(settings) is not None


def _path(settings: Settings, store: Store) -> Path:
    whose = hashlib.sha256(f"{settings.key_prefix}\n{store.location}".encode()).hexdigest()[:16]
    folder = records_folder(settings) or notes_folder(store)
    return folder / f".freg-shown-{whose}.json"


def _read(path: Path) -> _Note | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Note)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def _stamp(store: Store) -> tuple[int, int] | None:
    path = catalogue_path(store)
    if path is None:  # who puts another one there has published another release
        return (0, 0) if store.exists(FILE) else None
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns
