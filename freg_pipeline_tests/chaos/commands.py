"""Commands in process groups of their own, and what may come of them."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from freg_pipeline_tests.chaos.places import Folder
from freg_pipeline_tests.chaos.trouble import Trouble, alone
from freg_pipeline_tests.command import begun
from freg_pipeline_tests.waiting import STUCK_SECONDS

DOCUMENTED = {0, 1, 2, 3, 4, 128 + signal.SIGINT, 128 + signal.SIGTERM}
UNFORESEEN = re.compile(r"Traceback|unforeseen|Error in sys|Exception ignored", re.IGNORECASE)


@dataclass(frozen=True)
class Outcome:
    """How a command ended.

    Attributes:
        arguments: the command's.
        trouble: what happened to it.
        code: its exit code; negative: the signal that killed it.
        said: on stdout.
        told: on stderr.
    """

    arguments: tuple[str, ...]
    trouble: Trouble | None
    code: int
    said: str
    told: str

    def wrong(self) -> list[str]:
        """What no command may do, whatever happens to it."""
        found = []
        killed = self.trouble is not None and self.trouble.is_deadly
        if self.code not in DOCUMENTED and not (killed and self.code == -signal.SIGKILL):
            found.append(f"exit code {self.code}")
        if UNFORESEEN.search(self.told):
            found.append(f"it was surprised: {self.told[-1500:]}")
        errors = [line for line in self.told.splitlines() if line.startswith("Error")]
        if self.code > 0 and len(errors) != 1:
            found.append(f"exit code {self.code} with {len(errors)} errors: {self.told[-800:]}")
        name = " ".join(self.arguments[:2])
        return [f"{name} ({self.trouble}): {one}" for one in found]


def run_together(
    commands: list[tuple[tuple[str, ...], Trouble | None]],
    folder: Path,
    environment: Mapping[str, str],
    place: Folder,
) -> list[Outcome]:
    """Run commands at once, each to its end.

    Args:
        commands: with what happens to each.
        folder: where they run, and all that they keep lies.
        environment: beside this process's own.
        place: where the store lies, and some of what happens comes from.
    """
    place.begin([trouble for _, trouble in commands])
    whole = {**os.environ, **environment}
    processes = []
    for index, (arguments, trouble) in enumerate(commands):
        out, err = (folder / f"said-{index}.{stream}" for stream in ("out", "err"))
        for one in (out, err):
            one.write_bytes(b"")
        before = partial(alone, place.inside(trouble), str(folder))
        process = begun(arguments, folder, whole, out, err, before)
        place.started(trouble, process.pid or 0)
        processes.append((process, out, err))
    outcomes = []
    for (process, out, err), (arguments, trouble) in zip(processes, commands, strict=True):
        process.join(STUCK_SECONDS)
        code = process.exitcode
        if code is None:
            process.kill()
            process.join()
            code = -signal.SIGALRM
        process.close()
        outcomes.append(Outcome(arguments, trouble, code, out.read_text(), err.read_text()))
    place.end()
    return outcomes
