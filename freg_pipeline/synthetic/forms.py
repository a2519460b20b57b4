"""In what form an answer is wanted (``Accept``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

JSON = "application/json"
XML = "application/xml"


def wanted(headers: Mapping[str, str], offered: Sequence[str] = (JSON, XML)) -> str | None:
    """The form that a question wants its answer in; None: one that isn't offered.

    A question with a body and without ``Accept`` is answered in the form of its body.
    """
    accept = headers.get("accept")
    if not (accept and accept.strip()) and is_xml(headers):
        return XML
    return chosen(accept, offered)


def is_xml(headers: Mapping[str, str]) -> bool:
    """Whether a question's body is XML: the register's default, where no content type is told."""
    kind = headers.get("content-type", "").split(";")[0].strip().lower()
    has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
    return kind == XML or (not kind and has_body)


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
