"""The page's pictures: Vega-Lite's grammar, drawn as SVG by vl-convert, within this process.

A picture is part of the page itself, takes its text's colour from it, runs no script and asks for
nothing from elsewhere. It is as wide as a phone, so that its text can be read there.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import vl_convert
from lxml import etree
from markupsafe import Markup

from freg_pipeline.report.figures import Figure
from freg_pipeline.report.people import Band, Kommuner, Year

WIDTH = 270  # of what is drawn in, in CSS pixels; with labels some 350
_INK = "currentColor"  # the text's, light or dark
_FAINT = "#8888886b"
# Told from white and from near black alike, and from each other in grey and by the colour-blind.
_COLOURS = ["#3a7cc8", "#c8641e", "#5b8f2f", "#9a62b4"]
_CONFIG = {
    "background": None,
    "font": "system-ui, sans-serif",
    "view": {"stroke": None},
    "range": {"category": _COLOURS},
    "axis": {
        "labelColor": _INK,
        "titleColor": _INK,
        "domainColor": _INK,
        "tickColor": _INK,
        "gridColor": _FAINT,
        "labelFontSize": 11,
        "titleFontSize": 11,
        "titleFontWeight": "normal",
    },
    "legend": {"labelColor": _INK, "orient": "top", "title": None, "columns": 2},
    "text": {"color": _INK},
    "line": {"strokeWidth": 2.5, "strokeJoin": "round"},
}
_LINE = {"type": "line", "point": {"size": 14}, "color": _COLOURS[0]}
_COUNT = {"axis": {"format": "~s", "tickCount": 5}, "type": "quantitative"}


def pyramid(bands: Sequence[Band]) -> Markup:
    """Women to the left, men to the right, the oldest at the top."""
    rows: list[dict[str, Any]] = [
        {"age": band.ages, "who": who, "n": sign * (count.value or 0)}
        for band in bands
        for who, sign, count in (("women", -1, band.kvinner), ("men", 1, band.menn))
    ]
    widest = max(abs(row["n"]) for row in rows) or 1
    text = (
        "A population pyramid of those who live in Norway, women to the left and men to the right,"
        " by age in bands of five years; the figures are in the table after it."
    )
    return _drawn(
        "pyramid",
        text,
        rows,
        height=17 * len(bands),
        mark="bar",
        encoding={
            "y": {"field": "age", "type": "ordinal", "sort": None, "title": None},
            "x": {
                "field": "n",
                "type": "quantitative",
                "title": None,
                "scale": {"domain": [-widest, widest]},
                "axis": {"tickCount": 5, "labelExpr": "format(abs(datum.value), '~s')"},
            },
            "color": {"field": "who", "type": "nominal", "sort": ["women", "men"]},
        },
    )


def kommuner(told: Kommuner) -> Markup:
    """A bar for each of the largest kommuner."""
    rows = [{"kommune": name, "n": count.value} for name, count in told.largest]
    text = (
        "Persons who live in each of the largest kommuner, as bars, the largest at the top; the"
        " figures are in the table after it."
    )
    return _drawn(
        "kommuner",
        text,
        rows,
        height=17 * len(rows),
        mark={"type": "bar", "color": _COLOURS[0]},
        encoding={
            "y": {"field": "kommune", "type": "nominal", "sort": None, "title": None},
            "x": {"field": "n", "title": None, **_COUNT},
        },
    )


def years(name: str, text: str, told: Sequence[Year]) -> Markup:
    """A line for each kind, over the years; broken where a figure isn't shown."""
    rows = [
        {"year": one.year, "kind": kind, "n": count.value}
        for one in told
        for kind, count in one.counts.items()
    ]
    several = len(told[0].counts) > 1
    legend = {"symbolType": "stroke", "symbolSize": 300, "columnPadding": 24}
    kind = {"field": "kind", "type": "nominal", "legend": legend}
    return _drawn(
        name,
        f"{text}; the figures are in the table after it.",
        rows,
        height=170,
        mark=_LINE,
        encoding={
            "x": {
                "field": "year",
                "type": "quantitative",
                "title": None,
                "scale": {"zero": False, "nice": False},
                "axis": {"format": "d", "tickCount": 6},
            },
            "y": {"field": "n", "title": None, **_COUNT},
            **({"color": kind, "strokeDash": kind} if several else {}),
        },
    )


def releases(told: Sequence[tuple[str, date, Figure]]) -> Markup:
    """How many persons each release holds, one after the other."""
    rows = [{"release": number, "n": count.value} for number, _, count in told]
    text = "Persons by release, the newest to the right; the figures are in the table after it."
    return _drawn(
        "releases",
        text,
        rows,
        height=150,
        mark=_LINE,
        encoding={
            "x": {
                "field": "release",
                "type": "ordinal",
                "title": None,
                "axis": {"labelOverlap": True, "labelAngle": 0},
            },
            "y": {"field": "n", "title": None, "scale": {"zero": False}, **_COUNT},
        },
    )


def _drawn(name: str, text: str, rows: list[dict[str, Any]], **chart: Any) -> Markup:
    spec = {"width": WIDTH, "data": {"values": rows}, "config": _CONFIG, **chart}
    drawn = vl_convert.vegalite_to_svg(spec, vl_version="6.4", allowed_base_urls=[])
    return Markup(_embedded(drawn, name, text))  # noqa: S704  a library's, of counts


def _embedded(drawn: str, name: str, text: str) -> str:
    """An SVG as an image of the page: with a text in its place, as wide as there is room."""
    root = etree.fromstring(drawn.encode())
    for element in root.iter():
        for attribute in ("role", "aria-roledescription", "aria-label", "aria-hidden"):
            element.attrib.pop(attribute, None)
        _rename(element, name)
    width = root.attrib.pop("width")
    root.attrib.pop("height")
    root.set("role", "img")
    root.set("aria-label", text)
    root.set("style", f"max-width: {int(float(width)) * 3 // 2}px")
    return etree.tostring(root, encoding="unicode")


def _rename(element: etree._Element, name: str) -> None:
    """Names of clippings and the like are the page's: those of two pictures must differ."""
    for attribute, value in element.attrib.items():
        if attribute == "id":
            element.set(attribute, f"{name}-{value}")
        elif str(value).startswith("url(#"):
            element.set(attribute, str(value).replace("url(#", f"url(#{name}-"))
