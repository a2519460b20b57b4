"""What stands in front of the services: a label, tolerance for paths, the municipalities' gateway.

Fiks is the same services under ``/folkeregister/api/v1/{rolleId}/v1/…``. A role whose id is a
package's name has that package; every other one has "offentlig med hjemmel".
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from freg_pipeline.synthetic.packages import OFFENTLIG_MED_HJEMMEL, PACKAGES

BY_FIKS = "freg.fiks"  # marks a request that came through the gateway
LABEL = (b"x-synthetic-register", b"freg_pipeline")
_BY_ROLE = {package.name: package for package in PACKAGES}
_FIKS = re.compile(r"/folkeregister/api/v1/([^/]+)/v1/(.+)")


class Gateway:
    """Labels every answer as a synthetic register's, and finds the way to the service.

    A path with a slash at its end is the one without, as the documentation's own examples have it;
    nobody is sent elsewhere for that, least of all out of Fiks.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def labelled(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], LABEL]}
            await send(message)

        await self._app(_to_service(scope), receive, labelled)


def _to_service(scope: Scope) -> Scope:
    path: str = scope["path"]
    if "/v1/" in path:
        path = path.rstrip("/")
    found = _FIKS.fullmatch(path)
    if found is not None:
        package = _BY_ROLE.get(unquote(found[1]), OFFENTLIG_MED_HJEMMEL)
        path = f"/folkeregisteret/{package.path}/v1/{found[2]}"
        scope = {**scope, BY_FIKS: True}
    if path == scope["path"]:
        return scope
    return {**scope, "path": path, "raw_path": path.encode()}


def came_by_fiks(request: Request) -> bool:
    """Whether a request came through the municipalities' gateway."""
    return BY_FIKS in request.scope


async def front_page(request: Request) -> Response:
    """What a person is told who opens the register's own address."""
    del request
    return JSONResponse(
        {
            "synthetic": True,
            "about": "A synthetic register by freg_pipeline. Nobody in it exists, and nothing in "
            "it comes from Folkeregisteret.",
            "services": [f"/folkeregisteret/{package.path}/v1" for package in PACKAGES],
            "status": "/_synthetic/status",
        }
    )
