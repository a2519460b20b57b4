"""An XSD's named declarations: what refers to what, and what another schema defines."""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from freg_pipeline.contract.vocabulary import NAMESPACE, XSD, local, refused, without_prefix

DEEPEST = 50  # types within types
_PERSON = "folkeregisterperson"


@dataclass(frozen=True)
class Occurrence:
    """How often something comes, everything that stands round it taken together."""

    required: bool = True
    repeated: bool = False

    def within(self, node: etree._Element) -> Occurrence:
        """How often what is within ``node`` comes."""
        least, most = node.get("minOccurs", "1"), node.get("maxOccurs", "1")
        optional = least == "0" or node.tag == f"{XSD}choice"
        return Occurrence(self.required and not optional, self.repeated or most not in {"0", "1"})


class Declarations:
    """The declarations of a schema that others refer to by name."""

    def __init__(self, schema: etree._Element) -> None:
        self._schema = schema
        self._target = schema.get("targetNamespace")
        self._named = {
            (local(node), node.get("name")): node
            for node in schema.iterchildren(tag=etree.Element)
            if node.get("name")
        }

    def get(self, key: tuple[str, str]) -> etree._Element | None:
        """The declaration of a kind and a name."""
        return self._named.get(key)

    def root(self) -> etree._Element:
        """The document's element."""
        person = self._named.get(("element", _PERSON))
        if person is not None:  # whatever wraps it, or stands beside it
            return person
        elements = [node for (tag, _), node in self._named.items() if tag == "element"]
        if len(elements) > 1:  # global elements that others refer to are no documents
            referred = {
                without_prefix(n.get("ref", "")) for n in self._schema.iter(f"{XSD}element")
            }
            elements = [node for node in elements if node.get("name") not in referred]
        if len(elements) != 1:
            raise refused(self._schema, f"it has {len(elements)} document elements, expected one")
        return elements[0]

    @staticmethod
    def namespace_of(user: etree._Element, qname: str) -> str | None:
        """The namespace of a name, by the prefixes in force where it is used."""
        prefix = qname.partition(":")[0] if ":" in qname else None
        if prefix is not None and prefix not in user.nsmap:
            raise refused(user, f"the prefix {prefix} is not declared")
        return user.nsmap.get(prefix)

    def is_foreign(self, user: etree._Element, qname: str) -> bool:
        """Whether another schema defines what is referred to: what it holds isn't known here."""
        return self.namespace_of(user, qname) not in {None, self._target}

    def extends_unknown(self, node: etree._Element, inside: tuple[str, ...]) -> bool:
        """Whether a type extends one that another schema defines, or that it is within."""
        for _ in range(DEEPEST):
            extension = node.find(f"{XSD}complexContent/{XSD}extension[@base]")
            if extension is None:
                return False
            base = extension.get("base", "")
            if self.namespace_of(extension, base) == NAMESPACE:
                return False
            if self.is_foreign(extension, base) or without_prefix(base) in inside:
                return True
            following = self._named.get(("complexType", without_prefix(base)))
            if following is None:
                return False
            node = following
        return False

    def referred(self, node: etree._Element, tag: str) -> etree._Element:
        """What an element or a group refers to."""
        name = without_prefix(node.get("ref", ""))
        target = self._named.get((tag, name))
        if target is None:
            raise refused(node, f"it refers to {name}, which the contract doesn't define")
        return target
