"""What comes next for an uttrekk: the one place that knows the course of a load.

:func:`next_steps` is a pure function from where an uttrekk stands, which is what lies in the store,
to the steps that can be taken now. The command takes the first of them, one after the other;
Dagster's sensors request runs for all of them. None of these decides what follows. How long a step
that failed is left alone is in :mod:`freg_pipeline.failure`.
"""

from __future__ import annotations

from dataclasses import dataclass

from freg_pipeline.errors import FregError, GoneError, UncertainOrderError
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
    """Ask the register for the next batch of identifiers."""


@dataclass(frozen=True)
class TakeIn:
    """Take a batch from identifiers to tables: make the look-ups that lack an answer, and decode.

    One step, since whoever decodes a batch needs all of its answers at hand.
    """

    batch: int


@dataclass(frozen=True)
class Sync:
    """Take a slice of the event list into a release: in one run, which follows from the release.

    What is done of it is found in the store by :mod:`freg_pipeline.feed.sync`.
    """


@dataclass(frozen=True)
class Publish:
    """Make the release."""


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


Step = Order | OrderAnew | Poll | TakeIn | Sync | Publish | Ask | Done


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


def next_steps(standing: Standing) -> tuple[Step, ...]:
    """The steps that can be taken now, the first of them what one process does next.

    Args:
        standing: where the uttrekk stands.
    """
    s = standing
    if s.release is not None or s.is_abandoned:
        return (Done(s.release),)
    if s.kind.is_sync:
        return (Sync(),)
    taken_in = tuple(TakeIn(batch) for batch in sorted(s.batches - s.landed))
    if s.end is not None and s.landed.issuperset(range(s.end)):
        return (Publish(),)
    if s.end is not None and s.batches.issuperset(range(s.end)):
        return taken_in
    return taken_in + (_next_of_job(s) if s.kind.is_job else _begin_again(s))


def standing_of(uttrekk: Uttrekk) -> Standing:
    """Where an uttrekk stands now, by what lies in the store."""
    kind = uttrekk.kind
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
    )


def _next_of_job(s: Standing) -> tuple[Step, ...]:
    """What leads to the batches that aren't here yet."""
    if s.is_ordered:
        return (Poll(),)
    if s.is_uncertain:
        return (Ask(_uncertain(s)),)
    if s.is_gone:
        return (OrderAnew(),) if s.jobs <= ORDERED_ANEW else (Ask(_gone(s)),)
    return (Order(),)


def _begin_again(s: Standing) -> tuple[Step, ...]:
    """Its batches are written on this side, and whoever did so was stopped."""
    error = FregError(
        f"the uttrekk {s.name} was stopped before its {s.kind.source} taken over",
        "Run the command that started it again: it resumes this uttrekk",
    )
    return (Ask(error),)


def _gone(s: Standing) -> GoneError:
    return GoneError(
        f"the register no longer has the job of the uttrekk {s.name} (410), ordered {s.jobs} times",
        f"To order it again: freg uttrekk resume {s.name} --order-again",
        status=410,
    )


def _uncertain(s: Standing) -> UncertainOrderError:
    return UncertainOrderError(
        f"an order for the uttrekk {s.name} was sent, but its answer was never recorded: "
        "the register may be running a job for it, one of the ten it allows",
        f"To order again: freg uttrekk resume {s.name} --order-again",
    )
