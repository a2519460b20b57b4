"""A real browser: Debian's chromium, without a network, in which pages of ours are seen."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, sync_playwright

from freg_pipeline_tests.waiting import STUCK_SECONDS

CHROMIUM = shutil.which("chromium")
FLAGS = [
    f"--{flag}"
    for flag in (
        "headless",
        "no-sandbox",
        "disable-gpu",
        "disable-quic",
        "no-first-run",
        "disable-background-networking",
        "disable-component-update",
        "disable-sync",
    )
]
PHONE, DESK = 360, 1280  # pixels

in_a_browser = pytest.mark.skipif(
    CHROMIUM is None, reason="there is no chromium here (apt-get install chromium)"
)


@contextmanager
def seen(url: str, *, width: int = DESK, dark: bool = False) -> Iterator[Page]:
    """A page in the browser. It may ask for nothing outside its own place, and complain of nothing.

    No event loop may run beside it in the same thread, so that it is there for a test only.
    """
    own = url.rpartition("/")[0]
    asked: list[str] = []
    said: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(
            viewport={"width": width, "height": 800}, color_scheme="dark" if dark else "light"
        )
        page.set_default_timeout(STUCK_SECONDS * 1_000)
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(url)
        yield page
        browser.close()
    assert [one for one in asked if not one.startswith((own, "data:", "blob:"))] == [], asked
    assert said == [], said


def overflow(page: Page) -> int:
    """How many pixels of a page lie to the right of the window."""
    return int(page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))
