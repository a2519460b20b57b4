"""Questions and answers in JSON and in XML: the same in both."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from freg_pipeline.contract import compile_contract
from freg_pipeline.synthetic import RegisterOptions, SyntheticRegister, xsd
from freg_pipeline.synthetic.forms import JSON, XML, chosen
from freg_pipeline.synthetic.xml import XmlWriter, flat
from freg_pipeline_tests.conftest import StartRegister


@pytest.fixture(scope="module")
def register() -> Iterator[SyntheticRegister]:
    with closing(SyntheticRegister(RegisterOptions(persons=200, ready_after_seconds=0))) as made:
        yield made


def ask(base_url: str, path: str, body: bytes | None = None, **headers: str) -> httpx.Response:
    method = "GET" if body is None else "POST"
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return httpx.request(
        method, f"{base_url}/v1/{path}", content=body, headers=named, trust_env=False
    )


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        (None, JSON), ("", JSON), ("*/*", JSON), ("application/*", JSON), (JSON, JSON),
        (XML, XML), (f"{JSON}, {XML}", JSON), (f"{XML}, {JSON}", JSON),
        (f"{JSON};q=0.5, {XML}", XML), ("text/html, application/xml;q=0.9, */*;q=0.8", XML),
        (f"{XML};q=0, */*", JSON), ("text/csv", None), (f"{JSON};q=0", None), (f"{JSON};q=x", None),
    ],
)  # fmt: skip
def test_the_form_that_is_liked_best(accept: str | None, form: str | None) -> None:
    assert chosen(accept) == form


# -- bodies ------------------------------------------------------------------------------------

BODIES = [
    ("personer/bulkoppslag?somBestilt=true", "foedselsEllerDNummer"),
    ("personer/bulkoppslag/arkiv", "dokumentidentifikator"),
    ("hendelser/bulkoppslag", "dokumentidentifikator"),
]


def everything(base_url: str, field: str, path: str) -> list[str]:
    """Identifiers of persons, documents or events."""
    if path.startswith("hendelser"):
        feed = ask(base_url, "hendelser/feed?seq=0").json()
        return [one["hendelse"]["hendelsesdokument"] for one in feed[:30]]
    if field == "dokumentidentifikator":
        job = ask(base_url, "uttrekk/komplett").json()["jobbId"]
    else:
        body = b'{"personstatustyper": ["bosatt", "doed"]}'
        job = ask(base_url, "uttrekk/tilpasset", body, content_type=JSON).json()["jobbId"]
    while (answer := ask(base_url, f"uttrekk/{job}/batch/0")).status_code == 404:
        pass
    return list(answer.json()[field][:30])


@pytest.mark.parametrize(("path", "field"), BODIES)
@pytest.mark.parametrize("namespace", ["", "urn:some:request"])
@pytest.mark.parametrize("content_type", [XML, "Application/XML; charset=utf-8", None])
def test_a_body_in_xml_asks_what_one_in_json_asks(
    path: str, field: str, namespace: str, content_type: str | None, small_register: str
) -> None:
    asked = everything(small_register, field, path)
    within = "".join(f"<{field}> {one}\n</{field}>" for one in asked)
    body = f'<?xml version="1.0"?><q xmlns="{namespace}"><!-- all -->{within}</q>'.encode()
    headers = {"content_type": content_type} if content_type else {}
    in_xml = ask(small_register, path, body, accept=JSON, **headers)
    in_json = ask(small_register, path, json.dumps({field: asked}).encode(), content_type=JSON)
    assert in_xml.status_code == in_json.status_code == 200, in_xml.text
    assert in_xml.json() == in_json.json()


def test_a_batch_and_what_is_past_the_last_one_in_xml(start_register: StartRegister) -> None:
    url = start_register(persons=20, batch_size=15, ready_after_seconds=0)
    job = ask(url, "uttrekk/komplett?feedsekvensnr=1").json()["jobbId"]
    for number, name in enumerate(["dokumentidentifikator"] * 2 + [""]):
        told = ask(url, f"uttrekk/{job}/batch/{number}").json()
        answer = ask(url, f"uttrekk/{job}/batch/{number}", accept=XML)
        assert (answer.status_code, answer.headers["content-type"]) == (200, XML)
        root = etree.fromstring(answer.content)
        assert root.tag == "UttrekkDataResponse"
        assert {child.tag for child in root} == set(told) == ({name} if name else set())
        assert [child.text for child in root] == told.get(name, [])


def test_the_receipt_for_a_selection_in_xml(small_register: str) -> None:
    body = b'{"personstatustyper": ["bosatt"]}'
    answer = ask(small_register, "uttrekk/tilpasset", body, content_type=JSON, accept=XML)
    assert answer.status_code == 200, answer.text
    root = etree.fromstring(answer.content)
    assert [child.tag for child in root] == ["jobbId"]


@pytest.mark.parametrize(
    ("path", "content_type", "status"),
    [
        ("uttrekk/tilpasset", XML, 400),  # its description has JSON alone, and no other status
        ("uttrekk/tilpasset", None, 400),
        ("uttrekk/tilpasset", "text/xml", 415),
        ("personer/bulkoppslag", "text/xml", 415),
        ("personer/bulkoppslag", "text/plain", 415),
    ],
)
def test_a_body_in_a_form_that_isnt_described_is_refused(
    path: str, content_type: str | None, status: int, small_register: str
) -> None:
    body = b"<q><personstatustyper>bosatt</personstatustyper></q>"
    headers = {"content_type": content_type} if content_type else {}
    assert ask(small_register, path, body, accept=JSON, **headers).status_code == status


@pytest.mark.parametrize("path", ["personer/xsd", "hendelser/xsd", "hendelser/feedxsd"])
def test_a_contract_comes_in_xml_alone(path: str, small_register: str) -> None:
    for accept in (XML, "*/*", f"{JSON}, {XML};q=0.1"):
        assert ask(small_register, path, accept=accept).headers["content-type"] == XML
    for accept in (JSON, "text/html", f"{XML};q=0"):
        assert ask(small_register, path, accept=accept).status_code == 406


UNSOUND = {
    "no XML at all": b"{}",
    "half of it": b"<q><foedselsEllerDNummer>1</foedselsEllerDNummer>",
    "nothing": b"",
    "another field": b"<q><dokumentidentifikator>1</dokumentidentifikator></q>",
    "an object for a text": b"<q><foedselsEllerDNummer><a>1</a></foedselsEllerDNummer></q>",
    "too many": b"<q>" + b"<foedselsEllerDNummer>1</foedselsEllerDNummer>" * 1001 + b"</q>",
}


@pytest.mark.parametrize("accept", [JSON, XML])
@pytest.mark.parametrize("case", UNSOUND)
def test_unsound_bodies_are_400_in_the_form_that_is_wanted(
    case: str, accept: str, small_register: str
) -> None:
    path = "personer/bulkoppslag"
    answer = ask(small_register, path, UNSOUND[case], content_type=XML, accept=accept)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == accept
    assert "FREG-" in answer.text
    if accept == XML:
        etree.fromstring(answer.content)


LONG = "1" * 5_000  # more digits than Python reads


@pytest.mark.parametrize(
    "path",
    [
        f"uttrekk/komplett?feedsekvensnr={LONG}", f"uttrekk/x/batch/{LONG}",
        f"personer/soek?maksTreff={LONG}", f"personer/soek?foedselsdato={LONG}",
        f"personer/soek?husnummer={LONG}", f"hendelser/feed?seq={LONG}",
    ],
    ids=lambda path: path[:30],
)  # fmt: skip
def test_numbers_without_end_are_400(path: str, small_register: str) -> None:
    assert ask(small_register, path).status_code == 400


@pytest.mark.parametrize("body", [b"[" * 50_000, b"[" * 50_000 + b"]" * 50_000, b'{"a":' * 9_999])
def test_a_body_nested_without_end_is_400(body: bytes, small_register: str) -> None:
    for path in ("personer/bulkoppslag", "uttrekk/tilpasset"):
        assert ask(small_register, path, body, content_type=JSON).status_code == 400


def test_an_error_that_quotes_the_question_is_sound_xml(start_register: StartRegister) -> None:
    register = start_register(persons=10, strict_criteria=True)
    body = b'{"personstatustyper": ["bosatt"], "\\u0001<&>": 1}'
    answer = ask(register, "uttrekk/tilpasset", body, content_type=JSON, accept=XML)
    assert answer.status_code == 400
    assert "<&>" in "".join(etree.fromstring(answer.content).itertext())


def test_an_error_of_a_look_up_has_all_that_the_description_names(small_register: str) -> None:
    names = ["httpStatus", "feilkode", "feilmelding", "alvorlighetsgrad", "tilleggsinformasjon"]
    for path, beside in (("personer/0", {}), ("personer/0?part=x", {"parameter": "part"})):
        told = ask(small_register, path, accept=JSON).json()
        assert [*told] == names
        assert told["tilleggsinformasjon"] == beside
        root = etree.fromstring(ask(small_register, path, accept=XML).content)
        assert [child.tag for child in root] == names
        assert {child.tag: child.text for child in root[-1]} == beside


def test_a_body_reads_no_files_and_does_not_swell(small_register: str) -> None:
    field = "foedselsEllerDNummer"
    for declared in ('<!ENTITY x SYSTEM "file:///etc/hostname">', '<!ENTITY x "01010112345">'):
        body = f"<!DOCTYPE q [{declared}]><q><{field}>&x;</{field}></q>".encode()
        answer = ask(small_register, "personer/bulkoppslag?somBestilt=true", body, content_type=XML)
        assert answer.status_code in {200, 400}
        if answer.status_code == 200:
            assert answer.json()["oppslag"][0][field] == ""


@pytest.mark.parametrize(("content_type", "form"), [(JSON, JSON), (XML, XML), (None, XML)])
def test_a_question_without_accept_is_answered_in_its_own_form(
    content_type: str | None, form: str, small_register: str
) -> None:
    told = "<q><foedselsEllerDNummer>1</foedselsEllerDNummer></q>"
    body = (b'{"foedselsEllerDNummer": ["1"]}' if form == JSON else told.encode(), b"{}", b"<q/>")
    with httpx.Client(trust_env=False) as client:
        del client.headers["accept"]
        for content in body:
            headers = {"Content-Type": content_type} if content_type else {}
            url = f"{small_register}/v1/personer/bulkoppslag"
            answer = client.post(url, content=content, headers=headers)
            assert answer.headers["content-type"] == form, answer.status_code
        assert client.get(f"{small_register}/v1/personer/1").headers["content-type"] == JSON


# -- answers -----------------------------------------------------------------------------------


def plain(element: Any) -> Any:
    """XML as JSON would have it, with texts for all values and lists for all fields."""
    if not len(element):
        return element.text or ""
    found: dict[str, list[Any]] = {}
    for child in element:
        found.setdefault(etree.QName(child).localname, []).append(plain(child))
    return found


def listed(value: Any) -> Any:
    """JSON in that same form."""
    if isinstance(value, dict):
        return {
            name: [listed(one) for one in (inner if isinstance(inner, list) else [inner])]
            for name, inner in value.items()
        }
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def test_documents_say_in_xml_what_they_say_in_json(register: SyntheticRegister) -> None:
    writer = XmlWriter(compile_contract(xsd()).contract)
    for document in register.archive.documents():
        tree = etree.fromstring(writer.document(document))
        assert plain(tree) == listed(json.loads(document))
        order = list(dict.fromkeys(etree.QName(child).localname for child in tree))
        assert len(order) == len(json.loads(document)), "each entity's rows come together"


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner.filter(lambda one: not isinstance(one, list)), min_size=1)
        | st.dictionaries(st.sampled_from(["navn", "kode", "nyttFelt"]), inner, min_size=1)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["navn", "status", "ukjent", "doedsfall"]), JSON_VALUES))
def test_any_document_is_sound_xml(document: dict[str, Any]) -> None:
    writer = XmlWriter(compile_contract(xsd()).contract)
    etree.fromstring(writer.bare([json.dumps(document).encode()]))


@given(st.text())
def test_any_text_is_sound_xml(text: str) -> None:
    (child,) = etree.fromstring(flat("q", {"a": text}))
    told = child.text or ""
    kept = "".join(
        one for one in text if one in "\t\n\r" or (one >= " " and one not in "\ufffe\uffff")
    )
    assert told.replace("\r", "\n") == kept.replace("\r\n", "\n").replace("\r", "\n")


def test_what_was_asked_for_comes_back_escaped(small_register: str) -> None:
    asked = ["<&>", "\x01\x00", "æøå"]
    body = json.dumps({"foedselsEllerDNummer": asked}).encode()
    answer = ask(small_register, "personer/bulkoppslag?somBestilt=true", body, content_type=JSON,
                 accept=XML)  # fmt: skip
    assert answer.status_code == 200
    told = etree.fromstring(answer.content).iter("foedselsEllerDNummer")
    assert [one.text for one in told] == ["<&>", None, "æøå"]


# -- what the documentation says of bulkoppslag --------------------------------------------------


def test_a_number_asked_for_twice_is_answered_twice_only_in_order(small_register: str) -> None:
    field = "foedselsEllerDNummer"
    number = everything(small_register, field, "personer")[0]
    body = json.dumps({field: [number, "00000000000", number]}).encode()
    free = ask(small_register, "personer/bulkoppslag", body, content_type=JSON).json()["oppslag"]
    assert [one[field] for one in free] == [number]
    path = "personer/bulkoppslag?somBestilt=true&part=navn&part=navn"
    ordered = ask(small_register, path, body, content_type=JSON).json()["oppslag"]
    assert [one[field] for one in ordered] == [number, "00000000000", number]
    assert ordered[0]["folkeregisterperson"] == ordered[2]["folkeregisterperson"]


@pytest.mark.parametrize(
    ("path", "status"),
    [("personer/ingen/slik/tjeneste", 404), ("uttrekk/tilpasset", 405), ("hendelser/feed", 400)],
)
@pytest.mark.parametrize("accept", [JSON, XML])
def test_problems_of_paths_and_parameters_have_a_body_too(
    path: str, status: int, accept: str, small_register: str
) -> None:
    answer = ask(small_register, path, accept=accept)
    assert answer.status_code == status
    assert answer.headers["content-type"] == accept
    assert answer.content


def test_the_event_list_answers_head(small_register: str) -> None:
    url = f"{small_register}/v1/hendelser/feed?seq=0"
    answer = httpx.head(url, trust_env=False)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["etag"] == httpx.get(url, trust_env=False).headers["etag"]
