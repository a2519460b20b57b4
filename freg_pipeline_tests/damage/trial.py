"""A kind of object, damaged in one way, read by one command: what came of it, and if it may."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from freg_pipeline_tests.chaos.commands import DOCUMENTED, UNFORESEEN
from freg_pipeline_tests.damage.commands import Command
from freg_pipeline_tests.damage.harm import DELETED, damage
from freg_pipeline_tests.damage.here import Said, fingerprint, said, state
from freg_pipeline_tests.damage.prepared import STORE, Prepared
from freg_pipeline_tests.damage.watched import watching

Came = Literal["told", "healed", "harmless", "taken away", "WRONG"]
IN_ORDER = {0, 4}  # 4: status tells of what it is for
# What is there until somebody takes it away: that it is gone tells just that.
TAKEN_AWAY = {
    "access/{day}/{access}.json", "access/{day}/{access}.rows.json", "compacting/{compaction}",
    "open/{uttrekk}", "pins/{pin}.json", "uttrekk/{uttrekk}/abandoned.json",
    "releases/{number}/manifest.json",  # as a purge does; the current one's is told
}  # fmt: skip
_HOW_FAR = {"uttrekk status", "uttrekk status, one"}  # tell what is there: the rest isn't done
_HOW_MANY = {"erase", "erase --dry-run"}  # tell of how many objects: tallies are made again
# Tell how many objects go: one less where one is gone, and all of a compaction whose plan is.
_WHAT_GOES = {"retention", "retention --dry-run"}


@dataclass(frozen=True)
class Usual:
    """What comes of a command without any damage.

    Attributes:
        said: by it.
        after: what readers see then; of a command that changes nothing None.
        opened: the files that it reads.
    """

    said: Said
    after: Any
    opened: frozenset[str]


@dataclass(frozen=True)
class Case:
    """One field of the table.

    Attributes:
        name: the file that was damaged, beneath the prepared folder.
        kind: which it is of.
        harm: how.
        command: by name.
        came: what came of it.
        why: in words, where it is wrong; else what was told.
    """

    name: str
    kind: str
    harm: str
    command: str
    came: Came
    why: str


class Bench:
    """Where trials are made.

    Args:
        made: what they are made of.
        folder: for copies.
    """

    def __init__(self, made: Prepared, folder: Path) -> None:
        self._made = made
        self._place = folder / "trial"
        self._usual: dict[str, Usual] = {}
        self._states: dict[str, Any] = {}
        self._before = self._state_before()

    def usual(self, command: Command) -> Usual:
        """What comes of a command without any damage."""
        if command.name not in self._usual:
            self._anew()
            with watching(self._place) as opened:
                told = said(command, self._place, self._made.environment)
            after = self._state() if command.changes else None
            self._usual[command.name] = Usual(told, after, frozenset(opened))
        return self._usual[command.name]

    def trials(self, kind: str, name: str, harm: str, commands: list[Command]) -> Iterator[Case]:
        """Damage a file, and let commands read it: each as if it were the first."""
        usual = [self.usual(one) for one in commands]
        damaged: bytes | None = None
        is_fresh = False
        for command, expected in zip(commands, usual, strict=True):
            if not is_fresh or command.changes:
                self._anew()
                try:
                    damaged = damage(self._place / name, harm)
                except LookupError:
                    return
            came = said(command, self._place, self._made.environment)
            is_fresh = not command.changes and self._holds(name, damaged)
            healed = not self._holds(name, damaged)
            try:
                how, why = self._judged(command, name, expected, came, healed=healed)
            except _WrongError as wrong:
                how, why = "WRONG", f"{wrong} | {came.code} | {came.err[-600:]}"
                # What is damaged and can be had again is taken away, to be asked for.
                is_gone = harm == DELETED or not (self._place / name).exists()
                if is_gone and _may_be_gone(kind, command) and came.code in IN_ORDER:
                    how, why = "taken away", ""
            yield Case(name, kind, harm, command.name, how, why)

    def _judged(
        self, command: Command, name: str, usual: Usual, came: Said, *, healed: bool
    ) -> tuple[Came, str]:
        told = _naming(came.plain, name)
        _require_no_surprise(came)
        same = (came.code, came.out, came.wrote) == (
            usual.said.code,
            usual.said.out,
            usual.said.wrote,
        )
        if came.code not in {0, usual.said.code} or (came.code and not same):
            if not told and came.code != 4:
                raise _WrongError("an error that doesn't name the object")
            if not told:
                raise _WrongError("something is told, and not the object")
        elif not same and not told and not self._is_counted(command, name):
            raise _WrongError(f"other data, and nothing is told: {_difference(usual.said, came)}")
        if command.changes:
            self._require_right(name, usual, told=told, failed=came.code not in IN_ORDER)
        if told:
            return ("healed" if healed and same else "told"), told + (
                "" if same else " (other data)" if came.code in IN_ORDER else ""
            )
        return ("healed" if healed else "harmless"), ""

    def _is_counted(self, command: Command, name: str) -> bool:
        """Whether what a command says is only that an object is gone."""
        return command.name in _WHAT_GOES and not (self._place / name).exists()

    def _require_right(self, name: str, usual: Usual, *, told: str, failed: bool) -> None:
        """See that readers see what they should, once the object is back if it was missed."""
        after = self._state()
        if isinstance(after, str):
            target = self._place / name
            target.unlink(missing_ok=True)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(self._made.folder / name, target)
            after = self._state()
        allowed = [usual.after, self._before] if failed else [usual.after]
        if after in allowed:
            return
        if told and not failed and not isinstance(after, str) and _same_rows(after, usual.after):
            return
        raise _WrongError(
            f"readers see other data{' (told)' if told else ''}: {_apart(after, usual.after)}"
        )

    def _holds(self, name: str, content: bytes | None) -> bool:
        path = self._place / name
        return (path.read_bytes() if path.exists() else None) == content

    def _anew(self) -> None:
        shutil.rmtree(self._place, ignore_errors=True)
        self._made.copy(self._place)

    def _state_before(self) -> Any:
        self._anew()
        return self._state()

    def _state(self) -> Any:
        """What readers see now: found once of the same files."""
        files = fingerprint(self._place)
        if files not in self._states:
            self._states[files] = state(self._place)
        return self._states[files]


def _may_be_gone(kind: str, command: Command) -> bool:
    """Whether a command may tell just that something is gone."""
    how_far = command.name in _HOW_FAR and kind.startswith("uttrekk/")
    how_many = command.name in _HOW_MANY and "_antall" in kind
    return kind in TAKEN_AWAY or how_far or how_many


class _WrongError(Exception):
    """What may not be."""


def _require_no_surprise(came: Said) -> None:
    if came.code not in DOCUMENTED:
        raise _WrongError(f"exit code {came.code}")
    if UNFORESEEN.search(came.err):
        raise _WrongError("it was surprised")
    errors = [line for line in came.err.splitlines() if line.startswith("Error")]
    if came.code not in IN_ORDER and len(errors) != 1:
        raise _WrongError(f"exit code {came.code} with {len(errors)} errors")
    if any(". " not in line for line in errors):
        raise _WrongError("an error without a way out")


def _naming(text: str, name: str) -> str:
    """The line that names an object; an empty text: none does."""
    key = name.removeprefix(f"{STORE}/")
    names = [key]
    parts = key.split("/")
    if parts[0] == "releases" and len(parts) == 3:
        names.append(f"manifest of release {parts[1]}")
    if parts[0] == "dagster":
        names.append("Dagster's records")
    return next((line for line in text.splitlines() if any(one in line for one in names)), "")


def _difference(usual: Said, came: Said) -> str:
    if usual.code != came.code:
        return f"exit code {came.code}"
    if usual.wrote != came.wrote:
        return f"what it wrote {_apart(came.wrote, usual.wrote)}"
    lines = set(usual.out.splitlines()) ^ set(came.out.splitlines())
    return f"{sorted(lines)[:6]}"[:600]


def _apart(one: Any, other: Any) -> str:
    if not (isinstance(one, dict) and isinstance(other, dict)):
        return f"{str(one)[:300]} against {str(other)[:100]}"
    keys = [key for key in {**one, **other} if one.get(key) != other.get(key)]
    return "; ".join(f"{key}: {_apart(one.get(key), other.get(key))}" for key in keys[:4])


def _same_rows(one: Any, other: Any) -> bool:
    return all(one[key] == other[key] for key in ("tables", "sekvensnummer", "kept out"))
