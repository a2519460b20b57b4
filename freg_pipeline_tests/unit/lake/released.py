"""Releases of three persons, or of one."""

from __future__ import annotations

from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.lake.query import query
from freg_pipeline.lake.release import build_release
from freg_pipeline.store import Store
from freg_pipeline_tests.unit.lake.delivered import Delivery, deliver, document, navn, number

A, B, C, D = (number(index) for index in range(4))
EVERYONE: list[list[Delivery]] = [
    [
        ("d-a", document(A, B, day=3, navn=[navn("Ada")])),
        ("d-a-old", document(A, day=1, navn=[navn("Ana")])),
        ("d-b", document(B, day=2)),
    ],
    [("d-c", document(C, navn=[navn("Cato")])), ("d-x", "dokumentet er slettet")],
]
ODD: Delivery = ("odd", {"identifikasjonsnummer": [], "navn": [navn("Nobody")]})


def released(store: Store, name: str = "one", *, label: str = "") -> Manifest:
    batches = EVERYONE if not label else [[(f"d-{label}", document(A, navn=[navn(label)]))]]
    return build_release(store, deliver(store, name, *batches))


def names_in(store: Store) -> list[str]:
    return [row[0] for row in query(store, "SELECT fornavn FROM navn ORDER BY 1").fetchall()]
