"""``freg soek`` and ``freg entydigsoek``: find persons by what is known of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from freg_pipeline.commands.asking import ask, given_or_read, note_question, parts_of, show
from freg_pipeline.commands.opening import settings
from freg_pipeline.commands.options import (
    split_criteria,
    with_criteria,
    with_format,
    with_settings,
    with_strictness,
)
from freg_pipeline.commands.uttrekk import tell_release, with_name
from freg_pipeline.criteria.entydig import EntydigKriterier
from freg_pipeline.criteria.soek import SoekKriterier
from freg_pipeline.errors import ConfigurationError

if TYPE_CHECKING:
    from freg_pipeline.client import Register
    from freg_pipeline.client.answers import Answer


@click.command()
@with_criteria(SoekKriterier)
@click.option("--uttrekk", is_flag=True, help="Look the hits up and release them as tables.")
@with_name
@with_strictness
@with_format
@with_settings
def soek(
    form: str | None,
    uttrekk: bool,
    name: str | None,
    **options: Any,
) -> None:
    """The numbers of everyone who matches all criteria.

    A criterion that is - comes on stdin, a line each, so that no list of processes and no history
    has it.

    With --uttrekk their documents, released as tables.
    """
    kriterier, strictness = split_criteria(SoekKriterier, _read(options))
    if uttrekk:
        _release(kriterier, form, name, strictness)
        return
    if name is not None:
        raise ConfigurationError(
            "a search without --uttrekk keeps nothing, so it has no name", "Add --uttrekk"
        )
    note_question("soek")
    show(ask(lambda register: register.personer.soek(kriterier), form).raw)


def _read(criteria: dict[str, Any]) -> dict[str, Any]:
    """The criteria, with those that are ``-`` read from stdin in the options' order."""
    return {
        name: given_or_read(value, name) if isinstance(value, str) else value
        for name, value in criteria.items()
    }


def _release(
    kriterier: SoekKriterier, form: str | None, name: str | None, strictness: dict[str, bool]
) -> None:
    from freg_pipeline.console import progress
    from freg_pipeline.orchestration.config import ReleaseConfig
    from freg_pipeline.orchestration.resources import Freg
    from freg_pipeline.orchestration.run import run_soek

    with progress() as begin, Freg.from_settings(settings(form), begin) as freg:
        manifest = run_soek(freg, kriterier, name=name, release=ReleaseConfig(**strictness))
    tell_release(manifest, freg.store)


@click.command()
@with_criteria(EntydigKriterier)
@with_format
@with_settings
def entydigsoek(form: str | None, **criteria: Any) -> None:
    """The document of the one person who matches all criteria.

    A criterion that is - comes on stdin, a line each, so that no list of processes and no history
    has it.
    """
    kriterier = EntydigKriterier(**_read(criteria))

    parts = settings().parts
    note_question("entydigsoek")

    async def question(register: Register) -> Answer:
        return await register.personer.entydigsoek(kriterier, await parts_of(register, parts))

    show(ask(question, form))
