"""The last event's number, read from any form of answer."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from freg_pipeline.envelope import is_xml
from freg_pipeline.envelope_xml import local_name, parse_root
from freg_pipeline.readable import within_depth

FIELD = "sekvensnummer"
_DIGITS = re.compile(r"[0-9]{1,18}")


def parse_number(body: bytes) -> int:
    """The number that an answer of hendelser/siste/sekvensnummer holds.

    A bare number, a string of digits, plain text, an element, and an object or an element with a
    field ``sekvensnummer`` (announced by the register, and withdrawn) are understood. A number in
    any other field is none, and so is a negative one.

    Raises:
        ValueError: there is none; says nothing of the answer's content.
    """
    found = _from_xml(body) if is_xml(body) else _from_json(body)
    text = str(found).strip() if not isinstance(found, bool | float) else ""
    if not _DIGITS.fullmatch(text):
        msg = "the answer holds no sequence number"
        raise ValueError(msg)
    return int(text)


def _from_json(body: bytes) -> Any:
    try:
        content: Any = within_depth(msgspec.json.decode, body.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError):  # plain text, such as 007
        return body.decode("utf-8", "replace")
    return content.get(FIELD) if isinstance(content, dict) else content


def _from_xml(body: bytes) -> str | None:
    root = parse_root(body)
    if local_name(root) == FIELD or len(root) == 0:
        return root.text
    named = root.find(f"./{{*}}{FIELD}")
    return None if named is None else named.text
