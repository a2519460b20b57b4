"""Small pictures: they stay small, can be drawn, and show the report's figures and no others."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from msgspec.structs import replace

from freg_pipeline.journal.releases import require_current
from freg_pipeline.journal.stored_manifests import write_manifest
from freg_pipeline.report import small
from freg_pipeline.report.figures import LEAST, STEP, Figure, figure, largest
from freg_pipeline.report.people import BAND, OLDEST, Band, Kommuner
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.unit.lake.delivered import local_store, put_manifest
from freg_pipeline_tests.unit.report.made import person, released

COUNTS = st.integers(0, 9_000_000)
AGES = [f"{OLDEST}+", *(f"{one}–{one + BAND - 1}" for one in range(OLDEST - BAND, -1, -BAND))]
SIDE = st.lists(COUNTS, min_size=len(AGES), max_size=len(AGES))
_SVG = re.compile(r"!\[[^\]]+\]\(<data:image/svg\+xml,([^<>]+)>\)")


def drawn(picture: str) -> etree._Element:
    """The SVG of a picture, as a browser reads it."""
    found = _SVG.fullmatch(picture)
    assert found, picture
    return etree.fromstring(unquote(found[1]))


def words(picture: str) -> list[str]:
    return [one.text or "" for one in drawn(picture).iter("{*}text")]


def bands(women: list[int], men: list[int]) -> list[Band]:
    each = zip(AGES, women, men, strict=True)
    return [Band(ages, figure(one), figure(other)) for ages, one, other in each]


@given(SIDE, SIDE)
def test_a_pyramid_is_small_whatever_it_shows(women: list[int], men: list[int]) -> None:
    picture = small.pyramid(bands(women, men))
    assert len(picture) < small.MOST
    assert words(picture)[:5] == ["80", "60", "40", "20", "0"]


@given(SIDE, SIDE)
def test_a_pyramid_tells_nothing_but_what_the_figures_tell(
    women: list[int], men: list[int]
) -> None:
    """Counts that are shown alike are drawn alike."""
    rounded = [[count // STEP * STEP if count >= LEAST else 0 for count in one]
               for one in (women, men)]  # fmt: skip
    assert small.pyramid(bands(women, men)) == small.pyramid(bands(*rounded))
    widest = max(map(max, rounded)) or 1
    assert words(small.pyramid(bands(women, men)))[-2:] == [f"{widest:,}"] * 2


@given(st.dictionaries(st.text(max_size=60), COUNTS, min_size=1, max_size=400))
def test_kommuner_are_few_and_none_breaks_their_table(counts: dict[str, int]) -> None:
    shown, rest = largest(counts.items(), small.KOMMUNER)
    table = small.kommuner(Kommuner(shown, figure(rest)))
    assert len(table) < small.MOST
    lines = table.splitlines()
    assert len(lines) == 3 + len(shown)
    assert {line.count("|") for line in lines} == {4}
    told = [line.split("|")[2] for line in lines[2:]]
    assert told == [str(count) for _, count in shown] + [str(figure(rest))]


@given(st.lists(COUNTS, min_size=2, max_size=small.RELEASES))
def test_a_line_of_releases_is_small_and_stays_within_its_picture(counts: list[int]) -> None:
    told = [(f"{place:06d}", figure(count)) for place, count in enumerate(counts)]
    picture = small.releases(told)
    assert len(picture) < small.MOST
    root = drawn(picture)
    (line,) = root.iter("{*}path")
    numbers = [int(one) for one in line.get("d", "")[1:].split()]
    assert all(0 <= x <= int(root.get("width", "")) for x in numbers[::2])
    assert all(0 <= y <= int(root.get("height", "")) for y in numbers[1::2])
    assert numbers[::2] == sorted(numbers[::2])


def test_a_step_of_the_rounding_is_no_leap() -> None:
    """Beside thousands of persons five more are no line from the bottom to the top."""
    flat = small.releases([("000001", Figure(10_000)), ("000002", Figure(10_005))])
    (line,) = drawn(flat).iter("{*}path")
    first, second = (int(one) for one in line.get("d", "")[1:].split()[1::2])
    assert abs(first - second) <= 2


def test_a_release_is_drawn_without_the_protected_and_the_few(tmp_path: Path) -> None:
    store = local_store(tmp_path)
    persons = [person(place) for place in range(30)]
    persons += [person(100 + n, sex="mann", kommune="5001") for n in range(12)]
    persons += [
        person(200 + n, sex="mann", born="1950-01-01", kommune="1103", level="fortrolig")
        for n in range(11)
    ]
    persons += [person(300 + n, kommune="4601", born="1940-01-01") for n in range(LEAST - 1)]
    released(store, persons)
    told = pictures(store)
    assert list(told) == ["by_age_and_sex", "by_kommune"]
    assert words(told["by_age_and_sex"])[-1] == "30"
    (women, men) = drawn(told["by_age_and_sex"]).iter("{*}path")
    assert women.get("d", "").count("h") == men.get("d", "").count("h") == 2, "a bar each"
    assert told["by_kommune"].splitlines()[2:] == [
        "|0301|30|██████████|",
        "|5001|10|███|",
        "|all others|under 10||",
    ]


def test_releases_are_drawn_from_the_first_that_is_kept_to_the_one_that_is_told(
    tmp_path: Path,
) -> None:
    store = local_store(tmp_path)
    released(store, [person(place) for place in range(30)])
    first = require_current(store)
    for number in range(2, 60):
        last = replace(first, number=f"{number:06d}", persons=30 + number)
        write_manifest(store, last)
    told = small.small_pictures(store, last)["by_release"]
    assert words(told) == ["30", "85", "000001", "000059"]


def test_where_nothing_tells_who_is_protected_nobody_is_drawn(tmp_path: Path) -> None:
    store = local_store(tmp_path)
    released(store, [person(place) for place in range(30)])
    put_manifest(store, replace(require_current(store), parts=("navn",)))
    assert pictures(store) == {}


def test_nothing_that_draws_the_page_is_imported() -> None:
    heavy = "import freg_pipeline.report.small, sys; sys.exit('vl_convert' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", heavy], check=False).returncode == 0


def pictures(store: LocalStore) -> dict[str, str]:
    return small.small_pictures(store, require_current(store))
