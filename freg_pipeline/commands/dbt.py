"""``freg dbt-sources``: the register's tables as sources of a dbt project."""

from __future__ import annotations

import re
from pathlib import Path

import click

from freg_pipeline.commands.opening import settings
from freg_pipeline.commands.options import remember, with_settings
from freg_pipeline.errors import ConfigurationError
from freg_pipeline.outside import showable

_NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)


@click.command("dbt-sources")
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where to write it, within the project's models.  [default: stdout]",
)
@click.option(
    "--source",
    metavar="NAME",
    default="freg",
    show_default=True,
    help="What dbt calls them, and the catalogue where the project attaches it.",
)
@click.option(
    "--key-prefix",
    metavar="PREFIX",
    expose_value=False,
    callback=remember,
    help="As build_defs has it for this store: dagster-dbt finds the tables' assets by it."
    "  [default: FREG_KEY_PREFIX]",
)
@with_settings
def dbt_sources(output: Path | None, source: str) -> None:
    """Describe the tables to dbt, as its sources.

    With texts, types, tests and freshness, by the contract of the current release.
    """
    from freg_pipeline.lake.dbt_sources import Naming, of_release
    from freg_pipeline.store import open_store

    if not _NAME.fullmatch(source):
        raise ConfigurationError(
            f"{showable(source)!r} can't be a source's name",
            "Use English letters, digits and underscores, a letter first",
        )
    given = settings()
    prefix: tuple[str, ...] = ()
    if given.key_prefix:
        from freg_pipeline.orchestration.names import Names  # and Dagster with it

        prefix = Names.of_prefix(given.key_prefix).prefix
    told = of_release(open_store(given), Naming(source, prefix))
    if output is None:
        click.echo(told, nl=False)
        return
    if not output.parent.is_dir():
        raise ConfigurationError(f"there is no folder {output.parent}", "Name one, or make it")
    output.write_text(told, encoding="utf-8")
    click.echo(f"Written: {output}")
