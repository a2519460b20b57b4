"""Words of names as a search compares them: folded, and by how they sound in Norwegian.

The documentation of soekFonetisk says "lignende navn" and no method. This register's: two words
sound alike when their keys are equal, and a key is made by the rules below, in their order (see
docs/decisions/0015). They bring spellings of one sound together (Hansen and Hanssen, Kathrine and
Cathrin, Wiik and Vik, Aas and Ås) and then drop all vowels but a first one.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_KEPT = "ÆØÅ"
_LIKE = str.maketrans({"Ä": "Æ", "Ö": "Ø", "Ü": "Y", "ß": "S", "Ð": "D", "Þ": "T", "Ł": "L"})
_BREAKS = re.compile(r"[^\w]+|_")

_RULES = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        # Foreign letters and groups.
        ("AA", "Å"), ("OE", "Ø"), ("AE", "Æ"), ("PH", "F"), ("TH", "T"), ("GH", "G"), ("CK", "K"),
        ("SCH", "SJ"), ("CH", "K"), ("C(?=[EIYÆØ])", "S"), ("C", "K"), ("QU", "KV"), ("Q", "K"),
        ("X", "KS"), ("Z", "S"), ("W", "V"),
        # Letters that are not heard.
        ("^H(?=[JV])", ""), ("(?<=[LNR])D$", ""), ("DT$", "T"), ("(?<=[AEIOUYÆØÅ])H", ""),
        # Sounds that are written in several ways; kj and sj, which many no longer tell apart.
        ("^GJ|^G(?=[IY])", "J"), ("SKJ|STJ|SJ|SK(?=[IY])", "X"), ("KJ|TJ|^K(?=[IY])", "X"),
        ("^Æ", "E"), ("^Y", "I"),
        # Only a first vowel is kept, and of letters that follow themselves one.
        ("(?<!^)[AEIOUYÆØÅ]", ""), (r"(.)\1+", r"\1"),
    )
)  # fmt: skip


def words(text: str) -> list[str]:
    """The words of a text: upper case, without accents, but with æ, ø and å."""
    return [word for word in _BREAKS.split(_folded(text)) if word]


def _folded(text: str) -> str:
    text = unicodedata.normalize("NFC", text).upper().translate(_LIKE)
    return "".join(
        letter if letter in _KEPT else unicodedata.normalize("NFD", letter)[0] for letter in text
    )


@lru_cache(maxsize=100_000)
def sound(word: str) -> str:
    """The key of a folded word."""
    for pattern, replacement in _RULES:
        word = pattern.sub(replacement, word)
    return word
