"""Build the documents as a site: ``make site``; ``--check`` only sees that it can be built.

Pages are copied side by side, with their links turned to each other, and each example of SQL gets
what it gives on a synthetic register. Zensical makes HTML of it and is strict: a link or an anchor
that leads nowhere stops it. No step needs a network, and the site asks for nothing from elsewhere.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import posixpath
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
OUTPUT = ROOT / "build" / "site"
PERSONS = 2_000  # of the register that the examples ask
ROWS = 8  # of an answer that are shown
ANSWER = "On a synthetic register:"

# Where pages of the repository lie in the site, those that don't keep their name.
_MOVED = {
    "README.md": "index.md",
    "docs/decisions/README.md": "decisions/index.md",
    "benchmarks/RESULTS.md": "results.md",
    "docs/site/reference.md": "reference.md",
}
_FRAGMENTS = {"docs/client_guide.md"}  # a part of another page
_NAV = {
    "Start": ["index.md", "glossary.md", "changelog.md"],
    "Use the tables": [
        "analysts.md",
        "questions.md",
        "sql.md",
        "python.md",
        "tools.md",
        "tables.md",
    ],
    "Run it": [
        "deployment.md",
        "operations.md",
        "operators_day.md",
        "trouble.md",
        "reliability.md",
        "sizing.md",
        "warehouse.md",
        "data-protection.md",
        "dagster.md",
        "synthetic-register.md",
        "fidelity.md",
    ],
    "Python": ["client.md", "reference.md"],
    "How it is made": ["architecture.md", "results.md"],
}
# What examples read beside the release.
_READERS_FILES = {
    "fil.csv": ("id,fnr", "en,41819077302", "to,01010199999"),
    "kommuner.csv": ("kommunenummer,navn", "0301,Oslo", "1103,Stavanger", "4601,Bergen",
                     "5001,Trondheim"),
    "land.csv": ("kode,navn", "NOR,Norge", "POL,Polen", "SWE,Sverige"),
}  # fmt: skip
_WITH_ANSWERS = {"analysts.md", "questions.md"}
_LINK = re.compile(r"(\]\()([^)\s#]+)?(#[^)\s]*)?\)")
_FENCE = re.compile(r"^(?:```|~~~).*?^(?:```|~~~)[ \t]*$", re.MULTILINE | re.DOTALL)
_SQL = re.compile(r"^```sql\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)


def sources(root: Path) -> dict[str, str]:
    """Every page and picture of the site: where it lies in the repository, and in the site."""
    found = {
        *root.glob("docs/*.md"),
        *root.glob("docs/decisions/*.md"),
        *root.glob("docs/images/*"),
    }
    names = [path.relative_to(root).as_posix() for path in sorted(found)] + list(_MOVED)
    return {
        name: _MOVED.get(name, name.removeprefix("docs/"))
        for name in names
        if name not in _FRAGMENTS
    }


def stage(root: Path, pages: Path, store: str | None) -> None:
    """Copy what the site is made of, with its links turned; with answers if there is a store.

    Raises:
        SystemExit: links lead to what isn't there; names them.
    """
    places = sources(root)
    broken = []
    for name, place in places.items():
        target = pages / place
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.suffix != ".md":
            shutil.copyfile(root / name, target)
            continue
        text, wrong = turned((root / name).read_text(), name, places, root)
        broken += wrong
        if store is not None and place in _WITH_ANSWERS:
            text = answered(text, place, store)
        target.write_text(text)
    if broken:
        sys.exit("\n".join(broken))


def turned(text: str, name: str, places: dict[str, str], root: Path) -> tuple[str, list[str]]:
    """A page with its links as the site has them, and those that lead nowhere."""
    broken = []

    def turn(found: re.Match[str]) -> str:
        opening, target, anchor = found[1], found[2], found[3] or ""
        if target is None or ":" in target:
            return found[0]
        there = posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
        there = next((one for one in (there, f"{there}/README.md") if one in places), there)
        if there in places:
            here = posixpath.dirname(places[name])
            return f"{opening}{posixpath.relpath(places[there], here or '.')}{anchor})"
        if not (root / there).exists():
            broken.append(f"{name}: a link leads to {target}, which isn't there")
        else:
            broken.append(f"{name}: a link leads to {target}, which the site doesn't hold")
        return found[0]

    pieces, last = [], 0
    for code in _FENCE.finditer(text):
        pieces += [_LINK.sub(turn, text[last : code.start()]), code[0]]
        last = code.end()
    return "".join([*pieces, _LINK.sub(turn, text[last:])]), broken


def answered(text: str, name: str, store: str) -> str:
    """A page on which each example of SQL is followed by what it gives.

    Files that examples read are there, as small ones. An example that asks for what this register
    hasn't got can't be answered, and is named on stderr.
    """
    from freg_pipeline.errors import ConfigurationError
    from freg_pipeline.lake.export import render
    from freg_pipeline.settings import load
    from freg_pipeline.store import open_store

    opened = open_store(load(store=str(Path(store).absolute())))

    def answer(found: re.Match[str]) -> str:
        try:
            rows, count = render(opened, found[1], rows=ROWS)
        except ConfigurationError as error:
            sys.stderr.write(f"{name}: an example without an answer: {error}\n")
            return found[0]
        more = f"\n{ROWS} of {count:,} rows" if count > ROWS else ""
        return f"{found[0]}\n\n{ANSWER}\n\n```text\n{rows}{more}\n```"

    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for file, lines in _READERS_FILES.items():
            Path(file).write_text("\n".join(lines) + "\n")
        return _SQL.sub(answer, text)


def navigation(pages: Path) -> str:
    """The ``nav`` of zensical.toml: each page that there is, in its section."""
    there = sorted(path.relative_to(pages).as_posix() for path in pages.rglob("*.md"))
    decisions = [name for name in there if name.startswith("decisions/")]
    sections = {title: [one for one in names if one in there] for title, names in _NAV.items()}
    placed = {name for names in sections.values() for name in names}
    others = [name for name in there if name not in placed and name not in decisions]
    sections["Use the tables"] += others
    decisions.sort(key=lambda name: (not name.endswith("index.md"), name))
    sections["Decisions"] = decisions
    listed = (
        f"{{ {json.dumps(title)} = {json.dumps(names)} }}" for title, names in sections.items()
    )
    return f"nav = [{', '.join(listed)}]"


def build(root: Path, output: Path | None, store: str | None) -> None:
    """Build the site; None: see that it can be built.

    Args:
        root: the repository.
        output: the folder that it replaces.
        store: of the examples' answers; None: without any.

    Raises:
        SystemExit: it can't be built; says why.
    """
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        stage(root, work / "pages", store)
        config = (HERE / "zensical.toml").read_text()
        config = config.replace("nav = []", navigation(work / "pages"))
        config = config.replace('paths = ["."]', f"paths = [{json.dumps(str(root))}]")
        config = config.replace('"roles.py"', json.dumps(str(HERE / "roles.py")))
        (work / "zensical.toml").write_text(config)
        command = [str(Path(sys.executable).with_name("zensical")), "build", "--strict"]
        ended = subprocess.run(command, cwd=work, capture_output=True, text=True, check=False)
        if ended.returncode:
            sys.exit("\n".join(_said(ended.stdout + ended.stderr)))
        if output is not None:
            shutil.rmtree(output, ignore_errors=True)
            shutil.copytree(work / "site", output)


def _said(text: str) -> Iterator[str]:
    """What Zensical says, without colours and traceback."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    yield from plain.partition("Traceback")[0].splitlines()


def _register(folder: Path) -> str:
    """A store with a synthetic register's release, for the examples."""
    store = str(folder / "store")
    command = [sys.executable, "-m", "freg_pipeline.cli", "demo"]
    options = ["--persons", str(PERSONS), "--store", store]
    subprocess.run([*command, *options], check=True, stdout=subprocess.DEVNULL, env=_clean())
    return store


def _clean() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("FREG_")}


def main(arguments: Iterable[str] | None = None) -> None:
    """Build, or check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only see that it can be built")
    parser.add_argument("--store", help="whose release the examples ask; a small one's unless told")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    told = parser.parse_args(None if arguments is None else list(arguments))
    if told.check:
        build(ROOT, None, None)
        return
    with tempfile.TemporaryDirectory() as folder:
        build(ROOT, told.output, told.store or _register(Path(folder)))
    sys.stdout.write(f"Built: {told.output}. See it: python -m http.server -d {told.output}\n")


if __name__ == "__main__":
    main()
