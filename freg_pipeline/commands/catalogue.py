"""``freg catalogue``: write the file that readers open, for where they read it."""

from __future__ import annotations

import click

from freg_pipeline.commands.options import remember, store, with_settings


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
@with_settings
def catalogue() -> None:
    """Write freg.duckdb anew, for another place of the store too.

    Each sync and compaction writes the one at its usual place anew: what is to hold for that too
    belongs in FREG_CATALOGUE and FREG_CATALOGUE_ROOT.
    """
    from freg_pipeline.lake.catalogue import refresh_catalogue
    from freg_pipeline.lake.place import catalogue_path

    lies = store()
    click.echo(f"Written: {refresh_catalogue(lies)}")
    path = catalogue_path(lies)
    folders = [] if path is None else lies.reading.readers.closed_folders(path)
    closed = ", ".join(map(str, folders))
    if closed:
        click.echo(f"Warning: those whom FREG_READERS names can't enter {closed}", err=True)
