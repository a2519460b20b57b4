"""Changes of names: a new one, or the last one taken back."""

from __future__ import annotations

from freg_pipeline.synthetic.living.recorder import Happening, Recorder, alive
from freg_pipeline.synthetic.people import Person
from freg_pipeline.synthetic.rows import Row
from freg_pipeline.synthetic.words import ADJECTIVES, NOUNS

_NAME = "navn"
_TAKEN_BACK = 0.2  # so often a change turns out to have been wrong, of those who had one


def change(recorder: Recorder, kind: str) -> bool:
    """Another name; or the one before again, as if the change had never been."""
    person = recorder.pick(alive)
    if person is None:
        return False
    draft = recorder.draft(person)
    if draft.ended(_NAME) and recorder.rows.chance(_TAKEN_BACK):
        draft.tell(kind, draft.take_back(_NAME))
        row = draft.current(_NAME) or {}
        person.fornavn, person.etternavn = row["fornavn"], row["etternavn"]
    else:
        draft.tell(kind, draft.new(_NAME, _other_name(recorder, person)))
    return True


def _other_name(recorder: Recorder, person: Person) -> Row:
    """Another first name, and sometimes another surname."""
    rows = recorder.rows
    person.fornavn = rows.pick(ADJECTIVES)
    if rows.chance(0.4):
        person.etternavn = rows.pick(NOUNS)
    own = {"fornavn": person.fornavn, "etternavn": person.etternavn}
    return {**own, "mellomnavn": rows.pick(NOUNS)} if rows.chance(0.3) else own


CHANGES: dict[str, Happening] = {"endringINavn": change}
