"""What rules can say, what is refused in one line, and what is told of a copy by them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from freg_pipeline.identifiers import parse
from freg_pipeline.journal.access_log import entries
from freg_pipeline.journal.releases import require_current
from freg_pipeline.lake.query import connect
from freg_pipeline.lake.release import build_release
from freg_pipeline.pseudonyms.copied import pseudonymised
from freg_pipeline.pseudonyms.key import read_key
from freg_pipeline.pseudonyms.rules import parse_rules
from freg_pipeline.store.local import LocalStore
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
from freg_pipeline_tests.unit.lake.delivered import copy_of, deliver, document, local_store, navn


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
