"""The judge sees what commands, stores and copies do wrong: each of its rules is broken once."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from freg_pipeline.synthetic import RegisterOptions, running
from freg_pipeline_tests.chaos import judge
from freg_pipeline_tests.chaos.commands import Outcome
from freg_pipeline_tests.chaos.copies import Changed, wrong_copy, wrong_delta
from freg_pipeline_tests.chaos.lookups import Asked, LookUps, repeated
from freg_pipeline_tests.chaos.places import Folder
from freg_pipeline_tests.chaos.readers import Readers
from freg_pipeline_tests.chaos.test_judge import FORMER, ONE, OTHER, PEOPLE, seen
from freg_pipeline_tests.chaos.trouble import Trouble
from freg_pipeline_tests.chaos.whom import erased_of
from freg_pipeline_tests.registers import bulk, happen, looked_up
from freg_pipeline_tests.waiting import wait_until

SECRET = "a-token-of-this-test"
KILLED = Trouble("kill", 1)


def outcome(
    code: int = 0, told: str = "", said: str = "", trouble: Trouble | None = None
) -> Outcome:
    return Outcome(("hendelser", "sync"), trouble, code, said, told)


@pytest.mark.parametrize(
    ("of", "complaint"),
    [
        (outcome(5, "Error: what"), "exit code 5"),
        (outcome(-9), "exit code -9"),
        (outcome(-11, trouble=KILLED), "exit code -11"),
        (outcome(1, "Traceback (most recent call last):\nError: what"), "surprised"),
        (outcome(0, "Exception ignored in: <function>"), "surprised"),
        (outcome(1), "0 errors"),
        (outcome(1, "Error: what\nError: and what"), "2 errors"),
    ],
)
def test_how_a_command_may_not_end(of: Outcome, complaint: str) -> None:
    assert complaint in "; ".join(of.wrong())


@pytest.mark.parametrize(
    "of",
    [
        outcome(),
        outcome(3, "Error: refused"),
        outcome(-9, trouble=KILLED),
        outcome(0, "Warning: x"),
    ],
)
def test_how_a_command_may_end(of: Outcome) -> None:
    assert of.wrong() == []


def course(folder: Path, *outcomes: Outcome, **more: Any) -> judge.Course:
    """One of which only some is asked."""
    told = {"folder": folder, "outcomes": outcomes, "secrets": [SECRET], **more}
    return cast(judge.Course, SimpleNamespace(**told))


@pytest.mark.parametrize(
    ("leak", "complaint"),
    [
        (outcome(said=f"hello {ONE}"), "says a number"),
        (outcome(told=f"hello {FORMER}"), "says a number"),
        (outcome(told=SECRET), "or a secret"),
        ("navn-{}.parquet", "file's name"),
        ("dagster/history/event_log.db", "Dagster's records"),
    ],
)
def test_what_leaks_is_seen(leak: Outcome | str, complaint: str, tmp_path: Path) -> None:
    outcomes = [outcome(said="12345678901 is nobody's")]
    (tmp_path / "dagster/history").mkdir(parents=True)
    assert [
        *judge.wrong_leaks(course(tmp_path, *outcomes), tmp_path, {ONE: ONE, FORMER: ONE})
    ] == []
    if isinstance(leak, str):
        (tmp_path / leak.format(FORMER)).write_bytes(f"of {ONE}".encode())
    else:
        outcomes.append(leak)
    (found,) = judge.wrong_leaks(course(tmp_path, *outcomes), tmp_path, {ONE: ONE, FORMER: ONE})
    assert complaint in found


def test_a_release_that_does_not_verify_is_seen(tmp_path: Path) -> None:
    said = [outcome(), outcome(1, "Error: navn.parquet is damaged")]
    bad = [[*judge.wrong_releases(course(tmp_path, run=lambda *_, one=one: one))] for one in said]
    assert bad[0] == []
    assert "navn.parquet is damaged" in bad[1][0]


@pytest.mark.parametrize(
    ("events", "complaint"), [("(7), (7)", "twice"), ("(7), (8)", "1 events that the register")]
)
def test_events_that_never_were_are_seen(events: str, complaint: str, tmp_path: Path) -> None:
    assert [*judge.wrong_events(seen(tmp_path), {7})] == []
    (tmp_path / "other").mkdir()
    of = seen(tmp_path / "other", f"INSERT INTO hendelse VALUES {events}")
    assert complaint in "; ".join(judge.wrong_events(of, {7}))


def test_a_release_that_is_behind_is_seen(tmp_path: Path) -> None:
    with running(RegisterOptions(persons=20, refused_parts=())) as url:
        last = happen(url, 3)
        right = seen(tmp_path, f"UPDATE utgivelse SET sekvensnummer = {last}")
        assert [*judge.wrong_position(right, url)] == []
        happen(url, 1)
        assert "the register at" in "; ".join(judge.wrong_position(right, url))


def test_who_was_erased_is_nowhere() -> None:
    people = {OTHER: PEOPLE[OTHER], ONE: PEOPLE[ONE]}
    assert erased_of(people, people, {FORMER}) == ({ONE}, {ONE})
    two = {FORMER: {"identifikasjonsnummer": [{"foedselsEllerDNummer": FORMER}]}}
    both = erased_of(people, {**two, OTHER: PEOPLE[OTHER], ONE: PEOPLE[OTHER]}, {FORMER})
    assert both == ({ONE}, set())  # whoever goes on for two persons may stay


def test_a_number_of_somebody_erased_in_others_rows_is_seen(tmp_path: Path) -> None:
    people = {OTHER: {**PEOPLE[OTHER], "navn": [{"fornavn": "OLA"}, {"fornavn": ONE}]}}
    fix = f"DELETE FROM person WHERE personidentifikator = '{ONE}';" + "".join(
        f"DELETE FROM {table} WHERE personidentifikator = '{ONE}';"
        for table in ("navn", "identifikasjonsnummer", "verge", "verge__omraade")
    )
    fix += "UPDATE navn SET er_gjeldende = NULL WHERE rad_nr = 1;"
    of = f"UPDATE navn SET fornavn = {{}} WHERE personidentifikator = '{OTHER}' AND rad_nr = 1"
    (tmp_path / "kept").mkdir()
    right = seen(tmp_path, fix + of.format("NULL"))
    wrong = seen(tmp_path / "kept", fix + of.format(f"'{ONE}'"))
    assert [*judge.wrong_cells(right, people, {ONE})] == []
    assert "columns fornavn" in "; ".join(judge.wrong_cells(wrong, people, {ONE}))


@pytest.mark.parametrize("form", ["text", "parquet", "whole", "name"])
def test_what_is_held_of_somebody_erased_is_seen(form: str, tmp_path: Path) -> None:
    pq.write_table(pa.table({"of": [OTHER, None], "_person": [int(OTHER), 0]}), tmp_path / "other")
    assert [*judge.still_there(tmp_path, {ONE})] == []
    if form == "parquet":
        pq.write_table(pa.table({"of": [ONE]}), tmp_path / "navn.parquet", compression="zstd")
    elif form == "whole":
        pq.write_table(pa.table({"_person": [int(ONE)]}), tmp_path / "navn.parquet")
    else:
        (tmp_path / (ONE if form == "name" else "some")).write_text(ONE if form == "text" else "")
    assert len([*judge.still_there(tmp_path, {ONE})]) == 1


def test_what_is_left_over_is_seen(tmp_path: Path) -> None:
    with running(RegisterOptions(persons=20, refused_parts=())) as url:
        place = Folder(tmp_path)
        place.catalogue = None  # as on S3, where scratch lies among this machine's own
        of = course(tmp_path, url=url, place=place, run=lambda *_: outcome())
        assert [*judge.wrong_left_over(of)] == []
        (tmp_path / "store/.tmp").mkdir(parents=True)
        (tmp_path / "store/.tmp/half").write_bytes(b"rows")
        (tmp_path / "tmp/freg-scratch-x").mkdir(parents=True)
        assert len([*judge.wrong_left_over(of)]) == 2


def looks(*of: str, service: str = "personer/bulkoppslag/arkiv") -> Asked:
    return Asked(service, frozenset(of))


@pytest.mark.parametrize(
    ("asked", "answered", "once", "complaint"),
    [
        ([looks("a", "b"), looks("c")], set(), True, ""),
        ([looks("a", "b"), looks("c"), looks("01015450068")], {"3"}, True, ""),
        ([looks("a", "b"), looks("a", "b")], {"2", "3"}, False, ""),  # the first was cut off
        ([looks("b")], {"2", "3"}, True, ""),  # one alone that the others' answer left out
        ([looks("a", "b"), looks("a", "b")], {"2", "3"}, True, "2 look-ups were made of 1"),
        ([looks("a", "b")], {"1"}, False, "made again"),
        ([looks("a")], {"1"}, False, "made again"),
        ([looks("x")], set(), False, "nobody"),
        ([looks("a", "b", "c")], set(), False, "nobody"),
    ],
)
def test_a_look_up_that_was_not_needed_is_seen(
    asked: list[Asked], answered: set[str], once: bool, complaint: str
) -> None:
    batches = {"1": {"a", "b"}, "2": {"c"}, "3": {"d" if "1" in answered else "a"}}
    found = "; ".join(repeated(asked, batches, answered, once=once))
    assert complaint in found if complaint else found == ""


def test_look_ups_are_counted_between_two_steps(tmp_path: Path) -> None:
    """A store and a register as they are, but for commands: those are done by hand."""
    documents, service = ["a" * 32, "b" * 32], "personer/bulkoppslag/arkiv"
    batch = tmp_path / "store/uttrekk/load/batches/000000.json.zst"
    answer = tmp_path / "store/uttrekk/load/answers/000000/00000.json.zst"
    for path in (batch, answer):
        path.parent.mkdir(parents=True)
    told = json.dumps({"dokumentidentifikator": documents}).encode()
    batch.write_bytes(pa.compress(told, codec="zstd", asbytes=True))
    with running(RegisterOptions(persons=20, note_lookups=True)) as url:
        counted = LookUps(url, Folder(tmp_path))

        def step(*, spot_checked: bool = False) -> list[str]:
            bulk(url, service, documents, part="navn")
            return counted.after(undisturbed=True, spot_checked=spot_checked)

        assert step() == []
        answer.write_bytes(b"kept")
        assert step() == []  # it was kept while it was asked
        assert "made again" in "; ".join(step())
        batch.unlink()  # what is purged may be made again, and of the same name
        assert "nobody" in "; ".join(step())
        batch.write_bytes(pa.compress(told, codec="zstd", asbytes=True))
        answer.unlink()
        assert step() == []
        assert counted.made == 5
        assert looked_up(url) == []


@pytest.fixture
def shown(tmp_path: Path) -> Path:
    """A catalogue."""
    seen(tmp_path)
    return tmp_path / "freg.duckdb"


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        ("DELETE FROM navn WHERE rad_nr = 1", "navn: 1 rows are missing"),
        ("INSERT INTO navn FROM navn WHERE rad_nr = 1", "navn: 0 rows are missing in the copy, 1"),
        ("UPDATE navn SET fornavn = 'KARl' WHERE fornavn = 'KARI'", "navn: 1 rows are missing"),
        ("DROP TABLE verge", "verge: 0 rows"),
        ("DELETE FROM person", "person: 2 rows are missing"),
    ],
)
def test_a_copy_that_is_otherwise_is_seen(damage: str, complaint: str, shown: Path) -> None:
    with closing(duckdb.connect()) as copy:
        copy.execute(f"ATTACH '{shown}' AS catalogue (READ_ONLY)")
        for name in ("person", "navn", "verge", "verge__omraade", "identifikasjonsnummer"):
            copy.execute(f"CREATE TABLE {name} AS FROM catalogue.{name}")
        assert [*wrong_copy(shown, copy)] == []
        copy.execute(damage)
        assert complaint in "; ".join(wrong_copy(shown, copy))


def test_a_copy_by_changes_begins_anew_only_where_it_must(tmp_path: Path) -> None:
    copy = Changed()
    copy.since, kept = "000002", copy.connection
    for code, since in ((1, "000002"), (2, "000001"), (2, "000002")):
        assert copy.connection is kept
        copy.follow(Outcome(("changes", "--since", since, "--output", "x"), None, code, "", ""))
    assert (copy.since, copy.connection is kept) == ("0", False)


def test_a_table_of_delta_that_holds_others_is_seen(shown: Path) -> None:
    from deltalake import write_deltalake

    assert "no base" in "; ".join(wrong_delta(shown.parent, shown))
    place = shown.parent / "bases/load-0/navn"
    write_deltalake(place, pa.table({"rad_nr": [0, 0, 1]}))
    assert [*wrong_delta(shown.parent, shown)] == []
    write_deltalake(place, pa.table({"rad_nr": [2]}), mode="append")
    assert "see 4 rows, others 3" in "; ".join(wrong_delta(shown.parent, shown))


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        ("UPDATE navn SET fornavn = 'KARl' WHERE fornavn = 'KARI'", "showed other rows"),
        ("DROP TABLE navn", "a reader was told"),
    ],
)
def test_readers_see_what_changes_under_them(damage: str, complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "freg.duckdb"
    seen(tmp_path, "CREATE TABLE bostedsadresse AS FROM person;")
    with Readers(path) as readers:
        wait_until(lambda: readers.reads or readers.wrong)
        assert readers.wrong == {}
        other = tmp_path / "other.duckdb"
        other.write_bytes(path.read_bytes())
        with closing(duckdb.connect(str(other))) as connection:
            connection.execute(damage)
        other.replace(path)
        wait_until(lambda: readers.wrong)
    assert complaint in "; ".join(readers.wrong)
