"""Erase persons: keep them out, take them out of all that is kept, and tell what was done.

Whoever is erased is kept out first, so that nothing of them comes while the rest is done. Then raw
answers, what was staged, and last the tables: these tell which other numbers a person has had, so
that whoever was killed and begins again finds them all. What was found is looked for once more at
the end: a load under way may have kept an answer meanwhile.
"""

from __future__ import annotations

import logging
from collections import Counter
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from freg_pipeline.erasure.answers import Done, clean_uttrekk
from freg_pipeline.erasure.persons import Persons, current_among
from freg_pipeline.erasure.rewriting import without_persons
from freg_pipeline.erasure.survey import Progress, Survey, silent, survey
from freg_pipeline.errors import ConfigurationError, DamagedError, FregError
from freg_pipeline.journal.keptout import (
    add_order,
    await_sync,
    digest_all,
    erased_before,
    has_receipt,
    kept_out,
    orders,
    receipt_key,
)
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.pins import pinned, pins, unpin
from freg_pipeline.journal.publish import note_release, publish_after
from freg_pipeline.journal.releases import (
    current_release,
    folder_of,
    list_releases,
    point_to_newest,
    read_manifest,
)
from freg_pipeline.journal.uttrekk import Uttrekk, open_names
from freg_pipeline.lake.catalogue import renew_catalogue
from freg_pipeline.lake.compaction import under_way
from freg_pipeline.lake.open_tables import renew, withdraw
from freg_pipeline.lake.purge import remove_release, sweep
from freg_pipeline.lake.tally import TALLY, tally_there
from freg_pipeline.store import Store, write_record
from freg_pipeline.store.probe import require_removable

logger = logging.getLogger(__name__)

MOST_PASSES = 5


class Receipt(msgspec.Struct, frozen=True):
    """What an erasure did. No number of anybody.

    Attributes:
        number: of the order.
        begun: when it was ordered (UTC).
        ended: when nothing of them was left.
        persons: how many.
        done: how many objects, by what became of them.
        objects: the objects that were rewritten or removed because they held something.
        release: the release that readers see since; None: there is none.
        dropped: the releases that were removed.
        outside: what may hold something of them and can't be reached from here.
    """

    number: int
    begun: datetime
    ended: datetime
    persons: int
    done: dict[str, int]
    objects: tuple[str, ...]
    release: str | None
    dropped: tuple[str, ...]
    outside: tuple[str, ...]


OUTSIDE = (
    "what freg changes, freg export, freg sql --output and freg load have written elsewhere, and "
    "copies made of that: write or load them anew from this release",
    "backups and versions of the store's objects, as a bucket with versioning keeps them: whoever "
    "restores one puts the newest erasures/ there, and says freg erase --kept-out",
    "lists of numbers that runs read (FREG_LISTS), and the one given here",
    "what readers who had opened an earlier release have in memory or in files of theirs",
)


def pins_on(store: Store, found: Survey) -> tuple[str, ...]:
    """The pins on releases that hold anything of the persons: these are removed."""
    return tuple(sorted(name for name, release in pins(store).items() if release in found.releases))


def erase(
    store: Store,
    found: Survey,
    *,
    including_pinned: bool = False,
    progress: Progress = silent,
) -> Receipt:
    """Take persons out of a store, and keep them out.

    Safe to repeat at any point: who was killed is gone on with by the same list.

    Args:
        store: which.
        found: what was found of them.
        including_pinned: releases that somebody has pinned are removed too.
        progress: told of what is rewritten, and looked through once more.

    Raises:
        ConfigurationError: a release that holds anything of them is pinned, or nothing can be
            removed from the store; nothing was done.
        DamagedError: an object isn't as it was written, so that what it holds can't be told.
        FregError: loads under way have brought something of them again and again.
    """
    _require_unpinned(store, found, including_pinned=including_pinned)
    require_removable(store)
    persons = found.persons
    number = _order(store, persons)
    done: Done = Counter()
    objects: set[str] = set()
    dropped: list[str] = []
    for _ in range(MOST_PASSES):
        objects.update(hit.key for hit in found.hits)
        rewritten = progress("rewritten", len(found.hits))
        done += clean_uttrekk(store, found, rewritten)
        done += _drop_unreleased(store, found)
        made = _publish(store, found)
        made += _show(store)
        rewritten(len(found.of("tables", "unreleased")))
        dropped += _drop_releases(store, found, including_pinned=including_pinned)
        done += made
        done["table files removed"] += _remove_files(store)
        found = survey(store, persons, progress)
        if not found.hits:
            break
    else:
        raise FregError(
            "loads under way have brought something of these persons again and again",
            "Run it again when they have ended: it goes on",
        )
    receipt = Receipt(
        number=number,
        begun=orders(store)[number].created,
        ended=datetime.now(UTC),
        persons=len(persons),
        done=dict(sorted(done.items())),
        objects=tuple(sorted(objects)),
        release=point_to_newest(store),
        dropped=tuple(sorted(dropped)),
        outside=OUTSIDE,
    )
    write_record(store, receipt_key(number), receipt)
    return receipt


class Lifted(NamedTuple):
    """Who is kept out no longer.

    Attributes:
        persons: how many were asked for.
        kept_out: so many of them were kept out.
        looked_up: so many the next sync looks up.
    """

    persons: int
    kept_out: int
    looked_up: int


def lift(store: Store, persons: Persons) -> Lifted:
    """Keep persons out no longer, under any of their numbers, whichever is told.

    The next sync looks them up. Of a release that isn't everyone's it looks up those who were in
    it: the others are none of its persons.
    """
    out = kept_out(store).among(persons.places)
    number = add_order(store, persons.by_person(), lifts=True)
    current = current_release(store)
    wanted: list[str] = []
    if current is not None:  # also whom an order has lifted that was killed here
        is_everyone = Uttrekk(store, current.base.uttrekk).kind.is_everyone
        wanted = erased_before(store, list(persons.places), members=not is_everyone)
    if wanted:
        await_sync(store, number, wanted)
    return Lifted(len(persons), len(out), len(wanted))


def _require_unpinned(store: Store, found: Survey, *, including_pinned: bool) -> None:
    names = pins_on(store, found)
    if names and not including_pinned:
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        raise ConfigurationError(
            f"releases that hold these persons are pinned ({names[0]}{more})",
            "They have to be removed: unpin them (freg release unpin NAME), or say "
            "--including-pinned",
        )


def _order(store: Store, persons: Persons) -> int:
    """The order under which these are erased: one that was begun with them, or a new one."""
    wanted = digest_all(store, persons.places)
    for number, order in sorted(orders(store).items(), reverse=True):
        is_theirs = not order.lifts and not wanted.isdisjoint(order.digests)
        if is_theirs and wanted <= order.digests and not has_receipt(store, number):
            return number
    current = current_release(store)
    members = current_among(store, current, persons.places) if current else ()
    return add_order(store, persons.by_person(), members=members)


def _drop_unreleased(store: Store, found: Survey) -> Done:
    """Remove what is made, and not published: it is made anew, of what is left."""
    done: Done = Counter()
    for folder in sorted({hit.place for hit in found.of("unreleased")}):
        keys = store.list(f"{folder}/")
        for key in sorted(keys, key=lambda one: not one.endswith(".json")):
            store.delete(key)
        done["folders of unpublished tables removed"] += 1
    return done


def _publish(store: Store, found: Survey) -> Done:
    """Publish the newest release without them; again where another was published meanwhile.

    Also where it holds nothing of them, as long as somebody may be publishing something that does:
    whoever began before is too late then, and begins anew.
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


def _show(store: Store) -> Done:
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


def _drop_releases(store: Store, found: Survey, *, including_pinned: bool) -> list[str]:
    """Remove the releases that hold anything of them, all but the newest one."""
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


def _remove_files(store: Store) -> int:
    """Remove what no release names any more, in the folders of those that are there."""
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
    return len(going) + sweep(store)


def _own_folders(release: Manifest) -> list[str]:
    return [release.base.folder, *(delta.folder for delta in release.deltas)]
