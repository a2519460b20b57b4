"""The page about a release: what it shows, of whom it shows nothing, and how it is written."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import msgspec
import pytest
from lxml import html

from freg_pipeline.errors import ConfigurationError, StoreError
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.pointer import report_key
from freg_pipeline.journal.releases import require_current
from freg_pipeline.lake.described import described
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.lake.purge import purge
from freg_pipeline.lake.query import connect
from freg_pipeline.lake.release import build_release
from freg_pipeline.report.page import page_of, report_name, write_report
from freg_pipeline.report.people import People, people
from freg_pipeline.store import Store
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.unit.lake.delivered import (
    SELECTION,
    copy_of,
    deliver_events,
    local_store,
    number,
    put_manifest,
)
from freg_pipeline_tests.unit.report.made import XSD, person, released

WOMEN, MEN, PROTECTED = 30, 12, 11


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> LocalStore:
    """Women in 0301, fewer men in 5001, and protected men of another age in a third kommune."""
    store = local_store(tmp_path_factory.mktemp("made"))
    persons = [person(place) for place in range(WOMEN)]
    persons += [person(100 + n, sex="mann", kommune="5001") for n in range(MEN)]
    persons += [
        person(200 + n, sex="mann", born="1950-01-01", kommune="1103", level="fortrolig")
        for n in range(PROTECTED)
    ]
    released(store, persons)
    return store


@pytest.fixture
def store(made: LocalStore, tmp_path: Path) -> LocalStore:
    return copy_of(made, tmp_path)


def told(store: Store, manifest: Manifest) -> People | None:
    with connect(store, manifest) as connection:
        return people(connection, manifest, described(load_plan(store, manifest.contract)))


def text_of(page: str) -> str:
    """What is written on a page, but in its pictures."""
    root = html.document_fromstring(page)
    for one in [*root.iter("style", "svg")]:
        one.drop_tree()
    return " ".join(" ".join(root.itertext()).split())


def test_the_page_tells_what_the_release_is(made: LocalStore) -> None:
    page = page_of(made, require_current(made))
    text = text_of(page)
    for expected in (
        "Release 000001",
        "syntetisk, offentlig-med-hjemmel",
        "All checks passed",
        "landed 53",
        "Protected persons: 10",
        "The documents held no field that the contract doesn't know",
    ):
        assert expected in text
    assert page.count("<svg") == 3  # there is one release only, and nobody was born lately
    assert "<script" not in page
    assert not re.search(r"(?:src|href)=\"(?!#|data:)", page)


def test_figures_are_those_of_the_persons(made: LocalStore) -> None:
    found = told(made, require_current(made))
    assert found is not None
    assert found.pyramid is not None
    by_age = {band.ages: (str(band.kvinner), str(band.menn)) for band in found.pyramid}
    age = 2026 - 1990
    (ages,) = [ages for ages in by_age if ages.startswith(f"{age // 5 * 5}–")]
    assert by_age.pop(ages) == ("30", "10")
    assert set(by_age.values()) == {("under 10", "under 10")}
    assert found.kommuner is not None
    assert [(name, str(count)) for name, count in found.kommuner.largest] == [
        ("0301", "30"),
        ("5001", "10"),
    ]
    assert found.births is None  # all of them longer ago
    assert found.moves is not None
    moved = {one.year: {kind: str(n) for kind, n in one.counts.items()} for one in found.moves}
    assert moved[2024] == {"between kommuner": "40"}
    assert moved[2023] == {"between kommuner": "under 10"}


def test_protected_persons_are_in_totals_only(made: LocalStore) -> None:
    manifest = require_current(made)
    found = told(made, manifest)
    assert found is not None
    assert str(found.protected) == "10"
    text = text_of(page_of(made, manifest))
    assert "1103" not in text
    assert "5001" in text


def test_who_is_protected_today_is_in_no_earlier_page(store: LocalStore) -> None:
    changed = [(number(place), person(place, level="fortrolig")[1]) for place in range(15)]
    for _, one in changed:
        for row in [row for rows in one.values() for row in rows]:
            row["ajourholdstidspunkt"] = "2026-05-20T08:00:00+02:00"
    build_release(store, deliver_events(store, 100, 200, changed, xsd=XSD))
    now = told(store, require_current(store))
    before = told(store, require_current(store).at(100))
    for found in (now, before):
        assert found is not None
        assert str(found.protected) == "25"
        assert found.kommuner is not None
        assert dict(found.kommuner.largest).keys() == {"0301", "5001"}
        assert str(dict(found.kommuner.largest)["0301"]) == "15"
    write_report(store, Path(store.location) / "page.html", "1")
    page = (Path(store.location) / "page.html").read_text()
    assert "isn't the current release" in page
    assert "Persons by release" in text_of(page_of(store, require_current(store)))


def test_where_nothing_tells_who_is_protected_nothing_is_told_of_persons(
    store: LocalStore,
) -> None:
    manifest = msgspec.structs.replace(require_current(store), parts=("navn", "kjoenn"))
    put_manifest(store, manifest)
    page = page_of(store, manifest)
    assert "doesn't tell who is protected" in page
    assert "<svg" not in page
    assert "5001" not in page


@pytest.mark.parametrize("persons", [0, 3])
def test_few_persons_and_none_make_a_page_too(tmp_path: Path, persons: int) -> None:
    store = local_store(tmp_path)
    manifest = released(store, [person(place) for place in range(persons)], SELECTION)
    text = text_of(page_of(store, manifest))
    assert "under 10 persons" in text
    assert "0301" not in text
    assert " person under 10 – " in text


def test_nothing_personal_is_in_the_page(tmp_path: Path) -> None:
    """Not even by way of what the contract doesn't know."""
    store = local_store(tmp_path)
    odd = {"<script>alert(1)</script>": "Hemmeligsen", "41819077302": 1, "nytt": "Hemmeligsen"}
    coded = [{"erGjeldende": True, "kjoenn": "<b>ukjent</b>"}]
    persons = [person(n, navn=[{"fornavn": "Navnløs", **odd}], kjoenn=coded) for n in range(20)]
    persons.append(person(99, kjoenn=[{"erGjeldende": True, "kjoenn": "Hemmeligsen"}]))
    page = page_of(store, released(store, persons))
    assert "<script" not in page
    assert "<b>" not in page
    assert "&lt;b&gt;ukjent&lt;/b&gt;" in page
    assert "nytt" in page
    for secret in ("Hemmelig", "Navnløs", "vei", "41819077302", *map(number, range(20))):
        assert secret not in page
    assert not re.search(r"\d{11}", text_of(page))


def test_a_page_is_a_private_file_whole_or_not_at_all(store: LocalStore, tmp_path: Path) -> None:
    output = tmp_path / "page.html"
    assert write_report(store, output) == output
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
    whole = output.read_bytes()
    assert whole.rstrip().endswith(b"</html>")
    for file in require_current(store).tables["foedsel"].files:
        store.delete(file.key)
    with pytest.raises(StoreError, match=r"foedsel/0000\.parquet .* is gone"):
        write_report(store, output)
    assert output.read_bytes() == whole
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_there_is_no_page_of_no_release(store: LocalStore, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no release"):
        write_report(store, tmp_path / "page.html", "7")
    with pytest.raises(ConfigurationError, match="no release yet"):
        write_report(LocalStore(tmp_path / "empty"), tmp_path / "page.html")
    with pytest.raises(ConfigurationError, match="--output"):
        write_report(store, tmp_path / "nowhere" / report_name("000001"))


def test_a_page_in_the_store_goes_with_its_release(store: LocalStore) -> None:
    key = report_key("000001")
    store.replace(key, b"<!doctype html>")
    build_release(store, deliver_events(store, 100, 200, [(number(0), person(0)[1])], xsd=XSD))
    assert purge(store, "1") == ["000001"]
    assert not store.exists(key)


def test_a_kommune_of_any_text_is_shown_as_text(tmp_path: Path) -> None:
    store = local_store(tmp_path)
    odd = "</text><script>\x01\x1b[2J\u202e&" + "9" * 5_000
    people_there = [person(place, kommune=odd) for place in range(12)]
    page = page_of(store, released(store, people_there))
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert not re.search("[\x01\x1b\u202e]|9{100}", page)
