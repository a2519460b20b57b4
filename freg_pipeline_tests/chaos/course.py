"""A plan carried out: step after step, then what is open is finished, and all of it is judged."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import httpx

from freg_pipeline.synthetic import RegisterOptions, running
from freg_pipeline_tests.chaos.commands import Outcome, run_together
from freg_pipeline_tests.chaos.judge import Course, judge
from freg_pipeline_tests.chaos.plan import Plan, Step
from freg_pipeline_tests.chaos.readers import Readers
from freg_pipeline_tests.chaos.trouble import Trouble
from freg_pipeline_tests.living import everyone
from freg_pipeline_tests.registers import happen

CANARY = "canary-token-of-the-course"  # what no output may hold
_MERGE = "personErViderefoertSomGjeldendeVedSammenslaaing"
_TRIES = 4  # to finish what is open, with nothing in its way


@dataclass
class Result:
    """What came of a seed.

    Attributes:
        plan: what was to be done.
        outcomes: of each command, in order.
        wrong: what shouldn't be, in words; nothing: all is well.
        reads: how often readers looked.
    """

    plan: Plan
    outcomes: list[Outcome] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    reads: int = 0

    @property
    def troubles(self) -> Counter[str]:
        """What really happened to processes, by kind and exit code."""
        return Counter(f"{one.trouble.kind} → {one.code}" for one in self.outcomes if one.trouble)


def run(seed: int, folder: Path) -> Result:
    """Carry a seed's plan out.

    Args:
        seed: of the plan.
        folder: an empty one, for all that is written.
    """
    plan = Plan.draw(seed)
    result = Result(plan)
    options = RegisterOptions(
        persons=plan.persons,
        seed=seed,
        batch_size=plan.batch_size,
        ready_after_seconds=0.02,
        refused_parts=(),
        faults=plan.oddities,
    )
    with running(options) as url:
        course = _Course(plan, url, folder, result)
        with Readers(course.catalogue) as readers:
            for step in plan.steps:
                course.take(step)
            course.settle()
        result.reads = readers.reads
        result.wrong += [f"{what} ({times} times)" for what, times in readers.wrong.items()]
        if not result.wrong:
            result.wrong += judge(course.observed())
    return result


class _Course:
    """A course under way."""

    def __init__(self, plan: Plan, url: str, folder: Path, result: Result) -> None:
        self._plan = plan
        self._url = url
        self._folder = folder
        self._result = result
        self._random = Random(-plan.seed - 1)
        self._began: dict[str, None] = {}  # loads, by name
        self._exports = 0
        self.catalogue = folder / "store" / "freg.duckdb"
        self._environment = {
            "FREG_BASE_URL": url,
            "FREG_STORE": str(folder / "store"),
            "FREG_TOKEN": CANARY,
            "FREG_POLL_SECONDS": "0.02",
            "FREG_MAX_LOST_PERSONS": "1",
            "FREG_MAX_LOST_ROWS": "1",
            "TMPDIR": str(folder / "tmp"),
            "HOME": str(folder / "home"),
        }
        for name in ("tmp", "home", "out"):
            (folder / name).mkdir()
        self._first = everyone(url)
        self._listed = self._write_list()

    def take(self, step: Step) -> None:
        """Let a step happen."""
        self._let_happen(step.events)
        self._faults(step.faults)
        commands = [(self._arguments(action), trouble) for action, trouble in step.actions]
        for outcome in self._run(commands):
            if step.is_calm and outcome.code not in {0, *_refusals(outcome)}:
                self._result.wrong.append(
                    f"{' '.join(outcome.arguments[:2])}: {outcome.code} with nothing in its way: "
                    f"{outcome.told[-500:]}"
                )

    def settle(self) -> None:
        """Finish what is open, with nothing in its way any more."""
        self._faults("")
        for _ in range(_TRIES):
            codes = [self._one(*one).code for one in self._open()]
            if not any(codes):
                return
        last = [one for one in self._result.outcomes if one.code][-1]
        self._result.wrong.append(
            f"it doesn't settle: {' '.join(last.arguments)} → {last.code}: {last.told[-800:]}"
        )

    def observed(self) -> Course:
        """What the judge needs."""
        return Course(
            plan=self._plan,
            url=self._url,
            folder=self._folder,
            first=self._first,
            listed=self._listed,
            outcomes=self._result.outcomes,
            secrets=[CANARY],
            run=self._one,
        )

    def _open(self) -> Iterator[tuple[str, ...]]:
        """The commands that lead to an end, each told when the one before has ended."""
        for name in self._began:
            if self._is_open(name):
                yield ("uttrekk", "resume", name)
        if not self._released():
            yield self._load()
        yield ("hendelser", "sync")
        yield ("catalogue",)

    def _is_open(self, name: str) -> bool:
        told = self._one("uttrekk", "status", name)
        return told.code == 0 and "released" not in told.said

    def _released(self) -> bool:
        return (self._folder / "store" / "releases").is_dir() and self._releases() != []

    def _releases(self) -> list[dict[str, Any]]:
        told = self._one("release", "list", "--format", "json")
        return list(json.loads(told.said)) if told.code == 0 else []

    def _run(self, commands: list[tuple[tuple[str, ...], Trouble | None]]) -> list[Outcome]:
        outcomes = run_together(commands, self._folder, self._environment)
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

    def _arguments(self, action: str) -> tuple[str, ...]:
        output = str(self._folder / "out" / f"{self._exports}")
        self._exports += 1
        if action == "load":
            return self._load()
        simple = {
            "sync": ("hendelser", "sync"),
            "compact": ("compact", "--force"),
            "purge": ("release", "purge", "--keep", str(self._random.randint(1, 3))),
            "export": ("sql", "FROM person", "--output", f"{output}.parquet"),
            "changes": ("changes", "--since", "0", "--output", output),
            "catalogue": ("catalogue",),
            "verify": ("release", "verify"),
        }
        if action in simple:
            return simple[action]
        numbers = [str(one["number"]) for one in self._releases()] or ["000001"]
        return ("release", action, self._random.choice(numbers))

    def _load(self) -> tuple[str, ...]:
        """The next load; the same again while the last one isn't finished."""
        last = next(reversed(self._began), None)
        if last is None or not self._is_open(last):
            last = f"load-{len(self._began)}"
            self._began[last] = None
        chosen = {
            "komplett": ("komplett",),
            "tilpasset": ("tilpasset", "--personstatustype", "bosatt", "--kjoenn", "kvinne"),
            "liste": ("liste", str(self._folder / "list.txt")),
        }
        return ("uttrekk", *chosen[self._plan.question], "--name", last)

    def _write_list(self) -> list[str]:
        numbers = sorted(self._first)
        chosen = self._random.sample(numbers, len(numbers) // 2)
        path = self._folder / "list.txt"
        path.write_text("\n".join(chosen))
        path.chmod(0o600)
        return chosen


def _refusals(outcome: Outcome) -> set[int]:
    """Exit codes that a command has where there is nothing for it to do, and says so."""
    return {2} if outcome.arguments[:1] in {("release",), ("compact",), ("sql",)} else {2, 1}
