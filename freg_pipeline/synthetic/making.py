"""Making a large population in a folder, by several processes.

The processes are :mod:`freg_pipeline.synthetic.maker`. The one that serves the register begins
them, and never holds more of the population than it is asked for.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector

from freg_pipeline.errors import FregError
from freg_pipeline.synthetic.progress import Begin

_MAKER = "freg_pipeline.synthetic.maker"


def make_in(folder: Path, seed: int, persons: int, stretch: int, begin: Begin) -> None:
    """Make a population in an empty folder.

    Args:
        folder: where; private to its owner.
        seed: of the population.
        persons: registrations, more than a stretch.
        stretch: so many persons are made and written at a time.
        begin: is told how far it is.

    Raises:
        FregError: a process has ended before its work was done.
    """
    stretches = range(-(-persons // stretch))
    cores = min(os.cpu_count() or 1, len(stretches))
    shares = [[str(number) for number in stretches[core::cores]] for core in range(cores)]
    maker = [sys.executable, "-m", _MAKER, str(folder), str(seed), str(persons), str(stretch)]
    told = begin("people", persons)
    _run([[*maker, "people", *share] for share in shares], told)
    _run([[*maker, "numbers"]], told)
    told = begin("documents", persons)
    told(stretch)  # they came with their people
    shares = [[number for number in share if number != "0"] for share in shares]
    _run([[*maker, "documents", *share] for share in shares], told)
    _run([[*maker, "together"]], told)


def _run(commands: Sequence[Sequence[str]], told: Callable[[int], None]) -> None:
    """Run processes side by side, and tell of what they say."""
    with ExitStack() as ending:
        processes = []
        for command in commands:
            process = subprocess.Popen(  # noqa: S603  this package
                command, stdout=subprocess.PIPE, text=True
            )
            ending.enter_context(process)
            ending.callback(process.kill)  # where another one failed; else it has ended
            processes.append(process)
        _follow(processes, told)
        if any(process.wait() for process in processes):
            raise FregError("the synthetic register could not be made", "The line above says why")


def _follow(processes: Sequence[subprocess.Popen[str]], told: Callable[[int], None]) -> None:
    with DefaultSelector() as waiting:
        for process in processes:
            assert process.stdout is not None  # noqa: S101  it is a pipe
            waiting.register(process.stdout, EVENT_READ)
        while waiting.get_map():
            for key, _ in waiting.select():
                line = key.fileobj.readline()  # type: ignore[union-attr]
                if line:
                    told(int(line))
                else:
                    waiting.unregister(key.fileobj)
