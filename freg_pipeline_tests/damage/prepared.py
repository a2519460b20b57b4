"""A store with every kind of object, and what lies beside it: made once, copied for each trial."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from freg_pipeline.client import TilpassetKriterier
from freg_pipeline.erasure.course import erase
from freg_pipeline.erasure.persons import Persons, with_other_numbers
from freg_pipeline.erasure.survey import survey
from freg_pipeline.journal.access_log import note_access
from freg_pipeline.journal.pins import pin
from freg_pipeline.journal.registered import FORMATS
from freg_pipeline.journal.releases import list_releases, require_current
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.catalogue import renew_catalogue
from freg_pipeline.lake.compact import begin_compaction, compact, compact_piece, pieces
from freg_pipeline.lake.landing import land_batch, load_plan
from freg_pipeline.lake.open_tables import register
from freg_pipeline.lake.query import query
from freg_pipeline.settings import Settings, load
from freg_pipeline.store import Store, open_store
from freg_pipeline.synthetic import RegisterOptions, running
from freg_pipeline_tests.command import ended
from freg_pipeline_tests.living import MERGE
from freg_pipeline_tests.loads import collected, fetched, full_load, list_load, sync
from freg_pipeline_tests.registers import happen

HALF = "halvt"  # a full load that is under way
GIVEN_UP = "oppgitt"
STORE = "store"
LISTED = "list.txt"  # persons who are here
ERASED = "erased.txt"  # one who is kept out


@dataclass(frozen=True)
class Prepared:
    """What trials are made of.

    Attributes:
        url: of the register, which is further than the store.
        folder: with the store and what lies beside it.
        number: somebody's.
        earlier: a release before the current one.
        position: the event list's that it is good to.
    """

    url: str
    folder: Path
    number: str
    earlier: str
    position: int

    @property
    def environment(self) -> dict[str, str]:
        """For commands, but for the store."""
        return environment(self.url)

    def keys(self) -> list[str]:
        """All files, by their names beneath the folder."""
        return sorted(
            path.relative_to(self.folder).as_posix()
            for path in self.folder.rglob("*")
            if path.is_file() and ".tmp" not in path.parts
        )

    def copy(self, to: Path) -> None:
        """Make a folder of the same; what is never changed in its place isn't copied."""
        shutil.copytree(self.folder, to, copy_function=_copy, ignore=shutil.ignore_patterns(".tmp"))


def environment(url: str) -> dict[str, str]:
    """For commands, but for the store."""
    return {
        "FREG_BASE_URL": url,
        "FREG_POLL_SECONDS": "0.02",
        "FREG_MAX_LOST_PERSONS": "1",
        "FREG_MAX_LOST_ROWS": "1",
        "FREG_OPEN_FORMATS": "iceberg,delta",
    }


@contextmanager
def prepared(folder: Path, *, by_command: bool = True) -> Iterator[Prepared]:
    """Make it in an empty folder; its register answers for as long as this lasts.

    Args:
        folder: which.
        by_command: with what only commands leave, which take the longest: Dagster's records, a copy
            in a warehouse.
    """
    options = RegisterOptions(persons=60, batch_size=30, ready_after_seconds=0.02, refused_parts=())
    with running(options) as url:
        settings = load(base_url=url, store=str(folder / STORE), poll_seconds=0.02)
        number = _make(settings, folder, by_command=by_command)
        happen(url, 6)
        *_, earlier, _ = list_releases(open_store(settings))
        yield Prepared(url, folder, number, earlier.number, earlier.sekvensnummer)


def _make(settings: Settings, folder: Path, *, by_command: bool) -> str:
    store, url = open_store(settings), settings.base_url or ""
    other = {"allow_other_kind": True, "allow_fewer": True}
    full_load(settings, TilpassetKriterier(personstatustyper=("bosatt",)))
    happen(url, 12)
    sync(settings)
    listed = [one for (one,) in _numbers(store)][:8]
    list_load(settings, [*listed, "no number"], **other)
    full_load(settings, **other)
    happen(url, 10)
    happen(url, 1, type=MERGE)
    sync(settings)
    erased = max(one for (one,) in _numbers(store) if one not in listed)
    places = with_other_numbers(store, Persons({erased: 0}, (1,)))
    erase(store, survey(store, places))
    compaction = begin_compaction(store)
    assert compaction is not None
    compact(store, compaction, lambda more: None)
    for name, numbers in ((LISTED, listed[:3]), (ERASED, [erased])):
        (folder / name).write_text("\n".join(numbers))
        (folder / name).chmod(0o600)
    pin(store, require_current(store).number, "kept")
    note_access(store, "sql", tables=["person"]).gave(7)
    happen(url, 6)
    if by_command:
        _by_command(settings, folder)
    else:
        sync(settings)
    for kind in FORMATS:
        register(store, kind)
    _begin(settings, store, url)
    renew_catalogue(store)
    return listed[0]


def _by_command(settings: Settings, folder: Path) -> None:
    """What commands leave: Dagster's records, a report, a copy and its position."""
    told = {"FREG_STORE": settings.store, **environment(settings.base_url or "")}
    for one in (
        ("load", "duckdb:copy.duckdb"),
        ("hendelser", "sync"),
        ("release", "report"),
    ):
        came = ended(one, folder, told)
        assert came.code == 0, (one, came.stderr)


def _begin(settings: Settings, store: Store, url: str) -> None:
    """What is under way: a compaction, a full load, a sync; and what was given up."""
    half = fetched(settings, name=HALF)
    land_batch(store, half, half.batches()[0], load_plan(store, half.request.contract))
    store.delete(half.job_key("answers", f"{half.batches()[1]:06d}", "00000.json.zst"))
    Uttrekk.begin(store, msgspec.structs.replace(half.request, name=GIVEN_UP))
    Uttrekk(store, GIVEN_UP).give_up()
    happen(url, 8)
    assert collected(store, settings) is not None
    compaction = begin_compaction(store)
    assert compaction is not None
    compact_piece(store, compaction, pieces(compaction)[0])


def _numbers(store: Store) -> list[tuple[str]]:
    return query(store, "SELECT personidentifikator FROM person ORDER BY 1").fetchall()


def _copy(source: str, target: str) -> None:
    """Objects are never changed in their place; databases are."""
    if source.endswith((".duckdb", ".db", ".json", ".txt", ".sqlite")) or "dagster" in source:
        shutil.copy2(source, target)
    else:
        os.link(source, target)
