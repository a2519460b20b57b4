"""What a release holds of a few persons against what was just fetched of them, by table."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from freg_pipeline.contract import Plan
from freg_pipeline.extract.parts import entities
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.lake.query import connect
from freg_pipeline.lake.sql import identifier
from freg_pipeline.lake.tables import PERSON
from freg_pipeline.normalize.write import BatchRows
from freg_pipeline.store import Store

_DOCUMENT = "dokument"  # the staging table of what became of each identifier


@dataclass(frozen=True)
class Differences:
    """How a release differs from what was fetched. Counts only.

    Attributes:
        compared: persons.
        failed: persons whose fetched document could not be decoded.
        persons: those of the compared who differ in some table.
        tables: how many persons differ, by table; those without are left out. ``person`` counts
            those whom the register no longer has, or has under another number.
    """

    compared: int
    failed: int
    persons: int
    tables: dict[str, int]


def sample(store: Store, manifest: Manifest, size: int) -> list[str]:
    """The numbers of so many of a release's persons, drawn at random; all where it has fewer."""
    with closing(connect(store, manifest, states=False)) as connection:
        rows = connection.execute(
            f"SELECT personidentifikator FROM (SELECT personidentifikator FROM {PERSON.name}) "  # noqa: S608
            f"USING SAMPLE reservoir({size:d} ROWS)"
        ).fetchall()
    return [number for (number,) in rows]


def earlier_numbers(
    store: Store, manifest: Manifest, numbers: Sequence[str]
) -> dict[str, list[str]]:
    """The numbers that persons have had before, as a release knows them, by the current one."""
    asked = pa.table({"nummer": pa.array(numbers, pa.string())})
    with closing(connect(store, manifest, states=False)) as connection:
        connection.register("asked", asked)
        rows = connection.execute(
            "SELECT personidentifikator, list(identifikator) FROM tidligere_identifikator "
            "SEMI JOIN asked ON nummer = personidentifikator GROUP BY ALL"
        ).fetchall()
    return dict(rows)


def differences(
    store: Store,
    manifest: Manifest,
    plan: Plan,
    tables: Mapping[str, BatchRows],
    left_out: Collection[str],
    parts: Collection[str],
) -> Differences:
    """Hold a release against the rows of documents that were fetched by number.

    Rows are compared as a set: in which order an answer lists them is no difference. Tables of what
    wasn't asked for are passed over: the register gives numbers unasked.

    Args:
        store: where the release lies.
        manifest: the release.
        plan: the contract by which both were decoded.
        tables: what was fetched; tables without rows aren't there.
        left_out: numbers asked for that can't be compared.
        parts: what was asked for.
    """
    with closing(connect(store, manifest, states=False)) as connection:
        _account(connection, tables[_DOCUMENT].read(), left_out)
        found = {PERSON.name: _numbers(connection, _OTHER_PERSON)}
        asked = entities(parts)
        for table in (one for one in plan.tables if one.entity in asked):
            columns = [column.name for column in table.columns]
            fetched = tables.get(table.name)
            if fetched is not None:
                connection.register(_FETCHED, fetched.read())
            statement = _differing(table.name, columns, is_there=fetched is not None)
            found[table.name] = _numbers(connection, statement)
        compared = _numbers(connection, "SELECT identifikator FROM compared")
        failed = _numbers(connection, "SELECT identifikator FROM fetched WHERE utfall = 'feilet'")
    return Differences(
        compared=len(compared),
        failed=len(failed),
        persons=len(set().union(*found.values())),
        tables={name: len(numbers) for name, numbers in found.items() if numbers},
    )


_FETCHED = "_hentet"
_OTHER_PERSON = (
    "SELECT identifikator FROM compared "
    "WHERE utfall = 'borte' OR personidentifikator <> identifikator"
)


def _account(
    connection: duckdb.DuckDBPyConnection, account: pa.Table, left_out: Collection[str]
) -> None:
    connection.register("account", account)
    connection.register("left_out", pa.table({"nummer": pa.array(sorted(left_out), pa.string())}))
    connection.execute(
        "CREATE TABLE fetched AS FROM account ANTI JOIN left_out ON nummer = identifikator"
    )
    connection.execute("CREATE TABLE compared AS FROM fetched WHERE utfall <> 'feilet'")


def _differing(table: str, columns: Sequence[str], *, is_there: bool) -> str:
    """Those of the compared whose rows of a table aren't the same.

    Whom the register no longer has, or has under another number, ``person`` counts already.
    """
    names = ", ".join(map(identifier, columns))
    kept = (
        f"SELECT personidentifikator AS nummer, {names} FROM {identifier(table)} "  # noqa: S608  ours
        "SEMI JOIN same ON personidentifikator = identifikator"
    )
    fresh = f"SELECT nummer, {names} FROM ({kept}) WHERE false"  # noqa: S608
    if is_there:
        fresh = (
            f"SELECT identifikator AS nummer, {names} "  # noqa: S608
            f"FROM {_FETCHED} JOIN same USING (dok_nr)"
        )
    return (
        "WITH same AS (SELECT identifikator, dok_nr FROM compared "  # noqa: S608
        "WHERE utfall = 'dokument' AND personidentifikator = identifikator) "
        f"SELECT DISTINCT nummer FROM (({kept} EXCEPT ALL {fresh}) "
        f"UNION ALL ({fresh} EXCEPT ALL {kept}))"
    )


def _numbers(connection: duckdb.DuckDBPyConnection, statement: str) -> set[str]:
    return {number for (number,) in connection.execute(statement).fetchall()}
