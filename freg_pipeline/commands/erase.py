"""``freg erase``: take persons out of a store, and keep them out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from freg_pipeline.commands.listed import given_column, given_list, seekable
from freg_pipeline.commands.opening import store
from freg_pipeline.commands.options import with_settings
from freg_pipeline.errors import ConfigurationError, FregError

if TYPE_CHECKING:
    from freg_pipeline.erasure.course import Receipt
    from freg_pipeline.erasure.persons import Persons
    from freg_pipeline.erasure.survey import Survey
    from freg_pipeline.store import Store


@click.command()
@given_list
@given_column
@click.option("--dry-run", is_flag=True, help="Tell what would be rewritten, and do nothing.")
@click.option("--yes", is_flag=True, help="Don't ask first.")
@click.option(
    "--including-pinned", is_flag=True, help="Remove releases that hold them though pinned."
)
@click.option("--lift", is_flag=True, help="Keep these persons out no longer.")
@click.option(
    "--kept-out",
    "again",
    is_flag=True,
    help="Erase whoever is kept out and held all the same, as after a backup was restored.",
)
@click.option("--list", "listed", is_flag=True, help="Tell how many were erased, and when.")
@with_settings
def erase(
    source: Path | None,
    column: str | None,
    dry_run: bool,
    yes: bool,
    including_pinned: bool,
    lift: bool,
    again: bool,
    listed: bool,
) -> None:
    """Take persons out of all that is kept, and keep them out.

    FILE holds their identity numbers: text, CSV or Parquet; - reads stdin. All numbers that they
    have had are found. Rows of others that name them stay, without the number. Earlier releases
    that hold them are removed. A receipt tells what was done, and holds no number.

    Who was erased stays out of later syncs and full loads until that is lifted.
    """
    ways = (source is not None) + listed + again
    if ways != 1 or (lift and (dry_run or source is None)):
        raise ConfigurationError(
            "say whom to erase", "Name a file with identity numbers, or -, or say --list"
        )
    lies = store()
    if listed:
        _tell_orders(lies)
        return
    persons = _persons(source, column) if source is not None else _returned(lies)
    if not len(persons):
        click.echo("Nobody who is kept out is held")
        return
    if lift:
        _lift(lies, persons)
        return
    found = _surveyed(lies, persons)
    _tell_found(lies, found)
    if dry_run:
        return
    if not yes:
        _confirm(source or Path())
    _tell_receipt(_erased(lies, found, including_pinned=including_pinned))


def _persons(source: Path, column: str | None) -> Persons:
    from freg_pipeline.erasure.persons import read_persons

    with seekable(source) as path:
        return read_persons(path, column)


def _returned(lies: Store) -> Persons:
    from freg_pipeline.console import progress
    from freg_pipeline.erasure.returned import returned

    with progress() as told:
        return returned(lies, told)


def _surveyed(lies: Store, persons: Persons) -> Survey:
    from freg_pipeline.console import progress
    from freg_pipeline.erasure.persons import with_other_numbers
    from freg_pipeline.erasure.survey import survey

    with progress() as told:
        return survey(lies, with_other_numbers(lies, persons), told)


def _erased(lies: Store, found: Survey, *, including_pinned: bool) -> Receipt:
    from freg_pipeline.console import progress
    from freg_pipeline.erasure.course import erase as erase_persons

    with progress() as told:
        return erase_persons(lies, found, including_pinned=including_pinned, progress=told)


def _tell_found(lies: Store, found: Survey) -> None:
    from collections import Counter

    from freg_pipeline.erasure.releases import pins_on

    objects = Counter(hit.area for hit in found.hits)
    told = ", ".join(f"{count:,} of {area}" for area, count in sorted(objects.items()))
    click.echo(
        f"{len(found.persons):,} persons, under {len(found.persons.places):,} numbers: held in "
        f"{len(found.hits):,} of {found.searched:,} objects{f' ({told})' if told else ''}"
    )
    if found.releases:
        click.echo(
            f"A release without them is published, and these are removed: "
            f"{', '.join(found.releases)}"
        )
    names = pins_on(lies, found)
    if names:
        click.echo(f"Pinned: {', '.join(names)}")


def _confirm(source: Path) -> None:
    if str(source) == "-" or not sys.stdin.isatty():
        raise ConfigurationError(
            "nobody can be asked whether to go on, and nothing was done", "Say --yes, or --dry-run"
        )
    if not click.confirm("Erase them? It can't be undone"):
        raise FregError("nothing was done", "")


def _tell_receipt(receipt: Receipt) -> None:
    from freg_pipeline.journal.keptout import receipt_key

    done = ", ".join(f"{count:,} {what}" for what, count in receipt.done.items() if count)
    click.echo(f"Erased, and kept out from now on: {done or 'nothing of them was held'}")
    if receipt.release:
        click.echo(f"Readers see release {receipt.release}")
    click.echo(f"The receipt is {receipt_key(receipt.number)} in the store")
    for one in receipt.outside:
        click.echo(f"Not reached from here: {one}")


def _lift(lies: Store, persons: Persons) -> None:
    from freg_pipeline.erasure.lifting import lift

    told = lift(lies, persons)
    click.echo(
        f"Of {told.persons:,} persons, {told.kept_out:,} were kept out, and are no longer. "
        f"The next sync that has an event looks {told.looked_up:,} of them up; "
        "so does a full load that they are part of"
    )


def _tell_orders(lies: Store) -> None:
    from freg_pipeline.console import columns
    from freg_pipeline.journal.keptout import has_receipt, kept_out, orders

    rows = []
    for number, order in sorted(orders(lies).items()):
        state = "lifts" if order.lifts else "done" if has_receipt(lies, number) else "unfinished"
        when = f"{order.created:%Y-%m-%d %H:%M}Z"
        counts = f"{len(order.persons):,}", f"{len(order.digests):,}"
        rows.append((f"{number:06d}", when, *counts, state))
    if rows:
        click.echo(columns(("order", "when", "persons", "numbers", ""), rows))
    click.echo(f"Kept out now: {len(kept_out(lies).digests):,} numbers")
