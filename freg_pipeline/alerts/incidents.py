"""One message for each trouble: when it begins, when it is over, and seldom in between.

A trouble is found anew at each look, as a :class:`Sign`. What is compared with the last look's
:class:`Incident` are keys, so that retries of the same thing are one trouble. The state between two
looks is small, and holds counts, names of our own and lines without personal data.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Literal, NamedTuple

import msgspec

from freg_pipeline.outside import masked

LONGEST_LINE = 600  # characters of what happened and what to do
MOST_PARTS = 200  # of one trouble, so many partitions are followed


class Sign(NamedTuple):
    """Something that is wrong now.

    Attributes:
        key: what it is, in the same words at each look.
        what: what happened, without a full stop at its end.
        remedy: what to do.
        at: when it happened last (UTC).
        times: how often since the last look; 0 where it is a state, or nothing has happened.
        link: where it is seen on Dagster's page, below its address.
        parts: the partitions that it is about, and when each failed last; "" where it has none.
        patience: how long it may last before anybody is told.
    """

    key: str
    what: str
    remedy: str
    at: datetime
    times: int = 0
    link: str = ""
    parts: Mapping[str, datetime] = MappingProxyType({})
    patience: timedelta = timedelta(0)


class Incident(msgspec.Struct, frozen=True, omit_defaults=True):
    """A trouble, from its first sign on.

    Attributes:
        what: what happened, by the sign that was told.
        remedy: what to do.
        began: when (UTC).
        last: when it last happened.
        times: how often it has happened.
        link: as the sign's.
        parts: as the sign's, :data:`MOST_PARTS` at the most.
        told: when somebody was last told; None: nobody yet.
    """

    what: str
    remedy: str
    began: datetime
    last: datetime
    times: int = 1
    link: str = ""
    parts: dict[str, datetime] = {}
    told: datetime | None = None


Incidents = Mapping[str, Incident]


class Telling(NamedTuple):
    """Something to tell.

    Attributes:
        kind: what has become of it.
        incident: what it is about.
    """

    kind: Literal["began", "lasts", "over"]
    incident: Incident


def compared(
    before: Incidents, signs: Iterable[Sign], now: datetime, again: timedelta | None
) -> tuple[dict[str, Incident], list[Telling]]:
    """What is wrong now, and what of it has to be told.

    Args:
        before: what was wrong at the last look.
        signs: everything that is wrong now.
        now: when it was looked (UTC).
        again: after what time something that lasts is told again; None: never.
    """
    after: dict[str, Incident] = {}
    tellings: list[Telling] = []
    for sign in signs:
        incident = _grown(before.get(sign.key), sign, now)
        kind = _due(incident, sign, now, again)
        if kind is not None:
            incident = msgspec.structs.replace(incident, told=now)
            tellings.append(Telling(kind, incident))
        after[sign.key] = incident
    ended = [before[key] for key in before if key not in after]
    tellings += [Telling("over", one) for one in ended if one.told is not None]
    return after, tellings


def _grown(before: Incident | None, sign: Sign, now: datetime) -> Incident:
    told = masked(" ".join(sign.what.split()))[:LONGEST_LINE]
    remedy = masked(" ".join(sign.remedy.split()))[:LONGEST_LINE]
    parts = dict(sorted(sign.parts.items())[:MOST_PARTS])
    if before is None:
        began = min(sign.at, now)
        return Incident(told, remedy, began, sign.at, sign.times, sign.link, parts)
    return msgspec.structs.replace(
        before,
        what=told,
        remedy=remedy,
        last=max(before.last, sign.at),
        times=before.times + sign.times,
        link=sign.link or before.link,
        parts=parts,
    )


def _due(
    incident: Incident, sign: Sign, now: datetime, again: timedelta | None
) -> Literal["began", "lasts"] | None:
    if incident.told is None:
        return "began" if now - incident.began >= sign.patience else None
    return "lasts" if again is not None and now - incident.told >= again else None


def line(telling: Telling, dagster_url: str | None = None) -> str:
    """One line: what happened, since when and how often, what to do, and where to look."""
    one = telling.incident
    since = f"{one.began:%Y-%m-%d %H:%M} UTC"
    often = f", {one.times} times" if one.times > 1 else ""
    if telling.kind == "over":
        return f"Over: {one.what} (since {since}{often})"
    begun = "" if telling.kind == "began" else "Still: "
    link = f" {dagster_url.rstrip('/')}/{one.link}" if dagster_url and one.link else ""
    remedy = f" {one.remedy}." if one.remedy else ""
    return f"{begun}{one.what} (since {since}{often}).{remedy}{link}"
