"""Compaction: a base and the deltas on top of it become a new base with the same content.

It is made piece by piece: a bucket of all tables that are split by person, and one piece for those
that aren't. Each piece is finished by one object, so that several machines can make them, and a
killed one's are made anew. Publishing puts the deltas that came meanwhile on top of the new base.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import msgspec

from freg_pipeline.errors import FregError
from freg_pipeline.journal.manifest import Base, Manifest, TableEntry, TableFile
from freg_pipeline.journal.pointer import point_to_newest
from freg_pipeline.journal.publish import publish_after
from freg_pipeline.journal.releases import require_current
from freg_pipeline.lake.compact_piece import write_piece
from freg_pipeline.lake.compaction import Compaction, read_compaction, under_way
from freg_pipeline.lake.counts import count_rows
from freg_pipeline.lake.grown import rows_of
from freg_pipeline.lake.guards import require_same_rows
from freg_pipeline.lake.heal import healing
from freg_pipeline.lake.keys import bucket_count
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.lake.layout import layouts
from freg_pipeline.lake.tables import IDENTITY
from freg_pipeline.lake.tally import TALLY, note_tally
from freg_pipeline.store import Store, read_record, write_record

COMMON = "felles"  # the piece with the tables that aren't split by person


def needs_compaction(manifest: Manifest, *, share: float, deltas: int) -> bool:
    """Whether a release's deltas cost its readers enough to be worth a new base.

    Args:
        manifest: the release.
        share: of the persons, so many replaced.
        deltas: more deltas than so many.
    """
    replaced = sum(delta.replaced for delta in manifest.deltas)
    return replaced > share * manifest.persons or len(manifest.deltas) > deltas


def begin_compaction(store: Store) -> Compaction | None:
    """The compaction that is under way; else a new one of all deltas; None: there are none."""
    current = require_current(store)
    for name in reversed(under_way(store)):
        compaction = healing(store, partial(read_compaction, store, name))
        if compaction is not None and compaction.continues(current):
            return compaction
        if compaction is not None:  # a full load has taken its place
            store.delete(compaction.open_key)
    if not current.deltas:
        return None
    buckets = max(current.base.buckets, bucket_count(current.persons))
    base = current.base
    compaction = Compaction(base.uttrekk, current.sekvensnummer, buckets, base.erased)
    store.write(compaction.open_key, b"")
    write_record(store, compaction.key("plan.json"), compaction)
    return read_compaction(store, compaction.name)


def pieces(compaction: Compaction) -> list[str]:
    """The names of a compaction's pieces."""
    return [f"{bucket:04d}" for bucket in range(compaction.buckets)] + [COMMON]


def pieces_left(store: Store, compaction: Compaction) -> list[str]:
    """Those that aren't made yet."""
    return [piece for piece in pieces(compaction) if not store.exists(_done(compaction, piece))]


def compact_piece(store: Store, compaction: Compaction, piece: str) -> int:
    """Make one piece, unless it is there; return its rows.

    Raises:
        FregError: the compaction no longer concerns the current release.
    """
    done = _done(compaction, piece)
    if not store.exists(done):
        bucket = None if piece == COMMON else int(piece)
        source = _source(store, compaction)
        with store.scratch() as folder:
            made = write_piece(store, source, compaction, bucket, folder)
        write_record(store, done, made)
    return sum(file.rows for name, file in _read(store, done).items() if name != TALLY)


def publish_compaction(store: Store, compaction: Compaction) -> Manifest:
    """Publish a compaction whose pieces are all made; return the release that is current then.

    That is another one if somebody has published it already, or a new full load.

    Raises:
        FregError: a piece isn't made.
    """
    left = pieces_left(store, compaction)
    while True:
        point_to_newest(store)
        current = require_current(store)
        if not compaction.continues(current):
            store.delete(compaction.open_key)
            if compaction.erased != current.base.erased:  # it may hold somebody who was erased
                store.delete_all(store.list(compaction.key("")))
            return current
        if left:
            raise FregError(
                f"{len(left)} of {len(pieces(compaction))} pieces of the compaction are missing",
                "Resume it: freg compact",
            )
        files = _files(store, compaction)
        tallies = files.pop(TALLY)
        published = publish_after(
            store, current.number, _compacted(store, compaction, current, files)
        )
        if published is not None:
            store.delete(compaction.open_key)
            note_tally(store, published, tallies)
            return published


def compact(store: Store, compaction: Compaction, told: Callable[[int], None]) -> Manifest:
    """Make what is left of a compaction, and publish it; return the release that is current then.

    Args:
        store: where it lies.
        compaction: as :func:`begin_compaction` gave it.
        told: how many more pieces are made.
    """
    made: set[str] = set()

    def make() -> Manifest:
        for piece in pieces(compaction):
            compact_piece(store, compaction, piece)
            told(int(piece not in made))
            made.add(piece)
        return publish_compaction(store, compaction)

    return healing(store, make)


def _source(store: Store, compaction: Compaction) -> Manifest:
    """What is compacted: the base, and the deltas up to the compaction's position."""
    current = require_current(store)
    if not compaction.continues(current):
        raise FregError(
            f"the compaction up to {compaction.sekvensnummer} no longer concerns the current "
            "release",
            "Nothing is left to do: it was published, or a full load replaced the release",
        )
    source = current.at(compaction.sekvensnummer)
    return msgspec.structs.replace(source, contract=source.deltas[-1].contract)


def _files(store: Store, compaction: Compaction) -> dict[str, list[TableFile]]:
    """The files of all pieces, by table."""
    files: dict[str, list[TableFile]] = {}
    for piece in pieces(compaction):
        for name, file in _read(store, _done(compaction, piece)).items():
            files.setdefault(name, []).append(file)
    return files


def _compacted(
    store: Store, compaction: Compaction, current: Manifest, files: dict[str, list[TableFile]]
) -> Manifest:
    """The current release on its new base, which is made of these files."""
    source = _source(store, compaction)
    tables = {
        name: TableEntry(sum(file.rows for file in there), tuple(there))
        for name, there in files.items()
    }
    plan = load_plan(store, source.contract)
    named = [one.name for one in layouts(plan) if one.name != IDENTITY.name]
    made = {name: entry.rows for name, entry in tables.items() if name != IDENTITY.name}
    told = rows_of(source)
    if any(rows != told.get(name, 0) for name, rows in made.items()):
        require_same_rows(count_rows(store, source, named), made)
    base = Base(
        uttrekk=compaction.uttrekk,
        contract=source.contract,
        sekvensnummer=compaction.sekvensnummer,
        ordered=source.base.ordered,
        recorded=source.recorded()[-1],
        buckets=compaction.buckets,
        identity=tables.pop(IDENTITY.name),
        folder=compaction.folder,
        erased=compaction.erased,
    )
    after = current.deltas[len(source.deltas) :]
    return msgspec.structs.replace(
        current, created=datetime.now(UTC), tables=tables, base=base, deltas=after
    )


def _done(compaction: Compaction, piece: str) -> str:
    return compaction.key(f"{piece}.json")


def _read(store: Store, done: str) -> dict[str, TableFile]:
    return read_record(store, done, dict[str, TableFile])
