"""Small pictures of a release, as Markdown: who it holds, and how many from release to release.

They stand beside other facts of a release in records that are kept for each of them, so that each
takes less than :data:`MOST` characters; the page's take twenty times as many. Dagster's page shows
what is shorter than that at once, and the rest behind a link. They hold the same figures as the
report, by the same rules, and are lines and words enough to be written without a library.
"""

from __future__ import annotations

from collections.abc import Sequence

from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.lake.described import described
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.lake.query import connect, reading
from freg_pipeline.report.figures import Figure, figure
from freg_pipeline.report.people import Band, Kommuner, ages_and_homes
from freg_pipeline.report.state import some_releases
from freg_pipeline.store import Store

MOST = 1_000  # characters
KOMMUNER = 12
RELEASES = 24
_WIDE, _HALF = 260, 110  # in pixels: a picture, a side of the pyramid
_BAND = 6  # high
_BAR = 10  # characters of the longest bar in a table
_TALL = 60
_INK = "#777"  # can be read on white and on near black
_WOMEN, _MEN = "#3a7cc8", "#c8641e"


def small_pictures(store: Store, manifest: Manifest) -> dict[str, str]:
    """What can be shown of a release, each as Markdown, by name; costs a look at all its persons.

    Raises:
        StoreError: the release's files can't be read.
    """
    tables = described(load_plan(store, manifest.contract))
    with connect(store, manifest, states=False) as connection, reading(store, manifest):
        bands, homes = ages_and_homes(connection, manifest, tables, KOMMUNER)
    kept = [(one, figure(count)) for one, _, count in some_releases(store, manifest, RELEASES)]
    pictures = {
        "by_age_and_sex": pyramid(bands) if bands else None,
        "by_kommune": kommuner(homes) if homes and homes.largest else None,
        "by_release": releases(kept) if len(kept) > 1 else None,
    }
    return {name: drawn for name, drawn in pictures.items() if drawn}


def pyramid(bands: Sequence[Band]) -> str:
    """Women to the left, men to the right, the oldest at the top."""
    widest = max(max(one.kvinner.value or 0, one.menn.value or 0) for one in bands) or 1
    top, foot = 12, 14 + _BAND * len(bands)
    women, men = (
        _side([sign * round(_HALF * (one.value or 0) / widest) for one in side])
        for sign, side in ((-1, [one.kvinner for one in bands]), (1, [one.menn for one in bands]))
    )
    ages = [
        _text(_HALF + 15, top + _BAND * (place + 1), one.ages.split("–")[0])
        for place, one in enumerate(bands)
        if (len(bands) - 1 - place) % 4 == 0
    ]
    words = [
        *(_text(0, 9, "women"), _text(_WIDE, 9, "men", "end")),
        *(_text(0, foot + 8, f"{widest:,}"), _text(_WIDE, foot + 8, f"{widest:,}", "end")),
    ]
    drawn = (
        f"<path fill='{_WOMEN}' d='M{_HALF + 10} {top}{women}z'/>"
        f"<path fill='{_MEN}' d='M{_WIDE - _HALF - 10} {top}{men}z'/>{''.join(ages + words)}"
    )
    return _picture("Who live in Norway, by age and sex", _WIDE, foot + 10, drawn)


def _side(widths: Sequence[int]) -> str:
    """The outline of bars that stand on one line, one below the other, as far as it differs."""
    steps = [after - before for before, after in zip([0, *widths], [*widths, 0], strict=True)]
    return f"v{_BAND}".join(f"h{step}" if step else "" for step in steps)


def kommuner(told: Kommuner) -> str:
    """A table with a bar for each of the largest kommuner."""
    most = max((count.value or 0 for _, count in told.largest), default=0) or 1
    lines = ["|kommune|persons||", "|:--|--:|:--|"]
    for name, count in told.largest:
        bar = "█" * max(1, round(_BAR * (count.value or 0) / most))
        lines.append(f"|{_plain(name)}|{count}|{bar}|")
    return "\n".join([*lines, f"|all others|{told.others}||"])


def _plain(name: str) -> str:
    """A kommune as the register gives it, which may be no number: nothing that Markdown reads."""
    return "".join(one if one.isalnum() else " " for one in name)[:12]


def releases(told: Sequence[tuple[str, Figure]]) -> str:
    """How many persons releases hold, as a line, the newest to the right."""
    counts = [count.value or 0 for _, count in told]
    least, most = min(counts), max(counts)
    # A line that fills the picture would make much of a step of the rounding.
    span = max(most - least, most // 50, 1)
    points = " ".join(
        f"{round(_WIDE * place / (len(counts) - 1))} {round(14 + _TALL * (most - count) / span)}"
        for place, count in enumerate(counts)
    )
    foot = 14 + _TALL + 14
    (first, before), (last, after) = told[0], told[-1]
    words = [
        *(_text(0, 9, before), _text(_WIDE, 9, after, "end")),
        *(_text(0, foot, first), _text(_WIDE, foot, last, "end")),
    ]
    line = f"<path fill='none' stroke='{_WOMEN}' stroke-width='2' d='M{points}'/>"
    return _picture("Persons by release", _WIDE, foot + 4, line + "".join(words))


def _text(x: int, y: int, words: object, anchor: str = "") -> str:
    where = f" text-anchor='{anchor}'" if anchor else ""
    return f"<text x='{x}' y='{y}'{where}>{words}</text>"


def _picture(title: str, wide: int, high: int, drawn: str) -> str:
    """An SVG within Markdown, with a text in its place."""
    svg = (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{wide}' height='{high}' fill='{_INK}' "
        f"font-family='sans-serif' font-size='10'>{drawn}</svg>"
    )
    for raw, escaped in (("<", "%3C"), (">", "%3E"), ("#", "%23")):
        svg = svg.replace(raw, escaped)
    return f"![{title}](<data:image/svg+xml,{svg}>)"
