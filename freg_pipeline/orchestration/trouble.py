"""Everything that is wrong now with a store: by Dagster's records, and by what lies in it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import dagster as dg

from freg_pipeline.alerts.attention import late, waiting
from freg_pipeline.alerts.incidents import Incident, Sign
from freg_pipeline.errors import ConfigurationError, FregError
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.releases import current_release
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.orchestration.failing import (
    CANCELLED,
    CHECK,
    RUN,
    Ours,
    about_of,
    cancelled,
    failed_checks,
    failures,
)
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline.settings import AlertKind

ALL: frozenset[AlertKind] = frozenset({"failures", "checks", "warnings", "waiting", "late"})
LOOKED_BACK = timedelta(days=14)  # for runs, where nobody has looked before

# How the keys of each kind begin.
_KEYS: Mapping[AlertKind, str] = {
    "failures": RUN,
    "checks": CHECK,
    "warnings": CHECK,
    "waiting": "waiting/",
    "late": "late/",
}


@dataclass(frozen=True)
class Seen:
    """What an earlier look has seen.

    Attributes:
        since: from when on runs are looked at.
        incidents: what was wrong.
        runs: those that were counted.
    """

    since: datetime
    incidents: Mapping[str, Incident] = field(default_factory=dict)
    runs: Collection[str] = ()


@dataclass(frozen=True)
class Found:
    """What one look has found.

    Attributes:
        signs: what is wrong.
        runs: those that were counted.
        unknown: what was wrong before, and couldn't be looked at now.
    """

    signs: list[Sign]
    runs: list[str]
    unknown: Mapping[str, Incident]


def look(
    instance: dg.DagsterInstance | None,
    ours: Ours,
    freg: Freg,
    kinds: frozenset[AlertKind] = ALL,
    seen: Seen | None = None,
) -> Found:
    """Look at everything.

    Args:
        instance: whose records; None: what lies in the store is all that is looked at.
        ours: what of them is this store's.
        freg: settings and store.
        kinds: of trouble.
        seen: what an earlier look has seen.
    """
    now = datetime.now(UTC)
    seen = seen or Seen(now - LOOKED_BACK)
    signs: list[Sign] = []
    runs: list[str] = []
    if instance is not None:
        if "failures" in kinds:
            signs, runs = failures(instance, ours, seen.since, seen.incidents, seen.runs)
        if "waiting" in kinds:
            signs += cancelled(instance, ours, now - LOOKED_BACK)
        signs += failed_checks(
            instance, ours, warnings="warnings" in kinds, errors="checks" in kinds
        )
    try:
        signs = [one for one in signs if not _is_done(freg, one)]
        return Found([*signs, *_in_store(freg, instance, ours, kinds, now)], runs, {})
    except FregError as error:
        lies = Sign("store", f"the store can't be read: {error.what}", error.remedy, now)
        unknown = _only(seen.incidents, kinds & {"waiting", "late"})
        return Found([*signs, lies], runs, unknown)


def _is_done(freg: Freg, sign: Sign) -> bool:
    """Whether a run was of an uttrekk that has come to its release since, or was given up."""
    if not sign.key.startswith((RUN, CANCELLED)):
        return False
    try:
        about = Uttrekk(freg.store, about_of(sign.key))
    except ConfigurationError:  # it is of none, or of what somebody has called a partition
        return False
    return about.exists and (about.release is not None or about.is_abandoned)


def of_kinds(incidents: Mapping[str, Incident], kinds: frozenset[AlertKind]) -> dict[str, Incident]:
    """Those that are looked at: of what nobody is told any more, nobody is told that it is over."""
    return {**_only(incidents, kinds), **{k: v for k, v in incidents.items() if k == "store"}}


def _only(incidents: Mapping[str, Incident], kinds: frozenset[AlertKind]) -> dict[str, Incident]:
    begins = tuple(_KEYS[kind] for kind in kinds)
    return {key: one for key, one in incidents.items() if key.startswith(begins)}


def _in_store(
    freg: Freg,
    instance: dg.DagsterInstance | None,
    ours: Ours,
    kinds: frozenset[AlertKind],
    now: datetime,
) -> list[Sign]:
    store, settings = freg.store, freg.settings
    found = waiting(store, settings, now) if "waiting" in kinds else []
    if "late" in kinds and (current := current_release(store)) is not None:
        found += late(current, settings, at_register(instance, ours, current), now)
    return found


def at_register(instance: dg.DagsterInstance | None, ours: Ours, current: Manifest) -> datetime:
    """When a release was last at the register's last event, as far as is recorded.

    A sync records it, and ``hendelser_sensor`` each half hour in which nothing is new.
    """
    if instance is None:
        return current.created
    last = instance.get_latest_materialization_event(ours.names.key("hendelser"))
    confirmed = datetime.fromtimestamp(last.timestamp if last is not None else 0, UTC)
    return max(current.created, confirmed)
