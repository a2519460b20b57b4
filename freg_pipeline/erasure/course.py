"""Erase persons: keep them out, take them out of all that is kept, and tell what was done.

Whoever is erased is kept out first, so that nothing of them comes while the rest is done. Then raw
answers, what was staged, and last the tables: these tell which other numbers a person has had, so
that whoever was killed and begins again finds them all. What was found is looked for once more at
the end: a load under way may have kept an answer meanwhile.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import msgspec

from freg_pipeline.erasure.answers import Done, clean_uttrekk
from freg_pipeline.erasure.persons import Persons, current_among
from freg_pipeline.erasure.releases import (
    drop_releases,
    drop_unreleased,
    pins_on,
    publish_without,
    remove_files,
    show_newest,
)
from freg_pipeline.erasure.survey import Progress, Survey, silent, survey
from freg_pipeline.errors import ConfigurationError, FregError
from freg_pipeline.journal.keptout import add_order, digest_all, has_receipt, orders, receipt_key
from freg_pipeline.journal.pointer import point_to_newest
from freg_pipeline.journal.releases import current_release
from freg_pipeline.store import Store, write_record
from freg_pipeline.store.probe import require_removable

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
        now, gone = _take_out(store, found, progress, including_pinned=including_pinned)
        done.update(now)
        dropped += gone
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


def _take_out(
    store: Store, found: Survey, progress: Progress, *, including_pinned: bool
) -> tuple[Done, list[str]]:
    """Take out what was found: what was done by kind, and the releases that were removed."""
    rewritten = progress("rewritten", len(found.hits))
    done = clean_uttrekk(store, found, rewritten)
    done += drop_unreleased(store, found)
    done += publish_without(store, found)
    done += show_newest(store)
    rewritten(len(found.of("tables", "unreleased")))
    dropped = drop_releases(store, found, including_pinned=including_pinned)
    done["table files removed"] += remove_files(store)
    return done, dropped


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
