"""Changes of who a number is: other numbers, merges and splits, registrations that end and begin.

A merge leaves the number that goes out with a last document of its own, and puts it into the
document of the person that goes on, as opphoert; look-ups by it find who goes on. A split undoes
that.
"""

from __future__ import annotations

from freg_pipeline.synthetic.event_documents import Change
from freg_pipeline.synthetic.living.recorder import (
    Draft,
    Happening,
    Recorder,
    alive,
    alone,
    in_force,
    resident,
)
from freg_pipeline.synthetic.people import Person
from freg_pipeline.synthetic.rows import Row

_NUMBER = "identifikasjonsnummer"
_TOLD_BY = {
    "familierelasjon": "endringIFamilierelasjon",
    "sivilstand": "endringISivilstand",
    "foreldreansvar": "endringIForeldreansvar",
}
_POINTING = ("relatertPerson", "relatertVedSivilstand", "ansvarlig", "ansvarssubjekt")


# -- another number ----------------------------------------------------------------------------


def give_number(recorder: Recorder, draft: Draft) -> Change:
    """A new foedselsnummer; the number before stays in the document as opphoert.

    All relatives' documents tell the new one from now on.
    """
    person, before = draft.person, draft.person.number
    after = recorder.numbers.foedselsnummer(person.born, woman=person.woman)
    recorder.archive.renumber(person, after)
    person.is_d_nummer = False
    for row in draft.rows(_NUMBER):
        if row["erGjeldende"]:
            row["status"] = "opphoert"
    related = (person.spouse, person.mother, person.father, person.medmor, *person.children)
    for index in related:
        if index is not None:
            _follow(recorder.draft(recorder.people[index]), before, after)
    own = {"foedselsEllerDNummer": after, "identifikatortype": "foedselsnummer"}
    return draft.new(_NUMBER, {**own, "status": "iBruk"})


def _follow(draft: Draft, before: str, after: str) -> None:
    """Put a relative's new number in place of the old one, in current rows."""
    for entity, kind in _TOLD_BY.items():
        changes = [
            draft.correct(entity, row, {field: after})
            for row in draft.rows(entity)
            for field in _POINTING
            if row["erGjeldende"] and row.get(field) == before
        ]
        if changes:
            draft.tell(kind, *changes)


def renumber(recorder: Recorder, kind: str) -> bool:
    """Someone's number was wrong."""
    person = recorder.pick(lambda one: resident(one) and not one.is_d_nummer)
    if person is None:
        return False
    draft = recorder.draft(person)
    draft.tell(kind, give_number(recorder, draft))
    return True


def kjoenn(recorder: Recorder, kind: str) -> bool:
    """Legal sex changes; with it comes another number."""
    person = recorder.pick(lambda one: resident(one) and not one.children)
    if person is None:
        return False
    person.woman = not person.woman
    draft = recorder.draft(person)
    own = {"kjoenn": "kvinne" if person.woman else "mann"}
    draft.tell(kind, draft.new("kjoenn", own))
    draft.tell("endringIIdentifikasjonsnummer", give_number(recorder, draft))
    return True


# -- two registrations of one person -----------------------------------------------------------


def merge(recorder: Recorder, kind: str) -> bool:
    """Two registrations turn out to be one person: one goes out, the other goes on."""
    del kind
    out = recorder.pick(lambda one: alive(one) and one.is_d_nummer and alone(one))
    goes_on = recorder.pick(lambda one: alive(one) and one is not out)
    if out is None or goes_on is None:
        return False
    ending = recorder.draft(out)
    ending.tell("personErOpphoertSomDublett", *_close(ending))
    going = recorder.draft(goes_on)
    kinds = {number: _kind_of(number) for number in (out.number, *out.earlier)}
    rows = [
        going.append_ended(_NUMBER, {"foedselsEllerDNummer": number, "identifikatortype": kind,
                                     "status": "opphoert"})
        for number, kind in kinds.items()
    ]  # fmt: skip
    going.tell("personErViderefoertSomGjeldendeVedSammenslaaing", *rows)
    out.merged_into, out.status = goes_on.index, "opphoert"
    goes_on.earlier += tuple(kinds)
    return True


def split(recorder: Recorder, kind: str) -> bool:
    """A merge was wrong: who went out is a person again."""
    del kind
    out = recorder.pick(
        lambda one: one.merged_into is not None and alive(recorder.people[one.merged_into])
    )
    if out is None or out.merged_into is None:
        return False
    went_on = recorder.people[out.merged_into]
    out.merged_into = None
    restored = recorder.draft(out)
    restored.tell("personErGjenopprettetVedSplitting", *_reopen(restored, "midlertidig"))
    numbers = {out.number, *out.earlier}
    went_on.earlier = tuple(one for one in went_on.earlier if one not in numbers)
    kept = recorder.draft(went_on)
    change = kept.annul(_NUMBER, lambda row: row["foedselsEllerDNummer"] in numbers)
    kept.tell("personErEndretVedSplitting", change)
    return True


def _kind_of(number: str) -> str:
    return "dNummer" if number[0] in "4567" else "foedselsnummer"


# -- registrations that end, and begin again ---------------------------------------------------


def end(recorder: Recorder, kind: str) -> bool:
    """A registration ends, and nobody goes on for it."""
    person = recorder.pick(lambda one: alive(one) and one.is_d_nummer and alone(one))
    if person is None:
        return False
    draft = recorder.draft(person)
    draft.tell(kind, *_close(draft))
    person.ended, person.status = True, "opphoert"
    return True


def reactivate(recorder: Recorder, kind: str) -> bool:
    """A registration that had ended, or was inaktiv, is in use again."""
    person = recorder.pick(_may_return)
    if person is None:
        return False
    draft = recorder.draft(person)
    person.ended, person.status = False, "aktiv"
    draft.tell(kind, *_reopen(draft, person.status))
    return True


def _may_return(person: Person) -> bool:
    return person.ended or (in_force(person) and person.status == "inaktiv")


def _close(draft: Draft) -> list[Change]:
    changes = _set_number(draft, "opphoert")
    return [*changes, draft.new("status", {"status": "opphoert"})]


def _reopen(draft: Draft, status: str) -> list[Change]:
    draft.person.status = status
    return [*_set_number(draft, "iBruk"), draft.new("status", {"status": status})]


def _set_number(draft: Draft, status: str) -> list[Change]:
    """The same number, in use or not: its row is put right, not replaced."""

    def is_other(row: Row) -> bool:
        return bool(row["erGjeldende"] and row["status"] != status)

    rows = [row for row in draft.rows(_NUMBER) if is_other(row)]
    return [draft.correct(_NUMBER, row, {"status": status}) for row in rows]


CHANGES: dict[str, Happening] = {
    "endringIIdentifikasjonsnummer": renumber,
    "endringIKjoenn": kjoenn,
    "personErOpphoertSomDublett": merge,
    "personErViderefoertSomGjeldendeVedSammenslaaing": merge,
    "personErEndretVedSplitting": split,
    "personErGjenopprettetVedSplitting": split,
    "personErOpphoert": end,
    "personErReaktivert": reactivate,
}
