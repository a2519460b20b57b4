"""``freg changes``: what a copy of the tables has to be told of, as files."""

from __future__ import annotations

import click

from freg_pipeline.commands.opening import output_place, store_to_read
from freg_pipeline.commands.options import with_settings


@click.command()
@click.option(
    "--since",
    required=True,
    metavar="RELEASE|POSITION",
    help="What the copy has: a release by its six digits (000012), a position of the event list, "
    "or 0: nothing.",
)
@click.option("--table", "tables", multiple=True, help="This table only; may be repeated.")
@click.option(
    "--output",
    required=True,
    metavar="DIR|s3://…",
    help="A new folder, private to you, or a new place on S3.",
)
@click.option(
    "--hashes",
    is_flag=True,
    help="Tell what each table holds afterwards: rows, and a hash of them. Reads all of it.",
)
@with_settings
def changes(since: str, tables: tuple[str, ...], output: str, hashes: bool) -> None:
    """Write what a copy of the tables has to be told of.

    Two Parquet files a table: the keys whose rows are to be deleted, and the rows to be inserted
    then. manifest.json tells which state they lead to: the next --since.
    """
    from freg_pipeline.changes.difference import changes as changes_between
    from freg_pipeline.changes.folder import write_changes
    from freg_pipeline.changes.since import state_since
    from freg_pipeline.journal.access_log import note_access
    from freg_pipeline.journal.releases import require_current
    from freg_pipeline.lake.content import contents

    lies = store_to_read()
    after = require_current(lies)
    noted = note_access(lies, "changes", tables=tables)
    before = state_since(lies, since)
    by_position = before is not None and before.number != since
    with changes_between(lies, before, after, tables) as found:
        held = contents(lies, after, tables) if hashes else {}
        place = output_place(output)
        written = write_changes(found, place, tables, held, by_position=by_position)
    rows = sum(one.upserts.rows for one in written.tables.values())
    noted.gave(rows)
    click.echo(
        f"{output}: {rows:,} rows in {len(written.tables)} tables lead to release "
        f"{written.after.release} (position {written.after.sekvensnummer}). The next ones: "
        f"--since {written.after.release}"
    )
