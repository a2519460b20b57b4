"""Remove releases, and the files that no release names any more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import accumulate

from freg_pipeline.errors import ConfigurationError
from freg_pipeline.journal.manifest import (
    Manifest,
    current_number,
    current_release,
    list_releases,
    manifest_key,
    named_folders,
    read_manifest,
    written_out,
)
from freg_pipeline.journal.pins import pins
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.compaction import read_compaction
from freg_pipeline.lake.heal import healing
from freg_pipeline.store import Store


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
    one, also when it is asked for the same release again. The raw answers of an uttrekk stay, but
    those of a sync go with its release, once the base holds what it brought: there are many.

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
    manifests = {manifest.number: manifest for manifest in list_releases(store)}
    if number is not None:
        number = written_out(number)
        _require_free(store, number)
        if number not in manifests:
            if sweep(store):
                return [number]
            read_manifest(store, number)  # says that there is none
        going = [number]
    else:
        young = _younger(manifests, older_than_days) if older_than_days else set()
        spared = {*sorted(manifests)[-keep:], current_number(store), *pins(store).values()}
        going = [one for one in sorted(manifests) if one not in spared | young]
    removed = [one for one in going if _remove(store, one)]
    sweep(store)
    _drop_syncs(store)
    return removed


def _younger(manifests: dict[str, Manifest], days: float) -> set[str]:
    """The releases published since so many days ago, and all that were published after them.

    What says that it was published in the future was so no later than the release that follows it.
    """
    now = following = datetime.now(UTC)
    published: list[datetime] = []
    for one in sorted(manifests, reverse=True):
        if manifests[one].created <= now:
            following = manifests[one].created
        published.append(following)
    newest_yet = accumulate(reversed(published), max)
    horizon = now - timedelta(days=days)
    return {one for one, at in zip(sorted(manifests), newest_yet, strict=True) if at > horizon}


def _require_free(store: Store, number: str) -> None:
    if number == current_number(store):
        raise ConfigurationError(
            f"release {number} is the current one", "Publish another one first"
        )
    names = [name for name, kept in pins(store).items() if kept == number]
    if names:
        raise ConfigurationError(
            f"release {number} is pinned", f"Remove the pin: freg release unpin {names[0]}"
        )


def _remove(store: Store, number: str) -> bool:
    """Remove a manifest; put it back if it was pinned at the same time."""
    content = store.read(manifest_key(number))
    store.delete(manifest_key(number))
    if number in pins(store).values():
        store.write(manifest_key(number), content)
        return False
    return True


def _drop_syncs(store: Store) -> None:
    """Remove all of the syncs that no release left was made by, and that nobody can go on with.

    Those are the syncs from positions that the current base has passed. What each asked for goes
    last, so that a purge that is killed amid one is gone on with by the next.
    """
    current = current_release(store)
    if current is None:
        return
    kept = {manifest.uttrekk for manifest in list_releases(store)}
    for uttrekk in Uttrekk.list_all(store):
        etter = uttrekk.request.etter
        if etter is None or uttrekk.name in kept or etter >= current.base.sekvensnummer:
            continue
        last = [uttrekk.release_key, uttrekk.key("request.json")]
        for key in [key for key in store.list(uttrekk.key("")) if key not in last] + last:
            store.delete(key)


def sweep(store: Store) -> int:
    """Remove the files that no manifest names any more; return how many.

    Also what a purge left that was killed between a manifest and its files, and what was written
    for a compaction that came to nothing. Never what is being written by someone: the files of an
    uttrekk that has no release yet, and those of a compaction that may still be published.
    """
    named = named_folders(store)
    left = [
        key
        for prefix in ("bases/", "deltas/")
        for key in store.list(prefix)
        if _folder(key) not in named
    ]
    current = current_release(store)
    unfinished = {
        folder for folder in {_folder(key) for key in left} if _is_open(store, folder, current)
    }
    going = [key for key in left if _folder(key) not in unfinished]
    for key in sorted(going, key=lambda key: key.endswith("/plan.json")):  # it tells what they are
        store.delete(key)
    return len(going)


def _folder(key: str) -> str:
    """What is kept or removed as one: a base, or a delta on one."""
    parts = key.split("/")
    return "/".join(parts[: 3 if parts[0] == "deltas" else 2])


def _is_open(store: Store, folder: str, current: Manifest | None) -> bool:
    """Whether someone may be writing there."""
    area, name, *_ = folder.split("/")
    if "." in name:
        compaction = healing(store, lambda: read_compaction(store, name))
        return compaction is not None and current is not None and compaction.continues(current)
    uttrekk = Uttrekk(store, name)
    if uttrekk.release is not None or uttrekk.is_abandoned or not uttrekk.exists:
        return False
    return area == "bases" or current is None or current.sekvensnummer < uttrekk.sekvensnummer
