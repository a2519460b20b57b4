"""XSD -> element model, for schemas of the register's style.

Understood: named and anonymous types, extension of base types, sequence, choice, all and groups,
nested repetition, references to global elements, restrictions and enumerations, simple content,
annotations. What a wildcard lets in is met as unknown fields. An element that has no type, that is
of its own type again, or that another schema defines holds anything (``ValueKind.OPAQUE``). All
else is a :class:`ContractError` that names the line, never a field that is silently left out.

A contract comes over the network: its names are checked, and its size is bounded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace

from lxml import etree

from freg_pipeline.contract.declarations import DEEPEST, Declarations, Occurrence
from freg_pipeline.contract.identity import is_number_type
from freg_pipeline.contract.model import Contract, Field, Simple, Structure, ValueKind
from freg_pipeline.contract.names import is_element_name
from freg_pipeline.contract.vocabulary import (
    KINDS,
    NAMESPACE,
    TRANSPARENT,
    WITHOUT_FIELDS,
    XSD,
    documentation,
    local,
    refused,
    without_prefix,
)
from freg_pipeline.errors import ContractError
from freg_pipeline.outside import showable

_ANYTHING = Simple(ValueKind.OPAQUE)
MOST_FIELDS = 5_000  # of a document, at any depth; the real one has a tenth
_MOST_STEPS = 100_000  # declarations looked at, groups counted each time that they are referred to


def fingerprint(xsd: bytes) -> str:
    """The name of exactly this XSD: 16 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(xsd).hexdigest()[:16]


def read_contract(xsd: bytes) -> Contract:
    """Compile an XSD into the element model.

    Args:
        xsd: the schema document, as ``personer/xsd`` or ``hendelser/xsd`` serves it.

    Raises:
        ContractError: it is no XSD, or holds a construction that has no place in tables.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True)
    try:
        schema = etree.fromstring(xsd.lstrip(), parser)
    except etree.XMLSyntaxError as error:
        raise ContractError(f"the contract is not XML: {showable(error.msg)}", _REMEDY) from None
    if schema.tag != f"{XSD}schema":
        raise ContractError("the contract is not an XSD: its root is not xsd:schema", _REMEDY)
    try:
        return _Compiler(schema).contract(fingerprint(xsd))
    except RecursionError:
        raise refused(schema, "its declarations nest too deep") from None


_REMEDY = (
    "Check what personer/xsd answers (freg xsd person), and that FREG_BASE_URL is the register"
)


class _Compiler:
    def __init__(self, schema: etree._Element) -> None:
        self._declared = Declarations(schema)
        self._schema = schema
        self._memo: dict[str, Simple | Structure] = {}
        self._steps = 0

    def contract(self, name: str) -> Contract:
        root = self._declared.root()
        if not is_element_name(root.get("name", "")):
            raise refused(root, f"no element can be called {root.get('name')!r}")
        structure = self._type_of(root, (f"element {root.get('name')}",))
        if isinstance(structure, Simple):
            raise refused(root, "the document element holds a single value, not a document")
        if not structure.fields:
            raise refused(root, "the document element holds no elements")
        return Contract(
            root.get("name", ""), structure, self._schema.get("targetNamespace", ""), name
        )

    def _type_of(self, element: etree._Element, inside: tuple[str, ...]) -> Simple | Structure:
        """What an element holds.

        Args:
            element: its declaration.
            inside: the types, and the elements that others refer to, that it is within.
        """
        name = element.get("type")
        if name is not None:
            return self._named_type(element, name, inside)
        for child in element.iterchildren(f"{XSD}simpleType", f"{XSD}complexType"):
            return self._define(child, element.get("name", ""), inside)
        return _ANYTHING

    def _named_type(
        self, user: etree._Element, qname: str, inside: tuple[str, ...]
    ) -> Simple | Structure:
        name = without_prefix(qname)
        if self._declared.namespace_of(user, qname) == NAMESPACE:
            if name not in KINDS:
                raise refused(user, f"the type xsd:{name} has no place in a table")
            return Simple(KINDS[name])
        if self._declared.is_foreign(user, qname):
            return _ANYTHING
        if name not in self._memo:
            node = self._declared.get(("complexType", name))
            if node is not None and name in inside:
                return _ANYTHING
            if node is None:
                node = self._declared.get(("simpleType", name))
            if node is None:
                raise refused(user, f"the type {name} is not defined in the contract")
            kind = self._define(node, name, _deeper(user, inside, name))
            if kind is _ANYTHING:  # here; elsewhere it may be known
                return kind
            self._memo[name] = kind
        return self._memo[name]

    def _define(
        self, node: etree._Element, name: str, inside: tuple[str, ...]
    ) -> Simple | Structure:
        comment = documentation(node)
        if node.tag == f"{XSD}simpleType":
            simple = self._simple(node, inside)
            number = simple.number or is_number_type(name, node)
            return replace(simple, comment=comment, number=number)
        content = node.find(f"{XSD}simpleContent")
        if content is not None:  # a value with attributes: the value is what there is to keep
            base = self._base(content, inside)
            if not isinstance(base, Simple):
                raise refused(content, f"the type {name} extends no single value")
            return replace(base, number=base.number or is_number_type(name, content))
        if self._declared.extends_unknown(node, inside):
            return _ANYTHING
        structure = Structure(name, tuple(self._complex(node, inside)), comment)
        if structure.depth > DEEPEST:
            raise refused(node, f"its structures nest deeper than {DEEPEST}")
        if structure.size > MOST_FIELDS:
            raise refused(node, f"it has more than {MOST_FIELDS} fields")
        return structure

    def _simple(self, node: etree._Element, inside: tuple[str, ...]) -> Simple:
        if node.find(f"{XSD}restriction") is None:  # a list or a union: its text is the value
            return Simple(ValueKind.STRING, number=any(self._number_members(node, inside)))
        base = self._base(node, inside)
        if not isinstance(base, Simple):
            raise refused(node, "a restriction of a value is based on a structure")
        if base.kind is ValueKind.OPAQUE:  # of another schema, and a single value for certain
            base = Simple(ValueKind.STRING, number=base.number)
        codes: dict[str, str] = {}
        for code in node.iterfind(f"{XSD}restriction/{XSD}enumeration"):
            codes.setdefault(code.get("value", ""), documentation(code))
        if codes and base.kind in {ValueKind.STRING, ValueKind.CODE}:
            told = dict(zip(base.codes, base.texts, strict=True))  # where a list narrows another
            texts = tuple(text or told.get(code, "") for code, text in codes.items())
            return Simple(ValueKind.CODE, tuple(codes), texts=texts, number=base.number)
        return base

    def _base(self, node: etree._Element, inside: tuple[str, ...]) -> Simple | Structure:
        for derivation in node.iterchildren(f"{XSD}restriction", f"{XSD}extension"):
            base = derivation.get("base")
            if base is not None:
                return self._named_type(derivation, base, inside)
            for inner in derivation.iterchildren(f"{XSD}simpleType"):
                simple = self._simple(inner, inside)
                return replace(simple, number=simple.number or is_number_type("", inner))
        raise refused(node, "it is derived from no base type")

    def _number_members(self, node: etree._Element, inside: tuple[str, ...]) -> Iterator[bool]:
        """Of each type that a list or a union is of, whether it is one of persons' numbers."""
        for part in node.iterchildren(f"{XSD}list", f"{XSD}union"):
            for qname in f"{part.get('itemType', '')} {part.get('memberTypes', '')}".split():
                key = ("simpleType", without_prefix(qname))
                if self._declared.get(key) is not None:
                    yield _is_number(self._named_type(part, qname, inside))
            for inner in part.iterchildren(f"{XSD}simpleType"):
                yield self._simple(inner, inside).number or is_number_type("", inner)

    def _complex(self, node: etree._Element, inside: tuple[str, ...]) -> Iterator[Field]:
        content = node.find(f"{XSD}complexContent")
        if content is None:
            yield from self._merged(self._fields(node, Occurrence(), inside))
            return
        extension = content.find(f"{XSD}extension")
        if extension is None:
            restriction = content.find(f"{XSD}restriction")
            if restriction is None:
                raise refused(content, "it neither extends nor restricts a type")
            yield from self._merged(self._fields(restriction, Occurrence(), inside))
            return
        base = self._base(content, inside)
        if isinstance(base, Simple):
            if base.kind is not ValueKind.OPAQUE:
                raise refused(extension, "a structure extends a single value")
            base = Structure("", ())  # xsd:anyType
        own = self._fields(extension, Occurrence(), inside)
        yield from self._merged((*base.fields, *own))

    def _fields(
        self, node: etree._Element, occurrence: Occurrence, inside: tuple[str, ...]
    ) -> Iterator[Field]:
        for child in node.iterchildren(tag=etree.Element):
            self._steps += 1
            if self._steps > _MOST_STEPS:
                raise refused(child, "it is too large for a contract of persons")
            if child.tag == f"{XSD}element":
                yield self._field(child, occurrence.within(child), inside)
            elif child.tag == f"{XSD}group":
                yield from self._group(child, occurrence.within(child), inside)
            elif child.tag in TRANSPARENT:
                yield from self._fields(child, occurrence.within(child), inside)
            elif child.tag not in WITHOUT_FIELDS:
                raise refused(child, f"xsd:{local(child)} has no place in tables")

    def _group(
        self, node: etree._Element, occurrence: Occurrence, inside: tuple[str, ...]
    ) -> Iterator[Field]:
        name = node.get("ref", "")
        if self._declared.is_foreign(node, name):
            return  # as a wildcard
        key = f"group {without_prefix(name)}"
        if key in inside:
            raise refused(node, f"the group {name} contains itself")
        group = self._declared.referred(node, "group")
        yield from self._fields(group, occurrence, _deeper(node, inside, key))

    def _field(
        self, node: etree._Element, occurrence: Occurrence, inside: tuple[str, ...]
    ) -> Field:
        reference = node.get("ref")
        name = without_prefix(reference or "") or node.get("name", "")
        if not is_element_name(name):
            raise refused(node, f"no element can be called {name!r}")
        element = node
        kind: Simple | Structure = _ANYTHING
        if reference is None:
            kind = self._type_of(node, inside)
        elif not self._declared.is_foreign(node, reference):
            element = self._declared.referred(node, "element")
            key = f"element {name}"
            if key not in inside:
                kind = self._type_of(element, _deeper(node, inside, key))
        comment = documentation(node) or documentation(element) or kind.comment
        return Field(name, kind, occurrence.required, occurrence.repeated, comment)

    def _merged(self, fields: Iterable[Field]) -> Iterator[Field]:
        """One field a name: the same element in two branches of a choice is one column."""
        merged: dict[str, Field] = {}
        for field in fields:
            earlier = merged.get(field.name)
            if earlier is None:
                merged[field.name] = field
            elif earlier.type == field.type:
                merged[field.name] = replace(
                    earlier,
                    type=field.type if _is_number(field.type) else earlier.type,
                    required=False,
                    repeated=earlier.repeated or field.repeated,
                )
            else:
                raise refused(
                    self._schema, f"the element {field.name} has two types within one structure"
                )
        yield from merged.values()


def _is_number(kind: Simple | Structure) -> bool:
    return isinstance(kind, Simple) and kind.number


def _deeper(node: etree._Element, inside: tuple[str, ...], name: str) -> tuple[str, ...]:
    if len(inside) >= 2 * DEEPEST:
        raise refused(node, f"its declarations nest deeper than {2 * DEEPEST}")
    return (*inside, name)
