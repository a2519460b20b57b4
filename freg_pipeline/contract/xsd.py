"""XSD -> element model, for schemas of the register's style.

Understood: named and anonymous types, extension of base types, sequence, choice, all and groups,
nested repetition, references to global elements, restrictions and enumerations, simple content,
annotations. What a wildcard lets in is met as unknown fields. Anything else is a
:class:`ContractError` that names the line, never a field that is silently left out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from lxml import etree

from freg_pipeline.contract.model import Contract, Field, Kind, Simple, Structure
from freg_pipeline.errors import ContractError
from freg_pipeline.outside import showable

_XSD = "{http://www.w3.org/2001/XMLSchema}"
_NAMESPACE = "http://www.w3.org/2001/XMLSchema"

_KINDS = {
    "boolean": Kind.BOOLEAN,
    "decimal": Kind.DECIMAL,
    "float": Kind.FLOAT,
    "double": Kind.FLOAT,
    "date": Kind.DATE,
    "dateTime": Kind.DATETIME,
    "gYear": Kind.YEAR,
    **dict.fromkeys(
        [
            "integer", "long", "int", "short", "byte", "nonNegativeInteger", "positiveInteger",
            "nonPositiveInteger", "negativeInteger", "unsignedLong", "unsignedInt",
            "unsignedShort", "unsignedByte",
        ],
        Kind.INTEGER,
    ),
    **dict.fromkeys(
        [
            "string", "normalizedString", "token", "language", "Name", "NCName", "NMTOKEN", "ID",
            "IDREF", "anyURI", "QName", "base64Binary", "hexBinary", "time", "duration",
            "gYearMonth", "gMonthDay", "gDay", "gMonth", "anySimpleType",
        ],
        Kind.STRING,
    ),
}  # fmt: skip

_TRANSPARENT = {f"{_XSD}sequence", f"{_XSD}choice", f"{_XSD}all", f"{_XSD}group"}
# What a wildcard lets in has no name here: it is met as a field that the contract doesn't know, and
# kept as such.
_WITHOUT_FIELDS = {
    f"{_XSD}{name}" for name in ("annotation", "attribute", "attributeGroup", "anyAttribute", "any")
}
_PERSON = "folkeregisterperson"


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
        raise ContractError(f"the contract is no XML: {showable(error.msg)}", _REMEDY) from None
    if schema.tag != f"{_XSD}schema":
        raise ContractError("the contract is no XSD: its root is not xsd:schema", _REMEDY)
    return _Compiler(schema).contract(fingerprint(xsd))


_REMEDY = (
    "Check what personer/xsd answers (freg xsd person), and that FREG_BASE_URL is the register"
)


@dataclass(frozen=True)
class _Occurrence:
    """How often something comes, everything that stands round it taken together."""

    required: bool = True
    repeated: bool = False

    def within(self, node: etree._Element) -> _Occurrence:
        least, most = node.get("minOccurs", "1"), node.get("maxOccurs", "1")
        optional = least == "0" or node.tag == f"{_XSD}choice"
        return _Occurrence(self.required and not optional, self.repeated or most not in {"0", "1"})


class _Compiler:
    def __init__(self, schema: etree._Element) -> None:
        self._schema = schema
        self._named = {
            (_local(node), node.get("name")): node
            for node in schema.iterchildren(tag=etree.Element)
            if node.get("name")
        }
        self._memo: dict[str, Simple | Structure] = {}

    def contract(self, name: str) -> Contract:
        root = self._root()
        structure = self._type_of(root, ())
        if isinstance(structure, Simple):
            raise _error(root, "the document element holds a single value, not a document")
        return Contract(
            root.get("name", ""), structure, self._schema.get("targetNamespace", ""), name
        )

    def _root(self) -> etree._Element:
        person = self._named.get(("element", _PERSON))
        if person is not None:  # whatever wraps it, or stands beside it
            return person
        elements = [node for (tag, _), node in self._named.items() if tag == "element"]
        if len(elements) > 1:  # global elements that others refer to are no documents
            referred = {
                _without_prefix(n.get("ref", "")) for n in self._schema.iter(f"{_XSD}element")
            }
            elements = [node for node in elements if node.get("name") not in referred]
        if len(elements) != 1:
            raise _error(self._schema, f"it has {len(elements)} document elements, expected one")
        return elements[0]

    def _type_of(self, element: etree._Element, inside: tuple[str, ...]) -> Simple | Structure:
        name = element.get("type")
        if name is not None:
            return self._named_type(element, name, inside)
        for child in element.iterchildren(f"{_XSD}simpleType", f"{_XSD}complexType"):
            return self._define(child, element.get("name", ""), inside)
        raise _error(element, f"the element {element.get('name')} has no type")

    def _named_type(
        self, user: etree._Element, qname: str, inside: tuple[str, ...]
    ) -> Simple | Structure:
        name = _without_prefix(qname)
        if self._namespace_of(user, qname) == _NAMESPACE:
            if name not in _KINDS:
                raise _error(user, f"the type xsd:{name} has no place in a table")
            return Simple(_KINDS[name])
        if name in inside:
            raise _error(user, f"the type {name} contains itself")
        if name not in self._memo:
            node = self._named.get(("complexType", name))
            if node is None:
                node = self._named.get(("simpleType", name))
            if node is None:
                raise _error(user, f"the type {name} is not defined in the contract")
            self._memo[name] = self._define(node, name, (*inside, name))
        return self._memo[name]

    @staticmethod
    def _namespace_of(user: etree._Element, qname: str) -> str | None:
        prefix = qname.partition(":")[0] if ":" in qname else None
        if prefix is not None and prefix not in user.nsmap:
            raise _error(user, f"the prefix {prefix} is not declared")
        return user.nsmap.get(prefix)

    def _define(
        self, node: etree._Element, name: str, inside: tuple[str, ...]
    ) -> Simple | Structure:
        comment = _documentation(node)
        if node.tag == f"{_XSD}simpleType":
            return replace(self._simple(node, inside), comment=comment)
        content = node.find(f"{_XSD}simpleContent")
        if content is not None:  # a value with attributes: the value is what there is to keep
            base = self._base(content, inside)
            if not isinstance(base, Simple):
                raise _error(content, f"the type {name} extends no single value")
            return base
        return Structure(name, tuple(self._complex(node, inside)), comment)

    def _simple(self, node: etree._Element, inside: tuple[str, ...]) -> Simple:
        if node.find(f"{_XSD}restriction") is None:  # a list or a union: its text is the value
            return Simple(Kind.STRING)
        base = self._base(node, inside)
        if not isinstance(base, Simple):
            raise _error(node, "a restriction of a value is based on a structure")
        codes = tuple(
            code.get("value", "") for code in node.iterfind(f"{_XSD}restriction/{_XSD}enumeration")
        )
        if codes and base.kind in {Kind.STRING, Kind.CODE}:
            return Simple(Kind.CODE, tuple(dict.fromkeys(codes)))
        return base

    def _base(self, node: etree._Element, inside: tuple[str, ...]) -> Simple | Structure:
        for derivation in node.iterchildren(f"{_XSD}restriction", f"{_XSD}extension"):
            base = derivation.get("base")
            if base is not None:
                return self._named_type(derivation, base, inside)
            for inner in derivation.iterchildren(f"{_XSD}simpleType"):
                return self._simple(inner, inside)
        raise _error(node, "it is derived from no base type")

    def _complex(self, node: etree._Element, inside: tuple[str, ...]) -> Iterator[Field]:
        content = node.find(f"{_XSD}complexContent")
        if content is None:
            yield from self._merged(self._fields(node, _Occurrence(), inside))
            return
        extension = content.find(f"{_XSD}extension")
        if extension is None:
            restriction = content.find(f"{_XSD}restriction")
            if restriction is None:
                raise _error(content, "it neither extends nor restricts a type")
            yield from self._merged(self._fields(restriction, _Occurrence(), inside))
            return
        base = self._base(content, inside)
        if isinstance(base, Simple):
            raise _error(extension, "a structure extends a single value")
        own = self._fields(extension, _Occurrence(), inside)
        yield from self._merged((*base.fields, *own))

    def _fields(
        self, node: etree._Element, occurrence: _Occurrence, inside: tuple[str, ...]
    ) -> Iterator[Field]:
        for child in node.iterchildren(tag=etree.Element):
            if child.tag == f"{_XSD}element":
                yield self._field(child, occurrence.within(child), inside)
            elif child.tag in _TRANSPARENT:
                target = child
                if child.tag == f"{_XSD}group":
                    target = self._referred(child, "group")
                yield from self._fields(target, occurrence.within(child), inside)
            elif child.tag not in _WITHOUT_FIELDS:
                raise _error(child, f"xsd:{_local(child)} has no place in tables")

    def _referred(self, node: etree._Element, tag: str) -> etree._Element:
        name = _without_prefix(node.get("ref", ""))
        target = self._named.get((tag, name))
        if target is None:
            raise _error(node, f"it refers to {name}, which the contract doesn't define")
        return target

    def _field(
        self, node: etree._Element, occurrence: _Occurrence, inside: tuple[str, ...]
    ) -> Field:
        element = self._referred(node, "element") if node.get("ref") else node
        kind = self._type_of(element, inside)
        comment = _documentation(node) or _documentation(element) or kind.comment
        return Field(
            element.get("name", ""), kind, occurrence.required, occurrence.repeated, comment
        )

    def _merged(self, fields: Iterable[Field]) -> Iterator[Field]:
        """One field a name: the same element in two branches of a choice is one column."""
        merged: dict[str, Field] = {}
        for field in fields:
            earlier = merged.get(field.name)
            if earlier is None:
                merged[field.name] = field
            elif earlier.type == field.type:
                merged[field.name] = replace(
                    earlier, required=False, repeated=earlier.repeated or field.repeated
                )
            else:
                raise _error(
                    self._schema, f"the element {field.name} has two types within one structure"
                )
        yield from merged.values()


def _documentation(node: etree._Element) -> str:
    texts = node.iterfind(f"{_XSD}annotation/{_XSD}documentation")
    return " ".join(" ".join("".join(text.itertext()).split()) for text in texts).strip()


def _local(node: etree._Element) -> str:
    return etree.QName(node).localname


def _without_prefix(qname: str) -> str:
    return qname.rpartition(":")[2]


def _error(node: etree._Element, what: str) -> ContractError:
    return ContractError(
        f"the contract can't be compiled at line {node.sourceline}: {showable(what)}",
        "Report it with the XSD; until it is mended, the release before stays in force",
    )
