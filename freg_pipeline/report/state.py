"""What a release is and how it fares: where it came from, its accounting, checks, tables."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

import duckdb

from freg_pipeline.contract import Plan
from freg_pipeline.contract.plan import Column
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.pointer import numbers
from freg_pipeline.journal.releases import facts_if_there, read_if_there
from freg_pipeline.lake.checks import DESCRIPTIONS, CheckResult, run_checks
from freg_pipeline.lake.codes import unlisted
from freg_pipeline.lake.counts import counted
from freg_pipeline.lake.drift import changes_between
from freg_pipeline.lake.facts import table_facts
from freg_pipeline.lake.freshness import freshness
from freg_pipeline.outside import showable
from freg_pipeline.report.figures import LEAST, Figure, figure
from freg_pipeline.store import Store

RELEASES_SHOWN = 200  # the newest: a sync a minute makes very many
Published = tuple[str, date, int]  # a release's number, its day, and how many persons it holds
_NOT_OF_PERSONS = {"contract_unchanged", "fields_known", "position_moved"}


@dataclass(frozen=True)
class Checked:
    """What one kind of check found in all tables.

    Attributes:
        name: one of the checks' names.
        meaning: what holds if it passes.
        verdict: passed, warning or failed.
        of: how many tables or columns it looked at.
        found: what isn't as it should be: table or column, what was expected and what is there.
    """

    name: str
    meaning: str
    verdict: str
    of: int
    found: list[tuple[str, str, str]]


@dataclass(frozen=True)
class TableLine:
    """A table's rows and size; of what isn't shown no size either."""

    name: str
    rows: Figure
    bytes: int | None


@dataclass(frozen=True)
class Unknown:
    """What the contract doesn't know.

    Attributes:
        fields: where in the document, and how many values.
        codes: column, code, and how many rows.
        rare: columns with codes that too few rows have for them to be shown.
    """

    fields: list[tuple[str, Figure]]
    codes: list[tuple[str, str, Figure]]
    rare: list[str]


def facts(manifest: Manifest) -> list[tuple[str, str]]:
    """What a release holds and since when."""
    told = freshness(manifest)
    events = sum(delta.events for delta in manifest.deltas)
    on_top = f"{len(manifest.deltas):,} deltas with {events:,} events, since {_of_base(manifest)}"
    parts = manifest.parts or ("everything",)
    lines = [
        ("Holds", f"{manifest.kind}, from the uttrekk {manifest.base.uttrekk}"),
        ("Register", f"{manifest.environment}, {manifest.rettighetspakke}"),
        ("Published", f"{manifest.created:%Y-%m-%d %H:%M} UTC"),
        ("Last full load ordered", f"{told.full_load:%Y-%m-%d %H:%M} UTC"),
        ("Good to sequence number", str(manifest.sekvensnummer)),
        ("Changes since the full load", on_top if manifest.deltas else "none taken over yet"),
        ("Parts asked for", ", ".join(parts)),
    ]
    if manifest.parts_refused:
        lines.append(("Parts that the register refuses", ", ".join(manifest.parts_refused)))
    lines.append(("Contract", f"{manifest.contract} (from: {manifest.contract_from})"))
    return [(label, showable(text, 2_000)) for label, text in lines]


def _of_base(manifest: Manifest) -> str:
    return f"sequence number {manifest.base.sekvensnummer}"


def accounting(manifest: Manifest) -> list[tuple[str, int]]:
    """What became of the identifiers delivered. Exact, as it has to add up."""
    told = manifest.accounting
    return [
        ("landed", told.landed),
        ("merged into another person", told.merged),
        ("duplicates", told.duplicates),
        ("gone from the register", told.gone),
        ("failed", told.failed),
        ("unexplained", told.unexplained),
        *([("erased, and kept out", told.erased)] if told.erased else []),
    ]


def checked(store: Store, manifest: Manifest) -> list[Checked]:
    """What the checks of a release find, by kind."""
    by_name: dict[str, list[CheckResult]] = defaultdict(list)
    for result in run_checks(store, manifest):
        by_name[result.check.name].append(result)
    return [_together(name, by_name[name]) for name in DESCRIPTIONS]


def _together(name: str, results: list[CheckResult]) -> Checked:
    failed = [result for result in results if not result.passed]
    warns = all(result.check.severity == "warn" for result in failed)
    return Checked(
        name=name,
        meaning=DESCRIPTIONS[name],
        verdict="passed" if not failed else "warning" if warns else "failed",
        of=len(results),
        found=[
            (one.check.place, _told(one, one.expected), _told(one, one.found)) for one in failed
        ],
    )


def _told(result: CheckResult, count: int) -> str:
    """A count of a check's; of what isn't about persons, or is none, as it is."""
    exact = result.check.name in _NOT_OF_PERSONS or count <= 0
    return f"{count:,}" if exact else str(figure(count))


def contract_changes(store: Store, manifest: Manifest) -> list[str] | None:
    """What the contract changes against that of the release before; None: that isn't kept."""
    before = read_if_there(store, manifest.previous)
    if before is None:
        return None
    return [
        showable(str(change))
        for change in changes_between(store, before.contract, manifest.contract)
    ]


def releases(store: Store, manifest: Manifest) -> list[Published]:
    """The releases up to this one that are kept: number, day and persons; the newest ones."""
    return _published(store, _up_to(store, manifest)[-RELEASES_SHOWN:])


def some_releases(store: Store, manifest: Manifest, most: int) -> list[Published]:
    """So many of all releases up to this one that are kept, from the first to the last of them."""
    up_to = _up_to(store, manifest)
    last = len(up_to) - 1
    places = sorted({round(last * step / (most - 1)) for step in range(most)}) if last > 0 else [0]
    return _published(store, [up_to[place] for place in places] if up_to else [])


def _up_to(store: Store, manifest: Manifest) -> list[str]:
    return [number for number in numbers(store) if number <= manifest.number]


def _published(store: Store, wanted: list[str]) -> list[Published]:
    kept = (facts_if_there(store, number) for number in wanted)
    return [(one.number, one.created.date(), one.persons) for one in kept if one is not None]


def unknown(connection: duckdb.DuckDBPyConnection, plan: Plan) -> Unknown:
    """The fields and codes of a release that the contract doesn't know."""
    rows = connection.execute("SELECT sti, antall FROM ukjent_felt ORDER BY ALL").fetchall()
    codes, rare = [], []
    for table in plan.tables:
        for column in table.columns:
            if not column.codes:
                continue
            where = f"{table.name}.{column.name}"
            for code, count in _codes(connection, table.name, column):
                if count >= LEAST:
                    codes.append((where, showable(code, 40), figure(count)))
                elif where not in rare:
                    rare.append(where)
    return Unknown([(showable(path), figure(count)) for path, count in rows], codes, rare)


def _codes(
    connection: duckdb.DuckDBPyConnection, table: str, column: Column
) -> list[tuple[str, int]]:
    return connection.execute(
        f"SELECT code, count(*) FROM {unlisted(table, column)} GROUP BY ALL ORDER BY 2 DESC, 1"  # noqa: S608
    ).fetchall()


def tables(connection: duckdb.DuckDBPyConnection, manifest: Manifest) -> list[TableLine]:
    """The tables as readers see them, with the size of their files."""
    lines = []
    for one in table_facts(manifest, counted(connection, sorted(manifest.tables))):
        rows = figure(one["rows"])
        lines.append(TableLine(one["table"], rows, None if rows.value is None else one["bytes"]))
    return lines
