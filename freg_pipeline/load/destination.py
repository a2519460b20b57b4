"""Where a copy lies: what a user names, without a password, and what dlt works with for it.

Credentials come as dlt's users know: from ``DESTINATION__<NAME>__CREDENTIALS…`` in the environment,
or from ``.dlt/secrets.toml``. The command line holds none, since every process there may read it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from freg_pipeline.errors import ConfigurationError

if TYPE_CHECKING:
    from dlt.common.destination import Destination as DltDestination

NAMED = "duckdb:FILE, delta:FOLDER, delta:s3://…, postgresql://user@host/database, or one of dlt's"
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_SCHEMA = re.compile(r"[a-z][a-z0-9_]{0,39}")
_SECRET = re.compile(r"pass|pwd|token|secret|key", re.IGNORECASE)


@dataclass(frozen=True)
class Destination:
    """Where a copy lies.

    Attributes:
        kind: dlt's name for what it lies in: ``postgres``, ``duckdb``, ``snowflake``; ``delta``:
            folders of Delta tables, which dlt calls ``filesystem``.
        where: a file, a folder, an address; None: as dlt's own settings say.
        schema: the schema (dlt: dataset) that the tables are in, or the folder below ``where``.
    """

    kind: str
    where: str | None
    schema: str

    def __str__(self) -> str:
        return f"{self.where or self.kind}, schema {self.schema}"

    @property
    def path(self) -> Path | None:
        """The file or folder of this machine that it is; None: it lies elsewhere."""
        if self.kind not in {"duckdb", "delta"} or self.where is None or "://" in self.where:
            return None
        return Path(self.where)

    @property
    def section(self) -> str:
        """What dlt's settings of it begin with, in the environment."""
        name = "filesystem" if self.kind == "delta" else self.kind
        return f"DESTINATION__{name.upper()}__"


def destination(named: str, schema: str) -> Destination:
    """What a user names.

    Args:
        named: ``duckdb:warehouse.duckdb``, ``postgresql://etl@warehouse/db``, ``snowflake``, say.
        schema: letters, digits and underscores.

    Raises:
        ConfigurationError: nothing is called so, or it holds a password.
    """
    if not _SCHEMA.fullmatch(schema):
        raise ConfigurationError(
            "a copy's schema is named by small letters, digits and underscores",
            "Correct --schema or FREG_LOAD_SCHEMA",
        )
    kind, colon, where = named.partition(":")
    if kind in {"postgres", "postgresql"} and colon:
        _require_no_secret(named, "postgres")
        return Destination("postgres", f"postgresql:{where}", schema)
    if kind == "duckdb" and where:
        return Destination(kind, str(Path(where).absolute()), schema)
    if kind == "delta" and where:
        if "://" in where:
            _require_no_secret(where, "filesystem")
            return Destination(kind, where, schema)
        return Destination(kind, str(Path(where).absolute()), schema)
    if not colon and _NAME.fullmatch(kind):
        return Destination("delta" if kind == "filesystem" else kind, None, schema)
    if "://" in named:
        _require_no_secret(named, "<name>")
    raise ConfigurationError("that is no destination", f"Name {NAMED} destinations")


def _require_no_secret(url: str, name: str) -> None:
    try:
        parts = urlsplit(url)
        secret = parts.password is not None or _SECRET.search(parts.query)
    except ValueError:
        raise ConfigurationError("that is no address", f"Name {NAMED} destinations") from None
    if secret:
        raise ConfigurationError(
            "the destination holds a password, which the list of processes shows to everyone",
            f"Leave it out, and set DESTINATION__{name.upper()}__CREDENTIALS__PASSWORD",
        )


def dlt_destination(wanted: Destination) -> DltDestination[Any, Any]:
    """What dlt works with. Connects to nothing yet.

    Raises:
        ConfigurationError: dlt knows none of that name.
    """
    import dlt
    from dlt.common.destination import Destination as Known

    from freg_pipeline.load.engines import delta, postgres

    where: Any = wanted.where  # dlt takes None, too: then it looks into its settings
    if wanted.kind == "postgres":
        return postgres(where and _credentials(where))
    if wanted.kind == "delta":
        return delta(bucket_url=where)
    if wanted.kind == "duckdb" and wanted.where:
        return dlt.destinations.duckdb(wanted.where)
    try:
        found = Known.from_reference(wanted.kind)
    except Exception:  # of several kinds
        found = None
    if found is None:
        raise ConfigurationError(
            f"dlt knows no destination {wanted.kind}", f"Name {NAMED} destinations"
        )
    return found


def _credentials(where: str) -> dict[str, Any]:
    """What an address says; dlt adds from its settings what is missing: the password."""
    parts = urlsplit(where)
    told = {
        "host": parts.hostname,
        "port": parts.port,
        "username": parts.username,
        "database": parts.path.strip("/"),
    }
    return {name: value for name, value in told.items() if value}
