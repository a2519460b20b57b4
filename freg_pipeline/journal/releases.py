"""Which releases there are, what they are, and which one is current."""

from __future__ import annotations

from datetime import datetime

from freg_pipeline.errors import ConfigurationError, DamagedError
from freg_pipeline.journal.manifest import Facts, Manifest
from freg_pipeline.journal.pointer import current_number, manifest_key
from freg_pipeline.journal.stored_manifests import Reader, each_release
from freg_pipeline.store import Store, is_there


def current_release(store: Store) -> Manifest | None:
    """The release that readers see; None before the first."""
    number = current_number(store)
    return None if number is None else read_manifest(store, number)


def require_current(store: Store) -> Manifest:
    """The release that readers see.

    Raises:
        ConfigurationError: there is none yet.
    """
    manifest = current_release(store)
    if manifest is None:
        raise no_release(store)
    return manifest


def no_release(store: Store) -> ConfigurationError:
    """What to raise where there is none yet."""
    return ConfigurationError(
        f"{store.location} holds no release yet", "Make one: freg uttrekk komplett, or freg demo"
    )


def read_manifest(store: Store, number: str) -> Manifest:
    """A release by its number, with or without the zeros before it.

    Raises:
        ConfigurationError: there is no such release.
        DamagedError: its manifest isn't as it was written.
        StoreError: another version of this software made it.
    """
    return Reader(store).manifest(written_out(number))


def read_if_there(store: Store, number: str | None) -> Manifest | None:
    """A release by its number; None if it was purged, or there is none."""
    if number is None or not is_there(store, manifest_key(number)):
        return None
    return read_manifest(store, number)


def facts_of(store: Store, number: str) -> Facts:
    """What a release is, at the cost of its manifest alone.

    Raises:
        ConfigurationError: there is no such release.
        DamagedError: its manifest isn't as it was written.
    """
    return Reader(store).stored(number)


def facts_if_there(store: Store, number: str) -> Facts | None:
    """As :func:`facts_of`; None if it was purged."""
    try:
        return facts_of(store, number)
    except ConfigurationError:
        return None


def published(store: Store, number: str) -> datetime:
    """When a release was published, by the clock of the machine that did so.

    Raises:
        ConfigurationError: there is no such release.
    """
    return facts_of(store, number).created


def current_uttrekk(store: Store) -> str | None:
    """The name of what the current release was made of, at the cost of its manifest alone.

    Raises:
        DamagedError: its manifest isn't as it was written.
    """
    number = current_number(store)
    return None if number is None else facts_of(store, number).uttrekk


def delta_count(store: Store, number: str) -> int:
    """How many deltas a release has, at the cost of its manifest alone.

    Raises:
        ConfigurationError: there is no such release.
        DamagedError: its manifest isn't as it was written.
    """
    return len(Reader(store).stored(number).deltas)


def release_of_base(store: Store, folder: str) -> Manifest | None:
    """The first release on a base; None: there is none, or none any more."""
    reader = Reader(store)
    on_it = (one for one in each_release(store, reader.stored) if one.base == folder)
    return next((reader.manifest(one.number) for one in on_it), None)


def written_out(number: str) -> str:
    """``000001`` for ``1``; what is no number stays as it is, and names no release."""
    return number.zfill(6) if number.isascii() and number.isdigit() else "none"


def list_releases(store: Store) -> list[Manifest]:
    """All releases, the oldest first."""
    return each_release(store, Reader(store).manifest)


def readable_releases(store: Store) -> tuple[list[Manifest], list[DamagedError]]:
    """Those releases that can be told, the oldest first, and what keeps the others from that.

    Damage that several share, such as that of their base, is told once.
    """
    damage: dict[str, DamagedError] = {}
    reader = Reader(store)

    def read(number: str) -> Manifest | None:
        try:
            return reader.manifest(number)
        except DamagedError as error:
            damage[error.key] = error
            return None

    found = [one for one in each_release(store, read) if one is not None]
    return found, [*damage.values()]
