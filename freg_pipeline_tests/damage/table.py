"""The table: every kind of object, each way to damage it, each command that opens such an object.

Of what a command never opens only the name can matter to it, which it may list: there it is tried
that the object is gone.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from random import Random

from freg_pipeline_tests.command import IMPORTED
from freg_pipeline_tests.damage.commands import Command, commands
from freg_pipeline_tests.damage.harm import DELETED, HARMS
from freg_pipeline_tests.damage.kinds import by_kind
from freg_pipeline_tests.damage.prepared import Prepared
from freg_pipeline_tests.damage.trial import Bench, Case

_IMPORTED = (
    *IMPORTED, "freg_pipeline.changes.folder", "freg_pipeline.erasure.course",
    "freg_pipeline.export.folder", "freg_pipeline.lake.content", "freg_pipeline.lake.open_delta",
    "freg_pipeline.lake.open_iceberg", "freg_pipeline.lake.retention",
    "freg_pipeline.load.incoming", "freg_pipeline.load.loading",
    "freg_pipeline.orchestration.standing", "dlt.destinations.impl.duckdb.duck", "pandas",
    "pyarrow.dataset", "pyarrow.pandas_compat", "pyarrow.substrait",
)  # fmt: skip

Field = tuple[str, str, str]  # a kind, a harm, a command's name


class Table:
    """Trials on one prepared store.

    Args:
        made: the store.
        folder: for copies.
        chosen: commands by name; none: all.
    """

    def __init__(self, made: Prepared, folder: Path, chosen: Iterable[str] = ()) -> None:
        for name in _IMPORTED:
            import_module(name)
        only = {*chosen}
        self._commands = [one for one in commands(made) if not only or one.name in only]
        self._kinds = by_kind(made.keys())
        self._bench = Bench(made, folder)

    def fields(self) -> list[Field]:
        """What there is to try."""
        return [
            (kind, harm, command.name)
            for kind, files in self._kinds.items()
            for harm in HARMS
            for command in self._commands
            if self._read(files, command) or harm == DELETED
        ]

    def run(self, fields: Iterable[Field]) -> Iterator[Case]:
        """Try some, those of one object and harm together."""
        groups: defaultdict[tuple[str, str, str], list[Command]] = defaultdict(list)
        by_name = {one.name: one for one in self._commands}
        for kind, harm, command in fields:
            files = self._kinds[kind]
            read = self._read(files, by_name[command]) or files
            groups[kind, read[len(read) // 2], harm].append(by_name[command])
        for (kind, name, harm), some in groups.items():
            yield from self._bench.trials(kind, name, harm, some)

    def _read(self, files: list[str], command: Command) -> list[str]:
        """The files that a command opens, of some."""
        opened = self._bench.usual(command).opened
        return [one for one in files if one in opened]


def sample(fields: list[Field], size: int, seed: int) -> list[Field]:
    """So many of them."""
    return Random(seed).sample(fields, min(size, len(fields)))


def figures(cases: list[Case]) -> dict[str, object]:
    """What there is to tell of trials."""
    return {
        "kinds": len({one.kind for one in cases}),
        "commands": len({one.command for one in cases}),
        "cases": len(cases),
        "came": dict(sorted(Counter(one.came for one in cases).items())),
        "wrong": [
            f"{one.name} {one.harm}, {one.command}: {one.why}"
            for one in cases
            if one.came == "WRONG"
        ],
    }
