"""Whatever came in which order, the current tables are those of one full load of it all.

Random registers live on by changes, merges, splits, and changes that are taken back, which leave no
newer time in a document; releases follow by full loads, deltas, compactions and kills.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from freg_pipeline.journal.releases import require_current
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.checks import run_checks
from freg_pipeline.lake.compact import begin_compaction, compact
from freg_pipeline.lake.guards import Policy
from freg_pipeline.lake.purge import purge
from freg_pipeline.lake.query import connect
from freg_pipeline.lake.release import build_release
from freg_pipeline.lake.verify import verify
from freg_pipeline.store import Store
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.contracts import field
from freg_pipeline_tests.unit.lake.delivered import (
    XSD,
    Delivery,
    deliver,
    deliver_events,
    document,
    local_store,
    navn,
    number,
)
from freg_pipeline_tests.unit.lake.kills import Dying, KilledError

PERSONS = 6
LONG_AGO = 1  # the day of what holds again
WHATEVER = Policy(allow_incomplete=True, allow_fewer=True)  # nobody may be left
# A contract that has gained a column.
GROWN = XSD.replace(
    field("etternavn").encode(),
    (field("etternavn") + field("kortnavn", "xs:string", 'minOccurs="0"')).encode(),
    1,
)
Person = int
# A course costs seconds. What is drawn anew each time looks for more than what is always the same.
EXAMPLES = 6 if settings().derandomize else 12


class Register:
    """The documents of the persons there are; what happens to them, and whom events name."""

    def __init__(self) -> None:
        self.day = 1
        self.documents: dict[Person, dict[str, Any]] = {}
        self.numbers: dict[Person, list[Person]] = {}
        self.touched: set[Person] = set()
        self.taken_back: set[Person] = set()
        self.xsd = XSD

    def change(self, person: Person, names: list[str]) -> None:
        """Of whoever has the number, born now if nobody has."""
        person = next((who for who, had in self.numbers.items() if person in had), person)
        self.numbers.setdefault(person, [])
        self._write(person, names)

    def annul(self, person: Person) -> None:
        """The last change was wrong: what the document says was recorded long ago."""
        if person in self.numbers:
            self._write(person, ["Igjen"], LONG_AGO)

    def merge(self, goes_on: Person, goes_out: Person) -> None:
        """The number of one becomes one of the other's."""
        if goes_out in self.numbers and goes_on in self.numbers and goes_on != goes_out:
            self.numbers[goes_on] += [goes_out, *self.numbers.pop(goes_out)]
            self._write(goes_on, ["Samlet"])
            self.documents[goes_out] = document(number(goes_out), day=self.day, status="opphoert")
            self.touched.add(goes_out)

    def split(self, person: Person) -> None:
        """The last number that came is a person's own again."""
        if self.numbers.get(person):
            apart = self.numbers[person].pop()
            self.numbers[apart] = []
            self._write(person, ["Delt"], LONG_AGO)
            self._write(apart, ["Igjen"], LONG_AGO)

    def remove(self, person: Person) -> None:
        """The register no longer has the person."""
        if person in self.numbers and not self.numbers[person]:
            del self.numbers[person], self.documents[person]
            self.touched.add(person)

    def settle(self) -> None:
        """What has happened until now is known."""
        self.touched.clear()
        self.taken_back.clear()

    def _write(self, person: Person, names: list[str], day: int | None = None) -> None:
        self.day += 1
        if day is not None:
            self.taken_back.add(person)
        more = {"kortnavn": "k"} if self.xsd is GROWN else {}
        self.documents[person] = document(
            number(person),
            *(number(one) for one in self.numbers[person]),
            day=day or self.day,
            navn=[{**navn(name), **more} for name in names],
            brukAvSamiskSpraak=[{"spraak": ["nordsamisk"]}][: len(names)],
        )
        self.touched.add(person)


person = st.integers(0, PERSONS - 1)
happening = st.one_of(
    st.tuples(st.just("change"), person, st.lists(st.sampled_from(["Ada", "Bo"]), max_size=2)),
    st.tuples(st.just("annul"), person),
    st.tuples(st.just("merge"), person, person),
    st.tuples(st.just("split"), person),
    st.tuples(st.just("remove"), person),
)
step = st.one_of(
    st.tuples(
        st.just("sync"),
        st.lists(happening, max_size=4),
        st.booleans(),
        st.integers(0, 40),
        st.booleans(),
    ),
    st.tuples(st.just("compact"), st.integers(0, 30), st.booleans()),
    st.tuples(st.just("load")),
    st.tuples(st.just("grow")),
    st.tuples(st.just("purge")),
)


def run(store: LocalStore, steps: list[Any]) -> Register:
    register = Register()
    for index in range(3):
        register.change(index, [f"Person {index}"])
    position = load(store, register, 0)
    for kind, *told in steps:
        if kind == "sync":
            happenings, by_document, kill, after = told
            for what, *arguments in happenings:
                getattr(register, what)(*arguments)
            position = sync(store, register, position, by_document, kill, after)
        elif kind == "load":
            position = load(store, register, position)
        elif kind == "compact":
            kill, after = told
            killed(store, kill, after, fold)
            fold(store)
        elif kind == "grow":
            register.xsd = GROWN
        else:
            purge(store, keep=1)
    return register


def load(store: Store, register: Register, position: int) -> int:
    position += 10
    documents = [(f"d-{who}-{position}", made) for who, made in register.documents.items()]
    build_release(
        store,
        deliver(store, f"load-{position}", documents, xsd=register.xsd, sekvensnummer=position),
        policy=WHATEVER,
    )
    register.settle()
    return position


def sync(
    store: LocalStore,
    register: Register,
    position: int,
    by_document: bool,
    kill: int,
    after: bool,
) -> int:
    batches = looked_up(register, position, by_document)
    uttrekk = deliver_events(store, position, position + 10, *batches, xsd=register.xsd)

    def release(dying: Any) -> None:
        build_release(dying, Uttrekk(dying, uttrekk.name), policy=WHATEVER)

    killed(store, kill, after, release)
    build_release(store, uttrekk, policy=WHATEVER)
    register.settle()
    return position + 10


def looked_up(register: Register, position: int, by_document: bool) -> list[list[Delivery]]:
    """By the documents that events point to; or by number, and again what looks older."""
    touched = sorted(register.touched)
    there = [who for who in touched if who in register.documents]
    if by_document:
        gone = [who for who in touched if who not in register.documents]
        return [
            [(f"d-{who}-{position}", register.documents[who]) for who in there],
            [(number(who), "finnes ikke") for who in gone],
        ]
    again = [who for who in there if who in register.taken_back]
    return [
        [(number(who), register.documents.get(who, "finnes ikke")) for who in touched],
        [(number(who), register.documents[who]) for who in again],
    ]


def killed(store: LocalStore, kill: int, after: bool, work: Any) -> None:
    try:
        work(Dying(store, kill, after))
    except KilledError:
        assert verify(store) == []


def fold(store: Store) -> None:
    compaction = begin_compaction(store)
    if compaction is not None:
        compact(store, compaction, lambda _: None)


def content(store: Store) -> dict[str, list[Any]]:
    """All tables that documents give; without where they came from."""
    manifest = require_current(store)
    aside = {"avvik", "ukjent_felt", "hendelse", "hendelse_egenskap"}
    with connect(store, manifest, states=False) as connection:
        found = {
            name: connection.sql(f'FROM "{name}" ORDER BY ALL').fetchall()
            for name in manifest.tables
            if name not in aside | {"person"}
        }
        found["person"] = connection.sql(
            "SELECT personidentifikator FROM person ORDER BY 1"
        ).fetchall()
    return found


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(step, min_size=1, max_size=6))
def test_the_current_tables_are_those_of_a_full_load(steps: list[Any]) -> None:
    assume(any(kind == "sync" for kind, *_ in steps))
    with tempfile.TemporaryDirectory() as folder:
        store = local_store(Path(folder) / "one")
        register = run(store, steps)
        fresh = local_store(Path(folder) / "fresh")
        load(fresh, register, 0)
        grown, plain = content(store), content(fresh)
        assert {name: rows for name, rows in grown.items() if name != "navn"} == {
            name: rows for name, rows in plain.items() if name != "navn"
        }
        width = min(len(row) for row in [*grown["navn"], *plain["navn"], range(99)])
        assert [row[:width] for row in grown["navn"]] == [row[:width] for row in plain["navn"]]
        assert verify(store) == []
        failed = [one for one in run_checks(store) if not one.passed]
        assert [one for one in failed if one.check.severity == "error"] == []
