"""Retention: what is kept for how long, by its kind; told before it goes, and removed.

Only what nothing here reads any more goes by its age. Of an uttrekk that became a release, or was
given up, nobody goes on with answers or staging tables; all others keep theirs, however old.
Whoever dies on the way leaves some, which the next one finds.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple, get_args

import pyarrow.fs as pafs

from freg_pipeline.errors import ConfigurationError, DamagedError, StoreError
from freg_pipeline.foreseen import foreseen
from freg_pipeline.journal.access_log import FOLDER, log_of
from freg_pipeline.journal.kinds import Liste, Soek
from freg_pipeline.journal.pointer import numbers
from freg_pipeline.journal.releases import current_uttrekk, published
from freg_pipeline.journal.stored_manifests import named
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.open_tables import bases_after_renewal, renew
from freg_pipeline.lake.purge import LONGEST_DAYS, going, remove_all, syncs_over, unnamed_folders
from freg_pipeline.settings import Settings
from freg_pipeline.store import Store

logger = logging.getLogger(__name__)

KindKept = Literal["releases", "answers", "staging", "lists", "access"]
Kind = Literal[KindKept, "runs"]  # Dagster's runs, which lie in no store
_KINDS: tuple[KindKept, ...] = get_args(KindKept)
_STAGING = re.compile(r"uttrekk/[^/]+/(?:jobs/\d+/)?tables/.*|bases/[^/]+/documents/.*")
_ANSWERS = re.compile(
    r"uttrekk/[^/]+/(?:(?:jobs/\d+/)?(?:answers|batches)/.*\.zst"
    r"|feed/.*\.zst|feed/egne\.json|hendelsesdokumenter/.*)"
)

_OVER = ("/release.json", "/abandoned.json")


@dataclass(frozen=True)
class Keeping:
    """For how many days each kind is kept; None: for ever.

    Attributes:
        releases: so many of the newest releases, however old, and
        release_days: those published since.
        answers: raw answers, batches (a list's numbers among them), pages of the event list.
        staging: staging tables.
        access: the access log.
    """

    releases: int = 10
    release_days: float = 30.0
    answers: float | None = 30.0
    staging: float | None = 1.0
    access: float | None = 365.0

    @classmethod
    def of(cls, told: Settings) -> Keeping:
        """By the settings."""
        return cls(
            told.keep_releases, told.keep_days, told.keep_answers_days,
            told.keep_staging_days, told.keep_access_days,
        )  # fmt: skip


class Kept(NamedTuple):
    """An object that goes."""

    key: str
    size: int
    written: datetime | None


@dataclass
class Going:
    """What of a kind goes.

    Attributes:
        kind: which.
        objects: how many.
        size: bytes; of Dagster's runs it isn't known.
        oldest: when the oldest was written.
        releases: of that kind: which.
    """

    kind: Kind
    objects: int = 0
    size: int = 0
    oldest: datetime | None = None
    releases: list[str] = field(default_factory=list)

    def add(self, found: list[Kept]) -> None:
        """Count some more."""
        self.objects += len(found)
        self.size += sum(one.size for one in found)
        times = [one.written for one in found if one.written is not None]
        self.oldest = min([*times, *([self.oldest] if self.oldest else [])], default=None)


def retain(store: Store, keeping: Keeping, *, dry_run: bool = False) -> list[Going]:
    """Remove what is kept no longer. What open table formats name is brought up to date first.

    All of it is found before any of it is removed, so that a dry run tells just what a run does.

    Args:
        store: where it lies.
        keeping: for how long.
        dry_run: only tell what would go.

    Returns:
        What went of each kind, or would.

    Raises:
        StoreError: the store can't be read or written.
    """
    if not dry_run:
        renew(store)
    told = {kind: Going(kind) for kind in _KINDS}
    leaving = going(store, keep=keeping.releases, older_than_days=keeping.release_days)
    told["releases"].releases = leaving
    of_releases = [one for found in _of_releases(store, leaving) for one in found]
    told["releases"].add(of_releases)
    over = frozenset(uttrekk.name for uttrekk in syncs_over(store, leaving))  # counted above
    others = [*_of_uttrekk(store, keeping, over, leaving), *_of_log(store, keeping)]
    if not dry_run:
        remove_all(store, leaving)
    counted = {one.key for one in of_releases}  # a base that goes takes its pieces' plan along
    for kind, lies, found in others:
        told[kind].add([one for one in found if one.key not in counted])
        if not dry_run:
            _remove(lies, [one.key for one in found])
    return [*told.values()]


def _of_releases(store: Store, leaving: list[str]) -> Iterator[list[Kept]]:
    """What a purge removes: manifests, the files and the syncs that nothing else names.

    Whatever left them: also what a purge that was killed didn't come to.
    """
    alone = unnamed_folders(store, bases_after_renewal(store), leaving)
    for folder in (*(f"releases/{number}" for number in leaving), *sorted(alone)):
        yield objects(store, f"{folder}/")
    for uttrekk in syncs_over(store, leaving):
        yield objects(store, uttrekk.key(""))


def _remove(store: Store, keys: list[str]) -> None:
    """What tells that a batch has landed goes first, that an uttrekk is over last."""
    first = [key for key in keys if key.endswith("/done.json")]
    last = [key for key in keys if key.endswith(_OVER)]
    for some in (first, sorted({*keys}.difference(first, last)), last):
        store.delete_all(some)


def _of_uttrekk(
    store: Store, keeping: Keeping, gone: Collection[str], leaving: Collection[str]
) -> Iterator[tuple[KindKept, Store, list[Kept]]]:
    """What goes of each uttrekk that is over."""
    ages, made = _Ages(store), _made_of(store, leaving)
    current = current_uttrekk(store)  # what a sync staged is looked at until the next one
    for uttrekk in (Uttrekk(store, name) for name in store.folders("uttrekk/")):
        if not uttrekk.exists:
            there = objects(store, uttrekk.key(""))
            if any(one.key.endswith(_OVER) for one in there):  # a killed removal's
                yield "lists", store, there
            continue
        over = None if uttrekk.name in gone else _over_since(uttrekk, ages)
        if over is None:
            continue
        found = objects(store, uttrekk.key(""))
        if not uttrekk.kind.is_sync:
            found += objects(store, f"bases/{uttrekk.name}/documents/")  # its pieces' plan
        staging = [one for one in found if _STAGING.fullmatch(one.key)]
        answers = [one for one in found if _ANSWERS.fullmatch(one.key)]
        if _is_past(over, keeping.staging) and (
            uttrekk.name != current or not uttrekk.kind.is_sync
        ):
            yield "staging", store, staging
        if _is_past(over, keeping.answers):
            yield "answers", store, answers
            if isinstance(uttrekk.kind, Soek | Liste) and uttrekk.name not in made:
                # A digest of few numbers or of a name tells them to whoever tries them all.
                yield "lists", store, [one for one in found if one not in {*staging, *answers}]


def _made_of(store: Store, leaving: Collection[str]) -> set[str]:
    """The uttrekk that the releases that stay, or the bases under them, were made of."""
    there = named(store, leaving)
    bases = {folder.split("/")[1].partition(".")[0] for folder in there.folders}
    return {*there.uttrekk, *bases}


def _over_since(uttrekk: Uttrekk, ages: _Ages) -> datetime | None:
    """Since when nobody goes on with an uttrekk; None: somebody may."""
    try:
        number = uttrekk.release
        if number is not None:
            return ages.published(number)
        return uttrekk.request.created if uttrekk.is_abandoned else None
    except DamagedError as error:  # healed by whoever goes on with it
        logger.warning("%s", error)
        return None


class _Ages:
    """When releases were published; of one that is gone, when the next one was."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._there = numbers(store)
        self._known: dict[str, datetime] = {}

    def published(self, number: str) -> datetime | None:
        after = next((one for one in self._there if int(one) >= int(number)), None)
        if after is None:
            return None
        if after not in self._known:
            try:
                self._known[after] = published(self._store, after)
            except ConfigurationError:  # purged just now
                return None
        return self._known[after]


def _of_log(store: Store, keeping: Keeping) -> Iterator[tuple[KindKept, Store, list[Kept]]]:
    log = log_of(store)
    for day in log.folders(FOLDER):
        noted = datetime.fromisoformat(f"{day}T23:59:59+00:00")
        if _is_past(noted, keeping.access):
            yield "access", log, objects(log, f"{FOLDER}{day}/")


def _is_past(moment: datetime, days: float | None) -> bool:
    if days is None:
        return False
    return moment <= datetime.now(UTC) - timedelta(days=min(days, LONGEST_DAYS))


def objects(store: Store, prefix: str) -> list[Kept]:
    """The objects in a folder, with their sizes and times. Raises StoreError."""
    root = store.path("")
    wanted = pafs.FileSelector(store.path(prefix).rstrip("/"), recursive=True, allow_not_found=True)
    try:
        infos = store.filesystem.get_file_info(wanted)
    except OSError as error:
        raise foreseen(error) or StoreError(
            f"what lies in {store.location} can't be listed", "See that it may be: freg check"
        ) from None
    return [
        Kept(one.path[len(root) :].lstrip("/"), one.size or 0, one.mtime)
        for one in infos
        if one.type is pafs.FileType.File
    ]
