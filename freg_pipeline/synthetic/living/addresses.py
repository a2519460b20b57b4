"""Changes of where a person lives, stays and gets her post, and of how well that is kept secret."""

from __future__ import annotations

from dataclasses import replace

from freg_pipeline.synthetic.living.recorder import (
    ADDRESSES,
    Draft,
    Happening,
    Recorder,
    alive,
    resident,
)
from freg_pipeline.synthetic.people import Home, Person
from freg_pipeline.synthetic.rows import Row
from freg_pipeline.synthetic.words import COUNTRIES, KOMMUNER

_UNSEEN = tuple(entity for entity in ADDRESSES if entity != "postadresse")


def open_resident(person: Person) -> bool:
    """Whether a person lives in Norway at an address that isn't protected."""
    return resident(person) and person.protection is None


def bosted(recorder: Recorder, home: Home, grade: str = "ugradert") -> Row:
    """A home to live at from today."""
    own: Row = {"adressegradering": grade, "flyttedato": recorder.today.isoformat()}
    if home.number % 8:
        own |= {"grunnkrets": home.number % 9_000 + 100, "skolekrets": home.number % 60 + 1}
    return {**own, **recorder.rows.home(home)}


def new_home(recorder: Recorder) -> Home:
    """A place nobody in the population lived at."""
    home = recorder.rows.some_home()
    home.kind = recorder.rows.pick(("vegadresse",) * 6 + ("matrikkeladresse", "ukjentBosted"))
    return home


def move(recorder: Recorder, kind: str) -> bool:
    """Someone moves within Norway."""
    person = recorder.pick(lambda one: resident(one) and one.protection != "strengtFortrolig")
    if person is None or person.home is None:
        return False
    person.earlier_homes = (person.home, *person.earlier_homes)
    person.home = new_home(recorder)
    draft = recorder.draft(person)
    own = bosted(recorder, person.home, person.protection or "ugradert")
    draft.tell(kind, draft.new("bostedsadresse", own))
    return True


def refine(recorder: Recorder, kind: str) -> bool:
    """A home gets one more key of the matrikkel; nobody moves."""
    person = recorder.pick(open_resident)
    row = None if person is None else recorder.draft(person).current("bostedsadresse")
    if person is None or row is None:
        return False
    draft = recorder.draft(person)
    own = {"naerAdresseIdentifikatorFraMatrikkelen": f"17{recorder.random.randrange(10**8):08d}"}
    draft.tell(kind, draft.correct("bostedsadresse", row, own))
    return True


def kommuneregulering(recorder: Recorder, kind: str) -> bool:
    """A home comes to lie in another kommune; nobody moves."""
    person = recorder.pick(lambda one: open_resident(one) and _has_kommune(one))
    row = None if person is None else recorder.draft(person).current("bostedsadresse")
    if person is None or person.home is None or row is None:
        return False
    person.earlier_homes = (person.home, *person.earlier_homes)
    person.home = replace(person.home, kommune=recorder.rows.pick(KOMMUNER))
    draft = recorder.draft(person)
    own: Row = {name: row[name] for name in ("adressegradering", "flyttedato") if name in row}
    own |= recorder.rows.home(person.home)
    draft.tell(kind, draft.new("bostedsadresse", own))
    return True


def _has_kommune(person: Person) -> bool:
    return person.home is not None and person.home.kind != "ukjentBosted"


def oppholdsadresse(recorder: Recorder, kind: str) -> bool:
    """Someone stays elsewhere than at home, or no longer."""
    person = recorder.pick(lambda one: alive(one) and one.protection is None)
    if person is None:
        return False
    draft = recorder.draft(person)
    if draft.current("oppholdsadresse") and recorder.rows.chance(0.3):
        draft.tell(kind, *draft.end("oppholdsadresse"))
        return True
    own: Row = {"adressegradering": "ugradert", "oppholdsadressedato": recorder.today.isoformat()}
    if recorder.rows.chance(0.2):
        own["utenlandskAdresse"] = recorder.rows.abroad(recorder.rows.pick(COUNTRIES))
    else:
        own |= recorder.rows.home(recorder.rows.some_home())
        own.pop("naerAdresseIdentifikatorFraMatrikkelen", None)
    draft.tell(kind, draft.new("oppholdsadresse", own))
    return True


def delt_bosted(recorder: Recorder, kind: str) -> bool:
    """A child lives at two homes."""
    child = recorder.pick(
        lambda one: open_resident(one) and one.mother is not None and recorder.age(one) < 18
    )
    if child is None:
        return False
    child.other_home = recorder.rows.some_home()
    own: Row = {"adressegradering": "ugradert", "startdatoForKontrakt": recorder.today.isoformat()}
    draft = recorder.draft(child)
    draft.tell(kind, draft.new("deltBosted", {**own, **recorder.rows.home(child.other_home)}))
    return True


def post(recorder: Recorder, kind: str) -> bool:
    """Where post goes: in Norway, or abroad."""
    person = recorder.pick(alive)
    if person is None:
        return False
    draft = recorder.draft(person)
    if person.protection is None and (person.is_d_nummer or person.status == "utflyttet"):
        draft.tell(kind, post_abroad(recorder, draft))
    else:
        own: Row = {"adressegradering": person.protection or "ugradert"}
        own |= recorder.rows.post_in_norway(recorder.rows.some_home())
        draft.tell(kind, draft.new("postadresse", own))
    return True


def post_abroad(recorder: Recorder, draft: Draft) -> tuple[str, str, Row | None]:
    """An address abroad for post."""
    origin = draft.person.origin or recorder.rows.pick(COUNTRIES)
    own: Row = {"adressegradering": "ugradert"}
    if recorder.rows.chance(0.5):
        own["utenlandskAdresse"] = recorder.rows.abroad(origin)
    else:
        own["utenlandskAdresseIFrittFormat"] = recorder.rows.lines_abroad(origin)
    return draft.new("postadresseIUtlandet", own)


def protection(recorder: Recorder, kind: str) -> bool:
    """Someone's addresses become protected, or no longer are.

    Each address carries the grade of the person; a person that is strengtFortrolig has no visible
    home, only a postadresse.
    """
    person = recorder.pick(resident)
    if person is None or person.home is None:
        return False
    draft = recorder.draft(person)
    was = person.protection
    person.protection = None if was else recorder.rows.pick(("fortrolig", "strengtFortrolig"))
    grade = person.protection or "ugradert"
    changes = [draft.new("adressebeskyttelse", {"graderingsnivaa": grade})]
    if person.protection == "strengtFortrolig":
        changes += [draft.annul(entity) for entity in _UNSEEN if draft.rows(entity)]
        own = {"adressegradering": grade}
        own |= recorder.rows.post_in_norway(recorder.rows.some_home())
        changes.append(draft.new("postadresse", own))
    for entity in ADDRESSES:
        for row in draft.rows(entity):
            if row["adressegradering"] != grade:
                changes.append(draft.correct(entity, row, {"adressegradering": grade}))
    if was == "strengtFortrolig":
        changes.append(draft.new("bostedsadresse", bosted(recorder, person.home)))
    draft.tell(kind, *changes)
    return True


CHANGES: dict[str, Happening] = {
    "endringIBostedsadresse": move,
    "endringIBostedsadresseUtenFlytting": refine,
    "endringIBostedsadresseVedKommuneregulering": kommuneregulering,
    "endringIOppholdsadresse": oppholdsadresse,
    "endringIDeltBosted": delt_bosted,
    "endringIKontaktinformasjon": post,
    "endringIAdressebeskyttelse": protection,
}
