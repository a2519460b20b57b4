"""Who may come in: the bearer token, its scope, and the municipalities' gateway (Fiks).

The gateway is the same services under ``/folkeregister/api/v1/{rolleId}/v1/…``. A role whose id is
a package's name has that package; every other one has "offentlig med hjemmel".
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from freg_pipeline.synthetic.maskinporten import Maskinporten, TokenError
from freg_pipeline.synthetic.options import RegisterOptions
from freg_pipeline.synthetic.packages import OFFENTLIG_MED_HJEMMEL, PACKAGES
from freg_pipeline.synthetic.problems import gateway

SCOPES = {package.path: f"folkeregister:deling/{package.scope}" for package in PACKAGES}
FIKS_SCOPE = "ks:fiks"
FIKS_HEADERS = {"IntegrasjonId": "syntetisk-integrasjon", "IntegrasjonPassord": "syntetisk-passord"}
_BY_ROLE = {package.name: package for package in PACKAGES}
_BY_FIKS = "freg.fiks"  # marks a request that came through the gateway
_FIKS = re.compile(r"/folkeregister/api/v1/([^/]+)/v1/(.+)")
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
        scopes = frozenset({*SCOPES.values(), FIKS_SCOPE})
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
        by_fiks = _BY_FIKS in scope
        if by_fiks and any(headers.get(name) != value for name, value in FIKS_HEADERS.items()):
            return gateway(401, "UNAUTHORIZED", "IntegrasjonId eller IntegrasjonPassord er feil")
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token:
            return gateway(401, "UNAUTHORIZED", "Token mangler")
        try:
            granted = self._maskinporten.granted(token)
        except TokenError as error:
            return gateway(401, "UNAUTHORIZED", str(error))
        if (FIKS_SCOPE if by_fiks else SCOPES.get(service[1])) not in granted:
            return gateway(403, "FORBIDDEN", "Token har ikke scope for rettighetspakken")
        return None


class FiksGateway:
    """Takes what comes by Fiks to the package of its role."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one request."""
        found = _FIKS.fullmatch(scope["path"]) if scope["type"] == "http" else None
        if found is not None:
            package = _BY_ROLE.get(unquote(found[1]), OFFENTLIG_MED_HJEMMEL)
            path = f"/folkeregisteret/{package.path}/v1/{found[2]}"
            scope = {**scope, "path": path, "raw_path": path.encode(), _BY_FIKS: True}
        await self._app(scope, receive, send)
