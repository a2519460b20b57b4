"""The documents as a site: built strictly and without a network, and searched in a real browser."""

from __future__ import annotations

import functools
import importlib.util
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType

import pytest

from freg_pipeline.lake.release import build_release
from freg_pipeline_tests.browser import PHONE, in_a_browser, overflow, seen
from freg_pipeline_tests.unit.lake.delivered import deliver, document, local_store, navn, number

ROOT = Path(__file__).parents[2]


def _builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("site_build", ROOT / "docs" / "site" / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


BUILDER = _builder()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, without the examples' answers."""
    folder = tmp_path_factory.mktemp("site") / "site"
    BUILDER.build(ROOT, folder, None)
    return folder


@pytest.fixture
def address(site: Path) -> Iterator[str]:
    handler = functools.partial(_Quiet, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_every_page_is_there_and_in_the_navigation(site: Path) -> None:
    start = (site / "index.html").read_text()
    for source, place in BUILDER.sources(ROOT).items():
        assert (ROOT / source).is_file()
        if place.endswith(".md"):
            page = place.removesuffix(".md") + ".html"
            assert (site / page).is_file()
            assert f'href="{page}"' in start or f'href="./{page}"' in start, page


def test_the_python_reference_is_made_of_docstrings(site: Path) -> None:
    reference = (site / "reference.html").read_text()
    for name in ("freg_pipeline.client.Register", "freg_pipeline.errors.RefusedError"):
        assert f'id="{name}"' in reference
    assert ":class:" not in reference


@in_a_browser
@pytest.mark.parametrize(
    ("sought", "table"),
    [
        ("foedekommune_i_norge", "foedsel"),
        ("utlendingsmyndighetenes", "utlendingsmyndighetenes_identifikasjonsnummer"),
        ("strengtFortrolig", "adressebeskyttelse"),
    ],
    ids=["column", "table", "code"],
)
def test_search_finds_tables_columns_and_codes(
    site: Path, address: str, sought: str, table: str
) -> None:
    with seen(f"{address}/index.html") as page:
        page.locator("button.md-search__button").click()
        page.get_by_role("combobox", name="Search").fill(sought)
        result = page.locator(f'a[role=option][href*="/tables.html"][href$="#{table}"]')
        result.first.wait_for()
    assert f'<h2 id="{table}">' in (site / "tables.html").read_text()


@in_a_browser
def test_a_page_fits_on_a_phone_and_asks_for_nothing_elsewhere(address: str) -> None:
    with seen(f"{address}/analysts.html", width=PHONE, dark=True) as page:
        assert page.get_by_role("heading", level=1).is_visible()
        assert overflow(page) <= 0


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """As few documents as a site can have."""
    for name in ("README.md", "benchmarks/RESULTS.md", "docs/decisions/README.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("# A page\n")
    (tmp_path / "docs/site").mkdir()
    (tmp_path / "docs/site/reference.md").write_text("# Reference\n")
    (tmp_path / "docs/tables.md").write_text("# Tables\n\n## person\n")
    return tmp_path


@pytest.mark.parametrize(
    "link", ["docs/nothing.md", "docs/tables.md#nobody", "#nowhere", "benchmarks", "../outside.md"]
)
def test_a_link_that_leads_nowhere_is_told(small: Path, link: str) -> None:
    (small / "README.md").write_text(f"# A page\n\n[a link]({link})\n")
    with pytest.raises(SystemExit) as told:
        BUILDER.build(small, None, None)
    named = link.rpartition("#")[0] or link.rpartition("/")[2]
    assert named.removeprefix("docs/") in str(told.value)


def test_links_that_lead_somewhere_are_turned(small: Path) -> None:
    (small / "README.md").write_text(
        "# A page\n\n[t](docs/tables.md#person) [d](docs/decisions) [w](https://example.no/x)\n\n"
        "```\n[as it is](nowhere.md)\n```\n"
    )
    (small / "docs/decisions/README.md").write_text("# D\n\n[home](../../README.md)\n")
    BUILDER.build(small, small / "built", None)
    start = (small / "built/index.html").read_text()
    assert 'href="tables.html#person"' in start or 'href="./tables.html#person"' in start
    assert 'href="https://example.no/x"' in start
    assert "[as it is](nowhere.md)" in start


def test_examples_get_their_answers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = local_store(tmp_path)
    names = [(f"d{n}", document(number(n), navn=[navn("Ada")])) for n in range(20)]
    build_release(store, deliver(store, "one", names))
    text = "```sql\nSELECT count(*) AS antall FROM navn;\n```\n\n```sql\nFROM nothing\n```\n"
    answered = BUILDER.answered(text, "page.md", store.location)
    assert "antall" in answered
    assert "20" in answered
    assert answered.count(BUILDER.ANSWER) == 1
    assert "page.md: an example without an answer" in capsys.readouterr().err
    long = BUILDER.answered("```sql\nFROM navn\n```\n", "page.md", store.location)
    assert f"{BUILDER.ROWS} of 20 rows" in long
