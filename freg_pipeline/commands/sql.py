"""``freg sql``: questions to a release, from the command line, a file, a pipe or a prompt."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from freg_pipeline.commands.as_of import earlier_state, with_as_of
from freg_pipeline.commands.opening import store_to_read
from freg_pipeline.commands.options import with_settings
from freg_pipeline.commands.statements import Noting, show_all
from freg_pipeline.errors import ConfigurationError

if TYPE_CHECKING:
    import duckdb

    from freg_pipeline.lake.statement import Statement

FORMS = ("table", "csv", "json", "parquet", "excel")


@click.command()
@click.argument("statement", required=False)
@click.option(
    "--file",
    "file",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    help="A file of SQL, in place of STATEMENT.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMS),
    help="A table to look at, unless the file's name says more; excel: CSV that a double-click "
    "opens in a Norwegian Excel, with leading zeros kept.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    help="A file, private to you; .csv, .json and .parquet say the format, .gz and .zst compress.",
)
@with_as_of
@with_settings
def sql(
    statement: str | None,
    file: Path | None,
    form: str | None,
    output: Path | None,
    as_of: int | datetime | None,
) -> None:
    """Query the current release, or an earlier state.

    STATEMENT is one or more statements. Without it they come on stdin, or, on a terminal, at a
    prompt. Nothing is written but by --output: statements read, or prepare what others read (SET
    VARIABLE, CREATE TEMP TABLE, VIEW or MACRO).
    """
    from freg_pipeline.lake.session import reader
    from freg_pipeline.lake.statement import lock, statements

    text = _text(statement, file)
    if text is None:
        from freg_pipeline.commands.prompt import prompt

        if form is not None or output is not None:
            raise ConfigurationError("there is no statement", 'Give it: freg sql "SELECT …"')
        lies = store_to_read()
        state = earlier_state(lies, as_of)
        connection = reader(lies, "comment", state=state)
        lock(connection)
        prompt(connection, Noting(lies, connection, state))
        return
    form = _form(form, output)
    lies = store_to_read()
    state = earlier_state(lies, as_of)
    connection = reader(lies, text, state=state)
    lock(connection)
    note = Noting(lies, connection, state, written=output is not None)
    if form == "table":
        show_all(connection, text, note)
        return
    parsed = statements(connection, text)
    rows_of = [one for one in parsed if one.gives_rows]
    if not rows_of:
        raise ConfigurationError("no statement gives rows", "Write a SELECT")
    if len(rows_of) > 1 and (output is not None or form == "parquet"):
        raise ConfigurationError(
            f"{len(rows_of)} statements give rows, and a file holds those of one",
            "Give one at a time, or leave --output out",
        )
    _write_all(connection, parsed, form, output, note)


def _text(given: str | None, file: Path | None) -> str | None:
    """What is asked; None: it is to be asked for at a prompt."""
    if file is not None:
        if given is not None:
            raise ConfigurationError("both a statement and --file are given", "Give one of them")
        try:
            return file.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            raise ConfigurationError(f"{file} is not UTF-8", "Save it as UTF-8") from None
    if given is not None and given != "-":
        return given
    if sys.stdin is None:
        raise ConfigurationError("there is no statement", 'Give it: freg sql "SELECT …"')
    if given is None and sys.stdin.isatty():
        return None
    return sys.stdin.read()


def _form(given: str | None, output: Path | None) -> str:
    """The form that is asked for, by name or by the file's ending."""
    from freg_pipeline.lake.export import form_of

    form = given or form_of(output) or ("table" if output is None else "csv")
    if form == "parquet" and output is None:
        raise ConfigurationError("Parquet needs a file", "Name it with --output")
    return "csv" if form == "table" and output is not None else form


def _write_all(
    connection: duckdb.DuckDBPyConnection,
    parsed: Iterable[Statement],
    form: str,
    output: Path | None,
    note: Noting,
) -> None:
    from freg_pipeline.lake.excel import MOST_ROWS
    from freg_pipeline.lake.export import write_rows
    from freg_pipeline.lake.statement import prepare

    for one in parsed:
        noted = note(one)
        if not one.gives_rows:
            prepare(connection, one)
            continue
        count = write_rows(connection, one.text, form, output)
        noted.gave(count)
        if form == "excel" and count > MOST_ROWS:
            click.echo(f"Excel opens the first {MOST_ROWS:,} of {count:,} rows", err=True)
