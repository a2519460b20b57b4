"""What docs/architecture.md and the list of decisions say is there, and nothing is left out."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import freg_pipeline

CODE = Path(freg_pipeline.__file__).parent
DOCS = CODE.parent / "docs"
PAGE = (DOCS / "architecture.md").read_text()


def _section(title: str) -> str:
    return PAGE.split(f"# {title}\n")[1].split("\n#")[0]


def _named(table: str, column: int) -> list[str]:
    """What stands as code in a column of a table, row after row."""
    rows = [line.split("|") for line in table.splitlines() if line.startswith("| `")]
    rows = rows or [line.split("|") for line in table.splitlines() if line.startswith("| ")][2:]
    return [name for row in rows for name in re.findall(r"`(\w+)`", row[column])]


def test_every_package_has_its_row() -> None:
    packages = {init.parent.name for init in CODE.glob("*/__init__.py")}
    named = _named(_section("Packages"), 1)

    assert packages <= {*named}
    assert all((CODE / name).exists() or (CODE / f"{name}.py").exists() for name in named)


def test_every_module_of_the_largest_package_stands_under_one_subject() -> None:
    modules = {module.stem for module in (CODE / "lake").glob("*.py")} - {"__init__"}

    assert Counter(_named(_section("Inside `lake`"), 2)) == Counter(modules)


def test_modules_that_are_told_by_their_paths_are_there() -> None:
    for told in re.findall(r"`(\w+/\w+)(?:\.\w+)?[`(]", PAGE):
        package, name = told.split("/")
        if (CODE / package).is_dir():
            assert (CODE / package / f"{name}.py").exists() or (CODE / told).is_dir(), told


def test_every_decision_is_listed_by_its_number() -> None:
    records = sorted(record.name for record in (DOCS / "decisions").glob("0*.md"))

    listed = re.findall(
        r"^\| \[\d{4}\]\((.+?)\)", (DOCS / "decisions/README.md").read_text(), re.MULTILINE
    )
    assert listed == records
