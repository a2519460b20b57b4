"""``freg load``: a copy of the tables in a warehouse, kept current."""

from __future__ import annotations

from pathlib import Path

import click

from freg_pipeline.commands.by_rules import chosen, with_rules
from freg_pipeline.commands.opening import settings, store
from freg_pipeline.commands.options import with_settings


@click.command()
@click.argument("destination", required=False)
@click.option("--schema", help="The schema that the tables are in.  [default: freg]")
@click.option("--full", is_flag=True, help="Load all of it anew, whatever is there.")
@with_rules
@with_settings
def load(
    destination: str | None,
    schema: str | None,
    full: bool,
    pseudonymise: Path | None,
    rules: Path | None,
    profile: str | None,
) -> None:
    """Bring a copy in a warehouse to the current release.

    DESTINATION is duckdb:FILE, delta:FOLDER, delta:s3://bucket/prefix,
    postgresql://user@host/database, or another that dlt knows by its name (snowflake, mssql,
    bigquery, …). Without it: FREG_LOAD_TO. The first time everything is loaded, later what has
    changed. What was interrupted is to be run again.

    Credentials come as dlt's users know: DESTINATION__POSTGRES__CREDENTIALS__PASSWORD in the
    environment, or .dlt/secrets.toml.

    With rules (--rules or --profile) it is such a copy as freg export makes by them, loaded whole
    each time.
    """
    from freg_pipeline.errors import ConfigurationError
    from freg_pipeline.load.by_rules import ByRules
    from freg_pipeline.load.destination import NAMED
    from freg_pipeline.load.destination import destination as named
    from freg_pipeline.load.loading import load as bring

    set_up = settings()
    where = destination or set_up.load_to
    if where is None:
        raise ConfigurationError("no destination is named", f"Name {NAMED} destinations")
    wanted = named(where, schema or set_up.load_schema)
    told = chosen(pseudonymise, rules, profile)
    loaded = bring(store(), wanted, anew=full, by=ByRules(*told) if told else None)
    shown = f"release {loaded.release} (position {loaded.sekvensnummer})"
    if loaded.since == loaded.release:
        click.echo(f"{wanted} is at {shown} already")
        return
    since = f"from release {loaded.since}" if loaded.since else "loaded whole"
    if loaded.erased:
        since += ", as persons have been erased"
    click.echo(f"{wanted} is at {shown}, {since}: {loaded.rows:,} rows sent")
