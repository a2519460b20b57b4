"""A plan carried out: step after step, then what is open is finished, and all of it is judged."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from freg_pipeline.synthetic import RegisterOptions, running
from freg_pipeline_tests.chaos.actions import Actions, refusals
from freg_pipeline_tests.chaos.commands import Outcome, run_together
from freg_pipeline_tests.chaos.judge import Course, judge
from freg_pipeline_tests.chaos.lookups import LookUps
from freg_pipeline_tests.chaos.places import Folder, placed
from freg_pipeline_tests.chaos.plan import Plan, Step
from freg_pipeline_tests.chaos.readers import Readers
from freg_pipeline_tests.chaos.trouble import Trouble
from freg_pipeline_tests.living import everyone
from freg_pipeline_tests.registers import happen, looked_up, status_of

CANARY = "canary-token-of-the-course"  # what no output may hold
_MERGE = "personErViderefoertSomGjeldendeVedSammenslaaing"
_ORDER_AGAIN = "--order-again"
_TRIES = 4  # to finish what is open, with nothing in its way
_KEEPS_LITTLE = {
    "FREG_KEEP_RELEASES": "1",
    "FREG_KEEP_DAYS": "0",
    "FREG_KEEP_ANSWERS_DAYS": "0",
    "FREG_KEEP_STAGING_DAYS": "0",
}


@dataclass
class Result:
    """What came of a seed.

    Attributes:
        plan: what was to be done.
        outcomes: of each command, in order.
        wrong: what shouldn't be, in words; nothing: all is well.
        reads: how often readers looked.
        look_ups: that the register was asked for.
        faults: of the register on the way, by kind.
    """

    plan: Plan
    outcomes: list[Outcome] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    reads: int = 0
    look_ups: int = 0
    faults: Counter[str] = field(default_factory=Counter)

    @property
    def troubles(self) -> Counter[str]:
        """What really happened to processes, by kind and exit code."""
        return Counter(f"{one.trouble.kind} → {one.code}" for one in self.outcomes if one.trouble)


def run(plan: Plan, folder: Path) -> Result:
    """Carry a plan out, and judge what came of it.

    Args:
        plan: a seed's.
        folder: an empty one, for all that is written.
    """
    result = Result(plan)
    options = RegisterOptions(
        persons=plan.persons,
        seed=plan.seed,
        batch_size=plan.batch_size,
        ready_after_seconds=0.02,
        refused_parts=(),
        faults=plan.oddities,
        note_lookups=True,
    )
    with running(options) as url, placed(plan.place, folder) as place:
        course = _Course(plan, url, folder, place, result)
        with Readers(place.catalogue) as readers:
            for step in plan.steps:
                course.take(step)
            course.settle()
        result.reads, result.faults = readers.reads, Counter(status_of(url)["faults"])
        result.wrong += [f"{what} ({times} times)" for what, times in readers.wrong.items()]
        if not result.wrong:
            result.wrong += judge(course.observed())
    return result


class _Course:
    """A course under way."""

    def __init__(self, plan: Plan, url: str, folder: Path, place: Folder, result: Result) -> None:
        self._plan = plan
        self._url = url
        self._folder = folder
        self._place = place
        self._result = result
        self._environment = {
            "FREG_BASE_URL": url,
            "FREG_TOKEN": CANARY,
            "FREG_POLL_SECONDS": "0.02",
            "FREG_MAX_LOST_PERSONS": "1",
            "FREG_MAX_LOST_ROWS": "1",
            "TMPDIR": str(folder / "tmp"),
            "HOME": str(folder / "home"),
            **(_KEEPS_LITTLE if plan.keeps_little else {}),
            **({"FREG_OPEN_FORMATS": "delta,iceberg"} if plan.is_open else {}),
            **place.environment,
        }
        for name in ("tmp", "home", "out"):
            (folder / name).mkdir()
        self._first = everyone(url)
        self._actions = Actions(plan, folder, self._first, self._one)
        looked_up(url)  # ours
        self._look_ups = LookUps(url, place, by_batch=plan.question == "komplett")

    def take(self, step: Step) -> None:
        """Let a step happen."""
        self._let_happen(step.events)
        self._faults(step.faults)
        commands = [(self._actions.of(action), trouble) for action, trouble in step.actions]
        for outcome in self._run(commands):
            if step.is_undisturbed and outcome.code not in {0, *refusals(outcome)}:
                self._result.wrong.append(
                    f"{' '.join(outcome.arguments[:2])}: {outcome.code} with nothing in its way: "
                    f"{outcome.told[-500:]}"
                )
            if outcome.arguments[0] == "changes":
                self._actions.changed.follow(outcome)
        self._count(step)

    def settle(self) -> None:
        """Finish what is open, with nothing in its way any more."""
        self._faults("")
        for _ in range(_TRIES):
            codes = [self._finish(one).code for one in self._actions.open()]
            self._count()
            if not any(codes):
                return
        last = [one for one in self._result.outcomes if one.code][-1]
        self._result.wrong.append(
            f"it doesn't settle: {' '.join(last.arguments)} → {last.code}: {last.told[-800:]}"
        )

    def _finish(self, arguments: tuple[str, ...]) -> Outcome:
        """Run a command, and do what only a person may decide, where it says so."""
        outcome = self._one(*arguments)
        if outcome.code and _ORDER_AGAIN in outcome.told:
            return self._one(*arguments, _ORDER_AGAIN)  # a process died of its order
        return outcome

    def observed(self) -> Course:
        """What the judge needs."""
        return Course(
            plan=self._plan,
            url=self._url,
            folder=self._folder,
            place=self._place,
            first=self._first,
            actions=self._actions,
            outcomes=self._result.outcomes,
            secrets=[CANARY],
            run=self._one,
        )

    def _count(self, step: Step | None = None) -> None:
        """Judge which look-ups were made."""
        told = self._look_ups.after(
            undisturbed=step is not None and step.is_undisturbed,
            spot_checked=step is not None and "spot-check" in dict(step.actions),
        )
        self._result.wrong += [f"{one}, by {self._named(step)}" for one in told]
        self._result.look_ups = self._look_ups.made

    @staticmethod
    def _named(step: Step | None) -> str:
        return "what was open" if step is None else str(step.actions)

    def _run(self, commands: list[tuple[tuple[str, ...], Trouble | None]]) -> list[Outcome]:
        outcomes = run_together(commands, self._folder, self._environment, self._place)
        self._result.outcomes += outcomes
        self._result.wrong += [one for outcome in outcomes for one in outcome.wrong()]
        return outcomes

    def _one(self, *arguments: str) -> Outcome:
        """Run one command, with nothing in its way."""
        return self._run([(arguments, None)])[0]

    def _faults(self, faults: str) -> None:
        together = ",".join(one for one in (self._plan.oddities, faults) if one)
        happen(self._url, 0, path="feil", faults=together)

    def _let_happen(self, events: int) -> None:
        if events:
            happen(self._url, events)
        if events > 20:
            with suppress(httpx.HTTPStatusError):  # nobody may be left whom it can happen to
                happen(self._url, 1, type=_MERGE)
