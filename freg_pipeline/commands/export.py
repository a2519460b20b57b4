"""``freg export``: a copy of the current release in another form."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from freg_pipeline.commands.options import settings, store_to_read, with_settings

if TYPE_CHECKING:
    from freg_pipeline.store import Store

LAYOUTS = ("plain",)


@click.command()
@click.argument("output", metavar="OUTPUT")
@click.option(
    "--layout",
    type=click.Choice(LAYOUTS),
    default="plain",
    show_default=True,
    help="plain: a Parquet file for each table, as its view shows it.",
)
@click.option("--table", "tables", multiple=True, help="This table or view only; may be repeated.")
@with_settings
def export(output: str, layout: str, tables: tuple[str, ...]) -> None:
    """Write a copy of the current release, in another form.

    OUTPUT is a new folder, private to you and there when it is whole, or a new place on S3. In it
    lie a Parquet file for each table, and manifest.json, which tells the files, their rows and
    hashes, and which state they show.
    """
    from freg_pipeline.export.folder import write_export
    from freg_pipeline.export.layouts import Plain
    from freg_pipeline.export.relations import tables_to_copy
    from freg_pipeline.journal.access_log import note_access
    from freg_pipeline.journal.releases import require_current

    lies = store_to_read()
    manifest = require_current(lies)
    noted = note_access(lies, "export", tables=tables)
    written = write_export(
        lies,
        manifest,
        place(output),
        tables_to_copy(lies, manifest, tables),
        Plain(manifest),
        layout,
    )
    rows = sum(one.file.rows for one in written.tables.values())
    noted.gave(rows)
    click.echo(
        f"{output}: {rows:,} rows in {len(written.tables)} tables of release {written.release} "
        f"(position {written.sekvensnummer})"
    )


def place(named: str) -> Path | Store:
    """Where a copy goes: a folder, or a place on S3."""
    if not named.startswith("s3://"):
        return Path(named)
    from freg_pipeline.store import open_store

    return open_store(settings().model_copy(update={"store": named}))
