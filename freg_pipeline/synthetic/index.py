"""What searches look at: columns over the documents in force, made when the first search comes.

Rows are only ever added, each with the document that it is from, and count while that document is
in force. So the index follows a living population by reading the documents that are new.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from freg_pipeline.synthetic.archive import Archive
from freg_pipeline.synthetic.findable import Findable, read
from freg_pipeline.synthetic.sounds import sound, words

Mask = npt.NDArray[np.bool_]
Int32s = npt.NDArray[np.int32]

FORNAVN, MELLOMNAVN, ETTERNAVN = range(3)
KJOENN = ("", "kvinne", "mann")
NOTHING = -1  # where a document has no number to compare


class Vocabulary:
    """Words as small numbers."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._by_sound: dict[str, list[int]] = defaultdict(list)

    def add(self, word: str) -> int:
        """The number of a word, new or known."""
        number = self._numbers.get(word)
        if number is None:
            number = self._numbers[word] = len(self._numbers)
            self._by_sound[sound(word)].append(number)
        return number

    def exactly(self, word: str) -> list[int]:
        """The number of a word, if it is known."""
        return [self._numbers[word]] if word in self._numbers else []

    def alike(self, word: str) -> list[int]:
        """The numbers of the words that sound as this one, itself among them."""
        return self._by_sound.get(sound(word), [])

    def beginning(self, text: str) -> list[int]:
        """The numbers of the words that begin so."""
        return [number for word, number in self._numbers.items() if word.startswith(text)]


class Columns:
    """Columns of whole numbers that grow row by row."""

    def __init__(self, *names: str) -> None:
        self._names = names
        self._values = array("i")
        self._whole: Int32s | None = None

    def __len__(self) -> int:
        return len(self._values) // len(self._names)

    def add(self, *row: int) -> None:
        """One row."""
        self._values.extend(row)
        self._whole = None

    def __getitem__(self, name: str) -> Int32s:
        if self._whole is None:
            rows = np.array(self._values, dtype=np.int32).reshape(-1, len(self._names))
            self._whole = np.ascontiguousarray(rows.T)
        column: Int32s = self._whole[self._names.index(name)]
        return column


class Index:
    """The columns, and how they follow the archive.

    Attributes:
        documents: a row a document read: birth date and year, sex, whether dead, whether the number
            is opphoert.
        names: a row a name; ``document`` is the row of its document.
        name_words: a row a word of a name.
        addresses: a row an address that may be told.
        words: of names.
        streets: their names.
        numbers: the identity number to answer, by document row.
    """

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._begin()

    def _begin(self) -> None:
        self.documents = Columns("foedselsdato", "foedselsaar", "kjoenn", "doed", "opphoert")
        self.names = Columns("document", "current")
        self.name_words = Columns("name", "word", "role")
        self.addresses = Columns("document", "current", "opphold", "street", "husnummer",
                                 "husbokstav", "postnummer", "kommune")  # fmt: skip
        self.words = Vocabulary()
        self.streets = Vocabulary()
        self.numbers: list[str] = []
        self._places: list[int] = []  # by document row: its place in the archive
        self._row_at: dict[int, int] = {}
        self._identities: dict[tuple[str, str], list[int]] = defaultdict(list)
        self._read = -1  # so many documents the archive had when it was last looked at
        self._in_force: Mask = np.zeros(0, dtype=bool)

    def follow(self) -> None:
        """Read what is new in the archive."""
        if self._read == len(self._archive):
            return
        in_force = [place for place in self._archive.in_force() if place is not None]
        if len(self._places) > 2 * len(in_force):
            self._begin()  # more is past than present
        for place in in_force:
            if place not in self._row_at:
                self._add(place, read(self._archive.document(place)))
        self._in_force = np.zeros(len(self._places), dtype=bool)
        self._in_force[[self._row_at[place] for place in in_force]] = True
        self._read = len(self._archive)

    def _add(self, place: int, document: Findable) -> None:
        row = self._row_at[place] = len(self._places)
        self._places.append(place)
        self.numbers.append(document.number)
        born = next((one for one in document.foedsel if one.erGjeldende), None)
        sex = next((one.kjoenn for one in document.kjoenn if one.erGjeldende), "")
        status = document.current_status
        self.documents.add(
            _whole(born.foedselsdato.replace("-", "")) if born else NOTHING,
            _whole(str(born.foedselsaar)) if born else NOTHING,
            KJOENN.index(sex),
            status == "doed",
            status == "opphoert",
        )
        for name in document.navn:
            for role, text in enumerate((name.fornavn, name.mellomnavn, name.etternavn)):
                for word in words(text):
                    self.name_words.add(len(self.names), self.words.add(word), role)
            self.names.add(row, name.erGjeldende)
        for address in document.addresses():
            self.addresses.add(
                row, address.current, address.opphold,
                self.streets.add(" ".join(words(address.street))),
                _whole(address.husnummer), _letter(address.husbokstav),
                _whole(address.postnummer), _whole(address.kommune),
            )  # fmt: skip
        for identity in document.identities():
            self._identities[identity].append(row)

    # -- which documents -------------------------------------------------------------------

    def in_force(self) -> Mask:
        """Documents that are in force."""
        return self._in_force.copy()

    def holding(self, table: Columns, rows: Mask) -> Mask:
        """Documents that have one of these rows of names or addresses."""
        return self._at(table["document"][rows])

    def named(self, numbers: Sequence[int], roles: Sequence[int]) -> Mask:
        """Names that have one of these words in one of these parts."""
        table = self.name_words
        rows = np.isin(table["word"], numbers) & np.isin(table["role"], roles)
        found = np.zeros(len(self.names), dtype=bool)
        found[table["name"][rows]] = True
        return found

    def identified(self, kind: str, text: str) -> Mask:
        """Documents that tell another authority's number."""
        return self._at(self._identities.get((kind, text), []))

    def at(self, place: int | None) -> Mask:
        """The document at a place of the archive."""
        row = None if place is None else self._row_at.get(place)
        return self._at([] if row is None else [row])

    def _at(self, rows: Sequence[int] | Int32s) -> Mask:
        found = np.zeros(len(self._places), dtype=bool)
        found[rows if len(rows) else []] = True
        return found

    def places(self, found: Mask) -> list[int]:
        """Places in the archive of the documents found."""
        return [self._places[row] for row in np.flatnonzero(found)]


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else NOTHING


def _letter(text: str) -> int:
    """A letter as a number; 0: there is none."""
    return ord(text[0].upper()) if text else 0
