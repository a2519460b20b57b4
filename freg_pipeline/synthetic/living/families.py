"""Births, marriages, divorces, deaths, who answers for a child: told to all whom it concerns."""

from __future__ import annotations

from freg_pipeline.synthetic.living.addresses import bosted, open_resident
from freg_pipeline.synthetic.living.recorder import Draft, Happening, Recorder, alive, resident
from freg_pipeline.synthetic.people import Person
from freg_pipeline.synthetic.rows import Row
from freg_pipeline.synthetic.words import ADJECTIVES, NOUNS

_RELATION, _RESPONSIBILITY = "endringIFamilierelasjon", "endringIForeldreansvar"
_SPOUSE = "ektefelleEllerPartner"
_FREE = {"ugift", "uoppgitt", "skilt", "enkeEllerEnkemann", "skiltPartner", "gjenlevendePartner"}
_WIDOWED = {"registrertPartner": "gjenlevendePartner"}
_DIVORCED = {"registrertPartner": "skiltPartner"}


def relation(other: str, role: str, mine: str) -> Row:
    """A row of familierelasjon: who the other is to me, and I to the other."""
    return {"relatertPerson": other, "relatertPersonsRolle": role, "minRolleForPerson": mine}


# -- birth -------------------------------------------------------------------------------------


def birth(recorder: Recorder, kind: str) -> bool:
    """A child is born to a woman who lives in Norway, and to her spouse."""
    mother = recorder.pick(
        lambda one: open_resident(one) and one.woman and 18 <= recorder.age(one) < 46
    )
    if mother is None:
        return False
    other = None if mother.spouse is None else recorder.people[mother.spouse]
    child = _child(recorder, mother, other if other is not None and alive(other) else None)
    draft = recorder.create(child)
    _first_rows(recorder, draft, child)
    for parent, role in _parents(recorder, child):
        told = recorder.draft(parent)
        mine = "far" if role == "far" else role
        draft.add("familierelasjon", relation(parent.number, role, "barn"))
        draft.add("foreldreansvar", {"ansvar": "felles", "ansvarlig": parent.number})
        told.tell(_RELATION, told.add("familierelasjon", relation(child.number, "barn", mine)))
        own = {"ansvar": "felles", "ansvarssubjekt": child.number}
        told.tell(_RESPONSIBILITY, told.add("foreldreansvar", own))
    draft.tell(
        kind,
        *((entity, "registrereNy", row) for entity in draft.document for row in draft.rows(entity)),
    )
    return True


def _child(recorder: Recorder, mother: Person, other: Person | None) -> Person:
    born = recorder.days_ago(300)
    woman = recorder.rows.chance(0.5)
    child = Person(
        index=len(recorder.people),
        number=recorder.numbers.foedselsnummer(born, woman=woman),
        woman=woman,
        born=born,
        status="foedselsregistrert",
        fornavn=recorder.rows.pick(ADJECTIVES),
        etternavn=mother.etternavn,
        home=mother.home,
        mother=mother.index,
    )
    mother.children += (child.index,)
    if other is not None:
        other.children += (child.index,)
        if other.woman:
            child.medmor = other.index
        else:
            child.father = other.index
    return child


def _first_rows(recorder: Recorder, draft: Draft, child: Person) -> None:
    assert child.home is not None  # noqa: S101  her mother has one
    number = {"foedselsEllerDNummer": child.number, "identifikatortype": "foedselsnummer"}
    draft.new("identifikasjonsnummer", {**number, "status": "iBruk"})
    draft.new("identitetsgrunnlag", {"identitetsgrunnlagstatus": "kontrollert"})
    draft.new("status", {"status": child.status})
    draft.new("kjoenn", {"kjoenn": "kvinne" if child.woman else "mann"})
    day = {"foedselsdato": child.born.isoformat(), "foedselsaar": str(child.born.year)}
    draft.new("foedsel", {**day, "foedekommuneINorge": child.home.kommune.number})
    hospital = f"{recorder.rows.pick(NOUNS)} SYKEHUS"
    draft.new("foedselINorge", {"foedselsinstitusjonsnavn": hospital})
    draft.new("statsborgerskap", {"statsborgerskap": "NOR"})
    draft.new("sivilstand", {"sivilstand": "ugift"})
    draft.new("navn", {"fornavn": child.fornavn, "etternavn": child.etternavn})
    draft.new("bostedsadresse", bosted(recorder, child.home))


def _parents(recorder: Recorder, child: Person) -> list[tuple[Person, str]]:
    roles = ((child.mother, "mor"), (child.father, "far"), (child.medmor, "medmor"))
    return [(recorder.people[index], role) for index, role in roles if index is not None]


# -- marriage, and its end ---------------------------------------------------------------------


def marriage(recorder: Recorder) -> bool:
    """Two who live in Norway marry."""
    first = recorder.pick(lambda one: _may_marry(recorder, one))
    if first is None:
        return False
    second = recorder.pick(
        lambda one: _may_marry(recorder, one) and one is not first and not _near(first, one)
    )
    if second is None:
        return False
    day = recorder.today
    for one, other in ((first, second), (second, first)):
        one.sivilstand, one.since, one.spouse = "gift", day, other.index
        own = _sivilstand(one) | {"myndighet": "KOMMUNE", "relatertVedSivilstand": other.number}
        draft = recorder.draft(one)
        draft.tell("endringISivilstand", draft.new("sivilstand", own))
        own = relation(other.number, _SPOUSE, _SPOUSE)
        draft.tell(_RELATION, draft.add("familierelasjon", own))
    return True


def _near(one: Person, other: Person) -> bool:
    """Whether two are parent and child, grandparent and grandchild, or siblings."""
    parents, children = {*one.parents, *other.parents}, {*one.children, *other.children}
    siblings = not set(one.parents).isdisjoint(other.parents)
    return siblings or not parents.isdisjoint({one.index, other.index, *children})


def _may_marry(recorder: Recorder, person: Person) -> bool:
    return (
        resident(person)
        and person.spouse is None
        and person.sivilstand in _FREE
        and recorder.age(person) >= 18
    )


def divorce(recorder: Recorder) -> bool:
    """Two who are married no longer are."""
    first = recorder.pick(lambda one: alive(one) and one.spouse is not None)
    if first is None or first.spouse is None:
        return False
    for one in (first, recorder.people[first.spouse]):
        after = _DIVORCED.get(one.sivilstand, "skilt")
        _end_marriage(recorder, one, after)
    return True


def sivilstand(recorder: Recorder, kind: str) -> bool:
    """A marriage, or the end of one."""
    del kind
    return marriage(recorder) if recorder.rows.chance(0.6) else divorce(recorder)


def _end_marriage(recorder: Recorder, person: Person, sivilstand_after: str) -> None:
    person.sivilstand, person.since, person.spouse = sivilstand_after, recorder.today, None
    draft = recorder.draft(person)
    draft.tell("endringISivilstand", draft.new("sivilstand", _sivilstand(person)))
    draft.tell(_RELATION, *draft.end("familierelasjon", _is_spouse))


def _sivilstand(person: Person) -> Row:
    own: Row = {"sivilstand": person.sivilstand}
    return own if person.since is None else own | {"sivilstandsdato": person.since.isoformat()}


def _is_spouse(row: Row) -> bool:
    return bool(row["relatertPersonsRolle"] == _SPOUSE)


# -- death -------------------------------------------------------------------------------------


def death(recorder: Recorder, kind: str) -> bool:
    """Someone dies; the spouse, if any, becomes enke or enkemann."""
    person = recorder.pick(lambda one: alive(one) and one.status != "utflyttet")
    if person is None:
        return False
    person.status, person.died = "doed", recorder.days_ago(10)
    draft = recorder.draft(person)
    draft.tell(
        kind,
        draft.new("status", {"status": "doed"}),
        draft.new("doedsfall", {"doedsdato": person.died.isoformat()}),
    )
    if person.spouse is not None:
        spouse = recorder.people[person.spouse]
        _end_marriage(recorder, spouse, _WIDOWED.get(spouse.sivilstand, "enkeEllerEnkemann"))
        row = draft.current("sivilstand")
        person.spouse = None
        if row is not None:  # the dead stay married, to nobody
            row.pop("relatertVedSivilstand", None)
            draft.tell("endringISivilstand", draft.correct("sivilstand", row, {}))
        draft.tell(_RELATION, *draft.end("familierelasjon", _is_spouse))
    return True


# -- parents -----------------------------------------------------------------------------------


def responsibility(recorder: Recorder, kind: str) -> bool:
    """The mother alone answers for a child, or both parents do again."""
    child = recorder.pick(
        lambda one: alive(one) and len(_parents(recorder, one)) == 2 and recorder.age(one) < 18
    )
    if child is None:
        return False
    draft = recorder.draft(child)
    shared = any(
        row["erGjeldende"] and row["ansvar"] == "felles" for row in draft.rows("foreldreansvar")
    )
    over = draft.end("foreldreansvar", lambda row: "ansvarlig" in row)
    changes = list(over)
    for parent, role in _parents(recorder, child):
        told = recorder.draft(parent)
        ended = told.end("foreldreansvar", lambda row: row.get("ansvarssubjekt") == child.number)
        if not shared or role == "mor":
            ansvar = "mor" if shared else "felles"
            own = {"ansvar": ansvar, "ansvarlig": parent.number}
            changes.append(draft.add("foreldreansvar", own))
            own = {"ansvar": ansvar, "ansvarssubjekt": child.number}
            ended.append(told.add("foreldreansvar", own))
        if ended:
            told.tell(kind, *ended)
    draft.tell(kind, *changes)
    return True


CHANGES: dict[str, Happening] = {
    "endringISivilstand": sivilstand,
    "endringIForeldreansvar": responsibility,
    "personErDoed": death,
}
