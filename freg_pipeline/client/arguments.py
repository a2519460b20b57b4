"""What the services' questions have in common: parts, the limit of a look-up, whole contracts."""

from __future__ import annotations

from collections.abc import Sequence

from freg_pipeline.errors import FregError

LIMIT = 1_000  # identifiers a look-up (personer/bulkoppslag, hendelser/bulkoppslag)


def parts_query(parts: Sequence[str]) -> list[tuple[str, str]]:
    """The ``part``s wanted, each once; none means person-basis."""
    return [("part", part) for part in dict.fromkeys(parts)]


def within_limit(identifiers: Sequence[str]) -> list[str]:
    """The identifiers of a look-up.

    Raises:
        FregError: they are more than the register takes.
    """
    if len(identifiers) > LIMIT:
        raise FregError(f"a look-up takes at most {LIMIT} identifiers, not {len(identifiers)}")
    return list(identifiers)


def check_markup(body: bytes) -> None:
    """See that a contract came whole.

    Raises:
        ValueError: it was cut short.
    """
    if not body.rstrip().endswith(b">"):
        msg = "the contract was cut short"
        raise ValueError(msg)
