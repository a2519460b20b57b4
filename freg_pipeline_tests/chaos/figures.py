"""What came of courses, seed by seed in a file; and the page that tells it.

Nothing on the page is typed by hand: it is made of the file, and a test holds it to that.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from freg_pipeline_tests.chaos import actions, places, plan, trouble
from freg_pipeline_tests.chaos.course import Result

FILE = Path(__file__).with_name("figures.json")
PAGE = Path(__file__).parents[2] / "docs/reliability.md"
_BETWEEN = re.compile(r"(?<=<!-- figures -->\n).*?(?=<!-- /figures -->)", re.DOTALL)
_ENDS = {"-9": "killed", "130": "ended", "143": "ended", "0": "went on"}
_COLUMNS = ("killed", "ended", "told of it", "went on")
_KINDS = {
    "kill": "kill -9",
    "terminate": "SIGTERM",
    "interrupt": "SIGINT",
    "full": "every write fails from some moment on",
    "broken": "one write fails",
    "small files": "no file may grow beyond some size",
    "small disk": "the disk is full",
    "clock": "the clock jumps",
}
Seeds = dict[str, dict[str, Any]]


def version() -> str:
    """Which courses the seeds stand for: of what they are drawn from."""
    sources = (Path(str(one.__file__)).read_bytes() for one in (actions, places, plan, trouble))
    return hashlib.sha256(b"".join(sources)).hexdigest()[:10]


def noted(result: Result) -> dict[str, Any]:
    """A course's figures."""
    return {
        "question": result.plan.question,
        "place": result.plan.place,
        "commands": len(result.outcomes),
        "at_once": sum(len(step.actions) > 1 for step in result.plan.steps),
        "reads": result.reads,
        "look_ups": result.look_ups,
        "troubles": dict(sorted(result.troubles.items())),
        "faults": dict(sorted(result.faults.items())),
        "wrong": result.wrong,
    }


def note(result: Result, file: Path) -> None:
    """Add a course to a file, which is begun anew where its seeds stand for other courses."""
    told = read(file)
    told["seeds"][str(result.plan.seed)] = noted(result)
    told["seeds"] = dict(sorted(told["seeds"].items(), key=lambda one: int(one[0])))
    file.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n")


def read(file: Path) -> dict[str, Any]:
    """What a file tells of today's courses."""
    told: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    return told if told.get("version") == version() else {"version": version(), "seeds": {}}


def write_page(file: Path = FILE, page: Path = PAGE) -> None:
    """Put what a file tells into the page."""
    told = json.loads(file.read_text())
    page.write_text(on_page(page.read_text(), told))


def on_page(page: str, told: Mapping[str, Any]) -> str:
    """A page with the figures between its marks."""
    figures = "".join(f"{line}\n" for line in _lines(told))
    return _BETWEEN.sub(lambda _: figures, page)


def _lines(told: Mapping[str, Any]) -> Iterable[str]:
    seeds: Seeds = told["seeds"]
    every = [*seeds.values()]
    failed = [seed for seed, one in seeds.items() if one["wrong"]]
    counts = ("commands", "at_once", "reads", "look_ups")
    sums = {name: sum(one[name] for one in every) for name in counts}
    yield f"{len(seeds)} seeds ({_stretches(seeds)}) of the courses `{told['version']}`:"
    yield ""
    yield f"* {sums['commands']:,} commands; {sums['at_once']:,} times several at once"
    yield f"* {sums['reads']:,} readings, {sums['look_ups']:,} look-ups"
    yield f"* questions: {_counted(one['question'] for one in every)}"
    yield f"* stores: {_counted(one['place'] for one in every)}"
    yield f"* faults of the register: {_told(_sum(one['faults'] for one in every))}"
    yield f"* settled: {len(seeds) - len(failed)}; otherwise: {', '.join(failed) or 'none'}"
    yield ""
    yield f"| what happened to a command | times | {' | '.join(_COLUMNS)} |"
    yield f"| --- | {' | '.join(['---'] * 5)} |"
    ends: dict[str, Counter[str]] = {kind: Counter() for kind in _KINDS}
    for happened, times in _sum(one["troubles"] for one in every).items():
        kind, _, code = happened.partition(" → ")
        ends[kind][_ENDS.get(code, "told of it")] += times
    for kind, words in _KINDS.items():
        cells = (f"{ends[kind][column]:,}" for column in _COLUMNS)
        yield f"| {words} | {ends[kind].total():,} | {' | '.join(cells)} |"


def _sum(every: Iterable[Mapping[str, int]]) -> Counter[str]:
    return sum(map(Counter, every), Counter())


def _counted(every: Iterable[str]) -> str:
    return _told(Counter(every))


def _told(counted: Counter[str]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counted.most_common()) or "none"


def _stretches(seeds: Iterable[str]) -> str:
    """``1-3, 7``."""
    found: list[list[int]] = []
    for seed in sorted(map(int, seeds)):
        if found and seed == found[-1][-1] + 1:
            found[-1][1:] = [seed]
        else:
            found.append([seed])
    return ", ".join("-".join(map(str, one)) for one in found)
