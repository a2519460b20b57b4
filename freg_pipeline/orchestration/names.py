"""What everything in Dagster is called, so that several stores live in one deployment.

A deployment knows an asset, a job, a pool or a run's tag by its name alone. What belongs to one
store carries that store's prefix in each of them; without a prefix they are called what they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import dagster as dg

from freg_pipeline.errors import ConfigurationError
from freg_pipeline.outside import showable

# Dagster joins a key's parts by two underscores where it needs a name: no part may hold them, nor
# begin or end with one, or else two prefixes could make the same name.
_BETWEEN = "__"
_PART = re.compile(r"[A-Za-z0-9]+(_[A-Za-z0-9]+)*")
LONGEST = 40  # a tag's key holds 63 characters, and the prefix isn't all of it


@dataclass(frozen=True)
class Names:
    """Names with a prefix.

    Attributes:
        prefix: its parts, each of letters, digits and single underscores; empty: no prefix.

    Raises:
        ConfigurationError: Dagster couldn't work with that prefix.
    """

    prefix: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for part in self.prefix:
            if not isinstance(part, str):
                raise _no_prefix(part)
            if not _PART.fullmatch(part):
                raise ConfigurationError(
                    f"{showable(part)!r} can't be part of a key prefix",
                    "Use English letters and digits, with single underscores between them",
                )
        if self.prefix and self.prefix[0][0].isdigit():  # a resource is named as Python would
            raise ConfigurationError(
                f"{showable(self.prefix[0])!r} can't begin a key prefix", "Put a letter first"
            )
        if len(_BETWEEN.join(self.prefix)) > LONGEST:
            raise ConfigurationError(
                "the key prefix is too long", f"Use no more than {LONGEST} characters"
            )

    @classmethod
    def of_prefix(cls, prefix: str | Sequence[str] | None) -> Self:
        """With a prefix as users write it: ``"kommune"``, ``"oslo/kommune"`` or a sequence.

        Raises:
            ConfigurationError: it is something else, or Dagster couldn't work with it.
        """
        if prefix is None or prefix == "":
            return cls()
        if isinstance(prefix, dg.EnvVar):  # a str to Python, with the variable's name
            raise ConfigurationError(
                "a key prefix can't be read from a variable when it is used",
                "Set FREG_KEY_PREFIX, or pass os.environ[…]",
            )
        if isinstance(prefix, str):
            return cls(tuple(prefix.split("/")))
        if type(prefix) not in (list, tuple):  # a mapping's keys, say, are no prefix
            raise _no_prefix(prefix)
        return cls(tuple(prefix))

    def key(self, *parts: str) -> dg.AssetKey:
        """The key of an asset: ``key("freg", "person")``."""
        return dg.AssetKey([*self.prefix, *parts])

    def of(self, name: str) -> str:
        """The name of an op, a job, a sensor, a schedule, a group, a pool or a set of partitions.

        That of an asset's op is the one that Dagster makes of its key.
        """
        return _BETWEEN.join([*self.prefix, name])

    def without(self, name: str) -> str:
        """What :meth:`of` was given to make that name."""
        return name.removeprefix(self.of(""))

    def tag(self, name: str) -> str:
        """The key of a run's tag: ``freg/<name>``."""
        return f"freg/{self.of(name)}"

    def config(self, ops: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        """The configuration of a run.

        Args:
            ops: that of its ops and assets, by their names without the prefix.
        """
        return {"ops": {self.of(name): {"config": {**given}} for name, given in ops.items()}}

    @property
    def resource(self) -> str:
        """The key of the resource that assets work with: settings, store and register."""
        return self.of("freg")


def _no_prefix(given: object) -> ConfigurationError:
    return ConfigurationError(
        f"a key prefix is text or a list of texts, not {type(given).__name__}",
        'Settings are given by their names: build_defs("oslo/kommune", store=…)',
    )


UNPREFIXED = Names()
