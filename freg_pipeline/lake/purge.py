"""Remove releases, and the files that no release names any more."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache, partial

from freg_pipeline.errors import ConfigurationError, ObjectMissingError
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.names import position_of
from freg_pipeline.journal.pins import not_pinned, pinned
from freg_pipeline.journal.pointer import current_number, manifest_key, numbers, report_key
from freg_pipeline.journal.registered import registered_bases
from freg_pipeline.journal.releases import current_release, published, read_manifest, written_out
from freg_pipeline.journal.stored_manifests import named
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.compaction import read_compaction
from freg_pipeline.lake.heal import healing
from freg_pipeline.lake.open_tables import renew
from freg_pipeline.store import Store

LONGEST_DAYS = 36_500


def purge(
    store: Store,
    number: str | None = None,
    *,
    keep: int = 1,
    older_than_days: float = 0,
) -> list[str]:
    """Remove releases, and the files that no release left names.

    Never the current one, nor one that a pin names. A release's manifest goes before its files: a
    reader finds it whole, or not at all. Files that a killed purge left are removed by the next
    one, also when it is asked for the same release again. What open table formats name is brought
    up to the current base first, and stays where that can't be done. The raw answers of an uttrekk
    stay, but those of a sync go with its release, once the base holds what it brought: there are
    many.

    Args:
        store: where they lie.
        number: which release; None: all but those that ``keep`` and ``older_than_days`` spare.
        keep: so many of the newest are spared: by number, which no clock has a say in.
        older_than_days: those published later than so many days ago are spared; 0: age doesn't
            matter. A release counts as no older than any that was published before it, so that a
            clock that was wrong for a while has none removed too early.

    Returns:
        The numbers of the releases removed.

    Raises:
        ConfigurationError: the release is the current one or is pinned, or there is none of that
            number.
    """
    renew(store)
    there = numbers(store)
    if number is not None:
        number = written_out(number)
        _require_free(store, number)
        if number not in there:
            if sweep(store):
                return [number]
            read_manifest(store, number)  # says that there is none
        leaving = [number]
    else:
        leaving = going(store, keep=keep, older_than_days=older_than_days)
    return remove_all(store, leaving)


def remove_all(store: Store, leaving: Collection[str]) -> list[str]:
    """Remove releases, and what nothing names then; return those that were removed."""
    removed = [one for one in leaving if remove_release(store, one)]
    sweep(store)
    _drop_syncs(store)
    return removed


def going(store: Store, *, keep: int, older_than_days: float) -> list[str]:
    """The releases that :func:`purge` would remove, by the same rules; nothing is removed."""
    there = numbers(store)
    current = current_number(store) or ""
    old = _old(store, there, older_than_days) if older_than_days else there
    young = {*there[-keep:]}
    return not_pinned(store, (one for one in old if one < current and one not in young))


def _old(store: Store, there: list[str], days: float) -> Iterator[str]:
    """The releases published before so many days ago, the oldest first, up to one that wasn't.

    What says that it was published in the future was so no later than the release that follows it.
    """
    now = datetime.now(UTC)
    horizon = now - timedelta(days=min(days, LONGEST_DAYS))
    created = cache(partial(published, store))
    for place, number in enumerate(there):
        told = (created(one) for one in there[place:])
        if next((moment for moment in told if moment <= now), now) > horizon:
            return
        yield number


def _require_free(store: Store, number: str) -> None:
    if number == current_number(store):
        raise ConfigurationError(
            f"release {number} is the current one", "Publish another release first"
        )
    names = pinned(store, number)
    if names:
        raise ConfigurationError(
            f"release {number} is pinned", f"Remove the pin: freg release unpin {names[0]}"
        )


def remove_release(store: Store, number: str) -> bool:
    """Remove a manifest; put it back if it was pinned at the same time."""
    try:
        content = store.read(manifest_key(number))
    except ObjectMissingError:  # another purge was faster
        return False
    store.delete(report_key(number))  # first: a purge that is killed goes on with the manifest
    store.delete(manifest_key(number))
    if pinned(store, number):
        store.write(manifest_key(number), content)
        return False
    return True


def _drop_syncs(store: Store) -> None:
    """Remove all of the syncs that are over.

    What each asked for goes last, so that a purge that is killed amid one is finished by the next.
    """
    for uttrekk in syncs_over(store):
        last = [uttrekk.release_key, uttrekk.key("request.json")]
        for key in [key for key in store.list(uttrekk.key("")) if key not in last] + last:
            store.delete(key)


def syncs_over(store: Store, without: Collection[str] = ()) -> Iterator[Uttrekk]:
    """The syncs that no release left was made by, and that nobody can go on with.

    Those are the syncs from positions that the current base has passed, which their names tell, so
    that no others are looked at.

    Args:
        store: where they lie.
        without: releases that count as gone.
    """
    current = current_release(store)
    if current is None:
        return
    base = current.base.sekvensnummer
    passed = [name for name in store.folders("uttrekk/") if _is_passed(name, base)]
    kept = named(store, without).uttrekk if passed else frozenset[str]()
    for uttrekk in (Uttrekk(store, name) for name in passed if name not in kept):
        if not uttrekk.exists or uttrekk.kind.is_sync:  # somebody may choose such a name for a load
            yield uttrekk


def _is_passed(name: str, position: int) -> bool:
    etter = position_of(name)
    return etter is not None and etter < position


def sweep(store: Store) -> int:
    """Remove the files that no manifest names any more; return how many.

    Also what a purge left that was killed between a manifest and its files, and what was written
    for a compaction that came to nothing. Never what is being written by someone: the files of an
    uttrekk that has no release yet, and those of a compaction that may still be published.
    """
    left = unnamed_folders(store, registered_bases(store))
    # What was published meanwhile has a release now, and so nobody who writes it.
    after = named(store).folders | registered_bases(store) if left else frozenset[str]()
    unnamed = [key for one in left if one not in after for key in store.list(f"{one}/")]
    plans = [key for key in unnamed if key.endswith("/plan.json")]  # last: they tell what it is
    for some in (sorted({*unnamed}.difference(plans)), plans):
        if some:
            store.delete_all(some)
    return len(unnamed)


def unnamed_folders(
    store: Store, registered: Collection[str], without: Collection[str] = ()
) -> list[str]:
    """The folders of tables that a sweep removes.

    Args:
        store: where they lie.
        registered: those that open table formats name.
        without: releases that count as gone.
    """
    before = {*named(store, without).folders, *registered}
    current = current_release(store)
    return [
        one for one in _folders(store) if one not in before and not _is_open(store, one, current)
    ]


def _folders(store: Store) -> list[str]:
    """What is kept or removed as one: bases, and deltas on them."""
    bases = [f"bases/{name}" for name in store.folders("bases/")]
    made = [f"deltas/{name}" for name in store.folders("deltas/")]
    return bases + [f"{one}/{name}" for one in made for name in store.folders(f"{one}/")]


def _is_open(store: Store, folder: str, current: Manifest | None) -> bool:
    """Whether someone may be writing there."""
    area, name, *_ = folder.split("/")
    taken_out = re.search(r"\.e(\d{6,})[a-z]*$", folder)
    if taken_out and taken_out[1] > (current.number if current else ""):
        return True  # an erasure makes the next release
    if "." in name:
        compaction = healing(store, lambda: read_compaction(store, name))
        return compaction is not None and current is not None and compaction.continues(current)
    uttrekk = Uttrekk(store, name)
    if uttrekk.release is not None or uttrekk.is_abandoned or not uttrekk.exists:
        return False
    return area == "bases" or current is None or current.sekvensnummer < uttrekk.sekvensnummer
