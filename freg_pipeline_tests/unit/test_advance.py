"""What comes next: a table from where an uttrekk stands to its next steps."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from freg_pipeline.advance import (
    AddRound,
    Ask,
    Done,
    MakePiece,
    Order,
    OrderAnew,
    PlanRelease,
    Poll,
    Publish,
    ReadEvents,
    StageEvents,
    Standing,
    TakeIn,
    next_steps,
)
from freg_pipeline.errors import GoneError, UncertainOrderError
from freg_pipeline.failure import FIRST_PAUSE, LONGEST_PAUSE, pause
from freg_pipeline.journal.kinds import Hendelser, Komplett, Liste, Soek, Tilpasset

JOBS = (Komplett, Tilpasset)
OWN = (Liste, Soek)


def batches(*numbers: int) -> frozenset[int]:
    return frozenset(numbers)


@pytest.mark.parametrize("kind", JOBS)
@pytest.mark.parametrize(
    ("here", "expected"),
    [
        ({}, (Order(),)),
        ({"is_ordered": True, "jobs": 1}, (Poll(0),)),
        (
            {"is_ordered": True, "jobs": 1, "batches": batches(0, 1), "landed": batches(0)},
            (TakeIn(1), Poll(2)),
        ),
        (
            {"is_ordered": True, "jobs": 1, "batches": batches(0, 1), "end": 2},
            (TakeIn(0), TakeIn(1)),
        ),
        (
            # A batch that was damaged and thrown away is asked for again, end known or not.
            {"is_ordered": True, "jobs": 1, "batches": batches(1), "landed": batches(1), "end": 2},
            (Poll(0),),
        ),
        (
            {"is_ordered": True, "jobs": 1, "batches": batches(0), "landed": batches(0), "end": 1},
            (Publish(),),
        ),
        ({"end": 0, "is_ordered": True}, (Publish(),)),
        ({"jobs": 1, "is_gone": True}, (OrderAnew(),)),
        (
            {"jobs": 1, "is_gone": True, "batches": batches(0)},
            (TakeIn(0), OrderAnew()),
        ),
        (
            # All batches came before the job was forgotten: nothing has to be ordered anew.
            {"jobs": 1, "is_gone": True, "batches": batches(0), "end": 1, "landed": batches(0)},
            (Publish(),),
        ),
        ({"release": "000001", "is_gone": True, "jobs": 1}, (Done("000001"),)),
        ({"is_abandoned": True, "is_ordered": True}, (Done(None),)),
    ],
)
def test_a_job_at_the_register(kind: type[Komplett], here: dict[str, Any], expected: Any) -> None:
    assert next_steps(Standing("one", kind, **here)) == expected


@pytest.mark.parametrize("kind", JOBS)
def test_what_a_person_has_to_decide(kind: type[Komplett]) -> None:
    (uncertain,) = next_steps(Standing("one", kind, is_uncertain=True))
    assert isinstance(uncertain, Ask)
    assert isinstance(uncertain.error, UncertainOrderError)
    (gone,) = next_steps(Standing("one", kind, is_gone=True, jobs=2))
    assert isinstance(gone, Ask)
    assert isinstance(gone.error, GoneError)
    assert "--order-again" in str(gone.error)


@pytest.mark.parametrize("kind", OWN)
def test_batches_of_our_own(kind: type[Liste]) -> None:
    (begun,) = next_steps(Standing("one", kind))
    assert isinstance(begun, Ask), "whoever wrote the batches was stopped"
    here = Standing("one", kind, batches=batches(0, 1), end=2)
    assert next_steps(here) == (TakeIn(0), TakeIn(1))
    landed = Standing("one", kind, batches=batches(0), end=1, landed=batches(0))
    assert next_steps(landed) == (Publish(),)


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (None, (PlanRelease(),)),
        (batches(2, 0), (MakePiece(0), MakePiece(2))),
        (batches(), (Publish(),)),
    ],
)
def test_a_release_that_several_machines_make(left: Any, expected: Any) -> None:
    here = Standing("one", Komplett, batches=batches(0), end=1, landed=batches(0), pieces_left=left)
    assert next_steps(here) == (Publish(),), "one machine makes all of it at once"
    assert next_steps(replace(here, is_shared=True)) == expected
    still = replace(here, is_shared=True, landed=batches())
    assert next_steps(still) == (TakeIn(0),), "a batch has to land anew"


@pytest.mark.parametrize(
    ("here", "expected"),
    [
        ({}, (ReadEvents(),)),
        ({"is_read": True}, (AddRound(),)),
        ({"is_read": True, "batches": batches(0, 1)}, (TakeIn(0), TakeIn(1))),
        ({"is_read": True, "batches": batches(0, 1), "landed": batches(0)}, (TakeIn(1),)),
        # Whether there is another round follows from what has landed.
        ({"is_read": True, "batches": batches(0), "landed": batches(0)}, (AddRound(),)),
        ({"is_read": True, "end": 0}, (StageEvents(),)),
        (
            {"is_read": True, "batches": batches(0), "landed": batches(0), "end": 1},
            (StageEvents(),),
        ),
        # A batch is gone: it is made of the same events again.
        (
            {"is_read": True, "batches": batches(0), "landed": batches(0), "end": 2},
            (AddRound(),),
        ),
        # Its tables were damaged and thrown away, however far it was.
        (
            {"is_read": True, "batches": batches(0), "end": 1, "is_staged": True},
            (TakeIn(0),),
        ),
        (
            {
                "is_read": True,
                "batches": batches(0),
                "landed": batches(0),
                "end": 1,
                "is_staged": True,
            },
            (Publish(),),
        ),
        ({"is_read": True, "end": 0, "is_staged": True}, (Publish(),)),
        ({"is_read": True, "release": "000002"}, (Done("000002"),)),
        ({"is_read": True, "is_abandoned": True}, (Done(None),)),
    ],
)
def test_a_sync(here: dict[str, Any], expected: Any) -> None:
    assert next_steps(Standing("one", Hendelser, **here)) == expected


def test_pauses_double_up_to_an_hour_and_never_end() -> None:
    pauses = [pause(failures) for failures in range(2_000)]
    assert pauses[:4] == [timedelta(0), FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE
