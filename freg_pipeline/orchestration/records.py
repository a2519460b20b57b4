"""Where Dagster's records of what ran lie: with DAGSTER_HOME, else in the store's own folder."""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path

import yaml  # type: ignore[import-untyped]
from dagster import DagsterInstance, DagsterInvalidConfigError
from dagster._check import CheckError
from dagster._core.instance.ref import InstanceRef

from freg_pipeline.errors import ConfigurationError, StoreError
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline.store.scratch import alone_in, scratch_here

_SETTINGS = """\
telemetry:
  enabled: false
event_log_storage: # in one file, where Dagster would make one of 115 kB for each run
  module: freg_pipeline.orchestration.event_log
  class: EventsInOneFile
run_storage: # with connections that stay open, too
  module: freg_pipeline.orchestration.event_log
  class: RunsInOneFile
compute_logs: # nothing: what a command has to say, it says
  module: dagster._core.storage.noop_compute_log_manager
  class: NoOpComputeLogManager
"""


_NOTE = """Dagster's records of what ran. Set DAGSTER_HOME to this folder to see them on its page.
"""


@contextmanager
def begin_records(freg: Freg) -> Iterator[tuple[DagsterInstance, Path | None]]:
    """Dagster's records, to be written: DAGSTER_HOME's, else the store's; for S3 none that last.

    Yields:
        The instance, and its folder, where it has one.

    Raises:
        ConfigurationError: DAGSTER_HOME or the folder's dagster.yaml is wrong.
        StoreError: the folder can't be written.
    """
    home = _home(freg)
    if home is not None and home.is_dir() and not _can_keep(home):
        raise StoreError(
            f"Dagster's records in {home} can't be written", "Use a store that you can write to"
        )
    with alone(home):
        opened = _instance(home)
    with opened as instance:
        yield instance, home


@contextmanager
def open_records(freg: Freg) -> Iterator[DagsterInstance | None]:
    """Dagster's records, to be read: DAGSTER_HOME's, else the store's; None: there are none here.

    Raises:
        ConfigurationError: DAGSTER_HOME or the folder's dagster.yaml is wrong.
    """
    told = os.environ.get("DAGSTER_HOME")
    is_local = not freg.settings.store.startswith("s3://")
    home = _checked(Path(told)) if told else Path(freg.settings.store) / "dagster"
    if not (told or is_local) or not _can_keep(home):  # SQLite writes while it reads
        yield None
        return
    with alone(home):
        opened = _instance(home)
    with opened as instance:
        yield instance


def _home(freg: Freg) -> Path | None:
    told = os.environ.get("DAGSTER_HOME")
    if told:
        return _checked(Path(told))
    if freg.settings.store.startswith("s3://"):
        return None
    freg.store.write("dagster/README.md", _NOTE.encode())  # also makes the folder, privately
    settings = "dagster/dagster.yaml"
    if not freg.store.write(settings, _SETTINGS.encode()) and not freg.store.read(settings):
        freg.store.replace(settings, _SETTINGS.encode())  # emptied: Dagster would tell its makers
    return Path(freg.settings.store) / "dagster"


def _checked(home: Path) -> Path:
    """DAGSTER_HOME, if Dagster can work with it; it tells what is wrong by a traceback."""
    if not home.is_absolute():
        wrong = "is no full path"
    elif not home.exists():
        wrong = "doesn't exist"
    elif not home.is_dir():
        wrong = "is no folder"
    elif set("?%") & set(str(home)):
        wrong = "holds ? or %, which Dagster's database can't open"
    else:
        return home
    raise ConfigurationError(
        f"DAGSTER_HOME ({home}) {wrong}",
        "Set it to the full path of a folder, or unset it to keep Dagster's records in the store",
    )


def _instance(home: Path | None) -> DagsterInstance:
    if home is None:
        return DagsterInstance.ephemeral()
    settings = home / "dagster.yaml"
    try:
        if os.environ.get("DAGSTER_HOME"):
            return DagsterInstance.get()
        return DagsterInstance.from_ref(InstanceRef.from_dir(_alias(home)))
    except (yaml.YAMLError, DagsterInvalidConfigError, CheckError, UnicodeDecodeError):
        raise ConfigurationError(f"{settings} is wrong", "Correct it, or move it away") from None


def _can_keep(home: Path) -> bool:
    """Whether records can be kept: there, or at a server, for which nothing is written there."""
    if os.access(home, os.W_OK):
        return True
    try:
        settings = yaml.safe_load((home / "dagster.yaml").read_text())
    except OSError:
        return False
    except yaml.YAMLError:
        return True  # which is told of where it is opened
    return isinstance(settings, dict) and "storage" in settings


def _alias(home: Path) -> str:
    """A path that Dagster can make a database's URL of: one that holds a % it can't."""
    if "%" not in str(home):
        return str(home)
    used = ExitStack()
    link = used.enter_context(scratch_here()) / "dagster"
    atexit.register(used.close)
    link.symlink_to(home)
    return str(link)


def alone(home: Path | None) -> AbstractContextManager[None]:
    """Keep this machine's other processes out of an instance's folder for a moment.

    Dagster makes its SQLite files and adds partitions with a look first and a write after: of two
    processes that begin at once, one would fail.
    """
    if home is None or not home.is_dir():
        return nullcontext()
    return alone_in(home, required=True)
