"""One question to the register: who asks it, that it is noted, and how its answer is shown."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from freg_pipeline.commands.opening import settings, store

if TYPE_CHECKING:
    from freg_pipeline.client import Register
    from freg_pipeline.client.answers import Answer


def ask(question: Callable[[Register], Any], form: str | None = None) -> Any:
    """Ask the register one thing.

    Args:
        question: as :class:`~freg_pipeline.client.session.Session` takes it: it runs in another
            thread, in which there is no command, and so neither :func:`settings` nor :func:`store`.
        form: json or xml, else as the settings say.
    """
    from freg_pipeline.client import Register
    from freg_pipeline.client.environments import base_url
    from freg_pipeline.client.session import Session
    from freg_pipeline.errors import StoreError
    from freg_pipeline.journal.home import has_met
    from freg_pipeline.store import open_store

    asked = settings(form)

    def known() -> bool:
        try:
            return has_met(open_store(asked), base_url(asked))
        except StoreError:  # a question needs none
            return False

    with Session(lambda: Register.from_settings(asked, known=known)) as session:
        return session.ask(question)


def given_or_read(value: str, what: str) -> str:
    """A value of the command line; ``-``: the next line of stdin, hidden where it is typed.

    So that no number stands in the list of processes, which all on a machine see, nor in a shell's
    history.

    Raises:
        ConfigurationError: there is no such line.
    """
    if value != "-":
        return value
    from freg_pipeline.errors import ConfigurationError

    if sys.stdin is not None and sys.stdin.isatty():
        return str(click.prompt(what, hide_input=True, err=True))
    line = "" if sys.stdin is None else sys.stdin.readline()
    if not line.strip():
        raise ConfigurationError(f"there is no {what} on stdin", "Give it as a line")
    return line.strip()


def note_question(command: str) -> None:
    """Note that somebody asks the register for persons, before they do.

    Raises:
        ConfigurationError: it can't be noted, and FREG_ACCESS_LOG_REQUIRED is set.
    """
    from freg_pipeline.errors import StoreError
    from freg_pipeline.journal.access_log import note_access, own_log

    try:
        lies = store()
    except StoreError:  # a question needs none
        lies = own_log()
    note_access(lies, command)


async def parts_of(register: Register, configured: tuple[str, ...]) -> tuple[str, ...]:
    """The parts to ask for in one look-up; "all but" is read by the contract in force.

    Args:
        register: whom to ask.
        configured: as settings name them.
    """
    if not configured:  # all of them: no contract is looked at
        return configured
    from freg_pipeline.contract import compile_contract
    from freg_pipeline.extract.parts import ALL
    from freg_pipeline.extract.probe import chosen_parts

    if ALL not in configured:
        return configured
    plan = compile_contract(await register.personer.xsd())
    return (await chosen_parts(register, configured, plan))[0].landed


def show(answer: Answer) -> None:
    """Print an answer, and nothing else: JSON so that people can read it, XML as it came."""
    import msgspec

    from freg_pipeline.envelope import is_xml
    from freg_pipeline.readable import read_json

    def indented(body: bytes) -> bytes:
        return msgspec.json.format(body, indent=2)

    body = answer.body
    if not is_xml(body):
        with suppress(ValueError):  # what is no JSON is shown as it came, too
            body = read_json(indented, body)
    write(body + b"\n")


def write(body: bytes) -> None:
    """Put bytes on stdout, and see that they got there."""
    sys.stdout.buffer.write(body)
    sys.stdout.buffer.flush()
