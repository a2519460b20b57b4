"""Packages of rights (rettighetspakker): where each is served, what it may call, what it may see.

Sources: the register's documentation of resources by package, of endpoints and of dataminimering.
Of the packages that came later, the documentation tells the address and what of a document they
see, but hardly what they may call. Presse and the two without identity numbers are described
together with Privat, and may call what Privat may; Utsteder eID has look-ups, search and selections
since 2024-10.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

_FOR_ALL = frozenset(
    {
        "personer/entydigsoek", "personer/xsd", "hendelser/xsd", "hendelser/feedxsd",
        "hendelser/feed", "hendelser/siste/sekvensnummer",
    }
)  # fmt: skip
_LOOK_UPS = _FOR_ALL | {"personer/{personidentifikator}", "personer/bulkoppslag", "personer/soek"}
_SELECTIONS = _LOOK_UPS | {"uttrekk/tilpasset", "uttrekk/batch"}
_EVERYTHING = _SELECTIONS | {
    "uttrekk/komplett", "personer/bulkoppslag/arkiv", "personer/arkiv/{dokumentidentifikator}",
    "hendelser/{hendelsesidentifikator}", "hendelser/bulkoppslag",
}  # fmt: skip

_NUMBER = frozenset({"identifikasjonsnummer"})
_IDENTITY = frozenset({"falskIdentitet", "legitimasjonsdokument", "utenlandskPersonidentifikasjon"})
_RELATIONS = frozenset({"familierelasjon", "foreldreansvar"})
_PAST = frozenset(
    {
        "identifikasjonsnummer", "navn", "bostedsadresse", "oppholdsadresse", "deltBosted",
        "postadresse", "postadresseIUtlandet", "preferertKontaktadresse",
    }
)  # fmt: skip

_ABROAD = frozenset({"utenlandskpersonidentifikasjon", "legitimasjonsdokument"})


@dataclass(frozen=True)
class Package:
    """A package of rights.

    Attributes:
        name: as in the table of packages.
        path: between ``/folkeregisteret/`` and ``/v1``.
        scope: the end of its Maskinporten scope, after ``folkeregister:deling/``.
        services: what it may call; a service's name is its path, with parameters by name.
        unseen: entities that its documents never hold.
        past: entities of which it may see history; None: all.
        criteria: of entydigsoek, beyond those that everyone has.
    """

    name: str
    path: str
    scope: str
    services: frozenset[str]
    unseen: frozenset[str]
    past: frozenset[str] | None = _PAST
    criteria: frozenset[str] = frozenset()


OFFENTLIG_MED_HJEMMEL = Package(
    "offentlig-med-hjemmel", "offentlig-med-hjemmel/api", "offentligmedhjemmel", _EVERYTHING,
    unseen=frozenset(), past=None,
    criteria=_ABROAD | {"utlendingsmyndighetenesidentifikasjonsnummer"},
)  # fmt: skip
PACKAGES = (
    OFFENTLIG_MED_HJEMMEL,
    Package(
        "offentlig-uten-hjemmel", "api/offentligutenhjemmel", "offentligutenhjemmel",
        _SELECTIONS, _IDENTITY | _RELATIONS,
    ),
    Package(
        "privat-uten-hjemmel", "api/privatutenhjemmel", "privatutenhjemmel",
        _SELECTIONS, _IDENTITY | _RELATIONS,
    ),
    Package("privat", "api/privat", "privat", _FOR_ALL, _NUMBER | _IDENTITY | _RELATIONS),
    Package("finans", "api/finans", "finans", _SELECTIONS, _IDENTITY, _PAST | {"sivilstand"}),
    Package("presse", "api/presse", "presse", _FOR_ALL, _NUMBER | _IDENTITY | _RELATIONS),
    Package(
        "utsteder-eid", "api/eid", "utstedereid", _SELECTIONS, _RELATIONS, criteria=_ABROAD
    ),
    Package(
        "privat-uten-folkeregisteridentifikator", "api/privatutenfolkeregisteridentifikator",
        "privatutenfolkeregisteridentifikator", _FOR_ALL, _NUMBER | _IDENTITY | _RELATIONS,
    ),
    Package(
        "presse-uten-folkeregisteridentifikator", "api/presseutenfolkeregisteridentifikator",
        "presseutenfolkeregisteridentifikator", _FOR_ALL, _NUMBER | _IDENTITY | _RELATIONS,
    ),
)  # fmt: skip


def may_see_documents(package: Package) -> bool:
    """Whether the feed tells this package which documents belong to an event."""
    return package is OFFENTLIG_MED_HJEMMEL


class AsPackage:
    """Tells the services within which package's they are called by."""

    def __init__(self, app: ASGIApp, package: Package) -> None:
        self._app = app
        self._package = package

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        scope = {**scope, "state": {**scope.get("state", {}), "package": self._package}}
        await self._app(scope, receive, send)


def package_of(request: Request) -> Package:
    """The package that a request came by."""
    return cast("Package", request.state.package)
