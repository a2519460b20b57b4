"""What a register says gets into no output, log or record of Dagster's as it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from freg_pipeline_tests.conftest import RunFreg
from freg_pipeline_tests.registers import get, serving

NUMBER = "03851598730"
TOKEN = "very-secret-token-of-ours"
PASSWORD = "fiks/passord & mer"


def _echoing(small_register: str) -> Starlette:
    """A gateway that refuses every order in words that hold all that they shouldn't."""

    async def refuse(request: Request) -> Response:
        told = f"%22{NUMBER}%22 010101-12345 \x1b[2J{request.headers['authorization']}"
        password = request.headers["integrasjonpassord"]
        body = {"kode": f"K-{NUMBER}-{'x' * 300_000}", "melding": f"{password} {told}"}
        return JSONResponse(body, status_code=400)

    async def answer(request: Request) -> Response:
        if request.method == "POST":  # which parts there are is found out by nobody's number
            asked = (await request.json())["foedselsEllerDNummer"]
            reason = {"feilmelding": "Fant ikke personen"}
            told = [{"foedselsEllerDNummer": one, "feilmelding": reason} for one in asked]
            return JSONResponse({"oppslag": told})
        path = request.url.path.split("/v1/")[1]
        found = get(small_register, path, accept="*/*")
        return Response(found.content, media_type=found.headers["content-type"])

    return Starlette(
        routes=[
            Route("/{role:path}/v1/uttrekk/{rest:path}", refuse, methods=["GET", "POST"]),
            Route("/{role:path}/v1/{rest:path}", answer, methods=["GET", "POST"]),
        ]
    )


@pytest.mark.parametrize("debug", [[], ["--debug"]])
def test_an_echo_of_numbers_and_secrets_is_shown_to_nobody(
    debug: list[str], small_register: str, freg: RunFreg, tmp_path: Path
) -> None:
    with serving(_echoing(small_register)) as url:
        ended = freg(
            "uttrekk", "tilpasset", "--personstatustype", "bosatt", *debug,
            FREG_BASE_URL=f"{url}/role",
            FREG_ENVIRONMENT="fiks-test",
            FREG_TOKEN=TOKEN,
            FREG_FIKS_INTEGRASJON_ID="an-id",
            FREG_FIKS_INTEGRASJON_PASSORD=PASSWORD,
            FREG_PARTS="navn",
        )  # fmt: skip
    assert ended.code == 3, ended.stderr
    assert "400 K-***********-x" in ended.stderr
    records = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any("dagster" in str(path) and path.suffix == ".db" for path in records)
    texts = [
        ended.stdout + ended.stderr,
        *(path.read_bytes().decode("latin-1") for path in records),
    ]
    for text in texts:
        for secret in (NUMBER, "010101-12345", TOKEN, PASSWORD, "\x1b[2J", "x" * 1_000):
            assert secret not in text


@pytest.mark.parametrize(
    "arguments",
    [
        ["person", NUMBER, NUMBER],
        ["person", NUMBER, "Ola", "Nordmann"],
        [NUMBER],
        ["uttrekk", NUMBER],
        ["uttrekk", "resume", NUMBER],
        ["uttrekk", "resume", "038515-98730"],
        ["uttrekk", "status", NUMBER],
        ["uttrekk", "komplett", "--name", NUMBER],
        ["person", f"--nummer={NUMBER}"],
        ["person", f"--{NUMBER}"],
        ["feed", f"{NUMBER}x"],
        ["release", "show", NUMBER],
        ["release", "pin", "1", "--name", NUMBER],
        ["sql", "select 1", "--as-of", f"{NUMBER}x"],
        ["uttrekk", "komplett", "--concurrency", NUMBER],
        ["check", "--environment", NUMBER],
        ["uttrekk", "liste", f"/no/such/{NUMBER}.txt"],
    ],
)
def test_wrong_input_is_not_echoed(arguments: list[str], freg: RunFreg) -> None:
    ended = freg(*arguments, FREG_BASE_URL="http://127.0.0.1:9/folkeregisteret/x/api")
    assert ended.code == 2, ended.stderr
    assert len(ended.lines) == 1
    assert len(re.findall(r"\d", ended.stderr)) < 8, ended.stderr
    assert "Nordmann" not in ended.stderr
