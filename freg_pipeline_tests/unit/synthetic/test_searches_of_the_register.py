"""personer/soek and personer/entydigsoek: whom the documents say, and nobody else."""

from __future__ import annotations

import itertools
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from random import Random
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest

from freg_pipeline.synthetic.packages import PACKAGES
from freg_pipeline.synthetic.sounds import sound, words
from freg_pipeline_tests.conftest import StartRegister

Document = dict[str, Any]
Row = dict[str, Any]
EVERYONE = {"personstatustyper": ["aktiv", "bosatt", "utflyttet", "doed", "inaktiv"]}
ANYBODY = {"foedselsaarFraOgMed": "1800"}
PARTS = ["person-basis", "historikk", "identitetsgrunnlag-utvidet",
         "utlendingsmyndighetenesIdentifikasjonsnummer"]  # fmt: skip


class People:
    """A register's persons, as their documents tell them, and its searches."""

    def __init__(self, base_url: str) -> None:
        self._url = f"{base_url}/v1"
        self._client = httpx.Client(trust_env=False)  # one for all: each makes a TLS context
        self.documents: dict[str, Document] = {}
        numbers = self._everyone()
        for first in range(0, len(numbers), 1000):
            asked = {"foedselsEllerDNummer": numbers[first : first + 1000]}
            answer = self._client.post(f"{self._url}/personer/bulkoppslag", json=asked,
                                params={"part": PARTS})  # fmt: skip
            for one in answer.raise_for_status().json()["oppslag"]:
                document = one["folkeregisterperson"]
                number = document["identifikasjonsnummer"][0]["foedselsEllerDNummer"]
                self.documents[number] = document

    def close(self) -> None:
        self._client.close()

    def _everyone(self) -> list[str]:
        job = self._client.post(f"{self._url}/uttrekk/tilpasset", json=EVERYONE).json()
        found: list[str] = []
        for number in itertools.count():
            url = f"{self._url}/uttrekk/{job['jobbId']}/batch/{number}"
            answer = self._client.get(url)
            while answer.status_code == 404:
                answer = self._client.get(url)
            if not answer.json():
                return found
            found += answer.json()["foedselsEllerDNummer"]
        raise AssertionError

    def get(self, service: str, accept: str = "application/json", **asked: Any) -> httpx.Response:
        headers = {"Accept": accept}
        url = f"{self._url}/personer/{service}"
        return self._client.get(url, params=asked, headers=headers)

    def soek(self, **asked: Any) -> list[str]:
        answer = self.get("soek", **asked)
        if answer.status_code == 404:  # as the page on return codes says
            return []
        assert answer.status_code == 200, answer.text
        return list(answer.json()["foedselsEllerDNummer"])


@pytest.fixture(scope="module")
def people(small_register: str) -> Iterator[People]:
    with closing(People(small_register)) as made:
        yield made


# -- what the documents say, put together without the register's own code ------------------------


def plain(text: str) -> str:
    """Capitals without accents; the three Norwegian letters are no accented ones."""
    kept = text.upper().replace("Å", "\0")
    split = unicodedata.normalize("NFD", kept)
    return "".join(one for one in split if not unicodedata.combining(one)).replace("\0", "Å")


def names(document: Document, *, past: bool) -> list[set[str]]:
    return [
        {
            word
            for part in ("fornavn", "mellomnavn", "etternavn")
            for word in plain(row.get(part, "")).split()
        }
        for row in document["navn"]
        if past or row["erGjeldende"]
    ]


def addresses(document: Document, *, past: bool, opphold: bool) -> Iterator[Row]:
    if any(row["graderingsnivaa"] != "ugradert" for row in document.get("adressebeskyttelse", [])):
        return
    for entity in ("bostedsadresse", "oppholdsadresse")[: 1 + opphold]:
        for row in document.get(entity, []):
            if row["adressegradering"] == "ugradert" and (past or row["erGjeldende"]):
                place = row.get("vegadresse", row.get("matrikkeladresse", {}))
                house = place.get("adressenummer", {})
                yield {
                    "adressenavn": plain(place.get("adressenavn", "")),
                    "husnummer": house.get("husnummer", "") + house.get("husbokstav", ""),
                    "postnummer": place.get("poststed", {}).get("postnummer", ""),
                    "kommunenummer": place.get("kommunenummer")
                    or place.get("matrikkelnummer", {}).get("kommunenummer")
                    or row.get("ukjentBosted", {}).get("bostedskommune", ""),
                }


PLACES: dict[str, Callable[[Row, str], bool]] = {
    "adressenavn": lambda row, text: row["adressenavn"].startswith(plain(text)),
    "husnummer": lambda row, text: (
        row["husnummer"] == text or (text.isdigit() and row["husnummer"].rstrip("ABCD") == text)
    ),
    "postnummer": lambda row, text: row["postnummer"] == text,
    "kommunenummer": lambda row, text: row["kommunenummer"] == text,
    "fylkesnummer": lambda row, text: row["kommunenummer"].startswith(text),
}


def is_hit(document: Document, asked: dict[str, str]) -> bool:
    past = asked.get("opplysningsgrunnlag") == "historisk"
    opphold = asked.get("inkluderOppholdsadresse") == "true"
    status = next(row["status"] for row in document["status"] if row["erGjeldende"])
    born = document["foedsel"][0]
    wanted = {name: text for name, text in asked.items() if name in PLACES}
    return (
        (status != "doed" or asked.get("inkluderDoede") == "true")
        and asked.get("kjoenn", document["kjoenn"][0]["kjoenn"]) == document["kjoenn"][0]["kjoenn"]
        and asked.get("foedselsdato", "") in born["foedselsdato"].replace("-", "")
        and int(asked.get("foedselsaarFraOgMed", 0)) <= int(born["foedselsaar"])
        and int(asked.get("foedselsaarTilOgMed", 9999)) >= int(born["foedselsaar"])
        and (
            "navn" not in asked
            or any(set(plain(asked["navn"]).split()) <= name for name in names(document, past=past))
        )
        and (
            not wanted
            or any(
                all(PLACES[name](row, text) for name, text in wanted.items())
                for row in addresses(document, past=past, opphold=opphold)
            )
        )
    )


def question(document: Document, random: Random) -> dict[str, str]:
    """Some of what a document tells, as criteria; now and then what it does not tell."""
    place = random.choice([*addresses(document, past=True, opphold=True), {}])
    name = random.choice(document["navn"])
    parts = [name["etternavn"], name["fornavn"], name.get("mellomnavn", "")]
    random.shuffle(parts)
    year = document["foedsel"][0]["foedselsdato"][:4]
    known = {
        "navn": " ".join(parts[: random.randint(1, 3)]).swapcase().strip() or "hatt",
        "kjoenn": random.choice(["kvinne", "mann"]),
        "foedselsdato": document["foedsel"][0]["foedselsdato"].replace("-", ""),
        "foedselsaarFraOgMed": str(int(year) - random.randint(-1, 5)),
        "foedselsaarTilOgMed": str(int(year) + random.randint(-1, 5)),
        "fylkesnummer": place.get("kommunenummer", "")[:2],
        **place,
        "adressenavn": place.get("adressenavn", "")[: random.randint(3, 20)].lower(),
    }
    given = [name for name, text in known.items() if text]
    asked = {name: known[name] for name in random.sample(given, random.randint(1, 3))}
    if random.random() < 0.3 and "husnummer" in asked:
        asked["husnummer"] = asked["husnummer"].rstrip("ABCD")
    for flag in ("inkluderDoede", "inkluderOppholdsadresse"):
        if random.random() < 0.5:
            asked[flag] = random.choice(["true", "false"])
    if random.random() < 0.5:
        asked["opplysningsgrunnlag"] = random.choice(["historisk", "gjeldende"])
    return asked


def check_hits(people: People, random: Random, questions: int) -> int:
    """Ask so many questions about persons drawn; returns how many hits they had."""
    hits = 0
    for number in random.choices(list(people.documents), k=questions):
        asked = question(people.documents[number], random)
        expected = {who for who, one in people.documents.items() if is_hit(one, asked)}
        found = people.soek(**asked)
        assert set(found) == expected, asked
        assert len(found) == len(set(found))
        hits += len(found)
    return hits


def test_hits_are_whom_the_documents_say(people: People) -> None:
    assert check_hits(people, Random(3), 150) > 1000


def test_searches_follow_a_population_that_changes(start_register: StartRegister) -> None:
    url = start_register(persons=400)
    with closing(People(url)) as before:
        check_hits(before, Random(4), 5)
    changes = f"{url.split('/folkeregisteret/')[0]}/_synthetic/hendelser"
    for _ in range(4):  # by and by, and until the index is made afresh
        httpx.post(changes, params={"antall": 300}, trust_env=False).raise_for_status()
        with closing(People(url)) as now:
            assert set(now.soek(inkluderDoede="true", **ANYBODY)) == set(now.documents)
            check_hits(now, Random(5), 30)
    assert now.documents.keys() - before.documents.keys()
    assert before.documents.keys() - now.documents.keys()


def test_the_dead_are_found_on_request(people: People) -> None:
    living, all_of_them = people.soek(**ANYBODY), people.soek(inkluderDoede="true", **ANYBODY)
    assert set(all_of_them) == set(people.documents)
    assert set(all_of_them) - set(living) == {
        number
        for number, document in people.documents.items()
        if any(row["status"] == "doed" and row["erGjeldende"] for row in document["status"])
    }


def test_what_holds_no_letter_finds_nobody(people: People) -> None:
    assert people.soek(navn="?") == []
    assert people.soek(adressenavn="???") == []
    everybody = people.soek(**ANYBODY)
    assert people.soek(navn="", adressenavn="", **ANYBODY) == everybody, (
        "an empty criterion is none"
    )


@pytest.mark.parametrize(
    "asked", [{}, {"maksTreff": "5"}, {"navn": ""}, {"inkluderDoede": "true"}, {"Navn": "Kari"}]
)
def test_a_search_for_nobody_in_particular_finds_too_many(
    asked: dict[str, str], people: People
) -> None:
    answer = people.get("soek", **asked)
    assert (answer.status_code, answer.json()["feilkode"]) == (400, "FREG-006")


def test_addresses_of_protected_persons_find_nobody(people: People) -> None:
    protected = {
        number: document
        for number, document in people.documents.items()
        if any(
            row["graderingsnivaa"] != "ugradert" for row in document.get("adressebeskyttelse", [])
        )
    }
    assert protected
    for document in protected.values():
        for row in document.get("bostedsadresse", []):
            kommune = row.get("vegadresse", {}).get("kommunenummer")
            if kommune:
                hits = people.soek(kommunenummer=kommune, opplysningsgrunnlag="historisk")
                assert not protected.keys() & set(hits)
    number, document = next(iter(protected.items()))
    assert number in people.soek(navn=document["navn"][0]["etternavn"], inkluderDoede="true"), (
        "by name they are found"
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("HANSEN", "HANSSEN"), ("KATHRINE", "CATRIN"), ("WIIK", "VIK"), ("AAS", "ÅS"),
        ("CHRISTIAN", "KRISTIAN"), ("PHILIP", "FILIP"), ("BERGH", "BERG"), ("HAUGLAND", "HAUGLAN"),
        ("HJALMAR", "JALMAR"), ("GJERTRUD", "JERTRUD"), ("SØREN", "SOEREN"),
        ("QUIST", "KVIST"), ("AXEL", "AKSEL"), ("ZAKARIAS", "SAKARIAS"), ("ERIK", "ERIC"),
        ("ÖSTBY", "ØSTBY"), ("KJELL", "TJELL"), ("SKJÆR", "SJÆR"), ("GJØRV", "JØRV"),
    ],
)  # fmt: skip
def test_words_that_sound_alike(one: str, other: str) -> None:
    assert sound(*words(one)) == sound(*words(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [("HANSEN", "JENSEN"), ("BERG", "BERT"), ("LAMPE", "LOMME"), ("ÅS", "ØS"), ("VIK", "VIG")],
)
def test_words_that_do_not(one: str, other: str) -> None:
    assert sound(*words(one)) != sound(*words(other))


def test_a_phonetic_search_finds_other_spellings_and_loses_none(people: People) -> None:
    exact = people.soek(navn="FJELLREV")
    assert exact
    assert people.soek(navn="fjelrew") == []
    assert set(people.soek(navn="fjelrew", soekFonetisk="true")) >= set(exact)


@pytest.mark.parametrize(
    "asked",
    [
        {"kjoenn": "annet"}, {"foedselsdato": "1980-01-01"},
        {"foedselsdato": "19800231"}, {"foedselsdato": "x"}, {"foedselsaarFraOgMed": "80"},
        {"foedselsaarTilOgMed": "²²²²"}, {"adressenavn": "st"}, {"husnummer": "B10"},
        {"postnummer": "557"}, {"kommunenummer": "301"}, {"fylkesnummer": "3"},
        {"inkluderDoede": "ja"}, {"inkluderDoede": ""}, {"soekFonetisk": "1"},
        {"opplysningsgrunnlag": "alt"},
        {"maksTreff": "0"}, {"maksTreff": "10001"}, {"maksTreff": "mange"},
    ],
    ids=str,
)  # fmt: skip
def test_wrong_criteria_are_400(asked: dict[str, str], people: People) -> None:
    answer = people.get("soek", **asked)
    assert answer.status_code == 400
    assert answer.json()["feilmelding"]


def test_no_more_hits_than_asked_for_and_in_xml_the_same(people: People) -> None:
    hits = people.soek(kjoenn="kvinne")
    assert people.soek(kjoenn="kvinne", maksTreff="7") == hits[:7]
    answer = people.get("soek", accept="application/xml", kjoenn="kvinne")
    assert answer.headers["content-type"] == "application/xml"
    assert [one.text for one in ElementTree.fromstring(answer.content)] == hits
    assert people.get("soek", accept="text/csv").status_code == 406


def test_over_10000_hits_are_an_error_that_asks_for_more(start_register: StartRegister) -> None:
    url = f"{start_register(persons=10_900)}/v1/personer/soek"
    everybody = {"inkluderDoede": "true", **ANYBODY}
    answer = httpx.get(url, params=everybody, trust_env=False, timeout=30)
    assert answer.status_code == 400
    assert "10000" in answer.json()["feilmelding"]
    narrower = httpx.get(url, params={"kjoenn": "mann", "maksTreff": "10000"}, trust_env=False)
    assert 4_000 < len(narrower.json()["foedselsEllerDNummer"]) < 6_000


# -- entydigsoek -------------------------------------------------------------------------------


def full_name(document: Document) -> str:
    row = document["navn"][0]
    return f"{row['fornavn']} {row.get('mellomnavn', '')} {row['etternavn']}"


def born(document: Document) -> str:
    return str(document["foedsel"][0]["foedselsdato"].replace("-", ""))


ELSEWHERE = (
    ("duf", "utlendingsmyndighetenesIdentifikasjonsnummer", "identifikasjonsnummer"),
    ("abroad", "utenlandskPersonidentifikasjon", "identifikasjonsnummer"),
    ("pass", "legitimasjonsdokument", "identifikasjonsdokumentnummer"),
)


def one_thing_more(number: str, document: Document) -> Iterator[tuple[str, dict[str, str]]]:
    """What may stand beside a person's name, by kind."""
    yield "birth", {"foedselsdato": born(document)}
    for row in document["identifikasjonsnummer"]:
        own = row["foedselsEllerDNummer"]
        yield "own" if own == number else "earlier", {"identifikasjonsnummer": own}
    for row in addresses(document, past=False, opphold=False):
        if row["adressenavn"] and row["husnummer"]:
            names_street = {name: row[name] for name in ("adressenavn", "husnummer")}
            yield "street", names_street
            yield "post", {"postnummer": row["postnummer"]}
    for kind, entity, field in ELSEWHERE:
        for row in document.get(entity, []):
            if row["erGjeldende"] and field in row:
                code = row[field] if kind == "duf" else f"{row['utstederland']}-{row[field]}"
                yield kind, {entity.lower(): code}


def test_a_person_is_found_by_name_and_one_thing_more(people: People) -> None:
    tried: Counter[str] = Counter()
    for number, document in people.documents.items():
        for kind, more in one_thing_more(number, document):
            if tried[kind] >= 12:
                continue
            answer = people.get("entydigsoek", navn=full_name(document), **more)
            if answer.status_code == 200:
                tried[kind] += 1
                (found, *_) = answer.json()["identifikasjonsnummer"]
                assert found["foedselsEllerDNummer"] == number, more
            else:  # somebody else of that name was born that day, or lives there too
                assert answer.status_code == 404
                assert kind in {"birth", "street", "post"}
    assert len(tried) == 8
    assert min(tried.values()) >= 2, tried


def test_nobody_and_several_are_404(people: People) -> None:
    several: Counter[tuple[str, str]] = Counter()
    for document in people.documents.values():
        row = document["navn"][0]
        for place in addresses(document, past=False, opphold=False):
            several[f"{row['fornavn']} {row['etternavn']}", place["postnummer"]] += 1
    (name, postnummer), count = several.most_common(1)[0]
    assert count > 1
    assert postnummer
    assert people.get("entydigsoek", navn=name, postnummer=postnummer).status_code == 404
    nobody = people.get("entydigsoek", navn="INGEN HER", postnummer=postnummer)
    assert nobody.status_code == 404
    assert "HER" not in nobody.text


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"navn": "SKEPTISK LAMPE"},
        {"navn": "SKEPTISK", "foedselsdato": "19800101"},
        {"foedselsdato": "19800101"},
        {"navn": "SKEPTISK LAMPE", "adressenavn": "Storgata"},
        {"navn": "SKEPTISK LAMPE", "husnummer": "1"},
        {"navn": "SKEPTISK LAMPE", "identifikasjonsnummer": "123"},
        {"legitimasjonsdokument": "IRL-1"},
    ],
    ids=str,
)
def test_criteria_that_can_point_nobody_out_are_400(asked: dict[str, str], people: People) -> None:
    answer = people.get("entydigsoek", **asked)
    assert answer.status_code == 400
    assert answer.json()["feilmelding"]


def test_the_first_word_is_of_fornavn_and_the_last_of_etternavn(people: People) -> None:
    number, document = next(iter(people.documents.items()))
    row = document["navn"][0]
    right, wrong = f"{row['fornavn']} {row['etternavn']}", f"{row['etternavn']} {row['fornavn']}"
    ask = {"identifikasjonsnummer": number}
    assert people.get("entydigsoek", navn=right, **ask).status_code == 200
    assert people.get("entydigsoek", navn=wrong, **ask).status_code == 404
    misspelt = right.replace("T", "TH").replace("K", "CK")
    assert misspelt != right
    assert people.get("entydigsoek", navn=misspelt, **ask).status_code == 404
    answer = people.get("entydigsoek", navn=misspelt, soekFonetisk="true", **ask)
    assert answer.status_code == 200


def test_a_person_is_given_in_parts_and_in_xml(people: People) -> None:
    number, document = next(iter(people.documents.items()))
    asked = {"navn": full_name(document), "identifikasjonsnummer": number}
    answer = people.get("entydigsoek", part="navn", **asked)
    assert answer.json().keys() == {"navn", "identifikasjonsnummer"}
    answer = people.get("entydigsoek", accept="application/xml", part="navn", **asked)
    assert answer.content.startswith(b"<?xml")
    assert people.get("entydigsoek", part="hobby", **asked).status_code == 400


def test_only_some_packages_search_by_numbers_from_abroad(people: People) -> None:
    document = next(one for one in people.documents.values()
                    if one.get("utenlandskPersonidentifikasjon"))  # fmt: skip
    row = document["utenlandskPersonidentifikasjon"][0]
    asked = {
        "navn": full_name(document),
        "utenlandskpersonidentifikasjon": f"{row['utstederland']}-{row['identifikasjonsnummer']}",
    }
    root = people._url.split("/folkeregisteret/")[0]
    answered = {
        package.name: httpx.get(
            f"{root}/folkeregisteret/{package.path}/v1/personer/entydigsoek",
            params=asked,
            trust_env=False,
        )
        for package in PACKAGES
    }
    found = {name for name, answer in answered.items() if answer.status_code == 200}
    assert found == {"offentlig-med-hjemmel", "utsteder-eid"}
    assert {answer.status_code for answer in answered.values()} == {200, 400}
    assert "familierelasjon" not in answered["utsteder-eid"].json()
