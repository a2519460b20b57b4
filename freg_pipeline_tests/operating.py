"""What an operator does on Dagster's page, and what they see there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from playwright.sync_api import Page
from playwright.sync_api import TimeoutError as StoppedError

from freg_pipeline_tests.waiting import STUCK_SECONDS

MATERIALIZE = re.compile("Materialize")
TRIES, PAGE_SECONDS = 4, 60.0  # the page itself stops at times: it is opened again then
LARGEST_PICTURE = 200_000  # bytes; they are for the web


class Operator:
    """Somebody at the page.

    Args:
        page: of the browser, with the deployment's address as its base.
        location: the code location's name.
        pictures: the folder to keep pictures in; None: none are wanted.
    """

    def __init__(self, page: Page, location: str, pictures: Path | None = None) -> None:
        self._page = page
        self._location = f"/locations/{location}"
        self._pictures = pictures
        self._taken: set[str] = set()

    def launch_uttrekk(self, partition: str, config: str, *, new: bool) -> str:
        """Materialise ``uttrekk`` for a partition, by the launchpad's form; returns the run's id.

        Args:
            partition: its name.
            config: of the asset, as YAML.
            new: add the partition first; else it is chosen.
        """
        page = self._page
        added = not new

        def filled() -> None:
            nonlocal added
            page.goto("/assets/uttrekk")
            page.get_by_role("button", name=MATERIALIZE).first.click()
            if added:
                self._choose_partition(partition)
            else:
                self._add_partition(partition)
                added = True
            page.get_by_text(f"partition: {partition}", exact=True).wait_for()
            self._write(config)
            page.get_by_text("No errors").wait_for()

        self._reaches(filled)
        self.picture("launchpad")
        page.get_by_role("dialog").get_by_role("button", name=re.compile("Materialize$")).click()
        page.wait_for_url("**/runs/*")
        return page.url.rpartition("/")[2]

    def _choose_partition(self, name: str) -> None:
        self._page.get_by_placeholder("Partition", exact=True).fill(name)
        # The page behind the form has links of the same name.
        offered = self._page.locator(".dagster-popover")
        offered.get_by_role("menuitem", name=name, exact=True).click()

    def _add_partition(self, name: str) -> None:
        self._page.get_by_role("button", name="Add new partition").click()
        dialog = self._page.get_by_role("dialog").filter(has_text="Add a partition")
        dialog.locator("input").fill(name)
        self.picture("add-partition")
        dialog.get_by_role("button", name="Save").click()

    def _write(self, config: str) -> None:
        """In place of what the form holds."""
        self._page.locator(".CodeMirror").first.click()
        self._page.keyboard.press("Control+A")
        self._page.keyboard.press("Delete")
        self._page.keyboard.insert_text(config)

    def turn_on(self, sensor: str) -> None:
        """Turn a sensor on."""

        def turned() -> None:
            self._page.goto(f"{self._location}/sensors/{sensor}")
            switch = self._page.get_by_role("checkbox").first
            switch.wait_for(state="attached")
            if not switch.is_checked():
                switch.locator("xpath=..").click()
            self._page.wait_for_function(
                "() => document.querySelector('input[type=checkbox]:checked') !== null"
            )

        self._reaches(turned)

    def terminate(self, run: str) -> None:
        """Cancel a run."""
        cancel = re.compile("Terminate")

        def asked() -> None:
            self._page.goto(f"/runs/{run}")
            self._page.get_by_role("button", name=cancel).click()
            confirm.wait_for()

        confirm = self._page.get_by_role("dialog").get_by_role("button", name=cancel)
        self._reaches(asked)
        confirm.click()

    def backfill(self, job: str) -> None:
        """Backfill all partitions of a job."""
        page = self._page
        dialog = page.get_by_role("dialog")

        def chosen() -> None:
            page.goto(f"{self._location}/jobs/{job}")
            page.get_by_role("button", name=MATERIALIZE).first.click()
            dialog.get_by_text("All", exact=True).click()

        self._reaches(chosen)
        self.picture("backfill")
        dialog.get_by_role("button", name="Launch backfill").click()
        page.get_by_text(re.compile("backfill|Backfill")).first.wait_for()

    @contextmanager
    def window(self, width: int, height: int) -> Iterator[None]:
        """Another size of the window for a while, in pixels."""
        usual = self._page.viewport_size
        assert usual is not None
        self._page.set_viewport_size({"width": width, "height": height})
        yield
        self._page.set_viewport_size(usual)

    def sees(self, path: str, *texts: str, picture: str = "") -> None:
        """Open a page and wait until it shows some texts."""

        def shown() -> None:
            self._page.goto(path)
            for text in texts:
                self._page.get_by_text(text).locator("visible=true").first.wait_for()

        self._reaches(shown)
        if picture:
            self.picture(picture)

    def _reaches(self, act: Callable[[], None]) -> None:
        """Do what opens a page and changes nothing that isn't done once: anew where it stopped."""
        self._page.set_default_timeout(PAGE_SECONDS * 1_000)
        try:
            for _ in range(TRIES - 1):
                with suppress(StoppedError):
                    return act()
        finally:
            self._page.set_default_timeout(STUCK_SECONDS * 1_000)
        return act()

    def sees_drawn(self, title: str) -> None:
        """Wait until the page that is open shows a picture in a text of ours, drawn."""
        image = self._page.get_by_alt_text(title).first
        image.wait_for()
        assert image.evaluate("one => one.complete && one.naturalWidth") > 0

    def picture(self, name: str) -> None:
        """Keep a picture of what is to be seen, the first of a name, if any are wanted."""
        if self._pictures is None or name in self._taken:
            return
        self._taken.add(name)
        self._page.wait_for_timeout(1_000)  # until what moves has come to rest
        path = self._pictures / f"{name}.png"
        self._page.screenshot(path=path)
        assert path.stat().st_size <= LARGEST_PICTURE, path
