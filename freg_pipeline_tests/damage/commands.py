"""The commands that read a store, each with what it is told."""

from __future__ import annotations

from dataclasses import dataclass, field

from freg_pipeline_tests.damage.prepared import ERASED, HALF, LISTED, Prepared

_EVERYTHING = (
    "SELECT (SELECT (count(*), sum(hash(p))) FROM person p), "
    "(SELECT (count(*), sum(hash(n))) FROM navn n), "
    "(SELECT (count(*), sum(hash(s))) FROM sivilstand s), "
    "(SELECT (count(*), sum(hash(h))) FROM hendelse h), "
    "(SELECT (count(*), sum(hash(t))) FROM tidligere_identifikator t)"
)


@dataclass(frozen=True)
class Command:
    """A command.

    Attributes:
        name: how the table calls it.
        arguments: its own.
        changes: it may change the store.
        writes: what it writes beside the store, whose content is looked at.
        settings: beside the usual.
    """

    name: str
    arguments: tuple[str, ...]
    changes: bool = False
    writes: str | None = None
    settings: dict[str, str] = field(default_factory=dict)


def commands(made: Prepared) -> list[Command]:
    """All of them."""
    return [*_reading(made), *_changing(made)]


def _reading(made: Prepared) -> list[Command]:
    return [
        # First: what others read is noted there.
        Command("access-log", ("access-log", "--format", "json")),
        Command("release list", ("release", "list", "--format", "json")),
        Command("release show", ("release", "show", "--format", "json", "--hashes")),
        Command("release show, earlier", ("release", "show", made.earlier, "--format", "json")),
        Command("release verify", ("release", "verify")),
        # All of them: which ones are drawn is another matter each time.
        Command("spot-check", ("release", "spot-check", "--persons", "1000", "--format", "json")),
        Command("status", ("status", "--format", "json")),
        Command("uttrekk status", ("uttrekk", "status")),
        Command("uttrekk status, one", ("uttrekk", "status", HALF)),
        Command("sql", ("sql", _EVERYTHING, "--format", "json")),
        Command(
            "sql --as-of", ("sql", _EVERYTHING, "--format", "json", "--as-of", str(made.position))
        ),
        Command("changes, all", ("changes", "--since", "0", "--output", "w1"), writes="w1"),
        Command("changes", ("changes", "--since", made.earlier, "--output", "w2"), writes="w2"),
        Command("export", ("export", "w3"), writes="w3"),
        Command("load, first", ("load", "duckdb:w4.duckdb"), writes="w4.duckdb"),
        Command("load", ("load", "duckdb:copy.duckdb"), writes="copy.duckdb"),
        Command("catalogue elsewhere", ("catalogue", "--output", "w5.duckdb"), writes="w5.duckdb"),
        Command("dbt-sources", ("dbt-sources",)),
        Command("stored", ("stored", LISTED, "--format", "json")),
        Command("erase --list", ("erase", "--list")),
        Command("erase --dry-run", ("erase", LISTED, "--dry-run")),
        Command("retention --dry-run", ("retention", "--dry-run", "--format", "json")),
        Command("person", ("person", made.number)),
        Command("check", ("check",)),
    ]


def _changing(made: Prepared) -> list[Command]:
    none = {"FREG_KEEP_RELEASES": "1", "FREG_KEEP_DAYS": "0", "FREG_KEEP_ANSWERS_DAYS": "0",
            "FREG_KEEP_STAGING_DAYS": "0", "FREG_KEEP_ACCESS_DAYS": "0"}  # fmt: skip
    return [
        Command("sync", ("hendelser", "sync"), changes=True),
        Command("resume", ("uttrekk", "resume", HALF), changes=True),
        Command("abandon", ("uttrekk", "abandon", HALF), changes=True),
        Command("compact", ("compact", "--force"), changes=True),
        Command("catalogue", ("catalogue",), changes=True),
        Command(
            "catalogue --format",
            ("catalogue", "--format", "iceberg", "--format", "delta"),
            changes=True,
        ),
        Command(
            "catalogue --withdraw",
            ("catalogue", "--withdraw", "--format", "iceberg", "--format", "delta"),
            changes=True,
        ),
        Command("restore", ("release", "restore", made.earlier), changes=True),
        Command("pin", ("release", "pin", made.earlier, "--name", "more"), changes=True),
        Command("unpin", ("release", "unpin", "kept"), changes=True),
        Command("report", ("release", "report"), changes=True),
        Command("purge", ("release", "purge", "--keep", "1"), changes=True),
        Command("retention", ("retention",), changes=True, settings=none),
        Command("erase", ("erase", LISTED, "--yes", "--including-pinned"), changes=True),
        Command("erase --lift", ("erase", ERASED, "--yes", "--lift"), changes=True),
    ]
