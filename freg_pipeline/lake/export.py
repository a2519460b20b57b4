"""A statement's rows as text to look at, and in a stream or a file.

DuckDB writes them, as CSV, JSON or Parquet, into a pipe of this process; from there they go into
the stream that was given, or into a file that gets its name when it is whole. DuckDB never opens
the target itself: it would begin it anew, for everyone to read, and could open no socket.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import duckdb

from freg_pipeline.errors import ConfigurationError, FregError
from freg_pipeline.interruption import interrupted
from freg_pipeline.lake.query import connect_for, query
from freg_pipeline.lake.sql import quoted
from freg_pipeline.lake.statement import selected, wrong
from freg_pipeline.store import Store
from freg_pipeline.store.local import sync_to_disk

_FORMS = {
    "csv": "FORMAT csv, HEADER",
    "json": "FORMAT json, ARRAY true",
    "parquet": "FORMAT parquet, COMPRESSION zstd",
}
_OPEN_ALREADY = re.compile(r"-|/dev/std(?:out|err)|/(?:dev|proc/self)/fd/(?P<number>\d+)")
_AT_ONCE = 64 * 1024


def render(
    store: Store, statement: str, *, rows: int = 40, as_of: int | None = None
) -> tuple[str, int]:
    """A statement's rows as a table of text, and how many there are in all.

    Args:
        store: where the release lies.
        statement: SQL that gives rows.
        rows: so many of them are in the text.
        as_of: the event list's position whose state is asked for; None: the current one.

    Raises:
        ConfigurationError: the statement is wrong, or there is no release.
    """
    relation = query(store, statement, as_of=as_of)
    try:
        text = str(relation.limit(rows)).rstrip()
        found = len(relation.limit(rows + 1))
        if found > rows:
            (found,) = relation.aggregate("count(*)").fetchall()[0]
    except duckdb.Error as error:
        raise wrong(error) from None
    return text, found


def export(
    store: Store, statement: str, form: str, output: Path | None, *, as_of: int | None = None
) -> None:
    """Write a statement's rows to a file, or to stdout.

    A file is there when it is whole, and private to its owner from the first byte; one that was
    there before stays if the statement fails. What is open already, a pipe or a terminal is written
    to as it stands, from where it stands.

    Args:
        store: where the release lies.
        statement: SQL that gives rows.
        form: csv, json or parquet.
        output: the file; None: stdout.
        as_of: the event list's position whose state is asked for; None: the current one.

    Raises:
        ConfigurationError: the statement is wrong, or no file can be where it should.
        OSError: it can't be written, as on a full disk or to a pipe that nobody reads any more.
    """
    connection = connect_for(store, statement, as_of=as_of)
    rows = selected(connection, statement)
    with _opened(output) as target, _pipe_into(target) as pipe:
        try:
            connection.execute(
                f"COPY ({rows}\n) TO {quoted(pipe)} ({_FORMS[form]}, USE_TMP_FILE false)"
            )
        except duckdb.Error as error:
            raise wrong(error) from None


@contextlib.contextmanager
def _opened(output: Path | None) -> Iterator[int]:
    """What is written to, as an open file."""
    known = _OPEN_ALREADY.fullmatch("-" if output is None else str(output))
    if output is None or known:
        number = known and known["number"]
        with os.fdopen(os.dup(int(number) if number else _standard(output)), "wb") as copy:
            yield copy.fileno()
        return
    output = output.resolve()  # a link stays, and leads to the new file
    if output.exists() and not output.is_file():  # a pipe, a terminal
        with output.open("wb", buffering=0) as special:
            yield special.fileno()
        return
    with _new_file(output) as file:
        yield file


def _standard(output: Path | None) -> int:
    stream = sys.stderr if str(output) == "/dev/stderr" else sys.stdout
    if stream is None:
        raise ConfigurationError("stdout is closed", "Name a file with --output")
    stream.flush()  # what was printed before comes first
    return stream.fileno()


@contextlib.contextmanager
def _new_file(output: Path) -> Iterator[int]:
    """A private file that gets its name when it is whole, and is gone when it isn't."""
    try:
        handle, name = tempfile.mkstemp(dir=output.parent, prefix=f".{output.name[:100]}.")  # 0600
    except OSError as error:
        raise ConfigurationError(
            f"nothing can be written beside {output}: {error.strerror}", "Correct --output"
        ) from None
    temporary = Path(name)
    try:
        try:
            yield handle
            os.fsync(handle)
        finally:
            os.close(handle)
        temporary.replace(output)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_to_disk(output.parent)


@contextlib.contextmanager
def _pipe_into(target: int) -> Iterator[str]:
    """The path of a pipe whose content goes into an open file.

    Raises:
        OSError: that failed; whatever failed here because of it is left out.
    """
    read_end, write_end = os.pipe()
    failed: list[OSError] = []
    pump = threading.Thread(target=_pump, args=(read_end, target, failed), daemon=True)
    pump.start()
    try:
        yield f"/dev/fd/{write_end}"
    except FregError:  # DuckDB's, as there is no reader any more
        _finish(write_end, pump)
        if not failed:
            raise
    except BaseException:  # an interruption: the reader of the target may never read on
        os.close(write_end)
        raise
    else:
        _finish(write_end, pump)
    if failed:
        raise failed[0]


def _finish(write_end: int, pump: threading.Thread) -> None:
    os.close(write_end)
    pump.join()


def _pump(read_end: int, target: int, failed: list[OSError]) -> None:
    try:
        # Told to end, it stops DuckDB, which else first finishes what may be 100 MB.
        while (content := os.read(read_end, _AT_ONCE)) and not interrupted():
            left = memoryview(content)
            while left:
                left = left[_write(target, left) :]
    except OSError as error:
        failed.append(error)
    finally:
        os.close(read_end)


def _write(target: int, content: memoryview) -> int:
    """Write what the target takes; wait for one that takes nothing just now."""
    try:
        return os.write(target, content)
    except BlockingIOError:
        select.select([], [target], [])
        return 0
