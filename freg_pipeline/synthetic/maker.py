"""One of the processes that make a large population in a folder.

``python -m freg_pipeline.synthetic.maker FOLDER SEED PERSONS SIZE JOB STRETCH…``. The jobs, one
after the other: ``people`` makes the people of stretches, ``numbers`` sees that no identity number
is two persons', ``documents`` writes stretches' documents, ``together`` makes one population of
all. Of ``people`` and ``documents`` there can be several side by side, each with other stretches.
Each writes to stdout how many persons more are done.
"""

from __future__ import annotations

import gc
import os
import shutil
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import numpy as np

from freg_pipeline.synthetic.columns import Columns, Encoder, joined
from freg_pipeline.synthetic.files import (
    DOCUMENTS,
    About,
    load_columns,
    save,
    save_columns,
    values_of,
)
from freg_pipeline.synthetic.heap import Packer
from freg_pipeline.synthetic.households import make_people
from freg_pipeline.synthetic.living_people import People
from freg_pipeline.synthetic.numbering import number_anew
from freg_pipeline.synthetic.people import TODAY
from freg_pipeline.synthetic.population import begin, put_together
from freg_pipeline.synthetic.rows import Rows, Times
from freg_pipeline.synthetic.selection import Selection
from freg_pipeline.synthetic.writing import Written, write

_EARLIEST = date(1890, 1, 1)


class _Begun(msgspec.Struct):
    """What is known once the first stretch is written."""

    factors: tuple[str, str]
    state: tuple[int, tuple[int, ...], float | None]
    clock: list[str]
    validity: dict[date, str]


@dataclass(frozen=True)
class _Task:
    """What is made: where, of which seed, how many persons, and how many of them in a stretch."""

    folder: Path
    seed: int
    persons: int
    size: int

    @property
    def stretches(self) -> range:
        """All of them, by number."""
        return range(-(-self.persons // self.size))

    def people(self, number: int) -> range:
        """Who is in a stretch."""
        return range(number * self.size, min((number + 1) * self.size, self.persons))

    def random(self, what: str) -> Random:
        """A random sequence of its own for one thing that is made."""
        return Random(f"{self.seed} {what}")

    def put(self, name: str, what: Any) -> None:
        """Keep something small for the processes to come."""
        (self.folder / f"{name}.json").write_bytes(msgspec.json.encode(what))

    def get(self, name: str, kind: Any) -> Any:
        """What a process before this one has kept."""
        return msgspec.json.decode((self.folder / f"{name}.json").read_bytes(), type=kind)

    def put_people(self, name: str, people: Columns) -> None:
        """Keep people."""
        save_columns(self.folder, name, people.arrays)
        self.put(name, people.values)

    def get_people(self, name: str) -> Columns:
        """People that were kept."""
        values = self.get(name, dict[str, list[Any]])
        return Columns(load_columns(self.folder, name), values_of(values))


def _people(task: _Task, stretches: Sequence[int]) -> None:
    for number in stretches:
        if number:
            random = task.random(f"people {number}")
            people = Encoder().columns(make_people(random, len(task.people(number)), _say))
        else:
            people = _first(task)
        task.put_people(f"town{number}", people)


def _first(task: _Task) -> Columns:
    with (task.folder / _part(0)).open("wb") as file:
        packer = Packer(file)
        begun = begin(task.seed, len(task.people(0)), packer, _say)
        packer.finish()
    _save_part(task, 0, begun.written, packer)
    rows = Rows(task.random("days"), begun.rows.times)
    for day in range((TODAY - _EARLIEST).days):
        rows.validity(_EARLIEST + timedelta(days=day))
    first, second = begun.factors
    state = begun.rows.random.getstate()
    task.put("begun", _Begun((f"{first:x}", f"{second:x}"), state, *rows.times))
    return begun.people


def _numbers(task: _Task) -> None:
    people = joined([task.get_people(f"town{number}") for number in task.stretches])
    number_anew(people, task.size, task.random("numbers"))
    task.put_people("all", people)


def _documents(task: _Task, stretches: Sequence[int]) -> None:
    people, begun = task.get_people("all"), task.get("begun", _Begun)
    times = Times(begun.clock, begun.validity)
    for number in stretches:
        rows = Rows(task.random(f"documents {number}"), times)
        with (task.folder / _part(number)).open("wb") as file:
            packer = Packer(file)
            written = write(task.people(number), People(people), rows, packer, _say)
            packer.finish()
        _save_part(task, number, written, packer)


def _save_part(task: _Task, number: int, written: Written, packer: Packer) -> None:
    # Those of the first stretch became columns after they had moved.
    moved = written.moved if number else []
    of_movers = Encoder().columns(moved).arrays
    columns = {
        **written.columns(),
        "selection": written.selection.rows,
        "ends": np.array(packer.ends, dtype=np.int64),
        "movers": np.array([person.index for person in moved], dtype=np.int64),
        **{f"moved_{name}": of_movers[name] for name in _OF_MOVERS},
    }
    save_columns(task.folder, _part(number), columns)
    task.put(_part(number), written.selection.values)


_OF_MOVERS = ("people", "homes", "earlier_homes")


def _together(task: _Task) -> None:
    folder, columns, begun = task.folder, task.get_people("all"), task.get("begun", _Begun)
    selection, parts, ends, base = Selection(), [], [np.zeros(1, np.int64)], 0
    for number in task.stretches:
        part = load_columns(folder, _part(number))
        selection.extend(part["selection"], task.get(_part(number), list[list[Any]]))
        columns = columns.moved(part["movers"], {n: part[f"moved_{n}"] for n in _OF_MOVERS})
        for name in ("first_starts", "later_starts"):
            part[name] = part[name] + base
        ends.append(part["ends"] + ends[-1][-1])
        base += len(part["ends"]) * Packer.BLOCK
        parts.append({name: part[name] for name in Written().columns()})
    random = Random()
    random.setstate(begun.state)
    documents, events, current = put_together(parts, columns["number"], random)
    save_columns(folder, "people", columns.arrays)
    save_columns(folder, "documents", documents)
    save_columns(folder, "events", events)
    save_columns(folder, "register", {"current": current, "selection": selection.rows})
    save_columns(folder, "blocks", {"ends": np.concatenate(ends[1:])})
    _join(folder, len(parts))
    state = random.getstate()
    values = {name: list(of_one) for name, of_one in columns.values.items()}
    save(folder, About(values, selection.values, begun.factors, state))


def _join(folder: Path, parts: int) -> None:
    """One file of all documents, and nothing left of what led to it."""
    with (folder / DOCUMENTS).open("wb") as whole:
        for number in range(parts):
            with (folder / _part(number)).open("rb") as part:
                shutil.copyfileobj(part, whole, 1 << 22)
            (folder / _part(number)).unlink()
    for left in (path for kind in _LEFT for path in folder.glob(kind)):
        left.unlink()


_LEFT = ("part*", "town*", "all*", "begun*")


def _part(number: int) -> str:
    return f"part{number}"


def _say(more: int) -> None:
    sys.stdout.write(f"{more}\n")
    sys.stdout.flush()


def main() -> None:
    """One of the processes: ``FOLDER SEED PERSONS SIZE JOB [STRETCH…]``."""
    folder, seed, persons, size, job, *stretches = sys.argv[1:]
    os.umask(0o077)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends who began this, and it ends this
    gc.disable()  # nothing of it goes in circles, and there are very many objects
    task = _Task(Path(folder), int(seed), int(persons), int(size))
    share = [int(number) for number in stretches]
    jobs: dict[str, Callable[[], None]] = {
        "people": lambda: _people(task, share),
        "numbers": lambda: _numbers(task),
        "documents": lambda: _documents(task, share),
        "together": lambda: _together(task),
    }
    try:
        jobs[job]()
    except OSError as error:
        sys.exit(f"{error.strerror or error}: {folder}")


if __name__ == "__main__":
    main()
