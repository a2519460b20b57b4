"""Uttrekk made by hand, up to where a release begins: delivered, answered and landed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from freg_pipeline.client import TilpassetKriterier
from freg_pipeline.contract import compile_contract, fingerprint
from freg_pipeline.journal.batches import chunks
from freg_pipeline.journal.kept import KeptFile, keep
from freg_pipeline.journal.kinds import AnyKind, Hendelser, Komplett, Liste, Tilpasset
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.pointer import manifest_key
from freg_pipeline.journal.question import Question
from freg_pipeline.journal.raw import RawMeta, pack
from freg_pipeline.journal.request import Request
from freg_pipeline.journal.stored_manifests import write_manifest
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.landing import LandedBatch, land_batch, load_landed, packed_key, staging_key
from freg_pipeline.lake.packed import keep_packed
from freg_pipeline.lake.packed import pack as pack_tables
from freg_pipeline.lake.staging import Staging, event_key
from freg_pipeline.lake.tables import AVVIK, HENDELSE, HENDELSE_EGENSKAP
from freg_pipeline.normalize.write import BatchRows
from freg_pipeline.store import Store, write_record
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.contracts import entity, field, small_contract

HENTET = datetime(2026, 6, 1, 12, tzinfo=UTC)
EVERYONE = Komplett()
SELECTION = Tilpasset(TilpassetKriterier(personstatustyper=("bosatt",)))
LISTE = Liste(1, "0")

_METADATA = field("ajourholdstidspunkt", "xs:dateTime") + field("erGjeldende", "xs:boolean")
_GRADED = field("adressegradering", "t:Gradering")
TYPES = """
<xs:simpleType name="Status"><xs:restriction base="xs:string">
  <xs:enumeration value="iBruk"/><xs:enumeration value="opphoert"/>
</xs:restriction></xs:simpleType>
<xs:simpleType name="Gradering"><xs:restriction base="xs:string">
  <xs:enumeration value="ugradert"/><xs:enumeration value="klientadresse"/>
  <xs:enumeration value="fortrolig"/><xs:enumeration value="strengtFortrolig"/>
</xs:restriction></xs:simpleType>
<xs:simpleType name="Spraak"><xs:restriction base="xs:string">
  <xs:enumeration value="nordsamisk"/><xs:enumeration value="lulesamisk"/>
</xs:restriction></xs:simpleType>
<xs:complexType name="Vegadresse"><xs:annotation><xs:documentation>Adresse langs en vei.
  </xs:documentation></xs:annotation><xs:sequence>
  <xs:element name="adressenavn" type="xs:string"/>
  <xs:element name="kommunenummer" type="xs:string"/></xs:sequence></xs:complexType>
<xs:complexType name="Kontakt"><xs:sequence>
  <xs:element name="linje" type="xs:string" minOccurs="0"/></xs:sequence></xs:complexType>
"""
# Small, and with one of everything that tables are made of.
XSD = small_contract(
    entity(
        "identifikasjonsnummer",
        _METADATA + field("foedselsEllerDNummer") + field("status", "t:Status"),
    )
    + entity("navn", _METADATA + field("fornavn") + field("etternavn"))
    + entity("bostedsadresse", _METADATA + _GRADED + field("vegadresse", "t:Vegadresse"))
    + entity("adressebeskyttelse", _METADATA + field("graderingsnivaa", "t:Gradering"))
    + entity("familierelasjon", _METADATA + field("relatertPerson"))
    + entity(
        "brukAvSamiskSpraak",
        _METADATA + field("spraak", "t:Spraak", 'minOccurs="0" maxOccurs="unbounded"'),
    )
    + entity(
        "vergemaal",
        _METADATA + field("kontakt", "t:Kontakt", 'minOccurs="0" maxOccurs="unbounded"'),
    ),
    TYPES,
)
Delivery = tuple[str, dict[str, Any] | str]  # identifier, and its document or why there is none


def number(index: int) -> str:
    """An invented person's number; no valid one."""
    return f"{99_00_00_00_000 + index:011d}"


def document(
    current: str,
    *earlier: str,
    day: int | None = 1,
    status: str = "iBruk",
    **entities: list[dict[str, Any]],
) -> dict[str, Any]:
    """A person's document, recorded on a day of May 2026, or never."""
    recorded = {} if day is None else {"ajourholdstidspunkt": f"2026-05-{day:02d}T08:00:00+02:00"}
    rows = [{**recorded, "erGjeldende": True, "foedselsEllerDNummer": current, "status": status}]
    rows += [
        {**recorded, "erGjeldende": False, "foedselsEllerDNummer": old, "status": "opphoert"}
        for old in earlier
    ]
    return {"identifikasjonsnummer": rows, **entities}


def navn(fornavn: str, etternavn: str = "Nordmann", *, gjeldende: bool = True) -> dict[str, Any]:
    return {"erGjeldende": gjeldende, "fornavn": fornavn, "etternavn": etternavn}


def local_store(folder: Path) -> LocalStore:
    """A store in a folder of its own."""
    folder.mkdir(exist_ok=True)
    return LocalStore(folder / "store")


def copy_of(store: LocalStore, folder: Path) -> LocalStore:
    """A copy of a store, to be changed: quicker than making it anew."""
    shutil.copytree(store.location, folder / "store")
    return LocalStore(folder / "store")


def deliver(
    store: Store,
    name: str,
    *batches: Sequence[Delivery],
    kind: AnyKind = EVERYONE,
    xsd: bytes = XSD,
    land: bool = True,
    sekvensnummer: int = 100,
    parts: tuple[str, ...] = ("person-basis", "historikk"),
) -> Uttrekk:
    """An uttrekk whose batches came as given, and have landed."""
    plan = compile_contract(xsd)
    store.write(f"contracts/{fingerprint(xsd)}.xsd", xsd)
    uttrekk = Uttrekk(store, name)
    _write_request(store, uttrekk, kind, plan.fingerprint, sekvensnummer, parts)
    for batch, deliveries in enumerate(batches):
        identifiers = [identifier for identifier, _ in deliveries]
        by_document = kind.is_everyone or (identifiers and not identifiers[0].isdigit())
        field_name = "dokumentidentifikator" if by_document else "foedselsEllerDNummer"
        _put(store, uttrekk.batch_key(batch), {field_name: identifiers})
        first = 0
        for chunk, asked in enumerate(chunks(identifiers)):
            answers = deliveries[first : first + len(asked)]
            entries = [_entry(field_name, *delivery) for delivery in answers]
            _put(store, uttrekk.answer_key(batch, chunk), {"oppslag": entries})
            first += len(asked)
        if land:
            land_batch(store, uttrekk, batch, plan)
    write_record(store, uttrekk.end_key, {"batches": len(batches)})
    return uttrekk


def deliver_events(
    store: Store,
    etter: int,
    siste: int,
    *batches: Sequence[Delivery],
    name: str | None = None,
    xsd: bytes = XSD,
    land: bool = True,
    changed: Sequence[tuple[int, str, str]] = (),
    unexpected: Sequence[tuple[str, str]] = (),
    recorded: datetime = HENTET,
) -> Uttrekk:
    """An uttrekk of the events after ``etter``, up to ``siste``: one event an identifier asked for.

    Identifiers that are no numbers are documents'. What comes again in a later batch was asked for
    again. It has landed, and waits for its release. ``changed``: the event's number, which entity
    of the document it changed, and that as JSON. ``unexpected``: what of the events could not be
    had or followed, and the outcome. ``recorded``: when the register recorded the events.
    """
    name = name or f"hendelser-{etter:012d}"
    uttrekk = deliver(
        store,
        name,
        *batches,
        kind=Hendelser(etter, "one"),
        xsd=xsd,
        sekvensnummer=etter,
        land=land,
    )
    asked = list(dict.fromkeys(identifier for batch in batches for identifier, _ in batch))
    tables = (
        (HENDELSE, _events(asked, siste, recorded)),
        (HENDELSE_EGENSKAP, _contents(changed)),
        (AVVIK, _avvik(unexpected)),
    )
    files = {
        table.name: keep_table(store, event_key(name, f"{table.name}.parquet"), rows)
        for table, rows in tables
    }
    end = {"siste": siste, "hendelser": len(asked)}
    write_record(store, uttrekk.feed_end_key, end)
    write_record(store, event_key(name, "done.json"), {"files": files})
    return uttrekk


def _events(asked: Sequence[str], siste: int, recorded: datetime) -> pa.Table:
    """An event an identifier, the last one's number being that of the last identifier's."""
    numbers = [one if one.isdigit() else None for one in asked]
    documents = [None if one.isdigit() else one for one in asked]
    return pa.table(
        [
            list(range(siste - len(asked) + 1, siste + 1)), ["endretNavn"] * len(asked),
            numbers, [recorded] * len(asked), [None] * len(asked), documents,
        ],
        schema=HENDELSE.schema,
    )  # fmt: skip


def _contents(changed: Sequence[tuple[int, str, str]]) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {"sekvensnummer": event, "egenskap_nr": 0, "entitet": entitet, "innhold": innhold}
            for event, entitet, innhold in changed
        ],
        schema=HENDELSE_EGENSKAP.schema,
    )


def _avvik(unexpected: Sequence[tuple[str, str]]) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {"identifikator": one, "utfall": outcome, "aarsak": "test"}
            for one, outcome in unexpected
        ],
        schema=AVVIK.schema,
    )


def _write_request(
    store: Store,
    uttrekk: Uttrekk,
    kind: AnyKind,
    contract: str,
    sekvensnummer: int,
    parts: tuple[str, ...],
) -> None:
    request = Request(
        name=uttrekk.name,
        question=Question(
            kind=kind,
            environment="syntetisk",
            base_url="http://127.0.0.1/folkeregisteret/api",
            rettighetspakke="offentlig-med-hjemmel",
            parts=(),
        ),
        parts=parts,
        contract=contract,
        sekvensnummer=sekvensnummer,
        created=HENTET,
    )
    Uttrekk.begin(store, request)


def keep_table(store: Store, key: str, rows: pa.Table) -> KeptFile:
    """Put a table into the store as a Parquet file, as landing does."""
    with store.scratch() as folder:
        path = folder / "table.parquet"
        pq.write_table(rows, path)
        return keep(store, key, path)


def stage_batch(store: Store, place: str, batch: int, tables: dict[str, pa.Table]) -> LandedBatch:
    """Put a batch's tables into the store, as landing does."""
    rows = {name: BatchRows(one.schema, held=[one], rows=len(one)) for name, one in tables.items()}
    with store.scratch() as folder:
        where = pack_tables(rows, folder / "tables.arrow")
        file = keep_packed(store, packed_key(place, batch), folder / "tables.arrow")
    landed = LandedBatch(batch, "", where, file, {}, 0.0)
    write_record(store, staging_key(place, batch, "done.json"), landed)
    return landed


def staged_rows(store: Store, place: str, batch: int) -> dict[str, BatchRows]:
    """The rows of a batch's tables, as they were before they were put into the store."""
    staging = Staging(store, place, [batch])
    found = {}
    for name in load_landed(store, place, batch).tables:
        rows = pa.concat_tables([piece for _, piece in staging.read(name)])
        if "dok_nr" in rows.column_names:
            rows = rows.take(pa.array(np.argsort(rows["dok_nr"].to_numpy(), kind="stable")))
        found[name] = BatchRows(rows.schema, held=[rows], rows=len(rows))
    return found


def _put(store: Store, key: str, content: dict[str, Any]) -> None:
    body = json.dumps(content).encode()
    store.write(key, pack(key, body, RawMeta(len(body), HENTET, "application/json", "test")))


def _entry(field_name: str, identifier: str, answer: dict[str, Any] | str) -> dict[str, Any]:
    if isinstance(answer, str):
        return {field_name: identifier, "feilmelding": {"feilmelding": answer}}
    return {field_name: identifier, "folkeregisterperson": answer}


def put_manifest(store: Store, manifest: Manifest) -> None:
    """Put a manifest in place of the one of its number."""
    store.delete(manifest_key(manifest.number))
    store.delete(f"{manifest.base.folder}/_base.json")
    write_manifest(store, manifest)
