"""What an uttrekk asks for, what came of asking, and which names it can have."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Literal

import msgspec

from freg_pipeline.errors import ConfigurationError
from freg_pipeline.journal.names import position_of
from freg_pipeline.journal.question import Question
from freg_pipeline.outside import looks_like_number

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


ContractSource = Literal["register", "file", "store"]  # where a contract was found
FOUND: dict[ContractSource, str] = {  # what is said of it
    "register": "",
    "file": ", from FREG_CONTRACT_FILE: the register served none",
    "store": ", the one used last: the register served none",
}


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What an uttrekk asks for, and under which circumstances.

    Attributes:
        name: the uttrekk's name in this store.
        question: what is asked for.
        parts: every ``part`` whose content the tables hold.
        parts_refused: what the register refused before anything was ordered: it isn't asked for.
        parts_apart: what the look-ups ask for beside them, only to tell persons apart.
        contract: fingerprint of the XSD in force when it was made.
        contract_from: where that was found: the register may serve none.
        sekvensnummer: the feed's position that the content is sure to reach: the register's last
            number, noted before the order.
        created: when (UTC).
        allow_other_kind: may replace a release of another kind or selection: so they said who
            asked for it.
        lifts: of a sync: the orders that keep persons out no longer, whom it looks up, too.
    """

    name: str
    question: Question
    parts: tuple[str, ...]
    parts_apart: tuple[str, ...] = ()
    parts_refused: tuple[str, ...] = ()
    contract: str
    contract_from: ContractSource = "register"
    sekvensnummer: int
    created: datetime
    allow_other_kind: bool = False
    lifts: tuple[int, ...] = ()

    def named(self, name: str) -> Request:
        """The same under another name."""
        return msgspec.structs.replace(self, name=name)


class OrderAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What came of an attempt to order: exactly one of the first three fields is set.

    Attributes:
        jobbId: the job that the register accepted.
        refused: what the register said.
        lost: why there was no answer.
        recorded: when (UTC) that was known.
    """

    jobbId: str | None = None  # noqa: N815  the register's name
    refused: str | None = None
    lost: str | None = None
    recorded: datetime | None = None


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
    # It becomes part of file names, logs and Dagster's records. A sync's is made of a position of
    # the event list, and any number of that may begin as a date does.
    if position_of(name) is None and looks_like_number(name):
        raise ConfigurationError(
            "that name may be an identity number", "Choose one that says nothing about persons"
        )
    return name
