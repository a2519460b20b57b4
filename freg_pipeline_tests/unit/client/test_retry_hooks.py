"""What a process has its retries told by is its own affair; the command tells them in its words."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from freg_pipeline_tests.conftest import RunFreg
from freg_pipeline_tests.registers import serving

HOOKED = """
import sys
from stamina import instrumentation
told = []
instrumentation.set_on_retry_hooks([told.append])
from freg_pipeline.client import Register
from freg_pipeline.settings import load
import asyncio

async def ask():
    settings = load(base_url=sys.argv[1], token="t", store=sys.argv[2])
    async with Register.from_settings(settings) as register:
        return await register.hendelser.siste_sekvensnummer()

print(asyncio.run(ask()), len(told), instrumentation.get_on_retry_hooks() == (told.append,))
"""


@pytest.fixture
def register() -> Iterator[str]:
    """One that fails at first."""
    asked: list[str] = []

    async def answer(request: Request) -> Response:
        asked.append(request.url.path)
        return Response(status_code=503) if len(asked) == 1 else JSONResponse(7)

    with serving(Starlette(routes=[Route("/{path:path}", answer)])) as address:
        yield address


def test_the_client_leaves_a_processs_hooks_and_tells_them_its_retries(
    register: str, tmp_path: Path
) -> None:
    ended = _run(HOOKED, [register, str(tmp_path)])
    assert ended.stdout.split() == ["7", "1", "True"]


def test_staminas_own_line_is_left_out_for_ours_and_stays_for_others(
    register: str, tmp_path: Path
) -> None:
    others = """
for attempt in stamina.retry_context(on=ValueError, attempts=2, wait_max=0.01):
    with attempt:
        if attempt.num == 1:
            raise ValueError
"""
    asks, _ = HOOKED.replace("instrumentation.set_on_retry_hooks([told.append])", "").split("print")
    program = f"""
import logging, stamina
logging.basicConfig(level=logging.INFO)
{asks}
print(asyncio.run(ask()))
"""
    arguments = [register, str(tmp_path)]
    ours = _run(program, arguments)
    assert "trying again" in ours.stderr
    assert "stamina" not in ours.stdout + ours.stderr
    both = _run(program + others, arguments)
    assert (both.stdout + both.stderr).count("stamina.retry_scheduled") == 1


def _run(program: str, arguments: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip


def test_the_command_prints_no_other_words_of_a_retry(register: str, freg: RunFreg) -> None:
    ended = freg("sekvensnummer", "--base-url", register, FREG_TOKEN="t")
    assert (ended.code, ended.stdout.strip()) == (0, "7"), ended.stderr
    assert "stamina" not in ended.stdout + ended.stderr
