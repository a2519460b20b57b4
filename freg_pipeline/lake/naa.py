"""``person_naa``: a batch's documents as one row a person, of what holds now.

A person's row is made of that person's rows alone, as the batch lands: so it comes with a full load
and with a sync alike, and is carried along by merges and compactions as any other row.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from freg_pipeline.contract import Plan
from freg_pipeline.extract.parts import entities
from freg_pipeline.lake.gjeldende import CURRENT, Entity, Places
from freg_pipeline.lake.kommune import COLUMNS as _KOMMUNE
from freg_pipeline.lake.owntable_naa import PERSON_NAA
from freg_pipeline.lake.protection import GRADE, HOME, LEVEL, OPEN, PROTECTION
from freg_pipeline.normalize.account import DOCUMENT_TABLE
from freg_pipeline.normalize.person import Mask, mask
from freg_pipeline.normalize.write import BatchRows

_TEXT, _WHOLE = pa.string(), pa.int64()
# What is taken over as it is: table -> columns.
PLAIN = {
    "navn": ("fornavn", "mellomnavn", "etternavn"),
    "foedsel": ("foedselsdato", "foedselsaar"),
    "kjoenn": ("kjoenn",),
    "status": ("status",),
    "sivilstand": ("sivilstand",),
}
PARENTS = ("mor", "far", "medmor")
CIRCUITS = ("grunnkrets", "kirkekrets", "skolekrets", "stemmekrets")
_STREET, _CADASTRE = "vegadresse", "matrikkeladresse"
MATRIKKEL = tuple(
    f"{_CADASTRE}_{name}"
    for name in (
        "matrikkelnummer_gaardsnummer",
        "matrikkelnummer_bruksnummer",
        "matrikkelnummer_festenummer",
        "undernummer",
    )
)
CADASTRE_KEY = "adresse_identifikator_fra_matrikkelen"
_TEXTS = (
    "adressenavn",
    "adressekode",
    "adressenummer_husnummer",
    "adressenummer_husbokstav",
    "adressetilleggsnavn",
    "bruksenhetsnummer",
    "poststed_postnummer",
    "poststed_poststedsnavn",
)
_HOME_COLUMNS = {
    GRADE: _TEXT,
    CADASTRE_KEY: _TEXT,
    **dict.fromkeys(_KOMMUNE, _TEXT),
    **dict.fromkeys(CIRCUITS, _WHOLE),
    **dict.fromkeys(MATRIKKEL, _WHOLE),
    **{f"{kind}_{name}": _TEXT for kind in (_STREET, _CADASTRE) for name in _TEXTS},
}


def persons_now(tables: Mapping[str, BatchRows], plan: Plan, parts: Collection[str]) -> pa.Table:
    """The staging rows of ``person_naa`` of a batch.

    Args:
        tables: the batch's rows by table, those of documents among them.
        plan: the contract's tables.
        parts: what the register was asked for: whether it tells who is protected.
    """
    told = tables[DOCUMENT_TABLE].read(["dok_nr", "personidentifikator"])
    told = told.filter(told["personidentifikator"].is_valid())
    batch = _Batch(tables, plan, told["dok_nr"].to_numpy().astype(np.int64))
    columns = {
        "dok_nr": told["dok_nr"],
        "personidentifikator": told["personidentifikator"],
        **batch.plain(),
        "statsborgerskap": batch.citizenships(),
        **batch.parents(),
        **batch.home(protection_is_told=PROTECTION in entities(parts)),
    }
    rows = pa.table({name: columns[name] for name in ("dok_nr", *PERSON_NAA.schema.names)})
    return rows.cast(pa.schema([rows.schema.field("dok_nr"), *PERSON_NAA.schema]))


class _Batch:
    """What a batch's documents tell, a value for each of them."""

    def __init__(self, tables: Mapping[str, BatchRows], plan: Plan, documents: Places) -> None:
        self._tables = tables
        self._plan = plan
        self._documents = documents

    def _entity(self, table: str, columns: Mapping[str, pa.DataType]) -> Entity:
        return Entity(self._plan, self._tables, table, columns, self._documents)

    def plain(self) -> dict[str, pa.Array]:
        """What is taken over as it is."""
        found: dict[str, pa.Array] = {}
        for table, names in PLAIN.items():
            kinds = {name: PERSON_NAA.schema.field(name).type for name in names}
            entity = self._entity(table, kinds)
            chosen = entity.chosen(entity.current)
            found |= {name: entity.of_chosen(name, chosen) for name in names}
        return found

    def citizenships(self) -> pa.Array:
        """All current ones, each once, in the document's order; null: none is told."""
        name = "statsborgerskap"
        entity = self._entity(name, {name: _TEXT})
        states = entity.values(name).dictionary_encode()
        rows = np.flatnonzero(entity.current & mask(entity.values(name).is_valid()))
        codes = states.indices.fill_null(0).to_numpy()[rows].astype(np.int64)
        pairs = (entity.document[rows] << 32) + codes
        rows = rows[np.sort(np.unique(pairs, return_index=True)[1])]
        # A document that was read later than its neighbours has its rows after theirs.
        rows = rows[np.argsort(entity.document[rows], kind="stable")]
        counts = np.bincount(entity.document[rows], minlength=entity.size)
        ends = np.concatenate([[0], np.cumsum(counts)])
        return pa.ListArray.from_arrays(
            pa.array(ends, pa.int32()),
            entity.values(name).take(pa.array(rows)),
            mask=pa.array(counts == 0),
        )

    def parents(self) -> dict[str, pa.Array]:
        """Their numbers, as the document tells them."""
        who, role = "relatert_person", "relatert_persons_rolle"
        entity = self._entity("familierelasjon", {who: _TEXT, role: _TEXT})
        among = entity.current & mask(entity.values(who).is_valid())
        return {
            parent: entity.of_chosen(
                who, entity.chosen(among & mask(pc.equal(entity.values(role), parent)))
            )
            for parent in PARENTS
        }

    def home(self, *, protection_is_told: bool) -> dict[str, pa.Array]:
        """Where they live; of those who are protected, or may be, in which kommune only."""
        entity = self._entity(HOME, _HOME_COLUMNS)
        chosen = entity.chosen(entity.current)
        protected = self._protected(entity, chosen, is_told=protection_is_told)
        hidden = pa.array(~mask(pc.invert(protected)))
        home = _Home(entity, chosen)
        shown = {
            name: pc.if_else(hidden, pa.nulls(len(hidden), values.type), values)
            for name, values in home.address().items()
        }
        return {"kommunenummer": home.kommune, **shown, "beskyttet": protected}

    def _protected(self, home: Entity, chosen: Places, *, is_told: bool) -> pa.BooleanArray:
        """Whether a person is protected, or that address is; null: nothing tells it.

        An address without a grade counts as protected, as does a level that nobody knows.
        """
        levels = self._entity(PROTECTION, {LEVEL: _TEXT})
        graded: Mask = (chosen >= 0) & ~mask(pc.equal(home.of_chosen(GRADE, chosen), OPEN))
        if not (is_told and levels.has(LEVEL)):
            return pa.array(graded, mask=~graded)
        history = mask(pc.invert(levels.values(CURRENT)))  # of what isn't told any row may hold
        closed = ~history & ~mask(pc.equal(levels.values(LEVEL), OPEN))
        person = np.zeros(levels.size, bool)
        person[levels.document[closed]] = True
        return pa.array(graded | person)


class _Home:
    """The address of each document's current bostedsadresse."""

    def __init__(self, entity: Entity, chosen: Places) -> None:
        self._entity = entity
        self._chosen = chosen
        self.kommune = self._first(*_KOMMUNE)

    def address(self) -> dict[str, pa.Array]:
        """All that tells more than the kommune."""
        named = {
            name: self._value(f"{_STREET}_{column}")
            for name, column in (
                ("adressenavn", "adressenavn"),
                ("husnummer", "adressenummer_husnummer"),
                ("husbokstav", "adressenummer_husbokstav"),
            )
        }
        number = _followed(named["husnummer"], "", named["husbokstav"])
        cadastral = self._cadastral_number()
        return {
            **{name: self._entity.of_chosen(name, self._chosen) for name in CIRCUITS},
            "bolig": self._dwelling(named["adressenavn"], number, cadastral),
            "adresselinje": self._line(named["adressenavn"], number, cadastral),
            **named,
            "postnummer": self._of_either("poststed_postnummer"),
            "poststed": self._of_either("poststed_poststedsnavn"),
        }

    def _line(self, street: pa.Array, number: pa.Array, cadastral: pa.Array) -> pa.Array:
        farm = self._value(f"{_CADASTRE}_adressetilleggsnavn")
        return pc.coalesce(_followed(street, " ", number), farm, cadastral)

    def _cadastral_number(self) -> pa.Array:
        """Gårds-, bruks- and festenummer, and the undernummer after a dash: 12/3/4-1."""
        number, *others = (self._value(name).cast(_TEXT) for name in MATRIKKEL)
        for separator, more in zip("//-", others, strict=True):
            number = _followed(number, separator, more)
        return number

    def _dwelling(self, street: pa.Array, number: pa.Array, cadastral: pa.Array) -> pa.Array:
        """What those who live together have in common: the address, and the unit in the house."""
        code = pc.coalesce(self._value(f"{_STREET}_adressekode"), street)
        place = pc.coalesce(
            self._value(CADASTRE_KEY),
            pc.binary_join_element_wise(self.kommune, code, number, "/"),
            pc.binary_join_element_wise(self.kommune, cadastral, "-"),  # no street's
        )
        return _followed(place, "/", self._of_either("bruksenhetsnummer"))

    def _of_either(self, name: str) -> pa.Array:
        return self._first(f"{_STREET}_{name}", f"{_CADASTRE}_{name}")

    def _first(self, *names: str) -> pa.Array:
        return pc.coalesce(*(self._value(name) for name in names))

    def _value(self, name: str) -> pa.Array:
        values = self._entity.of_chosen(name, self._chosen)
        if values.type != _TEXT:
            return values
        return pc.if_else(pc.equal(values, ""), None, values)  # an empty element tells nothing


def _followed(first: pa.Array, separator: str, more: pa.Array) -> pa.Array:
    """One text after another, where there is another; null where there is no first."""
    rest = pc.if_else(more.is_valid(), pc.binary_join_element_wise(separator, more, ""), "")
    return pc.binary_join_element_wise(first, rest, "")
