"""In what form an answer is wanted (``Accept``)."""

from __future__ import annotations

from collections.abc import Sequence

JSON = "application/json"
XML = "application/xml"


def chosen(accept: str | None, offered: Sequence[str] = (JSON, XML)) -> str | None:
    """The offered form that ``accept`` likes best; None: it takes none of them.

    Of forms that it likes as much, the one that is offered first; without a header, that too.
    """
    if not accept or not accept.strip():
        return offered[0]
    ranges = [_range(one) for one in accept.split(",")]
    liked = [(_quality(form, ranges), -place, form) for place, form in enumerate(offered)]
    quality, _, form = max(liked)
    return form if quality > 0 else None


def _range(text: str) -> tuple[str, float]:
    kind, *parameters = (part.strip().lower() for part in text.split(";"))
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return kind, float(parameter[2:])
            except ValueError:
                return kind, 0.0
    return kind, 1.0


def _quality(form: str, ranges: Sequence[tuple[str, float]]) -> float:
    """How much a form is liked: the most exact range that fits it tells."""
    wanted = dict(reversed(ranges))
    for fitting in (form, f"{form.split('/')[0]}/*", "*/*"):
        if fitting in wanted:
            return wanted[fitting]
    return 0.0
