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
from dataclasses import dataclass
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
_SYSLOG = Path("/dev/log")
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


def entries(
    store: Store, since: date | None = None, damaged: list[str] | None = None
) -> Iterator[dict[str, Any]]:
    """What is noted of a store, the earliest first: a day at a time.

    From where FREG_ACCESS_LOG says; else from the store and what this user keeps on this machine.

    Args:
        store: which.
        since: from that day on.
        damaged: takes the names of objects that aren't as they were written, and are left out.
    """
    log = log_of(store)
    logs = [store, own_log()] if log is store else [log]
    first = "" if since is None else since.isoformat()
    days = sorted({day for log in logs for day in log.folders(FOLDER) if day >= first})
    for day in days:
        found: dict[str, dict[str, Any]] = {}
        keys = [(log, key) for log in logs for key in log.list(f"{FOLDER}{day}/")]
        for log, key in sorted(keys, key=lambda one: one[1]):  # .json before .rows.json
            entry = _read(log, key)
            if entry is None and damaged is not None:
                damaged.append(f"{key} in {log.location}")
            if entry is not None and (log is store or entry.get("store") == store.location):
                found[entry["id"]] = entry
        yield from sorted(found.values(), key=lambda one: str(one.get("when")))


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
    if not _SYSLOG.is_socket():
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


def _read(log: Store, key: str) -> dict[str, Any] | None:
    try:
        entry: dict[str, Any] = json.loads(log.read(key))
        if entry.pop(_DIGEST) == _digest(key, entry):
            return entry
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, FregError):
        pass
    logger.warning("%s in %s isn't as it was written: it is left out", key, log.location)
    return None


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
