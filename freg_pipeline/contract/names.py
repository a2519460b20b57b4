"""Names that a contract gives: what may be one, and what tables and columns are called for it.

A contract comes over the network, and its names reach SQL, Parquet and paths. Rules
(docs/decisions/0030):

* An element's name is an NCName of at most LONGEST_ELEMENT characters; any other is refused.
* A table's or column's name is the elements' names in snake_case, joined by ``_``: letters in lower
  case, digits and ``_`` only; what else a name may hold becomes ``_``, and none begins with one.
* One that is longer than LONGEST_NAME bytes is cut, and ends with a hash of the whole. It is what
  PostgreSQL takes, which cuts longer names without a word: two could become one there.
* One that is ours already, or another element's, gets the first number from 2 on that makes it
  unique, ``hendelse_2``. Elements that are spelled as the register does (``likeThis``) choose
  first, each in the contract's order.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Sequence

LONGEST_ELEMENT = 100
LONGEST_NAME = 63

PERSON_COLUMN = "personidentifikator"
ROW_COLUMN = "rad_nr"
ELEMENT_COLUMN = "element_nr"

# Tables and views that a release, or the staging of it, has beside those of the contract.
RESERVED_TABLES = frozenset(
    {
        "avvik", "befolkning", "dokument", "familie", "flytting", "hendelse", "hendelse_egenskap",
        "husstand", "kode", "person", "person_naa", "person_oversikt", "tidligere_identifikator",
        "ukjent_felt", "utgivelse",
    }
)  # fmt: skip
# Keys, and the argument of the macros that show earlier states.
_RESERVED_COLUMN = re.compile(
    rf"{PERSON_COLUMN}|{ROW_COLUMN}|dok_nr|{ELEMENT_COLUMN}(_\d+)?|ved_sekvensnummer"
)

_NCNAME = re.compile(r"[^\W\d][\w.\-\u00b7\u0300-\u036f\u203f\u2040]*")
_USUAL = re.compile(r"[a-zæøå][a-zæøåA-ZÆØÅ0-9]*")
_HUMP = re.compile(r"(?<=[a-zæøå0-9])(?=[A-ZÆØÅ])|(?<=[A-ZÆØÅ])(?=[A-ZÆØÅ][a-zæøå])")
_NO_LETTER = re.compile(r"\W")


def is_element_name(name: str) -> bool:
    """Whether an element may be called so."""
    return len(name) <= LONGEST_ELEMENT and _NCNAME.fullmatch(name) is not None


def snake_case(name: str) -> str:
    """``foedselsEllerDNummer`` -> ``foedsels_eller_d_nummer``."""
    words = _HUMP.sub("_", unicodedata.normalize("NFC", name)).lower()
    return _NO_LETTER.sub("_", words).lstrip("_") or "felt"


def table_names(wanted: Sequence[tuple[tuple[str, ...], str]]) -> list[str]:
    """The names of tables, each for its path of elements and the name that it would have."""
    return _distinct(wanted, lambda name: name in RESERVED_TABLES)


def column_names(paths: Sequence[tuple[str, ...]]) -> list[str]:
    """The names of a table's columns, each for its path of elements."""
    wanted = [(path, "_".join(snake_case(word) for word in path)) for path in paths]
    return _distinct(wanted, lambda name: _RESERVED_COLUMN.fullmatch(name) is not None)


def _distinct(
    wanted: Sequence[tuple[tuple[str, ...], str]], reserved: Callable[[str], bool]
) -> list[str]:
    taken: set[str] = set()
    names = dict.fromkeys(range(len(wanted)), "")
    for place in sorted(names, key=lambda place: not all(map(_USUAL.fullmatch, wanted[place][0]))):
        name = wanted[place][1]
        names[place] = _free(name, taken, reserved=reserved(name))
    return list(names.values())


def _free(wanted: str, taken: set[str], *, reserved: bool) -> str:
    name = first = _cut(wanted)
    number = 2
    while name in taken or (reserved and name == first):
        name = _cut(wanted, f"_{number}")
        number += 1
    taken.add(name)
    return name


def _cut(name: str, ending: str = "") -> str:
    room = LONGEST_NAME - len(ending)
    if len(name.encode()) > room:
        whole = hashlib.sha256(name.encode()).hexdigest()[:8]
        name = f"{name.encode()[: room - 9].decode(errors='ignore')}_{whole}"
    return name + ending
