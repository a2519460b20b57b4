"""Answers of few fields, in the form that is wanted."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from freg_pipeline.synthetic.forms import JSON, XML
from freg_pipeline.synthetic.questions import form_of
from freg_pipeline.synthetic.xml import flat


def fields(request: Request, name: str, values: Mapping[str, str | list[str]]) -> Response:
    """An object of texts and lists of texts; in XML, ``name`` is its element.

    Raises:
        ProblemError: 406: it is wanted in neither.
    """
    if form_of(request) == JSON:
        return json_answer(msgspec.json.encode(values))
    return xml_answer(flat(name, values))


def json_answer(body: bytes) -> Response:
    """JSON as it is sent."""
    return Response(body, media_type=JSON)


def xml_answer(body: bytes) -> Response:
    """XML as it is sent."""
    return Response(body, media_type=XML)
