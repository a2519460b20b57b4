"""What a register was asked to look up, for tests that count: nothing is kept unless it is told to.

A test that wants to know whether a look-up was made twice needs to know of whom it was, which
counts by service don't tell.
"""

from __future__ import annotations

from collections.abc import Sequence

Asked = dict[str, str | list[str]]


class LookUps:
    """Notes look-ups of persons and of their archived documents.

    Args:
        noted: whether any are; what a large load asks for would fill the memory.
    """

    def __init__(self, *, noted: bool) -> None:
        self._noted = noted
        self._asked: list[Asked] = []

    def note(self, service: str, identifiers: Sequence[str]) -> None:
        """Remember one, if any are."""
        if self._noted:
            self._asked.append({"tjeneste": service, "identifikatorer": [*identifiers]})

    def taken(self) -> list[Asked]:
        """Those since the last call, in the order in which they came."""
        asked, self._asked = self._asked, []
        return asked
