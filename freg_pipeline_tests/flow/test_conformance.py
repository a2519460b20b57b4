"""The synthetic register against the published API description, driven by schemathesis.

The description's schemas are loose where its words are exact: a date is any string. What the words
say is written into the schemas here first (:func:`exact`), so that sound questions must be answered
and unsound ones refused. Where the description contradicts the documentation that came after it, a
check is left out for that operation, with the reason.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, settings
from lxml import etree
from schemathesis.checks import (
    CheckFunction,
    negative_data_rejection,
    positive_data_acceptance,
)
from schemathesis.specs.openapi.checks import response_schema_conformance

from freg_pipeline.synthetic import RegisterOptions, running, xsd
from freg_pipeline.synthetic.event_documents import hendelse_xsd
from freg_pipeline.synthetic.parts import COMPOSITES
from freg_pipeline_tests.contracts import OPENAPI, PUBLISHED

if not (PUBLISHED / OPENAPI).is_file():
    pytest.skip(
        f"the published API description {OPENAPI} is not beside the project",
        allow_module_level=True,
    )

YEAR = "^([0-9]{4})?$"
PARAMETERS: dict[str, dict[str, Any]] = {
    "kjoenn": {"enum": ["mann", "kvinne", ""]},
    "foedselsdato": {"pattern": "^((19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|1[0-9]|2[0-8]))?$"},
    "foedselsaarFraOgMed": {"pattern": YEAR},
    "foedselsaarTilOgMed": {"pattern": YEAR},
    "adressenavn": {"pattern": r"^([\s\S]{3,})?$"},
    "husnummer": {"pattern": "^([0-9]{1,5}[A-Za-zÆØÅæøå]?)?$"},
    "postnummer": {"pattern": "^([0-9]{4})?$"},
    "kommunenummer": {"pattern": "^([0-9]{4})?$"},
    "fylkesnummer": {"pattern": "^([0-9]{2})?$"},
    "opplysningsgrunnlag": {"enum": ["gjeldende", "historisk", ""]},
    "maksTreff": {"minimum": 1, "maximum": 10_000},
    "identifikasjonsnummer": {"pattern": "^([0-9]{11})?$"},
    "seq": {"minimum": 0},
    "batchnr": {"minimum": 0},
    "feedsekvensnr": {"pattern": "^([0-9]{1,18})?$"},
}
REQUESTS: dict[str, dict[str, Any]] = {
    "TilpassetUttrekkJobbRequest": {
        "doedsaarFraOgMed": {"pattern": "^[0-9]{4}$"},
        "doedsaarTilOgMed": {"pattern": "^[0-9]{4}$"},
        "foedselsaarFraOgMed": {"pattern": "^[0-9]{4}$"},
        "foedselsaarTilOgMed": {"pattern": "^[0-9]{4}$"},
        "statsborgerskap": {"pattern": "^[A-Z]{3}$"},
        "personstatustyper": {"minItems": 1},
    },
    "Kommunenummer": {
        "bostedskommunenummer": {"pattern": "^[0-9]{4}$"},
        "oppholdskommunenummer": {"pattern": "^[0-9]{4}$"},
    },
    "PersonBulkoppslagRequest": {"foedselsEllerDNummer": {"minItems": 1, "maxItems": 1000}},
    "ArkivDokumentBulkoppslagRequest": {"dokumentidentifikator": {"minItems": 1, "maxItems": 1000}},
    "HendelseBulkoppslagRequest": {"dokumentidentifikator": {"minItems": 1, "maxItems": 1000}},
}


def exact(description: dict[str, Any]) -> dict[str, Any]:
    """The description with what its words say of questions written into their schemas."""
    (person,) = _schemas(description, "person.v1.Folkeregisterperson")
    parts = [*COMPOSITES, *person["properties"]]
    for operations in description["paths"].values():
        for operation in operations.values():
            if "requestBody" in operation:
                operation["requestBody"]["required"] = True
            for parameter in operation.get("parameters", []):
                if parameter["name"] == "part":
                    # A part given twice is no fault: the documentation only says that it repeats.
                    parameter["schema"] = {"type": "array", "items": {"enum": parts}}
                else:
                    parameter["schema"] |= PARAMETERS.get(parameter["name"], {})
    # Numbers that are too old: the documentation says so, the description forgot it.
    description["paths"]["/v1/hendelser/feed"]["get"]["responses"]["406"] = {"description": ""}
    # A year: seen both as a string and as a number (persondokument.md).
    (foedsel,) = _schemas(description, "person.v1.Foedsel")
    foedsel["properties"]["foedselsaar"] = {"anyOf": [{"type": "string"}, {"type": "integer"}]}
    for name, properties in REQUESTS.items():
        for schema in _schemas(description, f".{name}"):
            _tighten(schema, name, properties)
    return description


def _tighten(schema: dict[str, Any], name: str, properties: dict[str, Any]) -> None:
    for field, told in properties.items():
        schema["properties"][field] |= told
    if name == "TilpassetUttrekkJobbRequest":
        _loosen(schema["properties"])
    if name.endswith("BulkoppslagRequest"):
        schema["required"] = list(properties)
    else:  # unknown criteria are no criteria
        schema["additionalProperties"] = False
    if name == "Kommunenummer":  # one of the two, never both
        told = schema.pop("properties")
        schema["oneOf"] = [_only(field, told) for field in told]
        del schema["additionalProperties"]


def _only(field: str, properties: dict[str, Any]) -> dict[str, Any]:
    """One of the properties; the others are missing, or null."""
    unset = {"type": "string", "nullable": True, "enum": [None]}
    told = {name: schema if name == field else unset for name, schema in properties.items()}
    return {"type": "object", "required": [field], "properties": told,
            "additionalProperties": False}  # fmt: skip


def _loosen(criteria: dict[str, Any]) -> None:
    """Null for what isn't set, and years as numbers: a client in production sends them so."""
    for field, given in criteria.items():
        if "aar" in field:
            year = {"type": "integer", "minimum": 1_000, "maximum": 9_999}
            criteria[field] = {"anyOf": [dict(given), year], "nullable": True}
        elif field != "personstatustyper":
            criteria[field] = {"anyOf": [dict(given)], "nullable": True}


def _schemas(description: dict[str, Any], ending: str) -> list[dict[str, Any]]:
    schemas = description["components"]["schemas"]
    return [schema for name, schema in schemas.items() if name.endswith(ending)]


schema = schemathesis.openapi.from_dict(
    exact(yaml.safe_load((PUBLISHED / OPENAPI).read_text(encoding="utf-8")))
)
schema.config.generation.update(deterministic=True, database="none")

LEFT_OUT: dict[str, list[CheckFunction]] = {
    # Typed as one document; it can only be a list of them (folkeregisteret-api.md).
    "POST /v1/hendelser/bulkoppslag": [response_schema_conformance],
    # How old a number may be is told in words.
    "GET /v1/hendelser/feed": [positive_data_acceptance],
    # Which criteria must come together is told in words that no schema can hold.
    "GET /v1/personer/entydigsoek": [positive_data_acceptance],
    # A search that fits everybody fits too many, which is told in words.
    "GET /v1/personer/soek": [positive_data_acceptance],
    # 410, for a job that there isn't, is no refusal of unsound data to schemathesis.
    "GET /v1/uttrekk/{jobbid}/batch/{batchnr}": [positive_data_acceptance],
}


@pytest.fixture(scope="module")
def as_described() -> Iterator[str]:
    """A register that keeps to the API description where the pages, or clients, say otherwise."""
    options = RegisterOptions(
        persons=300, batch_size=300, ready_after_seconds=0.05, no_hits="empty",
        strict_criteria=True, refused_parts=(),
    )  # fmt: skip
    with running(options) as url:
        yield url


@schema.parametrize()
@settings(max_examples=10, deadline=None, derandomize=True, database=None,
          suppress_health_check=list(HealthCheck))  # fmt: skip
def test_answers_are_as_described(case: schemathesis.Case, as_described: str) -> None:
    left_out = LEFT_OUT.get(case.operation.label, [])
    if case.media_type == "application/xml":
        # XML tells no types: a body unsound by its types in JSON is a sound one in XML.
        left_out = [*left_out, negative_data_rejection]
    case.call_and_validate(base_url=as_described, excluded_checks=left_out)


# -- with persons and documents that there are -----------------------------------------------------


class Known:
    """What a register holds, for questions that it has answers to."""

    def __init__(self, base_url: str) -> None:
        self._url = f"{base_url}/v1"
        everyone = {"personstatustyper": ["bosatt", "doed"]}
        tilpasset = self._post("uttrekk/tilpasset", everyone)["jobbId"]
        self.job = self._get("uttrekk/komplett")["jobbId"]
        self.numbers = self._batch(tilpasset)["foedselsEllerDNummer"][:50]
        self.documents = self._batch(self.job)["dokumentidentifikator"][:50]
        feed = self._get("hendelser/feed", seq=0)
        self.events = [one["hendelse"]["hendelsesdokument"] for one in feed[:50]]
        person = self._get(f"personer/{self.numbers[0]}")
        row = person["navn"][0]
        self.name = f"{row['fornavn']} {row['etternavn']}"

    def _get(self, path: str, **query: Any) -> Any:
        answer = httpx.get(f"{self._url}/{path}", params=query, trust_env=False)
        return answer.raise_for_status().json()

    def _post(self, path: str, body: Any) -> Any:
        answer = httpx.post(f"{self._url}/{path}", json=body, trust_env=False)
        return answer.raise_for_status().json()

    def _batch(self, job: str) -> Any:
        path = f"{self._url}/uttrekk/{job}/batch/0"
        while (answer := httpx.get(path, trust_env=False)).status_code == 404:
            time.sleep(0.01)
        return answer.json()


@pytest.fixture(scope="module")
def known(small_register: str) -> Known:
    return Known(small_register)


EVERYTHING = ["person-basis", "historikk", "identitetsgrunnlag-utvidet", "relasjon-utvidet"]
Parts = dict[str, Any]  # of a question: path_parameters, query, body
QUESTIONS: dict[str, Callable[[Known], Parts]] = {
    "POST /v1/hendelser/bulkoppslag": lambda known: {
        "body": {"dokumentidentifikator": known.events}
    },
    "GET /v1/hendelser/feed": lambda known: {"query": {"seq": 0}},
    "GET /v1/hendelser/feedxsd": lambda known: {},
    "GET /v1/hendelser/siste/sekvensnummer": lambda known: {},
    "GET /v1/hendelser/xsd": lambda known: {},
    "GET /v1/hendelser/{hendelsesidentifikator}": lambda known: {
        "path_parameters": {"hendelsesidentifikator": known.events[0]}
    },
    "GET /v1/personer/arkiv/{dokumentidentifikator}": lambda known: {
        "path_parameters": {"dokumentidentifikator": known.documents[0]},
        "query": {"part": EVERYTHING},
    },
    "POST /v1/personer/bulkoppslag": lambda known: {
        "query": {"part": EVERYTHING, "somBestilt": "true"},
        "body": {"foedselsEllerDNummer": [*known.numbers, "0"]},
    },
    "POST /v1/personer/bulkoppslag/arkiv": lambda known: {
        "query": {"part": EVERYTHING},
        "body": {"dokumentidentifikator": [*known.documents, "0"]},
    },
    "GET /v1/personer/entydigsoek": lambda known: {
        "query": {"navn": known.name, "identifikasjonsnummer": known.numbers[0]}
    },
    "GET /v1/personer/soek": lambda known: {"query": {"navn": known.name}},
    "GET /v1/personer/xsd": lambda known: {},
    "GET /v1/personer/{personidentifikator}": lambda known: {
        "path_parameters": {"personidentifikator": known.numbers[0]},
        "query": {"part": EVERYTHING},
    },
    "GET /v1/uttrekk/komplett": lambda known: {},
    "POST /v1/uttrekk/tilpasset": lambda known: {"body": {"personstatustyper": ["doed"]}},
    "GET /v1/uttrekk/{jobbid}/batch/{batchnr}": lambda known: {
        "path_parameters": {"jobbid": known.job, "batchnr": 0}
    },
}


def test_there_is_a_question_for_every_operation() -> None:
    operations = {operation.ok().label for operation in schema.get_all_operations()}
    assert operations == set(QUESTIONS)


@pytest.mark.parametrize("accept", ["application/json", "application/xml"])
@pytest.mark.parametrize("label", QUESTIONS)
def test_real_answers_are_as_described(
    label: str, accept: str, known: Known, small_register: str
) -> None:
    method, path = label.split()
    parts = QUESTIONS[label](known)
    if "body" in parts:
        parts["media_type"] = "application/json"
    case = schema[path][method].Case(headers={"Accept": accept}, **parts)
    if path.endswith("xsd") and accept == "application/json":  # described in XML alone
        assert case.call(base_url=small_register).status_code == 406
        return
    answer = case.call_and_validate(
        base_url=small_register, excluded_checks=LEFT_OUT.get(label, [])
    )
    assert answer.status_code == 200
    if path.endswith("xsd"):
        return
    assert answer.headers["content-type"] == [accept]
    if accept == "application/json":
        assert json.loads(answer.content)
        return
    root = etree.fromstring(answer.content)
    for name, contract in (("folkeregisterperson", xsd()), ("dokumentForHendelse", hendelse_xsd())):
        validator = etree.XMLSchema(etree.fromstring(contract))
        for document in root.iter(f"{{*}}{name}"):
            assert validator.validate(etree.fromstring(etree.tostring(document)))
