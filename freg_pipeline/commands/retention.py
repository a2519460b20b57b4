"""``freg retention``: remove what is kept no longer, or show what would go."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from freg_pipeline.commands.opening import settings, store
from freg_pipeline.commands.options import with_form, with_settings

if TYPE_CHECKING:
    from freg_pipeline.lake.retention import Going


@click.command()
@click.option("--dry-run", is_flag=True, help="Only show what would go.")
@with_form
@with_settings
def retention(*, dry_run: bool, form: str) -> None:
    """Remove what is kept no longer, of each kind.

    By FREG_KEEP_RELEASES and _DAYS, FREG_KEEP_ANSWERS_DAYS, FREG_KEEP_STAGING_DAYS,
    FREG_KEEP_ACCESS_DAYS and, of Dagster's runs, FREG_KEEP_RUNS_DAYS. Nothing that the current
    release, a pinned one or unfinished work needs.
    """
    import msgspec

    from freg_pipeline.feed.standstill import has_records
    from freg_pipeline.lake.retention import Going, Keeping, retain

    # Records first: if a setting names none that can be used, nothing is gone yet.
    runs = _tidied(dry_run=dry_run) if has_records(settings()) else 0
    told = retain(store(), Keeping.of(settings()), dry_run=dry_run)
    told.append(Going("runs", runs))
    if form == "json":
        click.echo(msgspec.json.format(msgspec.json.encode(told), indent=2).decode())
        return
    click.echo("Would go:" if dry_run else "Gone:")
    for one in told:
        click.echo(f"  {_line(one)}")


def _tidied(*, dry_run: bool) -> int:
    """How many of Dagster's runs are old, and gone unless it is a dry run."""
    from freg_pipeline.orchestration.engine import tidy_records  # brings Dagster
    from freg_pipeline.orchestration.resources import Freg

    return tidy_records(Freg.from_settings(settings()), dry_run=dry_run)


def _line(one: Going) -> str:
    if not one.objects:
        return f"{one.kind:<9} nothing"
    if one.kind == "runs":
        return f"{one.kind:<9} {one.objects:,} of Dagster's, with what is recorded of them"
    since = "" if one.oldest is None else f", the oldest of {one.oldest:%Y-%m-%d}"
    numbers = f", releases {one.releases[0]} to {one.releases[-1]}" if one.releases else ""
    return f"{one.kind:<9} {one.objects:,} objects, {one.size / 1e6:,.1f} MB{since}{numbers}"
