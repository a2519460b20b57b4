"""The sensor that tells people of trouble: one message when it begins, one when it is over.

What has been told is the sensor's cursor; a process that dies between telling and keeping it tells
once more. A message that a receiver doesn't take waits for the next tick, and holds nothing up.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of decorated functions.

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from logging import Logger

import dagster as dg
import msgspec

from freg_pipeline.alerts.incidents import Incident, Telling, compared, line
from freg_pipeline.alerts.sending import Receivers
from freg_pipeline.orchestration.failing import RUN, Ours
from freg_pipeline.orchestration.names import Names
from freg_pipeline.orchestration.resources import Freg, freg_of
from freg_pipeline.orchestration.running import BY_DEFAULT, Running
from freg_pipeline.orchestration.telling import in_our_words
from freg_pipeline.orchestration.trouble import Seen, look, of_kinds
from freg_pipeline.settings import Settings

NAME = "alert_sensor"
FIRST_LOOK = timedelta(days=1)  # what failed before, and wasn't tried again, is old news
OVERLAP = timedelta(minutes=10)  # of two looks: machines' clocks differ, and records come late
FORGOTTEN = timedelta(days=30)  # for so long a job is followed that nobody tries again
MOST_LINES = 20  # in one message, and kept for a receiver that takes none


class State(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the sensor keeps between two ticks.

    Attributes:
        looked: when it looked last (UTC).
        incidents: what was wrong then.
        runs: those that it counted.
        unsent: lines that a receiver hasn't taken, by its number.
    """

    looked: datetime | None = None
    incidents: dict[str, Incident] = {}
    runs: tuple[str, ...] = ()
    unsent: dict[int, list[str]] = {}


def alert_sensor(ours: Ours, freg: Freg, running: Running) -> dg.SensorDefinition:
    """What tells people of trouble; on from the start where FREG_ALERTS names somebody.

    Args:
        ours: what in the deployment it looks at.
        freg: whose settings say whether anybody is told.
        running: what runs from the start; where that is chosen, settings don't add to it.
    """
    names = ours.names

    @dg.sensor(
        name=names.of(NAME),
        minimum_interval_seconds=60,
        default_status=_status(freg, running),
        required_resource_keys={names.resource},
        description=(
            "Tells those whom FREG_ALERTS names of runs and checks that failed, of an uttrekk that"
            " waits for a person, and of what is late: when it begins, when it is over, and once a"
            " day in between."
        ),
    )
    @in_our_words
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        """Look, and tell what is new."""
        work = freg_of(context, names)
        receivers = Receivers(work.settings.alerts)
        if not len(receivers):
            return dg.SkipReason("FREG_ALERTS names nobody to tell.")
        origin = context.code_location_origin
        here = replace(ours, location=origin.location_name if origin is not None else None)
        state, tellings = _looked(context.instance, here, work, _read(context))
        unsent = send(receivers, tellings, names, work.settings, state.unsent, context.log)
        state = msgspec.structs.replace(state, unsent=unsent)
        said = f"{len(tellings)} new to tell; {len(state.incidents)} last."
        cursor = msgspec.json.encode(state).decode()
        return dg.SensorResult(skip_reason=dg.SkipReason(said), cursor=cursor)

    return sensor


def _status(freg: Freg, running: Running) -> dg.DefaultSensorStatus:
    settings = freg.settings_now()
    if running == BY_DEFAULT and settings is not None and settings.alerts is not None:
        return dg.DefaultSensorStatus.RUNNING
    return running.sensor(NAME)


def _read(context: dg.SensorEvaluationContext) -> State:
    try:
        return msgspec.json.decode(context.cursor or "{}", type=State)
    except msgspec.MsgspecError:
        context.log.warning("the cursor is another version's: what is wrong is told anew")
        return State()


def _looked(
    instance: dg.DagsterInstance, ours: Ours, freg: Freg, state: State
) -> tuple[State, list[Telling]]:
    """The state after a look, and what has to be told."""
    now, settings = datetime.now(UTC), freg.settings
    kinds = frozenset(settings.alert_on)
    since = state.looked - OVERLAP if state.looked else now - FIRST_LOOK
    before = {
        key: one
        for key, one in of_kinds(state.incidents, kinds).items()
        if now - one.last < FORGOTTEN or not key.startswith(RUN)
    }
    found = look(instance, ours, freg, kinds, Seen(since, before, state.runs))
    known = {key: one for key, one in before.items() if key not in found.unknown}
    again = timedelta(hours=settings.alert_again_hours) or None
    after, tellings = compared(known, found.signs, now, again)
    return State(now, {**found.unknown, **after}, tuple(found.runs), state.unsent), tellings


def send(
    receivers: Receivers,
    tellings: Sequence[Telling],
    names: Names,
    settings: Settings,
    unsent: Mapping[int, list[str]],
    log: Logger,
) -> dict[int, list[str]]:
    """Send everyone what is new, and what they haven't taken yet; return what is left."""
    lines = [line(one, settings.dagster_url) for one in tellings]
    numbers = range(1, len(receivers) + 1)
    bodies = {one: [*unsent.get(one, []), *lines] for one in numbers}
    bodies = {one: _short(kept) for one, kept in bodies.items() if kept}
    if not bodies:
        return {}
    good = bool(tellings) and all(one.kind == "over" for one in tellings)
    texts = {one: "\n".join(kept) for one, kept in bodies.items()}
    left = {}
    for sent in receivers.send(_title(names, settings, good=good), texts, good=good):
        if sent.why:
            log.warning("%s; it is sent again at the next tick", sent)
            left[sent.receiver] = bodies[sent.receiver]
    return left


def _short(lines: list[str]) -> list[str]:
    """Not more lines than anybody reads: the newest."""
    if len(lines) <= MOST_LINES:
        return lines
    return ["… earlier lines are left out: freg status shows everything", *lines[1 - MOST_LINES :]]


def _title(names: Names, settings: Settings, *, good: bool) -> str:
    where = ", ".join([*names.prefix, settings.environment])
    return f"Folkeregisteret ({where}): {'over' if good else 'trouble'}"
