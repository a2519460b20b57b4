"""What a release must not do to the one before it without somebody saying so.

Readers see the newest release only, so one that holds a selection, or far fewer persons, takes the
rest away from them. Every such rule is here, with its bound; :class:`Policy` says which are waived.
"""

from __future__ import annotations

import math

import msgspec

from freg_pipeline.errors import ConfigurationError, FregError, IncompleteError
from freg_pipeline.extract.begin import Approval
from freg_pipeline.journal.accounting import Accounting
from freg_pipeline.journal.kinds import Liste
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.question import Question
from freg_pipeline.journal.releases import current_release
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.store import Store

MOST_NAMED = 3  # tables in a message


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """How strict a release is: what is let through all the same, and the bounds.

    Attributes:
        allow_incomplete: publish even if something failed or is unexplained.
        accept_contract: publish although the contract has changed so that queries break.
        allow_other_kind: publish even if it replaces one of another kind or selection.
        allow_fewer: publish even if it holds far fewer persons or rows than the current release.
        max_lost_persons: the share of the current release's persons that may be missing.
        max_lost_rows: the same for the rows of each table.
        max_gone: the share of the identifiers delivered that the register may have nothing for.
    """

    allow_incomplete: bool = False
    accept_contract: bool = False
    allow_other_kind: bool = False
    allow_fewer: bool = False
    max_lost_persons: float = 0.05
    max_lost_rows: float = 0.10
    max_gone: float = 0.10


STRICT = Policy()


class OtherKindError(ConfigurationError):
    """The current release holds another kind of persons, or another selection (exit code 2)."""


class FewerError(IncompleteError):
    """The release would hold far fewer persons or rows than the current one (exit code 4)."""


class RowsChangedError(FregError):
    """A compaction would change what readers find: a fault of ours (exit code 1)."""


def approval(store: Store, *, allow_other_kind: bool = False) -> Approval:
    """What an uttrekk is looked at for before it is begun, so that no order is made in vain.

    Args:
        store: where it will lie.
        allow_other_kind: somebody has agreed that it replaces a release of another kind.
    """

    def check(question: Question) -> None:
        if not allow_other_kind:
            require_same_persons(store, current_release(store), question)

    return Approval(check, allow_other_kind)


def require_same_persons(store: Store, before: Manifest | None, question: Question) -> None:
    """See that a question asks for the same persons as the current release holds.

    Two komplett ones do, two selections by the same criteria, and two searches for the same. A list
    of one's own changes from time to time: whether too many of its persons are missing from the new
    one is :func:`require_not_fewer`'s question.

    Args:
        store: where both lie.
        before: the current release; None: there is none, and anything may be the first.
        question: of any kind but hendelser.

    Raises:
        OtherKindError: it doesn't.
    """
    if before is None or has_same_persons(store, before, question):
        return
    kind = question.kind.name
    criteria = " with other criteria" if kind == before.kind else ""
    raise OtherKindError(
        f"release {before.number} ({before.kind}, {before.persons:,} persons) is what readers see, "
        f"and a {kind} uttrekk{criteria} would replace it",
        "Give it a store of its own (--store, FREG_STORE), or replace the release with "
        "--allow-other-kind",
    )


def has_same_persons(store: Store, before: Manifest, question: Question) -> bool:
    """Whether a question asks for a release's persons, as :func:`require_same_persons` says."""
    return question.kind.has_persons_of(Uttrekk(store, before.base.uttrekk).kind)


def require_not_fewer(
    uttrekk: Uttrekk, before: Manifest, *, persons: int, lost: int, policy: Policy
) -> None:
    """See that a release doesn't lose far more persons than is plausible.

    Args:
        uttrekk: what the release is made of.
        before: the current release.
        persons: how many the release would hold.
        lost: how many of the current release's persons it would lose.
        policy: its bounds.

    Raises:
        FewerError: it does.
    """
    bound = policy.max_lost_persons
    if policy.allow_fewer or not _too_many(lost, before.persons, bound, chance=1):
        return
    raise _fewer(
        uttrekk,
        f"it holds {persons:,} persons, and loses {lost:,} of the {before.persons:,} of release "
        f"{before.number} (FREG_MAX_LOST_PERSONS is {bound:g})",
    )


def require_not_gone(uttrekk: Uttrekk, accounting: Accounting, policy: Policy) -> None:
    """See that the register has somebody for what it delivered, but for few.

    One with a fault can say of everybody that they aren't there. Of a list of one's own any share
    may be unknown to it, but not all. What a sync finds gone is :func:`require_not_fewer`'s
    question: a document that is gone there takes nobody out.

    Args:
        uttrekk: what the release is made of; of any kind but hendelser.
        accounting: what became of its identifiers.
        policy: its bounds.

    Raises:
        FewerError: it hasn't.
    """
    gone, delivered = accounting.gone, accounting.delivered
    if too_many_gone(uttrekk, gone, delivered, accounting.landed, policy):
        raise _fewer(
            uttrekk,
            f"the register has nothing for {gone:,} of the {delivered:,} identifiers "
            f"(FREG_MAX_GONE is {policy.max_gone:g})",
        )


def too_many_gone(uttrekk: Uttrekk, gone: int, delivered: int, found: int, policy: Policy) -> bool:
    """Whether more identifiers are gone than is plausible, as :func:`require_not_gone` says."""
    if policy.allow_fewer or (isinstance(uttrekk.kind, Liste) and found):
        return False
    return _too_many(gone, delivered, policy.max_gone, chance=3)


def require_rows(
    uttrekk: Uttrekk, number: str, before: dict[str, int], after: dict[str, int], policy: Policy
) -> None:
    """See that no table loses far more rows than is plausible.

    Args:
        uttrekk: what the release is made of.
        number: the current release's.
        before: rows of its tables.
        after: rows of the new release's tables; tables that it doesn't have don't count.
        policy: its bounds.

    Raises:
        FewerError: one does; names it, with its rows.
    """
    if policy.allow_fewer:
        return
    bound = policy.max_lost_rows
    small = [
        f"{name}: {after[name]:,} of {rows:,}"
        for name, rows in before.items()
        if name in after and _too_many(rows - after[name], rows, bound, chance=3)
    ]
    if small:
        more = f" and {len(small) - MOST_NAMED} more" if len(small) > MOST_NAMED else ""
        raise _fewer(
            uttrekk,
            f"tables have far fewer rows than in release {number} ({'; '.join(small[:MOST_NAMED])}"
            f"{more}; FREG_MAX_LOST_ROWS is {bound:g})",
        )


def require_same_rows(before: dict[str, int], after: dict[str, int]) -> None:
    """See that a compaction changes no table's rows.

    Args:
        before: rows of each table for readers.
        after: rows that the new base has.

    Raises:
        RowsChangedError: it does, which no flag waives; names the tables.
    """
    wrong = [
        f"{name}: {after.get(name, 0):,} for {rows:,}"
        for name, rows in before.items()
        if after.get(name, 0) != rows
    ]
    if wrong:
        raise RowsChangedError(
            "the compaction's rows differ from those of the release it was made from "
            f"({'; '.join(wrong[:MOST_NAMED])}); it was not published",
            "This is a bug: please report it. Readers keep the release as it is",
        )


def _too_many(lost: int, of: int, share: float, *, chance: int) -> bool:
    """Whether so many are more than the share, and more than chance alone explains for few.

    Of n that come and go independently of each other, about the square root of n is chance.
    """
    return lost > max(share * of, chance * math.sqrt(of))


def _fewer(uttrekk: Uttrekk, what: str) -> FewerError:
    return FewerError(
        f"the uttrekk {uttrekk.name} was not released: {what}",
        "Find out why the register delivered so little; if it is right: "
        f"{uttrekk.resume_command} --allow-fewer",
    )
