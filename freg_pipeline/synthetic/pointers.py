"""Document identifiers: 32 hexadecimal digits, computed from a document's place and back.

Nothing is kept for a document, so a wave of millions of events costs no memory for names.
"""

from __future__ import annotations

from random import Random

_ALL = 1 << 128


def some_factor(random: Random) -> int:
    """A number to compute names with: odd, so that it has an inverse."""
    return random.getrandbits(128) | 1


class Pointers:
    """Names of the documents of one series, by their places: 0, 1, 2, …

    Args:
        factor: tells one series from another, see :func:`some_factor`.
    """

    def __init__(self, factor: int) -> None:
        self._factor = factor
        self._inverse = pow(self._factor, -1, _ALL)

    def of(self, place: int) -> str:
        """The identifier of the document at a place."""
        return f"{(place + 1) * self._factor % _ALL:032x}"

    def place(self, identifier: str, count: int) -> int | None:
        """The place of a document; None where none of the first ``count`` has that identifier."""
        if len(identifier) != 32:
            return None
        try:
            number = int(identifier, 16)
        except ValueError:
            return None
        place = number * self._inverse % _ALL - 1
        return place if 0 <= place < count and self.of(place) == identifier else None
