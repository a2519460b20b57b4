"""Commands in processes that are forked from this one, which has imported what they need."""

from __future__ import annotations

import atexit
import hashlib
import json
import logging
import os
import re
import sys
import traceback
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from freg_pipeline_tests.command import carry_out
from freg_pipeline_tests.damage.commands import Command
from freg_pipeline_tests.damage.prepared import STORE

_VARYING = (
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z| UTC|\+00:00)?"), "MOMENT"),
    (re.compile(r"\b[a-z]{16}\b"), "ID"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f-]{27}\b"), "ID"),
    (re.compile(r"\b\d+(\.\d+)? (s|seconds?|ms|minutes?)\b"), "TIME"),
    (re.compile(r'("[a-z_]*(seconds|bytes|minutes)[a-z_]*": )[\d.]+'), r"\1N"),
)


@dataclass(frozen=True)
class Said:
    """What came of a command.

    Attributes:
        code: its exit code; negative: the signal that ended it.
        out: on stdout, without what varies from time to time.
        err: on stderr.
        wrote: what it wrote beside the store, in short.
        plain: all that it said, as it said it.
    """

    code: int
    out: str
    err: str
    wrote: Any = None
    plain: str = ""


def said(command: Command, folder: Path, environment: dict[str, str]) -> Said:
    """Run a command in a folder with a store."""
    out, err = folder / ".out", folder / ".err"
    for one in (out, err):
        one.write_bytes(b"")
    whole = {
        **os.environ, **environment, **command.settings,
        "FREG_STORE": str(folder / STORE), "HOME": str(folder),
        "XDG_DATA_HOME": str(folder / ".own"),
    }  # fmt: skip
    code = _forked(lambda: carry_out(command.arguments, folder, whole, out, err, None))
    wrote = None
    if command.writes is not None and code == 0:
        wrote = found(lambda: written(folder / str(command.writes)), folder)
    plain = "\n".join(one.read_text(errors="replace") for one in (err, out))
    return Said(code, _lasting(out, folder), _lasting(err, folder), wrote, plain)


def state(folder: Path) -> Any:
    """What a store's readers see, or why they can't."""
    return found(lambda: _state(folder / STORE), folder)


def fingerprint(folder: Path) -> str:
    """Of all that readers see: it is the same where the files are."""
    digest = hashlib.sha256()
    store = folder / STORE
    for name in ("releases", "bases", "deltas", "contracts", "erasures", "pins"):
        for path in sorted((store / name).rglob("*")):
            if path.is_file():
                told = path.stat()
                content = path.read_bytes() if told.st_nlink == 1 else str(told.st_ino).encode()
                digest.update(f"{path.relative_to(store)} {len(content)} ".encode() + content)
    return digest.hexdigest()


def found(work: Callable[[], Any], folder: Path) -> Any:
    """What is found in a process of its own; a text: what kept it from that."""
    answer = folder / ".answer"

    def told() -> None:
        try:
            result = work()
        except Exception as error:  # whatever it is: told as what is found
            result = f"{type(error).__name__}: {error}".replace(str(folder), "FOLDER")
        answer.write_text(json.dumps(result, default=str))

    answer.unlink(missing_ok=True)
    _forked(told)
    return json.loads(answer.read_text()) if answer.exists() else "it died"


def _state(store: Path) -> Any:
    from freg_pipeline.journal.keptout import kept_out
    from freg_pipeline.journal.pins import pins
    from freg_pipeline.journal.pointer import numbers
    from freg_pipeline.journal.releases import require_current
    from freg_pipeline.lake.query import connect
    from freg_pipeline.lake.whole import require_whole_release
    from freg_pipeline.store.local import LocalStore

    lies = LocalStore(store)
    manifest = require_current(lies)
    require_whole_release(lies, manifest)
    with connect(lies, manifest) as connection:
        names = [name for (name,) in connection.execute(_VIEWS).fetchall()]
        tables = {name: _sum(connection, f"(SELECT {_LASTING} FROM {name})") for name in names}
    return {
        "tables": tables,
        "sekvensnummer": manifest.sekvensnummer,
        "current": manifest.number,
        "releases": numbers(lies),
        "pins": sorted(pins(lies).items()),
        "kept out": sorted(one.hex() for one in kept_out(lies).digests),
    }


def written(path: Path) -> Any:
    """What a command wrote, by table: rows, and a sum of their hashes."""
    import duckdb

    if path.is_file():
        with duckdb.connect(str(path), read_only=True) as database:
            names = database.execute(_TABLES).fetchall()
            views = "(SELECT view_name, sql FROM duckdb_views() WHERE NOT internal)"
            return {
                "views": _sum(database, views),
                **{name: _sum(database, f"(SELECT {_OURS} FROM {name})") for (name,) in names},
            }
    with closing(duckdb.connect()) as database:
        return {
            str(one.relative_to(path)): _sum(database, f"'{one}'")
            for one in sorted(path.rglob("*.parquet"))
        }


_TABLES = (
    "SELECT schema_name || '.\"' || table_name || '\"' FROM duckdb_tables() "
    "WHERE NOT starts_with(table_name, '_dlt') ORDER BY ALL"
)
_VIEWS = (
    "SELECT '\"' || view_name || '\"' FROM duckdb_views() "
    "WHERE NOT internal AND NOT starts_with(view_name, '_') AND view_name <> 'utgivelse' "
    "ORDER BY ALL"
)
_LASTING = "COLUMNS(name -> name <> 'hentet')"  # when it was asked for is another time each time
_OURS = "COLUMNS(name -> NOT starts_with(name, '_dlt'))"


def _sum(database: Any, relation: str) -> Any:
    return database.execute(f"SELECT count(*), sum(hash(t))::VARCHAR FROM {relation} t").fetchone()


def _lasting(path: Path, folder: Path) -> str:
    text = path.read_text(errors="replace").replace(str(folder), "FOLDER")
    for pattern, name in _VARYING:
        text = pattern.sub(name, text)
    return text


def _forked(work: Callable[[], None]) -> int:
    """Do something in a process of its own; return how that ended."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        code = 1
        atexit._clear()  # what is to be done at the end of the process that this one was
        logging.getLogger().handlers.clear()  # pytest's: what is told is for stderr
        try:
            work()
            code = 0
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 1
        except BaseException:
            traceback.print_exc()
        finally:
            atexit._run_exitfuncs()
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)
