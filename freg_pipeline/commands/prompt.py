"""The prompt of ``freg sql``: statements over several lines, until one ends with a semicolon.

By the standard library's readline, with history as long as the prompt lasts: a statement may hold
names and identity numbers, so none is kept in a file. Ctrl-C cancels what is being typed or
computed, Ctrl-D ends.
"""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

import click

from freg_pipeline.commands.statements import Noting, show_all
from freg_pipeline.errors import UnforeseenError
from freg_pipeline.foreseen import foreseen
from freg_pipeline.interruption import ctrl_c_cancels
from freg_pipeline.lake.statement import has_ended
from freg_pipeline.outside import masked

if TYPE_CHECKING:
    import duckdb

_FIRST, _MORE = "freg> ", "  ..> "
_ENDS = {"exit", "quit", r"\q"}


def prompt(connection: duckdb.DuckDBPyConnection, note: Noting) -> None:
    """Ask for statements, and show what each gives, until there is no more to read."""
    with contextlib.suppress(ImportError):  # a Python without it still has a prompt
        import readline

        readline.set_auto_history(True)
    click.echo(
        "End a statement with ;  Ctrl-C cancels, Ctrl-D ends. SHOW TABLES; lists the tables."
    )
    with ctrl_c_cancels():
        while True:
            try:
                text = _statement()
                if text is None:
                    break
                _answer(connection, text, note)
            except KeyboardInterrupt:
                click.echo("cancelled", err=True)
            except Exception as error:
                _tell(error)
    click.echo()


def _answer(connection: duckdb.DuckDBPyConnection, text: str, note: Noting) -> None:
    """Show what statements give. Raises KeyboardInterrupt when they are cancelled.

    DuckDB works in a thread, so that this one hears Ctrl-C whatever DuckDB is at.
    """
    failed: list[Exception] = []
    done = threading.Event()  # a thread's own join, once interrupted, takes it for ended

    def work() -> None:
        try:
            show_all(connection, text, note)
        except Exception as error:
            failed.append(error)
        finally:
            done.set()

    threading.Thread(target=work, daemon=True).start()
    try:
        done.wait()
    except KeyboardInterrupt:
        while not done.is_set():  # it may not have begun when it is first told
            with contextlib.suppress(KeyboardInterrupt):
                connection.interrupt()
                done.wait(0.2)
        raise
    if failed:
        raise failed[0]


def _statement() -> str | None:
    """What is typed until a statement ends with a semicolon; None: there is no more."""
    lines: list[str] = []
    while True:
        try:
            line = input(_MORE if lines else _FIRST)
        except EOFError:
            return "\n".join(lines) if lines else None
        if not lines and line.strip().rstrip(";") in _ENDS:
            return None
        if line.strip() or lines:
            lines.append(line)
        if has_ended(text := "\n".join(lines)):
            return text


def _tell(error: Exception) -> None:
    """Say what went wrong, in one line; the prompt goes on."""
    said = str(foreseen(error) or UnforeseenError(error))
    click.echo(f"Error: {masked(' '.join(said.split()))}", err=True)
