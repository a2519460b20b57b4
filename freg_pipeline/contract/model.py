"""A contract as data: what elements there are, of what type, how often, and what they mean.

This is the middle step between an XSD and the plan of tables: no tables here, and no XML.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class ValueKind(StrEnum):
    """What a single value is, as far as a table's column cares."""

    STRING = "string"
    CODE = "code"  # a string with a list of known values; the list is open
    BOOLEAN = "boolean"
    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    DATE = "date"
    DATETIME = "dateTime"
    YEAR = "year"
    OPAQUE = "anything"  # a text as it is; whatever else is there as its JSON


@dataclass(frozen=True)
class Simple:
    """A single value.

    Attributes:
        kind: what it is.
        codes: the values that the contract lists, if it does; others may come all the same.
        comment: the type's own documentation.
        texts: what the contract says of each code, in their order; empty where it says nothing.
        number: the type is one of persons' identity numbers.
    """

    kind: ValueKind
    codes: tuple[str, ...] = ()
    comment: str = ""
    texts: tuple[str, ...] = ()
    number: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class Structure:
    """Named fields under one element; base types' fields come first.

    Attributes:
        name: the type's, for people.
        fields: each name once.
        comment: the type's own documentation.
        size: fields within it, at any depth.
        depth: of structures within each other, itself among them.
    """

    name: str
    fields: tuple[Field, ...]
    comment: str = ""
    size: int = field(init=False, compare=False)
    depth: int = field(init=False, compare=False)

    def __post_init__(self) -> None:
        inner = [one.type for one in self.fields if isinstance(one.type, Structure)]
        object.__setattr__(self, "size", len(self.fields) + sum(one.size for one in inner))
        object.__setattr__(self, "depth", 1 + max((one.depth for one in inner), default=0))


@dataclass(frozen=True)
class Field:
    """An element within a structure.

    Attributes:
        name: the element's name, as in XML and JSON.
        type: what it holds.
        required: the contract says that it is always there (never so within a choice).
        repeated: it can come more than once.
        comment: the element's documentation, else its type's.
    """

    name: str
    type: Simple | Structure
    required: bool
    repeated: bool
    comment: str = ""


@dataclass(frozen=True)
class Contract:
    """A compiled XSD.

    Attributes:
        root: the document element's name.
        structure: what is under it.
        namespace: the target namespace.
        fingerprint: names the exact XSD that this came from.
    """

    root: str
    structure: Structure
    namespace: str
    fingerprint: str
