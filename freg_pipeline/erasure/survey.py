"""What a store holds of persons, object by object."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from freg_pipeline.contract import Plan
from freg_pipeline.erasure.columns import Columns, Places, Whose, columns_of, whose
from freg_pipeline.erasure.persons import Persons, current_among
from freg_pipeline.erasure.uttrekk import Events, can_hold, objects_of
from freg_pipeline.errors import DamagedError, ObjectMissingError
from freg_pipeline.foreseen import foreseen
from freg_pipeline.journal.kept import footer_of, read_parts
from freg_pipeline.journal.keptout import awaiting, lifted, lifted_key
from freg_pipeline.journal.manifest import Manifest, TableFile
from freg_pipeline.journal.releases import current_release, list_releases
from freg_pipeline.journal.stored_manifests import folder_of
from freg_pipeline.journal.uttrekk import Uttrekk, all_names
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.lake.tables import HENDELSE
from freg_pipeline.store import Store

Area = Literal["tables", "unreleased", "answers", "batches", "events", "staging", "lifted"]
Told = Callable[[int], None]
Progress = Callable[[str, int], Told]  # what is begun with, and of how many


def silent(what: str, total: int) -> Told:
    """Tell nobody."""
    del what, total
    return lambda _: None


_UNNAMED = (
    "No release names it: freg release purge removes it, or the command that was making it makes "
    "it again"
)


@dataclass(frozen=True)
class Hit:
    """An object that holds something of persons.

    Attributes:
        key: the object.
        area: what sort of object.
        place: the folder of a base or a delta, or the uttrekk.
        what: the table, or what the object is.
        own: by place in the list, rows or documents of that person.
        named: by place in the list, rows or documents of others that name the person.
    """

    key: str
    area: Area
    place: str
    what: str
    own: Counter[int] = field(default_factory=Counter)
    named: Counter[int] = field(default_factory=Counter)


@dataclass(frozen=True)
class Survey:
    """What a store holds of persons.

    Attributes:
        persons: who was looked for, under all numbers that were found.
        hits: the objects.
        releases: the numbers of the releases that name such an object.
        events: those of the persons.
        searched: how many objects were looked into.
    """

    persons: Persons
    hits: tuple[Hit, ...]
    releases: tuple[str, ...]
    events: Events
    searched: int

    def of(self, *areas: Area) -> list[Hit]:
        """The objects of some sorts."""
        return [one for one in self.hits if one.area in areas]


def survey(store: Store, persons: Persons, progress: Progress = silent) -> Survey:
    """Look into every object of a store that can hold anything of persons.

    Args:
        store: which.
        persons: whom to look for.
        progress: told of the objects that are looked into.

    Raises:
        DamagedError: an object isn't as it was written, so that what it holds can't be told.
    """
    while True:
        total = _count(store)
        told = progress("looked through", total)
        search = _Search(store, persons, told, total)
        hits = tuple(search.hits())
        if search.searched < total:  # somebody has removed some meanwhile
            told(total - search.searched)
        known = search.persons
        if len(known.places) == len(persons.places):
            return Survey(persons, hits, search.releases, search.events, search.searched)
        persons = known  # a document told another number of theirs


def _count(store: Store) -> int:
    """How many objects there are to look into."""
    kept = sum(map(can_hold, store.list("uttrekk/")))
    tables = (key for area in ("bases/", "deltas/") for key in store.list(area))
    return kept + sum(key.endswith(".parquet") for key in tables)


class _Search:
    def __init__(self, store: Store, persons: Persons, told: Told, total: int) -> None:
        self._store = store
        self._told = told
        self._total = total
        self.persons = persons
        self._plans: dict[str, Plan] = {}
        self.events = Events()
        self.releases: tuple[str, ...] = ()
        self.searched = 0

    def hits(self) -> Iterator[Hit]:
        """All of them; what tells the events first."""
        names = all_names(self._store)
        for name in names:
            yield from self._of_uttrekk(Uttrekk(self._store, name))
        yield from self._lifted()
        releases = list_releases(self._store)
        found = list(self._of_releases(releases))
        keys = {hit.key for hit in found}
        self.releases = tuple(
            one.number for one in releases if any(file.key in keys for file in one.files())
        )
        yield from found
        yield from self._unreleased(releases)

    def _of_uttrekk(self, uttrekk: Uttrekk) -> Iterator[Hit]:
        for one in objects_of(uttrekk, self.persons, self.events, self._plan):
            self._count()
            if one.own or one.named:
                yield Hit(one.key, one.area, uttrekk.name, one.what, one.own, one.named)
            self._take_up(one.numbers)

    def _lifted(self) -> Iterator[Hit]:
        """Whom an earlier order was lifted for, and whom no sync has looked up yet."""
        for order in awaiting(self._store):
            places = (self.persons.places.get(one) for one in lifted(self._store, [order]))
            own = Counter(place for place in places if place is not None)
            if own:
                yield Hit(lifted_key(order), "lifted", "erasures", "number", own)

    def _take_up(self, numbers: list[tuple[str, int]]) -> None:
        """Other numbers that documents tell to be theirs; but not those that are others' now."""
        new = [(number, place) for number, place in numbers if number not in self.persons]
        if new:
            current = current_release(self._store)
            told = (number for number, _ in new)
            others = current_among(self._store, current, told) if current else set[str]()
            more = [(number, place) for number, place in new if number not in others]
            self.persons = self.persons.and_numbers(more)

    def _of_releases(self, releases: list[Manifest]) -> Iterator[Hit]:
        files: dict[str, tuple[str, str, TableFile]] = {}
        for release in releases:
            for contract, table, file in files_with_contract(release):
                files[file.key] = contract, table, file
        in_order = sorted(files.values(), key=lambda one: one[1] != HENDELSE.name)
        for contract, table, file in in_order:
            yield from self._of_file(contract, table, file, "tables")

    def _unreleased(self, releases: list[Manifest]) -> Iterator[Hit]:
        """Tables of what isn't published, or is no more: no manifest tells their contract."""
        current = current_release(self._store)
        named = {file.key for one in releases for file in one.files()}
        folders = {folder_of(key) for key in named}
        for area in ("bases/", "deltas/"):
            for key in self._store.list(area):
                if key in named or not key.endswith(".parquet"):
                    continue
                folder, parts = folder_of(key), key.split("/")
                contract = self._contract(parts[1].split(".")[0], current)
                table = (parts[2] if area == "bases/" else parts[3]).removesuffix(".parquet")
                if contract is not None:
                    sort: Area = "tables" if folder in folders else "unreleased"
                    yield from self._of_unknown_file(key, contract, table, sort)

    def _contract(self, uttrekk: str, current: Manifest | None) -> str | None:
        try:
            return Uttrekk(self._store, uttrekk).request.contract
        except ObjectMissingError:
            return current.contract if current else None

    def _plan(self, contract: str) -> Plan:
        if contract not in self._plans:
            self._plans[contract] = load_plan(self._store, contract)
        return self._plans[contract]

    def _of_file(self, contract: str, table: str, file: TableFile, area: Area) -> Iterator[Hit]:
        self._count()
        columns = columns_of(self._plan(contract), table)
        found = find_in(self._store, file, table, columns, self.persons, self.events.numbers)
        yield from _hit(found, file.key, area, table)

    def _of_unknown_file(self, key: str, contract: str, table: str, area: Area) -> Iterator[Hit]:
        self._count()
        columns = columns_of(self._plan(contract), table)
        try:
            with self._store.filesystem.open_input_file(self._store.path(key)) as opened:
                file = pq.ParquetFile(opened, page_checksum_verification=True)
                rows = file.read(columns.among(file.schema_arrow.names))
        except FileNotFoundError:  # it was removed since
            return
        except (OSError, pa.ArrowException) as error:
            raise foreseen(error) or DamagedError(key, self._store.location, _UNNAMED) from None
        found = whose(rows, columns, self.persons, self.events.numbers)
        yield from _hit(found, key, area, table)

    def _count(self) -> None:
        self.searched += 1
        if self.searched <= self._total:  # else somebody has written more meanwhile
            self._told(1)


def _hit(found: Whose, key: str, area: Area, table: str) -> Iterator[Hit]:
    """What a file of a table holds of them, if it is anything."""
    if found.any:
        own, named = counted(found.own), counted(found.named)
        yield Hit(key, area, folder_of(key), table, own, named)


def find_in(
    store: Store,
    file: TableFile,
    table: str,
    columns: Columns,
    persons: Persons,
    events: dict[int, int],
) -> Whose:
    """Whose the rows of a table's file are; of ``hendelse`` it is noted which events they are."""
    if not file.rows:
        return Whose(np.empty(0, np.int64), np.empty(0, np.int64))

    def every(metadata: pq.FileMetaData) -> list[int]:
        return [*range(metadata.num_row_groups)]

    schema = footer_of(store, file.key, file).schema.to_arrow_schema()
    rows = read_parts(store, file.key, file, columns.among(schema.names), every)
    found = whose(rows, columns, persons, events)
    if table == HENDELSE.name:
        mine = np.flatnonzero(found.own >= 0)
        numbers = rows["sekvensnummer"].take(mine).to_pylist()
        events.update(zip(numbers, found.own[mine].tolist(), strict=True))
    return found


def counted(places: Places) -> Counter[int]:
    """How many rows are whose."""
    return Counter(places[places >= 0].tolist())


def files_with_contract(release: Manifest) -> Iterator[tuple[str, str, TableFile]]:
    """Each file of a release with the contract that gave its columns, and its table."""
    base = release.base
    for name, entry in {**release.tables, "_identitet": base.identity}.items():
        yield from ((base.contract, name, file) for file in entry.files)
    for delta in release.deltas:
        yield from ((delta.contract, name, file) for name, file in delta.files.items())
