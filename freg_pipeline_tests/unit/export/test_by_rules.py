"""Copies by rules: nothing that isn't named is in them, and no number, of anyone, anywhere."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from freg_pipeline.commands.root import cli
from freg_pipeline.contract import Identity
from freg_pipeline.identifiers import parse
from freg_pipeline.journal.access_log import entries
from freg_pipeline.journal.releases import require_current
from freg_pipeline.lake.described import identity_columns
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.lake.query import connect
from freg_pipeline.lake.release import build_release
from freg_pipeline.pseudonyms.allowed import copied_tables
from freg_pipeline.pseudonyms.copied import pseudonymised
from freg_pipeline.pseudonyms.key import make_key, read_key
from freg_pipeline.pseudonyms.rules import Rule, parse_rules
from freg_pipeline.store import Store
from freg_pipeline.store.local import LocalStore
from freg_pipeline.synthetic.numbers import Numbers
from freg_pipeline_tests.contracts import field
from freg_pipeline_tests.living import Living
from freg_pipeline_tests.unit.lake.delivered import (
    XSD,
    copy_of,
    deliver,
    document,
    local_store,
    navn,
)
from freg_pipeline_tests.unprivileged import make_read_only, unprivileged

_MADE = Numbers(Random(2))
ADA, BO, CECILIE, OLD = (
    _MADE.foedselsnummer(date(1980 + index, 3, 4), woman=True) for index in range(4)
)
RULES = """format = 1
[tables.person_naa]
personidentifikator = "pseudonym"
kommunenummer = "kommune"
beskyttet = "keep"
[tables.familierelasjon]
personidentifikator = "pseudonym"
relatert_person = "pseudonym"
[tables.tidligere_identifikator]
identifikator = "pseudonym"
personidentifikator = "pseudonym"
[tables.navn]
personidentifikator = "pseudonym"
etternavn = "keep_identifying"
"""


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("key") / "key"
    make_key(path)
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> LocalStore:
    """Ada, who had another number; Bo, in whose name hers stands; and Cecilie, who is protected."""
    store = local_store(tmp_path_factory.mktemp("made"))
    hidden = [{"erGjeldende": True, "graderingsnivaa": "fortrolig"}]
    people = [
        document(ADA, OLD, navn=[navn("Ada")], familierelasjon=_related(CECILIE, BO)),
        document(
            BO, navn=[navn("Bo", f"Nordmann ({ADA[:6]} {ADA[6:]})")], familierelasjon=_related(OLD)
        ),
        document(
            CECILIE,
            navn=[navn("Cecilie")],
            adressebeskyttelse=hidden,
            familierelasjon=_related(ADA),
        ),
    ]
    build_release(
        store, deliver(store, "one", [(f"d-{one}", each) for one, each in enumerate(people)])
    )
    return store


def _related(*others: str) -> list[dict[str, Any]]:
    return [{"erGjeldende": True, "relatertPerson": one} for one in others]


def ended(store: Store, *arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["export", "--store", store.location, *map(str, arguments)])


def by_rules(store: Store, key: Path, folder: Path, rules: str) -> Result:
    path = folder.with_suffix(".toml")
    path.write_text(rules)
    return ended(store, "--pseudonymise", key, "--rules", path, folder)


def rows(folder: Path, table: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(folder / f"{table}.parquet").to_pylist()
    return found


def pseudonym(key: Path, number: str) -> str:
    made: str = read_key(key).pseudonyms(pa.array([number]))[0].as_py()
    return made


def all_that_can_go_out(store: Store) -> str:
    """Rules by which as much goes out as any rules let."""
    plan = load_plan(store, require_current(store).contract)
    told = ["format = 1", 'protected = "keep"']
    for table, columns in copied_tables(plan).items():
        best = {
            name: next((rule for rule in Rule if rule in _by_what_it_tells(allowed)), None)
            for name, allowed in columns.allowed.items()
        }
        named = [f'"{name}" = "{rule}"' for name, rule in best.items() if rule]
        if table not in {"hendelse_egenskap", "ukjent_felt"}:
            told += [f'[tables."{table}"]', *named]
    return "\n".join(told)


def _by_what_it_tells(allowed: frozenset[Rule]) -> frozenset[Rule]:
    clear = allowed & {Rule.KEEP, Rule.KEEP_IDENTIFYING}
    return clear or allowed - {Rule.DROP}


def numbers_of(store: Store) -> set[str]:
    """Every identity number that stands anywhere in a store's tables."""
    plan = load_plan(store, require_current(store).contract)
    found = set[str]()
    with connect(store) as views:
        for name, table in copied_tables(plan).items():
            for column, identity in identity_columns(table.described).items():
                values = views.sql(f'SELECT "{column}"::VARCHAR FROM "{name}"').fetchall()
                texts = [text for (text,) in values if text]
                if identity is Identity.OTHER:
                    found |= {text for text in texts if len(text) > 5}
                else:
                    found |= {one for text in texts for one in re.findall(r"[0-9]{11}", text)}
    return found


def texts_of(folder: Path) -> Iterator[tuple[str, str]]:
    """All that a copy tells: values, names, metadata and statistics."""
    for path in folder.iterdir():
        yield path.name, path.name
        if path.suffix != ".parquet":
            yield path.name, path.read_text()
            continue
        file = pq.ParquetFile(path)
        yield path.name, f"{file.metadata.to_dict()} {file.metadata.metadata}"
        for name in file.schema_arrow.names:
            found = duckdb.sql(
                f"SELECT DISTINCT \"{name}\"::VARCHAR FROM read_parquet('{path}')"
            ).fetchall()
            yield from ((f"{path.name}: {name}", text) for (text,) in found if text)


def _holds(text: str, numbers: set[str]) -> bool:
    """Whether a text holds one, with or without what separates its digits, and leading zeros."""
    bare = re.sub(r"(?<=[0-9])[\s.\-]{0,3}(?=[0-9])", "", text)
    runs = re.findall(r"[0-9]{9,}", f"{text} {bare}")
    windows = {
        run[start : start + size].zfill(11)
        for run in runs
        for size in (9, 10, 11)
        for start in range(len(run) - size + 1)
        if size == 11 or len(run) == size
    }
    return bool(windows & numbers) or text in numbers


def test_no_number_of_anyone_is_in_a_copy_of_all_that_can_go_out(
    lived: Living, key: Path, tmp_path: Path
) -> None:
    numbers = numbers_of(lived.store)
    assert len(numbers) > 3_000
    found = by_rules(lived.store, key, tmp_path / "copy", all_that_can_go_out(lived.store))
    assert found.exit_code == 0, found.output or found.exception
    secret = key.read_text().strip()
    leaking = {
        place
        for place, text in [("output", found.output), *texts_of(tmp_path / "copy")]
        if _holds(text, numbers) or secret in text
    }
    assert leaking == set()
    assert not any(_holds(path.name, numbers) for path in tmp_path.rglob("*"))
    told = json.loads((tmp_path / "copy/manifest.json").read_text())
    assert len(told["tables"]) > 35
    assert all(
        not name.startswith("_") for one in told["tables"].values() for name in one["columns"]
    )


def test_the_search_finds_numbers_where_they_are(lived: Living, tmp_path: Path) -> None:
    assert ended(lived.store, tmp_path / "plain").exit_code == 0
    numbers = numbers_of(lived.store)
    leaking = {place for place, text in texts_of(tmp_path / "plain") if _holds(text, numbers)}
    plan = load_plan(lived.store, require_current(lived.store).contract)
    filled = {
        f"{name}.parquet: {column}"
        for name, table in copied_tables(plan).items()
        for column in identity_columns(table.described)
        if (tmp_path / f"plain/{name}.parquet").exists()
        and any(row[column] for row in rows(tmp_path / "plain", name))
    }
    assert filled - {"hendelse_egenskap.parquet: innhold"} <= leaking


JOINED = """SELECT count(*) FROM {familierelasjon} AS f
LEFT JOIN {tidligere_identifikator} AS t ON t.identifikator = f.relatert_person
JOIN {person_naa} AS p
    ON p.personidentifikator = coalesce(t.personidentifikator, f.relatert_person)
JOIN {person_naa} AS own ON own.personidentifikator = f.personidentifikator"""


@pytest.mark.parametrize("profile", ["research", "test"])
def test_a_profile_joins_as_the_register_does_but_for_who_is_protected(
    profile: str, lived: Living, key: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "copy"
    if profile == "test":
        found = ended(lived.store, "--pseudonymise", key, "--profile", profile, folder)
    else:  # as one's own, once it is printed
        printed = CliRunner().invoke(cli, ["export", "--show-rules", profile])
        found = by_rules(lived.store, key, folder, printed.output)
    assert found.exit_code == 0, found.exception
    names = [*json.loads((folder / "manifest.json").read_text())["tables"]]
    copied = duckdb.sql(
        JOINED.format(**{n: f"read_parquet('{folder}/{n}.parquet')" for n in names})
    )
    with connect(lived.store) as views:
        graded = [
            name
            for (name,) in views.sql(
                "SELECT table_name FROM duckdb_columns() WHERE column_name = 'adressegradering'"
            ).fetchall()
        ]
        told = [f"SELECT personidentifikator FROM {one} WHERE adressegradering <> 'ugradert' "
                "AND er_gjeldende" for one in graded]  # fmt: skip
        views.execute(
            "CREATE TEMP VIEW shown AS FROM person_naa WHERE NOT beskyttet "
            f"AND personidentifikator NOT IN ({' UNION ALL '.join(told)})"
        )
        there = views.sql(JOINED.format(**{name: name for name in names} | {"person_naa": "shown"}))
        assert copied.fetchall() == there.fetchall() != [(0,)]
        assert len(rows(folder, "person_naa")) == len(views.sql("FROM shown"))


def test_rows_are_in_no_order_of_numbers(lived: Living, key: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    assert by_rules(lived.store, key, folder, RULES).exit_code == 0
    for name in ("person_naa", "familierelasjon", "navn"):
        there = [row["personidentifikator"] for row in rows(folder, name)]
        assert there == sorted(there)


def test_protected_persons_are_out_and_numbers_in_texts_are_replaced(
    made: LocalStore, key: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "copy"
    found = by_rules(made, key, folder, RULES)
    assert found.exit_code == 0
    ada, bo = (pseudonym(key, one) for one in (ADA, BO))
    assert {row["personidentifikator"] for row in rows(folder, "person_naa")} == {ada, bo}
    related = {
        (row["personidentifikator"], row["relatert_person"])
        for row in rows(folder, "familierelasjon")
    }
    assert related == {(ada, None), (ada, bo), (bo, pseudonym(key, OLD))}
    assert rows(folder, "tidligere_identifikator") == [
        {"identifikator": pseudonym(key, OLD), "personidentifikator": ada}
    ]
    names = {row["personidentifikator"]: row["etternavn"] for row in rows(folder, "navn")}
    assert names == {ada: "Nordmann", bo: None}
    told = json.loads((folder / "manifest.json").read_text())["tables"]["navn"]["replaced"]
    assert told == {"etternavn": 1}
    assert "1 values held an identity number" in found.output
    kept = by_rules(made, key, tmp_path / "all", 'protected = "keep"\n' + RULES)
    assert kept.exit_code == 0
    assert len(rows(tmp_path / "all", "person_naa")) == 3


# Relations with a guardian's name and a place; and contacts who have numbers.
_VERGE = (
    '<xs:complexType name="Verge"><xs:sequence>'
    f"{field('foedselsEllerDNummer')}{field('fornavn')}{field('foedselsdato', 'xs:date')}"
    "</xs:sequence></xs:complexType>"
)
NAMING = (
    XSD.replace(
        field("relatertPerson").encode(),
        (field("relatertPerson") + field("verge", "t:Verge") + field("kommunenummer")).encode(),
    )
    .replace(
        b'<xs:complexType name="Kontakt">', f'{_VERGE}<xs:complexType name="Kontakt">'.encode()
    )
    .replace(
        b'<xs:element name="linje"',
        f'{field("foedselsEllerDNummer")}<xs:element name="linje"'.encode(),
    )
)


def test_where_a_protected_person_is_named_nothing_else_tells_of_them(
    key: Path, tmp_path: Path
) -> None:
    def relation(other: str) -> dict[str, Any]:
        verge = {"foedselsEllerDNummer": other, "fornavn": "Ola", "foedselsdato": "1980-03-04"}
        return {"relatertPerson": ADA, "verge": verge, "kommunenummer": "0301", "erGjeldende": True}

    def guarded(other: str) -> list[dict[str, Any]]:
        return [{"kontakt": [{"foedselsEllerDNummer": other, "linje": "Storgata 1"}]}]

    hidden = [{"erGjeldende": True, "graderingsnivaa": "fortrolig"}]
    people = [
        document(ADA, navn=[navn("Ada")], familierelasjon=[relation(CECILIE), relation(BO)],
                 vergemaal=guarded(CECILIE)),
        document(BO, navn=[navn("Bo")], vergemaal=guarded(ADA)),
        document(CECILIE, navn=[navn("Cecilie")], adressebeskyttelse=hidden),
    ]  # fmt: skip
    store = local_store(tmp_path)
    documents = [(f"d-{one}", each) for one, each in enumerate(people)]
    build_release(store, deliver(store, "one", documents, xsd=NAMING))
    rules = """format = 1
[tables.familierelasjon]
personidentifikator = "pseudonym"
rad_nr = "keep"
relatert_person = "pseudonym"
verge_foedsels_eller_d_nummer = "pseudonym"
verge_fornavn = "pseudonym"
verge_foedselsdato = "year"
kommunenummer = "kommune"
er_gjeldende = "keep"
[tables.vergemaal__kontakt]
foedsels_eller_d_nummer = "pseudonym"
linje = "keep_identifying"
"""
    found = by_rules(store, key, tmp_path / "copy", rules)
    assert found.exit_code == 0, found.exception
    ada, bo, ola = (pseudonym(key, one) for one in (ADA, BO, "Ola"))
    told = [[*one.values()][2:] for one in rows(tmp_path / "copy", "familierelasjon")]
    assert told == [[True, ada, None, None, None, None], [True, ada, bo, ola, 1980, "0301"]]
    contacts = [{*row.values()} for row in rows(tmp_path / "copy", "vergemaal__kontakt")]
    assert sorted(contacts, key=len) == [{None}, {ada, "Storgata 1"}]


def test_a_text_that_nobody_has_marked_hides_who_is_protected(key: Path, tmp_path: Path) -> None:
    store = local_store(tmp_path)
    hidden = [{"erGjeldende": True, "graderingsnivaa": "fortrolig"}]
    people = [
        document(ADA, navn=[navn("Ada", CECILIE)]),
        document(CECILIE, navn=[navn("Cecilie")], adressebeskyttelse=hidden),
    ]
    documents = [(f"d-{one}", each) for one, each in enumerate(people)]
    build_release(store, deliver(store, "one", documents))
    rules = RULES.replace("keep_identifying", "pseudonym")
    assert by_rules(store, key, tmp_path / "copy", rules).exit_code == 0
    assert [row["etternavn"] for row in rows(tmp_path / "copy", "navn")] == [None]


def test_who_may_only_read_the_store_makes_copies_by_rules_too(
    made: LocalStore, key: Path, tmp_path: Path
) -> None:
    store = copy_of(made, tmp_path)
    make_read_only(Path(store.location))
    rules = tmp_path / "rules.toml"
    rules.write_text(RULES)
    (tmp_path / "data").mkdir(mode=0o700)
    asked = ["export", "--rules", rules, "--pseudonymise", key, tmp_path / "copy"]
    found = subprocess.run(
        [*unprivileged(), sys.executable, "-m", "freg_pipeline.cli", *asked],
        env={**os.environ, "FREG_STORE": store.location, "XDG_DATA_HOME": str(tmp_path / "data")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    assert len(rows(tmp_path / "copy", "person_naa")) == 2


def test_only_what_is_named_goes_out(made: LocalStore, key: Path, tmp_path: Path) -> None:
    rules = RULES + 'fornavn = "drop"\n[tables.vergemaal]\nrad_nr = "drop"\n'
    assert by_rules(made, key, tmp_path / "copy", rules).exit_code == 0
    there = {
        path.stem: [*pq.read_schema(path).names] for path in (tmp_path / "copy").glob("*.parquet")
    }
    assert there == {
        "person_naa": ["personidentifikator", "kommunenummer", "beskyttet"],
        "familierelasjon": ["personidentifikator", "relatert_person"],
        "tidligere_identifikator": ["identifikator", "personidentifikator"],
        "navn": ["personidentifikator", "etternavn"],
    }
    one = ended(
        made,
        "--pseudonymise",
        key,
        "--rules",
        tmp_path / "copy.toml",
        "--table",
        "navn",
        tmp_path / "one",
    )
    assert one.exit_code == 0
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == [
        "manifest.json",
        "navn.parquet",
    ]


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ('[tables.nobody]\na = "keep"', "what the release doesn't have: nobody"),
        ('[tables.navn]\nalias = "keep"', "what the release doesn't have: navn.alias"),
        ('[tables.navn]\n_person = "pseudonym"', "doesn't have: navn._person"),
        ('[tables.navn]\npersonidentifikator = "keep"', "can't go out by the rule keep"),
        ('[tables.navn]\npersonidentifikator = "keep_identifying"', "rule keep_identifying"),
        ('[tables.familierelasjon]\nrelatert_person = "keep_identifying"', "rule keep_identifying"),
        ('[tables.navn]\nfornavn = "keep"', "can't go out by the rule keep"),
        ('[tables.person_naa]\nfoedselsdato = "keep"', "can't go out by the rule keep"),
        ('[tables.bostedsadresse]\nvegadresse_adressenavn = "keep"', "by the rule keep"),
        ('[tables.person_naa]\nadresselinje = "kommune"', "can't go out by the rule kommune"),
        ('[tables.person_naa]\nfoedselsaar = "month"', "can't go out by the rule month"),
        ('[tables.hendelse_egenskap]\ninnhold = "pseudonym"', "can't go out by the rule pseudonym"),
        ('[tables.hendelse_egenskap]\nentitet = "keep_identifying"', "whom they are about"),
        ('[tables.navn]\nfornavn = "all"', "can't be read: Invalid enum value 'all'"),
        ('[tables.navn]\nfornavn = "drop"', "nothing goes out"),
        ("[tables]", "nothing goes out"),
        ("[tables", "can't be read"),
        ('protect = "out"', "unknown field `protect`"),
        ('[aggregate]\ntable = "navn"\nby.rad_nr = "keep"', "it hasn't one row a person"),
        ('[aggregate]\ntable = "person_naa"\nby.bolig = "pseudonym"', "can't be counted by bolig"),
        ('[aggregate]\ntable = "person_naa"\nminimum = 1\nby.kjoenn = "keep"', "minimum below 3"),
        ('[aggregate]\ntable = "person_naa"\nby = {}', "count by 0 columns"),
        ('[aggregate]\ntable = "person_naa"\nby.kjoenn = "keep"\n[tables.navn]\nrad_nr = "keep"',
         "both tables and an aggregate"),
    ],
)  # fmt: skip
def test_what_rules_cant_say_is_one_clear_line(
    made: LocalStore, key: Path, tmp_path: Path, rules: str, told: str
) -> None:
    found = by_rules(made, key, tmp_path / "copy", f"format = 1\n{rules}\n")
    assert getattr(found.exception, "exit_code", None) == 2
    assert told in str(found.exception)
    assert "\n" not in str(found.exception)
    assert not (tmp_path / "copy").exists()


def test_what_the_release_lacks_is_told_where_it_is_skipped(
    made: LocalStore, key: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "copy"
    rules = f'missing = "skip"\n{RULES}alias = "keep"\n[tables.nobody]\nname = "keep"\n'
    found = by_rules(made, key, folder, rules)
    assert found.exit_code == 0, found.exception
    assert "2 of the tables and columns that the rules name aren't in the release" in found.output
    told = json.loads((folder / "manifest.json").read_text())["missing"]
    assert told == ["navn.alias", "nobody"]


def test_what_belongs_together_is_asked_for(made: LocalStore, key: Path, tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text(RULES)
    for arguments, told in [
        (["--pseudonymise", key], "needs rules"),
        (["--rules", rules], "the rules ask for pseudonyms"),
        (["--rules", tmp_path / "none", "--pseudonymise", key], "can't be read"),
        (["--rules", rules, "--profile", "test", "--pseudonymise", key], "both --rules and"),
        (["--rules", rules, "--pseudonymise", key, "--table", "status"], "name no table status"),
    ]:
        found = ended(made, *arguments, tmp_path / "copy")
        assert told in str(found.exception)
        assert not (tmp_path / "copy").exists()


def test_who_is_protected_must_be_known(key: Path, tmp_path: Path) -> None:
    store = local_store(tmp_path)
    people = [("d-1", document(ADA, navn=[navn("Ada")]))]
    build_release(store, deliver(store, "one", people, parts=("navn", "identifikasjonsnummer")))
    found = by_rules(store, key, tmp_path / "copy", RULES)
    assert "nothing tells who has adressebeskyttelse" in str(found.exception)
    assert by_rules(store, key, tmp_path / "copy", 'protected = "keep"\n' + RULES).exit_code == 0


def test_figures_need_no_key_and_tell_of_no_few(lived: Living, tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text(
        'format = 1\nprotected = "keep"\n[aggregate]\ntable = "person_naa"\nminimum = 4\n'
        '[aggregate.by]\nkommunenummer = "fylke"\nfoedselsaar = "five_years"\nkjoenn = "keep"\n'
    )
    found = ended(lived.store, "--rules", rules, tmp_path / "figures")
    assert found.exit_code == 0, found.exception
    told = rows(tmp_path / "figures", "antall_personer")
    assert {*told[0]} == {"kommunenummer", "foedselsaar", "kjoenn", "antall"}
    with connect(lived.store) as views:
        there = (
            views.sql(
                "SELECT kommunenummer[:2] AS kommunenummer, foedselsaar // 5 * 5 AS foedselsaar, "
                "kjoenn, count(*) AS antall FROM person_naa GROUP BY ALL"
            )
            .to_arrow_table()
            .to_pylist()
        )
    assert all(row in there for row in told)
    assert all(row["antall"] >= 4 for row in told)
    assert 5 < len(told) < len(there)


def test_what_was_copied_is_noted_by_our_own_names(
    made: LocalStore, key: Path, tmp_path: Path
) -> None:
    store = copy_of(made, tmp_path)
    rules = f'missing = "skip"\n{RULES}[tables."{ADA}"]\nname = "keep"\n'
    assert by_rules(store, key, tmp_path / "copy", rules).exit_code == 0
    assert ended(store, "--table", ADA, tmp_path / "plain").exit_code != 0
    every = sorted(entries(store), key=lambda one: str(one["when"]))
    assert ADA not in str(every)
    noted = every[-1]
    assert (noted["command"], noted["rows"]) == ("export by rules", 8)
    assert noted["tables"] == ["familierelasjon", "navn", "person_naa", "tidligere_identifikator"]


def test_rows_go_out_batch_by_batch(made: LocalStore, key: Path) -> None:
    manifest = require_current(made)
    with connect(made, manifest) as views:
        rules = parse_rules(RULES.encode(), "rules")
        copied = pseudonymised(made, manifest, views, rules, read_key(key))
        assert copied.columns("navn") == {"personidentifikator": "VARCHAR", "etternavn": "VARCHAR"}
        found = views.sql("FROM navn").to_arrow_reader(1)
        batches = [*copied.transform("navn", found)]
        assert [len(batch) for batch in batches].count(1) == 2  # and an empty one: who is protected
        names = {tuple(row.values()) for batch in batches for row in batch.to_pylist()}
        assert names == {(pseudonym(key, ADA), "Nordmann"), (pseudonym(key, BO), None)}


def test_documented_rules_work_as_they_stand(lived: Living, key: Path, tmp_path: Path) -> None:
    text = (Path(__file__).parents[3] / "docs/data-protection.md").read_text()
    written = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    assert len(written) == 2
    for place, rules in enumerate(written):
        found = by_rules(lived.store, key, tmp_path / f"copy{place}", rules)
        assert found.exit_code == 0, found.exception


def test_numbers_made_for_these_tests_are_valid() -> None:
    assert [parse(one).number for one in (ADA, BO, CECILIE, OLD)] == [ADA, BO, CECILIE, OLD]
