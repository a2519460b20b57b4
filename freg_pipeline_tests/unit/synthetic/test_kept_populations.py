"""Large populations: made by several processes, kept on disk, made anew where that is damaged."""

from __future__ import annotations

import json
import os
import shutil
import socket
import stat
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest

from freg_pipeline.errors import ConfigurationError
from freg_pipeline.identifiers import parse
from freg_pipeline.synthetic import (
    RegisterOptions,
    SyntheticRegister,
    default_folder,
    kept,
    running,
    serving,
)
from freg_pipeline.synthetic.columns import Encoder, joined
from freg_pipeline.synthetic.directory import Directory
from freg_pipeline.synthetic.events import Event
from freg_pipeline.synthetic.households import make_people
from freg_pipeline.synthetic.numbering import number_anew
from freg_pipeline.synthetic.progress import Begin

STRETCH = 500  # persons; so that a population of a thousand and some has three
OPTIONS = RegisterOptions(persons=1_100, seed=4)
Document = dict[str, Any]


class Told:
    """What was told while a population was made."""

    def __init__(self) -> None:
        self.total: dict[str, int] = {}
        self.done: Counter[str] = Counter()

    def begin(self, what: str, total: int) -> Callable[[int], None]:
        self.total[what] = total
        return lambda more: self.done.update({what: more})


@pytest.fixture(autouse=True, scope="module")
def short_stretches() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kept, "STRETCH", STRETCH)
        yield


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one population, as it was made."""
    folder = tmp_path_factory.mktemp("cache") / "register"
    told = Told()
    SyntheticRegister(replace(OPTIONS, cache=folder), told.begin).close()
    assert told.total == told.done == {"people": 1_100, "documents": 1_100}
    return folder


@pytest.fixture
def own(cache: Path, tmp_path: Path) -> RegisterOptions:
    """Options with a copy of it, to do things to."""
    shutil.copytree(cache, tmp_path / "cache")
    return replace(OPTIONS, cache=tmp_path / "cache")


def population(options: RegisterOptions) -> Path:
    assert options.cache is not None
    (found,) = options.cache.glob("population-*")
    return found


def refuse(what: str, total: int) -> Callable[[int], None]:
    pytest.fail(f"{what} of {total} are made")


def everything(options: RegisterOptions, begin: Begin) -> tuple[list[bytes], list[Event]]:
    """All documents and events, after some life."""
    with closing(SyntheticRegister(options, begin)) as made:
        made.living.happen(150)
        log = made.archive.events
        return list(made.archive.documents()), list(log.events(range(len(log))))


def test_the_next_start_makes_nothing_and_is_the_same_register(own: RegisterOptions) -> None:
    assert everything(own, refuse) == everything(own, refuse)


def test_without_a_cache_nothing_is_left(
    own: RegisterOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make_in(folder: Path, *_: object) -> None:
        shutil.copytree(population(own), folder, dirs_exist_ok=True)

    monkeypatch.setattr(kept, "make_in", make_in)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert everything(replace(own, cache=None), refuse) == everything(own, refuse)
    assert not list(tmp_path.glob("freg-synthetic-*"))


def test_the_stretches_are_one_people(own: RegisterOptions) -> None:
    """Each number one person's, relatives by numbers that there are, both ways."""
    with closing(SyntheticRegister(own, refuse)) as made:
        archive = made.archive
        people = list(archive.people)
        assert [person.index for person in people] == list(range(1_100))
        numbers = [person.number for person in people]
        assert len(set(numbers)) == len(numbers)
        homes: dict[int, set[str]] = {}
        for person in people:
            for index in person.parents:
                assert person.index in people[index].children
            if person.spouse is not None:
                assert people[person.spouse].spouse == person.index
            if person.home is not None:
                homes.setdefault(person.home.number, set()).add(person.home.kommune.number)
            assert archive.by_number(person.number) is not None
            document = json.loads(archive.current_document(person))
            assert document["identifikasjonsnummer"][0]["foedselsEllerDNummer"] == person.number
            parse(person.number)
            for row in document.get("familierelasjon", ()):
                related = row.get("relatertPerson")
                assert related is None or related in archive.numbers
        assert all(len(kommuner) == 1 for kommuner in homes.values()), "one home, one place"
        assert any(person.merged_into is not None for person in people[STRETCH:])
        log = list(archive.events.events(range(len(archive.events))))
        for before, after in pairwise(log):
            assert before.sequence_number < after.sequence_number
            assert before.moment <= after.moment


def test_a_number_that_two_stretches_have_is_given_anew_in_the_later_one() -> None:
    """Twice the same people: each of the second's numbers, and those that they had before."""
    town = Encoder().columns(make_people(Random(3), 700))
    people = joined([town, Encoder().columns(make_people(Random(3), 700))])
    number_anew(people, 700, Random(1))
    first, second = (
        [people.person(index) for index in range(start, start + 700)] for start in (0, 700)
    )
    assert first == [town.person(index) for index in range(700)]
    of_first, of_second = ({one.number for one in town} for town in (first, second))
    assert len(of_first | of_second) == 1_400
    for one, other in zip(first, second, strict=True):
        assert other.born == one.born
        assert parse(other.number).kind == parse(one.number).kind
        assert len(other.earlier) == len(one.earlier)
        assert not {*other.earlier} & {number for one in first for number in one.earlier}
    merged = [one for one in second if one.merged_into is not None]
    assert merged
    for out in merged:
        assert out.number in people.person(out.merged_into or 0).earlier
    directory = Directory(people)
    for one in (*first, *second):
        assert directory.get(one.number) == one.index
        assert all(number in directory for number in one.earlier)
    assert "00000000000" not in directory
    assert directory.get("not a number") is None


def test_a_day_has_one_moment_at_which_rows_begin_in_all_stretches(own: RegisterOptions) -> None:
    moments: dict[str, set[str]] = {}
    with closing(SyntheticRegister(own, refuse)) as made:
        for text in made.archive.documents():
            for row in json.loads(text).get("kjoenn", ()):
                moment = row["gyldighetstidspunkt"]
                moments.setdefault(moment[:10], set()).add(moment)
    assert all(len(of_a_day) == 1 for of_a_day in moments.values())


def test_the_first_stretch_is_the_small_register_of_the_same_seed(own: RegisterOptions) -> None:
    with closing(SyntheticRegister(replace(own, persons=STRETCH))) as small:
        first = [json.loads(small.archive.document(place)) for place in range(STRETCH)]
    with closing(SyntheticRegister(own, refuse)) as large:
        assert [json.loads(large.archive.document(place)) for place in range(STRETCH)] == first


def test_what_is_damaged_or_unfinished_is_made_anew(own: RegisterOptions) -> None:
    place = population(own)
    documents = place / "documents.lz4"
    whole = documents.read_bytes()
    as_it_was = everything(own, refuse)
    left = place.with_name(f"{place.name}abc.part")
    left.mkdir()
    documents.write_bytes(whole[:1_000] + bytes([whole[1_000] ^ 1]) + whole[1_001:])
    told = Told()
    assert everything(own, told.begin) == as_it_was
    assert told.done["people"] == 1_100
    assert not left.exists()
    assert documents.read_bytes() == whole


@pytest.mark.parametrize("name", ["population.json", "people-people.npy", "blocks-ends.npy"])
@pytest.mark.parametrize("damage", ["cut", "emptied", "gone", 0.0, 0.01, 0.3, 0.5, 0.9, 1.0])
def test_any_damage_is_seen(own: RegisterOptions, name: str, damage: str | float) -> None:
    path = population(own) / name
    content = bytearray(path.read_bytes())
    if damage == "gone":
        path.unlink()
    elif isinstance(damage, float):
        content[int(damage * (len(content) - 1))] ^= 4
        path.write_bytes(content)
    else:
        path.write_bytes(content[:-1] if damage == "cut" else b"")
    with pytest.raises(BeginsAnewError):
        SyntheticRegister(own, _begins_anew)


class BeginsAnewError(Exception):
    pass


def _begins_anew(what: str, total: int) -> Callable[[int], None]:
    raise BeginsAnewError


def test_a_start_that_is_broken_off_leaves_nothing_behind(own: RegisterOptions) -> None:
    shutil.rmtree(population(own))
    with pytest.raises(BeginsAnewError):
        SyntheticRegister(own, _begins_anew)
    assert own.cache is not None
    assert [one.name for one in own.cache.iterdir()] == ["lock"]


def test_other_code_another_seed_or_number_is_another_population(
    own: RegisterOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    for other in (replace(own, seed=5), replace(own, persons=1_101)):
        with pytest.raises(BeginsAnewError):
            SyntheticRegister(other, _begins_anew)
    monkeypatch.setattr(kept, "_version", lambda: "another")
    with pytest.raises(BeginsAnewError):
        SyntheticRegister(own, _begins_anew)
    assert population(own).is_dir()


def test_the_version_is_of_every_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copied = tmp_path / "synthetic"
    shutil.copytree(Path(kept.__file__).parent, copied)
    monkeypatch.setattr(kept, "files", lambda _: copied)
    before = kept._version.__wrapped__()
    assert before == kept._version()
    words = copied / "documents" / "rare.py"
    words.write_text(words.read_text() + "# another line\n")
    assert kept._version.__wrapped__() != before


def test_few_populations_are_kept_and_none_for_long(own: RegisterOptions) -> None:
    place = population(own)
    assert own.cache is not None
    for number in range(4):
        other = own.cache / f"population-9-{number}-else"
        other.mkdir()
        os.utime(other, (2**31 - 10 + number, 2**31 - 10 + number))
    os.utime(place, (0, 0))
    with pytest.raises(BeginsAnewError):
        SyntheticRegister(replace(own, seed=6), _begins_anew)
    names = sorted(one.name for one in own.cache.iterdir())
    assert names == ["lock", "population-9-2-else", "population-9-3-else"]


def test_it_lies_in_the_user_s_cache_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere/cache")
    assert default_folder() == Path("/somewhere/cache/freg/synthetic")
    monkeypatch.setenv("XDG_CACHE_HOME", "not/absolute")
    monkeypatch.setenv("HOME", "/home/somebody")
    assert default_folder() == Path("/home/somebody/.cache/freg/synthetic")

    def nobody() -> Path:
        raise RuntimeError

    monkeypatch.setattr(Path, "home", nobody)
    assert default_folder() is None


def test_it_is_its_owner_s_alone(own: RegisterOptions, cache: Path) -> None:
    place = population(replace(own, cache=cache))
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert {stat.S_IMODE(one.stat().st_mode) for one in place.iterdir()} == {0o600}


def test_a_folder_that_cannot_be_is_told_in_a_line(own: RegisterOptions, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match=r"can't be kept in .*choose another --cache"):
        SyntheticRegister(replace(own, cache=tmp_path / "file" / "cache"))


def test_a_register_listens_when_it_is_ready_and_says_so(
    own: RegisterOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who connects while it is made is refused; then the service manager is told."""
    shutil.rmtree(population(own))
    refused = []

    @contextmanager
    def progress() -> Iterator[Begin]:
        def begin(what: str, total: int) -> Callable[[int], None]:
            del what, total
            with socket.socket() as client:
                refused.append(client.connect_ex(("127.0.0.1", port)))
            raise BeginsAnewError

        yield begin

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(BeginsAnewError), running(own, port=port, progress=progress):
        pytest.fail("it was served")
    assert refused
    assert all(refused)


def test_a_service_manager_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(10)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        serving._notify()
        assert manager.recv(100) == b"READY=1"
    serving._notify()  # a manager that is gone is no reason to stop
