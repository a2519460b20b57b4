"""``freg uttrekk``: order, fetch and release."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from freg_pipeline.commands.completion import EVERY_UTTREKK, OPEN_UTTREKK
from freg_pipeline.commands.listed import seekable
from freg_pipeline.commands.opening import settings, store
from freg_pipeline.commands.options import (
    split_criteria,
    with_criteria,
    with_settings,
    with_strictness,
)
from freg_pipeline.criteria.tilpasset import TilpassetKriterier
from freg_pipeline.journal.kinds import AnyKind, Komplett, Tilpasset

if TYPE_CHECKING:
    from freg_pipeline.journal.manifest import Manifest
    from freg_pipeline.journal.uttrekk import Uttrekk
    from freg_pipeline.store import Store


logger = logging.getLogger(__name__)


with_name = click.option(
    "--name",
    help="The uttrekk's name; an unfinished one of that name is resumed.",
    shell_complete=OPEN_UTTREKK,
)


@click.group()
def uttrekk() -> None:
    """Fetch and release everyone, a selection, or your own list."""


@uttrekk.command()
@click.option("--feedsekvensnr", type=click.IntRange(min=0), help="Where to begin.")
@with_name
@with_strictness
@with_settings
def komplett(feedsekvensnr: int | None, name: str | None, **strictness: bool) -> None:
    """Everyone: order, poll, fetch, normalise, release.

    Meant for the first load, and from time to time for what events don't report. Tell the
    register's staff before a large one.
    """
    _run(Komplett(feedsekvensnr), name, strictness)


@uttrekk.command()
@with_criteria(TilpassetKriterier)
@with_name
@with_strictness
@with_settings
def tilpasset(name: str | None, **options: Any) -> None:
    """A selection: order, poll, fetch, normalise, release."""
    kriterier, strictness = split_criteria(TilpassetKriterier, options)
    _run(Tilpasset(kriterier), name, strictness)


@uttrekk.command()
@click.argument("source", metavar="FILE", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--column", help="The column that holds the numbers.")
@with_name
@with_strictness
@with_settings
def liste(source: Path, column: str | None, name: str | None, **strictness: bool) -> None:
    """Your own list of identity numbers: text, CSV, Parquet.

    Or - for FILE, and the list on stdin.
    """
    from freg_pipeline.console import malformed_lines, progress
    from freg_pipeline.extract.liste import malformed_of
    from freg_pipeline.orchestration.config import ReleaseConfig
    from freg_pipeline.orchestration.resources import Freg
    from freg_pipeline.orchestration.run import run_liste

    def tell_malformed(of: Uttrekk) -> None:
        for line in malformed_lines(malformed_of(of)):
            click.echo(line, err=True)

    with (
        progress() as begin,
        seekable(source) as path,
        Freg.from_settings(settings(), begin) as freg,
    ):
        manifest = run_liste(
            freg,
            path,
            column=column,
            name=name,
            release=ReleaseConfig(**strictness),
            opened=tell_malformed,
        )
    tell_release(manifest, freg.store)


def _run(kind: AnyKind, name: str | None, strictness: dict[str, bool]) -> None:
    from freg_pipeline.console import progress
    from freg_pipeline.orchestration.config import ReleaseConfig
    from freg_pipeline.orchestration.resources import Freg
    from freg_pipeline.orchestration.run import run_uttrekk

    with progress() as begin, Freg.from_settings(settings(), begin) as freg:
        manifest = run_uttrekk(freg, kind, name=name, release=ReleaseConfig(**strictness))
    tell_release(manifest, freg.store)


def tell_release(manifest: Manifest, store: Store) -> None:
    """Say what was released."""
    from freg_pipeline.console import release_lines

    click.echo("\n".join(release_lines(manifest, store)))


@uttrekk.command()
@click.argument("name", required=False, shell_complete=EVERY_UTTREKK)
@with_settings
def status(name: str | None) -> None:
    """Show the progress of every uttrekk, or of one."""
    from freg_pipeline.console import status_table
    from freg_pipeline.errors import DamagedError
    from freg_pipeline.journal.status import read_status
    from freg_pipeline.journal.uttrekk import Uttrekk

    lies = store()
    if name:
        click.echo(status_table([read_status(Uttrekk(lies, name))]))
        return
    found = []
    for one in Uttrekk.list_all(lies):
        try:
            found.append(read_status(one))
        except DamagedError as error:  # the others are told all the same
            logger.warning("%s", error)
    click.echo(status_table(found))


@uttrekk.command()
@click.argument("name", shell_complete=OPEN_UTTREKK)
@click.option(
    "--order-again",
    is_flag=True,
    help="Order again if it is unknown whether the register got the order.",
)
@with_strictness
@with_settings
def resume(name: str, order_again: bool, **strictness: bool) -> None:
    """Resume an uttrekk where it stopped."""
    from freg_pipeline.console import progress
    from freg_pipeline.journal.uttrekk import Uttrekk
    from freg_pipeline.orchestration.config import ReleaseConfig
    from freg_pipeline.orchestration.resources import Freg
    from freg_pipeline.orchestration.run import carry_on
    from freg_pipeline.orchestration.run_feed import syncing

    with progress() as begin, Freg.from_settings(settings(), begin) as freg:
        one = Uttrekk(freg.store, name)
        if one.kind.is_sync:  # it follows from the release: there is no order
            with syncing(freg, ReleaseConfig(**strictness)) as work:
                manifest = work.once().manifest
        else:
            manifest = carry_on(
                freg, one, order_again=order_again, release=ReleaseConfig(**strictness)
            )
    tell_release(manifest, freg.store)


@uttrekk.command()
@click.argument("name", shell_complete=OPEN_UTTREKK)
@with_settings
def abandon(name: str) -> None:
    """Give an uttrekk up: nothing goes on with it.

    What came of it may be purged.
    """
    from freg_pipeline.journal.uttrekk import Uttrekk

    Uttrekk(store(), name).abandon()
    click.echo(f"{name} is abandoned: nothing will continue it")
