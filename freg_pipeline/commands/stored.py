"""``freg stored``: what the store holds about persons, and where."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from freg_pipeline.commands.listed import given_column, given_list, seekable
from freg_pipeline.commands.opening import store
from freg_pipeline.commands.options import with_form, with_settings
from freg_pipeline.errors import ConfigurationError

if TYPE_CHECKING:
    from freg_pipeline.erasure.stored import Held


@click.command()
@given_list
@given_column
@with_form
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write the rows and documents themselves into a new folder, private to you.",
)
@with_settings
def stored(source: Path | None, column: str | None, form: str, output: Path | None) -> None:
    """Tell what is held about persons, and where.

    For the right of access.

    FILE holds their identity numbers: text, CSV or Parquet; - reads stdin. Persons are told by
    their lines in it. Numbers that they had before are counted in.
    """
    from freg_pipeline.console import progress
    from freg_pipeline.erasure.persons import read_persons, with_other_numbers
    from freg_pipeline.erasure.stored import held, write_content
    from freg_pipeline.erasure.survey import survey
    from freg_pipeline.journal.access_log import note_access

    if source is None:
        raise ConfigurationError(
            "say whom it is about", "Name a file with identity numbers, or - for stdin"
        )
    lies = store()
    with seekable(source) as path:
        persons = read_persons(path, column)
    noted = note_access(lies, "stored")
    with progress() as begin:
        found = survey(lies, with_other_numbers(lies, persons), begin)
    told = held(lies, found)
    if output is not None:
        content = write_content(lies, found, output)
        rows = sum(one.rows for one in content.tables)
        noted.gave(rows)
        click.echo(
            f"{output}: {rows:,} rows in {len(content.tables)} files, and "
            f"{len(content.documents)} documents and events as they came"
        )
        return
    noted.gave(len(told))
    click.echo(_as_json(told) if form == "json" else _as_table(told, persons.lines))


def _as_json(told: list[Held]) -> str:
    import msgspec

    return msgspec.json.format(msgspec.json.encode(told), indent=2).decode()


def _as_table(told: list[Held], lines: tuple[int, ...]) -> str:
    from freg_pipeline.console import columns

    header = ("line", "in", "where", "what", "own", "naming", "releases")
    rows = [
        (
            str(one.line),
            one.area,
            one.place,
            one.what,
            f"{one.own:,}",
            f"{one.named:,}",
            _span(one.releases),
        )
        for one in told
    ]
    nothing = [f"line {line}: nothing is held" for line in lines
               if all(one.line != line for one in told)]  # fmt: skip
    return "\n".join([*([columns(header, rows)] if rows else []), *nothing])


def _span(releases: tuple[str, ...]) -> str:
    return releases[0] if len(releases) == 1 else "–".join(releases[:1] + releases[-1:])
