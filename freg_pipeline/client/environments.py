"""Where the register is, by environment and package of rights, and how fast one may ask.

Source: the register's documentation (environments, packages, limits) and that of Fiks.
"""

from __future__ import annotations

from dataclasses import dataclass

from freg_pipeline.errors import ConfigurationError
from freg_pipeline.settings import Settings


@dataclass(frozen=True)
class RegisterEnvironment:
    """One of the register's environments.

    Attributes:
        base: scheme and host.
        requests_per_minute: published limit for an IP address; None: none is published.
    """

    base: str
    requests_per_minute: int | None


ENVIRONMENTS = {
    # The synthetic register, as `freg synthetic serve --port 8765` starts it.
    "syntetisk": RegisterEnvironment("http://127.0.0.1:8765", None),
    "playground": RegisterEnvironment(
        "https://folkeregisteret-api-konsument-playground.sits.no", 1_200
    ),
    "konsumenttest": RegisterEnvironment("https://folkeregisteret-api-konsument.sits.no", 1_200),
    "produksjon": RegisterEnvironment("https://folkeregisteret.api.skatteetaten.no", 60_000),
}

PACKAGES = {
    "offentlig-med-hjemmel": "offentlig-med-hjemmel/api",
    "offentlig-uten-hjemmel": "api/offentligutenhjemmel",
    "privat-uten-hjemmel": "api/privatutenhjemmel",
    "privat": "api/privat",
    "finans": "api/finans",
    "presse": "api/presse",
    "utsteder-eid": "api/eid",
    "privat-uten-folkeregisteridentifikator": "api/privatutenfolkeregisteridentifikator",
    "presse-uten-folkeregisteridentifikator": "api/presseutenfolkeregisteridentifikator",
}


def base_url(settings: Settings) -> str:
    """Everything before ``/v1``.

    Raises:
        ConfigurationError: the package is unknown, or the environment needs an address of its own.
    """
    if settings.rettighetspakke not in PACKAGES:
        raise ConfigurationError(
            "FREG_RETTIGHETSPAKKE names no package of rights", f"Use one of {', '.join(PACKAGES)}"
        )
    if settings.base_url:
        return settings.base_url
    if settings.environment not in ENVIRONMENTS:
        raise ConfigurationError(
            f"the address for the environment {settings.environment} depends on your role",
            "Set FREG_BASE_URL to everything before /v1",
        )
    package = PACKAGES[settings.rettighetspakke]
    return f"{ENVIRONMENTS[settings.environment].base}/folkeregisteret/{package}"


def requests_per_minute(settings: Settings) -> int | None:
    """The limit to keep: the setting's, else the environment's published one."""
    if settings.requests_per_minute is not None:
        return settings.requests_per_minute
    environment = ENVIRONMENTS.get(settings.environment)
    return environment.requests_per_minute if environment else None
