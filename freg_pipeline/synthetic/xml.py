"""Documents and bulk answers in XML, by the contract that the register serves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from lxml import etree

from freg_pipeline.contract import Contract, Field, Structure

Entry = tuple[str, bytes | None, str | None]  # what was asked for, the document, or the reason


class XmlWriter:
    """Writes XML by one contract: elements in its order and namespace, unknown ones after them."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._prefix = f"{{{contract.namespace}}}"

    def document(self, document: bytes) -> bytes:
        """One document; given in JSON."""
        return self._text(self._person(document))

    def bulk(self, field: str, entries: Sequence[Entry]) -> bytes:
        """A bulk answer."""
        root = etree.Element("oppslagssvar")
        for asked, document, reason in entries:
            entry = etree.SubElement(root, "oppslag")
            etree.SubElement(entry, field).text = asked
            if document is not None:
                entry.append(self._person(document))
            else:
                problem = etree.SubElement(entry, "feilmelding")
                etree.SubElement(problem, "feilmelding").text = reason
        return self._text(root)

    def bare(self, documents: Sequence[bytes]) -> bytes:
        """Documents without any wrapping but the one that XML needs."""
        root = etree.Element("liste")
        root.extend(self._person(document) for document in documents)
        return self._text(root)

    def _person(self, document: bytes) -> etree._Element:
        root = etree.Element(f"{self._prefix}{self._contract.root}", nsmap=self._namespaces)
        self._fill(root, msgspec.json.decode(document), self._contract.structure)
        return root

    @property
    def _namespaces(self) -> dict[str | None, str]:
        return {"p": self._contract.namespace}

    def _fill(self, parent: etree._Element, values: Any, structure: Structure) -> None:
        if not isinstance(values, dict):
            parent.text = _text_of(values)
            return
        known = {field.name: field for field in structure.fields}
        order = [name for name in known if name in values]
        order += [name for name in values if name not in known]
        for name in order:
            value = values[name]
            for one in value if isinstance(value, list) else [value]:
                self._element(parent, name, one, known.get(name))

    def _element(self, parent: etree._Element, name: str, value: Any, field: Field | None) -> None:
        child = etree.SubElement(parent, f"{self._prefix}{name}")
        if field is not None and isinstance(field.type, Structure):
            self._fill(child, value, field.type)
        elif isinstance(value, dict):
            self._fill(child, value, Structure(name, ()))
        else:
            child.text = _text_of(value)

    @staticmethod
    def _text(root: etree._Element) -> bytes:
        text: bytes = etree.tostring(root, encoding="utf-8", xml_declaration=True)
        return text


def _text_of(value: Any) -> str | None:
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)
