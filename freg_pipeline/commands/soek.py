"""``freg soek`` and ``freg entydigsoek``: find persons by what is known of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from freg_pipeline.commands.options import (
    F,
    ask,
    parts_of,
    settings,
    show,
    split_strictness,
    with_format,
    with_settings,
    with_strictness,
)
from freg_pipeline.commands.uttrekk import tell_release
from freg_pipeline.errors import ConfigurationError

if TYPE_CHECKING:
    from freg_pipeline.client import Register, SoekKriterier
    from freg_pipeline.client.answers import Answer

_FONETISK = click.option("--soek-fonetisk", is_flag=True, help="Names that sound alike, too.")
_GRUNNLAG = click.option(
    "--opplysningsgrunnlag", help="gjeldende, or historisk: earlier names and addresses, too."
)


def _with(*options: Callable[[F], F]) -> Callable[[F], F]:
    def add(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return add


_ADDRESS = _with(
    click.option("--adressenavn", help="A street's name, or its beginning; 3 letters or more."),
    click.option("--husnummer", help="With or without its letter: 7, 7B."),
    click.option("--postnummer", help="Four digits."),
)


@click.command()
@click.option("--navn", help="One or more whole words of the name.")
@click.option("--kjoenn", help="kvinne or mann.")
@click.option("--foedselsdato", help="YYYYMMDD.")
@click.option("--foedselsaar-fra-og-med", help="A year.")
@click.option("--foedselsaar-til-og-med", help="A year.")
@_ADDRESS
@click.option("--kommunenummer", help="Four digits.")
@click.option("--fylkesnummer", help="Two digits.")
@click.option("--inkluder-oppholdsadresse", is_flag=True, help="Search oppholdsadresse, too.")
@_FONETISK
@click.option("--inkluder-doede", is_flag=True, help="The dead, too.")
@_GRUNNLAG
@click.option("--maks-treff", type=int, help="At most so many hits; the register gives 10,000.")
@click.option("--uttrekk", is_flag=True, help="Look the hits up, and release them as tables.")
@click.option("--name", help="The uttrekk's name; one that is under way is gone on with.")
@with_strictness
@with_format
@with_settings
def soek(
    form: str | None,
    uttrekk: bool,
    name: str | None,
    **options: Any,
) -> None:
    """The numbers of those whom all criteria fit; with --uttrekk, their documents as tables."""
    from freg_pipeline.client import SoekKriterier

    strictness, criteria = split_strictness(options)
    kriterier = SoekKriterier(**criteria)
    if uttrekk:
        _release(kriterier, form, name, strictness)
        return
    if name is not None:
        raise ConfigurationError("a search that isn't kept has no name", "Add --uttrekk")
    show(ask(lambda register: register.personer.soek(kriterier), form).raw)


def _release(
    kriterier: SoekKriterier, form: str | None, name: str | None, strictness: dict[str, bool]
) -> None:
    from freg_pipeline.console import progress
    from freg_pipeline.orchestration.config import ReleaseConfig
    from freg_pipeline.orchestration.resources import Freg
    from freg_pipeline.orchestration.run import run_soek

    with progress() as begin:
        freg = Freg.from_settings(settings(form), begin)
        manifest = run_soek(freg, kriterier, name=name, release=ReleaseConfig(**strictness))
    tell_release(manifest, freg.store)


@click.command()
@click.option("--navn", help="First name first, last name last; whole words.")
@click.option("--identifikasjonsnummer", help="foedselsnummer or D-nummer, current or earlier.")
@click.option("--foedselsdato", help="YYYYMMDD.")
@_ADDRESS
@click.option("--utenlandskpersonidentifikasjon", help="With the country: ARG-876.")
@click.option("--legitimasjonsdokument", help="With the country: IRL-195509132386.")
@click.option("--utlendingsmyndighetenesidentifikasjonsnummer", help="DUF-nummer.")
@_FONETISK
@_GRUNNLAG
@with_format
@with_settings
def entydigsoek(form: str | None, **criteria: Any) -> None:
    """The document of the one person whom name and other criteria fit."""
    from freg_pipeline.client import EntydigKriterier

    kriterier = EntydigKriterier(**criteria)

    async def question(register: Register) -> Answer:
        return await register.personer.entydigsoek(kriterier, await parts_of(register))

    show(ask(question, form))
