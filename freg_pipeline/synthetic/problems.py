"""Errors in the forms that the register answers them: three, from different layers of it."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response


def kode(status: int, code: str, text: str, headers: dict[str, str] | None = None) -> Response:
    """``{"kode", "melding"}``: from the register itself."""
    return JSONResponse({"kode": code, "melding": text}, status, headers)


def feilkode(status: int, code: str, text: str) -> Response:
    """``{"httpStatus", "feilkode", …}``: from the look-up services."""
    body = {
        "httpStatus": status,
        "feilkode": code,
        "feilmelding": text,
        "alvorlighetsgrad": "FEIL",
        "tilleggsinformasjon": None,
    }
    return JSONResponse(body, status)


def gateway(status: int, code: str, text: str) -> Response:
    """``{"code", "message", …}``: from the gateway in front."""
    body = {"code": code, "message": text, "httpStatus": status, "feilreferanse": "a1b2c3"}
    return JSONResponse(body, status)


def firewall(status: int) -> Response:
    """The firewall's page for people."""
    page = (
        "<html><head><title>Request Rejected</title></head><body>The requested URL was rejected. "
        "Please consult with your administrator.<br><br>Your support ID is: 9182736455463728190"
        "<br></body></html>"
    )
    return Response(page, status, media_type="text/html")
