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
    """A kommune with the postnummer of its centre."""

    number: str
    name: str
    postnummer: str
    poststed: str


# Of the four largest, so that a city has more than one postnummer.
POSTNUMMER = {
    "0301": ("0150", "0170", "0250", "0350", "0460", "0557", "0650", "0750", "0860", "0950"),
    "4601": ("5003", "5011", "5033", "5052", "5072", "5105", "5136", "5161"),
    "5001": ("7010", "7020", "7030", "7041", "7052", "7081", "7092"),
    "1103": ("4006", "4010", "4016", "4021", "4032"),
}

KOMMUNER = tuple(
    Kommune(*line.split("|"))
    for line in """0301|Oslo|0557|OSLO
4601|Bergen|5003|BERGEN
5001|Trondheim|7010|TRONDHEIM
1103|Stavanger|4006|STAVANGER
3301|Drammen|3015|DRAMMEN
3201|Bærum|1338|SANDVIKA
3203|Asker|1383|ASKER
3205|Lillestrøm|2000|LILLESTRØM
3107|Fredrikstad|1606|FREDRIKSTAD
3105|Sarpsborg|1706|SARPSBORG
4204|Kristiansand|4610|KRISTIANSAND S
4203|Arendal|4836|ARENDAL
1108|Sandnes|4306|SANDNES
1106|Haugesund|5525|HAUGESUND
5501|Tromsø|9008|TROMSØ
1804|Bodø|8006|BODØ
3403|Hamar|2317|HAMAR
3405|Lillehammer|2609|LILLEHAMMER
3407|Gjøvik|2815|GJØVIK
3420|Elverum|2406|ELVERUM
3907|Sandefjord|3210|SANDEFJORD
3905|Tønsberg|3110|TØNSBERG
3909|Larvik|3256|LARVIK
4001|Porsgrunn|3916|PORSGRUNN
4003|Skien|3717|SKIEN
1508|Ålesund|6002|ÅLESUND
1506|Molde|6413|MOLDE
1505|Kristiansund|6508|KRISTIANSUND N
5503|Harstad|9405|HARSTAD
5601|Alta|9510|ALTA
5603|Hammerfest|9600|HAMMERFEST
5605|Sør-Varanger|9900|KIRKENES
5610|Karasjok|9730|KARASJOK
5612|Kautokeino|9520|KAUTOKEINO
1806|Narvik|8514|NARVIK
1833|Rana|8622|MO I RANA
5006|Steinkjer|7713|STEINKJER
5035|Stjørdal|7500|STJØRDAL
4602|Kinn|6900|FLORØ
4640|Sogndal|6856|SOGNDAL
4614|Stord|5411|STORD
3303|Kongsberg|3611|KONGSBERG
3305|Ringerike|3510|HØNEFOSS
3103|Moss|1530|MOSS
3101|Halden|1767|HALDEN""".splitlines()
)
