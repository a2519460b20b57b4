"""``freg dbt-sources``: the register's tables as sources of a dbt project."""

from __future__ import annotations

from pathlib import Path

import click

from freg_pipeline.commands.options import store, with_settings
from freg_pipeline.errors import ConfigurationError


@click.command("dbt-sources")
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where to write it, within the project's models.  [default: stdout]",
)
@click.option(
    "--key-prefix",
    metavar="PREFIX",
    help="As build_defs has it for this store, so that dagster-dbt finds its tables.",
)
@with_settings
def dbt_sources(output: Path | None, key_prefix: str | None) -> None:
    """Describe the tables to dbt, as its sources.

    With texts, types, tests and freshness, by the contract of the current release. The source is
    called freg, and so is the catalogue where the project attaches it; with a key prefix,
    PREFIX__freg.
    """
    from freg_pipeline.lake.dbt_sources import Naming, of_release

    naming = Naming()
    if key_prefix:
        from freg_pipeline.orchestration.names import Names

        names = Names.of_prefix(key_prefix)
        naming = Naming(names.resource, names.prefix)
    told = of_release(store(), naming)
    if output is None:
        click.echo(told, nl=False)
        return
    if not output.parent.is_dir():
        raise ConfigurationError(f"there is no folder {output.parent}", "Name one, or make it")
    output.write_text(told, encoding="utf-8")
    click.echo(f"Written: {output}")
