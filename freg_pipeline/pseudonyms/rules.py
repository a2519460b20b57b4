"""Rules of a copy: which columns go out, and as what. A file of TOML; docs/data-protection.md."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import Literal

import msgspec

from freg_pipeline.errors import ConfigurationError
from freg_pipeline.outside import showable

LEAST_MINIMUM = 3
MOST_DIMENSIONS = 5


class Rule(StrEnum):
    """What becomes of a column's values."""

    KEEP = "keep"
    KEEP_IDENTIFYING = "keep_identifying"  # what can tell who it is: said so, or not at all
    PSEUDONYM = "pseudonym"
    YEAR = "year"
    FIVE_YEARS = "five_years"
    MONTH = "month"
    KOMMUNE = "kommune"
    FYLKE = "fylke"
    GRUNNKRETS = "grunnkrets"
    DROP = "drop"


class Aggregate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many persons there are of each kind.

    Attributes:
        table: has one row a person.
        by: columns that tell the kinds, and as what.
        minimum: kinds of fewer persons aren't told.
    """

    table: str
    by: dict[str, Rule]
    minimum: int = 5


class Told(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of rules, as it is written.

    Attributes:
        format: of the file.
        protected: whether protected persons are in the copy.
        missing: what a table or column does that the release hasn't.
        tables: by name, each column's rule; what isn't named doesn't go out.
        aggregate: a copy of figures, in place of one of persons.
    """

    format: Literal[1]
    protected: Literal["out", "keep"] = "out"
    missing: Literal["refuse", "skip"] = "refuse"
    tables: dict[str, dict[str, Rule]] = {}
    aggregate: Aggregate | None = None


@dataclass(frozen=True)
class Rules:
    """Rules, and which they are.

    Attributes:
        told: what they say.
        sha256: of the file.
    """

    told: Told
    sha256: str

    @property
    def tables(self) -> Mapping[str, dict[str, Rule]]:
        """The columns that go out, by table; or those that persons are counted by."""
        if self.told.aggregate:
            return {self.told.aggregate.table: self.told.aggregate.by}
        named: dict[str, dict[str, Rule]] = {}
        for table, columns in self.told.tables.items():
            going = [(name, rule) for name, rule in columns.items() if rule is not Rule.DROP]
            if going:
                named[table] = dict(going)
        return named


def read_rules(path: Path) -> Rules:
    """Read a file of rules.

    Raises:
        ConfigurationError: there is none, or it says what no rules say; where.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"the rules {path} can't be read: {error.strerror}", "Correct --rules"
        ) from None
    return parse_rules(content, str(path))


def profile(name: str) -> bytes:
    """The rules of a profile, as a file to start one's own from."""
    return (files(__package__) / "profiles" / f"{name}.toml").read_bytes()


def parse_rules(content: bytes, where: str) -> Rules:
    """What a file of rules says.

    Args:
        content: of it.
        where: what it is called.

    Raises:
        ConfigurationError: it says what no rules say.
    """
    try:
        told = msgspec.convert(tomllib.loads(content.decode()), Told)
    except (ValueError, RecursionError) as error:  # of TOML, UTF-8, our form; nested without end
        raise ConfigurationError(
            f"the rules {where} can't be read: {showable(str(error))}",
            f"A column's rules are {', '.join(Rule)}; e.g. freg export --show-rules research",
        ) from None
    if told.tables and told.aggregate:
        raise ConfigurationError(
            f"the rules {where} have both tables and an aggregate",
            "Whoever has the persons can count them: make two copies, for whom each is for",
        )
    if told.aggregate and told.aggregate.minimum < LEAST_MINIMUM:
        raise ConfigurationError(
            f"the rules {where} have a minimum below {LEAST_MINIMUM}", "5 is usual"
        )
    if told.aggregate and not 0 < len(told.aggregate.by) <= MOST_DIMENSIONS:
        raise ConfigurationError(
            f"the rules {where} count by {len(told.aggregate.by)} columns",
            f"Name 1 to {MOST_DIMENSIONS} of them",
        )
    rules = Rules(told, hashlib.sha256(content).hexdigest())
    if not rules.tables:
        raise ConfigurationError(f"by the rules {where} nothing goes out", "Name columns in it")
    return rules
