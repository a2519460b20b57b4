"""The criteria of personer/soek and personer/entydigsoek, read and evaluated on an index.

Source: the published API description, which says of each criterion what it hits. Where it says
nothing: all criteria of an address must fit one and the same address, and all words of a name one
name; a number of a house without a letter fits every letter in soek, and none in entydigsoek; an
address that is graded, or a protected person's, is never hit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date

import numpy as np

from freg_pipeline.synthetic.index import ETTERNAVN, FORNAVN, KJOENN, MELLOMNAVN, Index, Mask
from freg_pipeline.synthetic.sounds import words

# The page on look-ups spells it so; the API description in lower case.
_ALSO_SPELT = {
    "utlendingsmyndighetenesIdentifikasjonsnummer": "utlendingsmyndighetenesidentifikasjonsnummer"
}
_HUSNUMMER = re.compile(r"([0-9]{1,5}) ?([A-Za-zÆØÅæøå]?)")
_DIGITS = {"postnummer": 4, "kommunenummer": 4, "fylkesnummer": 2, "foedselsaarFraOgMed": 4,
           "foedselsaarTilOgMed": 4}  # fmt: skip


_NARROWING = {"navn", "kjoenn", "foedselsdato", "adressenavn", "husnummer", *_DIGITS}
# True or false, by the API description: of these an empty value is a wrong one.
_SWITCHES = {"soekFonetisk", "inkluderDoede", "inkluderOppholdsadresse"}


class SearchError(ValueError):
    """A criterion is wrong; the text is what the register answers."""


class Search:
    """One search: criteria as they were asked, and the index that they are put to.

    Args:
        asked: criteria by name; an empty one is taken for none, unless it is a switch.
        exactly: a house's number is met by its letter, or by having none.
    """

    def __init__(self, asked: Mapping[str, str], index: Index, *, exactly: bool) -> None:
        self._asked = {
            _ALSO_SPELT.get(name, name): text
            for name, text in asked.items()
            if text or name in _SWITCHES
        }
        self._index = index
        self._exactly = exactly
        self._with_past = self._choice("opplysningsgrunnlag", ("gjeldende", "historisk")) == (
            "historisk"
        )
        self._by_sound = self.flag("soekFonetisk")
        self.found: Mask = index.in_force()

    def has(self, name: str) -> bool:
        """Whether a criterion was given."""
        return name in self._asked

    @property
    def is_open(self) -> bool:
        """Whether nothing was given that tells one person from another."""
        return self._asked.keys().isdisjoint(_NARROWING)

    def text(self, name: str) -> str:
        """A criterion as it was given; empty where it wasn't."""
        return self._asked.get(name, "")

    def flag(self, name: str) -> bool:
        """A criterion that is true or false.

        Raises:
            SearchError: it is neither.
        """
        return self._choice(name, ("false", "true")) == "true"

    def _choice(self, name: str, allowed: tuple[str, ...]) -> str:
        chosen = self._asked.get(name, allowed[0])
        if chosen not in allowed:
            raise SearchError(f"{name} må være {' eller '.join(allowed)}")
        return chosen

    def _number(self, name: str) -> int:
        text = self._asked[name]
        if not (text.isascii() and text.isdigit() and len(text) == _DIGITS[name]):
            raise SearchError(f"{name} må ha {_DIGITS[name]} siffer")
        return int(text)

    # -- persons ---------------------------------------------------------------------------

    def narrow(self, found: Mask) -> None:
        """Keep of what was found only this."""
        self.found &= found

    def born(self) -> None:
        """Take foedselsdato, foedselsaarFraOgMed and foedselsaarTilOgMed into account.

        Raises:
            SearchError: one of them is wrong.
        """
        documents = self._index.documents
        if self.has("foedselsdato"):
            self.narrow(documents["foedselsdato"] == self._day("foedselsdato"))
        if self.has("foedselsaarFraOgMed"):
            self.narrow(documents["foedselsaar"] >= self._number("foedselsaarFraOgMed"))
        if self.has("foedselsaarTilOgMed"):
            self.narrow(documents["foedselsaar"] <= self._number("foedselsaarTilOgMed"))

    def _day(self, name: str) -> int:
        text = self._asked[name]
        try:
            if not re.fullmatch("[0-9]{8}", text):
                raise ValueError
            date(int(text[:4]), int(text[4:6]), int(text[6:]))
        except ValueError:
            raise SearchError(f"{name} må være en dato som YYYYMMDD") from None
        return int(text)

    def sex(self) -> None:
        """Take kjoenn into account.

        Raises:
            SearchError: it is neither of the two.
        """
        if self.has("kjoenn"):
            sex = self._choice("kjoenn", KJOENN[1:])
            self.narrow(self._index.documents["kjoenn"] == KJOENN.index(sex))

    # -- names -----------------------------------------------------------------------------

    def name(self, *, first_and_last: bool) -> None:
        """Take navn into account: whole words of one name, in any order.

        Args:
            first_and_last: of two words or more, the first must be of fornavn and the last of
                etternavn.

        Raises:
            SearchError: there are too few words for that.
        """
        if not self.has("navn"):
            return
        asked = words(self._asked["navn"])
        if first_and_last and len(asked) < 2:
            raise SearchError("navn må ha minst to delnavn")
        meant = self._index.words.alike if self._by_sound else self._index.words.exactly
        anywhere = (FORNAVN, MELLOMNAVN, ETTERNAVN)
        roles: list[tuple[int, ...]] = [anywhere for _ in asked]
        if first_and_last:
            roles[0], roles[-1] = (FORNAVN,), (ETTERNAVN,)
        names = np.full(len(self._index.names), fill_value=bool(asked))
        for word, places in zip(asked, roles, strict=True):
            names &= self._index.named(meant(word), places)
        if not self._with_past:
            names &= self._index.names["current"] == 1
        self.narrow(self._index.holding(self._index.names, names))

    # -- addresses -------------------------------------------------------------------------

    def address(self, *, with_opphold: bool) -> None:
        """Take the criteria of addresses into account.

        Raises:
            SearchError: one of them is wrong.
        """
        tests: dict[str, Callable[[], Mask]] = {
            "adressenavn": self._street,
            "husnummer": self._house,
            "postnummer": lambda: table["postnummer"] == self._number("postnummer"),
            "kommunenummer": lambda: table["kommune"] == self._number("kommunenummer"),
            "fylkesnummer": lambda: table["kommune"] // 100 == self._number("fylkesnummer"),
        }
        table = self._index.addresses
        asked = [test for name, test in tests.items() if self.has(name)]
        if not asked:
            return
        rows = np.ones(len(table), dtype=bool)
        for test in asked:
            rows &= test()
        if not self._with_past:
            rows &= table["current"] == 1
        if not with_opphold:
            rows &= table["opphold"] == 0
        self.narrow(self._index.holding(table, rows))

    def _street(self) -> Mask:
        text = self._asked["adressenavn"]
        if len(text) < 3:
            raise SearchError("adressenavn må ha minst 3 tegn")
        beginning = " ".join(words(text))
        streets = self._index.streets.beginning(beginning) if beginning else []
        return np.isin(self._index.addresses["street"], streets)

    def _house(self) -> Mask:
        told = _HUSNUMMER.fullmatch(self._asked["husnummer"])
        if told is None:
            raise SearchError("husnummer må være et tall, med eller uten bokstav")
        number, letter = told.groups()
        table = self._index.addresses
        rows: Mask = table["husnummer"] == int(number)
        if letter or self._exactly:
            rows &= table["husbokstav"] == (ord(letter.upper()) if letter else 0)
        return rows
