"""Packages of rights (rettighetspakker): where each is served, what it may call, what it may see.

Sources: the register's documentation of resources by package, of endpoints and of dataminimering.
Of the packages that came later, the documentation tells the address and what of a document they
see, but hardly what they may call. Presse and the two without identity numbers are described
together with Privat, and may call what Privat may; Utsteder eID has look-ups and selections too.
``docs/fidelity.md`` tells what is assumed where the documentation is silent.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
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

_LEGITIMATION = frozenset({"legitimasjonsdokument", "utenlandskPersonidentifikasjon"})
_IDENTITY = _LEGITIMATION | {"falskIdentitet"}
_RELATIONS = frozenset({"familierelasjon", "foreldreansvar"})
# Told only to those who have it in law (hjemmel) to get it.
_SECRET = frozenset(
    {"opphold", "bibehold", "brukAvSamiskSpraak", "utlendingsmyndighetenesIdentifikasjonsnummer"}
)
_PAST = frozenset(
    {
        "identifikasjonsnummer", "navn", "bostedsadresse", "oppholdsadresse", "deltBosted",
        "postadresse", "postadresseIUtlandet", "preferertKontaktadresse",
    }
)  # fmt: skip

_ABROAD = frozenset({"utenlandskpersonidentifikasjon", "legitimasjonsdokument"})


class NumbersGiven(Enum):
    """When a package gets identity numbers."""

    ALWAYS = auto()
    NAMED = auto()  # where the part is named
    NEVER = auto()


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
        numbers: when it gets identity numbers.
        kinds: whether the feed tells it an event's kind; else all are ``endringIPerson``.
        narrower: endings of further scopes of the same package.
    """

    name: str
    path: str
    scope: str
    services: frozenset[str]
    unseen: frozenset[str]
    past: frozenset[str] | None = _PAST
    criteria: frozenset[str] = frozenset()
    numbers: NumbersGiven = NumbersGiven.ALWAYS
    kinds: bool = True
    narrower: tuple[str, ...] = ()

    @property
    def has_hjemmel(self) -> bool:
        """Whether it may see what is secret (taushetsbelagt)."""
        return self.path.startswith("offentlig-med-hjemmel/")

    @property
    def scopes(self) -> frozenset[str]:
        """The Maskinporten scopes that open it."""
        first = f"folkeregister:deling/{self.scope}"
        return frozenset({first, *(f"{first}.{ending}" for ending in self.narrower)})


def _for_the_public(name: str, path: str, scope: str, numbers: NumbersGiven) -> Package:
    unseen = _IDENTITY | _RELATIONS | _SECRET
    return Package(name, path, scope, _FOR_ALL, unseen, numbers=numbers, kinds=False)


OFFENTLIG_MED_HJEMMEL = Package(
    "offentlig-med-hjemmel", "offentlig-med-hjemmel/api", "offentligmedhjemmel", _EVERYTHING,
    unseen=frozenset(), past=None,
    criteria=_ABROAD | {"utlendingsmyndighetenesidentifikasjonsnummer"},
    narrower=("segmentansvarlig",),
)  # fmt: skip
PACKAGES = (
    OFFENTLIG_MED_HJEMMEL,
    Package(
        "offentlig-uten-hjemmel", "api/offentligutenhjemmel", "offentligutenhjemmel",
        _SELECTIONS, _LEGITIMATION | _RELATIONS | _SECRET, narrower=("segmentansvarlig",),
    ),
    Package(
        "privat-uten-hjemmel", "api/privatutenhjemmel", "privatutenhjemmel",
        _SELECTIONS, _IDENTITY | _RELATIONS | _SECRET,
    ),
    _for_the_public("privat", "api/privat", "privat", NumbersGiven.NAMED),
    Package(
        "finans", "api/finans", "finans", _SELECTIONS, _LEGITIMATION | _SECRET,
        _PAST | {"sivilstand"}, narrower=("segmentansvarlig",),
    ),
    _for_the_public("presse", "api/presse", "presse", NumbersGiven.NAMED),
    Package(
        "utsteder-eid", "api/eid", "utstedereid", _SELECTIONS, _RELATIONS | _SECRET,
        criteria=_ABROAD,
    ),
    _for_the_public(
        "privat-uten-folkeregisteridentifikator", "api/privatutenfolkeregisteridentifikator",
        "privatutenfolkeregisteridentifikator", NumbersGiven.NEVER,
    ),
    _for_the_public(
        "presse-uten-folkeregisteridentifikator", "api/presseutenfolkeregisteridentifikator",
        "presseutenfolkeregisteridentifikator", NumbersGiven.NEVER,
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
