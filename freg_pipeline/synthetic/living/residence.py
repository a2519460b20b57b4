"""Coming to Norway and leaving it: D-nummer, foedselsnummer, personstatus."""

from __future__ import annotations

from datetime import timedelta

from freg_pipeline.synthetic.living.addresses import (
    bosted,
    new_home,
    open_resident,
    post_abroad,
)
from freg_pipeline.synthetic.living.recorder import Happening, Recorder, alive
from freg_pipeline.synthetic.living.registrations import give_number
from freg_pipeline.synthetic.living.single import legitimasjonsdokument, opphold, utenlandsk
from freg_pipeline.synthetic.people import Person
from freg_pipeline.synthetic.words import ADJECTIVES, COUNTRIES, NOUNS

_OTHER_STATUS = {
    "bosatt": "forsvunnet",
    "forsvunnet": "bosatt",
    "foedselsregistrert": "bosatt",
    "midlertidig": "inaktiv",
    "inaktiv": "ikkeBosatt",
    "ikkeBosatt": "midlertidig",
    "aktiv": "midlertidig",
}


def d_nummer(recorder: Recorder, kind: str) -> bool:
    """Someone who will stay for a while gets a D-nummer."""
    person = _newcomer(recorder)
    draft = recorder.create(person)
    number = {"foedselsEllerDNummer": person.number, "identifikatortype": "dNummer"}
    country, place = person.origin or COUNTRIES[0]
    day = {"foedselsdato": person.born.isoformat(), "foedselsaar": str(person.born.year)}
    draft.tell(
        kind,
        draft.new("identifikasjonsnummer", {**number, "status": "iBruk"}),
        draft.new("identitetsgrunnlag", {"identitetsgrunnlagstatus": "ikkeKontrollert"}),
        draft.new("status", {"status": person.status}),
        draft.new("kjoenn", {"kjoenn": "kvinne" if person.woman else "mann"}),
        draft.new("foedsel", {**day, "foedeland": country, "foedested": place}),
        draft.new("statsborgerskap", {"statsborgerskap": country}),
        draft.new("sivilstand", {"sivilstand": person.sivilstand}),
        draft.new("navn", {"fornavn": person.fornavn, "etternavn": person.etternavn}),
        draft.new("opphold", opphold(recorder, person)),
        draft.new("utenlandskPersonidentifikasjon", utenlandsk(recorder, person)),
        draft.new("legitimasjonsdokument", legitimasjonsdokument(recorder, person)),
        post_abroad(recorder, draft),
    )
    return True


def _newcomer(recorder: Recorder) -> Person:
    rows = recorder.rows
    born = recorder.today - timedelta(days=recorder.random.randrange(18 * 366, 70 * 365))
    woman = rows.chance(0.45)
    origin = rows.pick(COUNTRIES)
    return Person(
        index=len(recorder.people),
        number=recorder.numbers.d_nummer(born, woman=woman),
        woman=woman,
        born=born,
        status="midlertidig",
        fornavn=rows.pick(ADJECTIVES),
        etternavn=rows.pick(NOUNS),
        is_d_nummer=True,
        origin=origin,
        citizenship=(origin[0],),
        sivilstand=rows.pick(("uoppgitt", "ugift")),
    )


def settle(recorder: Recorder, kind: str) -> bool:
    """Someone with a D-nummer gets a foedselsnummer, or someone who had emigrated comes back."""
    person = recorder.pick(
        lambda one: (
            alive(one) and one.protection is None and (one.is_d_nummer or one.status == "utflyttet")
        )
    )
    if person is None:
        return False
    draft = recorder.draft(person)
    changes = [draft.new("status", {"status": "bosatt"})]
    if person.is_d_nummer:
        change = give_number(recorder, draft)
        changes.append(change)
        draft.tell("endringIIdentifikasjonsnummer", change)
    person.status, person.home = "bosatt", new_home(recorder)
    country, place = person.origin or recorder.rows.pick(COUNTRIES)
    own = {"fraflyttingsland": country, "fraflyttingsstedIUtlandet": place}
    came = draft.new("innflytting", own)
    home = draft.new("bostedsadresse", bosted(recorder, person.home))
    draft.tell("endringIInnflytting", came)
    draft.tell("endringIBostedsadresse", home)
    draft.tell(kind, *changes)
    for entity in ("oppholdsadresse", "postadresseIUtlandet"):
        draft.end(entity)
    return True


def emigrate(recorder: Recorder, kind: str) -> bool:
    """Someone moves abroad: no home in Norway any more."""
    person = recorder.pick(open_resident)
    if person is None or person.home is None:
        return False
    draft = recorder.draft(person)
    country, place = recorder.rows.pick(COUNTRIES)
    person.origin = person.origin or (country, place)
    person.status = "utflyttet"
    person.earlier_homes = (person.home, *person.earlier_homes)
    own = {
        "tilflyttingsland": country,
        "tilflyttingsstedIUtlandet": place,
        "utflyttingsdato": recorder.today.isoformat(),
    }
    draft.tell(kind, draft.new("status", {"status": "utflyttet"}))
    draft.tell("endringIUtflytting", draft.new("utflytting", own))
    draft.tell("endringIBostedsadresse", *draft.end("bostedsadresse"))
    draft.tell("endringIKontaktinformasjon", post_abroad(recorder, draft))
    return True


def status(recorder: Recorder, kind: str) -> bool:
    """Personstatus changes, and nothing else."""
    person = recorder.pick(lambda one: alive(one) and one.status in _OTHER_STATUS)
    if person is None:
        return False
    person.status = _OTHER_STATUS[person.status]
    draft = recorder.draft(person)
    draft.tell(kind, draft.new("status", {"status": person.status}))
    return True


def inactive(recorder: Recorder, kind: str) -> bool:
    """A D-nummer hasn't been used for five years."""
    person = recorder.pick(lambda one: alive(one) and one.is_d_nummer and one.status != "inaktiv")
    if person is None:
        return False
    person.status = "inaktiv"
    draft = recorder.draft(person)
    draft.tell(kind, draft.new("status", {"status": person.status}))
    return True


CHANGES: dict[str, Happening] = {
    "personErInaktiv": inactive,
    "personErBosatt": settle,
    "personErUtflyttet": emigrate,
    "endringIStatus": status,
}
