"""What stands in front of the synthetic register's services: paths, labels, parts, Fiks."""

from __future__ import annotations

import httpx
import pytest

from freg_pipeline_tests.conftest import StartRegister
from freg_pipeline_tests.lent import root_of
from freg_pipeline_tests.registers import get, status_of

SAMETINGET = "forholdTilSametingetsValgmanntall"
JSON = {"Content-Type": "application/json"}


def by_fiks(base_url: str, role: str = "6c2f-rolle") -> str:
    return f"{root_of(base_url)}/folkeregister/api/v1/{role}"


def somebody(base_url: str) -> str:
    """The path of a look-up."""
    event = get(base_url, "hendelser/feed", seq=0).json()[0]["hendelse"]
    return f"personer/{event['folkeregisteridentifikator']}"


@pytest.mark.parametrize("way", ["the register", "Fiks"])
def test_a_slash_at_the_end_is_as_none(way: str, small_register: str) -> None:
    base = small_register if way == "the register" else by_fiks(small_register)
    for path in ("hendelser/feed", "hendelser/siste/sekvensnummer", "personer/xsd"):
        with_slash = get(base, f"{path}/", "*/*", seq=1)
        assert with_slash.status_code == 200, "answered, not sent elsewhere"
        assert with_slash.content == get(base, path, "*/*", seq=1).content
    answer = httpx.post(f"{base}/v1/personer/bulkoppslag/", headers=JSON, trust_env=False,
                        content=b'{"foedselsEllerDNummer": ["0"]}')  # fmt: skip
    assert (answer.status_code, answer.json()) == (200, {"oppslag": []})
    counted = status_of(small_register)["requests"]
    assert not [service for service in counted if service.endswith("/")]


def test_every_answer_and_the_front_page_say_that_it_is_synthetic(small_register: str) -> None:
    front = httpx.get(f"{root_of(small_register)}/", trust_env=False)
    assert front.json()["synthetic"] is True
    answers = [front, get(small_register, "personer/1"), get(small_register, "personer/xsd")]
    answers += [get(small_register, "no/such/path"), get(by_fiks(small_register), "personer/xsd")]
    assert {answer.headers.get("x-synthetic-register") for answer in answers} == {"freg_pipeline"}


def test_a_part_that_is_refused_is_400_with_whatever_it_comes(
    start_register: StartRegister,
) -> None:
    register = start_register(persons=20, refused_parts=(SAMETINGET,))
    path = somebody(register)
    assert get(register, path, part=["navn", "RettsligHandleevne"]).status_code == 200
    for parts in ([SAMETINGET], ["person-basis", SAMETINGET, "navn"], ["nonsense"]):
        assert get(register, path, part=parts).status_code == 400


def test_a_capital_gives_the_entity(start_register: StartRegister) -> None:
    register = start_register(persons=120)
    events = get(register, "hendelser/feed", seq=0).json()
    numbers = [event["hendelse"]["folkeregisteridentifikator"] for event in events[:120]]
    given = [get(register, f"personer/{one}", part="RettsligHandleevne").json() for one in numbers]
    assert any("rettsligHandleevne" in document for document in given)


def test_fiks_refuses_what_the_role_does_not_hold(start_register: StartRegister) -> None:
    register = start_register(persons=20, fiks_refuses=True)
    path = somebody(register)
    finans, everything = by_fiks(register, "finans"), by_fiks(register)
    direct = register.replace("offentlig-med-hjemmel/api", "api/finans")
    for part in ("opphold", "identitetsgrunnlag-utvidet"):
        refused = get(finans, path, part=["navn", part])
        assert refused.status_code == 400
        assert {"message", "error", "status"} <= refused.json().keys()
        assert get(direct, path, part=["navn", part]).status_code == 200
        assert get(everything, path, part=["navn", part]).status_code == 200
    assert get(finans, path, part=["navn", "falskIdentitet"]).status_code == 200


@pytest.mark.parametrize("accept", ["application/json", "application/xml"])
def test_fiks_says_in_its_own_form_what_is_wrong(
    accept: str, start_register: StartRegister
) -> None:
    register = start_register(persons=10, auth=True)
    answer = get(by_fiks(register), "personer/1", accept)
    assert answer.status_code == 401
    assert answer.json()["message"]
    assert answer.json()["error"] == "Unauthorized"


def test_a_service_can_be_taken_away(start_register: StartRegister) -> None:
    register = start_register(persons=10, faults="410@personer/xsd,404@hendelser/xsd=1")
    assert get(register, "personer/xsd").status_code == 410
    assert get(register, "hendelser/xsd").status_code == 404
    assert get(register, "hendelser/feedxsd").status_code == 200


def test_a_search_that_nobody_fits(start_register: StartRegister) -> None:
    empty, none = (start_register(persons=10, no_hits=kind) for kind in ("empty", "404"))
    nobody = {"navn": "Ingen Slik"}
    assert get(empty, "personer/soek", **nobody).json() == {"foedselsEllerDNummer": []}
    assert get(none, "personer/soek", **nobody).status_code == 404


@pytest.mark.parametrize("text", ["8761234", "ARG", "ARG-", "arg-876", "ARG876", "ARGE-876"])
def test_a_foreign_number_of_no_form_is_400(text: str, small_register: str) -> None:
    asked = {"navn": "Ingen Slik", "utenlandskpersonidentifikasjon": text}
    assert get(small_register, "personer/entydigsoek", **asked).status_code == 400
    asked["utenlandskpersonidentifikasjon"] = "ARG-8761234"
    assert get(small_register, "personer/entydigsoek", **asked).status_code == 404


@pytest.mark.parametrize("letter", ["i", "I"])
def test_the_immigration_authorities_number_is_taken_in_both_spellings(
    letter: str, small_register: str
) -> None:
    asked = {"navn": "Ingen Slik", f"utlendingsmyndighetenes{letter}dentifikasjonsnummer": "1"}
    assert get(small_register, "personer/entydigsoek", **asked).status_code == 404
