"""Who landed: the rules one by one, and all of them together against a plain reading of them."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from freg_pipeline.lake.database import working_database
from freg_pipeline.lake.documents import Documents, landed_documents
from freg_pipeline.lake.keys import bucket_sql, key_sql
from freg_pipeline.lake.resolve import Plain, resolve
from freg_pipeline.lake.staging import Staging
from freg_pipeline.normalize.account import DOCUMENT_SCHEMA
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.unit.lake.delivered import number, stage_batch

NUMBERS = pa.schema(
    [
        ("dok_nr", pa.int32()),
        ("personidentifikator", pa.string()),
        ("rad_nr", pa.int32()),
        ("foedsels_eller_d_nummer", pa.string()),
        ("status", pa.string()),
    ]
)
OTHER_PERSON = "nummeret er gått over til en annen person"
OTHER_NUMBER = "et annet nummer til samme person"
TWICE, OLDER = "levert flere ganger", "eldre dokument"


_KEY = key_sql("personidentifikator")
Place = tuple[int, int]  # batch, place in the batch
Why = tuple[str, str | None, str | None]  # utfall, aarsak, gikk_til


@dataclass(frozen=True)
class Delivered:
    """An identifier delivered, and what came of it. ``others``: further numbers, and their status.

    ``day`` is when the document was recorded; None: it doesn't say.
    """

    identifikator: str
    person: str | None = None
    day: int | None = 1
    others: tuple[tuple[str, str | None], ...] = ()
    utfall: str = "dokument"


@dataclass
class Resolved:
    """Who landed with which place; what became of the others; which numbers are not current."""

    landed: dict[str, Place]
    avvik: dict[Place, Why]
    earlier: dict[str, str] = field(default_factory=dict)


# -- the rules, read plainly -----------------------------------------------------------------------


class Plainly:
    """What the rules say, one person after the other."""

    def __init__(self, batches: list[list[Delivered]], *, by_document: bool) -> None:
        self.by_document = by_document
        self.rows = {
            (batch, place): one
            for batch, ones in enumerate(batches)
            for place, one in enumerate(ones)
        }
        self.documents = {at: one for at, one in self.rows.items() if one.utfall == "dokument"}
        persons = {one.person for one in self.documents.values() if one.person}
        self.newest = {person: self._newest(person) for person in persons}
        self.claimed_by = self._claimed_by()
        self.goes_to = {
            other: person
            for other, (ended, _, person) in self.claimed_by.items()
            if ended and other in self.newest
        }
        self.landed = {
            person: at for person, at in self.newest.items() if self._end(person) == person
        }

    def told(self) -> Resolved:
        landed = set(self.landed.values())
        avvik = {at: self._why(at, one) for at, one in self.rows.items() if at not in landed}
        return Resolved(self.landed, avvik, self._earlier())

    def _age(self, at: Place) -> tuple[int, Place]:
        day = self.documents[at].day
        return (-1 if day is None else day, at)

    def _newest(self, person: str) -> Place:
        mine = [at for at, one in self.documents.items() if one.person == person]
        return max(
            mine,
            key=lambda at: (self._age(at)[0], self.documents[at].identifikator == person, at),
        )

    def _claimed_by(self) -> dict[str, tuple[bool, tuple[int, Place], str]]:
        claims: dict[str, list[tuple[bool, tuple[int, Place], str]]] = {}
        for person, at in self.newest.items():
            for other, status in self.documents[at].others:
                if other != person:
                    claim = (status != "iBruk", self._age(at), person)
                    claims.setdefault(other, []).append(claim)
        return {other: max(claimants) for other, claimants in claims.items()}

    def _end(self, start: str) -> str:
        path = [start]
        while (following := self.goes_to.get(path[-1])) is not None:
            if following in path:
                ring = path[path.index(following) :]
                return max(ring, key=lambda one: self._age(self.newest[one]))
            path.append(following)
        return path[-1]

    def _why(self, at: Place, one: Delivered) -> Why:
        if one.person is None:
            return (one.utfall, "grunn", None)
        kept = self.documents[self.newest[one.person]].identifikator
        end = self._end(one.person)
        if at == self.newest[one.person]:
            return ("sammenslaatt", OTHER_PERSON, end)
        is_number = not self.by_document and one.identifikator not in (one.person, kept)
        if is_number and end == one.person:
            return ("sammenslaatt", OTHER_NUMBER, end)
        return ("duplikat", TWICE if kept == one.identifikator else OLDER, end)

    def _earlier(self) -> dict[str, str]:
        told = {other: person for other, (_, _, person) in self.claimed_by.items()}
        if not self.by_document:
            for one in sorted(self.documents.values(), key=lambda one: str(one.person)):
                if one.person and one.identifikator != one.person:
                    told.setdefault(one.identifikator, one.person)
        return {
            other: self._end(other if other in self.goes_to else person)
            for other, person in told.items()
            if other not in self.landed
        }


# -- the same by SQL -------------------------------------------------------------------------------


def stage(store: LocalStore, batches: list[list[Delivered]], *, by_document: bool) -> Staging:
    """Staging tables as normalising writes them."""
    for batch, ones in enumerate(batches):
        account, numbers = [], []
        for place, one in enumerate(ones):
            account.append(
                {
                    "dok_nr": place,
                    "identifikator": one.identifikator,
                    "utfall": one.utfall,
                    "aarsak": None if one.person else "grunn",
                    "personidentifikator": one.person,
                    "dokumentidentifikator": one.identifikator if by_document else None,
                    "ajourholdt": one.day and datetime(2026, 5, one.day, tzinfo=UTC),
                    "hentet": datetime(2026, 6, 1, tzinfo=UTC),
                }
            )
            own = [(one.person, "iBruk"), *one.others] if one.person else []
            numbers += [
                {
                    "dok_nr": place,
                    "personidentifikator": one.person,
                    "rad_nr": row,
                    "foedsels_eller_d_nummer": other,
                    "status": status,
                }
                for row, (other, status) in enumerate(own)
            ]
        tables = {
            "dokument": pa.Table.from_pylist(account, DOCUMENT_SCHEMA),
            "identifikasjonsnummer": pa.Table.from_pylist(numbers, NUMBERS),
        }
        stage_batch(store, "u", batch, tables)
    return Staging(store, "u", list(range(len(batches))))


@contextmanager
def resolved(
    batches: list[list[Delivered]], *, by_document: bool = True
) -> Iterator[tuple[duckdb.DuckDBPyConnection, Plain]]:
    with tempfile.TemporaryDirectory() as folder:
        staging = stage(LocalStore(Path(folder) / "store"), batches, by_document=by_document)
        (Path(folder) / "work").mkdir()
        with working_database(Path(folder) / "work") as connection:
            plain = resolve(connection, staging)
            _add_plain(connection, staging, plain)
            yield connection, plain


def _add_plain(connection: duckdb.DuckDBPyConnection, staging: Staging, plain: Plain) -> None:
    """The persons who landed without any rule, among those who landed by one."""
    if not len(plain.keys):
        return
    told = pa.concat_tables(
        [
            piece.append_column("batch", pa.array([batch] * len(piece), pa.int32()))
            for batch, piece in staging.read("dokument", ["dok_nr", "personidentifikator"])
        ]
    )
    places = pa.table({"batch": plain.batches, "dok_nr": plain.places, "key": plain.keys})
    connection.register("told", told)
    connection.register("places", places)
    connection.execute(
        "INSERT INTO landed BY NAME SELECT personidentifikator AS person, batch, dok_nr "
        "FROM told JOIN places USING (batch, dok_nr)"
    )
    wrong = f"SELECT count(*) FROM told JOIN places USING (batch, dok_nr) WHERE key <> {_KEY}"
    assert connection.execute(wrong).fetchall() == [(0,)]


def by_sql(batches: list[list[Delivered]], *, by_document: bool = True) -> Resolved:
    with resolved(batches, by_document=by_document) as (connection, _):
        landed = connection.sql("SELECT person, batch, dok_nr FROM landed").fetchall()
        avvik = connection.sql(
            "SELECT batch, dok_nr, utfall, aarsak, gikk_til FROM avvik"
        ).fetchall()
        earlier = connection.sql("FROM earlier").fetchall()
    assert len({person for person, _, _ in landed}) == len(landed)
    assert len({(batch, place) for batch, place, *_ in avvik}) == len(avvik)
    assert len({old for old, _ in earlier}) == len(earlier)
    return Resolved(
        {person: (batch, place) for person, batch, place in landed},
        {(batch, place): (utfall, why, to) for batch, place, utfall, why, to in avvik},
        dict(earlier),
    )


# -- all of them together --------------------------------------------------------------------------

_PERSONS = [number(index) for index in range(4)]  # few, so that they meet
_DAYS = st.none() | st.integers(1, 3)
_OTHERS = st.lists(
    st.tuples(
        st.sampled_from(_PERSONS),
        st.sampled_from(["opphoert", "opphoert", "opphoert", "iBruk", None]),
    ),
    max_size=3,
).map(tuple)


def _deliveries(identifiers: list[str]) -> st.SearchStrategy[list[list[Delivered]]]:
    document = st.builds(
        Delivered, st.sampled_from(identifiers), st.sampled_from(_PERSONS), _DAYS, _OTHERS
    )
    without = st.builds(
        Delivered,
        st.sampled_from(identifiers),
        day=st.none(),
        utfall=st.sampled_from(["borte", "feilet"]),
    )
    return st.lists(
        st.lists(document | document | document | without, max_size=6), min_size=1, max_size=3
    )


@pytest.mark.parametrize("by_document", [True, False], ids=["komplett", "tilpasset"])
def test_every_identifier_comes_to_what_the_rules_say(by_document: bool) -> None:
    identifiers = [f"dok-{index}" for index in range(9)] if by_document else _PERSONS

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(_deliveries(identifiers))
    def holds(batches: list[list[Delivered]]) -> None:
        found = by_sql(batches, by_document=by_document)
        expected = Plainly(batches, by_document=by_document).told()
        assert found.landed == expected.landed
        assert found.avvik == expected.avvik
        assert found.earlier == expected.earlier
        assert len(found.landed) + len(found.avvik) == sum(len(ones) for ones in batches)
        assert not found.earlier.keys() & found.landed.keys()
        assert set(found.earlier.values()) <= found.landed.keys()

    holds()


# -- one by one ------------------------------------------------------------------------------------

A, B, C, D = (number(index) for index in range(4))


def test_the_newest_document_of_a_person_lands_wherever_it_came() -> None:
    found = by_sql(
        [[Delivered("new", A, 3), Delivered("old", A, 1)], [Delivered("never", A, None)]]
    )
    assert found.landed == {A: (0, 0)}
    assert found.avvik == {(0, 1): ("duplikat", OLDER, A), (1, 0): ("duplikat", OLDER, A)}


def test_of_equally_new_documents_the_later_place_lands() -> None:
    assert by_sql([[Delivered("x", A), Delivered("y", A)], [Delivered("z", A)]]).landed == {
        A: (1, 0)
    }


def test_the_same_document_delivered_twice_is_told_as_that() -> None:
    found = by_sql([[Delivered("same", A)], [Delivered("same", A)]])
    assert found.avvik == {(0, 0): ("duplikat", TWICE, A)}


def test_a_number_that_ended_in_anothers_document_has_gone_over() -> None:
    found = by_sql([[Delivered("a", A, 1), Delivered("b", B, 1, ((A, "opphoert"),))]])
    assert found.landed == {B: (0, 1)}
    assert found.avvik == {(0, 0): ("sammenslaatt", OTHER_PERSON, B)}
    assert found.earlier == {A: B}


def test_a_number_in_use_is_nobody_elses() -> None:
    found = by_sql([[Delivered("a", A, 1), Delivered("b", B, 1, ((A, "iBruk"),))]])
    assert set(found.landed) == {A, B}
    assert found.earlier == {}


def test_a_chain_of_mergers_ends_at_its_last() -> None:
    found = by_sql(
        [
            [Delivered("a", A), Delivered("b", B, 1, ((A, "opphoert"),))],
            [Delivered("c", C, 1, ((B, "opphoert"),)), Delivered("older", A, None)],
        ]
    )
    assert set(found.landed) == {C}
    assert {to for _, _, to in found.avvik.values()} == {C}
    assert found.earlier == {A: C, B: C}


def test_in_a_ring_the_one_with_the_newest_document_goes_on() -> None:
    found = by_sql(
        [
            [
                Delivered("a", A, 1, ((C, "opphoert"),)),
                Delivered("b", B, 3, ((A, "opphoert"),)),
                Delivered("c", C, 2, ((B, "opphoert"),)),
                Delivered("d", D, 1),
            ]
        ]
    )
    assert set(found.landed) == {B, D}
    assert found.earlier == {A: B, C: B}


def test_of_two_who_claim_a_number_the_newest_gets_it() -> None:
    old = number(9)
    found = by_sql(
        [[Delivered("a", A, 2, ((old, "opphoert"),)), Delivered("b", B, 1, ((old, "opphoert"),))]]
    )
    assert set(found.landed) == {A, B}
    assert found.earlier == {old: A}


def test_a_claim_in_an_older_document_counts_no_longer() -> None:
    split_again = [
        Delivered("before", B, 1, ((A, "opphoert"),)),
        Delivered("after", B, 2),
        Delivered("a", A, 2),
    ]
    assert set(by_sql([split_again]).landed) == {A, B}


def test_of_a_persons_numbers_in_a_selection_the_current_one_lands() -> None:
    batches = [[Delivered(A, B), Delivered(B, B), Delivered(A, B), Delivered(B, B)]]
    found = by_sql(batches, by_document=False)
    assert found.landed == {B: (0, 3)}
    assert found.avvik == {
        (0, 0): ("sammenslaatt", OTHER_NUMBER, B),
        (0, 1): ("duplikat", TWICE, B),
        (0, 2): ("sammenslaatt", OTHER_NUMBER, B),
    }
    assert found.earlier == {A: B}


def test_the_current_number_lands_wherever_it_came() -> None:
    for order in ([A, B], [B, A]):
        found = by_sql([[Delivered(one, B) for one in order]], by_document=False)
        assert found.landed == {B: (0, order.index(B))}
        assert found.avvik == {(0, order.index(A)): ("sammenslaatt", OTHER_NUMBER, B)}


def test_a_documents_word_on_an_old_number_weighs_more_than_under_which_it_was_asked_for() -> None:
    found = by_sql([[Delivered(A, B), Delivered(C, C, 1, ((A, "opphoert"),))]], by_document=False)
    assert found.earlier == {A: C}


def test_a_current_number_is_never_told_as_merged_into_itself() -> None:
    changed_meanwhile = [[Delivered(B, B, 1), Delivered(A, B, 2)]]
    found = by_sql(changed_meanwhile, by_document=False)
    assert found.avvik == {(0, 0): ("duplikat", OLDER, B)}


def test_what_did_not_come_is_told_with_its_reason() -> None:
    found = by_sql([[Delivered("x", utfall="borte"), Delivered("y", utfall="feilet")]])
    assert found.avvik == {(0, 0): ("borte", "grunn", None), (0, 1): ("feilet", "grunn", None)}


def test_no_batch_and_empty_batches_give_nobody() -> None:
    assert by_sql([]) == Resolved({}, {}, {})
    assert by_sql([[], []]) == Resolved({}, {}, {})


def test_a_document_without_a_person_stays_unexplained() -> None:
    came = [[Delivered("lost", None, utfall="dokument"), Delivered("a", A)]]
    with resolved(came) as (connection, _):
        assert connection.sql("SELECT count(*) FROM landed").fetchall() == [(1,)]
        assert connection.sql("SELECT count(*) FROM avvik").fetchall() == [(0,)]


# -- where persons go ------------------------------------------------------------------------------


def test_documents_are_told_by_bucket_and_by_the_persons_key() -> None:
    came = [[Delivered("a", A), Delivered("a", A)], [], [Delivered("b", B), Delivered("c", C)]]
    with resolved(came) as (connection, plain):
        connection.execute("DELETE FROM landed WHERE batch = 2")  # they are plain
        found = landed_documents(connection, 4, plain)
    told = [
        (bucket, key, batch, place)
        for bucket, documents in enumerate(found)
        for key, batch, place in zip(
            documents.keys, documents.batches, documents.places, strict=True
        )
    ]
    expected = [(A, 0, 1), (B, 2, 0), (C, 2, 1)]
    assert told == sorted(
        (int(person) % 9973 % 4, int(person), batch, place) for person, batch, place in expected
    )
    for documents in found:
        again = Documents.from_bytes(documents.to_bytes().to_pybytes())
        for batch in (0, 1, 2):
            places = np.arange(4, dtype=np.int32)
            mine = again.of_batch(batch, places)
            assert [
                (int(documents.batches[one]), int(documents.places[one]))
                for one in mine
                if one >= 0
            ] == [(b, p) for _, _, b, p in told if b == batch and _is_in(documents, b, p)]
            assert len(mine) == 4


def _is_in(documents: Documents, batch: int, place: int) -> bool:
    return bool(((documents.batches == batch) & (documents.places == place)).any())


def test_buckets_are_even_and_the_same_for_ever() -> None:
    statement = f"SELECT {bucket_sql(key_sql('n'), 8)} FROM (SELECT unnest($numbers) AS n)"
    numbers = [f"{day:02d}01{year:02d}54321" for day in range(1, 29) for year in range(100)]
    found = [row for (row,) in duckdb.sql(statement, params={"numbers": numbers}).fetchall()]
    assert found == [int(one) % 9973 % 8 for one in numbers]
    sizes = Counter(found)
    assert set(sizes) == set(range(8))
    assert max(sizes.values()) < 1.2 * min(sizes.values())
    letters = duckdb.sql(statement, params={"numbers": ["abc", "x-1"]}).fetchall()
    assert letters == [(1671 % 8,), letters[1]]
