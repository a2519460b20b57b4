"""A store with persons who are to be erased, for the tests of that."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from freg_pipeline.erasure.course import Receipt, erase
from freg_pipeline.erasure.persons import Persons, with_other_numbers
from freg_pipeline.erasure.survey import survey
from freg_pipeline.lake.query import connect
from freg_pipeline.settings import Settings, load
from freg_pipeline.store import Store, open_store
from freg_pipeline.synthetic import RegisterOptions, running
from freg_pipeline_tests.living import MERGE
from freg_pipeline_tests.loads import full_load, sync
from freg_pipeline_tests.registers import happen

OPTIONS = {"batch_size": 50, "ready_after_seconds": 0.02, "refused_parts": ()}


@dataclass(frozen=True)
class Kept:
    """A store with a full load and syncs, its register, and somebody of each sort.

    Attributes:
        base_url: of the register.
        folder: the store; copy it.
        given: a current number of somebody who had another one, of a mother, of one with events.
        numbers: all numbers that these have had.
    """

    base_url: str
    folder: Path
    given: tuple[str, ...]
    numbers: frozenset[str]

    def settings(self, folder: Path, **others: Any) -> Settings:
        return load(base_url=self.base_url, store=str(folder), poll_seconds=0.02, **others)


@contextmanager
def lived_store(folder: Path) -> Iterator[Kept]:
    """Fill a folder; its register lives as long as this does."""
    with running(RegisterOptions(persons=120, **OPTIONS)) as base_url:
        settings = load(base_url=base_url, store=str(folder), poll_seconds=0.02)
        full_load(settings)
        for _ in range(2):
            happen(base_url, 20)
            happen(base_url, 2, type=MERGE)
            sync(settings)
        given = somebody_of_each_sort(open_store(settings))
        persons = persons_of(open_store(settings), given)
        assert len(persons.places) > len(given)  # former numbers were found
        yield Kept(base_url, folder, given, frozenset(persons.places))


def somebody_of_each_sort(store: Store) -> tuple[str, ...]:
    """Current numbers of one who had another, of a mother, of one with events."""
    asked = (
        "SELECT personidentifikator FROM tidligere_identifikator SEMI JOIN person "
        "USING (personidentifikator)",
        "SELECT mor FROM person_naa WHERE mor IN (SELECT personidentifikator FROM person)",
        "SELECT personidentifikator FROM hendelse SEMI JOIN person USING (personidentifikator)",
    )
    found: list[str] = []
    with closing(connect(store, states=False)) as connection:
        for one in asked:
            numbers = [number for (number,) in connection.execute(one).fetchall()]
            found.append(min(number for number in numbers if number not in found))
    return tuple(found)


def persons_of(store: Store, given: tuple[str, ...]) -> Persons:
    """As a list of these tells them, with their other numbers."""
    places = {number: place for place, number in enumerate(given)}
    return with_other_numbers(store, Persons(places, tuple(range(1, len(given) + 1))))


def erase_given(store: Store, given: tuple[str, ...], **options: bool) -> Receipt:
    """Erase them, as the command does."""
    return erase(store, survey(store, persons_of(store, given)), **options)


def upload(client: Any, where: str, folder: Path) -> None:
    """Put a local store's objects on S3 (its catalogue is a command's to write there)."""
    bucket, _, prefix = where.removeprefix("s3://").partition("/")
    for path in (one for one in folder.rglob("*") if one.is_file()):
        key = path.relative_to(folder).as_posix()
        if not key.startswith((".", "freg.duckdb")):
            client.put_object(Bucket=bucket, Key=f"{prefix}/{key}", Body=path.read_bytes())


def download(client: Any, where: str, folder: Path) -> Path:
    """All objects of a store on S3, as files."""
    bucket, _, prefix = where.removeprefix("s3://").partition("/")
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{prefix}/")
    for one in (one for page in pages for one in page.get("Contents", ())):
        path = folder / one["Key"].removeprefix(f"{prefix}/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(client.get_object(Bucket=bucket, Key=one["Key"])["Body"].read())
    return folder
