"""Packages of rights: each one's path, scope in Maskinporten, and the services it may call.

Source: the register's documentation, Endepunkter (paths, scopes) and Konsumenttjenester (services;
Utsteder eID has look-ups, search and selections since 2024-10). Such a table ages: a setting lets a
call through that it refuses, and the register has the last word.

``online/oppslag``, which the same list names, is a web page for people to sign in to; there is
nothing that a program could call, so no package has it here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from freg_pipeline.errors import ConfigurationError, RefusedError

FIKS_SCOPE = "ks:fiks"  # the municipalities' gateway; there the role decides the package

_EVERY_PACKAGE = frozenset(
    {
        "personer/entydigsoek", "personer/xsd",
        "hendelser/feed", "hendelser/siste/sekvensnummer", "hendelser/xsd", "hendelser/feedxsd",
    }
)  # fmt: skip
_LOOK_UPS = frozenset({"personer/{personidentifikator}", "personer/bulkoppslag", "personer/soek"})
_TILPASSET = frozenset({"uttrekk/tilpasset", "uttrekk/batch"})
_MED_HJEMMEL = frozenset(
    {
        "uttrekk/komplett", "personer/bulkoppslag/arkiv", "personer/arkiv/{dokumentidentifikator}",
        "hendelser/{hendelsesidentifikator}", "hendelser/bulkoppslag",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Package:
    """One package of rights.

    Attributes:
        name: as FREG_RETTIGHETSPAKKE takes it.
        path: between ``folkeregisteret/`` and ``/v1``.
        scope: what Maskinporten must grant.
        services: the services that it may call, by name.
        allowed: those that a setting lets through beside them.
    """

    name: str
    path: str
    scope: str
    services: frozenset[str]
    allowed: frozenset[str] = frozenset()

    @property
    def callable(self) -> frozenset[str]:
        """The services that may be called."""
        return self.services | self.allowed

    def has(self, service: str) -> bool:
        """Whether a service may be called."""
        return service in self.callable

    def require(self, service: str) -> None:
        """See that a service is within the package.

        Raises:
            RefusedError: it isn't; names the packages that have it.
        """
        if self.has(service):
            return
        having = [package.name for package in PACKAGES.values() if service in package.services]
        raise RefusedError(
            f"{service} is not in the package {self.name}: nothing was sent",
            f"It is in {', '.join(having)}: set FREG_RETTIGHETSPAKKE if that is yours, or "
            f"FREG_ALLOW_SERVICES={service} if the register has granted it to you",
        )


def _table(*packages: tuple[str, str, str, Iterable[frozenset[str]]]) -> Mapping[str, Package]:
    return {
        name: Package(name, path, f"folkeregister:deling/{scope}", _EVERY_PACKAGE.union(*more))
        for name, path, scope, more in packages
    }


PACKAGES = _table(
    (
        "offentlig-med-hjemmel", "offentlig-med-hjemmel/api", "offentligmedhjemmel",
        [_LOOK_UPS, _TILPASSET, _MED_HJEMMEL],
    ),
    (
        "offentlig-uten-hjemmel", "api/offentligutenhjemmel", "offentligutenhjemmel",
        [_LOOK_UPS, _TILPASSET],
    ),
    (
        "privat-uten-hjemmel", "api/privatutenhjemmel", "privatutenhjemmel",
        [_LOOK_UPS, _TILPASSET],
    ),
    ("privat", "api/privat", "privat", []),
    ("finans", "api/finans", "finans", [_LOOK_UPS, _TILPASSET]),
    ("presse", "api/presse", "presse", []),
    ("utsteder-eid", "api/eid", "utstedereid", [_LOOK_UPS, _TILPASSET]),
    (
        "privat-uten-folkeregisteridentifikator", "api/privatutenfolkeregisteridentifikator",
        "privatutenfolkeregisteridentifikator", [],
    ),
    (
        "presse-uten-folkeregisteridentifikator", "api/presseutenfolkeregisteridentifikator",
        "presseutenfolkeregisteridentifikator", [],
    ),
)  # fmt: skip

ALL_SERVICES = frozenset().union(*(package.services for package in PACKAGES.values()))


def package(name: str) -> Package:
    """The package of a name.

    Raises:
        ConfigurationError: there is none.
    """
    if name not in PACKAGES:
        raise ConfigurationError(
            "FREG_RETTIGHETSPAKKE is not a package of rights", f"Use one of {', '.join(PACKAGES)}"
        )
    return PACKAGES[name]
