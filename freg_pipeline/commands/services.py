"""The register's single services as commands, and ``freg check``."""

from __future__ import annotations

import asyncio
import sys

import click

from freg_pipeline.commands.options import ask, settings, store, with_settings
from freg_pipeline.errors import ConfigurationError


@click.command()
@with_settings
def sekvensnummer() -> None:
    """The number of the last event in the register's event list."""
    click.echo(ask(lambda register: register.hendelser.siste_sekvensnummer()))


@click.command()
@click.argument("which", type=click.Choice(["person"]))
@with_settings
def xsd(which: str) -> None:
    """The contract in force."""
    del which
    sys.stdout.buffer.write(ask(lambda register: register.personer.xsd()))


@click.command()
@click.argument("identifikator", metavar="ID")
@with_settings
def person(identifikator: str) -> None:
    """One person's document by identity number, as the register gives it."""
    from freg_pipeline.identifiers import parse

    try:
        number = parse(identifikator).number
    except ValueError as error:
        raise ConfigurationError(f"that is no identity number: {error}", "Correct it") from None
    parts = settings().parts
    answer = ask(lambda register: register.personer.person(number, parts))
    sys.stdout.buffer.write(answer.body + b"\n")


@click.command()
@with_settings
def check() -> None:
    """Settings, store, register and contract, before the first order."""
    from freg_pipeline.preflight import preflight

    for line in asyncio.run(preflight(settings(), store())):
        click.echo(line)
