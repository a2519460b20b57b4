"""The register's single services as commands, and ``freg check``."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal

import click

from freg_pipeline.commands.asking import ask, given_or_read, note_question, parts_of, show, write
from freg_pipeline.commands.opening import settings
from freg_pipeline.commands.options import with_format, with_settings
from freg_pipeline.errors import ConfigurationError

if TYPE_CHECKING:
    from freg_pipeline.client import Register
    from freg_pipeline.client.answers import Answer


@click.command()
@with_settings
def sekvensnummer() -> None:
    """The number of the last event in the event list."""
    click.echo(ask(lambda register: register.hendelser.siste_sekvensnummer()))


@click.command()
@click.argument("seq", type=click.IntRange(min=0))
@click.option(
    "--format", "form", type=click.Choice(["json", "atom", "xml"]), default="json",
    show_default=True,
)  # fmt: skip
@with_settings
def feed(seq: int, form: Literal["json", "atom", "xml"]) -> None:
    """A page of the event list: up to 1,000 events from SEQ."""
    show(ask(lambda register: register.hendelser.feed(seq, form=form)).raw)


@click.command()
@click.argument("which", type=click.Choice(["person", "hendelse", "feed"]))
@with_settings
def xsd(which: str) -> None:
    """The contract in force, of documents or the event list.

    An XSD: of a person's document, of an event's, or of the event list itself.
    """
    questions = {
        "person": lambda register: register.personer.xsd(),
        "hendelse": lambda register: register.hendelser.xsd(),
        "feed": lambda register: register.hendelser.feedxsd(),
    }
    write(ask(questions[which]))


@click.command()
@click.argument("identifikator", metavar="ID")
@with_format
@with_settings
def person(identifikator: str, form: str | None) -> None:
    """One person's document by identity number, as it is given.

    Or - for ID, and the number on stdin, so that no list of processes and no history has it.
    """
    from freg_pipeline.identifiers import parse

    try:
        number = parse(given_or_read(identifikator, "identity number")).number
    except ValueError as error:
        raise ConfigurationError(f"that is not an identity number: {error}", "Correct it") from None

    parts = settings().parts
    note_question("person")

    async def question(register: Register) -> Answer:
        return await register.personer.person(number, await parts_of(register, parts))

    show(ask(question, form))


@click.command("person-arkiv")
@click.argument("identifikator", metavar="DOKUMENTID")
@with_format
@with_settings
def person_arkiv(identifikator: str, form: str | None) -> None:
    """One archived document of a person, by its identifier.

    Or - for DOKUMENTID, and the identifier on stdin.
    """
    wanted, parts = _document(given_or_read(identifikator, "document identifier")), settings().parts
    note_question("person-arkiv")

    async def question(register: Register) -> Answer:
        return await register.personer.arkiv(wanted, await parts_of(register, parts))

    show(ask(question, form))


@click.command()
@click.argument("identifikator", metavar="ID")
@with_format
@with_settings
def hendelse(identifikator: str, form: str | None) -> None:
    """One event's document, by its identifier.

    The event list has it as hendelsesdokument.
    """
    wanted = _document(identifikator)
    note_question("hendelse")
    show(ask(lambda register: register.hendelser.hendelse(wanted), form))


def _document(identifier: str) -> str:
    """A document's identifier. Nothing is published about its form; dots alone lead elsewhere."""
    if not identifier.strip(". \t\r\n"):
        raise ConfigurationError("that is not a document identifier", "Correct it")
    return identifier.strip()


@click.command()
@with_settings
def check() -> None:
    """Check settings, access and store before the first order.

    And what the register says to them: its contract, and what the package of rights may call.
    """
    from freg_pipeline.preflight import preflight

    async def tell() -> None:
        async for line in preflight(settings()):
            click.echo(line)

    asyncio.run(tell())
