"""Names and texts within SQL: whatever they hold, they stay names and texts."""

from __future__ import annotations


def identifier(name: str) -> str:
    """The name of a table or column."""
    return '"' + name.replace('"', '""') + '"'


def quoted(text: str) -> str:
    """A string literal."""
    return "'" + text.replace("'", "''") + "'"
