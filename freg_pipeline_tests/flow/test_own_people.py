"""A list, a search or a selection follows its own people, whatever becomes of them, and only them.

Numbers that are going to change are found out from a twin: a register of the same seed, in which
the same things have happened.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from freg_pipeline.client import Register, SoekKriterier, TilpassetKriterier
from freg_pipeline.course import collect
from freg_pipeline.envelope import match, numbers_of, parse
from freg_pipeline.errors import DamagedError
from freg_pipeline.lake.query import connect, query
from freg_pipeline.lake.release import build_release
from freg_pipeline.settings import Settings, load
from freg_pipeline.store import Store, open_store
from freg_pipeline.store.local import LocalStore
from freg_pipeline.synthetic import RegisterOptions, running
from freg_pipeline_tests.held import numbers_held
from freg_pipeline_tests.loads import full_load, list_load, search_load, sync
from freg_pipeline_tests.registers import altered, events_of, happen
from freg_pipeline_tests.tables import difference
from freg_pipeline_tests.unit.lake.kills import Dying, KilledError

OPTIONS = RegisterOptions(persons=1_000, batch_size=600, ready_after_seconds=0.02, seed=3)
# What gives a person another number: a wrong one put right, another legal sex, a foedselsnummer
# after a D-number, two registrations that turn out to be one.
KINDS = (
    "endringIIdentifikasjonsnummer",
    "endringIKjoenn",
    "personErBosatt",
    "personErViderefoertSomGjeldendeVedSammenslaaing",
)
WOMEN = TilpassetKriterier(personstatustyper=("aktiv", "bosatt"), kjoenn="kvinne")


@dataclass(frozen=True)
class Changed:
    """What is going to happen.

    Attributes:
        goes_on: by kind of event, each number that goes out with it and the one that goes on.
    """

    goes_on: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def numbers(self) -> list[str]:
        return [number for pairs in self.goes_on.values() for number in pairs]


def let_happen(url: str) -> dict[str, list[str]]:
    """By kind, whom events of it concern."""
    concerned = {}
    for kind in KINDS:
        before = happen(url, 0)
        happen(url, 10, type=kind)
        concerned[kind] = [
            event["hendelse"]["folkeregisteridentifikator"]
            for event in events_of(url, before + 1)
            if event["hendelse"]["hendelsetype"] == kind
        ]
    happen(url, 150)
    return concerned


def numbers_by(url: str, asked: Collection[str]) -> dict[str, list[str]]:
    """The numbers that the register tells of a person, the current one first."""

    async def told() -> dict[str, list[str]]:
        async with Register.from_settings(load(base_url=url)) as register:
            parts = ("identifikasjonsnummer", "historikk")
            wanted = list(asked)
            answer = await register.personer.bulkoppslag(wanted, parts)
            found = zip(wanted, match(wanted, parse(answer.body)), strict=True)
            return {one: numbers_of(oppslag and oppslag.person) for one, oppslag in found}

    return asyncio.run(told()) if asked else {}


@pytest.fixture(scope="module")
def changed() -> Changed:
    with running(OPTIONS) as twin, running(OPTIONS) as before:
        concerned = let_happen(twin)
        found = Changed()
        for kind, numbers in concerned.items():
            told = numbers_by(twin, dict.fromkeys(numbers))
            goes_on = {old: told[one][0] for one in told for old in told[one][1:]}
            now = numbers_by(before, goes_on)
            found.goes_on[kind] = {
                old: new for old, new in goes_on.items() if now[old][:1] == [old]
            }
    assert all(len(pairs) > 1 for pairs in found.goes_on.values())
    return found


def everyone(settings: Settings, changed: Changed) -> None:
    full_load(settings)


def women(settings: Settings, changed: Changed) -> None:
    full_load(settings, WOMEN)


def found_women(settings: Settings, changed: Changed) -> None:
    search_load(settings, SoekKriterier(kjoenn="kvinne"))


def listed(settings: Settings, changed: Changed) -> None:
    list_load(settings, changed.numbers)


CASES = [
    (everyone, {"parts": "navn"}),
    (women, {}),
    (women, {"parts": "navn", "answer_format": "xml"}),
    (found_women, {"parts": "navn,historikk"}),
    (found_women, {"answer_format": "xml"}),
    (listed, {}),
    (listed, {"parts": "navn"}),
    (listed, {"parts": "person-basis", "answer_format": "xml"}),
    (listed, {"parts": "navn", "rettighetspakke": "offentlig-uten-hjemmel"}),
]
UTEN_HJEMMEL = "api/offentligutenhjemmel"  # whose events point to no documents


@pytest.mark.parametrize(
    ("begin", "chosen"), CASES, ids=[f"{one.__name__}-{chosen}" for one, chosen in CASES]
)
def test_whoever_gets_another_number_goes_on_in_every_kind_of_uttrekk(
    begin: Callable[..., None], chosen: dict[str, Any], changed: Changed, tmp_path: Path
) -> None:
    with running(OPTIONS) as url:
        address = url
        if "rettighetspakke" in chosen:
            address = url.replace("offentlig-med-hjemmel/api", UTEN_HJEMMEL)
        store = str(tmp_path / "store")
        settings = load(base_url=address, store=store, poll_seconds=0.02, **chosen)
        begin(settings, changed)
        before = persons(settings)
        let_happen(url)

        sync(settings)

        after = persons(settings)
        earlier = dict(query(open_store(settings), "FROM tidligere_identifikator").fetchall())
        for kind, pairs in changed.goes_on.items():
            mine = {old: new for old, new in pairs.items() if old in before}
            assert mine, kind
            assert {old: earlier.get(old) for old in mine} == mine, kind
            assert after.isdisjoint(mine), kind
        told = numbers_by(url, sorted(before))
        goes_on = {numbers[0] for numbers in told.values() if numbers}
        assert goes_on <= after
        if begin in {listed, found_women}:  # nobody else comes in
            assert goes_on == after


@pytest.mark.parametrize("begin", [everyone, women, listed])
def test_events_that_tell_no_number_are_followed_by_their_documents(
    begin: Callable[..., None], changed: Changed, tmp_path: Path
) -> None:
    def without_numbers(page: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for event in page:
            event["hendelse"].pop("folkeregisteridentifikator")
        return page

    with running(OPTIONS) as url, altered(url, "/hendelser/feed", without_numbers) as silent:
        found = []
        for name, address in {"told": url, "silent": silent}.items():
            settings = load(base_url=address, store=str(tmp_path / name), poll_seconds=0.02)
            begin(settings, changed)
            found.append(settings)
        let_happen(url)
        for settings in found:
            sync(settings)
        told, silently = found
        assert difference(open_store(silently), open_store(told)) == {}


def test_a_number_that_is_nobodys_yet_is_waited_for(tmp_path: Path) -> None:
    kind = "personErOpprettet"
    with running(OPTIONS) as twin:
        before = happen(twin, 0)
        happen(twin, 8, type=kind)
        born = [
            event["hendelse"]["folkeregisteridentifikator"]
            for event in events_of(twin, before + 1)
            if event["hendelse"]["hendelsetype"] == kind
        ]
        somebody = events_of(twin)[0]["hendelse"]["folkeregisteridentifikator"]
    with running(OPTIONS) as url:
        settings = load(base_url=url, store=str(tmp_path / "store"), poll_seconds=0.02)
        manifest = list_load(settings, [born[0], somebody])
        assert (manifest.accounting.gone, manifest.persons) == (1, 1)
        happen(url, 8, type=kind)
        sync(settings)
        assert persons(settings) == {born[0], somebody}


def persons(settings: Settings) -> set[str]:
    rows = query(open_store(settings), "SELECT personidentifikator FROM person").fetchall()
    return {number for (number,) in rows}


@pytest.fixture(scope="module")
def behind(changed: Changed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A store of a list, with names alone, that is behind its register."""
    store = str(tmp_path_factory.mktemp("list") / "store")
    with running(OPTIONS) as url:
        settings = load(base_url=url, store=store, poll_seconds=0.02, parts="navn")
        listed(settings, changed)
        let_happen(url)
        yield settings


@pytest.fixture(scope="module")
def own(behind: Settings, changed: Changed) -> set[str]:
    """Every number of the list's persons."""
    told = numbers_by(str(behind.base_url), changed.numbers).values()
    return {*changed.numbers, *(number for numbers in told for number in numbers)}


def strangers(folder: str, own: set[str]) -> dict[str, int]:
    """By file, how many numbers of others are in it."""
    held = numbers_held(folder)
    return {name: len(numbers - own) for name, numbers in held.items() if numbers - own}


def copied(behind: Settings, folder: Path) -> Settings:
    shutil.copytree(behind.store, folder / "store")
    return behind.model_copy(update={"store": str(folder / "store")})


def test_nothing_of_strangers_is_kept_anywhere(
    behind: Settings, own: set[str], tmp_path: Path
) -> None:
    settings = copied(behind, tmp_path)
    sync(settings)
    assert strangers(settings.store, own) == {}
    rows = query(open_store(settings), "SELECT DISTINCT entitet FROM hendelse_egenskap").fetchall()
    assert {entity for (entity,) in rows} <= {"navn"}
    assert query(open_store(settings), "FROM identifikasjonsnummer").fetchall() == []


@pytest.mark.parametrize("selected", [women, found_women])
def test_of_strangers_events_no_table_and_no_page_is_kept(
    selected: Callable[..., None], changed: Changed, tmp_path: Path
) -> None:
    with running(OPTIONS) as url:
        settings = load(base_url=url, store=str(tmp_path / "store"), poll_seconds=0.02)
        selected(settings, changed)
        let_happen(url)
        (taken,) = sync(settings)
        store = open_store(settings)
        told = numbers_by(url, sorted(persons(settings))).values()
        mine = {number for numbers in told for number in numbers}
        concerned = query(store, "SELECT folkeregisteridentifikator FROM hendelse").fetchall()
        assert 0 < len(concerned) < taken.events
        assert {number for (number,) in concerned} <= mine
        orphans = query(store, "FROM hendelse_egenskap ANTI JOIN hendelse USING (sekvensnummer)")
        assert orphans.fetchall() == []
        assert strangers(f"{settings.store}/uttrekk/{taken.uttrekk.name}/feed", mine) == {}


def test_killed_at_any_instant_a_list_loses_nobody_and_keeps_no_stranger(
    behind: Settings, own: set[str], tmp_path: Path
) -> None:
    whole = copied(behind, tmp_path / "whole")
    sync(whole)
    events = told_of_events(whole)
    for changes in range(0, 90, 7):
        settings = copied(behind, tmp_path / str(changes))
        died = dies(settings, changes)
        assert strangers(settings.store, own) == {}
        sync(settings)
        assert difference(open_store(settings), open_store(whole)) == {}
        assert told_of_events(settings) == events
        if not died:
            return
    pytest.fail("the sync never came to its end")


def told_of_events(settings: Settings) -> list[list[tuple[Any, ...]]]:
    with closing(connect(open_store(settings))) as connection:
        return [
            connection.execute(f"FROM {table} ORDER BY ALL").fetchall()
            for table in ("hendelse", "hendelse_egenskap", "avvik")
        ]


@pytest.mark.parametrize("harm", ["gone", "damaged"])
def test_damage_to_what_was_kept_of_the_list_is_told(
    harm: str, behind: Settings, tmp_path: Path
) -> None:
    settings = copied(behind, tmp_path)
    dies(settings, 14)
    (kept,) = Path(settings.store).glob("uttrekk/hendelser-*/feed/egne.json")
    if harm == "gone":
        kept.unlink()
    else:
        kept.write_bytes(kept.read_bytes().replace(b"endringI", b"endringJ", 1))
    with pytest.raises(DamagedError, match=f"feed/egne.json .* is {harm}"):
        sync(settings)


def dies(settings: Settings, changes: int) -> bool:
    """Sync with a store that works for so many changes; whether it ended before its end."""
    dying = Dying(LocalStore(Path(settings.store)), changes, after=changes % 2 == 0)

    async def collected() -> None:
        async with Register.from_settings(settings) as register:
            store = cast(Store, dying)
            taken = await collect(store, register, settings, lambda what, total: lambda more: None)
        if taken is not None:
            build_release(store, taken.uttrekk)

    try:
        asyncio.run(collected())
    except KilledError:
        return True
    return False
