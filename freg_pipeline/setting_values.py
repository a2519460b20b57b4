"""What the values of settings are, and how each is checked.

A check returns the value as it is used, or raises ValueError with what is wrong: never with the
value itself, which may be a secret.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationInfo
from pydantic_settings import NoDecode

from freg_pipeline.addresses import http_address, is_open_to_others
from freg_pipeline.outside import keep_secret, showable

T = TypeVar("T")

# -- lists, with commas between --------------------------------------------------------------------


def _split(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _everything_but(value: tuple[str, ...]) -> tuple[str, ...]:
    """``alle`` alone says what no part says; beside exceptions it stands first, once."""
    without = sorted({part for part in value if part.startswith("-")})
    if "alle" in value:
        return ("alle", *without) if without else ()
    if without:
        msg = f"leaves something out of nothing: write alle,{showable(','.join(without))}"
        raise ValueError(msg)
    return value


Listed = Annotated[tuple[T, ...], NoDecode, BeforeValidator(_split)]
Parts = Annotated[Listed[str], AfterValidator(_everything_but)]

# -- days ------------------------------------------------------------------------------------------


def _never(value: object) -> object:
    return None if isinstance(value, str) and value.strip().casefold() == "never" else value


Days = Annotated[float, Field(ge=0, le=36_500)]
DaysOrNever = Annotated[Days | None, BeforeValidator(_never)]

# -- addresses -------------------------------------------------------------------------------------


def _http(value: str | None) -> str | None:
    return http_address(value or "")


def _encrypted(value: str | None, others: ValidationInfo) -> str | None:
    if value is not None and not others.data.get("allow_http") and is_open_to_others(value):
        msg = (
            "must begin with https://, or others on the way can read tokens and answers; where "
            "nobody is, set FREG_ALLOW_HTTP=true"
        )
        raise ValueError(msg)
    return value


def _before_v1(value: str | None) -> str | None:
    return None if value is None else value.rstrip("/").removesuffix("/v1")


def _without_path(value: str | None) -> str | None:
    if value is not None and urlsplit(value).path.strip("/"):
        msg = "must end with the host or the port: a path belongs in FREG_STORE"
        raise ValueError(msg)
    return value


Address = Annotated[str | None, AfterValidator(_http)]
EncryptedAddress = Annotated[Address, AfterValidator(_encrypted)]
BaseUrl = Annotated[EncryptedAddress, AfterValidator(_before_v1)]
Endpoint = Annotated[Address, AfterValidator(_without_path)]

# -- credentials, and who is told or may read -----------------------------------------------------


def _scopes(value: str | None) -> str | None:
    """One blank between two, whatever separated them."""
    scopes = (value or "").replace(",", " ").split()
    if not all(scope.isascii() and scope.isprintable() for scope in scopes):
        msg = "holds a character that no scope has"
        raise ValueError(msg)
    return " ".join(dict.fromkeys(scopes)) or None


def _fit_for_a_header(value: SecretStr | None) -> SecretStr | None:
    """Without the end of line that a file leaves behind."""
    text = "" if value is None else value.get_secret_value().strip()
    if not (text.isascii() and text.isprintable()):
        msg = "holds a character that no header can carry"
        raise ValueError(msg)
    keep_secret(text)
    return SecretStr(text) if text else None


def _alert_addresses(value: SecretStr | None) -> SecretStr | None:
    """Which of them can be told is known where they are told: by apprise, if it is there."""
    addresses = [] if value is None else value.get_secret_value().split()
    if not all(re.match(r"[A-Za-z0-9]+://[^/]", address) for address in addresses):
        msg = "must be addresses such as slack://… or mailtos://…, with blanks between them"
        raise ValueError(msg)
    keep_secret(*addresses)
    return SecretStr(" ".join(addresses)) if addresses else None


def _somebody(value: str | None) -> str | None:
    return (value or "").strip() or None


Scopes = Annotated[str | None, AfterValidator(_scopes)]
HeaderSecret = Annotated[SecretStr | None, AfterValidator(_fit_for_a_header)]
AlertAddresses = Annotated[SecretStr | None, AfterValidator(_alert_addresses)]
Readers = Annotated[str | None, AfterValidator(_somebody)]

# -- files and folders -----------------------------------------------------------------------------


def _expanded(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError:
        msg = "must not begin with ~ where no such user has a home"
        raise ValueError(msg) from None


def _file(value: Path | None) -> Path | None:
    return None if value is None else _expanded(value)


def _named(value: object) -> object:
    if isinstance(value, str) and not value.strip():
        msg = "must name a file or a folder"
        raise ValueError(msg)
    return value


def _catalogue_file(value: Path | None) -> Path | None:
    if value is None:
        return None
    path = _expanded(value).absolute()
    return path if path.suffix == ".duckdb" else path / "freg.duckdb"


def _as_readers_call_it(value: str | None) -> str | None:
    """An absolute path, maybe of another kind of machine, or an address."""
    root = (value or "").strip()
    if not root:
        return None
    if not re.match(r"/|s3://[^/]|[A-Za-z]:[/\\]|\\\\[^\\]", root):
        msg = "must be an absolute path or s3://bucket/prefix"
        raise ValueError(msg)
    _require_plain(root, "?*")
    return root.rstrip("/\\") or "/"


def _written(value: object) -> object:
    return str(value) if isinstance(value, Path) else value


def _absolute(value: str) -> str:
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


def _place_of_log(value: str) -> str:
    word = value.strip().casefold()
    if word in {"false", "0", "no", "off"}:
        return "false"
    if word in {"true", "1", "yes", "on"}:
        return "true"
    return word if word == "syslog" else _absolute(value)


def _require_plain(path: str, without: str) -> None:
    """See that DuckDB takes a path for no pattern, by which it would read other files."""
    if set(without) & set(path) or not path.isprintable():
        msg = f"must not hold {', '.join(without)} or control characters"
        raise ValueError(msg)


File = Annotated[Path | None, AfterValidator(_file)]
Catalogue = Annotated[Path | None, BeforeValidator(_named), AfterValidator(_catalogue_file)]
CatalogueRoot = Annotated[str | None, AfterValidator(_as_readers_call_it)]
AccessLogPlace = Annotated[str, BeforeValidator(_written), AfterValidator(_place_of_log)]
Place = Annotated[str, BeforeValidator(_written), AfterValidator(_absolute)]
