"""Errors in the forms that the register answers them: three, from different layers of it.

Each comes in JSON, or in XML where the question accepts nothing else.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from freg_pipeline.synthetic.forms import XML, wanted
from freg_pipeline.synthetic.xml import flat


class Problem(Response):
    """An error; what form it takes is found out when it is sent."""

    def __init__(
        self, status: int, name: str, body: dict[str, Any], headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(status_code=status, headers=headers)
        self._name = name
        self._told = body
        self._further = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        response: Response
        if wanted(Headers(scope=scope)) == XML:
            response = Response(flat(self._name, self._told), self.status_code, self._further, XML)
        else:
            response = JSONResponse(self._told, self.status_code, self._further)
        await response(scope, receive, send)


class ProblemError(Exception):
    """Ends the work on a question with a problem for its answer."""

    def __init__(self, problem: Response) -> None:
        super().__init__(problem.status_code)
        self.problem = problem


async def answer_problem(request: Request, error: Exception) -> Response:
    """The answer to a question whose work ended so."""
    del request
    if isinstance(error, HTTPException):  # Starlette's own: no such path, no such method
        headers = dict(error.headers) if error.headers else None
        code = error.detail.upper().replace(" ", "_")
        return gateway(error.status_code, code, error.detail, headers)
    assert isinstance(error, ProblemError)  # noqa: S101  it is called for no others
    return error.problem


def kode(status: int, code: str, text: str, headers: dict[str, str] | None = None) -> Problem:
    """``{"kode", "melding"}``: from the register itself."""
    return Problem(status, "feil", {"kode": code, "melding": text}, headers)


def feilkode(status: int, code: str, text: str, **beside: str) -> Problem:
    """``{"httpStatus", "feilkode", …}``: from the look-up services; ``beside``: more about it."""
    body = {
        "httpStatus": status,
        "feilkode": code,
        "feilmelding": text,
        "alvorlighetsgrad": "FEIL",
        "tilleggsinformasjon": beside,
    }
    return Problem(status, "FolkeregisterFeilmelding", body)


def gateway(status: int, code: str, text: str, headers: dict[str, str] | None = None) -> Problem:
    """``{"code", "message", …}``: from the gateway in front."""
    body = {"code": code, "message": text, "httpStatus": status, "feilreferanse": "a1b2c3"}
    return Problem(status, "error", body, headers)


def fiks(status: int, text: str) -> Response:
    """``{"error", "message", …}``: from the municipalities' gateway, in JSON whatever is wanted."""
    body = {
        "timestamp": "2026-06-01T12:00:00.000+02:00",
        "status": status,
        "error": HTTPStatus(status).phrase,
        "errorId": "b2f0c1d4-0000-4000-8000-000000000000",
        "message": text,
    }
    return JSONResponse(body, status)


def firewall(status: int) -> Response:
    """The firewall's page for people."""
    page = (
        "<html><head><title>Request Rejected</title></head><body>The requested URL was rejected. "
        "Please consult with your administrator.<br><br>Your support ID is: 9182736455463728190"
        "<br></body></html>"
    )
    return Response(page, status, media_type="text/html")
