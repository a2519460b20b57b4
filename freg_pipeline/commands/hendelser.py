"""``freg hendelser``: keep the current release current."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import click

from freg_pipeline.commands.opening import settings
from freg_pipeline.commands.options import remember, with_settings, with_strictness

if TYPE_CHECKING:
    from freg_pipeline.feed.standstill import Opened
    from freg_pipeline.journal.manifest import Facts
    from freg_pipeline.orchestration.run_feed import Synced, Syncing

logger = logging.getLogger(__name__)


@click.group()
def hendelser() -> None:
    """Keep the release current by the register's event list."""


@hendelser.command()
@click.option("--follow", is_flag=True, help="Keep running until interrupted.")
@click.option(
    "--follow-seconds",
    type=float,
    expose_value=False,
    callback=remember,
    help="Seconds between polls for new events.",
)
@click.option(
    "--full-load-when-too-old",
    is_flag=True,
    expose_value=False,
    callback=remember,
    help="Make a new full load if the event list no longer reaches back to the release.",
)
@with_strictness
@with_settings
def sync(follow: bool, **strictness: bool) -> None:
    """Bring the current release up to the register's latest event."""
    from freg_pipeline.feed.standstill import at_standstill, opening

    with opening(settings()) as opened:
        current = None if follow else at_standstill(opened)
        if current is None:
            _sync(opened, strictness, follow=follow)
        else:
            _tell_nothing_new(current, "up to date")


def _sync(opened: Opened, strictness: dict[str, bool], *, follow: bool) -> None:
    from freg_pipeline.console import progress
    from freg_pipeline.orchestration.config import ReleaseConfig
    from freg_pipeline.orchestration.resources import Freg
    from freg_pipeline.orchestration.run_feed import syncing

    with (
        progress() as begin,
        syncing(Freg.of(opened, begin), ReleaseConfig(**strictness)) as work,
    ):
        if follow:
            _follow(work)
        else:
            _tell(work.once())


def _follow(work: Syncing) -> None:
    """Sync whenever there is news, until interrupted. What passes is waited for."""
    from freg_pipeline.errors import PassingError

    while True:
        try:
            _tell(work.once())
        except PassingError as error:
            logger.warning("%s", error)
        work.wait()


def _tell_nothing_new(release: Facts, behind: str) -> None:
    click.echo(f"Release {release.number}: nothing new, {behind} at {release.sekvensnummer}")


def _tell(synced: Synced) -> None:
    manifest = synced.manifest
    behind = f"{synced.events_behind:,} events behind" if synced.events_behind else "up to date"
    if not synced.releases:
        _tell_nothing_new(manifest, behind)
        return
    more = f" (the last of {synced.releases})" if synced.releases > 1 else ""
    click.echo(
        f"Release {manifest.number}{more}: {synced.events:,} events, {synced.persons:,} persons "
        f"looked up in {synced.seconds:.1f} s; {behind} at {manifest.sekvensnummer}"
    )
    unusual = {
        "event documents that the register doesn't give": synced.without_document,
        "events that name neither a person nor a document": synced.not_followed,
    }
    told = [f"{count:,} {what}" for what, count in unusual.items() if count]
    if told:
        click.echo(f"Left out, and named in avvik: {'; '.join(told)}")
