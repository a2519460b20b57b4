"""A copy by rules: of persons under pseudonyms, say. Its rows are as ``freg export`` writes them.

Its files are made first, in the order of their own values: that of the release's would tell of
numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from freg_pipeline.export.pseudonymised import FIGURES, write_by_rules
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.lake.layout import ROWS_AT_ONCE
from freg_pipeline.load.rows import as_loaded
from freg_pipeline.pseudonyms.key import Key
from freg_pipeline.pseudonyms.rules import Rules
from freg_pipeline.store import Store


@dataclass(frozen=True)
class ByRules:
    """What a copy is made by.

    Attributes:
        told: which columns go out, and as what.
        key: makes pseudonyms; None: the rules ask for none.
    """

    told: Rules
    key: Key | None

    @property
    def fingerprint(self) -> str:
        """What no other rules, and no other key, have."""
        both = f"{self.told.sha256} {self.key.fingerprint if self.key else ''}"
        return hashlib.sha256(both.encode()).hexdigest()[:16]

    @property
    def tables(self) -> list[str]:
        """What the copy consists of."""
        return [FIGURES] if self.told.told.aggregate else [*self.told.tables]

    def rows(
        self, store: Store, manifest: Manifest, folder: Path, *, lists_as_text: bool
    ) -> Iterator[tuple[str, Iterator[pa.Table]]]:
        """The rows of each table.

        Args:
            store: where the release lies.
            manifest: it.
            folder: for the files; isn't there yet.
            lists_as_text: lists are written as JSON.

        Raises:
            ConfigurationError: the rules don't fit.
            StoreError: the release's files can't be read.
        """
        written = write_by_rules(store, manifest, folder, self.told, self.key)
        for name, table in written.tables.items():
            yield name, _read(folder / table.file.file, lists_as_text=lists_as_text)


def _read(path: Path, *, lists_as_text: bool) -> Iterator[pa.Table]:
    with pq.ParquetFile(path) as file:
        yield as_loaded(file.schema_arrow.empty_table(), lists_as_text=lists_as_text)
        for batch in file.iter_batches(ROWS_AT_ONCE):
            yield as_loaded(pa.Table.from_batches([batch]), lists_as_text=lists_as_text)
