"""Our requests, held against the register's published description (OpenAPI 1.5, med hjemmel).

Every request that the client makes to a synthetic register in the tests' own process is noted on
its way, and validated when its test ends: path, query, body, and the form asked for. The other
packages' descriptions differ in what they leave out, so their requests are held against this one.
Tests run without it where the file isn't beside the project; the test that is about it skips.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
import yaml
from openapi_core import Config, OpenAPI
from openapi_core.datatypes import RequestParameters
from werkzeug.datastructures import Headers, ImmutableMultiDict

from freg_pipeline_tests.contracts import PUBLISHED

DESCRIPTION = PUBLISHED / "folkeregisteret-offentlig-med-hjemmel-1.5.openapi.yaml"
_BASE = "/folkeregisteret/offentlig-med-hjemmel/api/v1/"


@dataclass(frozen=True)
class Sent:
    """A request as it went out. Each question counts once, however often it is asked."""

    method: str
    resource: str
    query: tuple[tuple[str, str], ...]
    accept: str
    content_type: str
    body: bytes


class Recorder:
    """Notes what the client sends."""

    def __init__(self) -> None:
        self.sent: set[Sent] = set()

    def note(self, request: httpx.Request) -> None:
        ours = request.headers.get("user-agent", "").startswith("freg_pipeline/")
        if ours and "/folkeregisteret/" in request.url.path and "/v1/" in request.url.path:
            self.sent.add(
                Sent(
                    request.method,
                    request.url.raw_path.decode().partition("?")[0].rpartition("/v1/")[2],
                    tuple(parse_qsl(request.url.query.decode(), keep_blank_values=True)),
                    request.headers["accept"],
                    request.headers.get("content-type", ""),
                    request.content,
                )
            )


def recording(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """Note every request of asynchronous clients until the test ends."""
    recorder = Recorder()
    send = httpx.AsyncHTTPTransport.handle_async_request

    async def noted(transport: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
        recorder.note(request)
        return await send(transport, request)

    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", noted)
    return recorder


def violations(sent: Iterable[Sent]) -> list[str]:
    """What in requests the description doesn't allow; nothing where it isn't at hand."""
    if not DESCRIPTION.is_file():
        return []
    return [f"{one.method} {operation_of(one)}: {problem}" for one in sent for problem in _of(one)]


def operation_of(sent: Sent) -> str | None:
    """The path of the operation that a request is for, as the description writes it."""
    for path in sorted(_description()["paths"], key=lambda path: path.count("{")):
        pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))
        if re.fullmatch(pattern, f"/v1/{sent.resource}"):
            return str(path)
    return None


def operations() -> set[tuple[str, str]]:
    """Every method and path of the description."""
    return {
        (method.upper(), path)
        for path, methods in _description()["paths"].items()
        for method in methods
    }


def _of(sent: Sent) -> list[str]:
    operation = _description()["paths"].get(operation_of(sent), {}).get(sent.method.lower())
    if operation is None:
        return ["no such operation"]
    known = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"}
    problems = [f"no such parameter: {name}" for name, _ in sent.query if name not in known]
    answers = operation["responses"].get("200") or operation["responses"]["default"]
    if sent.accept not in {"*/*", *answers["content"]}:
        problems.append(f"it answers in no {sent.accept}")
    # The kind of error only: its text quotes values, which are a person's.
    errors = _api().iter_request_errors(_Asked(sent))  # type: ignore[arg-type]
    return problems + [type(error).__name__ for error in errors]


class _Asked:
    """A request as openapi-core takes it."""

    host_url = "http://register"

    def __init__(self, sent: Sent) -> None:
        self.method = sent.method.lower()
        self.path = _BASE + sent.resource
        self.content_type = sent.content_type
        self.body = sent.body or None
        self.parameters = RequestParameters(
            query=ImmutableMultiDict(sent.query), header=Headers([("Accept", sent.accept)])
        )


@cache
def _description() -> dict[str, Any]:
    description: dict[str, Any] = yaml.safe_load(DESCRIPTION.read_text())
    return description


@cache
def _api() -> OpenAPI:
    # The description is the register's: whether it is sound itself is not our question.
    strict = Config(spec_validator_cls=None, additional_properties_default_policy="forbid")
    return OpenAPI.from_dict(_description(), config=strict)
