"""Which kind of thing a file is, and one of each kind to be damaged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from freg_pipeline.journal.names import names_of
from freg_pipeline_tests.damage.prepared import STORE

# What isn't among the names of objects: other software's. What export and changes write elsewhere
# is no command's to read.
_OTHERS = {
    "dagster/history/runs.db": "Dagster's runs",
    "dagster/history/event_log.db": "Dagster's events",
    "dagster/schedules/": "Dagster's schedules",
    "dagster/dagster.yaml": "Dagster's settings",
    "dagster/": "what we keep beside Dagster's records",
}
_BESIDE = {"copy.duckdb": "a copy by freg load, and its position"}


def kind_of(name: str) -> str | None:
    """The kind of a file beneath the prepared folder; None: it is of no known kind."""
    if name.startswith(f"{STORE}/"):
        key = name.removeprefix(f"{STORE}/")
        fitting = names_of(key)
        if len(fitting) == 1:
            return fitting[0].pattern
        return next((kind for begin, kind in _OTHERS.items() if key.startswith(begin)), None)
    return _BESIDE.get(name)


def unknown(names: Iterable[str]) -> list[str]:
    """Files of a store that are of no known kind."""
    return [one for one in names if kind_of(one) is None and one.startswith(f"{STORE}/")]


def by_kind(names: Iterable[str]) -> dict[str, list[str]]:
    """The files of each kind."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for one in names:
        kind = kind_of(one)
        if kind is not None:
            found[kind].append(one)
    return dict(sorted(found.items()))
