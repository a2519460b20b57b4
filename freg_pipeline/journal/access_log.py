"""Who has looked at persons: a small object an access, written before anything is given out.

In the store, or, for those who may not write there, in the machine's own log: what its users can't
change. It names the user, never whom they looked at: no text of a query, no number, no file.
Objects are plain JSON, a line each, and none is ever replaced. Each holds a digest of itself and
its name, so that one that was changed is told.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import pwd
import re
import secrets
import socket
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from string import ascii_lowercase
from typing import Any

from freg_pipeline.errors import ConfigurationError, FregError
from freg_pipeline.store import Store

logger = logging.getLogger(__name__)

Way = Callable[[str, dict[str, Any]], bool]  # takes a name's ending and an entry; whether it did

FOLDER = "access/"
OTHER = "(other)"  # a file, what a session has made, or what no table of ours is called
_NAME = re.compile(r"[a-z_]+(?:\d{1,2}[a-z_]*)?")
_NOT_NOTED = "it couldn't be noted who reads: see FREG_ACCESS_LOG"
SYSLOG = Path("/dev/log")
_LOGIN = Path("/proc/self/loginuid")  # who logged in, whoever they have become since (audit, Linux)
_NO_LOGIN = 2**32 - 1
_DIGEST = "digest"


@dataclass(frozen=True)
class Access:
    """An access that has been noted, whose rows may be told later."""

    keep: Callable[[str, dict[str, Any]], bool]
    entry: dict[str, Any]

    def gave(self, rows: int) -> None:
        """Note how many rows it gave, if that can be: the access itself is noted."""
        if not self.keep("rows.json", {**self.entry, "rows": rows}):
            logger.warning(_NOT_NOTED)


def note_access(
    store: Store, command: str, *, tables: Iterable[str] = (), query: str | None = None
) -> Access:
    """Note that somebody looks at persons, before they do.

    Args:
        store: what they look at, or, of a question to the register, the store in use.
        command: by which command, without its arguments.
        tables: which tables, by our own names; what can't be one of them isn't noted as it is.
        query: what tells queries apart, and nothing of their content.

    Raises:
        ConfigurationError: it can't be noted, and FREG_ACCESS_LOG_REQUIRED is set.
    """
    now = datetime.now(UTC)
    entry = {
        # Letters only: digits could look like somebody's number.
        "id": "".join(secrets.choice(ascii_lowercase) for _ in range(16)),
        "when": f"{now:%Y-%m-%dT%H:%M:%S.%f}Z",
        **_who(),
        "command": command,
        "store": store.location,
        "tables": sorted({one if _NAME.fullmatch(one) else OTHER for one in tables}),
        "query": query,
        "rows": None,
    }
    place, required = _settings()
    access = Access(_keeping(store, place), entry)
    if not access.keep("json", entry):
        if required:
            raise ConfigurationError(
                "it can't be noted who reads, and FREG_ACCESS_LOG_REQUIRED asks for it",
                "See that FREG_ACCESS_LOG names a place that you may write",
            )
        logger.warning(_NOT_NOTED)
    return access


@dataclass
class LeftOut:
    """What isn't told of a log.

    Attributes:
        damaged: objects that aren't as they were written, by name and place.
        others: how many are of other stores that are noted in the same place.
        unsealed: how many, of this user's own, hold no digest, as before there were any: whether
            they are as they were written can't be known.
    """

    damaged: list[str] = field(default_factory=list)
    others: int = 0
    unsealed: int = 0


def entries(
    store: Store, since: date | None = None, left_out: LeftOut | None = None
) -> Iterator[dict[str, Any]]:
    """What is noted of a store, the earliest first: a day at a time.

    From where FREG_ACCESS_LOG says; else from the store and what this user keeps on this machine.

    Args:
        store: which.
        since: from that day on.
        left_out: takes what isn't told.
    """
    left_out = LeftOut() if left_out is None else left_out
    log = log_of(store)
    logs = [store, own_log()] if log is store else [log]
    first = "" if since is None else since.isoformat()
    days = sorted({day for log in logs for day in log.folders(FOLDER) if day >= first})
    for day in days:
        found: dict[str, dict[str, Any]] = {}
        keys = [(log, key) for log in logs for key in log.list(f"{FOLDER}{day}/")]
        for log, key in sorted(keys, key=lambda one: one[1]):  # .json before .rows.json
            entry = _of_store(store, log, key, left_out)
            if entry is not None:
                found[entry["id"]] = entry
        yield from sorted(found.values(), key=lambda one: str(one.get("when")))


def _of_store(store: Store, log: Store, key: str, left_out: LeftOut) -> dict[str, Any] | None:
    """The entry of a store that lies somewhere, if it is one and as it was written."""
    entry = _read(log, key)
    digest = entry.pop(_DIGEST, None)
    is_whole = bool(entry) and digest == _digest(key, entry)
    is_unsealed = bool(entry) and digest is None
    is_first = not key.endswith(".rows.json")
    if log is not store and (is_whole or is_unsealed) and not _is_of(store, entry):
        left_out.others += is_first
    elif is_whole:
        return entry
    elif is_unsealed and log.location == own_log().location:
        left_out.unsealed += is_first
    else:
        left_out.damaged.append(f"{key} in {log.location}")
        logger.warning("%s in %s isn't as it was written: it is left out", key, log.location)
    return None


def log_of(store: Store) -> Store:
    """Where what is read in a store is noted: in it, or where FREG_ACCESS_LOG says."""
    place, _ = _settings()
    return store if place in {"true", "false", "syslog"} else _opened(place)


def _settings() -> tuple[str, bool]:
    """Where it is noted, and whether it must be. Mostly nothing is set, and nothing is imported."""
    if not any(name.upper().startswith("FREG_ACCESS_LOG") for name in os.environ):
        return "true", False
    from freg_pipeline.settings import load

    told = load()
    return told.access_log, told.access_log_required


def _keeping(store: Store, place: str) -> Callable[[str, dict[str, Any]], bool]:
    """What keeps an entry where the settings say, or at the next place that takes it."""

    def nowhere(ending: str, entry: dict[str, Any]) -> bool:
        del ending, entry
        return True

    def keep(ending: str, entry: dict[str, Any]) -> bool:
        for write in ways:
            try:
                if write(ending, entry):
                    return True
            except (FregError, OSError):
                continue
        return False

    ways: list[Way]
    if place == "false":
        return nowhere
    if place == "syslog":
        ways = [_to_syslog]
    elif place == "true":
        ways = [_to(lambda: store), _to_syslog, _to(own_log, new=True)]
    else:
        ways = [_to(lambda: _opened(place), new=True)]
    return keep


def _to(opened: Callable[[], Store], *, new: bool = False) -> Way:
    """Into a store's folder; ``new``: which may be made for it."""

    def write(ending: str, entry: dict[str, Any]) -> bool:
        log = opened()
        if not new and not log.location.startswith("s3://") and not Path(log.location).is_dir():
            return False  # who only asks the register makes no store
        key = _key(entry, ending)
        sealed = {**entry, _DIGEST: _digest(key, entry)}
        return log.write(key, f"{json.dumps(sealed)}\n".encode())

    return write


def _to_syslog(ending: str, entry: dict[str, Any]) -> bool:
    """To the machine's own log, as a message for its administrators (authpriv)."""
    del ending
    if not SYSLOG.is_socket():
        return False
    import syslog

    syslog.openlog("freg", syslog.LOG_PID, syslog.LOG_AUTHPRIV)
    syslog.syslog(syslog.LOG_INFO, json.dumps(entry))
    return True


def own_log() -> Store:
    """Where what nobody else takes is noted: among this user's own data."""
    from freg_pipeline.store.local import LocalStore
    from freg_pipeline.store.own import data_folder

    return LocalStore(data_folder())


def _opened(place: str) -> Store:
    from freg_pipeline.settings import load
    from freg_pipeline.store import open_store

    return open_store(load().model_copy(update={"store": place, "readers": None}))


def _key(entry: dict[str, Any], ending: str) -> str:
    return f"{FOLDER}{entry['when'][:10]}/{entry['id']}.{ending}"


def _read(log: Store, key: str) -> dict[str, Any]:
    """An object, whoever may have changed it; empty where it is none."""
    try:
        entry = json.loads(log.read(key))
    except (ValueError, RecursionError, FregError):
        return {}
    return entry if isinstance(entry, dict) else {}


def _is_of(store: Store, entry: dict[str, Any]) -> bool:
    """Whether an entry names a store, by whichever of a folder's names."""
    told = entry.get("store")
    if told == store.location or not isinstance(told, str) or "://" in told:
        return told == store.location
    return "\0" not in told and os.path.realpath(told) == os.path.realpath(store.location)


def _digest(key: str, entry: dict[str, Any]) -> str:
    """Of an entry and its name: what has changed is told, if not who wrote it anew on purpose."""
    return hashlib.sha256(f"{key}\n{json.dumps(entry)}".encode()).hexdigest()[:16]


def _who() -> dict[str, Any]:
    """The account that runs this, the one that logged in, and the machine's name."""
    try:
        login = int(_LOGIN.read_text())
    except (OSError, ValueError):
        login = _NO_LOGIN
    return {
        "user": _name(os.geteuid()),
        "login": None if login == _NO_LOGIN else _name(login),
        "host": socket.gethostname(),
    }


def _name(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)  # a container's user, whom it doesn't know
