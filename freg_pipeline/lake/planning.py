"""Who landed -> the plan of a base: each bucket's documents, the accounting, our own tables."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence

import duckdb

from freg_pipeline.journal.manifest import TableEntry
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.accounting import account, require_complete
from freg_pipeline.lake.base import BasePlan, documents_key, file_key, plan_key
from freg_pipeline.lake.database import working_database
from freg_pipeline.lake.documents import Documents, landed_documents
from freg_pipeline.lake.files import Buckets, keep_file
from freg_pipeline.lake.guards import Policy, require_not_gone
from freg_pipeline.lake.keys import bucket_count
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.lake.layout import FileLayout, layouts
from freg_pipeline.lake.resolve import resolve
from freg_pipeline.lake.rows import Origin, OwnRows, is_own
from freg_pipeline.lake.staging import Staging
from freg_pipeline.store import Store, read_record, write_record


def write_plan(store: Store, uttrekk: Uttrekk, staging: Staging, policy: Policy) -> BasePlan:
    """Settle who landed, and write what follows from it; what is there is returned.

    Args:
        store: where it goes.
        uttrekk: whose landed batches it is made of.
        staging: their tables.
        policy: how strict the release is: nothing is written that it refuses.

    Raises:
        IncompleteError: something failed or is unexplained.
        FewerError: far more are gone than is plausible.
    """
    began = time.monotonic()
    delivered = sum(len(uttrekk.identifiers(batch)) for batch in staging.batches)
    with store.scratch() as folder, working_database(folder) as connection:
        plain = resolve(connection, staging)
        settled = connection.execute("SELECT count(*) FROM landed").fetchall()[0][0]
        persons = len(plain.keys) + settled
        accounting = account(connection, delivered=delivered, landed=persons)
        if not policy.allow_incomplete:
            require_complete(accounting, uttrekk)
        require_not_gone(uttrekk, accounting, policy)
        buckets = bucket_count(persons)
        planning = _Planning(store, uttrekk, staging, connection, buckets)
        documents = planning.documents(landed_documents(connection, buckets, plain))
        tables = planning.tables()
    seconds = round(time.monotonic() - began, 3)
    plan = BasePlan(staging.fingerprint, accounting, documents, tables, seconds)
    if not write_record(store, plan_key(uttrekk), plan):
        return read_record(store, plan_key(uttrekk), BasePlan)
    return plan


class _Planning:
    """Writes what a plan names."""

    def __init__(
        self,
        store: Store,
        uttrekk: Uttrekk,
        staging: Staging,
        connection: duckdb.DuckDBPyConnection,
        buckets: int,
    ) -> None:
        self._store = store
        self._uttrekk = uttrekk
        self._staging = staging
        self._connection = connection
        self._buckets = buckets

    def documents(self, by_bucket: Sequence[Documents]) -> tuple[str, ...]:
        """Write those of each bucket; their digests."""
        digests = []
        for bucket, documents in enumerate(by_bucket):
            content = documents.to_bytes().to_pybytes()
            key = documents_key(self._uttrekk, bucket)
            if not self._store.write(key, content) and self._store.read(key) != content:
                self._store.replace(key, content)  # a killed one left it, of other staging tables
            digests.append(hashlib.sha256(content).hexdigest())
        return tuple(digests)

    def tables(self) -> dict[str, TableEntry]:
        """Write our own tables."""
        origin = Origin(self._uttrekk.name, self._uttrekk.sekvensnummer)
        rows = OwnRows(self._connection, self._staging, origin, self._buckets)
        contract = load_plan(self._store, self._uttrekk.request.contract)
        own = [layout for layout in layouts(contract) if is_own(layout)]
        return {layout.name: self._table(layout, rows) for layout in own}

    def _table(self, layout: FileLayout, rows: OwnRows) -> TableEntry:
        with self._store.scratch() as folder:
            writers = Buckets(folder, layout)
            for piece, bucket in rows.of_table(layout):
                writers.add(piece, bucket)
            files = tuple(
                keep_file(self._store, file_key(self._uttrekk, layout.name, bucket), bucket, path)
                for bucket, path in sorted(writers.close().items())
            )
        return TableEntry(sum(file.rows for file in files), files)
