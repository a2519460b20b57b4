"""Where the register is, by environment and package of rights, and how fast one may ask.

Source: the register's documentation (environments, limits) and that of Fiks, the municipalities'
gateway.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote

from freg_pipeline.client.packages import ALL_SERVICES, FIKS_SCOPE, Package, package
from freg_pipeline.errors import ConfigurationError
from freg_pipeline.settings import Settings


@dataclass(frozen=True)
class RegisterEnvironment:
    """One of the register's environments.

    Attributes:
        base: scheme and host.
        requests_per_minute: published limit for an IP address; None: none is published.
        issuer: of its tokens, by Maskinporten; None: the environment tells it itself.
        is_fiks: reached through Fiks, where a role in the path decides the package.
    """

    base: str
    requests_per_minute: int | None
    issuer: str | None
    is_fiks: bool = False


_MASKINPORTEN = "https://maskinporten.no/"
_TEST_MASKINPORTEN = "https://test.maskinporten.no/"

ENVIRONMENTS = {
    # The synthetic register, as `freg synthetic serve --port 8765` starts it.
    "syntetisk": RegisterEnvironment("http://127.0.0.1:8765", None, None),
    "playground": RegisterEnvironment(
        "https://folkeregisteret-api-konsument-playground.sits.no", 1_200, _TEST_MASKINPORTEN
    ),
    "konsumenttest": RegisterEnvironment(
        "https://folkeregisteret-api-konsument.sits.no", 1_200, _TEST_MASKINPORTEN
    ),
    "produksjon": RegisterEnvironment(
        "https://folkeregisteret.api.skatteetaten.no", 60_000, _MASKINPORTEN
    ),
    # Fiks publishes no limit: that of the register behind it is kept.
    "fiks-test": RegisterEnvironment(
        "https://api.fiks.test.ks.no", 1_200, _TEST_MASKINPORTEN, is_fiks=True
    ),
    "fiks": RegisterEnvironment("https://api.fiks.ks.no", 60_000, _MASKINPORTEN, is_fiks=True),
}


def base_url(settings: Settings) -> str:
    """Everything before ``/v1``.

    Raises:
        ConfigurationError: the package is unknown, or the role at Fiks is not set.
    """
    path = package(settings.rettighetspakke).path
    if settings.base_url:
        return settings.base_url
    environment = ENVIRONMENTS[settings.environment]
    if not environment.is_fiks:
        return f"{environment.base}/folkeregisteret/{path}"
    if not settings.fiks_rolle_id:
        raise ConfigurationError(
            "the address at Fiks depends on your role", "Set FREG_FIKS_ROLLE_ID to the role's id"
        )
    return f"{environment.base}/folkeregister/api/v1/{quote(settings.fiks_rolle_id, safe='')}"


def granted(settings: Settings) -> Package:
    """The package of rights, with what settings say of it: its scope, and what it may call besides.

    At Fiks every package takes the same scope.

    Raises:
        ConfigurationError: there is no such package, or no such service.
    """
    named = package(settings.rettighetspakke)
    scope = FIKS_SCOPE if ENVIRONMENTS[settings.environment].is_fiks else named.scope
    return replace(
        named,
        scope=settings.maskinporten_scope or scope,
        allowed=_let_through(settings.allow_services),
    )


def _let_through(services: Sequence[str]) -> frozenset[str]:
    if "alle" in services:
        return ALL_SERVICES
    unknown = [service for service in services if service not in ALL_SERVICES]
    if unknown:
        raise ConfigurationError(
            f"FREG_ALLOW_SERVICES names {', '.join(unknown)}, which is not a service",
            f"Use alle, or some of {', '.join(sorted(ALL_SERVICES))}",
        )
    return frozenset(services)


def requests_per_minute(settings: Settings) -> int | None:
    """The limit to keep: the setting's, else the environment's published one."""
    if settings.requests_per_minute is not None:
        return settings.requests_per_minute
    return ENVIRONMENTS[settings.environment].requests_per_minute
