"""``freg status``: one look at what is late, fails or waits for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from freg_pipeline.commands.opening import settings
from freg_pipeline.commands.options import with_settings
from freg_pipeline.errors import ConfigurationError, FregError

if TYPE_CHECKING:
    from freg_pipeline.orchestration.standing import Standing

NOT_IN_ORDER = 4


@click.command()
@click.option("--no-ask", is_flag=True, help="Don't ask the register how far behind it is.")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table")
@click.option(
    "--test-alert", is_flag=True, help="Send a test to everyone in FREG_ALERTS, and nothing else."
)
@with_settings
def status(no_ask: bool, form: str, test_alert: bool) -> int:
    """Show what is late, has failed or waits for a person.

    By what lies in the store, Dagster's records where they are, and one question to the register.
    The exit code is 0 where everything is in order, 4 where something isn't.
    """
    from freg_pipeline.orchestration.resources import Freg
    from freg_pipeline.orchestration.standing import how_it_stands

    if test_alert:
        _test_alert()
        return 0
    with Freg.from_settings(settings()) as freg:
        standing = how_it_stands(freg, ask=not no_ask)
    if form == "json":
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(_facts(standing)), indent=2).decode())
    else:
        click.echo("\n".join(_lines(standing)))
    return NOT_IN_ORDER if standing.signs else 0


def _facts(standing: Standing) -> dict[str, Any]:
    manifest, lag = standing.release, standing.lag
    return {
        "release": manifest.number if manifest else None,
        "sekvensnummer": manifest.sekvensnummer if manifest else None,
        "events_behind": lag.events if lag else None,
        "minutes_behind": lag.minutes if lag else None,
        "dagster_records": standing.has_records,
        "in_order": not standing.signs,
        "to_see_to": [
            {"key": one.key, "what": one.what, "at": one.at, "remedy": one.remedy}
            for one in standing.signs
        ],
    }


def _lines(standing: Standing) -> list[str]:
    lines = []
    if standing.release is not None:
        from freg_pipeline.lake.freshness import freshness_line

        one = standing.release
        lines.append(f"Release {one.number}: {one.persons:,} persons, {_position(standing)}")
        lines.append(freshness_line(one))
    if not standing.has_records:
        lines.append("Dagster's records aren't here: what has failed isn't known")
    if not standing.signs:
        return [*lines, "Nothing is late, has failed or waits for a person."]
    lines.append(f"To see to: {len(standing.signs)}")
    for sign in standing.signs:
        remedy = f" {sign.remedy.rstrip('.')}." if sign.remedy else ""
        lines.append(f"* {sign.at:%Y-%m-%d %H:%M} UTC: {sign.what}.{remedy}")
    return lines


def _position(standing: Standing) -> str:
    lag = standing.lag
    if lag is None:
        return "not held against the register"
    if not lag.events:
        return "at the register's last event"
    return f"up to {lag.events:,} events behind, the first of them {lag.minutes:,.0f} minutes old"


def _test_alert() -> None:
    from freg_pipeline.alerts.sending import Receivers

    told = settings()
    receivers = Receivers(told.alerts)
    if not len(receivers):
        raise ConfigurationError(
            "FREG_ALERTS names nobody to tell",
            "Set it to addresses such as slack://… or mailtos://…, with blanks between them",
        )
    title = f"Folkeregisteret ({told.environment}): test"
    text = "This is a test: trouble with freg_pipeline is told here"
    sent = receivers.send(title, dict.fromkeys(range(1, len(receivers) + 1), text), good=True)
    for one in sent:
        click.echo(f"{one}")
    if any(one.why for one in sent):
        raise FregError("not everyone took the test", "Correct their addresses in FREG_ALERTS")
