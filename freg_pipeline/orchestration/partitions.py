"""Partitions: an uttrekk, a batch of one, a piece of a compaction. Never a person or a look-up."""

from __future__ import annotations

import dagster as dg

from freg_pipeline.errors import ConfigurationError
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.orchestration.names import Names
from freg_pipeline.store import Store

UTTREKK = "uttrekk"
UTTREKK_BATCH = "uttrekk_batch"
COMPACTION_PIECE = "compaction_piece"


def partitions(names: Names, kind: str) -> dg.DynamicPartitionsDefinition:
    """Partitions of one of these kinds."""
    return dg.DynamicPartitionsDefinition(name=names.of(kind))


def batch_partition(name: str, batch: int) -> str:
    """The partition key of a batch: ``<uttrekk>/<six digits>``."""
    return f"{name}/{batch:06d}"


def read_batch_partition(store: Store, key: str) -> tuple[Uttrekk, int]:
    """The uttrekk and the batch that a partition key names.

    Raises:
        ConfigurationError: it names none.
    """
    name, _, batch = key.partition("/")
    if not batch.isdigit():
        raise ConfigurationError(
            "that partition key is not a batch", "Write it as <uttrekk>/<six digits>"
        )
    return Uttrekk(store, name), int(batch)
