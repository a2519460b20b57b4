"""Names and places that the population is made of.

Names are of the adjective and noun kind that the register's own synthetic persons have. Kommuner
and postnummer are real, streets are common ones.
"""

from __future__ import annotations

from typing import NamedTuple

ADJECTIVES = (
    "SKEPTISK", "BLÅ", "TAPPER", "RASK", "MUNTER", "SEIG", "LUN", "STOLT", "VAKKER", "KLOK", "RAUS",
    "ÆRLIG", "ØM", "ÅPEN", "FLITTIG", "GLAD", "HØFLIG", "IVRIG", "JEVN", "KREATIV", "LETTLIVET",
    "MODIG", "NOBEL", "OPPLAGT", "PEN", "ROLIG", "SINDIG", "TREIG", "UTGÅTT", "VARM", "EKSPRESSIV",
    "DEKORATIV", "ABSURD", "BEHAGELIG", "DRØY", "FIRKANTET", "GRØNN", "HUL", "KJAPP", "LAT", "MYK",
    "NATURLIG", "ORDKNAPP", "PRIVAT", "RØD", "SNODIG", "SPISS", "TAKKNEMLIG", "UKLAR", "VITTIG",
)  # fmt: skip
NOUNS = (
    "TREKASSE", "SYKKEL", "LAMPE", "FJELLREV", "KAFFEKOPP", "BRØDSKIVE", "DØRKLINKE", "EPLETRE",
    "FISKEKROK", "GULROT", "HATT", "ISBRE", "JAKKE", "KLOKKE", "LØVETANN", "MÅKE", "NØKKEL",
    "ORDBOK", "PAPEGØYE", "RYGGSEKK", "STEIN", "TÅKE", "UGLE", "VANNMELON", "YOGHURT", "ÆRFUGL",
    "ØKS", "ÅKER", "BAKKE", "DATAMASKIN", "ENGEL", "FLASKE", "GITAR", "HUMLE", "IGLO", "JORDBÆR",
    "KONTRABASS", "LIGGESTOL", "MURSTEIN", "NATTBORD", "OTER", "PENSEL", "RADISE", "SNØBALL",
    "TERMOS", "URSKIVE", "VINTERLUE", "BLOKKFLØYTE", "KRAVEBEN", "SALAT",
)  # fmt: skip
STREETS = (
    "Storgata", "Kirkegata", "Skolegata", "Strandveien", "Bjørkeveien", "Fjellveien", "Havnegata",
    "Parkveien", "Solbakken", "Elvegata", "Ringveien", "Nordre gate", "Åsveien", "Øvre Torggate",
    "Kongens gate", "Dronningens gate", "Jernbanegata", "Granveien", "Myrveien", "Tverrveien",
)  # fmt: skip
FARMS = ("Nordgarden", "Sørgarden", "Haugen", "Lia", "Åsen", "Moen", "Bakken", "Vika", "Nes")
COUNTRIES = (
    ("SWE", "Göteborg"), ("DNK", "Aarhus"), ("POL", "Kraków"), ("LTU", "Kaunas"), ("DEU", "Bremen"),
    ("SOM", "Hargeysa"), ("ERI", "Asmara"), ("PHL", "Cebu"), ("GBR", "Leeds"), ("USA", "Duluth"),
    ("IND", "Pune"), ("SYR", "Aleppo"), ("THA", "Chiang Mai"), ("ESP", "Torrevieja"),
)  # fmt: skip
ALPHA_2 = {
    "SWE": "SE", "DNK": "DK", "POL": "PL", "LTU": "LT", "DEU": "DE", "SOM": "SO", "ERI": "ER",
    "PHL": "PH", "GBR": "GB", "USA": "US", "IND": "IN", "SYR": "SY", "THA": "TH", "ESP": "ES",
    "NOR": "NO",
}  # fmt: skip
EMBETER = ("statsforvalterenIAgder", "statsforvalterenIInnlandet", "statsforvalterenIOsloOgViken")
FOREIGN_NUMBERS = ("taxIdentificationNumber", "utenlandskIdentifikasjonsnummer")
VIRKSOMHETER = ("nav", "bank", "helfo", "skatteetaten")


class Kommune(NamedTuple):
    """A kommune with postnummer of its largest place."""

    number: str
    name: str
    postnummer: tuple[str, ...]
    poststed: str


def _kommune(line: str) -> Kommune:
    number, name, postnummer, poststed = line.split("|")
    return Kommune(number, name, tuple(postnummer.split()), poststed)


# The four largest come first.
KOMMUNER = tuple(
    _kommune(line)
    for line in """0301|Oslo|0150 0170 0250 0350 0460 0557 0650 0750 0860 0950|OSLO
4601|Bergen|5003 5011 5033 5052 5072 5105 5136 5161|BERGEN
5001|Trondheim|7010 7020 7030 7041 7052|TRONDHEIM
1103|Stavanger|4006 4010 4016 4021 4032 4033|STAVANGER
3301|Drammen|3015 3018 3021 3027 3036 3044|DRAMMEN
3201|Bærum|1337 1338|SANDVIKA
3203|Asker|1383 1384 1385 1386 1387|ASKER
3205|Lillestrøm|2000 2003 2004|LILLESTRØM
3207|Nordre Follo|1400 1401|SKI
3107|Fredrikstad|1601 1604 1606 1607 1608 1609|FREDRIKSTAD
3105|Sarpsborg|1706 1707 1709 1710 1711|SARPSBORG
4204|Kristiansand|4610 4611 4612 4614 4616|KRISTIANSAND S
4203|Arendal|4836 4838 4841 4844|ARENDAL
1108|Sandnes|4306 4307 4313 4319|SANDNES
1124|Sola|4050|SOLA
1106|Haugesund|5525 5527 5531 5534|HAUGESUND
5501|Tromsø|9006 9008 9010 9011 9012 9013|TROMSØ
1804|Bodø|8003 8005 8006 8007 8008|BODØ
3403|Hamar|2315 2316 2317 2318 2319|HAMAR
3405|Lillehammer|2609 2615 2618 2619|LILLEHAMMER
3407|Gjøvik|2815 2816 2817 2819|GJØVIK
3420|Elverum|2406 2407 2408|ELVERUM
3907|Sandefjord|3210 3211 3213 3215|SANDEFJORD
3905|Tønsberg|3110 3111 3112 3113|TØNSBERG
3909|Larvik|3256 3257 3260 3262|LARVIK
4001|Porsgrunn|3916 3917 3918 3921|PORSGRUNN
4003|Skien|3714 3715 3717 3722|SKIEN
1508|Ålesund|6002 6003 6005 6008|ÅLESUND
1506|Molde|6411 6412 6413 6414|MOLDE
1505|Kristiansund|6508 6509 6510|KRISTIANSUND N
5503|Harstad|9403 9404 9405|HARSTAD
5601|Alta|9510 9511 9512|ALTA
5603|Hammerfest|9600|HAMMERFEST
5605|Sør-Varanger|9900|KIRKENES
5610|Karasjok|9730|KARASJOK
5612|Kautokeino|9520|KAUTOKEINO
1806|Narvik|8514 8515 8516|NARVIK
1833|Rana|8622 8624 8626|MO I RANA
5006|Steinkjer|7713 7715|STEINKJER
5035|Stjørdal|7500|STJØRDAL
4602|Kinn|6900|FLORØ
4640|Sogndal|6856|SOGNDAL
4626|Øygarden|5353|STRAUME
4614|Stord|5411|STORD
3303|Kongsberg|3611 3612 3614|KONGSBERG
3305|Ringerike|3510 3511|HØNEFOSS
3103|Moss|1530 1531 1532|MOSS
3101|Halden|1767 1769 1771|HALDEN""".splitlines()
)

_CITIES = (
    ("0301", "3201", "3203", "3205", "3207"),
    ("4601", "4626"),
    ("5001", "5035"),
    ("1103", "1108", "1124"),
    ("3107", "3105"),
    ("4001", "4003"),
)
_BY_NUMBER = {kommune.number: kommune for kommune in KOMMUNER}

# The kommuner that a city has grown over, by the number of each.
CITIES = {number: tuple(_BY_NUMBER[other] for other in city) for city in _CITIES for number in city}
ON_FORUS = ("1108", "1124")  # parts of these have a postnummer of Stavanger
