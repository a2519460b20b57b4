"""What comes next for an uttrekk: the one place that knows the course of a load.

:func:`next_steps` is a pure function from where an uttrekk stands, which is what lies in the store,
to the steps that can be taken now. The command takes the first of them, one after the other;
Dagster's sensors request runs for all of them. None of these decides what follows. How long a step
that failed is left alone is in :mod:`freg_pipeline.failure`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from freg_pipeline.errors import FregError, GoneError
from freg_pipeline.extract.order import uncertain
from freg_pipeline.extract.poll import unwritten
from freg_pipeline.journal.batches import first_missing
from freg_pipeline.journal.kinds import Kind
from freg_pipeline.journal.uttrekk import Uttrekk

ORDERED_ANEW = 1  # times that a lost job is ordered anew without being told to


@dataclass(frozen=True)
class Order:
    """Order the job from the register, or write the batches that this side makes itself."""


@dataclass(frozen=True)
class OrderAnew:
    """Order once more: the register no longer has the job (410), and not all batches came."""


@dataclass(frozen=True)
class Poll:
    """Ask the register for a batch of identifiers: the first that isn't here."""

    batch: int


@dataclass(frozen=True)
class TakeIn:
    """Take a batch from identifiers to tables: make the look-ups that lack an answer, and decode.

    One step, since whoever decodes a batch needs all of its answers at hand.
    """

    batch: int


@dataclass(frozen=True)
class ReadEvents:
    """Of a sync: read its slice of the event list, to the end that it is then recorded to have."""


@dataclass(frozen=True)
class AddRound:
    """Of a sync: write the next batches of persons, or record that there are no more.

    Whom it looks up next follows from what has landed (:mod:`freg_pipeline.feed.expand`).
    """


@dataclass(frozen=True)
class StageEvents:
    """Of a sync: fetch the events' own documents, and make the events' tables."""


@dataclass(frozen=True)
class PlanRelease:
    """Settle who lands in the release, so that several machines can make its pieces."""


@dataclass(frozen=True)
class MakePiece:
    """Make a piece of the release that is planned: a bucket of persons."""

    piece: int


@dataclass(frozen=True)
class Publish:
    """Make what of the release isn't made, and publish it.

    A plan, a piece or a delta whose files are whole is found, and not made again.
    """


@dataclass(frozen=True)
class Ask:
    """A person has to decide.

    Attributes:
        error: what to tell them, and the command that goes on.
    """

    error: FregError


@dataclass(frozen=True)
class Done:
    """Nothing is left to do.

    Attributes:
        release: what it became; None: it was abandoned.
    """

    release: str | None


Step = (
    Order
    | OrderAnew
    | Poll
    | ReadEvents
    | AddRound
    | TakeIn
    | StageEvents
    | PlanRelease
    | MakePiece
    | Publish
    | Ask
    | Done
)


@dataclass(frozen=True)
class Standing:
    """Where an uttrekk stands, as far as what comes next depends on it.

    Attributes:
        name: the uttrekk's name.
        kind: its kind.
        jobs: jobs that the register has accepted for it, the present one among them.
        is_ordered: a job is accepted; of a kind without one, its batches are being written.
        is_uncertain: an order was sent, and its answer never recorded.
        is_gone: the register no longer has the job.
        batches: those whose identifiers are here.
        end: how many batches there are; None until that is known.
        landed: those whose tables are whole.
        release: what it became.
        is_abandoned: it was given up.
        is_read: of a sync: all of its events are here.
        is_staged: of a sync: its events' tables are whole.
        is_shared: several machines make its release; else whoever publishes makes all of it.
        pieces_left: pieces of its release that aren't made; None: it isn't planned.
    """

    name: str
    kind: Kind
    jobs: int = 0
    is_ordered: bool = False
    is_uncertain: bool = False
    is_gone: bool = False
    batches: frozenset[int] = frozenset()
    end: int | None = None
    landed: frozenset[int] = frozenset()
    release: str | None = None
    is_abandoned: bool = False
    is_read: bool = False
    is_staged: bool = False
    is_shared: bool = False
    pieces_left: frozenset[int] | None = None


def next_steps(standing: Standing) -> tuple[Step, ...]:
    """The steps that can be taken now, the first of them what one process does next.

    Args:
        standing: where the uttrekk stands.
    """
    s = standing
    if s.release is not None or s.is_abandoned:
        return (Done(s.release),)
    taken_in = tuple(TakeIn(batch) for batch in sorted(s.batches - s.landed))
    if s.kind.is_sync:
        return _next_of_sync(s, taken_in)
    if s.end is not None and s.landed.issuperset(range(s.end)):
        return _next_of_release(s)
    if s.end is not None and s.batches.issuperset(range(s.end)):
        return taken_in
    return (*taken_in, _next_of_job(s) if s.kind.is_job else Ask(unwritten(s.name, s.kind)))


def _next_of_release(s: Standing) -> tuple[Step, ...]:
    """Of an uttrekk whose batches have all landed."""
    if not s.is_shared:
        return (Publish(),)
    if s.pieces_left is None:
        return (PlanRelease(),)
    return tuple(MakePiece(piece) for piece in sorted(s.pieces_left)) or (Publish(),)


def standing_after(step: Step, before: Standing, uttrekk: Uttrekk) -> Standing:
    """Where an uttrekk stands once a step was taken, by what that step may have changed.

    As :func:`standing_of` tells, at a cost that doesn't grow with the batches. What others do at
    the same time shows at the next full look; until then a step of theirs is found to be taken.
    """
    match step:
        case Poll(batch) if uttrekk.has_batch(batch):
            return replace(before, batches=before.batches | {batch})
        case TakeIn(batch) if uttrekk.has_landed(batch):
            return replace(before, landed=before.landed | {batch})
        case ReadEvents() if uttrekk.feed_end is not None:
            return replace(before, is_read=True)
        case AddRound():
            end = uttrekk.end
            if end is not None:  # whoever has written that has seen to it that all are here
                return replace(before, batches=before.batches | {*range(end)}, end=end)
            return replace(before, batches=frozenset(uttrekk.batches()))
        case StageEvents() if uttrekk.events_staged:
            return replace(before, is_staged=True)
        case _:
            return standing_of(uttrekk)


def standing_of(uttrekk: Uttrekk, *, is_shared: bool = False) -> Standing:
    """Where an uttrekk stands now, by what lies in the store.

    Args:
        uttrekk: which one.
        is_shared: whether several machines make its release.
    """
    kind = uttrekk.kind
    is_shared = is_shared and not kind.is_sync
    attempts = uttrekk.attempts() if kind.is_job else []
    accepted = [number for number, answer in attempts if answer and answer.jobbId]
    is_gone = bool(accepted) and uttrekk.is_lost(accepted[-1])
    return Standing(
        name=uttrekk.name,
        kind=kind,
        jobs=len(accepted),
        is_ordered=bool(accepted) and not is_gone,
        is_uncertain=bool(attempts) and attempts[-1][1] is None,
        is_gone=is_gone,
        batches=frozenset(uttrekk.batches()),
        end=uttrekk.end,
        landed=frozenset(uttrekk.landed()),
        release=uttrekk.release,
        is_abandoned=uttrekk.is_abandoned,
        is_read=kind.is_sync and uttrekk.feed_end is not None,
        is_staged=kind.is_sync and uttrekk.events_staged,
        is_shared=is_shared,
        pieces_left=_pieces_left(uttrekk) if is_shared else None,
    )


def _pieces_left(uttrekk: Uttrekk) -> frozenset[int] | None:
    from freg_pipeline.lake.base import pieces_left  # Arrow, which few who ask here need

    return pieces_left(uttrekk.store, uttrekk)


def _next_of_sync(s: Standing, taken_in: tuple[Step, ...]) -> tuple[Step, ...]:
    """One after the other: whom the next batches hold follows from those that have landed."""
    if not s.is_read:
        return (ReadEvents(),)
    if taken_in:
        return taken_in
    if s.end is None or not s.batches.issuperset(range(s.end)):
        return (AddRound(),)
    return (Publish(),) if s.is_staged else (StageEvents(),)


def _next_of_job(s: Standing) -> Step:
    """What leads to the batches that aren't here yet."""
    if s.is_ordered:
        return Poll(first_missing(s.batches))
    if s.is_uncertain:
        return Ask(uncertain(s.name))
    if s.is_gone:
        return OrderAnew() if s.jobs <= ORDERED_ANEW else Ask(_gone(s))
    return Order()


def _gone(s: Standing) -> GoneError:
    return GoneError(
        f"the register no longer has the job of the uttrekk {s.name} (410), ordered {s.jobs} times",
        f"To order it again: freg uttrekk resume {s.name} --order-again",
        status=410,
    )
