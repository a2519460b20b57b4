"""``--as-of``: an earlier state, by a number of the event list or by a date."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from freg_pipeline.journal.manifest import Manifest
    from freg_pipeline.store import Store


class _AsOf(click.ParamType[Any]):
    name = "number or date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from freg_pipeline.lake.states import asked_for

        try:
            return asked_for(value)
        except ValueError:
            told = "write a sequence number, or a date as YYYY-MM-DD or YYYY-MM-DDTHH:MM"
            self.fail(told, param, ctx)


with_as_of = click.option(
    "--as-of",
    type=_AsOf(),
    metavar="NUMBER|DATE",
    help="Query an earlier state: as of a sequence number, or of a date (until its end).",
)


def earlier_state(lies: Store, asked: int | datetime | None) -> Manifest | None:
    """The state that is shown; says which one, unless it is what was asked for.

    Raises:
        ConfigurationError: no such state is kept.
    """
    if asked is None:
        return None
    from freg_pipeline.lake.states import earlier, position_at, state_at, told

    releases = earlier(lies)
    shown = position_at(releases, asked)
    if line := told(asked, shown):
        click.echo(line, err=True)
    return state_at(releases, shown)
