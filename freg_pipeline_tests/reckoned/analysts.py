"""The examples of README.md, and of docs/analysts.md, sql.md and tools.md."""

from __future__ import annotations

from collections import Counter

from lxml import etree

from freg_pipeline_tests.living import Living, Row, rows_of
from freg_pipeline_tests.reckoned.shared import (
    OPEN,
    SIVILSTAND,
    Rows,
    answers,
    counted,
    homes,
    kommune,
    protected,
    residents,
    text_of,
)  # fmt: skip
from freg_pipeline_tests.registers import get

_XS = "{http://www.w3.org/2001/XMLSchema}"
# What the reader's own files tell.
KOMMUNER = {"0301": "Oslo", "4601": "Bergen", "3403": "Hamar"}
LAND = {"NOR": "Norge", "SWE": "Sverige"}
_ADDRESSES = (
    "bostedsadresse", "oppholdsadresse", "deltBosted", "postadresse", "postadresseIUtlandet",
)  # fmt: skip


@answers("SELECT count(*) FROM person")
def _(lived: Living) -> Rows:
    return [(len(lived.persons),)]


@answers(
    "SELECT status, count(*) AS persons FROM status WHERE er_gjeldende GROUP BY ALL"
    " ORDER BY persons DESC LIMIT 3"
)
def _(lived: Living) -> Rows:
    return Counter(row["status"] for _, row in lived.current("status")).most_common(3)


@answers("SELECT kommunenummer, count(*) AS personer FROM person_naa GROUP BY ALL")
def _(lived: Living) -> Rows:
    found = homes(lived)
    return counted(kommune(found.get(one)) for one in lived.persons)


@answers("SELECT status, count(*) FROM status WHERE er_gjeldende GROUP BY ALL")
def _(lived: Living) -> Rows:
    return counted(row["status"] for _, row in lived.current("status"))


@answers("Where people live; protected addresses are left out of this view, all but the kommune")
def _(lived: Living) -> Rows:
    found = homes(lived)
    return counted(kommune(found.get(one)) for one in residents(lived))


@answers("A number from an old file finds today's person")
def _(lived: Living) -> Rows:
    old = an_old_number(lived)
    return [(lived.numbers[old],)]


def an_old_number(lived: Living) -> str:
    """A number that is no longer anyone's current one."""
    return min(old for old, number in lived.numbers.items() if old != number)


@answers("Where people live, with the names of kommuner from a file of your own")
def _(lived: Living) -> Rows:
    found = homes(lived)
    here = (kommune(found.get(one)) for one in residents(lived))
    return counted(text_of(KOMMUNER, one) for one in here)


@answers("How many current addresses of each kind may be shown, of those whom no protection hides")
def _(lived: Living) -> Rows:
    hidden = protected(lived)
    open_homes = (row for one, row in homes(lived).items() if one not in hidden)
    return counted(
        "vegadresse" if row.get("vegadresse", {}).get("kommunenummer") else "other"
        for row in open_homes
    )


@answers("Citizenships of those who live in Norway, with the names of countries from your own file")
def _(lived: Living) -> Rows:
    pairs = {(row["statsborgerskap"], one) for one, row in lived.current("statsborgerskap")}
    here = residents(lived)
    return counted(LAND.get(country, country) for country, one in pairs if one in here)


@answers("What the codes of a column mean, and how many rows have each")
def _(lived: Living) -> Rows:
    codes = (row["sivilstand"] for _, row in lived.current("sivilstand"))
    return counted((code, SIVILSTAND[code]) for code in codes)


_NOT_THE_PLACE = {
    "erGjeldende", "ajourholdstidspunkt", "kilde", "aarsak", "gyldighetstidspunkt",
    "opphoerstidspunkt", "adressegradering", "flyttedato",
}  # fmt: skip


def _place(document: Row) -> str:
    """Where a person lives, whatever else is told of it."""
    current = (row for row in rows_of(document, "bostedsadresse") if row.get("erGjeldende"))
    return repr([{**row, **dict.fromkeys(_NOT_THE_PLACE)} for row in current])


@answers("How many live elsewhere than at an earlier position of the event list")
def _(lived: Living) -> Rows:
    both = lived.earlier.keys() & lived.persons.keys()
    moved = [one for one in both if _place(lived.earlier[one]) != _place(lived.persons[one])]
    return [(len(moved),)]


@answers("In which kommuner new addresses lie, of those whom no protection hides")
def _(lived: Living) -> Rows:
    graded = {
        one
        for kind in _ADDRESSES
        for one, row in lived.current(kind)
        if row.get("adressegradering") != OPEN
    }
    hidden = protected(lived) | graded
    told = []
    for document in lived.event_documents:
        person = lived.numbers.get(document["folkeregisteridentifikator"])
        for change in document.get("egenskapshendelse", []):
            address = change.get(change["entitet"], {})
            if (
                (change["entitet"], change["entitetsendring"]) == ("bostedsadresse", "registrereNy")
                and person not in {None, *hidden}
                and address["adressegradering"] == OPEN
                and "vegadresse" in address
            ):
                told.append(address["vegadresse"]["kommunenummer"])
    return counted(told)


@answers("Children and their parents")
def _(lived: Living) -> Rows:
    return [
        (child, lived.numbers[row["relatertPerson"]], row["relatertPersonsRolle"])
        for child, row in lived.current("familierelasjon")
        if row.get("minRolleForPerson") == "barn" and row.get("relatertPerson")
    ]


@answers("An old file of your own against today's register")
def _(lived: Living) -> Rows:
    old = an_old_number(lived)
    now = min(lived.persons)
    return [
        ("en", old, lived.numbers[old], True),
        ("to", now, now, True),
        ("tre", "01010199999", "01010199999", False),
    ]


@answers("What the columns of a table are")
def _(lived: Living) -> Rows:
    contract = etree.fromstring(get(lived.base_url, "personer/xsd", "application/xml").content)
    said = {
        kind: [" ".join("".join(one.itertext()).split())
               for one in contract.iterfind(f"{_XS}complexType[@name='{kind}']//{_XS}element")]
        for kind in ("Registeropplysning", "Kjoenn")
    }  # fmt: skip
    zoned = "TIMESTAMP WITH TIME ZONE"
    names = ["ajourholdstidspunkt", "er_gjeldende", "kilde", "aarsak", "gyldighetstidspunkt",
             "opphoerstidspunkt"]  # fmt: skip
    types = [zoned, "BOOLEAN", "VARCHAR", "VARCHAR", zoned, zoned]
    number = "Personens gjeldende fødselsnummer eller D-nummer. Viser til person."
    place = "Radens plass i listen i persondokumentet, fra 0. Sier ikke hva som er nyest."
    return [
        ("personidentifikator", "VARCHAR", number),
        ("rad_nr", "INTEGER", place),
        *zip(names, types, said["Registeropplysning"], strict=True),
        ("kjoenn", "VARCHAR", f"{said['Kjoenn'][0]} Koder: kvinne, mann."),
    ]
