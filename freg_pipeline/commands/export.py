"""``freg export``: a copy of the current release in another form."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from freg_pipeline.commands.by_rules import chosen, with_keys_and_rules
from freg_pipeline.commands.opening import output_place, store_to_read
from freg_pipeline.commands.options import with_settings
from freg_pipeline.errors import ConfigurationError

if TYPE_CHECKING:
    from freg_pipeline.export.folder import Export
    from freg_pipeline.export.pseudonymised import RuledExport
    from freg_pipeline.journal.manifest import Manifest
    from freg_pipeline.pseudonyms.key import Key
    from freg_pipeline.pseudonyms.rules import Rules
    from freg_pipeline.store import Store

LAYOUTS = ("plain", "dapla")


@click.command()
@click.argument("output", metavar="OUTPUT")
@click.option(
    "--layout",
    type=click.Choice(LAYOUTS),
    default="plain",
    show_default=True,
    help="plain: a Parquet file for each table, as its view shows it. dapla: by Statistics "
    "Norway's conventions of names, types and descriptions.",
)
@click.option(
    "--data-version",
    type=click.IntRange(min=1),
    help="Of --layout dapla: the version in the files' names.  [default: 1]",
)
@click.option("--table", "tables", multiple=True, help="This table or view only; may be repeated.")
@with_keys_and_rules
@with_settings
def export(
    output: str,
    layout: str,
    data_version: int | None,
    tables: tuple[str, ...],
    pseudonymise: Path | None,
    rules: Path | None,
    profile: str | None,
) -> None:
    """Write a copy of the current release, in another form.

    OUTPUT is a new folder, private to you and there when it is whole, or a new place on S3. In it
    lie a Parquet file for each table, and manifest.json, which tells the files, their rows and
    hashes, and which state they show.

    With rules (--rules or --profile) only the columns that they name go out, identity numbers as
    pseudonyms (--pseudonymise). Such a copy is still personal data.
    """
    from freg_pipeline.export.dapla import Dapla
    from freg_pipeline.export.folder import write_export
    from freg_pipeline.export.layouts import Layout, Plain
    from freg_pipeline.export.relations import tables_to_copy
    from freg_pipeline.journal.access_log import note_access
    from freg_pipeline.journal.releases import require_current

    told = chosen(pseudonymise, rules, profile)
    if told and layout != "plain":
        raise ConfigurationError("a copy by rules is plain", "Leave out --layout")
    if data_version is not None and layout != "dapla":
        raise ConfigurationError("--data-version is for --layout dapla", "Leave it out")
    lies = store_to_read()
    manifest = require_current(lies)
    if told:
        _by_rules(lies, manifest, output, tables, *told)
        return
    form: Layout = Plain(manifest)
    if layout == "dapla":
        form = Dapla(manifest, output, data_version or 1)
    copied = tables_to_copy(lies, manifest, tables)
    noted = note_access(lies, "export", tables=tables)
    written = write_export(lies, manifest, output_place(output), copied, form, layout)
    rows = sum(one.file.rows for one in written.tables.values())
    noted.gave(rows)
    _tell(output, written, rows)


def _by_rules(
    store: Store,
    manifest: Manifest,
    output: str,
    tables: tuple[str, ...],
    rules: Rules,
    key: Key | None,
) -> None:
    from freg_pipeline.export.pseudonymised import write_by_rules
    from freg_pipeline.journal.access_log import note_access
    from freg_pipeline.lake.landing import load_plan
    from freg_pipeline.pseudonyms.allowed import copied_tables

    offered = copied_tables(load_plan(store, manifest.contract))
    named = [name for name in tables or rules.tables if name in offered]
    noted = note_access(store, "export by rules", tables=named)
    written = write_by_rules(store, manifest, output_place(output), rules, key, tables)
    rows = sum(one.file.rows for one in written.tables.values())
    noted.gave(rows)
    _tell(output, written, rows)
    if written.missing:
        click.echo(
            f"{len(written.missing)} of the tables and columns that the rules name aren't in the "
            "release: see missing in manifest.json",
            err=True,
        )
    replaced = sum(sum(one.replaced.values()) for one in written.tables.values())
    if replaced:
        click.echo(
            f"{replaced:,} values held an identity number where none belongs; they are NULL in the "
            "copy: see replaced in manifest.json",
            err=True,
        )


def _tell(output: str, written: Export | RuledExport, rows: int) -> None:
    click.echo(
        f"{output}: {rows:,} rows in {len(written.tables)} tables of release {written.release} "
        f"(position {written.sekvensnummer})"
    )
