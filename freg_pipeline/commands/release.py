"""``freg release`` and ``freg compact``: looking after releases."""

from __future__ import annotations

import logging

import click

from freg_pipeline.commands.asking import ask
from freg_pipeline.commands.completion import PINS, RELEASES
from freg_pipeline.commands.opening import settings, store
from freg_pipeline.commands.options import with_form, with_settings
from freg_pipeline.commands.report import report
from freg_pipeline.errors import ConfigurationError, FregError

logger = logging.getLogger(__name__)


@click.command()
@click.option("--force", is_flag=True, help="Even if little has been replaced.")
@with_settings
def compact(force: bool) -> None:
    """Merge the release's base and deltas into a new base.

    Its content stays the same, and becomes cheaper to read.
    """
    from freg_pipeline.console import progress, release_lines
    from freg_pipeline.journal.releases import require_current
    from freg_pipeline.lake.catalogue import renew_catalogue
    from freg_pipeline.lake.compact import begin_compaction, needs_compaction, pieces
    from freg_pipeline.lake.compact import compact as compact_release

    lies, told = store(), settings()
    needed = needs_compaction(
        require_current(lies), share=told.compact_share, deltas=told.compact_deltas
    )
    compaction = begin_compaction(lies) if force or needed else None
    if compaction is None:
        click.echo("Nothing to compact.")
        return
    with progress() as begin:
        manifest = compact_release(lies, compaction, begin("compaction", len(pieces(compaction))))
    renew_catalogue(lies)
    click.echo("\n".join(release_lines(manifest, lies)))


@click.group()
def release() -> None:
    """List, check, show, restore and purge releases."""


release.add_command(report)


@release.command("list")
@with_form
@with_settings
def list_releases(form: str) -> None:
    """List all releases, with the current one marked.

    Those that can't be read are named after the others.
    """
    from freg_pipeline.console import release_table
    from freg_pipeline.journal.pins import readable_pins
    from freg_pipeline.journal.pointer import current_number
    from freg_pipeline.journal.releases import readable_releases
    from freg_pipeline.lake.facts import release_facts

    lies = store()
    (releases, damage), (kept, damaged_pins) = readable_releases(lies), readable_pins(lies)
    current = current_number(lies)
    if form == "json":
        _tell([release_facts(one, current, kept) for one in releases])
    elif releases or not damage:
        click.echo(release_table(releases, current, kept))
    damage += damaged_pins
    for one in damage[:-1]:
        logger.warning("%s", one)
    for last in damage[-1:]:
        raise last


@release.command()
@click.argument("number", required=False, shell_complete=RELEASES)
@with_form
@click.option(
    "--hashes",
    is_flag=True,
    help="Hash each table's rows, to compare with a copy's. Reads all of them.",
)
@with_settings
def show(number: str | None, form: str, hashes: bool) -> None:
    """Show a release's tables, its accounting, and what it took.

    Of the current release by default.

    Rows are those that readers see, so that a copy can be reconciled with them: by their number,
    and by --hashes.
    """
    from freg_pipeline.console import measures_lines, release_lines, tables_table
    from freg_pipeline.journal.pins import pins
    from freg_pipeline.journal.pointer import current_number
    from freg_pipeline.journal.releases import read_manifest, require_current
    from freg_pipeline.lake.content import contents
    from freg_pipeline.lake.counts import all_rows_of
    from freg_pipeline.lake.facts import release_facts, table_facts

    lies = store()
    manifest = read_manifest(lies, number) if number else require_current(lies)
    held = contents(lies, manifest) if hashes else {}
    tables = table_facts(manifest, all_rows_of(lies, manifest), held)
    if form == "json":
        facts = release_facts(manifest, current_number(lies), pins(lies))
        _tell({**facts, "tables": tables})
    else:
        lines = [*release_lines(manifest, lies), *measures_lines(manifest.measures)]
        click.echo("\n".join([*lines, "", tables_table(tables)]))


def _tell(facts: object) -> None:
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(facts), indent=2).decode())


@release.command()
@click.argument("number", required=False, shell_complete=RELEASES)
@with_settings
def verify(number: str | None) -> None:
    """Check every file of a release: presence, size, hash and rows."""
    from freg_pipeline.lake.verify import verify as verify_release

    problems = verify_release(store(), number)
    for problem in problems:
        click.echo(problem)
    if problems:
        raise FregError(
            f"{len(problems)} files of the release have changed since they were written",
            "What tells readers of Iceberg and Delta is written anew by freg catalogue --format. "
            "Restore other files from a backup, or rebuild the release from its uttrekk",
        )
    click.echo("Every file is as it was written.")


@release.command("spot-check")
@click.option(
    "--persons",
    type=click.IntRange(1, 10_000),
    default=200,
    show_default=True,
    help="How many persons to look up, drawn at random.",
)
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table")
@with_settings
def spot_check(persons: int, form: str) -> None:
    """Look up random persons and compare them with the tables.

    The register has changed documents of very many persons without any event. A sync can't see
    that; a new full load puts it right.
    """
    import msgspec

    from freg_pipeline.console import drift_remedy, spot_check_lines
    from freg_pipeline.feed.spot_check import spot_check as compare

    checked = ask(lambda register: compare(store(), register, settings(), persons))
    if form == "json":
        click.echo(msgspec.json.encode(checked.counts()).decode())
    else:
        click.echo("\n".join(spot_check_lines(checked)))
    if checked.found.persons:
        click.echo(f"Warning: {drift_remedy(checked)}", err=True)


@release.command()
@click.argument("number", shell_complete=RELEASES)
@with_settings
def restore(number: str) -> None:
    """Make an earlier release current again."""
    from freg_pipeline.console import release_lines
    from freg_pipeline.lake.catalogue import renew_catalogue
    from freg_pipeline.lake.restore import restore as restore_release

    lies = store()
    manifest = restore_release(lies, number)
    renew_catalogue(lies)
    click.echo("\n".join(release_lines(manifest, lies)))


@release.command()
@click.argument("number", shell_complete=RELEASES)
@click.option("--name", help="The pin's name.  [default: the release's number]")
@with_settings
def pin(number: str, name: str | None) -> None:
    """Keep a release from being purged."""
    from freg_pipeline.journal.pins import pin as pin_release

    click.echo(f"Pinned as {pin_release(store(), number, name)}")


@release.command()
@click.argument("name", shell_complete=PINS)
@with_settings
def unpin(name: str) -> None:
    """Remove a pin by its name: its release may be purged."""
    from freg_pipeline.journal.pins import unpin as unpin_release

    unpin_release(store(), name)
    click.echo(f"Unpinned: {name}")


@release.command()
@click.argument("number", required=False, shell_complete=RELEASES)
@click.option("--keep", type=click.IntRange(min=1), help="Keep this many of the newest.")
@click.option(
    "--older-than-days",
    type=click.FloatRange(min=0),
    help="Keep those younger than this many days.",
)
@with_settings
def purge(number: str | None, keep: int | None, older_than_days: float | None) -> None:
    """Remove releases, and the files that no other release uses.

    Never the current release or a pinned one.
    """
    from freg_pipeline.lake.purge import purge as purge_releases

    if (number is None) == (keep is None and older_than_days is None):
        raise ConfigurationError(
            "say what to purge", "Give a release's number, or --keep N, --older-than-days D or both"
        )
    purged = purge_releases(store(), number, keep=keep or 1, older_than_days=older_than_days or 0)
    click.echo(f"Purged: {', '.join(purged) if purged else 'nothing'}")
