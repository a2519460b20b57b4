"""The page, put together."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.pointer import current_number
from freg_pipeline.journal.releases import read_manifest, require_current
from freg_pipeline.lake.described import described
from freg_pipeline.lake.export import opened
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.lake.query import connect, reading
from freg_pipeline.outside import showable
from freg_pipeline.report import pictures, state
from freg_pipeline.report.figures import HIDDEN, STEP, Figure, figure
from freg_pipeline.report.people import YEARS_SHOWN, People, Year, people
from freg_pipeline.store import Store

_ENVIRONMENT = Environment(
    loader=PackageLoader("freg_pipeline.report", ""),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    keep_trailing_newline=True,
)


def report_name(number: str) -> str:
    """What a release's page is called unless it is told."""
    return f"freg-release-{number}.html"


def write_report(store: Store, output: Path | None = None, number: str | None = None) -> Path:
    """Write the page about a release; private to its owner, whole or not at all.

    Args:
        store: where the release lies.
        output: the file, or ``-`` for stdout; None: :func:`report_name`, in the folder at hand.
        number: which release; None: the current one.

    Returns:
        Where it is.

    Raises:
        ConfigurationError: there is no such release, or no file can be where it should.
        StoreError: the release's files can't be read.
    """
    manifest = read_manifest(store, number) if number else require_current(store)
    output = output or Path(report_name(manifest.number))
    content = page_of(store, manifest).encode()
    with opened(output) as target, open(target, "wb", closefd=False) as file:
        file.write(content)
    return output


def page_of(store: Store, manifest: Manifest) -> str:
    """The page about a release, as HTML.

    Raises:
        StoreError: the release's files can't be read.
    """
    plan = load_plan(store, manifest.contract)
    checked = state.checked(store, manifest)
    with connect(store, manifest, states=False) as connection, reading(store, manifest):
        told = people(connection, manifest, described(plan))
        unknown = state.unknown(connection, plan)
        tables = state.tables(connection, manifest)
    return _ENVIRONMENT.get_template("page.html.j2").render(
        manifest=manifest,
        is_current=manifest.number == current_number(store),
        persons=str(figure(manifest.persons)),
        verdict=_verdict(checked),
        facts=state.facts(manifest),
        accounting=[(label, f"{count:,}") for label, count in state.accounting(manifest)],
        reasons=_reasons(manifest),
        checks=checked,
        changes=state.contract_changes(store, manifest),
        unknown=unknown,
        people=told,
        tables=[(one.name, one.rows, _size(one.bytes)) for one in tables],
        step=STEP,
        hidden=HIDDEN,
        years_shown=YEARS_SHOWN,
        version=version("freg_pipeline"),
        **_releases(store, manifest),
        **_people(told),
    )


def _verdict(checked: Sequence[state.Checked]) -> str:
    failed = [one.name for one in checked if one.verdict == "failed"]
    warned = [one.name for one in checked if one.verdict == "warning"]
    if failed:
        return f"Checks failed: {', '.join(failed)}."
    if warned:
        return f"All checks passed but for warnings: {', '.join(warned)}."
    return "All checks passed."


def _reasons(manifest: Manifest) -> list[tuple[str, str]]:
    """Why identifiers are no row of ``person``; the register's texts, made fit to be shown."""
    reasons = manifest.accounting.reasons
    return [(showable(reason), f"{count:,}") for reason, count in reasons.items()]


def _size(count: int | None) -> str:
    if count is None:
        return "–"
    if count < 1_000_000:
        return f"{max(1, round(count / 1_000)):,} kB"
    return f"{count / 1_000_000:,.1f} MB"


def _releases(store: Store, manifest: Manifest) -> dict[str, Any]:
    kept = [(number, day, figure(count)) for number, day, count in state.releases(store, manifest)]
    return {
        "releases": kept,
        "releases_picture": pictures.releases(kept) if len(kept) > 1 else None,
    }


def _people(told: People | None) -> dict[str, Any]:
    told = told or People(Figure(None), None, None, None, None)
    bands, homes = told.pyramid, told.kommuner
    largest = homes.largest if homes else []
    births = "Births by year: persons born in Norway, as a line"
    moves = "Moves by year: a line for each kind"
    return {
        "pyramid": pictures.pyramid(bands) if bands else None,
        "ages": [(band.ages, band.kvinner, band.menn) for band in bands or ()],
        "kommuner": pictures.kommuner(homes) if homes and largest else None,
        "places": [*largest, ("all others", homes.others)] if homes else [],
        "births_picture": pictures.years("births", births, told.births) if told.births else None,
        "birth_heads": _heads(told.births),
        "births": _lines(told.births),
        "moves_picture": pictures.years("moves", moves, told.moves) if told.moves else None,
        "move_heads": _heads(told.moves),
        "moves": _lines(told.moves),
    }


def _heads(years: Sequence[Year] | None) -> list[str]:
    return ["year", *(years[0].counts if years else ())]


def _lines(years: Sequence[Year] | None) -> list[tuple[Any, ...]]:
    return [(one.year, *one.counts.values()) for one in reversed(years or ())]
