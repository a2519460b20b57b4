"""What a person at a terminal sees of long work: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import shutil
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from freg_pipeline.journal.request import FOUND
from freg_pipeline.lake.freshness import freshness_line
from freg_pipeline.lake.place import catalogue_path

if TYPE_CHECKING:  # what is shown; a command that shows a few lines needs no more than these
    from freg_pipeline.extract.liste import Malformed
    from freg_pipeline.feed.spot_check import SpotCheck
    from freg_pipeline.journal.manifest import Manifest
    from freg_pipeline.journal.measures import Measures
    from freg_pipeline.journal.status import Status
    from freg_pipeline.store import Store

SECONDS_BETWEEN_LINES = 10.0

Begin = Callable[[str, int], Callable[[int], None]]


@contextmanager
def progress() -> Iterator[Begin]:
    """Yield what long work tells how far it is: ``begin(what, total)``, then ``told(more)``.

    Everything goes to stderr, so that stdout holds results only.
    """
    if not sys.stderr.isatty():
        yield _lines
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bars:

        def begin(what: str, total: int) -> Callable[[int], None]:
            task = bars.add_task(what, total=total)
            return lambda more: bars.advance(task, more)

        yield begin


def _lines(what: str, total: int) -> Callable[[int], None]:
    done = 0
    last = time.monotonic()

    def told(more: int) -> None:
        nonlocal done, last
        done += more
        now = time.monotonic()
        if done >= total or now - last >= SECONDS_BETWEEN_LINES:
            last = now
            sys.stderr.write(f"{what}: {done:,} of {total:,}\n")

    return told


def release_lines(manifest: Manifest, store: Store) -> list[str]:
    """What a release is, its accounting, and how to query it."""
    account = manifest.accounting
    persons = manifest.persons
    parts = (
        f"{account.landed:,} landed",
        f"{account.merged:,} merged",
        f"{account.duplicates:,} duplicates",
        f"{account.gone:,} gone",
        f"{account.failed:,} failed",
        f"{account.unexplained:,} unexplained",
        *([f"{account.erased:,} erased"] if account.erased else []),
    )
    lines = [
        f"Release {manifest.number}: {persons:,} persons in {len(manifest.tables)} tables",
        f"From the uttrekk {manifest.uttrekk}, good to sequence number {manifest.sekvensnummer}",
        f"Accounting: {account.delivered:,} delivered = " + " + ".join(parts),
    ]
    lines.append(freshness_line(manifest))
    if manifest.deltas:
        events = sum(delta.events for delta in manifest.deltas)
        lines.append(
            f"Its base is good to {manifest.base.sekvensnummer}; on top of it are "
            f"{len(manifest.deltas)} deltas with {events:,} events"
        )
    if manifest.contract_from != "register":
        lines.append(f"Its contract is {manifest.contract}{FOUND[manifest.contract_from]}")
    if manifest.parts_refused:
        lines.append(
            f"Without {', '.join(manifest.parts_refused)}, which the register refuses: what only "
            "they give is missing"
        )
    if manifest.incomplete:
        lines.append("Incomplete: see the table avvik for what is missing")
    path = catalogue_path(store)
    opened = f", or open {path} in DuckDB" if path is not None and path.exists() else ""
    lines.append(f"Query it with freg sql{opened}")
    return lines


def spot_check_lines(checked: SpotCheck) -> list[str]:
    """What a spot check found, by table."""
    found = checked.found
    lines = [
        f"Release {checked.release}, at sequence number {checked.sekvensnummer}: "
        f"{checked.asked:,} persons looked up",
        f"{found.compared:,} compared, {checked.changed:,} left out because an event has come "
        f"since, {found.failed:,} that can't be read",
    ]
    if not found.persons:
        return [*lines, "The tables say the same as the register."]
    rows = [(name, f"{count:,}") for name, count in sorted(found.tables.items())]
    return [*lines, "", columns(("table", "persons who differ"), rows)]


def drift_remedy(checked: SpotCheck) -> str:
    """What it means that a spot check found something, and what to do."""
    return (
        f"{checked.found.persons:,} of {checked.found.compared:,} persons differ from the register "
        "without any event that tells it. Make a new full load, agreed with the register's staff "
        "where it is large: freg uttrekk komplett"
    )


def malformed_lines(malformed: Malformed) -> list[str]:
    """What in a list is no identity number: a line each for the first ones, and how many more."""
    lines = [f"line {line}: {reason}; left out" for line, reason in malformed.first]
    if malformed.count > len(malformed.first):
        lines.append(f"and {malformed.count - len(malformed.first):,} more lines like these")
    return lines


def status_table(found: Sequence[Status]) -> str:
    """Where each uttrekk stands."""
    if not found:
        return "No uttrekk has been made yet."
    header = ("uttrekk", "kind", "stage", "batches", "identifiers", "answered", "landed", "release")
    rows = [
        (
            one.name,
            one.kind,
            one.stage,
            f"{one.batches}{'' if one.end_seen else '+'}",
            f"{one.identifiers:,}",
            f"{one.answered:,}",
            f"{one.landed} batches",
            one.release or "",
        )
        for one in found
    ]
    return columns(header, rows)


def release_table(
    manifests: Sequence[Manifest], current: str | None, pins: Mapping[str, str]
) -> str:
    """All releases; the current one marked, and those that a pin keeps."""
    if not manifests:
        return "There is no release yet."
    header = ("release", "created", "uttrekk", "persons", "sekvensnummer", "deltas", "")
    rows = [
        (
            one.number,
            f"{one.created:%Y-%m-%d %H:%M:%S} UTC",
            one.uttrekk,
            f"{one.persons:,}",
            str(one.sekvensnummer),
            str(len(one.deltas)),
            " ".join(
                word
                for word, holds in (
                    ("current", one.number == current),
                    ("incomplete", one.incomplete),
                    *((f"pin:{name}", kept == one.number) for name, kept in pins.items()),
                )
                if holds
            ),
        )
        for one in manifests
    ]
    return columns(header, rows)


def measures_lines(measures: Measures) -> list[str]:
    """What the uttrekk of a release took: its look-ups, and where the time went."""
    lines = []
    if measures.look_ups:
        per_second, half, most = (
            "?" if one is None else f"{one:g}"
            for one in (measures.look_ups_per_second, measures.latency_p50, measures.latency_p95)
        )
        lines += [
            f"Look-ups: {measures.look_ups:,}, {per_second} a second; half answered within "
            f"{half} s, 95 % within {most} s",
            f"Received: {measures.bytes / 1e6:,.1f} MB; sent again: {measures.retries:,}",
        ]
    if measures.seconds:
        told = ", ".join(f"{stage} {lasted:,.1f}" for stage, lasted in measures.seconds.items())
        lines.append(f"Seconds by stage: {told}")
    return lines


def tables_table(tables: Sequence[Mapping[str, Any]]) -> str:
    """A release's tables with their rows and sizes, as :func:`table_facts` gives them."""
    header = ["table", "rows", "rows of the base", "rows of deltas", "bytes"]
    keys = ("rows", "base_rows", "delta_rows", "bytes")
    rows = [[one["table"], *(f"{one[key]:,}" for key in keys)] for one in tables]
    if any("content" in one for one in tables):
        header.append("hash")
        rows = [[*row, one["content"]["hash"]] for row, one in zip(rows, tables, strict=True)]
    return columns(header, rows)


def columns(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Text in aligned columns; on a terminal that is too narrow for them, a few lines a row."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    if sys.stdout.isatty() and sum(widths) + 2 * len(widths) - 2 > _terminal_width():
        return "\n".join(_narrow(header, row) for row in rows)
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (header, *rows)
    )


def _terminal_width() -> int:
    return shutil.get_terminal_size().columns


def _narrow(header: Sequence[str], row: Sequence[str]) -> str:
    """A row on several lines: its first cell, then the others with their names."""
    joined = "\N{NO-BREAK SPACE}"  # within a cell, where no line breaks
    told = "; ".join(
        (f"{name}: {cell}" if name else cell).replace(" ", joined)
        for name, cell in zip(header[1:], row[1:], strict=True)
        if cell
    )
    lines = textwrap.wrap(told, _terminal_width() - 2, break_long_words=False)
    return "\n  ".join([row[0], *lines]).replace(joined, " ")
