"""What a register of any size takes, reckoned from two that were measured: ``docs/sizing.md``.

Nothing here is measured. Time that the register takes follows from its limits and from how long it
takes to answer; everything else grows by the person from the measured figures.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmarks.large.stages import AFTER, LOAD, STAGES, Measured
from freg_pipeline.journal.batches import CHUNK
from freg_pipeline.lake.keys import bucket_count

PAGE = Path(__file__).parents[2] / "docs" / "sizing.md"
SIZES = (10_000, 300_000, 1_000_000, 5_600_000, 10_000_000)
BATCH = 100_000  # identifiers; the register's largest batches
LIMITS = {"konsumenttest": 1_200, "produksjon": 60_000}  # requests a minute and IP address
SLOW = 10.0  # seconds a look-up, where the register is slow
IN_FLIGHT = 4  # FREG_CONCURRENCY
TABLES = 42
_A_BATCH = 6  # requests beside those for its answers: identifiers, tables, their markers
_GB = 1e9
BEGIN, END = "<!-- measured -->", "<!-- end of what was measured -->"


@dataclass(frozen=True)
class Machines:
    """What a load runs on.

    Attributes:
        count: of machines with an address of their own.
        cores: of each.
        in_flight: look-ups at once, on each.
    """

    count: int = 1
    cores: int = 2
    in_flight: int = IN_FLIGHT


@dataclass(frozen=True)
class Needs:
    """What a full load of a register takes.

    Attributes:
        look_ups: requests for documents.
        at_limit: minutes until all are sent, by environment.
        slow: hours for them where each takes SLOW seconds.
        cpu: seconds of CPU time.
        minutes: of work on these machines where the register is quick: nothing waits.
        memory: MB of the largest process.
        answers, staging, base: GB on disk.
        kept: GB of a store with a load, a compaction of it, and the answers of the load.
        requests: to S3, of the whole load.
        sync: CPU seconds for a day of events.
        compact: CPU seconds.
    """

    look_ups: int
    at_limit: dict[str, float]
    slow: float
    cpu: float
    minutes: float
    memory: float
    answers: float
    staging: float
    base: float
    kept: float
    requests: int
    sync: float
    compact: float


def needs(persons: int, small: Measured, large: Measured, machines: Machines = Machines()) -> Needs:
    """What a register of so many persons takes, by what two registers took."""
    share = persons / large.persons
    look_ups, batches = -(-persons // CHUNK), -(-persons // BATCH)
    cpu = {name: grown(persons, small, large, name) for name in (*STAGES, *AFTER)}
    answers, staging, base = (
        large.disk[kind] * share / _GB for kind in ("answers", "tables", "bases")
    )
    buckets = bucket_count(persons)
    together = machines.count * machines.cores
    return Needs(
        look_ups=look_ups,
        at_limit={name: look_ups / (limit * machines.count) for name, limit in LIMITS.items()},
        slow=look_ups * SLOW / (machines.in_flight * machines.count) / 3600,
        cpu=cpu[LOAD],
        minutes=cpu[LOAD] / together / 60,
        memory=memory(persons, small, large),
        answers=answers,
        staging=staging,
        base=base,
        kept=answers + 2 * base,
        # Each answer once; of a batch its parts, a piece a bucket; each table's files.
        requests=look_ups + batches * (_A_BATCH + buckets) + TABLES * (buckets + 1),
        sync=cpu[AFTER[0]],
        compact=cpu[AFTER[2]],
    )


def grown(persons: int, small: Measured, large: Measured, stage: str) -> float:
    """CPU seconds of a stage: on the line through what was measured, and never below zero."""
    return _line(persons, small, large, *(
        measured.stages[stage].cpu if stage in measured.stages else 0.0
        for measured in (small, large)
    ))  # fmt: skip


def memory(persons: int, small: Measured, large: Measured) -> float:
    """MB of the largest process of a load, on the same line; no less than the small one's."""
    least, most = (measured.stages[LOAD].memory for measured in (small, large))
    return max(least, _line(persons, small, large, least, most))


def _line(persons: int, small: Measured, large: Measured, least: float, most: float) -> float:
    slope = (most - least) / (large.persons - small.persons)
    return max(0.0, least + slope * (persons - small.persons))


def text(small: Measured, large: Measured) -> str:
    """What the page says of sizes."""
    found = {persons: needs(persons, small, large) for persons in SIZES}
    ten = SIZES[-1]
    several = Machines(count=4, cores=4, in_flight=IN_FLIGHT * 4)
    spread = needs(ten, small, large, several)
    return _TEXT.format(
        measured=f"{small.persons:,} and {large.persons:,}",
        rows="\n".join(_row(persons, one) for persons, one in found.items()),
        work="\n".join(_work(persons, one) for persons, one in found.items()),
        plan="\n".join(_plan(found[ten], spread, several)),
    )


def _row(persons: int, one: Needs) -> str:
    limits = " | ".join(_minutes(minutes) for minutes in one.at_limit.values())
    return f"| {persons:,} | {one.look_ups:,} | {limits} | {_hours(one.slow)} | {one.requests:,} |"


def _work(persons: int, one: Needs) -> str:
    return (
        f"| {persons:,} | {one.cpu:,.0f} | {_minutes(one.minutes)} | {one.memory:,.0f} "
        f"| {one.answers:.2f} | {one.staging:.2f} | {one.base:.2f} | {one.kept:.2f} "
        f"| {one.sync:.1f} | {one.compact:,.0f} |"
    )


def _plan(one: Needs, spread: Needs, several: Machines) -> list[str]:
    what = f"{several.count} machines of {several.cores} cores"
    pairs = {
        "look-ups": (f"{one.look_ups:,}", f"{spread.look_ups:,}"),
        "at 1,200 requests a minute and address": _both(one, spread, "konsumenttest"),
        "at 60,000 a minute": _both(one, spread, "produksjon"),
        f"at {SLOW:.0f} s a look-up, {IN_FLIGHT} in flight, or {several.in_flight} on each": (
            _hours(one.slow), _hours(spread.slow)
        ),
        "CPU time": (f"{one.cpu / 60:,.0f} min", f"{spread.cpu / 60:,.0f} min"),
        "that is, with all cores at work": (_minutes(one.minutes), _minutes(spread.minutes)),
        "memory of the largest process": (f"{one.memory:,.0f} MB", f"{spread.memory:,.0f} MB"),
        "answers, staging, base": (_disk(one), _disk(spread)),
        "kept with a compaction": (f"{one.kept:.0f} GB", f"{spread.kept:.0f} GB"),
        "requests to S3": (f"{one.requests:,}", f"{spread.requests:,}"),
    }  # fmt: skip
    lines = [f"| | one machine of 2 cores | {what} |", "| --- | ---: | ---: |"]
    return lines + [f"| {name} | {alone} | {shared} |" for name, (alone, shared) in pairs.items()]


def _both(one: Needs, spread: Needs, environment: str) -> tuple[str, str]:
    return _minutes(one.at_limit[environment]), _minutes(spread.at_limit[environment])


def _disk(one: Needs) -> str:
    return f"{one.answers:.0f}, {one.staging:.0f}, {one.base:.0f} GB"


def _minutes(minutes: float) -> str:
    return f"{minutes * 60:.0f} s" if minutes < 2 else f"{minutes:.0f} min"


def _hours(hours: float) -> str:
    return _minutes(hours * 60) if hours < 2 else f"{hours:.0f} h"


_TEXT = """Written by `make bench-large`, which measures {measured} persons of the synthetic
register (its figures: `benchmarks/RESULTS-large.md`) and reckons the rest: between
the two, and beyond them, on the line through both. Nothing above a million has been
tried. A synthetic document has 5.2 kB; real ones with longer histories are larger: take
twice as much disk.

### What the register takes

A full load asks for 1,000 persons at a time. The limits are the published ones, by
environment and address. At 10 s a look-up there are 4 in flight (FREG_CONCURRENCY);
each run beside it has as many. Requests to S3 are those of a store there, with 100,000
identifiers to a batch.

| persons | look-ups | at 1,200 a minute | at 60,000 a minute | at 10 s each | to S3 |
| ---: | ---: | ---: | ---: | ---: | ---: |
{rows}

### What the work takes

CPU seconds are of a full load, on the machine of the figures; *alone* is how long they
last on two cores that have nothing else to do and never wait. Memory is the largest
process of the load. Disk is in GB: raw answers, the batches' tables, a release's base,
and *kept*, a store with one full load, its answers and a compaction, which is two
bases. *Sync* and *compact* are CPU seconds; the sync is of 2% of the persons, which is
a day of 20,000 events on a million.

| persons | CPU s | alone | MB | answers | tables | base | kept | sync | compact |
| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
{work}

`uttrekk/<name>/tables/` may be removed once the uttrekk is released. A load that goes
on beside a release takes answers, tables and base on top of what is kept.

### Ten million, on paper

{plan}

Machines behind one address share the register's limit
([operations](operations.md#the-pace-across-machines)), and 60,000 a minute bind nobody.
What binds is how fast the register answers: then more look-ups in flight help, and more
machines only by these. Where the work binds, batches and buckets are what is spread,
and more workers divide it; one of them publishes."""


def _between(page: str, text: str) -> str:
    """A page with another text between the marks."""
    before, rest = page.split(BEGIN)
    return f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.split(END)[1]}"


def write(small: Measured, large: Measured) -> None:
    """Put the figures into the page."""
    PAGE.write_text(_between(PAGE.read_text(), text(small, large)))


if __name__ == "__main__":
    from benchmarks.large.page import kept

    write(*kept())
