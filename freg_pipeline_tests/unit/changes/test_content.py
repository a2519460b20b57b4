"""What a table holds as a sum of hashes: by the documented words, in DuckDB and in PostgreSQL."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner
from hypothesis import example, given, settings
from hypothesis import strategies as st

from freg_pipeline.commands.root import cli
from freg_pipeline.journal.releases import read_manifest, require_current
from freg_pipeline.lake.compact import begin_compaction, compact
from freg_pipeline.lake.content import contents, hash_sql
from freg_pipeline.lake.release import build_release
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests import services
from freg_pipeline_tests.copies import Copy, documented, recipe
from freg_pipeline_tests.unit.lake.delivered import (
    copy_of,
    deliver,
    deliver_events,
    document,
    local_store,
    navn,
    number,
)

A, B, C = (number(index) for index in range(3))
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
COLUMNS = {
    "tekst": "VARCHAR",
    "sant": "BOOLEAN",
    "aar": "SMALLINT",
    "nr": "INTEGER",
    "antall": "BIGINT",
    "dag": "DATE",
    "tid": "TIMESTAMP WITH TIME ZONE",
    "beloep": "DECIMAL(38,10)",
    "andel": "DOUBLE",
    "linjer": "VARCHAR[]",
    "dager": "DATE[]",
}
# PostgreSQL can't hold a NUL; the register's texts can't either (it is replaced).
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
days = st.dates(date(1, 1, 1), date(9999, 12, 31))
VALUES = (
    texts,
    st.booleans(),
    st.integers(-(2**15), 2**15 - 1),
    st.integers(-(2**31), 2**31 - 1),
    st.integers(-(2**63), 2**63 - 1),
    days,
    st.integers(-62 * 10**15, 250 * 10**15).map(lambda at: EPOCH + timedelta(microseconds=at)),
    st.decimals(-(10**20), 10**20, places=10),
    st.floats(allow_nan=False),
    st.lists(st.none() | texts, max_size=3),
    st.lists(st.none() | days, max_size=3),
)
Row = tuple[Any, ...]
rows = st.lists(st.tuples(*(st.none() | one for one in VALUES)), max_size=5)
ODD = [
    ("a|1:b", True, 0, 0, -1, date(1969, 12, 31), EPOCH - timedelta(microseconds=1),
     Decimal("0.1"), -0.0, [], [None]),
    ("", False, 1, 2, 3, date(2000, 2, 29), EPOCH, Decimal(0), float("inf"), ["", None], []),
    ("æ\n🎉", None, None, None, None, None, None, None, 1e-310, None, None),
    (None,) * len(COLUMNS),
]  # fmt: skip


def text_of(value: Any) -> str:
    """A value's text, by the page's words."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return str((value - EPOCH) // timedelta(microseconds=1))
    if isinstance(value, date):
        return str((value - EPOCH.date()).days)
    if isinstance(value, Decimal):
        return f"{value:.10f}"
    if isinstance(value, float):
        return "".join(f"{byte:08b}" for byte in struct.pack(">d", value))
    if isinstance(value, list):
        return f"[{row_text(value)}]"
    return str(value)


def row_text(values: Sequence[Any]) -> str:
    told = ("" if value is None else text_of(value) for value in values)
    return "".join(
        ":|" if value is None else f"{len(text.encode())}:{text}|"
        for value, text in zip(values, told, strict=True)
    )


def expected(found: Sequence[Row]) -> str:
    hashes = (hashlib.sha256(row_text(row).encode()).hexdigest()[:15] for row in found)
    return str(sum(int(one, 16) for one in hashes))


def in_duckdb(found: Sequence[Row], query: str) -> Row:
    with duckdb.connect() as connection:
        made = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
        connection.execute(f"CREATE TABLE t ({made})")
        places = ", ".join("?" * len(COLUMNS))
        for row in found:
            connection.execute(f"INSERT INTO t VALUES ({places})", list(row))
        return connection.execute(query).fetchall()[0]


@settings(max_examples=10, deadline=None, database=None, derandomize=True)
@given(rows)
@example(ODD)
def test_a_hash_is_by_the_words_of_the_page_and_by_its_sql(found: list[Row]) -> None:
    told = (len(found), expected(found))
    assert in_duckdb(found, f"SELECT count(*), {hash_sql(COLUMNS)} FROM t") == told
    by_page = recipe("hash_sql", 1)("t", COLUMNS, "duckdb")
    assert in_duckdb(found[::-1], by_page) == told


@pytest.fixture(scope="module")
def postgres() -> Iterator[Any]:
    if "postgresql" in services.missing():
        pytest.skip("needs PostgreSQL: apt-get install postgresql")
    with services.postgres() as environment:
        connection = services.connect(environment)
        connection.autocommit = True
        yield connection.cursor()
        connection.close()


def fill(postgres: Any, table: str, columns: dict[str, str], found: Sequence[Row]) -> None:
    kinds = {name: kind.replace("DOUBLE", "DOUBLE PRECISION") for name, kind in columns.items()}
    made = ", ".join(f'"{name}" {kind}' for name, kind in kinds.items())
    postgres.execute(f'DROP TABLE IF EXISTS "{table}"; CREATE TABLE "{table}" ({made})')
    casts = (
        f"CAST(%s AS {kind.replace('DOUBLE', 'DOUBLE PRECISION')})" for kind in columns.values()
    )
    told = [[repr(one) if isinstance(one, float) else one for one in row] for row in found]
    postgres.executemany(f'INSERT INTO "{table}" VALUES ({", ".join(casts)})', told)


def test_postgresql_finds_the_same(postgres: Any, tmp_path: Path, made: LocalStore) -> None:
    by_page = recipe("hash_sql", 1)

    @settings(max_examples=10, deadline=None, database=None, derandomize=True)
    @given(rows)
    @example(ODD)
    def any_rows(found: list[Row]) -> None:
        fill(postgres, "t", COLUMNS, found)
        postgres.execute(by_page("t", COLUMNS, "postgresql"))
        assert postgres.fetchall() == [(len(found), expected(found))]

    any_rows()
    postgres.execute("SET TimeZone = 'Europe/Oslo'; SET DateStyle = 'German'")
    copy = Copy(tmp_path)
    told = copy.keep_up(made).tables
    for name, table in told.items():
        columns = ", ".join(f'"{column}"' for column in table.columns)
        there = copy.connection.execute(f'SELECT {columns} FROM "{name}"').fetchall()
        fill(postgres, name, table.columns, there)
        postgres.execute(by_page(name, table.columns, "postgresql"))
        assert table.content is not None
        assert postgres.fetchall() == [(table.content.rows, table.content.hash)], name
    for place, ask in ((1, copy.connection.execute), (2, postgres.execute)):
        content = told["tidligere_identifikator"].content
        assert content is not None
        assert content.rows
        ask(documented("sql", place))
        found = (postgres if place == 2 else copy.connection).fetchall()
        assert found == [(content.rows, content.hash)]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> LocalStore:
    """A full load, and a sync that merges B into A; not to be changed."""
    store = local_store(tmp_path_factory.mktemp("made"))
    people = [(f"d-{one}", document(one, navn=[navn("Ola")])) for one in (A, B, C)]
    build_release(store, deliver(store, "one", people, sekvensnummer=100))
    merged = A, document(A, B, day=2, navn=[navn("Ada"), navn("Ane", gjeldende=False)])
    build_release(store, deliver_events(store, 100, 200, [merged]))
    return store


def test_how_rows_lie_makes_no_difference_and_what_they_are_does(
    made: LocalStore, tmp_path: Path
) -> None:
    store = copy_of(made, tmp_path)
    before = contents(store, read_manifest(store, "1"))
    deltas = contents(store, require_current(store))
    compaction = begin_compaction(store)
    assert compaction is not None
    compact(store, compaction, lambda more: None)
    assert contents(store, require_current(store)) == deltas
    assert {name for name in deltas if deltas[name] != before[name]} >= {"navn", "person"}
    assert contents(store, read_manifest(store, "1")) == before
    events = deltas["hendelse"]
    assert (events.rows, events.first, events.last) == (1, 200, 200)
    assert deltas["navn"].first is None


def test_two_stores_of_the_same_register_hold_the_same(made: LocalStore, tmp_path: Path) -> None:
    """Whatever order and batches the answers came in, by a load and a sync or by one load."""
    merged = A, document(A, B, day=2, navn=[navn("Ada"), navn("Ane", gjeldende=False)])
    people = [(f"d-{C}", document(C, navn=[navn("Ola")])), (f"d-{A}", merged[1])]
    store = local_store(tmp_path)
    build_release(store, deliver(store, "other", *([one] for one in people), sekvensnummer=200))
    mine, theirs = (contents(one, require_current(one)) for one in (store, made))
    unlike = {name for name in mine if mine[name] != theirs[name]}
    # What tells how and when each was fetched, and the events since a full load.
    assert unlike == {"person", "hendelse"}


def test_the_commands_tell_it_where_it_is_asked_for(made: LocalStore, tmp_path: Path) -> None:
    def told(*arguments: str) -> str:
        ended = CliRunner().invoke(cli, [*arguments, "--store", made.location])
        assert ended.exit_code == 0, ended.output
        return ended.stdout

    known = contents(made, require_current(made), ["navn"])["navn"]
    assert known.rows == 3
    show = ("release", "show", "--format", "json")
    (navn_,) = (
        one for one in json.loads(told(*show, "--hashes"))["tables"] if one["table"] == "navn"
    )
    assert navn_["content"]["hash"] == known.hash
    assert all("content" not in one for one in json.loads(told(*show))["tables"])
    assert known.hash in told("release", "show", "--hashes")
    told("changes", "--since", "0", "--hashes", "--table", "navn", "--output", f"{tmp_path}/new")
    manifest = json.loads((tmp_path / "new/manifest.json").read_text())
    assert manifest["tables"]["navn"]["content"] == {
        "rows": 3, "hash": known.hash, "first": None, "last": None
    }  # fmt: skip
