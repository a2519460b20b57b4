"""What boto3 finds of an S3 service is what every reader uses; conflicts are tried again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from freg_pipeline.errors import FregError, StoreError
from freg_pipeline.journal import kept
from freg_pipeline.store import s3
from freg_pipeline.store.probe import probe
from freg_pipeline.store.s3 import S3Store
from freg_pipeline_tests.s3 import Answer, Fate, between, private_certificates, s3_server

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
WHERE = "s3://bucket/some/prefix"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with s3_server() as address:
        boto3.client(
            "s3",
            endpoint_url=address,
            aws_access_key_id="a",
            aws_secret_access_key="b",
            region_name="us-east-1",
        ).create_bucket(Bucket="bucket")
        yield address


@pytest.fixture(autouse=True)
def nothing_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the machine's; credentials alone."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"])
def test_an_endpoint_in_the_environment_is_everyones(
    endpoint: str, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with between(endpoint) as proxy:
        monkeypatch.setenv(name, proxy.address)
        probe(S3Store(WHERE, endpoint=None))
        assert {method for method, _ in proxy.requests} >= {"PUT", "GET", "HEAD", "DELETE"}


def test_a_profile_is_everyones(
    endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_PROFILE", "ours")
    (tmp_path / "credentials").write_text(
        "[ours]\naws_access_key_id = of-the-profile\naws_secret_access_key = x\n"
    )
    seen: set[str] = set()

    def look(method: str, path: str, headers: dict[str, str]) -> Answer | None:
        who = next(value for name, value in headers.items() if name.lower() == "authorization")
        seen.add("/".join(who.split("Credential=")[1].split("/")[:3:2]))
        return None

    with between(endpoint) as proxy:
        proxy.instead = look
        (tmp_path / "config").write_text(
            f"[profile ours]\nregion = eu-north-1\nendpoint_url = {proxy.address}\n"
        )
        probe(S3Store(WHERE, endpoint=None))
    assert seen == {"of-the-profile/eu-north-1"}


def test_a_private_authority_is_everyones(
    endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    authority, served = private_certificates(tmp_path)
    with between(endpoint, certificate=served) as proxy:
        monkeypatch.setenv("AWS_CA_BUNDLE", str(authority))
        probe(S3Store(WHERE, endpoint=proxy.address))
        monkeypatch.delenv("AWS_CA_BUNDLE")
        (tmp_path / "config").write_text(f"[default]\nca_bundle = {authority}\n")
        probe(S3Store(WHERE, endpoint=proxy.address))
        (tmp_path / "config").unlink()
        with pytest.raises(StoreError, match="SSLError"):
            probe(S3Store(WHERE, endpoint=proxy.address))
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "nothing.pem"))
    with pytest.raises(StoreError, match="are not a file"):
        S3Store(WHERE, endpoint=endpoint)


def test_a_proxy_is_everyones(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service's own name leads nowhere: only the proxy knows the way."""
    with between(endpoint) as proxy:
        monkeypatch.setenv("http_proxy", proxy.address)
        monkeypatch.setenv("no_proxy", "")
        store = S3Store(WHERE, endpoint="http://storage.invalid")
        probe(store)
    assert {urlsplit(path).hostname for _, path in proxy.requests} == {"storage.invalid"}


@pytest.mark.parametrize("code", ["404", "NotFound", "NoSuchKey"])
def test_where_nothing_can_be_listed_no_object_without_a_name_is_missing(
    endpoint: str, code: str
) -> None:
    """Something that is no S3 service answers so."""
    with between(endpoint) as proxy:
        proxy.instead = lambda method, path, headers: (404, code)
        with pytest.raises(StoreError, match=rf"can't be used: {code}( Not Found)?\. Check"):
            S3Store(WHERE, endpoint=proxy.address).list("")


@pytest.mark.parametrize("way", ["setting", "AWS_ENDPOINT_URL_S3"])
@pytest.mark.parametrize("added", ["/s3", "/?x=1"])
def test_an_endpoint_with_a_path_is_refused(
    endpoint: str, monkeypatch: pytest.MonkeyPatch, way: str, added: str
) -> None:
    if way != "setting":
        monkeypatch.setenv(way, endpoint + added)
    with pytest.raises(StoreError, match="with no path"):
        S3Store(WHERE, endpoint=endpoint + added if way == "setting" else None)
    assert S3Store(WHERE, endpoint=endpoint + "/").write(f"slash-{way}-{added[1:3]}", b"")


def test_a_profile_that_is_not_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobodys")
    with pytest.raises(StoreError, match="ProfileNotFound"):
        S3Store(WHERE, endpoint=None)


def test_no_credentials_are_one_line(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    store = S3Store(WHERE, endpoint=endpoint)
    for use in (lambda: store.write("a", b""), lambda: store.filesystem):
        with pytest.raises(StoreError, match="NoCredentialsError"):
            use()


def test_pyarrows_reader_is_built_once_until_credentials_are_renewed(
    endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = S3Store(WHERE, endpoint=endpoint)
    first = store.filesystem
    assert store.filesystem is first
    credentials = store._session._credentials
    assert credentials is not None
    credentials.token = "renewed"
    renewed = store.filesystem
    assert renewed is not first
    assert store.filesystem is renewed


@pytest.mark.parametrize("code", ["ConditionalRequestConflict", "OperationAborted"])
def test_a_conflict_is_tried_again(endpoint: str, code: str) -> None:
    """Neither of two may have written: nothing is there until a PUT has been answered."""
    left = [3]

    def conflict(method: str, path: str, headers: dict[str, str]) -> Answer | None:
        if method in {"PUT", "DELETE"} and left[0]:
            left[0] -= 1
            return 409, code
        return None

    with between(endpoint) as proxy:
        store = S3Store(WHERE, endpoint=proxy.address)
        proxy.instead = conflict
        assert store.write(f"{code}/a", b"content")
        assert not store.write(f"{code}/a", b"another")
        assert store.read(f"{code}/a") == b"content"
        left[0] = 2
        with store.scratch() as folder:
            (folder / "file").write_bytes(b"of a file")
            assert store.put_file(f"{code}/b", folder / "file")
        assert store.read(f"{code}/b") == b"of a file"
        left[0] = 1
        store.replace(f"{code}/a", b"new")
        assert store.read(f"{code}/a") == b"new"
        left[0] = 1
        store.delete(f"{code}/a")
        assert not store.exists(f"{code}/a")


def test_a_conflict_without_end_is_told(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("freg_pipeline.store.s3_answers._TRIES", 3)
    with between(endpoint) as proxy:
        store = S3Store(WHERE, endpoint=proxy.address)
        proxy.instead = lambda method, path, headers: (
            (409, "ConditionalRequestConflict") if method == "PUT" else None
        )
        with pytest.raises(FregError, match="at the same time") as caught:
            store.write("never", b"")
    assert caught.value.exit_code == 1
    assert [method for method, _ in proxy.requests] == ["PUT"] * 3


@pytest.mark.parametrize("kind", ["bytes", "file"])
def test_a_write_whose_answer_is_lost_is_known_as_ones_own(
    endpoint: str, kind: str, tmp_path: Path
) -> None:
    """It is sent again, and finds its own object in its way; who comes second still finds it."""
    lost = [1]

    def lose(method: str, path: str) -> Fate:
        if method == "PUT" and lost[0]:
            lost[0] -= 1
            return "lost"
        return "whole"

    def write(content: bytes) -> bool:
        if kind == "bytes":
            return store.write(f"lost/{kind}", content)
        (tmp_path / "file").write_bytes(content)
        return store.put_file(f"lost/{kind}", tmp_path / "file")

    with between(endpoint) as proxy:
        proxy.fate = lose
        store = S3Store(WHERE, endpoint=proxy.address)
        assert write(b"content")
        assert [method for method, _ in proxy.requests] == ["PUT", "PUT", "HEAD"]
        lost[0] = 1
        assert not write(b"content"), "another write, if of the same"


def test_what_is_removed_while_it_is_in_the_way_is_written_after_all(endpoint: str) -> None:
    store = S3Store(WHERE, endpoint=endpoint)
    store.write("in the way", b"old")

    def remove(method: str, path: str, headers: dict[str, str]) -> Answer | None:
        if method == "HEAD":
            store.delete("in the way")
        return None

    with between(endpoint) as proxy:
        proxy.instead = remove
        assert S3Store(WHERE, endpoint=proxy.address).write("in the way", b"new")
    assert store.read("in the way") == b"new"


def test_an_answer_that_breaks_off_is_asked_for_again(
    endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cuts = [2]

    def cut(method: str, path: str) -> Fate:
        if method == "GET" and cuts[0]:
            cuts[0] -= 1
            return "cut"
        return "whole"

    content = bytes(range(256)) * 1_000
    with between(endpoint) as proxy:
        store = S3Store(WHERE, endpoint=proxy.address)
        store.write("broken off", content)
        proxy.fate = cut
        assert store.read("broken off") == content
        cuts[0] = 2
        with store.filesystem.open_input_file(store.path("broken off")) as file:
            assert file.read() == content
        cuts[0] = 100
        monkeypatch.setattr("freg_pipeline.store.s3_answers._TRIES", 3)
        with pytest.raises(FregError, match="break off, time after time"):
            store.read("broken off")


def test_a_service_that_writes_over_what_is_there_is_told(endpoint: str) -> None:
    def ignore(method: str, path: str, headers: dict[str, str]) -> Answer | None:
        for name in [name for name in headers if name.lower() == "if-none-match"]:
            del headers[name]
        return None

    with between(endpoint) as proxy:
        proxy.instead = ignore
        store = S3Store(WHERE, endpoint=proxy.address)
        with pytest.raises(StoreError, match="If-None-Match"):
            probe(store)
        assert store.list("check-") == []


def test_a_service_that_pyarrow_cannot_read_is_told(endpoint: str) -> None:
    def refuse(method: str, path: str, headers: dict[str, str]) -> Answer | None:
        agent = next(value for name, value in headers.items() if name.lower() == "user-agent")
        return (403, "AccessDenied") if "Boto3" not in agent else None

    with between(endpoint) as proxy:
        proxy.instead = refuse
        with pytest.raises(StoreError, match="pyarrow, which reads the tables, can't read it"):
            probe(S3Store(WHERE, endpoint=proxy.address))


def test_a_large_file_of_which_all_is_read_is_fetched_once(
    endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    table = pa.table({"n": range(300_000)})
    pq.write_table(table, tmp_path / "n.parquet", compression="none", use_dictionary=False)
    size = (tmp_path / "n.parquet").stat().st_size
    monkeypatch.setattr(kept, "_IN_MEMORY", size - 1)
    with between(endpoint) as proxy:
        store = S3Store(WHERE, endpoint=proxy.address)
        file = kept.keep(store, "tables/n.parquet", tmp_path / "n.parquet")
        proxy.sent.clear()
        with kept.open_whole(store, "tables/n.parquet", file) as opened:
            assert pq.read_table(opened).equals(table)
        assert size <= sum(proxy.sent.values()) < 1.1 * size


def test_what_cannot_be_read_is_not_called_gone(
    endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pq.write_table(pa.table({"n": [1]}), tmp_path / "n.parquet")
    with between(endpoint) as proxy:
        store = S3Store(WHERE, endpoint=proxy.address)
        file = kept.keep(store, "tables/one.parquet", tmp_path / "n.parquet")
        proxy.instead = lambda method, path, headers: (403, "AccessDenied")
        for large, told in ((0, "can't be read: ACCESS_DENIED"), (file.bytes, "AccessDenied")):
            monkeypatch.setattr(s3, "WHOLE_BYTES", large)
            another = S3Store(WHERE, endpoint=proxy.address)  # which hasn't just written it
            with pytest.raises(StoreError, match=told):
                kept.open_whole(another, "tables/one.parquet", file)
