"""Frozen settings: environment variables under their published names, and flags over them.

The names are those of the interface: ``FREG_ENVIRONMENT``, ``FREG_STORE`` and so on. Nothing is
read from any other place, so that the same command does the same thing from any folder.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from freg_pipeline.addresses import http_address, is_open_to_others
from freg_pipeline.errors import ConfigurationError
from freg_pipeline.outside import keep_secret

Environment = Literal["syntetisk", "playground", "konsumenttest", "produksjon", "fiks-test", "fiks"]
AlertKind = Literal["failures", "checks", "warnings", "waiting", "late"]


class Settings(BaseSettings):
    """What one process works with. Build it by :func:`load`, which turns mistakes into one line.

    Attributes:
        environment: which register.
        allow_http: whether tokens and answers may go unencrypted to other machines.
        base_url: everything before ``/v1``, in place of what environment and package give.
        rettighetspakke: the package of rights.
        parts: the ``part``s to ask for; empty means everything the package may see; ``alle``, with
            what is not to be asked for as ``-navn``: everything but that.
        store: a folder or ``s3://bucket/prefix``.
        s3_endpoint: an S3 endpoint other than the default.
        allow_services: services to call although our table of rights lacks them for the package;
            ``alle``: every one.
        readers: who may read tables and catalogue beside the owner: a group's name or number, or
            ``everyone``; None: nobody.
        catalogue: where the catalogue is written: a folder, or a file that ends in ``.duckdb``;
            None: the store's root, for a store on S3 the user's own folder for data.
        catalogue_root: what those who open the catalogue call the store's root: a folder as it is
            mounted there, or ``s3://bucket/prefix``; None: as it is called here.
        contract_file: the XSD of person documents, where the register serves none.
        ca_file: certificates to trust beside the system's, as PEM.
        token: a ready bearer token, in place of Maskinporten.
        maskinporten_issuer: whose tokens; None: the environment's.
        maskinporten_token_endpoint: where they are asked for; None: as the issuer's metadata says.
        maskinporten_client_id: the integration's id.
        maskinporten_key_file: its private RSA key, as PEM or JWK.
        maskinporten_scope: what to ask for in place of the package's own; blanks between several.
        maskinporten_kid: the key's id at Maskinporten; None: as the JWK says.
        maskinporten_cert_file: the enterprise certificate and its chain as PEM, in place of a kid.
        maskinporten_consumer_org: the organisation that one acts for by delegation, nine digits.
        fiks_rolle_id: the role at Fiks.
        fiks_integrasjon_id: the integration at Fiks.
        fiks_integrasjon_passord: its password.
        answer_format: whether documents are asked for as JSON or as XML.
        max_answer_mb: a larger answer is refused, and not read to its end.
        concurrency: look-ups under way at once.
        requests_per_minute: upper limit for everything this process sends; None: the environment's.
        poll_seconds: seconds between two questions for a batch that is not ready.
        poll_timeout_hours: hours to wait for a batch before giving up.
        wait_hours: hours for which long work waits for a register that is away.
        compact_share: a release is compacted when so many of its persons are replaced, as a share.
        compact_deltas: or when it has more deltas than so many.
        keep_releases: releases that the scheduled purge spares, however old: the newest.
        keep_days: and all that were published so many days ago or later.
        max_lost_persons: a release that loses more of the current one's persons is refused, as a
            share.
        max_lost_rows: the same for the rows of each table.
        max_gone: a full load or a selection is refused when the register has nothing for more of
            the identifiers that it delivered, as a share.
        follow_seconds: seconds between two questions for new events, when following the list.
        confirm_seconds: seconds until an answer by number is asked for again that looks older than
            what the release holds.
        tick_seconds: how long a tick of a sensor's asks the register; the rest is for the next one.
        keep_runs_days: days for which Dagster's records of runs are kept.
        full_load_when_too_old: make a new full load when the event list no longer reaches back to
            the release.
        late_sync_hours: a release is late that hasn't been brought up to the register, or found to
            be there, for so long; 0: never.
        late_full_load_days: and one whose last full load is so old; 0: never.
        alerts: who is told of trouble: addresses as apprise takes them, with blanks between. They
            carry secrets.
        alert_on: which kinds of trouble they are told of.
        alert_again_hours: what lasts is told again after so many hours; 0: never.
        dagster_url: Dagster's page as those who are told reach it, for links.
        key_prefix: what names begin with in Dagster's records, of what commands run there.
    """

    model_config = SettingsConfigDict(
        env_prefix="FREG_", env_ignore_empty=True, frozen=True, extra="forbid"
    )

    environment: Environment = "syntetisk"
    allow_http: bool = False  # before the addresses that it is about
    base_url: str | None = None
    rettighetspakke: str = "offentlig-med-hjemmel"
    parts: Annotated[tuple[str, ...], NoDecode] = ()
    store: str = "data"
    s3_endpoint: str | None = None
    allow_services: Annotated[tuple[str, ...], NoDecode] = ()
    readers: str | None = None
    catalogue: Path | None = None
    catalogue_root: str | None = None
    contract_file: Path | None = None
    ca_file: Path | None = None
    token: SecretStr | None = None
    maskinporten_issuer: str | None = None
    maskinporten_token_endpoint: str | None = None
    maskinporten_client_id: str | None = None
    maskinporten_key_file: Path | None = None
    maskinporten_scope: str | None = None
    maskinporten_kid: str | None = None
    maskinporten_cert_file: Path | None = None
    maskinporten_consumer_org: str | None = Field(default=None, pattern=r"^\d{9}$")
    fiks_rolle_id: str | None = None
    fiks_integrasjon_id: str | None = None
    fiks_integrasjon_passord: SecretStr | None = None
    answer_format: Literal["json", "xml"] = "json"
    max_answer_mb: int = Field(default=256, ge=1, le=65_536)
    concurrency: int = Field(default=4, ge=1, le=64)
    requests_per_minute: int | None = Field(default=None, ge=1)
    poll_seconds: float = Field(default=2.0, gt=0)
    poll_timeout_hours: float = Field(default=24.0, gt=0)
    wait_hours: float = Field(default=12.0, ge=0, allow_inf_nan=False)
    compact_share: float = Field(default=0.05, gt=0)
    compact_deltas: int = Field(default=100, ge=1)
    keep_releases: int = Field(default=10, ge=1)
    keep_days: float = Field(default=30.0, ge=0, le=36_500)
    max_lost_persons: float = Field(default=0.05, ge=0, le=1)
    max_lost_rows: float = Field(default=0.10, ge=0, le=1)
    max_gone: float = Field(default=0.10, ge=0, le=1)
    follow_seconds: float = Field(default=60.0, gt=0)
    confirm_seconds: float = Field(default=5.0, ge=0)
    tick_seconds: float = Field(default=20.0, gt=0, le=45)
    keep_runs_days: float = Field(default=7.0, ge=0, le=36_500)
    full_load_when_too_old: bool = False
    late_sync_hours: float = Field(default=3.0, ge=0, le=876_000)
    late_full_load_days: float = Field(default=400.0, ge=0, le=36_500)
    alerts: SecretStr | None = None
    alert_on: Annotated[tuple[AlertKind, ...], NoDecode] = ("failures", "checks", "waiting", "late")
    alert_again_hours: float = Field(default=24.0, ge=0, le=876_000)
    dagster_url: str | None = None
    key_prefix: str = ""

    @field_validator("parts", "allow_services", "alert_on", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator(
        "base_url",
        "s3_endpoint",
        "maskinporten_issuer",
        "maskinporten_token_endpoint",
        "dagster_url",
    )
    @classmethod
    def _http(cls, value: str | None) -> str | None:
        return http_address(value or "")

    @field_validator("base_url", "maskinporten_issuer", "maskinporten_token_endpoint")
    @classmethod
    def _encrypted(cls, value: str | None, others: ValidationInfo) -> str | None:
        if value is not None and not others.data.get("allow_http") and is_open_to_others(value):
            msg = (
                "must begin with https://, or others on the way can read tokens and answers; where "
                "nobody is, set FREG_ALLOW_HTTP=true"
            )
            raise ValueError(msg)
        return value

    @field_validator("s3_endpoint")
    @classmethod
    def _without_path(cls, value: str | None) -> str | None:
        if value is not None and urlsplit(value).path.strip("/"):
            msg = "must end with the host or the port: a path belongs in FREG_STORE"
            raise ValueError(msg)
        return value

    @field_validator("base_url")
    @classmethod
    def _before_v1(cls, value: str | None) -> str | None:
        return None if value is None else value.rstrip("/").removesuffix("/v1")

    @field_validator("parts")
    @classmethod
    def _everything_but(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """``alle`` alone says what no part says; beside exceptions it stands first, once."""
        without = sorted({part for part in value if part.startswith("-")})
        if "alle" in value:
            return ("alle", *without) if without else ()
        if without:
            msg = f"leaves something out of nothing: write alle,{','.join(without)}"
            raise ValueError(msg)
        return value

    @field_validator("maskinporten_scope")
    @classmethod
    def _scopes(cls, value: str | None) -> str | None:
        """One blank between two, whatever separated them."""
        scopes = (value or "").replace(",", " ").split()
        if not all(scope.isascii() and scope.isprintable() for scope in scopes):
            msg = "holds a character that no scope has"
            raise ValueError(msg)
        return " ".join(dict.fromkeys(scopes)) or None

    @field_validator("token", "fiks_integrasjon_passord")
    @classmethod
    def _fit_for_a_header(cls, value: SecretStr | None) -> SecretStr | None:
        """Without the end of line that a file leaves behind."""
        text = "" if value is None else value.get_secret_value().strip()
        if not (text.isascii() and text.isprintable()):
            msg = "holds a character that no header can carry"
            raise ValueError(msg)
        keep_secret(text)
        return SecretStr(text) if text else None

    @field_validator("alerts")
    @classmethod
    def _addresses(cls, value: SecretStr | None) -> SecretStr | None:
        """Which of them can be told is known where they are told: by apprise, if it is there."""
        addresses = [] if value is None else value.get_secret_value().split()
        if not all(re.match(r"[A-Za-z0-9]+://[^/]", address) for address in addresses):
            msg = "must be addresses such as slack://… or mailtos://…, with blanks between them"
            raise ValueError(msg)
        keep_secret(*addresses)
        return SecretStr(" ".join(addresses)) if addresses else None

    @field_validator("maskinporten_key_file", "maskinporten_cert_file", "ca_file", "contract_file")
    @classmethod
    def _file(cls, value: Path | None) -> Path | None:
        return None if value is None else _expanded(value)

    @field_validator("readers")
    @classmethod
    def _somebody(cls, value: str | None) -> str | None:
        return (value or "").strip() or None

    @field_validator("catalogue", mode="before")
    @classmethod
    def _named(cls, value: object) -> object:
        if isinstance(value, str) and not value.strip():
            msg = "must name a file or a folder"
            raise ValueError(msg)
        return value

    @field_validator("catalogue")
    @classmethod
    def _catalogue_file(cls, value: Path | None) -> Path | None:
        if value is None:
            return None
        path = _expanded(value).absolute()
        return path if path.suffix == ".duckdb" else path / "freg.duckdb"

    @field_validator("catalogue_root")
    @classmethod
    def _as_readers_call_it(cls, value: str | None) -> str | None:
        """An absolute path, maybe of another kind of machine, or an address."""
        root = (value or "").strip()
        if not root:
            return None
        if not re.match(r"/|s3://[^/]|[A-Za-z]:[/\\]|\\\\[^\\]", root):
            msg = "must be an absolute path or s3://bucket/prefix"
            raise ValueError(msg)
        _require_plain(root, "?*")
        return root.rstrip("/\\") or "/"

    @field_validator("store", mode="before")
    @classmethod
    def _path(cls, value: object) -> object:
        return str(value) if isinstance(value, Path) else value

    @field_validator("store")
    @classmethod
    def _absolute(cls, value: str) -> str:
        scheme, is_url, rest = value.partition("://")
        is_bucket = scheme == "s3" and bool(rest.split("/")[0])
        if not value.strip() or (is_url and not is_bucket):
            msg = "must name a folder or s3://bucket/prefix"
            raise ValueError(msg)
        if is_url:
            return value.rstrip("/")
        path = str(_expanded(Path(value)).absolute())
        _require_plain(path, "?*\\")  # of the folder where the command runs, too
        return path


def _expanded(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError:
        msg = "must not begin with ~ where no such user has a home"
        raise ValueError(msg) from None


def _require_plain(path: str, without: str) -> None:
    """See that DuckDB takes a path for no pattern, by which it would read other files."""
    if set(without) & set(path) or not path.isprintable():
        msg = f"must not hold {', '.join(without)} or control characters"
        raise ValueError(msg)


def load(**flags: Any) -> Settings:
    """Return the settings in force: ``flags`` (None: not given) over environment over defaults.

    Raises:
        ConfigurationError: a value is wrong; names the setting, never a secret's value.
    """
    return checked(Settings, flags)


def checked(kind: type[Settings], given: Mapping[str, Any]) -> Settings:
    """Return settings of a kind, with what is given (None: not) over what that kind looks at.

    Raises:
        ConfigurationError: as :func:`load`.
    """
    try:
        return kind(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = "FREG_" + "_".join(str(part) for part in first["loc"]).upper()
        reason = first["msg"].removeprefix("Value error, ")
        raise ConfigurationError(
            f"the setting {name} is wrong: {reason}", "Correct it and run the command again"
        ) from None
