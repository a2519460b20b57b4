"""A document after another, by a late change of one entity."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from freg_pipeline.synthetic.rows import Row, Rows

_EVENTS = {"navn": "endringINavn", "bostedsadresse": "endringIBostedsadresse"}


class Version(NamedTuple):
    """A document, by what kind of event it was made, and the row that it is new for."""

    kind: str
    row: Row
    document: Row


def replaced(rows: Rows, document: Row, entity: str, day: date, own: Row) -> Version:
    """A document with another row of an entity in place of those that are current."""
    over = {"erGjeldende": False, "opphoerstidspunkt": rows.validity(day)}
    before = [row if "opphoerstidspunkt" in row else {**row, **over} for row in document[entity]]
    row = rows.row(day, own)
    return Version(_EVENTS[entity], row, {**document, entity: [row, *before]})
