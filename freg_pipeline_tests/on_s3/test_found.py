"""Where the service is, whose keys and which certificates: as AWS's libraries find them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from freg_pipeline.settings import load
from freg_pipeline_tests.conftest import RunFreg
from freg_pipeline_tests.loads import full_load
from freg_pipeline_tests.radosgw import Radosgw
from freg_pipeline_tests.s3 import Between, between, private_certificates

WAYS = ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "FREG_S3_ENDPOINT", "profile"]


@dataclass(frozen=True)
class Served:
    """A store with a release, and the service behind TLS by an authority that nobody knows."""

    where: str
    register: str
    proxy: Between
    authority: Path


@pytest.fixture(scope="module")
def served(
    radosgw: Radosgw, small_register: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    bucket = radosgw.bucket()
    where = f"s3://{bucket}/some/prefix"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in radosgw.environment().items():
            patch.setenv(name, value)
        full_load(load(base_url=small_register, store=where, poll_seconds=0.05))
    authority, certificate = private_certificates(tmp_path_factory.mktemp("certificates"))
    with between(radosgw.endpoint, certificate=certificate) as proxy:
        yield Served(where, small_register, proxy, authority)


@pytest.fixture
def nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is found but by what a test sets."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.mark.usefixtures("nothing")
@pytest.mark.parametrize("way", WAYS)
def test_every_library_goes_the_way_that_was_told(
    way: str, served: Served, radosgw: Radosgw, freg: RunFreg, tmp_path: Path
) -> None:
    """boto3 writes and reads, pyarrow reads, and DuckDB through it: all over TLS, signed."""
    address = served.proxy.address
    settings = {"FREG_STORE": served.where, "FREG_BASE_URL": served.register}
    if way == "profile":
        folder = tmp_path / "home" / ".aws"
        folder.mkdir()
        (folder / "config").write_text(
            f"[profile ours]\nregion = eu-north-1\nendpoint_url = {address}\n"
            f"ca_bundle = {served.authority}\n"
        )
        (folder / "credentials").write_text(
            f"[ours]\naws_access_key_id = {radosgw.keys.access}\n"
            f"aws_secret_access_key = {radosgw.keys.secret}\n"
        )
        settings["AWS_PROFILE"] = "ours"
    else:
        settings |= {
            "AWS_ACCESS_KEY_ID": radosgw.keys.access,
            "AWS_SECRET_ACCESS_KEY": radosgw.keys.secret,
            "AWS_REGION": "eu-north-1",
            "AWS_CA_BUNDLE": str(served.authority),
            # What a user sets, or forgets, changes nothing: see s3_session.
            "AWS_REQUEST_CHECKSUM_CALCULATION": "when_supported",
            way: address,
        }
    served.proxy.requests.clear()
    ended = freg("check", **settings)
    assert ended.code == 0, ended.stderr
    assert {method for method, _ in served.proxy.requests} >= {"PUT", "GET", "HEAD", "DELETE"}
    ended = freg("sql", "SELECT count(*) FROM person", "--format", "csv", **settings)
    assert ended.code == 0, ended.stderr
    assert int(ended.stdout.splitlines()[1]) > 900


@pytest.mark.usefixtures("nothing")
def test_an_authority_that_nobody_knows_is_not_trusted(
    served: Served, radosgw: Radosgw, freg: RunFreg
) -> None:
    found = radosgw.environment(endpoint=served.proxy.address)
    ended = freg("sql", "SELECT count(*) FROM person", FREG_STORE=served.where, **found)
    assert ended.code == 2
    assert "SSLError" in ended.stderr
    assert len(ended.lines) == 1


@pytest.mark.usefixtures("nothing")
@pytest.mark.parametrize("way", WAYS[:3])
def test_an_address_with_a_path_is_refused(
    way: str, served: Served, radosgw: Radosgw, freg: RunFreg
) -> None:
    ended = freg("sql", "SELECT 1", FREG_STORE=served.where, **{way: f"{radosgw.endpoint}/s3"})
    assert ended.code == 2
    assert "path" in ended.stderr
    assert "belongs in FREG_STORE" in ended.stderr
    assert len(ended.lines) == 1
