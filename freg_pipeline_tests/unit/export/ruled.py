"""Persons of whom copies are made, some rules, and the command that makes copies by them."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from click.testing import CliRunner, Result

from freg_pipeline.commands.root import cli
from freg_pipeline.pseudonyms.key import read_key
from freg_pipeline.store import Store
from freg_pipeline.synthetic.numbers import Numbers

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


def related(*others: str) -> list[dict[str, Any]]:
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
