"""What is held about each person of a list: counted by place, and the content itself.

Persons are told by their lines in the list, and not by number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import msgspec
import pyarrow as pa

from freg_pipeline.client.feed import parse_feed
from freg_pipeline.client.hendelsesdokument import Egenskapshendelse, compose, hendelsesdokumenter
from freg_pipeline.envelope import is_xml, numbers_of, parse
from freg_pipeline.erasure.columns import Columns, columns_of
from freg_pipeline.erasure.persons import Persons
from freg_pipeline.erasure.survey import Hit, Survey
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.raw import read_raw
from freg_pipeline.journal.releases import current_release, list_releases
from freg_pipeline.lake.copied import CopiedFile, Writer, new_place, write_manifest, write_private
from freg_pipeline.lake.described import described
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.lake.query import connect
from freg_pipeline.lake.sql import identifier
from freg_pipeline.lake.tables import AVVIK, HENDELSE_EGENSKAP
from freg_pipeline.store import Store


class Held(msgspec.Struct, frozen=True):
    """What is held about a person in one place.

    Attributes:
        line: the person's, in the list.
        area: tables, unreleased (tables), answers, batches, events, staging or lifted (they are to
            be looked up by the next sync).
        place: the folder of a base or a delta, or the uttrekk.
        what: the table, or what is counted.
        own: rows or documents that are the person's.
        named: those of others that name the person.
        releases: the releases that name the table's file.
    """

    line: int
    area: str
    place: str
    what: str
    own: int
    named: int
    releases: tuple[str, ...] = ()


def held(store: Store, found: Survey) -> list[Held]:
    """What is held about each person, by line and place.

    Args:
        store: where.
        found: what a survey of it found.
    """
    own: Counter[tuple[int, str, str, str]] = Counter()
    named: Counter[tuple[int, str, str, str]] = Counter()
    for hit in found.hits:
        for place in {*hit.own, *hit.named}:
            at = (found.persons.lines[place], hit.area, hit.place, hit.what)
            own[at] += hit.own[place]
            named[at] += hit.named[place]
    releases = _releases_of(store, found.hits)
    return [Held(*at, own[at], named[at], releases.get(at[2:], ())) for at in sorted(own)]


def _releases_of(store: Store, hits: tuple[Hit, ...]) -> dict[tuple[str, ...], tuple[str, ...]]:
    of: dict[str, tuple[str, ...]] = {hit.key: (hit.place, hit.what) for hit in hits}
    told: dict[tuple[str, ...], tuple[str, ...]] = {}
    for release in list_releases(store):
        for at in {of[file.key] for file in release.files() if file.key in of}:
            told[at] = (*told.get(at, ()), release.number)
    return told


class Content(msgspec.Struct, frozen=True):
    """A folder with what is held of persons.

    Attributes:
        created: when (UTC).
        release: whose rows they are; None: there is none.
        lines: the persons' lines in the list.
        tables: files of rows of the current release, by their names.
        documents: files with documents as the register gave them.
        held: what is held in all places, in numbers.
    """

    created: datetime
    release: str | None
    lines: tuple[int, ...]
    tables: tuple[CopiedFile, ...]
    documents: tuple[str, ...]
    held: tuple[Held, ...]


def write_content(store: Store, found: Survey, output: Path) -> Content:
    """Write the persons' own rows and documents into a new folder, private to its owner.

    A file's name begins with the person's line in the list. Rows of others that name them aren't
    written: they are about the others, and are counted in the manifest.

    Raises:
        ConfigurationError: something is there already, or no folder can be made.
    """
    with new_place(output, "--output") as folder:
        current = current_release(store)
        tables = tuple(_tables(store, current, found, folder)) if current else ()
        documents = tuple(_documents(store, found, folder))
        told = Content(
            datetime.now(UTC),
            current.number if current else None,
            found.persons.lines,
            tables,
            documents,
            tuple(held(store, found)),
        )
        write_manifest(folder, told)
    return told


def _tables(store: Store, current: Manifest, found: Survey, folder: Path) -> Iterator[CopiedFile]:
    plan = load_plan(store, current.contract)
    with closing(connect(store, current, states=False)) as connection:
        connection.register("_asked", _asked(found.persons))
        connection.register("_events", _events(found))
        for table in described(plan):
            rule = _rule(table.name, columns_of(plan, table.name))
            if rule is None:
                continue
            for place, line in enumerate(found.persons.lines):
                rows = _rows(connection, table.name, rule, place)
                if len(rows):
                    writer = Writer(folder / f"{line}-{table.name}.parquet")
                    writer.add(rows.schema, rows.to_batches())
                    yield writer.close()


def _rule(table: str, columns: Columns) -> str | None:
    """Which rows of a table are a person's, as SQL; None: none are anybody's."""
    if table == HENDELSE_EGENSKAP.name:
        return "sekvensnummer IN (SELECT number FROM _events WHERE place = $place)"
    theirs = columns.named if table == AVVIK.name else columns.own
    mine = "IN (SELECT number FROM _asked WHERE place = $place)"
    return " OR ".join(f"{identifier(name)} {mine}" for name in theirs) or None


def _rows(connection: duckdb.DuckDBPyConnection, table: str, rule: str, place: int) -> pa.Table:
    statement = f"SELECT * FROM {identifier(table)} WHERE {rule}"  # noqa: S608  from the contract
    return connection.sql(statement, params={"place": place}).to_arrow_table()


def _asked(persons: Persons) -> pa.Table:
    places = pa.array(list(persons.places.values()), pa.int64())
    return pa.table({"number": persons.numbers(), "place": places})


def _events(found: Survey) -> pa.Table:
    numbers = found.events.numbers
    return pa.table(
        {
            "number": pa.array(list(numbers), pa.int64()),
            "place": pa.array(list(numbers.values()), pa.int64()),
        }
    )


def _documents(store: Store, found: Survey, folder: Path) -> Iterator[str]:
    """Their documents as the register gave them, and their events."""
    count: Counter[tuple[int, str]] = Counter()
    for hit in found.of("answers", "events"):
        if not hit.key.endswith(".zst"):
            continue
        body = read_raw(store, hit.key)[1]
        for place, content in _of_answer(body, found) if hit.area == "answers" else ():
            count[place, "document"] += 1
            form = "xml" if is_xml(content) else "json"
            name = f"{found.persons.lines[place]}-document-{count[place, 'document']:04d}.{form}"
            write_private(folder / name, content)
            yield name
        for place, content in _of_events(body, hit, found) if hit.area == "events" else ():
            count[place, "event"] += 1
            name = f"{found.persons.lines[place]}-event-{count[place, 'event']:04d}.json"
            write_private(folder / name, content)
            yield name


def _of_answer(body: bytes, found: Survey) -> Iterator[tuple[int, bytes]]:
    places = found.persons.places
    for one in parse(body):
        numbers = [*numbers_of(one.person), one.identifikator or ""]
        place = max((places.get(number, -1) for number in numbers), default=-1)
        if place >= 0 and one.person is not None:
            yield place, one.person


def _of_events(body: bytes, hit: Hit, found: Survey) -> Iterator[tuple[int, bytes]]:
    if hit.what == "document":
        for one in hendelsesdokumenter(body):
            of = found.events.documents.get(one.dokumentidentifikator or "")
            if of is not None and one.feilmelding is None:
                yield of, compose([one], _every)
        return
    for entry in parse_feed(body):
        place = found.persons.places.get(entry.folkeregisteridentifikator or "")
        if place is not None:
            yield place, msgspec.json.encode(entry)


def _every(change: Egenskapshendelse) -> bool:
    del change
    return True
