"""A copy in a warehouse is brought to the current release: as a whole, or by changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from freg_pipeline.changes.difference import changes
from freg_pipeline.errors import ConfigurationError
from freg_pipeline.foreseen import shortage
from freg_pipeline.journal.access_log import note_access
from freg_pipeline.journal.keptout import ended_erasures
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.releases import require_current
from freg_pipeline.lake.described import described
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.load.alone import alone
from freg_pipeline.load.by_rules import ByRules
from freg_pipeline.load.destination import Destination
from freg_pipeline.load.duckdb_file import ready
from freg_pipeline.load.pipeline import Pipeline, require_dlt
from freg_pipeline.load.state import Point, State, Step, require_same_kind, steps
from freg_pipeline.load.telling import in_one_line
from freg_pipeline.store import Store
from freg_pipeline.store.probe import require_writable
from freg_pipeline.store.scratch import scratch_to_read

if TYPE_CHECKING:
    from freg_pipeline.load.incoming import Incoming


@dataclass(frozen=True)
class Loaded:
    """What a load did.

    Attributes:
        release: what the copy shows now.
        sekvensnummer: the event list's position that it is good to.
        since: the release that it showed before; None: it was loaded whole.
        rows: sent, those that tell of keys that are gone as well; 0 where it was there already.
        erased: it was loaded whole because persons have been erased since.
    """

    release: str
    sekvensnummer: int
    since: str | None
    rows: int
    erased: bool = False


def load(
    store: Store, destination: Destination, *, anew: bool = False, by: ByRules | None = None
) -> Loaded:
    """Bring a copy to the current release.

    May be interrupted at any moment, and is then to be done again.

    Args:
        store: what it is a copy of.
        destination: where it lies; made if it isn't there.
        anew: all of it is loaded, whatever is there.
        by: rules that it is made by: then it is always loaded whole, since who is protected from
            now on is to be gone from others' rows, too.

    Raises:
        ConfigurationError: dlt isn't installed or set up; what is there isn't a copy of this store,
            or not by these rules; the release that it has is no longer kept; somebody has changed a
            table there.
        DestinationError: the destination can't be reached, or refuses something.
        ResourceError: another process loads this copy.
    """
    require_dlt()
    erasures = ended_erasures(store)  # before the release, which is without those persons then
    current = require_current(store)
    rows, tables = 0, _names(store, current, by)
    with alone(str(destination)), scratch_to_read(store) as folder, ExitStack() as opened:
        with in_one_line(destination, reached=False):
            if destination.path is not None:
                _see_to(destination, destination.path)
            pipeline = opened.enter_context(closing(Pipeline(destination, folder)))
            state = pipeline.state(tables)
        require_same_kind(state, by.fingerprint if by else None)
        todo = steps(store, state, current, anew=anew, erasures=erasures)
        if todo:
            noted = note_access(store, "load by rules" if by else "load", tables=tables)
            with in_one_line(destination):
                if by:
                    todo = [Step(None, current)]
                new = state == State()
                loads = [_Load(store, pipeline, step, by, erasures, new=new) for step in todo]
                rows = sum(one.take(folder / "copy") for one in loads)
            noted.gave(rows)
    since = todo[0].before if todo else current
    erased = not anew and state.copied is not None and state.erasures < erasures
    return Loaded(
        current.number,
        current.sekvensnummer,
        since.number if since else None,
        rows,
        erased=erased,
    )


def _see_to(destination: Destination, path: Path) -> None:
    """See that a copy on this machine can be written. Raises as :func:`load`."""
    try:
        if destination.kind == "duckdb":
            ready(path)
        else:
            require_writable(path)
    except OSError as error:
        raise shortage(error) or ConfigurationError(
            f"{path} can't be written: {error.strerror}",
            "Name a file or folder that can be, in a folder that is there",
        ) from None


def _names(store: Store, current: Manifest, by: ByRules | None) -> list[str]:
    if by:
        return by.tables
    return [table.name for table in described(load_plan(store, current.contract))]


@dataclass(frozen=True)
class _Load:
    """A load; of a new copy nobody reads yet."""

    store: Store
    pipeline: Pipeline
    step: Step
    by: ByRules | None
    erasures: int
    new: bool

    def take(self, folder: Path) -> int:
        """Do it; the rows that were sent. A folder for files that isn't there yet."""
        from freg_pipeline.load.incoming import gone, misfits

        before = None if self.step.before is None else Point.of(self.step.before)
        after = Point.of(self.step.after)
        kind = self.by.fingerprint if self.by else None
        with self._incoming(folder) as incoming:
            stored = self.pipeline.stored()
            anew = misfits(incoming, stored, self.pipeline.lacking(stored))
            self.pipeline.run([], State(before, after, kind, self.erasures), None)
            self.pipeline.drop([*anew, *gone(incoming, stored)])
            resources = [one.resource(is_folder=self.pipeline.is_folder) for one in incoming]
            row = {"release": after.release, "sekvensnummer": self.step.after.positions()[-1]}
            state = State(after, by=kind, erasures=self.erasures)
            return self.pipeline.run(resources, state, row, new=self.new)

    @contextmanager
    def _incoming(self, folder: Path) -> Iterator[list[Incoming]]:
        from freg_pipeline.load.incoming import of_changes, of_rules

        lists = not self.pipeline.is_folder
        if self.by:
            yield of_rules(self.by, self.store, self.step.after, folder, lists_as_text=lists)
            return
        with changes(self.store, self.step.before, self.step.after) as told:
            yield of_changes(told, lists_as_text=lists)
