"""The SQL examples of the documentation: for tests, measurements and the site."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
PAGES = (FOLDER.parent / "README.md", *sorted(FOLDER.glob("*.md")))
_BLOCK = re.compile(r"^```sql\n(.*?)^```", re.MULTILINE | re.DOTALL)
_NUMBERED = re.compile(r"^\d+\. ")
_ASKS = re.compile(r"SELECT|WITH|FROM")
_COMMAND = re.compile(r"freg sql \"([^\"…]+)\"")


@dataclass(frozen=True)
class Example:
    """One statement of a page.

    Attributes:
        page: its file's name.
        title: what stands before it: a heading, or a sentence that ends with a colon; of what is
            on a command line the statement itself.
        sql: the statement.
    """

    page: str
    title: str
    sql: str


def examples(page: Path) -> Iterator[Example]:
    """The examples of a page that ask something, in their order."""
    text = page.read_text()
    for block in _BLOCK.finditer(text):
        if _ASKS.match(block[1]):
            yield Example(page.name, _title(text[: block.start()]), block[1].strip().rstrip(";"))
    for statement in dict.fromkeys(_COMMAND.findall(text)):
        yield Example(page.name, statement, statement)


def _title(before: str) -> str:
    paragraph = before.rstrip().rpartition("\n\n")[2]
    return _NUMBERED.sub("", " ".join(paragraph.split()).lstrip("# ")).rstrip(":")


def all_examples() -> list[Example]:
    """Those of the README and of every page."""
    return [example for page in PAGES for example in examples(page)]
