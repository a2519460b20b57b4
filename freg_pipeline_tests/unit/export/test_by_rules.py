"""Copies by rules: nothing that isn't named is in them, and no number, of anyone, anywhere."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from freg_pipeline.commands.root import cli
from freg_pipeline.contract import Identity
from freg_pipeline.journal.releases import require_current
from freg_pipeline.lake.described import identity_columns
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.lake.query import connect
from freg_pipeline.lake.release import build_release
from freg_pipeline.pseudonyms.allowed import copied_tables
from freg_pipeline.pseudonyms.rules import Rule
from freg_pipeline.store import Store
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.contracts import field
from freg_pipeline_tests.living import Living
from freg_pipeline_tests.unit.export.ruled import (
    ADA,
    BO,
    CECILIE,
    OLD,
    RULES,
    by_rules,
    ended,
    pseudonym,
    rows,
)
from freg_pipeline_tests.unit.lake.delivered import (
    XSD,
    copy_of,
    deliver,
    document,
    local_store,
    navn,
)
from freg_pipeline_tests.unprivileged import make_read_only, unprivileged


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
