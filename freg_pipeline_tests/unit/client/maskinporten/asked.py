"""What asks, and a token endpoint and a service of a test's own."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from freg_pipeline.client import Register
from freg_pipeline.errors import FregError
from freg_pipeline.settings import load

MED = "folkeregister:deling/offentligmedhjemmel"
FINANS = "folkeregister:deling/finans"


def ask(**settings: Any) -> int:
    """The last sequence number, which every package may ask for."""

    async def run() -> int:
        async with Register.from_settings(load(**settings)) as register:
            return await register.hendelser.siste_sekvensnummer()

    return asyncio.run(run())


def raw(base_url: str, **headers: str) -> httpx.Response:
    return httpx.get(f"{base_url}/v1/hendelser/siste/sekvensnummer", headers=headers)


@dataclass
class Endpoint:
    """A token endpoint and a service of a test's own."""

    answers: list[Response] = field(default_factory=list)  # in place of tokens, while they last
    takes: str = ""  # the tokens that the service takes; all when empty
    seconds: float = 100.0
    granted: int = 0
    asked: int = 0

    async def grant(self, request: Request) -> Response:
        await asyncio.sleep(0.05)
        if self.answers:
            return self.answers.pop(0)
        self.granted += 1
        token = f"token-{self.granted}"
        return JSONResponse({"access_token": token, "expires_in": self.seconds})

    async def number(self, request: Request) -> Response:
        self.asked += 1
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        return Response("7", 200 if token and (not self.takes or token == self.takes) else 401)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/token", self.grant, methods=["POST"]),
                Route("/v1/hendelser/siste/sekvensnummer", self.number),
            ]
        )


def settings_for(url: str, key_file: Path) -> dict[str, Any]:
    return {
        "base_url": url,
        "maskinporten_issuer": f"{url}/",
        "maskinporten_token_endpoint": f"{url}/token",
        "maskinporten_client_id": "me",
        "maskinporten_key_file": str(key_file),
        "maskinporten_kid": "k",
    }


def told(kind: type[FregError], **settings: Any) -> str:
    with pytest.raises(kind) as error:
        ask(**settings)
    assert error.type is kind
    text = str(error.value)
    assert "\n" not in text
    assert "eyJ" not in text
    return text
