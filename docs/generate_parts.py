"""The table of ``part``s and the tables that each fills, for ``docs/tables.md``."""

from __future__ import annotations

from freg_pipeline.contract import Plan
from freg_pipeline.extract.parts import COMPOSITES, HISTORY

HEAD = """## Which part fills which table

FREG_PARTS names `part`s: composites, and entities by name. A table whose part isn't asked for, or
is refused by the register, stays empty, with all its columns. `person`, `tidligere_identifikator`
and `avvik` come with any, and `hendelse` with every sync; `hendelse_egenskap` tells of those
entities that are asked for. `person_naa` takes each column from the table of its name, and is NULL
where that is empty.

| part | fills |
| --- | --- |"""


def section(plan: Plan) -> str:
    """The section of the page."""
    lines = [HEAD]
    for part, entities in COMPOSITES.items():
        filled = ", ".join(_tables(plan, *entities))
        if part == HISTORY:
            filled = "the rows with `er_gjeldende = false` of every table that another part fills"
        lines.append(f"| `{part}` | {filled} |")
    lines += [f"| `{entity}` | {', '.join(_tables(plan, entity))} |" for entity in plan.entities]
    return "\n".join(lines) + "\n"


def _tables(plan: Plan, *entities: str) -> list[str]:
    return [table.name for table in plan.tables if table.entity in entities]
