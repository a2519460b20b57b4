"""What a course's actions are as commands, and what it has to know of those that ran."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

from freg_pipeline_tests.chaos.commands import Outcome
from freg_pipeline_tests.chaos.copies import Changed
from freg_pipeline_tests.chaos.plan import Plan
from freg_pipeline_tests.living import Document

Arguments = tuple[str, ...]
# Of a search: whoever was born then stays so, and the dead are found, too.
BORN = ("1900", "1985")
_QUESTIONS: dict[str, Arguments] = {
    "komplett": ("uttrekk", "komplett"),
    "tilpasset": ("uttrekk", "tilpasset", "--personstatustype", "bosatt", "--kjoenn", "kvinne"),
    "soek": (
        "soek", "--foedselsaar-fra-og-med", BORN[0], "--foedselsaar-til-og-med", BORN[1],
        "--inkluder-doede", "--uttrekk",
    ),
}  # fmt: skip


class Actions:
    """Commands of a course.

    Args:
        plan: the course's.
        folder: where what they need and write lies.
        first: everyone's document at its beginning.
        one: runs a command with nothing in its way.

    Attributes:
        listed: the numbers of the list.
        erased: those of persons who were to be erased.
        changed: the copy that is kept by files of changes.
        warehouse: the file of the copy that is kept by ``freg load``.
    """

    def __init__(
        self,
        plan: Plan,
        folder: Path,
        first: dict[str, Document],
        one: Callable[..., Outcome],
    ) -> None:
        self._plan = plan
        self._folder = folder
        self._one = one
        self._random = Random(-plan.seed - 1)
        self._numbers = sorted(first)
        self._began: dict[str, None] = {}  # loads, by name
        self._erasures: list[Path] = []
        self._written = 0
        self.erased: set[str] = set()
        self.changed = Changed()
        self.warehouse = folder / "out" / "warehouse.duckdb"
        self.listed = self._random.sample(self._numbers, len(self._numbers) // 2)
        self._list = self._write("list.txt", self.listed)

    def of(self, action: str) -> Arguments:
        """The command of an action."""
        output = str(self._folder / "out" / f"{self._written}")
        self._written += 1
        simple = {
            "sync": ("hendelser", "sync"),
            "compact": ("compact", "--force"),
            "purge": ("release", "purge", "--keep", str(self._random.randint(1, 3))),
            "sql": ("sql", "FROM person", "--output", f"{output}.parquet"),
            "export": ("export", output),
            "changes": self.changed.arguments(output),
            "catalogue": ("catalogue",),
            "verify": ("release", "verify"),
            "spot-check": ("release", "spot-check", "--persons", "10"),
            "retention": ("retention",),
            "warehouse": self.loaded(),
        }
        if action in simple:
            return simple[action]
        if action == "load":
            return self.load()
        if action == "erase":
            return self._erase()
        numbers = [str(one["number"]) for one in self._releases()] or ["000001"]
        return ("release", action, self._random.choice(numbers))

    def loaded(self) -> Arguments:
        """Bring the warehouse's copy up to date."""
        return ("load", f"duckdb:{self.warehouse}")

    def load(self) -> Arguments:
        """The next load; the same again while the last one isn't finished."""
        last = next(reversed(self._began), None)
        if last is None or not self.is_open(last):
            last = f"load-{len(self._began)}"
            self._began[last] = None
        question = self._plan.question
        chosen = {**_QUESTIONS, "liste": ("uttrekk", "liste", str(self._list))}[question]
        return (*chosen, "--name", last)

    def is_open(self, name: str) -> bool:
        """Whether a load is unfinished."""
        told = self._one("uttrekk", "status", name)
        return told.code == 0 and "released" not in told.said

    def open(self) -> Iterator[Arguments]:
        """The commands that lead to an end, each told when the one before has ended."""
        for path in self._erasures:
            yield self._erasing(path)
        for name in self._began:
            if self.is_open(name):
                yield ("uttrekk", "resume", name)
        if not self._releases():
            yield self.load()
        yield ("hendelser", "sync")
        yield ("catalogue",)

    def _erase(self) -> Arguments:
        number = self._random.choice(self._numbers)
        self.erased.add(number)
        self._erasures.append(self._write(f"erase-{len(self._erasures)}.txt", [number]))
        return self._erasing(self._erasures[-1])

    @staticmethod
    def _erasing(path: Path) -> Arguments:
        return ("erase", str(path), "--yes", "--including-pinned")

    def _releases(self) -> list[dict[str, Any]]:
        told = self._one("release", "list", "--format", "json")
        return list(json.loads(told.said)) if told.code == 0 and told.said else []

    def _write(self, name: str, numbers: list[str]) -> Path:
        path = self._folder / name
        path.write_text("\n".join(numbers))
        path.chmod(0o600)
        return path


def refusals(outcome: Outcome) -> set[int]:
    """Exit codes that a command has where there is nothing for it to do, and says so."""
    one = {"release", "compact", "sql", "changes", "export", "erase", "load"}
    return {2} if outcome.arguments[0] in one else {2, 1}
