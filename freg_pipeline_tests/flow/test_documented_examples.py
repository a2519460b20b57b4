"""Every Python example of the documentation runs, against a register with nobody real in it."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2]
PAGES = ("README.md", "docs/client.md")
_EXAMPLE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
EXAMPLES = [
    pytest.param(example, id=f"{page} {number}")
    for page in PAGES
    for number, example in enumerate(_EXAMPLE.findall((DOCS / page).read_text()), 1)
]


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_runs_as_it_stands(
    example: str,
    small_register: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("FREG_BASE_URL", small_register)
    monkeypatch.setenv("FREG_STORE", str(tmp_path / "store"))
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "<example>", "exec"), {"__name__": "__main__"})
    told = capsys.readouterr().out
    assert told.strip()
    assert not re.search(r"\d{11}", told)


def test_the_guide_has_examples() -> None:
    assert sum("docs/client.md" in str(one.id) for one in EXAMPLES) >= 5


def test_the_types_are_for_others_too() -> None:
    assert files("freg_pipeline").joinpath("py.typed").is_file()
