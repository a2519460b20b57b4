"""A register that refuses parts: found out before the order, said, kept, and lived with."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from freg_pipeline.errors import RefusedError
from freg_pipeline.extract.probe import NOBODY
from freg_pipeline.journal.releases import require_current
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.settings import Settings
from freg_pipeline.store import open_store
from freg_pipeline_tests import registers
from freg_pipeline_tests.conftest import RunFreg, StartRegister
from freg_pipeline_tests.loads import full_load, opened, sync
from freg_pipeline_tests.registers import happen, serving, status_of

SAMETING = "forholdTilSametingetsValgmanntall"
MESSAGES = {
    400: {"httpStatus": 400, "feilkode": "FREG-1", "feilmelding": "Ugyldig verdi for part"},
    403: {"message": "Rollen har ikke tilgang", "error": "Forbidden"},
}
ONE_MORE = {"opphold"}
_AS_THE_CONTRACT = {"RettsligHandleevne": "rettsligHandleevne"}


class Refusing:
    """A register that refuses some parts; others by the day."""

    def __init__(self, url: str, parts: set[str], status: int = 400) -> None:
        self.behind = url
        self.parts = parts
        self.once_somebody_is_asked_about = set[str]()
        self.asked: list[str] = []  # services, and which questions were refused, as they came
        self._status = status

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if "bulkoppslag" in request.url.path and NOBODY.encode() not in await request.body():
            self.parts |= self.once_somebody_is_asked_about
        is_taken = self.parts.isdisjoint(request.query_params.getlist("part"))
        self.asked.append(request.url.path.split("/v1/")[1] if is_taken else "refused")
        if is_taken:
            answer = await run_in_threadpool(self._forward, request, await request.body())
        else:
            answer = JSONResponse(MESSAGES[self._status], self._status)
        await answer(scope, receive, send)

    def _forward(self, request: Request, body: bytes) -> Response:
        answer = registers._CLIENT.request(
            request.method,
            f"{self.behind.split('/folkeregisteret')[0]}{request.url.path}",
            params=[
                (name, _AS_THE_CONTRACT.get(value, value))
                for name, value in request.query_params.multi_items()
            ],
            content=body,
            headers={
                name: value
                for name, value in request.headers.items()
                if name in {"accept", "content-type"}
            },
        )
        kind = {"content-type": answer.headers.get("content-type", "application/json")}
        return Response(answer.content, answer.status_code, kind)


@contextmanager
def refusing(url: str, *parts: str, status: int = 400) -> Iterator[tuple[Refusing, str]]:
    register = Refusing(url, set(parts), status)
    with serving(register) as root:
        yield register, f"{root}/folkeregisteret/{url.split('/folkeregisteret/')[1]}"


@pytest.mark.parametrize("status", [400, 403])
def test_a_full_load_and_its_syncs_go_without_what_is_refused(
    status: int,
    start_register: StartRegister,
    make_settings: Callable[..., Settings],
    caplog: pytest.LogCaptureFixture,
) -> None:
    behind = start_register(persons=60, batch_size=60)
    with refusing(behind, SAMETING, "rettsligHandleevne", status=status) as (register, url):
        settings = make_settings(url)
        manifest = full_load(settings)
        assert manifest.parts_refused == (SAMETING,)
        assert "RettsligHandleevne" in manifest.parts
        assert manifest.accounting.failed == 0
        line = f"the register refuses {SAMETING}: asked for without; these tables stay empty: "
        assert f"{line}forhold_til_sametingets_valgmanntall" in caplog.text
        requests = status_of(behind)["requests"]
        assert requests.get("personer/arkiv/{dokumentidentifikator}", 0) == 0
        assert requests["uttrekk/komplett"] == 1
        ordered = register.asked.index("uttrekk/komplett")
        assert "refused" in register.asked[:ordered], "found out before the first order"
        assert "refused" not in register.asked[ordered:]
        caplog.clear()
        happen(behind, 10)
        (first,) = sync(settings)
        assert first.uttrekk.request.parts_refused == (SAMETING,)
        assert "refuses" not in caplog.text, "the full load has told it"
        register.parts |= ONE_MORE
        happen(behind, 10)
        assert len(sync(settings)) == 1
        assert "the register refuses opphold: asked for without" in caplog.text
        assert require_current(open_store(settings)).parts_refused == (SAMETING, "opphold")


def test_a_part_that_is_refused_later_ends_a_load_without_a_thousand_questions(
    start_register: StartRegister, make_settings: Callable[..., Settings]
) -> None:
    import asyncio

    from freg_pipeline.client import BatchState, Register
    from freg_pipeline.extract.fetch import fetch_batch
    from freg_pipeline.extract.order import place_order
    from freg_pipeline.extract.poll import wait_for_batch

    behind = start_register(persons=60, batch_size=60)

    async def load(settings: Settings, register: Register, of: Refusing) -> None:
        uttrekk = await opened(settings, register)
        await place_order(register, uttrekk, settings)
        while (await wait_for_batch(register, uttrekk, settings)).state is not BatchState.END:
            pass
        of.parts |= ONE_MORE
        await fetch_batch(register, uttrekk, 0, concurrency=1)

    async def run(url: str, of: Refusing) -> None:
        settings = make_settings(url)
        async with Register.from_settings(settings) as register:
            await load(settings, register, of)

    with refusing(behind) as (register, url), pytest.raises(RefusedError) as told:
        asyncio.run(run(url, register))
    assert "no longer takes opphold. Start a new uttrekk" in str(told.value)
    assert status_of(behind)["requests"].get("personer/arkiv/{dokumentidentifikator}", 0) == 0


def test_a_sync_begins_anew_without_a_part_that_is_refused_in_the_middle_of_it(
    start_register: StartRegister,
    make_settings: Callable[..., Settings],
    caplog: pytest.LogCaptureFixture,
) -> None:
    behind = start_register(persons=60, batch_size=60)
    with refusing(behind) as (register, url):
        settings = make_settings(url)
        full_load(settings)
        happen(behind, 10)
        register.once_somebody_is_asked_about = ONE_MORE
        assert len(sync(settings)) == 1
        assert "it no longer takes opphold: the sync starts over without it" in caplog.text
        assert sync(settings) == []
    assert require_current(open_store(settings)).parts_refused == (SAMETING, "opphold")


def test_a_spot_check_leaves_out_what_is_refused_since_and_tells_what_is_taken_again(
    start_register: StartRegister, freg: RunFreg, make_settings: Callable[..., Settings]
) -> None:
    behind = start_register(persons=60, batch_size=60)
    with refusing(behind, "bibehold", "rettsligHandleevne") as (register, url):
        full_load(make_settings(url))
        register.parts = {"opphold", "rettsligHandleevne"}
        checked = freg("release", "spot-check", FREG_BASE_URL=url)
        assert checked.code == 0, checked.stderr
        assert "The tables say the same as the register." in checked.stdout
        assert "the register refuses opphold: asked for without" in checked.stderr
        assert "the register takes bibehold again: make a new full load" in checked.stderr
        happen(behind, 1, path="stille", type="endringIRettsligHandleevne")
        changed = freg("release", "spot-check", FREG_BASE_URL=url)
    # Asked for as RettsligHandleevne, the only way that this register takes it.
    assert "rettslig_handleevne" in changed.stdout


def test_the_commands_say_it_and_go_on(
    start_register: StartRegister, freg: RunFreg, tmp_path: Path
) -> None:
    behind = start_register(persons=40, batch_size=40)
    with refusing(behind, SAMETING, "opphold") as (register, url):
        checked = freg("check", FREG_BASE_URL=url)
        assert checked.code == 0, checked.stderr
        assert f"parts         the register refuses {SAMETING}, opphold" in checked.stdout
        loaded = freg("uttrekk", "komplett", FREG_BASE_URL=url)
        assert loaded.code == 0, loaded.stderr
        assert f"the register refuses {SAMETING}" in loaded.stderr
        without = f"Without {SAMETING}, opphold, which the register refuses"
        assert without in loaded.stdout
        register.parts.discard("opphold")
        assert "takes opphold again" in freg("check", FREG_BASE_URL=url).stdout
        shown = freg("release", "show", FREG_BASE_URL=url)
        assert without in shown.stdout
    assert (tmp_path / "store").exists()


def test_everything_but(
    start_register: StartRegister, make_settings: Callable[..., Settings]
) -> None:
    settings = make_settings(
        start_register(persons=60, batch_size=60), parts="alle,-sivilstand,-opphold"
    )
    manifest = full_load(settings)
    asked = {*manifest.parts}
    assert {"navn", "historikk", "relasjon-utvidet"} <= asked
    # person-basis would give sivilstand, too.
    assert asked.isdisjoint({"sivilstand", "opphold", "person-basis"})
    assert manifest.tables["sivilstand"].rows == 0
    assert manifest.tables["navn"].rows > 0
    assert Uttrekk(open_store(settings), manifest.uttrekk).request.parts_apart == ()


def test_what_is_left_out_must_be_known(freg: RunFreg, small_register: str) -> None:
    for parts, said in {
        "alle,-oppholdd": "names oppholdd, which the contract doesn't know",
        "-opphold": "write alle,-opphold",
    }.items():
        ended = freg("uttrekk", "komplett", FREG_BASE_URL=small_register, FREG_PARTS=parts)
        assert (ended.code, len(ended.lines)) == (2, 1), ended.stderr
        assert said in ended.stderr
    person = freg("check", FREG_BASE_URL=small_register, FREG_PARTS="alle,-opphold")
    assert person.code == 0, person.stderr


@pytest.fixture(autouse=True)
def _warnings_are_seen(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.WARNING):
        yield
