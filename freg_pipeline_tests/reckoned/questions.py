"""The questions of docs/questions.md."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise

from freg_pipeline_tests.living import Living, moment, rows_of
from freg_pipeline_tests.reckoned.shared import (
    SIVILSTAND,
    VERGEMAAL,
    Rows,
    answers,
    born,
    counted,
    homes,
    kommune,
    local,
    parents,
    protected,
    residents,
    text_of,
    years,
)  # fmt: skip


@answers("How many live in each kommune?")
def _(lived: Living) -> Rows:
    found = homes(lived)
    return counted(kommune(found.get(one)) for one in residents(lived))


@answers("How many women and men of each age live in Norway?")
def _(lived: Living) -> Rows:
    sexes, day, births = lived.one("kjoenn", "kjoenn"), date(2026, 1, 1), born(lived)
    return counted(
        (sexes[one], years(births[one], day) // 10 * 10)
        for one in residents(lived)
        if one in births and births[one] <= day
    )


@answers("How many live in each grunnkrets?")
def _(lived: Living) -> Rows:
    found, hidden = homes(lived), protected(lived)
    return counted(
        (kommune(found.get(one)), found.get(one, {}).get("grunnkrets"))
        for one in residents(lived) - hidden
    )


@answers("Who has no address that one could count?")
def _(lived: Living) -> Rows:
    found = homes(lived)
    statuses = lived.one("status", "status")
    return counted(status for one, status in statuses.items() if one not in found)


@answers("How many are protected, in kommuner with at least five of them?")
def _(lived: Living) -> Rows:
    found = homes(lived)
    here = counted(kommune(found.get(one)) for one in residents(lived) & protected(lived))
    return [(number, count) for number, count in here if count >= 5]


@answers("Who came from abroad, by year and country?")
def _(lived: Living) -> Rows:
    rows = (row for _, row in lived.rows("innflytting"))
    return counted((local(row).year, row.get("fraflyttingsland")) for row in rows)


@answers("Who moved abroad, by year?")
def _(lived: Living) -> Rows:
    days = (row.get("utflyttingsdato") for _, row in lived.rows("utflytting"))
    return counted(int(day[:4]) if day else None for day in days)


@answers("How long does it take until the register knows of a move?")
def _(lived: Living) -> Rows:
    found = defaultdict(list)
    for _, row in lived.rows("bostedsadresse"):
        moved = date.fromisoformat(row["flyttedato"])
        found[moved.year].append((local(row, "ajourholdstidspunkt") - moved).days)
    return [(year, float(statistics.median(days))) for year, days in found.items()]


@answers("How many were born each year, of those that are in the register?")
def _(lived: Living) -> Rows:
    births, sexes = lived.one("foedsel", "foedselsaar"), lived.one("kjoenn", "kjoenn")
    statuses = lived.one("status", "status")
    return counted(
        (int(births[one]), sexes.get(one))
        for one, status in statuses.items()
        if status != "opphoert"
    )


@answers("How many died each year, and how old did they become?")
def _(lived: Living) -> Rows:
    births = born(lived)
    ages = defaultdict(list)
    for one, row in lived.current("doedsfall"):
        died = date.fromisoformat(row["doedsdato"])
        ages[died.year].append(years(births[one], died) if one in births else None)
    return [(year, len(of), _mean(of)) for year, of in ages.items()]


def _mean(values: list[int | None]) -> float:
    known = [value for value in values if value is not None]
    mean = Decimal(sum(known)) / len(known)
    return float(mean.quantize(Decimal("0.1"), ROUND_HALF_UP))


@answers("How old were mothers when their first child was born?")
def _(lived: Living) -> Rows:
    births = born(lived)
    first: dict[str, date] = {}
    for child, mother in parents(lived, "mor").items():
        if child in births:
            first[mother] = min(births[child], first.get(mother, births[child]))
    ages = defaultdict(list)
    for mother, day in first.items():
        ages[day.year].append(years(births[mother], day))
    return [(year, len(of), _mean([*of])) for year, of in ages.items()]


@answers("How many children have women of the sixties?")
def _(lived: Living) -> Rows:
    children = Counter(parents(lived, "mor").values())
    sexes, births = lived.one("kjoenn", "kjoenn"), lived.one("foedsel", "foedselsaar")
    return counted(
        children[one]
        for one in residents(lived)
        if sexes[one] == "kvinne" and 1960 <= int(births[one]) <= 1969
    )


@answers("How many are married, separated, divorced, by sex?")
def _(lived: Living) -> Rows:
    sexes, states = lived.one("kjoenn", "kjoenn"), lived.one("sivilstand", "sivilstand")
    return counted(
        (sexes[one], states.get(one), text_of(SIVILSTAND, states.get(one)))
        for one in residents(lived)
    )


@answers("How many married each year?")
def _(lived: Living) -> Rows:
    married = {
        (int(row["sivilstandsdato"][:4]), one)
        for one, row in lived.rows("sivilstand")
        if row["sivilstand"] in {"gift", "registrertPartner"} and row.get("sivilstandsdato")
    }
    return counted(year for year, _ in married)


@answers("Who has the parental responsibility for children?")
def _(lived: Living) -> Rows:
    births = born(lived)
    told = {
        (row["ansvar"], one)
        for one, row in lived.current("foreldreansvar")
        if row.get("ansvarlig") and one in births and births[one] > date(2008, 6, 1)
    }
    return counted(kind for kind, _ in told)


@answers("How many children have two homes?")
def _(lived: Living) -> Rows:
    return [(len(residents(lived) & {one for one, _ in lived.current("deltBosted")}),)]


@answers("What are children called?")
def _(lived: Living) -> Rows:
    names, births = lived.one("navn", "fornavn"), lived.one("foedsel", "foedselsaar")
    found = counted(names.get(one) for one, year in births.items() if int(year) >= 2010)
    common = [(name, count) for name, count in found if count >= 2]
    return sorted(common, key=lambda one: (-one[1], one[0]))[:20]


@answers("How many changed their surname, by year?")
def _(lived: Living) -> Rows:
    changed = []
    for document in lived.persons.values():
        rows = sorted(rows_of(document, "navn"), key=moment)
        for before, row in pairwise(rows):
            if row["etternavn"] != before["etternavn"]:
                changed.append(local(row).year)
    return counted(changed)


def _citizenships(lived: Living) -> dict[str, set[str]]:
    found = defaultdict(set)
    for one, row in lived.current("statsborgerskap"):
        found[one].add(row["statsborgerskap"])
    return found


@answers("Which citizenships do those have who live in Norway?")
def _(lived: Living) -> Rows:
    here = residents(lived)
    return counted(
        country for one, of in _citizenships(lived).items() for country in of if one in here
    )


@answers("How many have several citizenships?")
def _(lived: Living) -> Rows:
    found = _citizenships(lived)
    return counted(len(found[one]) if one in found else None for one in residents(lived))


@answers("Where were they born who live in Norway?")
def _(lived: Living) -> Rows:
    countries, here = lived.one("foedsel", "foedeland"), residents(lived)
    return counted(country for one, country in countries.items() if one in here)


@answers("How many use a Sami language?")
def _(lived: Living) -> Rows:
    spoken = {
        (language, one)
        for one, row in lived.current("brukAvSamiskSpraak")
        for language in row["spraak"]
    }
    return counted(language for language, _ in spoken)


@answers("How many got a fødselsnummer after a D-nummer, by year?")
def _(lived: Living) -> Rows:
    found = set()
    for one, document in lived.persons.items():
        rows = document["identifikasjonsnummer"]
        if any((r["identifikatortype"], r["status"]) == ("dNummer", "opphoert") for r in rows):
            found |= {
                (local(row).year, one)
                for row in rows
                if row["identifikatortype"] == "foedselsnummer"
                and row["status"] == "iBruk"
                and row["erGjeldende"]
            }
    return counted(year for year, _ in found)


@answers("How many have a guardian, of which kind?")
def _(lived: Living) -> Rows:
    rows = lived.current("vergemaalEllerFremtidsfullmakt")
    kinds = {(row.get("vergemaaltype"), one) for one, row in rows}
    return counted((kind, text_of(VERGEMAAL, kind)) for kind, _ in kinds)


@answers("Whose residence permit ends within five years?")
def _(lived: Living) -> Rows:
    found = {
        (row["oppholdstillatelse"], one)
        for one, row in lived.current("opphold")
        if "2026-06-01" <= row.get("oppholdTil", "") <= "2031-05-31"
    }
    return counted(kind for kind, _ in found)


@answers("Which events have come since the last full load?")
def _(lived: Living) -> Rows:
    return counted(event["hendelse"]["hendelsetype"] for event in lived.events)


@answers("Whose name changed after a position of the event list?")
def _(lived: Living) -> Rows:
    renamed = (
        event["hendelse"]["folkeregisteridentifikator"]
        for event in lived.events
        if event["sekvensnummer"] > lived.then
        and event["hendelse"]["hendelsetype"] == "endringINavn"
    )
    return [(lived.numbers[number],) for number in {*renamed}]
