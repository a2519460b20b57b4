"""``freg access-log``: who has looked at persons."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from freg_pipeline.commands.opening import store
from freg_pipeline.commands.options import with_settings
from freg_pipeline.errors import IncompleteError

if TYPE_CHECKING:
    from freg_pipeline.journal.access_log import LeftOut


@click.command("access-log")
@click.option(
    "--since", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="From that day on (UTC)."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    help="How to tell it; json: an object a line.",
)
@with_settings
def access_log(since: datetime | None, form: str) -> None:
    """Show who has looked at persons, by which command, and when.

    As far as it was noted in the store or where FREG_ACCESS_LOG says. What DuckDB and others read
    on their own isn't noted by anyone here.
    """
    import msgspec

    from freg_pipeline.journal.access_log import LeftOut, entries

    left_out = LeftOut()
    for entry in entries(store(), None if since is None else since.date(), left_out):
        click.echo(msgspec.json.encode(entry) if form == "json" else _line(entry))
    if left_out.others or left_out.unsealed:
        click.echo(f"Left out: {_told(left_out)}", err=True)
    if left_out.damaged:
        raise IncompleteError(
            f"{len(left_out.damaged)} of the access log's objects aren't as they were written, the "
            f"first is {left_out.damaged[0]}",
            "Restore them from a copy; all others are shown",
        )


def _told(left_out: LeftOut) -> str:
    told = {
        "of other stores": left_out.others,
        "without the digest by which a change is seen": left_out.unsealed,
    }
    return ", ".join(f"{count:,} {which}" for which, count in told.items() if count)


def _line(entry: dict[str, Any]) -> str:
    user, login = entry.get("user"), entry.get("login")
    who = user if login in {None, user} else f"{login} as {user}"
    tables = ", ".join(entry.get("tables") or ()) or "-"
    rows = entry.get("rows")
    told = "-" if rows is None else f"{rows:,} rows"
    query = (entry.get("query") or "-")[:12]
    when = str(entry.get("when"))[:19]
    line = f"{when}  {who}@{entry.get('host')}  {entry.get('command')}  {tables}  {told}  {query}"
    return "".join(char for char in line if char.isprintable())
