"""In which open table formats a base is registered: its files are others' too, and stay for them.

One object a format, which is replaced; while tables go over from one base to another it names both.
"""

from __future__ import annotations

import msgspec

from freg_pipeline.errors import DamagedError, ObjectMissingError
from freg_pipeline.store import Store, read_record
from freg_pipeline.store.record import replace_record

FORMATS = ("iceberg", "delta")
FOLDER = "formats"


class Registered(msgspec.Struct, frozen=True):
    """A format's tables.

    Attributes:
        bases: the folders of the bases whose files they name; one, unless they are going over.
        release: the release whose base it is, the first one that it was registered for.
        sekvensnummer: the event list's position that the base is good to.
        root: what the store is called in them.
        tables: where each table is opened, by name.
        objects: what tells of them, each with the SHA-256 that it was written with.
    """

    bases: tuple[str, ...]
    release: str
    sekvensnummer: int
    root: str
    tables: dict[str, str]
    objects: dict[str, str] = {}


def registered_key(kind: str) -> str:
    """Where it lies."""
    return f"{FOLDER}/{kind}.json"


def registered(store: Store, kind: str) -> Registered | None:
    """What is registered in a format; None: nothing is.

    Raises:
        DamagedError: that can't be told any more: registering anew mends it.
    """
    key = registered_key(kind)
    try:
        return read_record(store, key, Registered)
    except ObjectMissingError:
        return None
    except DamagedError:
        remedy = f"Register the tables anew: freg catalogue --format {kind}"
        raise DamagedError(key, store.location, remedy) from None


def note_registered(store: Store, kind: str, told: Registered) -> None:
    """Say what is registered, in place of what was."""
    replace_record(store, registered_key(kind), told)


def registered_bases(store: Store) -> frozenset[str]:
    """The folders of the bases that any format's tables name.

    Raises:
        DamagedError: of a format that can't be told any more.
    """
    found = [registered(store, kind) for kind in FORMATS]
    return frozenset(base for one in found if one is not None for base in one.bases)
