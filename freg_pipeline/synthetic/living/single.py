"""Changes of one kind of information about one person: a new row, or one put right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from freg_pipeline.synthetic.living.recorder import Happening, Recorder, alive, in_force
from freg_pipeline.synthetic.people import Person
from freg_pipeline.synthetic.rows import Row
from freg_pipeline.synthetic.words import (
    COUNTRIES,
    FARMS,
    FOREIGN_NUMBERS,
    NOUNS,
    VIRKSOMHETER,
)

Own = Callable[[Recorder, Person], Row]
Fits = Callable[[Person], bool]


@dataclass(frozen=True)
class New:
    """A change that registers one row.

    Attributes:
        entity: of what.
        own: what the row says.
        fits: whom it can happen to.
        replaces: current rows become history.
    """

    entity: str
    own: Own
    fits: Fits = alive
    replaces: bool = True

    def __call__(self, recorder: Recorder, kind: str) -> bool:
        """Let it happen to someone; False where it fits nobody."""
        person = recorder.pick(self.fits)
        if person is None:
            return False
        draft = recorder.draft(person)
        register = draft.new if self.replaces else draft.add
        draft.tell(kind, register(self.entity, self.own(recorder, person)))
        return True


@dataclass(frozen=True)
class Corrected:
    """A change that puts a current row right; attributes as of :class:`New`."""

    entity: str
    own: Own
    fits: Fits = in_force

    def __call__(self, recorder: Recorder, kind: str) -> bool:
        """Let it happen to someone; False where it fits nobody."""
        person = recorder.pick(self.fits)
        if person is None:
            return False
        draft = recorder.draft(person)
        row = draft.current(self.entity)
        if row is None:
            return False
        draft.tell(kind, draft.correct(self.entity, row, self.own(recorder, person)))
        return True


def utenlandsk(recorder: Recorder, person: Person) -> Row:
    """A number that another state has given."""
    country, _ = person.origin or recorder.rows.pick(COUNTRIES)
    number = f"X{recorder.random.randrange(10**8):08d}"
    return {
        "identifikasjonsnummer": number,
        "identifikasjonsnummertype": recorder.rows.pick(FOREIGN_NUMBERS),
        "utstederland": country,
    }


def duf(recorder: Recorder, person: Person) -> Row:
    """A number of the immigration authorities."""
    del person
    number = f"{recorder.random.randrange(10**12):012d}"
    return {
        "identifikasjonsnummer": number,
        "identifikasjonsnummertype": "duf",
        "utstederland": "NOR",
    }


def legitimasjonsdokument(recorder: Recorder, person: Person) -> Row:
    """A passport or an identity card."""
    country, _ = person.origin or ("NOR", "Oslo")
    return {
        "identifikasjonsdokumenttype": recorder.rows.pick(("pass", "nasjonaltIdKort")),
        "utstederland": country,
        "gyldigFra": recorder.days_ago(300).isoformat(),
        "identifikasjonsdokumentnummer": f"P{recorder.random.randrange(10**8):08d}",
    }


def identitetsgrunnlag(recorder: Recorder, person: Person) -> Row:
    """The outcome of a control of identity."""
    del person
    return {"identitetsgrunnlagstatus": recorder.rows.pick(("kontrollert", "ikkeKontrollert"))}


def falsk_identitet(recorder: Recorder, kind: str) -> bool:
    """An identity turns out to be false, or not to be so after all."""
    person = recorder.pick(alive)
    if person is None:
        return False
    draft = recorder.draft(person)
    if draft.current("falskIdentitet"):
        draft.tell(kind, draft.annul("falskIdentitet"))
    else:
        own = {"erFalsk": True, "rettIdentitetErUkjent": True}
        draft.tell(kind, draft.new("falskIdentitet", own))
    return True


def foedsel(recorder: Recorder, person: Person) -> Row:
    """The place of birth, more exactly."""
    del person
    return {"foedested": f"{recorder.rows.pick(FARMS)} ({recorder.random.randrange(1_000)})"}


def foedsel_i_norge(recorder: Recorder, person: Person) -> Row:
    """The hospital."""
    del person
    return {"foedselsinstitusjonsnavn": f"{recorder.rows.pick(NOUNS)} SYKEHUS"}


def familierelasjon(recorder: Recorder, person: Person) -> Row:
    """A relation to someone who has no number."""
    del person
    return {
        "relatertPersonUtenFolkeregisteridentifikator": recorder.rows.someone(),
        "relatertPersonsRolle": recorder.rows.pick(("soesken", "doedfoedtBarn")),
    }


def samisk(recorder: Recorder, person: Person) -> Row:
    """Use of Sami."""
    del person
    return {"spraak": [recorder.rows.pick(("nordsamisk", "soersamisk", "lulesamisk"))]}


def sametinget(recorder: Recorder, person: Person) -> Row:
    """The electoral roll of the Sameting."""
    del person
    forhold = recorder.rows.pick(("innmeldt", "utmeldt"))
    return {"forhold": forhold, "vedtaksdato": recorder.today.isoformat()}


def statsborgerskap(recorder: Recorder, person: Person) -> Row:
    """One more citizenship."""
    country = recorder.rows.pick([land for land, _ in COUNTRIES])
    person.citizenship += (country,)
    return {"statsborgerskap": country, "ervervsdato": recorder.today.isoformat()}


def opphold(recorder: Recorder, person: Person) -> Row:
    """A permit to stay."""
    del person
    kind = recorder.rows.pick(("midlertidig", "permanent"))
    return {"oppholdFra": recorder.today.isoformat(), "oppholdstillatelse": kind}


def bibehold(recorder: Recorder, person: Person) -> Row:
    """Norwegian citizenship was applied to be kept."""
    del person
    kind = recorder.rows.pick(("harBibehold", "harIkkeLengerBibehold"))
    return {"bibeholdstatus": kind, "datoForBibehold": recorder.today.isoformat()}


def svalbard(recorder: Recorder, person: Person) -> Row:
    """A stay on Svalbard."""
    del person
    return {
        "startdato": recorder.days_ago(30).isoformat(),
        "antattOppholdsvarighet": recorder.rows.pick(("underSeksMaaneder", "overSeksMaaneder")),
        "fraflyttingskommunenummer": "5501",
    }


def vergemaal(recorder: Recorder, person: Person) -> Row:
    """A guardian, described by name."""
    del person
    rows = recorder.rows
    task = {"vergeTjenesteoppgave": "arv", "vergeTjenestevirksomhet": rows.pick(VIRKSOMHETER)}
    guardian = {"navnFoedselsdato": rows.someone_with_states(), "tjenesteomraade": [task]}
    return rows.vergemaal("voksen", guardian)


def handleevne(recorder: Recorder, person: Person) -> Row:
    """How far legal capacity reaches."""
    del person
    omfang = recorder.rows.pick(("personligOmraade", "oekonomiskOmraade"))
    return {"rettsligHandleevneomfang": omfang}


def doedsfall(recorder: Recorder, person: Person) -> Row:
    """The day of death, put right by a day."""
    assert person.died is not None  # noqa: S101  it fits the dead only
    person.died = min(person.died, recorder.days_ago(2))
    return {"doedsdato": person.died.isoformat()}


def doedsbo(recorder: Recorder, person: Person) -> Row:
    """Whom to turn to about the estate."""
    del person
    return {
        "skifteform": recorder.rows.pick(("offentlig", "annet")),
        "attestutstedelsesdato": recorder.today.isoformat(),
        "adresse": {
            "adresselinje": [f"Postboks {recorder.random.randrange(1_000)}"],
            "postnummer": "0101",
            "poststedsnavn": "OSLO",
        },
        "person": {"personnavn": recorder.rows.personnavn(), "foedselsdato": "1971-04-05"},
    }


def innflytting(recorder: Recorder, person: Person) -> Row:
    """Where someone came from, put right."""
    del person
    country, place = recorder.rows.pick(COUNTRIES)
    return {"fraflyttingsland": country, "fraflyttingsstedIUtlandet": place}


def utflytting(recorder: Recorder, person: Person) -> Row:
    """Where someone went, put right."""
    del person
    country, place = recorder.rows.pick(COUNTRIES)
    return {"tilflyttingsland": country, "tilflyttingsstedIUtlandet": place}


def untold(recorder: Recorder, kind: str) -> bool:
    """Something about a person was put right; the event doesn't tell what."""
    person = recorder.pick(in_force)
    if person is None:
        return False
    draft = recorder.draft(person)
    row: dict[str, Any] | None = draft.current("navn")
    if row is None:
        return False
    draft.correct("navn", row, {"kilde": f"KILDE_{recorder.random.randrange(10**6)}"})
    draft.tell(kind)
    return True


def _dead(person: Person) -> bool:
    return in_force(person) and person.died is not None


def _foreign(person: Person) -> bool:
    return alive(person) and person.origin is not None


def _immigrated(person: Person) -> bool:
    return _foreign(person) and not person.is_d_nummer


def _norwegian(person: Person) -> bool:
    return in_force(person) and person.origin is None


def _emigrated(person: Person) -> bool:
    return alive(person) and person.status == "utflyttet"


CHANGES: dict[str, Happening] = {
    "endringIIdentitetsgrunnlag": New("identitetsgrunnlag", identitetsgrunnlag),
    "endringIUtenlandskPersonidentifikasjon": New("utenlandskPersonidentifikasjon", utenlandsk),
    "endringIUtlendingsmyndighetenesIdentifikasjonsnummer": New(
        "utlendingsmyndighetenesIdentifikasjonsnummer", duf, _foreign
    ),
    "endringILegitimasjonsdokument": New("legitimasjonsdokument", legitimasjonsdokument),
    "endringIFoedsel": Corrected("foedsel", foedsel),
    "endringIFoedselINorge": Corrected("foedselINorge", foedsel_i_norge, _norwegian),
    "endringIFamilierelasjon": New("familierelasjon", familierelasjon, replaces=False),
    "endringIBrukAvSamiskSpraak": New("brukAvSamiskSpraak", samisk),
    "endringISametingetsValgmanntall": New("forholdTilSametingetsValgmanntall", sametinget),
    "endringIStatsborgerskap": New("statsborgerskap", statsborgerskap, replaces=False),
    "endringIOpphold": New("opphold", opphold, _foreign),
    "endringIBibehold": New("bibehold", bibehold, _norwegian),
    "endringIOppholdPaaSvalbard": New("oppholdPaaSvalbard", svalbard),
    "endringIVergemaal": New("vergemaalEllerFremtidsfullmakt", vergemaal),
    "endringIRettsligHandleevne": New("rettsligHandleevne", handleevne),
    "endringIDoedsfall": Corrected("doedsfall", doedsfall, _dead),
    "endringIKontaktopplysningerForDoedsbo": New("kontaktinformasjonForDoedsbo", doedsbo, _dead),
    "endringIInnflytting": Corrected("innflytting", innflytting, _immigrated),
    "endringIUtflytting": Corrected("utflytting", utflytting, _emigrated),
    "endringIFalskIdentitet": falsk_identitet,
    "endringIPerson": untold,
    "personErOppdatert": untold,
}
