"""The page about a living population's release, by the command, seen in a real browser."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page

from freg_pipeline_tests.browser import DESK, PHONE, in_a_browser, overflow, seen
from freg_pipeline_tests.command import Ended
from freg_pipeline_tests.command import ended as run
from freg_pipeline_tests.conftest import RunFreg
from freg_pipeline_tests.living import Living

_CONTRAST = """
() => {
  const light = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map((one) => {
      const part = one / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const paper = light(getComputedStyle(document.body).backgroundColor);
  return Math.min(...[...document.querySelectorAll("body, .note, dt, caption, td, a, svg")]
    .map((one) => light(getComputedStyle(one).color))
    .map((ink) => (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05)));
}
"""


@pytest.fixture(scope="module")
def ended(lived: Living, tmp_path_factory: pytest.TempPathFactory) -> tuple[Ended, Path]:
    """How the command ended, and its file."""
    folder = tmp_path_factory.mktemp("page")
    done = run(("release", "report", "--store", lived.store.location), folder, {})
    return done, folder / "freg-release-000003.html"


def test_the_command_writes_a_file_and_says_where(ended: tuple[Ended, Path]) -> None:
    done, path = ended
    assert (done.code, done.stderr) == (0, "")
    assert done.stdout == f"Written: {path.name}\n"
    assert [one.name for one in path.parent.iterdir()] == [path.name]
    assert path.stat().st_mode & 0o777 == 0o600


@in_a_browser
@pytest.mark.parametrize(("width", "dark"), [(DESK, False), (PHONE, True)], ids=["desk", "phone"])
def test_the_page_is_seen_whole(ended: tuple[Ended, Path], *, width: int, dark: bool) -> None:
    with seen(ended[1].as_uri(), width=width, dark=dark) as page:
        assert page.title() == "Release 000003 of Folkeregisteret"
        assert overflow(page) <= 0
        _pictures_are_shown(page, width)
        assert page.evaluate(_CONTRAST) >= 4.5
        figures = page.get_by_text("The figures").nth(1)
        figures.click()
        assert page.get_by_role("columnheader", name="women").is_visible()
        assert page.get_by_role("rowheader", name="0–4", exact=True).is_visible()
        assert overflow(page) <= 0


def _pictures_are_shown(page: Page, width: int) -> None:
    pictures = page.get_by_role("img")
    assert pictures.count() == 5
    for picture in pictures.all():
        assert len(picture.get_attribute("aria-label") or "") > 40
        box = picture.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) > 120
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert picture.locator("path, line").count() > 10


def test_the_page_is_for_stdout_too(freg: RunFreg, lived: Living) -> None:
    done = freg("release", "report", "1", "--output", "-", "--store", lived.store.location)
    assert (done.code, done.stderr) == (0, "")
    assert done.stdout.startswith("<!doctype html>")
    assert done.stdout.endswith("</html>\n")


def test_no_other_command_pays_for_the_page() -> None:
    """What draws pictures is imported by this command alone."""
    script = (
        "import sys, freg_pipeline.cli, freg_pipeline.definitions; "
        "sys.exit(bool({'vl_convert', 'freg_pipeline.report.page'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
