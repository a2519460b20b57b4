"""Releases that hold erased persons: one without them is published, and those before it go."""

from __future__ import annotations

from collections import Counter

from freg_pipeline.erasure.answers import Done
from freg_pipeline.erasure.rewriting import without_persons
from freg_pipeline.erasure.survey import Survey
from freg_pipeline.errors import DamagedError, FregError
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.pins import pinned, pins, unpin
from freg_pipeline.journal.pointer import point_to_newest
from freg_pipeline.journal.publish import note_release, publish_after
from freg_pipeline.journal.releases import list_releases, read_manifest
from freg_pipeline.journal.stored_manifests import folder_of
from freg_pipeline.journal.uttrekk import Uttrekk, open_names
from freg_pipeline.lake.catalogue import renew_catalogue
from freg_pipeline.lake.compaction import under_way
from freg_pipeline.lake.open_tables import renew, withdraw
from freg_pipeline.lake.purge import remove_release, sweep
from freg_pipeline.lake.tally import TALLY, tally_there
from freg_pipeline.store import Store


def pins_on(store: Store, found: Survey) -> tuple[str, ...]:
    """The pins on releases that hold anything of the persons: these are removed."""
    return tuple(sorted(name for name, release in pins(store).items() if release in found.releases))


def drop_unreleased(store: Store, found: Survey) -> Done:
    """Remove what is made, and not published: it is made anew, of what is left."""
    done: Done = Counter()
    for folder in sorted({hit.place for hit in found.of("unreleased")}):
        keys = store.list(f"{folder}/")
        for key in sorted(keys, key=lambda one: not one.endswith(".json")):
            store.delete(key)
        done["folders of unpublished tables removed"] += 1
    return done


def publish_without(store: Store, found: Survey) -> Done:
    """Publish the newest release without them; again where another was published meanwhile.

    Also where it holds nothing of them, as long as somebody may be publishing something that does:
    whoever began before is too late then, and begins anew.

    Returns:
        How many files were written anew.

    Raises:
        DamagedError: what the release is made of isn't as it was written.
    """
    done: Done = Counter()
    while True:
        newest = point_to_newest(store)
        if newest is None:
            return done
        current = read_manifest(store, newest)
        if newest not in found.releases and not (open_names(store) or under_way(store)):
            return done
        holding = {hit.key for hit in found.of("tables")}
        number = f"{int(newest) + 1:06d}"
        try:
            manifest = without_persons(
                store, current, number, found.persons, found.events.numbers, holding
            )
        except DamagedError:
            if point_to_newest(store) == newest:
                raise
            continue  # another erasure has published, and removed what this one was reading
        _note(store, current)
        if publish_after(store, newest, manifest) is not None:
            before = {file.key for file in current.files()}
            after = {file.key for file in manifest.files()}
            done["table files rewritten"] = len(after - before)
            return done


def show_newest(store: Store) -> Done:
    """See that what readers open tells of the newest release, and of none before it.

    Also where it was published before now: whoever did so may have been killed.
    """
    done: Done = Counter()
    if point_to_newest(store) is not None:
        renew_catalogue(store)
        for kind in renew(store, anew=True):  # what it names goes, and its tables with it
            withdraw(store, kind)
            done["open formats withdrawn"] += 1
    return done


def _note(store: Store, current: Manifest) -> None:
    """What a killed process left undone: a release is found by its base, whose name changes."""
    for name in {current.uttrekk, current.base.uttrekk}:
        uttrekk = Uttrekk(store, name)
        if uttrekk.exists and uttrekk.release is None:
            note_release(store, uttrekk, current)


def drop_releases(store: Store, found: Survey, *, including_pinned: bool) -> list[str]:
    """Remove the releases that hold anything of them, all but the newest one; return which.

    Args:
        store: where they lie.
        found: what it holds of the persons.
        including_pinned: pins that somebody has set on them are removed first.

    Raises:
        FregError: one is in use, or was pinned since.
    """
    newest = point_to_newest(store)
    going = [one for one in found.releases if one != newest]
    for name in pins_on(store, found) if including_pinned else ():
        unpin(store, name)
    kept = [number for number in going if not remove_release(store, number)]
    still = [number for number in kept if pinned(store, number)]
    if still:
        raise FregError(
            f"release {still[0]} is being read or restored, or was pinned meanwhile",
            "Run it again: it goes on",
        )
    return going


def remove_files(store: Store) -> int:
    """Remove files that no release names any more, in folders of those there; return how many."""
    releases = list_releases(store)
    files = {file.key for one in releases for file in one.files()}
    own = {folder for one in releases for folder in _own_folders(one)}
    kept = set(files)
    for folder in own:
        kept |= {f"{folder}/_base.json", f"{folder}/_delta.json", f"{folder}/{TALLY}.json"}
        tally = tally_there(store, folder)
        kept |= {file.key for file in tally.files} if tally else set()
    going = [
        key
        for folder in sorted({folder_of(key) for key in files} - own)
        for key in store.list(f"{folder}/")
        if key not in kept and "/_delta_log/" not in key
    ]
    store.delete_all(going)
    store.sweep()  # of a compaction that was killed a moment ago, say
    return len(going) + sweep(store)


def _own_folders(release: Manifest) -> list[str]:
    return [release.base.folder, *(delta.folder for delta in release.deltas)]
