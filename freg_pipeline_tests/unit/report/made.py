"""A release that has all that its page shows, of invented persons."""

from __future__ import annotations

from typing import Any

from freg_pipeline.journal.kinds import AnyKind
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.lake.release import build_release
from freg_pipeline.store import Store
from freg_pipeline_tests.contracts import entity, field, small_contract
from freg_pipeline_tests.unit.lake.delivered import (
    EVERYONE,
    Delivery,
    deliver,
    document,
    navn,
    number,
)

_METADATA = (
    field("ajourholdstidspunkt", "xs:dateTime")
    + field("gyldighetstidspunkt", "xs:dateTime")
    + field("erGjeldende", "xs:boolean")
)
_TYPES = """
<xs:simpleType name="Sex"><xs:restriction base="xs:string">
  <xs:enumeration value="kvinne"/><xs:enumeration value="mann"/></xs:restriction></xs:simpleType>
<xs:simpleType name="Grade"><xs:restriction base="xs:string">
  <xs:enumeration value="ugradert"/><xs:enumeration value="fortrolig"/>
</xs:restriction></xs:simpleType>
<xs:complexType name="Street"><xs:sequence>
  <xs:element name="adressenavn" type="xs:string"/>
  <xs:element name="kommunenummer" type="xs:string"/></xs:sequence></xs:complexType>
"""
XSD = small_contract(
    entity("identifikasjonsnummer", _METADATA + field("foedselsEllerDNummer") + field("status"))
    + entity("navn", _METADATA + field("fornavn") + field("etternavn"))
    + entity("foedsel", _METADATA + field("foedselsdato", "xs:date") + field("foedeland"))
    + entity("kjoenn", _METADATA + field("kjoenn", "t:Sex"))
    + entity("status", _METADATA + field("status"))
    + entity(
        "bostedsadresse",
        _METADATA
        + field("adressegradering", "t:Grade")
        + field("flyttedato", "xs:date")
        + field("vegadresse", "t:Street"),
    )
    + entity("adressebeskyttelse", _METADATA + field("graderingsnivaa", "t:Grade")),
    _TYPES,
)
PARTS = ("person-basis", "historikk")


def person(
    place: int,
    *,
    sex: str = "kvinne",
    born: str = "1990-06-01",
    kommune: str = "0301",
    level: str | None = None,
    **others: list[dict[str, Any]],
) -> Delivery:
    """One who lives in a kommune, moved there in 2024, and may be protected."""
    now = {"erGjeldende": True}
    home = {
        **now,
        "adressegradering": "ugradert",
        "flyttedato": "2024-05-01",
        "gyldighetstidspunkt": "2024-05-01T00:00:00+02:00",
        "vegadresse": {"adressenavn": "Hemmelig vei", "kommunenummer": kommune},
    }
    before = {
        **home,
        "erGjeldende": False,
        "flyttedato": "2020-05-01",
        "gyldighetstidspunkt": "2020-05-01T00:00:00+02:00",
        "vegadresse": {"adressenavn": "Gammel vei", "kommunenummer": "4601"},
    }
    entities: dict[str, list[dict[str, Any]]] = {
        "navn": [navn("Navnløs", "Hemmeligsen")],
        "foedsel": [{**now, "foedselsdato": born, "foedeland": "NOR"}],
        "kjoenn": [{**now, "kjoenn": sex}],
        "status": [{**now, "status": "bosatt"}],
        "bostedsadresse": [home, before],
        "adressebeskyttelse": [{**now, "graderingsnivaa": level}] if level else [],
        **others,
    }
    return f"d{place}", {**document(number(place)), **entities}


def released(store: Store, persons: list[Delivery], kind: AnyKind = EVERYONE) -> Manifest:
    """A release of them."""
    return build_release(store, deliver(store, "one", persons, xsd=XSD, kind=kind))
