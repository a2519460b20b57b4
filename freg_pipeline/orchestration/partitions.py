"""Partitions: an uttrekk, its batches, a piece of a release. Never a person or a look-up.

A partition of batches is one batch, or several small ones that follow each other: what a run costs
Dagster, and what it records of it, is more than such a batch.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import dagster as dg

from freg_pipeline.errors import ConfigurationError
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.orchestration.names import Names
from freg_pipeline.store import Store

UTTREKK = "uttrekk"
UTTREKK_BATCH = "uttrekk_batch"
RELEASE_PIECE = "release_piece"
COMPACTION_PIECE = "compaction_piece"
PLAN = "plan"  # what of a release comes before its pieces, among these
_BATCHES = re.compile(r"(?P<first>[0-9]{1,6})(-(?P<last>[0-9]{1,6}))?")


def partitions(names: Names, kind: str) -> dg.DynamicPartitionsDefinition:
    """Partitions of one of these kinds."""
    return dg.DynamicPartitionsDefinition(name=names.of(kind))


def batch_partition(name: str, batch: int) -> str:
    """The partition key of a batch: ``<uttrekk>/<six digits>``."""
    return f"{name}/{batch:06d}"


def batches_partition(name: str, batches: range) -> str:
    """The partition key of batches that follow each other: ``<uttrekk>/<first>-<last>``."""
    key = batch_partition(name, batches[0])
    return key if len(batches) == 1 else f"{key}-{batches[-1]:06d}"


def batches_of(key: str) -> range:
    """The batches that a partition key names; empty: it names none."""
    named = _BATCHES.fullmatch(key.partition("/")[2])
    if named is None:
        return range(0)
    return range(int(named["first"]), int(named["last"] or named["first"]) + 1)


def each_batch(keys: Iterable[str]) -> list[str]:
    """The partition keys of the single batches that some keys name; what names none stays."""
    return [
        single
        for key in keys
        for single in [batch_partition(key.partition("/")[0], one) for one in batches_of(key)]
        or [key]
    ]


def read_batch_partition(store: Store, key: str) -> tuple[Uttrekk, int]:
    """The uttrekk and the batch that a single batch's partition key names.

    Raises:
        ConfigurationError: it names none.
    """
    name, _, batch = key.partition("/")
    if not batch.isdigit():
        raise ConfigurationError(
            "that partition key is not a batch", "Write it as <uttrekk>/<six digits>"
        )
    return Uttrekk(store, name), int(batch)


def piece_partition(name: str, piece: int | None) -> str:
    """The partition key of a piece of a release, None: of its plan: ``<uttrekk>/<four digits>``."""
    return f"{name}/{PLAN}" if piece is None else f"{name}/{piece:04d}"


def read_piece_partition(store: Store, key: str) -> tuple[Uttrekk, int | None]:
    """The uttrekk and the piece that a partition key names; None: the plan.

    Raises:
        ConfigurationError: it names none.
    """
    name, _, piece = key.partition("/")
    if piece != PLAN and not (piece.isascii() and piece.isdigit()):
        raise ConfigurationError(
            "that partition key is not a piece of a release",
            f"Let uttrekk_sensor make them, or write it as <uttrekk>/{PLAN} or <uttrekk>/<digits>",
        )
    return Uttrekk(store, name), None if piece == PLAN else int(piece)
