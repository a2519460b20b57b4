"""``freg check`` as a new user tries it: with all in order, and with each thing wrong in turn."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from freg_pipeline import cli
from freg_pipeline.client import maskinporten
from freg_pipeline.client.access import access
from freg_pipeline.settings import load
from freg_pipeline.synthetic import RegisterOptions, running
from freg_pipeline_tests.conftest import Ended, RunFreg, StartRegister
from freg_pipeline_tests.lent import as_environment, lend, root_of, settings_of
from freg_pipeline_tests.registers import serving, status_of
from freg_pipeline_tests.s3 import between, s3_server
from freg_pipeline_tests.unprivileged import unprivileged
from freg_pipeline_tests.waiting import STUCK_SECONDS

MED = "folkeregister:deling/offentligmedhjemmel"
Check = Callable[..., Ended]


@pytest.fixture(scope="module")
def guarded() -> Iterator[str]:
    with running(RegisterOptions(persons=50, auth=True, token_seconds=60)) as url:
        yield url


@pytest.fixture
def check(
    guarded: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Check:
    """Run the command in this process, against the register that wants tokens."""
    monkeypatch.setattr(maskinporten, "_SHARED", {})

    def run(**environment: Any) -> Ended:
        given = {"FREG_BASE_URL": guarded, "FREG_STORE": str(tmp_path / "store"), **environment}
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            cli.main(["check"])
        said = capsys.readouterr()
        return Ended(int(ended.value.code or 0), said.out, said.err)

    return run


@pytest.fixture
def mine(guarded: str, tmp_path: Path) -> dict[str, str]:
    """A client's settings that are all right."""
    return as_environment(settings_of(lend(guarded, MED), tmp_path))


def _first_words(ended: Ended) -> list[str]:
    return [line.split()[0] for line in ended.stdout.splitlines()]


def _line(ended: Ended) -> str:
    assert len(ended.lines) == 1, ended.stderr
    assert "eyJ" not in ended.stderr
    return ended.lines[0]


def test_all_in_order(check: Check, mine: dict[str, str]) -> None:
    ended = check(**mine)
    assert ended.code == 0, ended.stderr
    assert _first_words(ended) == [
        "settings", "access", "key", "store", "register", "package", "services",
        "contract", "parts",
    ]  # fmt: skip
    assert f"a token from Maskinporten for {MED}, good for 60 s" in ended.stdout
    assert "offentlig-med-hjemmel may call every service" in ended.stdout


def test_a_newcomer_with_nothing_set_but_the_address(guarded: str, freg: RunFreg) -> None:
    ended = freg("check", FREG_BASE_URL=guarded)
    assert ended.code == 0, ended.stderr
    assert "the synthetic register's own client" in ended.stdout


def test_what_a_smaller_package_may_not_call(guarded: str, check: Check) -> None:
    privat = f"{root_of(guarded)}/folkeregisteret/api/privat"
    ended = check(FREG_BASE_URL=privat, FREG_RETTIGHETSPAKKE="privat")
    assert ended.code == 0, ended.stderr
    assert "privat may call all but hendelser/bulkoppslag" in ended.stdout
    assert "parts         not tried" in ended.stdout
    assert "uttrekk/komplett" in ended.stdout


def test_what_the_register_itself_says_to_each_service(
    start_register: StartRegister, freg: RunFreg
) -> None:
    url = start_register(persons=20)

    class Denying:
        """Searches aren't for us, whatever our table says."""

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            request = Request(scope, receive)
            if request.url.path.endswith("/personer/soek"):
                said = {"message": "Ingen tilgang", "code": "FORBIDDEN"}
                await JSONResponse(said, 403)(scope, receive, send)
                return
            answer = await run_in_threadpool(
                httpx.request,
                request.method,
                f"{root_of(url)}{request.url.path}",
                params=request.query_params.multi_items(),
                content=await request.body(),
                headers={"Content-Type": "application/json", "Accept": request.headers["accept"]},
            )
            kind = {"content-type": answer.headers["content-type"]}
            await Response(answer.content, answer.status_code, kind)(scope, receive, send)

    with serving(Denying()) as root:
        ended = freg("check", FREG_BASE_URL=url.replace(root_of(url), root))
    assert ended.code == 0, ended.stderr
    assert "services      9 of 10 let us in; orders aren't tried" in ended.stdout
    assert "              personer/soek: personer/soek answered 403" in ended.stdout
    assert status_of(url)["requests"].get("uttrekk/komplett", 0) == 0
    allowed = freg("check", FREG_BASE_URL=url, FREG_ALLOW_SERVICES="alle")
    assert "services      10 of 10 let us in" in allowed.stdout


def test_a_wrong_key(guarded: str, check: Check, mine: dict[str, str], tmp_path: Path) -> None:
    other = as_environment(settings_of(lend(guarded, MED), tmp_path))
    mine["FREG_MASKINPORTEN_KEY_FILE"] = other["FREG_MASKINPORTEN_KEY_FILE"]
    ended = check(**mine)
    assert ended.code == 3
    assert "FREG_MASKINPORTEN_KEY_FILE" in _line(ended)
    assert _first_words(ended) == ["settings"]


def test_a_wrong_scope(guarded: str, check: Check, tmp_path: Path) -> None:
    finans = settings_of(lend(guarded, "folkeregister:deling/finans"), tmp_path)
    ended = check(**as_environment(finans))
    assert ended.code == 3
    assert MED in _line(ended)


def test_a_wrong_clock(check: Check, mine: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maskinporten, "_now", lambda: time.time() - 3600)
    ended = check(**mine)
    assert ended.code == 3
    off = re.search(r"This machine's clock is (\d+) s behind Maskinporten's", _line(ended))
    assert off is not None
    assert abs(int(off[1]) - 3600) <= 3


def test_a_wrong_package(guarded: str, check: Check, tmp_path: Path) -> None:
    finans = as_environment(settings_of(lend(guarded, "folkeregister:deling/finans"), tmp_path))
    ended = check(FREG_RETTIGHETSPAKKE="finans", **finans)  # at the address of another one
    assert ended.code == 3
    line = _line(ended)
    assert "403" in line
    assert "FREG_RETTIGHETSPAKKE" in line
    assert "folkeregister:deling/finans" in line
    assert _first_words(ended) == ["settings", "access", "key", "store"]


def test_a_part_that_no_contract_knows(check: Check, mine: dict[str, str]) -> None:
    ended = check(FREG_PARTS="navn,hårfarge", **mine)
    assert ended.code == 2
    assert "FREG_PARTS names hårfarge, which" in _line(ended)
    assert check(FREG_PARTS="historikk,relasjon-utvidet,navn", **mine).code == 0


def test_an_expired_token(check: Check) -> None:
    ended = check(FREG_TOKEN="a-token-of-yesterday")
    assert ended.code == 3
    assert "401" in _line(ended)
    assert "FREG_TOKEN" in _line(ended)
    assert "yesterday" not in ended.stderr + ended.stdout


def test_a_ready_token_tells_how_long_it_is_good_for(
    guarded: str, check: Check, mine: dict[str, str]
) -> None:
    settings = {name.removeprefix("FREG_").lower(): value for name, value in mine.items()}
    token = access(load(base_url=guarded, **settings))._tokens.get()  # type: ignore[attr-defined]
    ended = check(FREG_TOKEN=token.get_secret_value())
    assert ended.code == 0, ended.stderr
    assert re.search(f"the token in FREG_TOKEN for {MED}, good for [56][0-9] s", ended.stdout)
    head, _, tail = token.get_secret_value().split(".")
    old = urlsafe_b64encode(b'{"exp": 1000000000, "scope": "s"}').decode().rstrip("=")
    ended = check(FREG_TOKEN=f"{head}.{old}.{tail}")
    assert ended.code == 3
    assert "FREG_TOKEN for s, expired" in ended.stdout


def test_no_network(check: Check, mine: dict[str, str]) -> None:
    for nowhere in (
        {"FREG_BASE_URL": "http://127.0.0.1:9/folkeregisteret/offentlig-med-hjemmel/api"},
        {**mine, "FREG_MASKINPORTEN_ISSUER": "http://127.0.0.1:9/"},
    ):
        ended = check(**nowhere)
        assert ended.code == 2
        assert "nothing answers at" in _line(ended)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"FREG_MASKINPORTEN_KEY_FILE": "/nowhere/key.pem"}, "can't be read"),
        ({"FREG_MASKINPORTEN_KID": ""}, "FREG_MASKINPORTEN_KID"),
        ({"FREG_MASKINPORTEN_CLIENT_ID": ""}, "FREG_MASKINPORTEN_CLIENT_ID"),
        ({"FREG_MASKINPORTEN_CONSUMER_ORG": "x"}, "FREG_MASKINPORTEN_CONSUMER_ORG"),
        ({"FREG_ENVIRONMENT": "fiks-test"}, "FREG_FIKS_INTEGRASJON_ID"),
        ({"FREG_ENVIRONMENT": "fiks", "FREG_BASE_URL": ""}, "FREG_FIKS_ROLLE_ID"),
    ],
)
def test_a_wrong_setting(
    check: Check, mine: dict[str, str], wrong: dict[str, str], said: str
) -> None:
    ended = check(**{**mine, **wrong})
    assert ended.code == 2
    assert said in _line(ended)


@pytest.fixture
def beside(tmp_path: Path) -> Path:
    """A folder with what settings may name in it, wrong things as well."""
    folder = tmp_path / "beside"
    for name in ("lists", "log", "open", "a folder.duckdb"):
        (folder / name).mkdir(parents=True)
    (folder / "open").chmod(0o777)
    (folder / "file").write_text("a file")
    return folder


def test_what_is_named_beside_the_store_is_looked_at_and_left_as_it_was(
    check: Check, beside: Path, mine: dict[str, str]
) -> None:
    before = sorted(beside.rglob("*"))
    ended = check(
        **mine,
        FREG_CATALOGUE=str(beside / "new" / "folder"),
        FREG_LISTS=str(beside / "lists"),
        FREG_ACCESS_LOG=str(beside / "log"),
        FREG_LOAD_TO=f"duckdb:{beside / 'warehouse.duckdb'}",
        FREG_KEY_PREFIX="oslo/kommune",
    )
    assert ended.code == 0, ended.stderr
    assert ended.stdout.splitlines()[4:9] == [
        f"catalogue     {beside}/new/folder/freg.duckdb can be written",
        f"lists         {beside}/lists can be read",
        f"access log    {beside}/log can be written",
        f"copy          {beside}/warehouse.duckdb, schema freg can be written",
        "key prefix    oslo/kommune begins Dagster's names",
    ]
    assert sorted(beside.rglob("*")) == before


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("FREG_LOAD_TO", "postgresql://me@warehouse/db", "copy          postgresql://me@ware"),
        ("FREG_LOAD_TO", "delta:{}/delta", "delta, schema freg can be written"),
        ("FREG_LOAD_TO", "snowflake", "copy          snowflake, schema freg is well named"),
        ("FREG_ACCESS_LOG", "false", "access log    nothing is noted"),
        ("FREG_ACCESS_LOG", "true", "access log    lies in the store"),
    ],
)
def test_what_can_be_seen_of_a_place_is_told(
    check: Check, beside: Path, mine: dict[str, str], name: str, value: str, said: str
) -> None:
    ended = check(**mine, **{name: value.format(beside)})
    assert ended.code == 0, ended.stderr
    assert said in ended.stdout


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("FREG_CATALOGUE", "{}/a folder.duckdb", "Is a directory"),
        ("FREG_CATALOGUE", "{}/file/freg.duckdb", "Not a directory"),
        ("FREG_LISTS", "{}/nowhere", "No such file"),
        ("FREG_LISTS", "{}/file", "Not a directory"),
        ("FREG_ACCESS_LOG", "{}/file/below", "Not a directory"),
        ("FREG_ACCESS_LOG", "{}/open", "can be written by everyone"),
        ("FREG_LOAD_TO", "duckdb:{}/a folder.duckdb", "Is a directory"),
        ("FREG_LOAD_TO", "duckdb:{}/nowhere/copy.duckdb", "Not a directory"),
        ("FREG_LOAD_TO", "delta:{}/file", "Not a directory"),
        ("FREG_LOAD_TO", "postgresql://me:word@warehouse/db", "holds a password"),
        ("FREG_LOAD_TO", "snowflak", "dlt knows no destination snowflak"),
        ("FREG_KEY_PREFIX", "min kommune", "can't be part of a key prefix"),
    ],
)
def test_a_place_that_cant_be_used_is_told_by_its_setting(
    check: Check, beside: Path, mine: dict[str, str], name: str, value: str, said: str
) -> None:
    before = sorted(beside.rglob("*"))
    ended = check(**mine, **{name: value.format(beside)})
    assert ended.code == 2
    assert name in _line(ended)
    assert said in _line(ended)
    assert "word@" not in ended.stderr
    assert sorted(beside.rglob("*")) == before


def test_a_place_that_may_not_be_written_is_told(
    guarded: str, mine: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    given = {**mine, "FREG_BASE_URL": guarded, "FREG_STORE": str(tmp_path / "store")}
    for setting, place in (
        ("FREG_CATALOGUE", "closed/freg.duckdb"),
        ("FREG_ACCESS_LOG", "closed/log"),
        ("FREG_LOAD_TO", "duckdb:{}closed/copy.duckdb"),
    ):
        named = place.format(f"{tmp_path}/") if "{}" in place else str(tmp_path / place)
        ended = subprocess.run(
            [*unprivileged(), sys.executable, "-m", "freg_pipeline.cli", "check"],
            env={**os.environ, **given, setting: named},
            capture_output=True, text=True, check=False, timeout=STUCK_SECONDS,
        )  # fmt: skip
        assert ended.returncode == 2
        assert f"Error: {setting} names" in ended.stderr
        assert "Permission denied" in ended.stderr
        assert list((tmp_path / "closed").iterdir()) == []


def test_an_access_log_on_s3_is_asked_and_nothing_is_written(
    check: Check, mine: dict[str, str]
) -> None:
    with s3_server() as server, between(server) as proxy:
        s3 = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
              "AWS_DEFAULT_REGION": "us-east-1", "FREG_S3_ENDPOINT": proxy.address}  # fmt: skip
        log = {"FREG_ACCESS_LOG": "s3://bucket/log"}
        ended = check(**mine, **s3, **log)
        assert ended.code == 2
        assert "FREG_ACCESS_LOG: " in _line(ended)
        assert "NoSuchBucket" in _line(ended)
        boto3.client("s3", endpoint_url=server).create_bucket(Bucket="bucket")
        proxy.requests.clear()
        assert "access log    s3://bucket/log answers" in check(**mine, **s3, **log).stdout
        proxy.instead = lambda *_: (403, "AccessDenied")  # who may only write
        assert "access log    s3://bucket/log answers" in check(**mine, **s3, **log).stdout
        assert {method for method, _ in proxy.requests} == {"GET"}
        proxy.instead = lambda *_: (403, "InvalidAccessKeyId")
        assert "InvalidAccessKeyId" in _line(check(**mine, **s3, **log))


def test_nothing_set_for_production(check: Check) -> None:
    ended = check(FREG_ENVIRONMENT="produksjon", FREG_BASE_URL="")
    assert ended.code == 2
    assert "FREG_MASKINPORTEN_CLIENT_ID" in _line(ended)
