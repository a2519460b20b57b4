"""Answers made by hand, and what becomes of them: the tests' way round normalising."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from freg_pipeline.contract import Plan
from freg_pipeline.envelope import IdentifierKind
from freg_pipeline.normalize import Chunk, normalize_batch
from freg_pipeline.normalize.write import BatchRows

HENTET = datetime(2026, 6, 1, 12, tzinfo=UTC)
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Normalized:
    """What normalising gave: rows by table, nulls left out."""

    tables: dict[str, Rows]
    outcomes: dict[str, int]

    @property
    def account(self) -> Rows:
        return self.tables["dokument"]

    @property
    def failed(self) -> Rows:
        return [row for row in self.account if row["utfall"] == "feilet"]

    @property
    def unknown(self) -> dict[str, int]:
        return {row["sti"]: row["antall"] for row in self.tables.get("ukjent_felt", [])}


def bulk(documents: list[Any], ids: list[str] | None = None) -> bytes:
    """An answer in the register's own form."""
    names = ids or [f"doc-{index}" for index in range(len(documents))]
    oppslag = [
        {"dokumentidentifikator": name, "folkeregisterperson": document}
        for name, document in zip(names, documents, strict=True)
    ]
    return json.dumps({"oppslag": oppslag}).encode()


def normalize(
    plan: Plan,
    documents: list[Any],
    *,
    kind: IdentifierKind = "dokumentidentifikator",
    asked: list[str] | None = None,
) -> Normalized:
    """Normalise documents as one look-up's answer."""
    names = asked or [f"doc-{index}" for index in range(len(documents))]
    return normalize_answers(plan, [(names, bulk(documents, names))], kind=kind)


def normalize_answers(
    plan: Plan,
    answers: list[tuple[list[str], bytes]],
    *,
    kind: IdentifierKind = "dokumentidentifikator",
) -> Normalized:
    """Normalise answers as they came, each with what was asked."""

    def chunks() -> Iterator[Chunk]:
        first = 0
        for asked, body in answers:
            yield Chunk(first, asked, body, HENTET)
            first += len(asked)

    with tempfile.TemporaryDirectory() as folder:
        done = normalize_batch(chunks(), plan, kind, Path(folder))
        tables = {name: _rows(rows) for name, rows in done.tables.items()}
    assert {name: len(rows) for name, rows in tables.items()} == {
        name: rows.rows for name, rows in done.tables.items()
    }
    return Normalized(tables, done.outcomes)


def entity_rows(normalized: Normalized) -> dict[str, Rows]:
    """The rows of the contract's tables, without the staging's own column and tables."""
    return {
        name: [{k: v for k, v in row.items() if k != "dok_nr"} for row in rows]
        for name, rows in normalized.tables.items()
        if name not in {"dokument", "ukjent_felt"}
    }


def _rows(of_table: BatchRows) -> Rows:
    rows = of_table.read().to_pylist()
    return [{name: _plain(value) for name, value in row.items() if value is not None}
            for row in rows]  # fmt: skip


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value
