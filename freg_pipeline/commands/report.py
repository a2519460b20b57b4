"""``freg release report``: a page about a release."""

from __future__ import annotations

from pathlib import Path

import click

from freg_pipeline.commands.completion import RELEASES
from freg_pipeline.commands.opening import store
from freg_pipeline.commands.options import with_settings


@click.command()
@click.argument("number", required=False, shell_complete=RELEASES)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    help="The file, readable by you only.  [default: freg-release-NUMBER.html]",
)
@with_settings
def report(number: str | None, output: Path | None) -> None:
    """Write a page about a release, for those who answer for it.

    One HTML file that needs no network, about the current release by default. It shows what the
    release holds, its accounting and checks, persons by age, kommune and year, and the tables; and
    no figure that could point at a person.
    """
    from freg_pipeline.report.page import write_report

    written = write_report(store(), output, number)
    if str(written) != "-":
        click.echo(f"Written: {written}")
