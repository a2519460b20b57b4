"""The contracts that tests work with."""

from __future__ import annotations

from pathlib import Path

import pytest

# Beside the project, or beside the folder that holds it.
PUBLISHED = next(
    (folder for parent in Path(__file__).parents[2:]
     if (folder := parent / "shared" / "contracts").is_dir()),
    Path(__file__).parents[2] / "shared" / "contracts",
)  # fmt: skip
OPENAPI = "folkeregisteret-offentlig-med-hjemmel-1.5.openapi.yaml"
PERSON_XSD = "PersondokumentMedHistorikk_v1BETA2.xsd"
HENDELSE_XSD = "Hendelsedokument_v1.4.xsd"


def published(name: str) -> bytes:
    """A contract as the register publishes it; skips the test where the file isn't at hand."""
    path = PUBLISHED / name
    if not path.is_file():
        pytest.skip(f"the published contract {name} is not beside the project")
    return path.read_bytes()


def small_contract(entities: str, types: str = "") -> bytes:
    """A contract with the entities given, for one rule at a time.

    ``entities`` are the elements within the document, ``types`` what they refer to (prefix ``t``).
    """
    return f"""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:t="urn:t"
      targetNamespace="urn:t" elementFormDefault="qualified">
      <xs:element name="dokument"><xs:complexType><xs:sequence>{entities}</xs:sequence>
      </xs:complexType></xs:element>{types}</xs:schema>""".encode()


def entity(name: str, fields: str, *, repeated: bool = True) -> str:
    """An entity with its fields, within :func:`small_contract`."""
    most = ' maxOccurs="unbounded"' if repeated else ""
    return (
        f'<xs:element name="{name}" minOccurs="0"{most}><xs:complexType><xs:sequence>{fields}'
        "</xs:sequence></xs:complexType></xs:element>"
    )


def field(name: str, kind: str = "xs:string", occurs: str = 'minOccurs="0"') -> str:
    """A field of an entity."""
    return f'<xs:element name="{name}" type="{kind}" {occurs}/>'
