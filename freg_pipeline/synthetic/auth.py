"""Who may come in: the bearer token and its scope."""

from __future__ import annotations

import re

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from freg_pipeline.synthetic.gateway import BY_FIKS
from freg_pipeline.synthetic.maskinporten import Maskinporten, TokenError
from freg_pipeline.synthetic.options import RegisterOptions
from freg_pipeline.synthetic.packages import PACKAGES
from freg_pipeline.synthetic.problems import fiks, gateway

SCOPES = {package.path: package.scopes for package in PACKAGES}
FIKS_SCOPE = "ks:fiks"
FIKS_HEADERS = {"IntegrasjonId": "syntetisk-integrasjon", "IntegrasjonPassord": "syntetisk-passord"}
_SERVICE = re.compile(r"/folkeregisteret/(.+?)/v1/")
_ISSUER = ("/maskinporten/", "/_synthetic/maskinporten/")


class Guard:
    """Lets no request through to the services without a token for its package.

    Args:
        app: the services.
        options: how long a token is good for.
    """

    def __init__(self, app: ASGIApp, options: RegisterOptions) -> None:
        self._app = app
        self._everywhere = frozenset(options.scopes)
        scopes = frozenset({FIKS_SCOPE, *self._everywhere}).union(*SCOPES.values())
        self._maskinporten = Maskinporten(scopes, options.token_seconds, FIKS_HEADERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one request."""
        if scope["type"] == "http" and scope["path"].startswith(_ISSUER):
            await self._maskinporten.app(scope, receive, send)
            return
        denied = self._denied(scope) if scope["type"] == "http" else None
        await (denied or self._app)(scope, receive, send)

    def _denied(self, scope: Scope) -> Response | None:
        service = _SERVICE.match(scope["path"])
        if service is None:
            return None
        headers = Headers(scope=scope)
        by_fiks = BY_FIKS in scope
        if by_fiks and any(headers.get(name) != value for name, value in FIKS_HEADERS.items()):
            return fiks(401, "IntegrasjonId eller IntegrasjonPassord er feil")
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token:
            return _refused(401, "Token mangler", by_fiks=by_fiks)
        try:
            granted = self._maskinporten.granted(token)
        except TokenError as error:
            return _refused(401, str(error), by_fiks=by_fiks)
        good = {FIKS_SCOPE} if by_fiks else SCOPES.get(service[1], frozenset()) | self._everywhere
        if good.isdisjoint(granted):
            text = "Token har ikke scope for rettighetspakken"
            return _refused(403, text, by_fiks=by_fiks)
        return None


def _refused(status: int, text: str, *, by_fiks: bool) -> Response:
    """In the form of whoever stands at the door."""
    if by_fiks:
        return fiks(status, text)
    return gateway(status, "UNAUTHORIZED" if status == 401 else "FORBIDDEN", text)
