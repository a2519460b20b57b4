"""What settings name beside the store: each that is set is looked at before it is needed.

Nothing is left behind: a folder is tried with one that is gone afterwards, one that isn't there yet
isn't made, and on S3, where those who note what they read may be allowed to write and no more,
nothing is written.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

from freg_pipeline.errors import ConfigurationError, FregError, ObjectMissingError, StoreError
from freg_pipeline.journal.access_log import SYSLOG
from freg_pipeline.load.destination import destination, dlt_destination
from freg_pipeline.load.pipeline import require_dlt
from freg_pipeline.settings import Settings
from freg_pipeline.store import open_store
from freg_pipeline.store.probe import require_writable
from freg_pipeline.store.readers import is_ours

_SEEN_LATER = "that it can be written is seen with the first entry"


def places_said(settings: Settings) -> Iterator[str]:
    """Yield a line for each that is set and as it should be.

    Raises:
        ConfigurationError: the first that isn't; names the setting.
    """
    for name, (label, look) in _LOOKS.items():
        if name not in settings.model_fields_set or getattr(settings, name) in {None, ""}:
            continue
        setting = f"FREG_{name.upper()}"
        try:
            yield f"{label:<14}{look(settings)}"
        except OSError as error:
            place = getattr(settings, name)
            raise ConfigurationError(
                f"{setting} names {place}, which can't be used: {error.strerror}",
                "Name another place, or see that whoever runs this may use it",
            ) from None
        except FregError as error:
            raise ConfigurationError(f"{setting}: {error.what}", error.remedy) from None


def _catalogue(settings: Settings) -> str:
    path = settings.catalogue or Path()
    _require_file(path)
    return f"{path} can be written"


def _lists(settings: Settings) -> str:
    path = settings.lists or Path()
    with os.scandir(path):
        pass
    if not os.access(path, os.X_OK):
        raise _wrong(errno.EACCES)
    return f"{path} can be read"


def _access_log(settings: Settings) -> str:
    place = settings.access_log
    if place == "false":
        return "nothing is noted"
    if place == "true":
        return "lies in the store"
    if place == "syslog":
        if not SYSLOG.is_socket():
            raise ConfigurationError(f"this machine has no {SYSLOG}", "Name a folder in its place")
        return f"goes to this machine's own, by {SYSLOG}"
    log = open_store(settings.model_copy(update={"store": place, "readers": None}))
    if place.startswith("s3://"):
        try:
            log.read("access/check")
        except ObjectMissingError:
            pass
        except StoreError as error:
            if "AccessDenied" not in error.what:
                raise
        return f"{place} answers; {_SEEN_LATER}"
    is_ours(Path(place))
    require_writable(Path(place))
    return f"{place} can be written"


def _copy(settings: Settings) -> str:
    wanted = destination(settings.load_to or "", settings.load_schema)
    if find_spec("dlt") is None:
        require_dlt()  # which says what to install
    path = wanted.path
    if path is None:
        if wanted.where is None:
            require_dlt()
            dlt_destination(wanted)
        return f"{wanted} is well named; freg load tries it"
    if wanted.kind == "delta":
        require_writable(path)
    elif path.parent.is_dir():
        _require_file(path)
    else:
        raise _wrong(errno.ENOTDIR)
    return f"{wanted} can be written"


def _key_prefix(settings: Settings) -> str:
    from freg_pipeline.orchestration.names import Names  # brings Dagster

    return f"{'/'.join(Names.of_prefix(settings.key_prefix).prefix)} begins Dagster's names"


_LOOKS: Mapping[str, tuple[str, Callable[[Settings], str]]] = {
    "catalogue": ("catalogue", _catalogue),
    "lists": ("lists", _lists),
    "access_log": ("access log", _access_log),
    "load_to": ("copy", _copy),
    "key_prefix": ("key prefix", _key_prefix),
}


def _require_file(path: Path) -> None:
    """See that a file can be made, or put in the place of the one that is there."""
    if path.is_dir():
        raise _wrong(errno.EISDIR)
    require_writable(path.parent)


def _wrong(number: int) -> OSError:
    return OSError(number, os.strerror(number))
