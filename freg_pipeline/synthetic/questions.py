"""Reading a question: its body in JSON or XML, the identifiers and ``part``s in it."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

import msgspec
from lxml import etree
from starlette.requests import Request

from freg_pipeline.synthetic.forms import JSON, XML, chosen, wanted
from freg_pipeline.synthetic.problems import ProblemError, feilkode, gateway, kode

LIMIT = 1_000  # identifiers in one look-up

_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_NUMBER = re.compile("[0-9]{1,19}")
_LISTS = {"foedselsEllerDNummer", "dokumentidentifikator", "personstatustyper"}


def form_of(request: Request, *further: str) -> str:
    """The form that the answer is wanted in: JSON, XML, or one of ``further``.

    Raises:
        ProblemError: 406: it is wanted in another one.
    """
    form = wanted(request.headers, (JSON, XML, *further))
    if form is None:
        offer = ", ".join((JSON, XML, *further))
        raise ProblemError(gateway(406, "NOT_ACCEPTABLE", f"Tjenesten gir {offer}"))
    return form


def require_xml(request: Request) -> None:
    """See that the answer is wanted in XML: a contract comes in nothing else.

    Raises:
        ProblemError: 406: it is wanted in another form.
    """
    if chosen(request.headers.get("accept"), (XML,)) is None:
        raise ProblemError(gateway(406, "NOT_ACCEPTABLE", f"Tjenesten gir {XML}"))


async def body_of(request: Request, taken: Collection[str] = (JSON, XML)) -> Any:
    """The body of a POST as the same dicts and lists, whether it came in JSON or in XML.

    The register takes a body without a content type for XML.

    Args:
        request: the question.
        taken: the forms that its service takes.

    Raises:
        ProblemError: it can't be read (400), or comes in a form that no service takes (415), or
            this one doesn't (400: the only status that the API description has for it).
    """
    form_of(request)
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower() or XML
    body = await request.body()
    if kind not in {JSON, XML}:
        raise ProblemError(gateway(415, "UNSUPPORTED_MEDIA_TYPE", f"Bruk {' eller '.join(taken)}"))
    if kind not in taken:
        raise ProblemError(kode(400, "FREG-005", f"Innholdet må være {' eller '.join(taken)}"))
    if kind == XML:
        return _from_xml(body)
    try:
        return msgspec.json.decode(body)
    except (ValueError, RecursionError):  # damaged, or nested without end
        raise ProblemError(kode(400, "FREG-005", "Innholdet er ikke gyldig JSON")) from None


def _from_xml(body: bytes) -> Any:
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError:
        raise ProblemError(kode(400, "FREG-005", "Innholdet er ikke gyldig XML")) from None
    return _fields(root)


def _fields(element: etree._Element) -> dict[str, Any]:
    """An element's children by their local names; those that a question repeats as lists."""
    found: dict[str, Any] = {}
    for child in element.iterchildren(tag=etree.Element):
        name = etree.QName(child).localname
        value: Any = _fields(child) if len(child) else (child.text or "").strip()
        if child.get(_NIL) in {"true", "1"}:
            value = None
        if name in _LISTS:
            found.setdefault(name, []).append(value)
        else:
            found[name] = value
    return found


def whole_number(text: str, name: str) -> int:
    """A parameter that counts something: a whole number of at most 64 bits.

    Raises:
        ProblemError: it is none.
    """
    if _NUMBER.fullmatch(text) and int(text) < 2**63:
        return int(text)
    raise ProblemError(kode(400, "FREG-001", f"{name} mangler eller er ugyldig"))


async def identifiers_of(request: Request, field: str) -> list[str]:
    """The identifiers that a bulk look-up asks for.

    Raises:
        ProblemError: there are none, too many, or others than texts.
    """
    body = await body_of(request)
    identifiers = body.get(field) if isinstance(body, dict) else None
    texts = isinstance(identifiers, list) and all(isinstance(one, str) for one in identifiers)
    if not identifiers or not texts:
        raise ProblemError(feilkode(400, "FREG-001", f"{field} mangler"))
    if len(identifiers) > LIMIT:
        raise ProblemError(feilkode(400, "FREG-004", f"Høyst {LIMIT} i ett oppslag"))
    return list(identifiers)
