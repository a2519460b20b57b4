"""From which release on changes are asked for, and which deltas have brought what is new since."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from freg_pipeline.errors import ConfigurationError
from freg_pipeline.journal.kept import open_whole
from freg_pipeline.journal.manifest import Delta, Manifest
from freg_pipeline.journal.names import position_of
from freg_pipeline.journal.pointer import numbers
from freg_pipeline.journal.releases import list_releases, read_if_there
from freg_pipeline.lake.tables import PERSON_KEY, REPLACED, file_schema
from freg_pipeline.outside import showable
from freg_pipeline.store import Store

BEGINNING = "0"  # before any release: everything is new
_DIGITS = 6  # a release as it is written everywhere: 000012
_ANEW = (
    f"Begin the copy anew with --since {BEGINNING}; keep releases for as long as copies need "
    "them: FREG_KEEP_DAYS, freg release pin"
)


def state_since(store: Store, asked: str) -> Manifest | None:
    """The state that a copy has, as a release; None: it is empty.

    Args:
        store: where the releases lie.
        asked: a release, by its six digits; a position of the event list; or ``0``.

    Raises:
        ConfigurationError: it is none of these, or isn't kept, or a position tells several states.
    """
    if not (asked.isascii() and asked.isdigit()):
        raise ConfigurationError(
            "since is neither a release nor a position", "Write 000012, or 123456789"
        )
    if asked == BEGINNING:
        return None
    if len(asked) == _DIGITS and (asked.startswith("0") or read_if_there(store, asked)):
        return _release(store, asked)
    return _at(store, int(asked))


def _at(store: Store, position: int) -> Manifest:
    """The state at a position, by the contract of then."""
    found = [one for one in list_releases(store) if position in one.positions()]
    if not found:
        raise ConfigurationError(
            f"no release that is kept shows the state at {showable(str(position))}", _ANEW
        )
    newest = found[-1]
    others = [one.number for one in found if one.base.uttrekk != newest.base.uttrekk]
    if others:
        raise ConfigurationError(
            f"{position} is the position of two full loads, which release {others[-1]} and "
            f"release {newest.number} show",
            "Name the release that the copy has",
        )
    state = newest.at(position)
    last = state.deltas[-1] if state.deltas else state.base
    return msgspec.structs.replace(state, contract=last.contract)


def _release(store: Store, number: str) -> Manifest:
    found = read_if_there(store, number)
    if found is not None:
        return found
    newest = max(numbers(store), default="000000")
    if number > newest:
        raise ConfigurationError(f"there is no release {number}", "See freg release list")
    raise ConfigurationError(f"release {number} has been purged", _ANEW)


def deltas_since(store: Store, before: Manifest, after: Manifest) -> tuple[Delta, ...] | None:
    """The deltas that hold all that differs between two states, and maybe more.

    None: what differs isn't told by deltas. There was a full load in between, or an earlier
    release was made current again, or one of those in between has been purged.

    Args:
        store: where the releases lie.
        before: the earlier one; or the state of a release at a position.
        after: the later one.
    """
    line = [one for one in list_releases(store) if before.number <= one.number <= after.number]
    if [int(one.number) for one in line] != list(range(int(before.number), int(after.number) + 1)):
        return None
    if not all(_continues(*pair) for pair in pairwise(line)):
        return None
    position, found = before.positions()[-1], dict[str, Delta]()
    for one in line:
        if one.base.sekvensnummer > position:
            return None
        new = [delta for delta in one.deltas if delta.sekvensnummer > position]
        found.update((delta.folder, delta) for delta in new)
        position = one.sekvensnummer
    return tuple(found.values())


def persons_of(store: Store, deltas: Iterable[Delta]) -> pa.Table:
    """Whom deltas tell of, maybe several times: their numbers, and whether their rows changed."""
    told = [file_schema(REPLACED.schema, keyed=True, delta=True).empty_table()]
    for delta in deltas:
        if REPLACED.name in delta.files:
            file = delta.files[REPLACED.name]
            with open_whole(store, file.key, file) as opened:
                told.append(pq.read_table(opened))
    names = ["personidentifikator", "rader", PERSON_KEY]
    return pa.concat_tables(one.select(names) for one in told)


def _continues(before: Manifest, after: Manifest) -> bool:
    """Whether a release is the one before it, with one more sync or compacted."""
    if after.base.uttrekk != before.base.uttrekk:
        return False
    if after.uttrekk == before.uttrekk:
        return after.sekvensnummer == before.sekvensnummer
    return position_of(after.uttrekk) == before.sekvensnummer
