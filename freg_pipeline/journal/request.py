"""What an uttrekk asks for, what came of asking, and which names it can have."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Literal

import msgspec

from freg_pipeline.errors import ConfigurationError
from freg_pipeline.journal.kinds import KindName
from freg_pipeline.outside import looks_like_number

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


ContractSource = Literal["register", "file", "store"]  # where a contract was found
FOUND: dict[ContractSource, str] = {  # what is said of it
    "register": "",
    "file": ", from FREG_CONTRACT_FILE: the register served none",
    "store": ", the one used last: the register served none",
}


class Request(msgspec.Struct, frozen=True):
    """What an uttrekk asks for, and under which circumstances.

    Attributes:
        name: the uttrekk's name in this store.
        kind: komplett (everyone), tilpasset (a selection), liste (a list of one's own), soek (the
            hits of a search) or hendelser (whom the event list names).
        environment: which register.
        base_url: the address that it is asked of.
        rettighetspakke: the package of rights.
        parts_asked: the ``part``s that were configured; none means everything.
        parts: every ``part`` whose content the tables hold.
        parts_refused: what the register refused before anything was ordered: it isn't asked for.
        parts_apart: what the look-ups ask for beside them, only to tell persons apart.
        contract: fingerprint of the XSD in force when it was made.
        contract_from: where that was found: the register may serve none.
        sekvensnummer: the feed's position that the content is sure to reach: the register's last
            number, noted before the order.
        feedsekvensnr: where a komplett uttrekk was told to begin; None: at sekvensnummer.
        etter: of kind hendelser: the position of the release that it continues; its events come
            after it.
        base: likewise: what that release began with.
        form: json or xml: how the documents are asked for.
        kriterier: a tilpasset uttrekk's criteria, as sent; which list or search it was, by a hash.
        created: when (UTC).
        allow_other_kind: may replace a release of another kind or selection: so they said who
            asked for it.
    """

    name: str
    kind: KindName
    environment: str
    base_url: str
    rettighetspakke: str
    parts_asked: tuple[str, ...]
    parts: tuple[str, ...]
    contract: str
    sekvensnummer: int
    feedsekvensnr: int | None
    kriterier: dict[str, Any] | None
    created: datetime
    form: Literal["json", "xml"] = "json"
    etter: int | None = None
    parts_apart: tuple[str, ...] = ()
    parts_refused: tuple[str, ...] = ()
    allow_other_kind: bool = False
    base: str | None = None
    contract_from: ContractSource = "register"

    def same_question(self, other: Request) -> bool:
        """Whether both ask the same thing of the same register."""
        return _question(self) == _question(other)


class OrderAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What came of an attempt to order: exactly one of the fields is set."""

    jobbId: str | None = None  # noqa: N815  the register's name
    refused: str | None = None
    lost: str | None = None


def contract_key(fingerprint: str) -> str:
    """Where a contract that was in force lies."""
    return f"contracts/{fingerprint}.xsd"


def check_name(name: str) -> str:
    """Return ``name`` if an uttrekk can have it.

    Raises:
        ConfigurationError: it can't; says what a name is made of.
    """
    if not _NAME.fullmatch(name):
        raise ConfigurationError(
            "that is not a valid name for an uttrekk",
            "Use up to 64 of a-z, 0-9, - and _, starting with a letter or a digit",
        )
    if looks_like_number(name):  # it becomes part of file names, logs and Dagster's records
        raise ConfigurationError(
            "that name may be an identity number", "Choose one that says nothing about persons"
        )
    return name


def _question(request: Request) -> tuple[object, ...]:
    return (
        request.kind,
        request.environment,
        request.base_url,
        request.rettighetspakke,
        request.parts_asked,
        request.kriterier,
        request.feedsekvensnr,
        request.form,
    )
