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
import threading
from collections.abc import Iterator
from pathlib import Path

import duckdb

from freg_pipeline.errors import ConfigurationError, FregError
from freg_pipeline.interruption import interrupted
from freg_pipeline.lake.excel import for_excel
from freg_pipeline.lake.session import reader
from freg_pipeline.lake.sql import quoted
from freg_pipeline.lake.squeeze import Squeeze, squeeze
from freg_pipeline.lake.statement import relation_of, selected, wrong
from freg_pipeline.store import Store
from freg_pipeline.store.local import sync_to_disk
from freg_pipeline.store.scratch import scratch_beside

_FORMS = {
    "csv": "FORMAT csv, HEADER",
    "json": "FORMAT json, ARRAY true",
    "parquet": "FORMAT parquet, COMPRESSION zstd",
    "excel": "FORMAT csv, HEADER, DELIMITER ';'",
}
_COMPRESSED = {".gz": "gzip", ".zst": "zstd"}
_OPEN_ALREADY = re.compile(r"-|/dev/std(?:out|err)|/(?:dev|proc/self)/fd/(?P<number>\d+)")
_AT_ONCE = 64 * 1024


def render(store: Store, statement: str, *, rows: int = 40) -> tuple[str, int]:
    """A statement's rows as a table of text, and how many there are in all.

    Args:
        store: where the release lies.
        statement: SQL that gives rows.
        rows: so many of them are in the text.

    Raises:
        ConfigurationError: the statement is wrong, or there is no release.
    """
    return shown(reader(store, statement), statement, rows=rows)


def shown(
    connection: duckdb.DuckDBPyConnection, statement: str, *, rows: int = 40
) -> tuple[str, int]:
    """As :func:`render`, over a connection."""
    relation = relation_of(connection, statement)
    try:
        text = str(relation.limit(rows)).rstrip()
        found = len(relation.limit(rows + 1))
        if found > rows:
            (found,) = relation.aggregate("count(*)").fetchall()[0]
    except duckdb.Error as error:
        raise wrong(error) from None
    return text, found


def export(store: Store, statement: str, form: str, output: Path | None) -> int:
    """Write a statement's rows to a file, or to stdout.

    A file is there when it is whole, and private to its owner from the first byte; one that was
    there before stays if the statement fails. What is open already, a pipe or a terminal is written
    to as it stands, from where it stands. A name that ends in .gz or .zst gets what it says.

    Args:
        store: where the release lies.
        statement: SQL that gives rows.
        form: csv, json, parquet or excel.
        output: the file; None: stdout.

    Returns:
        How many rows there are.

    Raises:
        ConfigurationError: the statement is wrong, or no file can be where it should.
        OSError: it can't be written, as on a full disk or to a pipe that nobody reads any more.
    """
    return write_rows(reader(store, statement), statement, form, output)


def write_rows(
    connection: duckdb.DuckDBPyConnection, statement: str, form: str, output: Path | None
) -> int:
    """As :func:`export`, over a connection."""
    squeezed = squeeze(_compression(form, output))
    rows = selected(connection, statement)
    if form == "excel":
        rows = for_excel(connection, rows)
    with opened(output) as target, _pipe_into(target, squeezed) as pipe:
        try:
            copied = connection.execute(
                f"COPY ({rows}\n) TO {quoted(pipe)} ({_FORMS[form]}, USE_TMP_FILE false)"
            )
            ((count,),) = copied.fetchall()
        except duckdb.Error as error:
            raise wrong(error) from None
    return int(count)


def form_of(output: Path | None) -> str | None:
    """The form that a file's name asks for by its ending; None: it asks for none."""
    ending = _ending(output).lstrip(".")
    return ending if ending in _FORMS else None


def _ending(output: Path | None) -> str:
    if output is None:
        return ""
    compressed = output.suffix.lower() in _COMPRESSED
    return Path(output.stem if compressed else output.name).suffix.lower()


def _compression(form: str, output: Path | None) -> str | None:
    kind = _COMPRESSED.get(output.suffix.lower()) if output is not None else None
    if kind is not None and form == "parquet":
        raise ConfigurationError("Parquet is compressed already", "Name the file .parquet")
    return kind


@contextlib.contextmanager
def opened(output: Path | None) -> Iterator[int]:
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
    with contextlib.ExitStack() as stack:
        try:
            whole = stack.enter_context(scratch_beside(output)) / "whole"
            handle = os.open(whole, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise ConfigurationError(
                f"nothing can be written in {output.parent}: {error.strerror}",
                "See to that folder, or correct --output",
            ) from None
        try:
            yield handle
            os.fsync(handle)
        finally:
            os.close(handle)
        whole.replace(output)
    sync_to_disk(output.parent)


@contextlib.contextmanager
def _pipe_into(target: int, squeezed: Squeeze) -> Iterator[str]:
    """The path of a pipe whose content goes into an open file, compressed.

    Raises:
        OSError: that failed; whatever failed here because of it is left out.
    """
    read_end, write_end = os.pipe()
    failed: list[OSError] = []
    pump = threading.Thread(target=_pump, args=(read_end, target, squeezed, failed), daemon=True)
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


def _pump(read_end: int, target: int, squeezed: Squeeze, failed: list[OSError]) -> None:
    try:
        # Told to end, it stops DuckDB, which else first finishes what may be 100 MB.
        while (content := os.read(read_end, _AT_ONCE)) and not interrupted():
            _write_all(target, squeezed.more(content))
        _write_all(target, squeezed.rest())
    except OSError as error:
        failed.append(error)
    finally:
        os.close(read_end)


def _write_all(target: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[_write(target, left) :]


def _write(target: int, content: memoryview) -> int:
    """Write what the target takes; wait for one that takes nothing just now."""
    try:
        return os.write(target, content)
    except BlockingIOError:
        select.select([], [target], [])
        return 0
