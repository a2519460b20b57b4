"""Partitions: an uttrekk, and a batch of an uttrekk. Never a person or a look-up."""

from __future__ import annotations

import dagster as dg

from freg_pipeline.errors import ConfigurationError
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.store import Store

UTTREKK = dg.DynamicPartitionsDefinition(name="uttrekk")
UTTREKK_BATCH = dg.DynamicPartitionsDefinition(name="uttrekk_batch")


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
