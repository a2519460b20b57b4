"""Settings: flags over the environment over defaults; mistakes in one line."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from freg_pipeline.errors import ConfigurationError
from freg_pipeline.settings import Settings, load


def test_flags_win_over_the_environment_and_that_over_defaults(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert load().environment == "syntetisk"
    monkeypatch.setenv("FREG_ENVIRONMENT", "konsumenttest")
    monkeypatch.setenv("FREG_PARTS", "navn, status,")
    monkeypatch.setenv("FREG_CONCURRENCY", "7")
    settings = load(concurrency=2, store=None)
    assert (settings.environment, settings.concurrency) == ("konsumenttest", 2)
    assert settings.parts == ("navn", "status")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FREG_ENVIRONMENT", "prod"),
        ("FREG_CONCURRENCY", "many"),
        ("FREG_CONCURRENCY", "0"),
        ("FREG_POLL_SECONDS", "-1"),
        ("FREG_BASE_URL", "register.no"),
        ("FREG_STORE", " "),
    ],
)
def test_a_wrong_value_is_named_by_its_setting(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=name) as wrong:
        load()
    assert "\n" not in str(wrong.value)


_NUMBERS = [
    name
    for name, field in Settings.model_fields.items()
    if {int, float} & {field.annotation, *get_args(field.annotation)}
]


@pytest.mark.parametrize("name", _NUMBERS)
@pytest.mark.parametrize("value", ["inf", "nan", "1e300", "9" * 400])
def test_no_number_is_beyond_what_can_be_reckoned_with(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(_NUMBERS) >= 20
    monkeypatch.setenv(f"FREG_{name.upper()}", value)
    with pytest.raises(ConfigurationError, match=f"FREG_{name.upper()}") as wrong:
        load()
    assert len(str(wrong.value)) < 200, "in one line that can be read"


def test_a_wrong_list_of_parts_is_told_in_one_line_without_a_number() -> None:
    with pytest.raises(ConfigurationError, match="write alle,-na") as told:
        load(parts="-na\rvn03851598730,-\x1b[31mnavn")
    assert len(str(told.value).splitlines()) == 1
    assert "03851598730" not in str(told.value)


def test_a_wrong_value_among_several_is_named_by_the_setting_that_there_is() -> None:
    with pytest.raises(ConfigurationError, match="the setting FREG_ALERT_ON is wrong"):
        load(alert_on="failures,late,nothing")


def test_a_base_url_is_everything_before_v1() -> None:
    assert load(base_url="https://host/path/v1/").base_url == "https://host/path"


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1:8765/x", "http://localhost", "http://[::1]:80", "http://LOCALHOST:1"],
)
def test_what_stays_on_this_machine_needs_no_encryption(address: str) -> None:
    assert load(base_url=address).base_url == address


@pytest.mark.parametrize("name", ["base_url", "maskinporten_issuer", "maskinporten_token_endpoint"])
@pytest.mark.parametrize(
    "address", ["http://register.no", "http://10.0.0.7:80", "http://127.0.0.1.no", "http://0.0.0.0"]
)
def test_tokens_go_to_others_encrypted_only(name: str, address: str) -> None:
    with pytest.raises(ConfigurationError, match=r"must begin with https://.*FREG_ALLOW_HTTP=true"):
        load(**{name: address})
    assert getattr(load(**{name: address, "allow_http": True}), name) == address


@pytest.mark.parametrize("name", ["base_url", "s3_endpoint", "maskinporten_issuer", "dagster_url"])
def test_an_address_with_a_password_is_refused_and_not_shown(name: str) -> None:
    with pytest.raises(ConfigurationError, match="no user name or password") as wrong:
        load(**{name: "https://kari:hemmelig@host/path"})
    assert "hemmelig" not in str(wrong.value)
    assert "kari" not in str(wrong.value)


def test_an_s3_endpoint_has_no_path() -> None:
    assert load(s3_endpoint="http://storage:9000/").s3_endpoint == "http://storage:9000/"
    with pytest.raises(ConfigurationError, match="a path belongs in FREG_STORE"):
        load(s3_endpoint="http://storage:9000/bucket")


def test_a_token_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FREG_TOKEN", "top-secret")
    assert "top-secret" not in repr(load())
    monkeypatch.setenv("FREG_CONCURRENCY", "x")
    with pytest.raises(ConfigurationError) as wrong:
        load()
    assert "top-secret" not in str(wrong.value)


def test_a_token_from_a_file_may_end_with_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FREG_TOKEN", "abc\n")
    token = load().token
    assert token is not None
    assert token.get_secret_value() == "abc"
    monkeypatch.setenv("FREG_TOKEN", " \n")
    assert load().token is None
    monkeypatch.setenv("FREG_TOKEN", "abc\ndef")
    with pytest.raises(ConfigurationError, match="FREG_TOKEN is wrong") as wrong:
        load()
    assert "abc" not in str(wrong.value)


def test_a_variable_that_is_set_to_nothing_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FREG_BASE_URL", "FREG_STORE", "FREG_CONCURRENCY", "FREG_TOKEN"):
        monkeypatch.setenv(name, "")
    assert load() == load(store="data", concurrency=4)


@pytest.mark.parametrize("store", ["s3://", "s3:///prefix", "gs://bucket/x", "file:///tmp/x", " "])
def test_a_store_is_a_folder_or_a_bucket(store: str) -> None:
    with pytest.raises(ConfigurationError, match="FREG_STORE is wrong: must name a folder or s3:"):
        load(store=store)


def test_a_store_is_in_no_folder_that_duckdb_takes_for_a_pattern(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "a*b"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for store in ("data", str(folder)):
        with pytest.raises(ConfigurationError, match="FREG_STORE is wrong: must not hold"):
            load(store=store)


@pytest.mark.parametrize(
    "setting",
    ["store", "catalogue", "ca_file", "contract_file", "maskinporten_key_file",
     "maskinporten_cert_file"],
)  # fmt: skip
def test_a_home_that_there_is_not_is_told(setting: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"FREG_{setting.upper()} is wrong: .* home"):
        load(**{setting: "~no-such-user-here/x"})


def test_an_s3_endpoint_is_an_address() -> None:
    with pytest.raises(ConfigurationError, match="FREG_S3_ENDPOINT is wrong: must begin with http"):
        load(s3_endpoint="minio:9000")


def test_addresses_of_those_who_are_told_are_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FREG_ALERTS", "slack://xoxb-s3cret\n mailtos://u:s3cret@example.no")
    told = load().alerts
    assert told is not None
    assert told.get_secret_value() == "slack://xoxb-s3cret mailtos://u:s3cret@example.no"
    assert "s3cret" not in repr(load())
    monkeypatch.setenv("FREG_ALERTS", "slack://xoxb-s3cret drift-s3cret")
    with pytest.raises(ConfigurationError, match="FREG_ALERTS") as wrong:
        load()
    assert "s3cret" not in str(wrong.value)


def test_which_trouble_is_told_is_named_by_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FREG_ALERT_ON", "failures, late")
    assert load().alert_on == ("failures", "late")
    monkeypatch.setenv("FREG_ALERT_ON", "everything")
    with pytest.raises(ConfigurationError, match="FREG_ALERT_ON"):
        load()
