"""Damage that heals: what can be had again is removed, and made or asked for again.

Raw answers and batches come from the register, staging tables from raw answers, what no release
names yet from staging tables. A sync under way is begun anew as a whole: its pages, its persons and
its batches follow from each other. What a release names is all there is of it, and stays.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from freg_pipeline.errors import DamagedError, ObjectMissingError
from freg_pipeline.journal.kinds import Soek
from freg_pipeline.journal.names import position_of
from freg_pipeline.journal.raw import read_raw
from freg_pipeline.journal.releases import list_releases
from freg_pipeline.journal.stored_manifests import is_shared, named
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.store import Store
from freg_pipeline.store.record import replace_record

logger = logging.getLogger(__name__)

T = TypeVar("T")
TRIES = 10  # a disk that damages everything must not keep us busy for ever


def healing(store: Store, work: Callable[[], T], again: Callable[[], object] = lambda: None) -> T:
    """Do something; where that meets damage that heals, once more.

    Args:
        store: what it works on.
        work: what to do; safe to repeat.
        again: makes what was removed again, where ``work`` doesn't.

    Raises:
        DamagedError, ObjectMissingError: what is damaged or gone can't be had again.
    """
    for _ in range(TRIES):
        try:
            return work()
        except (DamagedError, ObjectMissingError) as error:
            if not set_aside(store, error.key):
                raise
            logger.warning("%s; it is rebuilt or fetched again", error.what)
        again()
    return work()


def set_aside(store: Store, key: str) -> bool:
    """Remove what is damaged, or made of what is gone, so that it is made again.

    Returns:
        Whether it can be.
    """
    area, name, *rest = [*key.split("/"), "", ""]
    if area == "uttrekk":
        return _of_uttrekk(Uttrekk(store, name), key, rest)
    if area in {"bases", "deltas"} and not _is_named(store, key):
        for one in _made_with(store, key):
            store.delete(one)
        return True
    return False


def _of_uttrekk(uttrekk: Uttrekk, key: str, rest: list[str]) -> bool:
    store = uttrekk.store
    # What came of a second job, ordered because the register had lost the first, has a folder more.
    kind = rest[2] if rest[0] == "jobs" else rest[0]
    if position_of(uttrekk.name) is not None and not store.exists(uttrekk.release_key):
        begin_anew(uttrekk, key)
        return True
    if kind == "answers":
        folder = key.rpartition("/")[0]
        drop_tables(uttrekk, int(folder.rpartition("/")[2]))  # some may be made of the old answer
        for one in store.list(f"{folder}/"):
            if _is_damaged(store, one):
                store.delete(one)
        return True
    if kind == "batches":
        _drop_batch(uttrekk, key)
        return True
    if kind == "tables":
        store.delete(f"{key.rpartition('/')[0]}/done.json")  # first: what is left is not done
        store.delete(key)
        return True
    if kind == "malformed.json":  # a report: what it tells is missed by nothing else
        store.delete(key)
        return True
    if kind == "release.json":
        replace_record(store, key, {"release": _release_of(store, uttrekk.name)})
        return True
    return False


def begin_anew(uttrekk: Uttrekk, damaged: str) -> None:
    """Give a sync up that was begun: the next one from its position gets a name of its own.

    Under another name, so that another process which works on this one can't mix both.
    """
    store = uttrekk.store
    uttrekk.give_up()
    kept = {uttrekk.abandoned_key, uttrekk.key("request.json")} - {damaged}
    for key in store.list(uttrekk.key("")):
        if key not in kept:
            store.delete(key)


def drop_tables(uttrekk: Uttrekk, batch: int) -> None:
    """Remove a batch's tables, so that all are made anew: of other answers they may be others."""
    store = uttrekk.store
    folder = uttrekk.job_key("tables", f"{batch:06d}", "")
    store.delete(f"{folder}done.json")  # first: what is left is not done
    for one in store.list(folder):
        store.delete(one)


def _drop_batch(uttrekk: Uttrekk, key: str) -> None:
    """Remove a batch so that it is asked for, or written by the command that began it, again.

    The hits of a search may be others by now, so that nothing of the earlier ones is kept.
    """
    store = uttrekk.store
    if not uttrekk.kind.is_job:
        store.delete(uttrekk.end_key)
    if isinstance(uttrekk.kind, Soek):
        for folder in ("tables", "answers", "batches"):
            for one in store.list(uttrekk.job_key(folder, "")):
                store.delete(one)
    store.delete(key)


def _is_damaged(store: Store, key: str) -> bool:
    try:
        read_raw(store, key)
    except DamagedError:
        return True
    except ObjectMissingError:
        return False
    return False


def _release_of(store: Store, name: str) -> str:
    """The release that an uttrekk became; ``000000``, which there is none of, if it was purged."""
    for manifest in list_releases(store):
        if name in {manifest.base.uttrekk, *(delta.uttrekk for delta in manifest.deltas)}:
            return manifest.number
    return "000000"


def _is_named(store: Store, key: str) -> bool:
    if is_shared(key):
        return key.rpartition("/")[0] in named(store).folders
    return any(file.key == key for one in list_releases(store) for file in one.files())


def _made_with(store: Store, key: str) -> list[str]:
    """What goes with an object that no release names, in this order: what says that it is done."""
    parts = key.split("/")
    folder = "/".join(parts[: 3 if parts[0] == "deltas" else 2])
    files_named = {file.key for one in list_releases(store) for file in one.files()}
    there = [one for one in store.list(f"{folder}/") if one not in files_named and one != key]
    plan = key.endswith("/plan.json")
    # Of a compaction the plan tells what goes into it; of an uttrekk's base it names files too.
    keeps = ("/plan.json",) if "." in parts[1] else ()
    records = [one for one in there if one.endswith(".json") and not one.endswith(keeps)]
    files = [one for one in there if one.endswith(".parquet")] if plan else []
    return [*records, *files, key]
