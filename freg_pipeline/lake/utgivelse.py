"""``utgivelse``: which release it is that one looks at, and of when."""

from __future__ import annotations

from collections.abc import Iterator

from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.lake.described import Described
from freg_pipeline.lake.sql import identifier, quoted

UTGIVELSE = "utgivelse"
_COMMENT = "Én rad: hvilken utgivelse dette er."
_COLUMNS = {
    "nummer": "Utgivelsens nummer.",
    "sekvensnummer": "Hendelseslistens posisjon som tabellene er oppdatert til.",
    "sekvensnummer_tidspunkt": "Når registeret hadde ført det som skjedde til og med posisjonen.",
    "type": "Hva den bygger på: komplett, tilpasset, liste eller soek.",
    "rettighetspakke": "Rettighetspakken den er hentet med.",
    "deler": "Delene av persondokumentet som det ble spurt om.",
    "deler_nektet": "De av dem som registeret nektet: det bare de gir, mangler.",
    "er_ufullstendig": "Noe mangler, og den ble utgitt likevel; se tabellen avvik.",
    "kontrakt": "Fingeravtrykk av kontrakten (XSD) som tabellene er laget etter.",
    "utgitt": "Når den ble utgitt.",
    "fullt_uttrekk_bestilt": "Når uttrekket som alt bygger på, ble bestilt.",
    "miljoe": "Hvilket register den er hentet fra.",
    "personer": "Antall rader i person da den ble utgitt.",
}
_MOMENT = "TIMESTAMP WITH TIME ZONE"
_KINDS = {
    "sekvensnummer": "BIGINT",
    "sekvensnummer_tidspunkt": _MOMENT,
    "deler": "VARCHAR[]",
    "deler_nektet": "VARCHAR[]",
    "er_ufullstendig": "BOOLEAN",
    "utgitt": _MOMENT,
    "fullt_uttrekk_bestilt": _MOMENT,
    "personer": "BIGINT",
}
SHOWN = Described(
    UTGIVELSE,
    _COMMENT,
    tuple((name, _KINDS.get(name, "VARCHAR"), text) for name, text in _COLUMNS.items()),
)


def utgivelse(manifest: Manifest) -> str:
    """``CREATE VIEW`` with what a release, or an earlier state of it, is."""
    values = [
        quoted(manifest.number),
        f"{manifest.positions()[-1]}::BIGINT",
        _time(manifest.recorded()[-1].isoformat()),
        quoted(manifest.kind),
        quoted(manifest.rettighetspakke),
        _texts(manifest.parts),
        _texts(manifest.parts_refused),
        str(manifest.incomplete).lower(),
        quoted(manifest.contract),
        _time(manifest.created.isoformat()),
        _time(manifest.base.ordered.isoformat()),
        quoted(manifest.environment),
        f"{manifest.persons}::BIGINT",
    ]
    shown = ", ".join(
        f"{value} AS {identifier(name)}" for name, value in zip(_COLUMNS, values, strict=True)
    )
    return f"CREATE OR REPLACE VIEW {UTGIVELSE} AS SELECT {shown}"


def utgivelse_comments(manifest: Manifest) -> Iterator[str]:
    """``COMMENT ON`` for the view, with what it tells, and for its columns."""
    told = (
        f"{_COMMENT} Nr. {manifest.number} ({manifest.kind}, {manifest.environment}), oppdatert "
        f"til sekvensnummer {manifest.positions()[-1]}, utgitt {manifest.created:%Y-%m-%d %H:%M} "
        "UTC."
    )
    yield f"COMMENT ON VIEW {UTGIVELSE} IS {quoted(told)}"
    for name, text in _COLUMNS.items():
        yield f"COMMENT ON COLUMN {UTGIVELSE}.{identifier(name)} IS {quoted(text)}"


def _time(text: str) -> str:
    return f"TIMESTAMPTZ {quoted(text)}"


def _texts(texts: tuple[str, ...]) -> str:
    return f"[{', '.join(map(quoted, texts))}]::VARCHAR[]"
