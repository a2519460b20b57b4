"""What only persons from abroad have: how they came and left, permits, foreign numbers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from freg_pipeline.synthetic.people import Person
from freg_pipeline.synthetic.rows import Row, Rows
from freg_pipeline.synthetic.words import FOREIGN_NUMBERS


class Abroad:
    """Writes what a person from abroad has."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def of(self, person: Person, origin: tuple[str, str]) -> Iterator[tuple[str, Any]]:
        """The entities of a person who comes from this country and place."""
        came = person.known_since
        place: Row = {"fraflyttingsland": origin[0], "fraflyttingsstedIUtlandet": origin[1]}
        if not person.is_d_nummer:
            yield "innflytting", [self._rows.row(came, place)]
        if person.left is not None:
            own = {
                "tilflyttingsland": origin[0],
                "tilflyttingsstedIUtlandet": origin[1],
                "utflyttingsdato": person.left.isoformat(),
            }
            yield "utflytting", [self._rows.row(person.left, own)]
        kinds = ("midlertidig", "permanent", "opplysningMangler")
        permit: Row = {
            "oppholdFra": came.isoformat(),
            "oppholdstillatelse": kinds[person.index % 3],
        }
        if person.index % 3 == 0:
            permit["oppholdTil"] = "2029-12-31"
        yield "opphold", [self._rows.row(came, permit)]
        kind = FOREIGN_NUMBERS[person.index % len(FOREIGN_NUMBERS)]
        number = {"utstederland": origin[0], "identifikasjonsnummertype": kind}
        number["identifikasjonsnummer"] = f"X{person.index:07d}"
        yield "utenlandskPersonidentifikasjon", [self._rows.row(came, number)]
        if person.index % 2:
            number = {"utstederland": "NOR", "identifikasjonsnummertype": "duf"}
            number["identifikasjonsnummer"] = f"{person.index:012d}"
            yield "utlendingsmyndighetenesIdentifikasjonsnummer", [self._rows.row(came, number)]
        yield "legitimasjonsdokument", [self._rows.row(came, self._legitimasjon(person, origin))]

    def _legitimasjon(self, person: Person, origin: tuple[str, str]) -> Row:
        own: Row = {
            "identifikasjonsdokumenttype": self._rows.pick(("pass", "nasjonaltIdKort")),
            "utstederland": origin[0],
        }
        if person.index % 3:
            issued = person.some_day(2019)
            seen = person.within(issued + timedelta(days=48))
            own |= {
                "gyldigFra": issued.isoformat(),
                "gyldigTil": (issued + timedelta(days=3_652)).isoformat(),
                "identifikasjonsdokumentnummer": f"P{person.index:08d}",
                "utstedernavn": "POLICE",
                "dokumentkontroll": {
                    "dokumentkontrollstatus": "godkjent",
                    "dokumentkontrolltidspunkt": self._rows.stamp(seen),
                },
            }
        return own
