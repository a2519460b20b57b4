"""``freg catalogue``: write what readers open, for where they read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from freg_pipeline.commands.opening import store
from freg_pipeline.commands.options import remember, with_settings
from freg_pipeline.errors import ConfigurationError
from freg_pipeline.journal.registered import FORMATS

if TYPE_CHECKING:
    from freg_pipeline.store import Store


@click.command()
@click.option(
    "--root",
    "catalogue_root",
    metavar="PATH",
    expose_value=False,
    callback=remember,
    help="What those who open it call the store's root: a folder as it is mounted there, or s3://…",
)
@click.option(
    "--output",
    "catalogue",
    metavar="FILE",
    expose_value=False,
    callback=remember,
    help="Where to write it: a .duckdb file, or a folder.  [default: its usual place]",
)
@click.option(
    "--format",
    "forms",
    type=click.Choice(["duckdb", *FORMATS]),
    multiple=True,
    help="iceberg or delta: register the base's files as tables of theirs, without copying; may be "
    "repeated.  [default: duckdb]",
)
@click.option(
    "--withdraw", is_flag=True, help="Take the tables of --format iceberg or delta away again."
)
@with_settings
def catalogue(forms: tuple[str, ...], *, withdraw: bool) -> None:
    """Write freg.duckdb anew, for another place of the store too.

    Each sync and compaction writes the one at its usual place anew: what is to hold for that too
    belongs in FREG_CATALOGUE and FREG_CATALOGUE_ROOT. Tables of Iceberg and Delta show the state of
    the last full load or compaction; FREG_OPEN_FORMATS has them made with each. Those that there
    are and that are damaged are written anew with a catalogue that lies in the store.
    """
    if withdraw and (not forms or "duckdb" in forms):
        raise ConfigurationError(
            "--withdraw takes tables of Iceberg or Delta away",
            "Say which: --format iceberg, --format delta or both",
        )
    lies = store()
    for form in dict.fromkeys(forms or ["duckdb"]):
        if withdraw:
            _withdraw(lies, form)
        elif form == "duckdb":
            _duckdb(lies)
        else:
            _register(lies, form)


def _duckdb(lies: Store) -> None:
    from freg_pipeline.lake.catalogue import refresh_catalogue
    from freg_pipeline.lake.open_tables import renew
    from freg_pipeline.lake.place import catalogue_path, lies_in

    click.echo(f"Written: {refresh_catalogue(lies)}")
    path = catalogue_path(lies)
    if path is None or lies_in(lies, path):  # one elsewhere is for whoever may only read the store
        renew(lies, lies.reading.formats, thorough=True)
    folders = [] if path is None else lies.reading.readers.closed_folders(path)
    closed = ", ".join(map(str, folders))
    if closed:
        click.echo(f"Warning: those whom FREG_READERS names can't enter {closed}", err=True)


def _register(lies: Store, form: str) -> None:
    from freg_pipeline.lake.open_tables import register

    told = register(lies, form)
    click.echo(
        f"{form}: {len(told.tables)} tables of release {told.release}, as of position "
        f"{told.sekvensnummer}: the last full load or compaction"
    )
    for place in told.tables.values():
        click.echo(f"  {place}")


def _withdraw(lies: Store, form: str) -> None:
    from freg_pipeline.lake.open_tables import withdraw

    withdraw(lies, form)
    click.echo(f"{form}: taken away")
