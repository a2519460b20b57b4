"""The hits of a search, read from any form of answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from freg_pipeline.client.answers import Answer
from freg_pipeline.envelope import is_xml, reason_in
from freg_pipeline.envelope_xml import parse_root
from freg_pipeline.errors import RefusedError
from freg_pipeline.identifiers import as_told
from freg_pipeline.outside import showable
from freg_pipeline.readable import read_json


@dataclass(frozen=True, repr=False)
class Treff:
    """The hits of a search.

    Attributes:
        numre: identity numbers, in the order that they came.
        raw: the answer as it came.
    """

    numre: tuple[str, ...]
    raw: Answer

    def __repr__(self) -> str:
        return f"Treff({len(self.numre)} hits)"


_treff = msgspec.json.Decoder(dict[str, Any] | list[Any])
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_FIELD = "foedselsEllerDNummer"


def parse_treff(body: bytes) -> list[str]:
    """The identity numbers that an answer holds, in its order; JSON or XML.

    Raises:
        ValueError: the answer is damaged; says nothing of its content.
        RefusedError: it is the register's reason for there being no hits.
    """
    if is_xml(body):
        root = parse_root(body)
        _refuse(root.findtext(".//{*}feilmelding"))
        return [text for one in root.iter(f"{{*}}{_FIELD}") if (text := (one.text or "").strip())]
    try:
        answer = read_json(_treff.decode, body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        msg = "the answer is no list of hits"
        raise ValueError(msg) from None
    if isinstance(answer, dict):
        _refuse(reason_in(read_json(_fields.decode, body)))
        answer = answer.get(_FIELD) or []
    hits = answer if isinstance(answer, list) else [answer]
    told = [as_told(hit).strip() for hit in hits if isinstance(hit, str | int)]
    return [hit for hit in told if hit]


def no_hits(accept: str) -> Treff:
    """Nobody, where the register says so by a 404: as the empty list that its description has."""
    is_wanted_as_xml = accept.endswith("xml")
    body = b"<PersonsoekResponse/>" if is_wanted_as_xml else b'{"foedselsEllerDNummer": []}'
    return Treff((), Answer(body, datetime.now(UTC), accept, "", checked=[]))


def _refuse(said: str | None) -> None:
    if said:
        raise RefusedError(f'personer/soek: "{showable(said)}"', "Narrow the criteria")
