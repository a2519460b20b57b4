"""The token endpoint and the services' guard, asked as no well-behaved client would ask them."""

from __future__ import annotations

import json
import time
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from freg_pipeline.synthetic import RegisterOptions, running
from freg_pipeline_tests.conftest import StartRegister
from freg_pipeline_tests.lent import lend, root_of

MED = "folkeregister:deling/offentligmedhjemmel"
FINANS = "folkeregister:deling/finans"
GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@pytest.fixture(scope="module")
def guarded() -> Iterator[str]:
    with running(RegisterOptions(persons=20, auth=True, token_seconds=600)) as url:
        yield url


@pytest.fixture(scope="module")
def lent(guarded: str) -> dict[str, Any]:
    """A client for two scopes."""
    return lend(guarded, MED, FINANS)


def claims_of(lent: dict[str, Any], **others: Any) -> dict[str, Any]:
    now = int(time.time())
    claims = {
        "aud": lent["issuer"], "iss": lent["client_id"], "scope": MED,
        "iat": now, "exp": now + 120, "jti": str(uuid.uuid4()), **others,
    }  # fmt: skip
    return {name: value for name, value in claims.items() if value is not None}


def sign(lent: dict[str, Any], claims: dict[str, Any], **header: Any) -> str:
    key = RSAKey.import_key(lent["private_key"])
    given = {"alg": "RS256", "kid": lent["kid"], **header}
    return jwt.encode(given, claims, key, algorithms=["RS256"])


def ask(lent: dict[str, Any], assertion: str, grant_type: str = GRANT_TYPE) -> httpx.Response:
    form = {"grant_type": grant_type, "assertion": assertion}
    return httpx.post(lent["token_endpoint"], data=form)


def use(base_url: str, token: str | None, kind: str = "Bearer") -> httpx.Response:
    headers = {} if token is None else {"Authorization": f"{kind} {token}"}
    return httpx.get(f"{base_url}/v1/hendelser/siste/sekvensnummer", headers=headers)


def test_metadata_as_maskinportens(guarded: str, lent: dict[str, Any]) -> None:
    told = httpx.get(f"{lent['issuer']}.well-known/oauth-authorization-server").json()
    assert told["issuer"] == lent["issuer"] == f"{root_of(guarded)}/maskinporten/"
    assert told["token_endpoint"] == lent["token_endpoint"]
    assert GRANT_TYPE in told["grant_types_supported"]


def test_a_token_for_a_good_assertion(guarded: str, lent: dict[str, Any]) -> None:
    answer = ask(lent, sign(lent, claims_of(lent)))
    granted = answer.json()
    assert answer.status_code == 200
    assert (granted["token_type"], granted["expires_in"]) == ("Bearer", 600)
    assert granted["scope"] == MED
    assert use(guarded, granted["access_token"]).status_code == 200


def test_a_token_for_a_resource_of_its_own_is_none_for_the_register(
    guarded: str, lent: dict[str, Any]
) -> None:
    """The register's page: no resource, so that the audience stays unspecified."""
    answer = ask(lent, sign(lent, claims_of(lent, resource="https://folkeregisteret")))
    assert answer.status_code == 200, "it is Maskinporten's to give"
    assert use(guarded, answer.json()["access_token"]).status_code == 401


def _second() -> int:
    return int(time.time())


WRONG: dict[str, tuple[Callable[[], dict[str, Any]], str]] = {
    "another audience": (lambda: {"aud": "https://maskinporten.no/"}, "invalid_grant"),
    "no audience": (lambda: {"aud": None}, "invalid_grant"),
    "expired": (lambda: {"iat": _second() - 200, "exp": _second() - 100}, "invalid_grant"),
    "of the future": (lambda: {"iat": _second() + 60, "exp": _second() + 120}, "invalid_grant"),
    "good for too long": (lambda: {"exp": _second() + 130}, "invalid_grant"),
    "no exp": (lambda: {"exp": None}, "invalid_grant"),
    "exp as text": (lambda: {"exp": "soon"}, "invalid_grant"),
    "no iat": (lambda: {"iat": None}, "invalid_grant"),
    "no jti": (lambda: {"jti": None}, "invalid_grant"),
    "an unknown client": (lambda: {"iss": "somebody"}, "invalid_client"),
    "no client": (lambda: {"iss": None}, "invalid_grant"),
    "no scope": (lambda: {"scope": None}, "invalid_scope"),
    "a scope that there isn't": (lambda: {"scope": "folkeregister:deling/alt"}, "invalid_scope"),
    "a scope not its own": (lambda: {"scope": "ks:fiks"}, "invalid_scope"),
    "a wrong consumer_org": (lambda: {"consumer_org": "9876"}, "invalid_grant"),
}


@pytest.mark.parametrize("case", WRONG)
def test_an_assertion_that_says_something_wrong(lent: dict[str, Any], case: str) -> None:
    others, error = WRONG[case]
    answer = ask(lent, sign(lent, claims_of(lent, **others())))
    assert answer.status_code == 400
    assert answer.json()["error"] == error
    assert answer.json()["error_description"]


def test_an_assertion_is_taken_once(lent: dict[str, Any]) -> None:
    assertion = sign(lent, claims_of(lent))
    assert [ask(lent, assertion).status_code for _ in range(2)] == [200, 400]


def test_an_assertion_that_is_not_signed_by_the_clients_key(lent: dict[str, Any]) -> None:
    claims = claims_of(lent)
    stranger = {**lent, "private_key": RSAKey.generate_key(2048).as_pem(private=True)}
    head, body, signature = sign(lent, claims).split(".")
    other_body = sign(lent, {**claims, "scope": FINANS}).split(".")[1]
    symmetric = jwt.encode({"alg": "HS256", "kid": lent["kid"]}, claims, OctKey.generate_key(256))
    none = urlsafe_b64encode(json.dumps({"alg": "none", "kid": lent["kid"]}).encode()).decode()
    for assertion in (
        sign(stranger, claims),
        f"{head}.{other_body}.{signature}",
        f"{head}.{body}.",
        f"{none.rstrip('=')}.{body}.",
        symmetric,
        sign(lent, claims, kid="another"),
        "nothing",
        "",
        "a.b.c",
    ):
        answer = ask(lent, assertion)
        assert answer.status_code == 400, assertion
        assert answer.json()["error"] == "invalid_grant"


def test_another_grant_is_not_supported(lent: dict[str, Any]) -> None:
    answer = ask(lent, sign(lent, claims_of(lent)), grant_type="client_credentials")
    assert answer.json()["error"] == "unsupported_grant_type"


def test_a_certificate_that_is_not_the_clients(guarded: str, lent: dict[str, Any]) -> None:
    certified = lend(guarded, MED, certified=True)
    assert ask(certified, sign(certified, claims_of(certified))).status_code == 400  # kid only
    assert ask(certified, sign(certified, claims_of(certified), x5c=["AAAA"])).status_code == 400


def test_a_certificate_counts_and_not_its_text(guarded: str) -> None:
    certified = lend(guarded, MED, certified=True)
    pem = [line for line in certified["certificate"].splitlines() if "-----" not in line]
    for text in ("".join(pem), "\n".join(pem), "\r\n".join(["", *pem, ""])):
        assert ask(certified, sign(certified, claims_of(certified), x5c=[text])).status_code == 200
    other = lend(guarded, MED, certified=True)["certificate"].splitlines()[1:-1]
    for wrong in ("".join(other), "", "no base64"):
        answer = ask(certified, sign(certified, claims_of(certified), x5c=[wrong]))
        assert answer.status_code == 400


def test_scopes_may_be_several_narrower_and_further(start_register: StartRegister) -> None:
    further = "folkeregister:deling/svalbardregister"
    url = start_register(persons=10, auth=True, scopes=(further,))
    everyones = lend(url)
    for scope in (f"{MED} {FINANS}", f"{MED}.segmentansvarlig", further):
        token = ask(everyones, sign(everyones, claims_of(everyones, scope=scope))).json()
        assert token["scope"] == scope
        assert use(url, token["access_token"]).status_code == 200
    refused = ask(everyones, sign(everyones, claims_of(everyones, scope=f"{MED} folkeregister:x")))
    assert refused.json()["error"] == "invalid_scope"


@pytest.mark.parametrize("token", [None, "nonsense", "a.b.c"])
def test_no_good_token_no_service(guarded: str, token: str | None) -> None:
    answer = use(guarded, token)
    assert answer.status_code == 401
    assert answer.json()["code"] == "UNAUTHORIZED"


def test_a_token_of_the_wrong_kind_or_scope(guarded: str, lent: dict[str, Any]) -> None:
    token = ask(lent, sign(lent, claims_of(lent))).json()["access_token"]
    assert use(guarded, token, kind="Basic").status_code == 401
    finans = f"{root_of(guarded)}/folkeregisteret/api/finans"
    answer = use(finans, token)
    assert answer.status_code == 403
    assert answer.json()["code"] == "FORBIDDEN"
    assertion = sign(lent, claims_of(lent))
    assert use(guarded, assertion).status_code == 401  # signed, but not by the issuer


def test_a_token_past_its_time(start_register: StartRegister) -> None:
    url = start_register(persons=20, auth=True, token_seconds=1)
    everyones = lend(url)
    token = ask(everyones, sign(everyones, claims_of(everyones))).json()["access_token"]
    time.sleep(1.1)
    expired = use(url, token)
    assert expired.status_code == 401
    assert "utløpt" in expired.json()["message"]


def test_each_package_takes_its_own_scope_only(guarded: str) -> None:
    everyones = lend(guarded)
    for path, scope in {"api/finans": FINANS, "offentlig-med-hjemmel/api": MED}.items():
        token = ask(everyones, sign(everyones, claims_of(everyones, scope=scope))).json()
        address = f"{root_of(guarded)}/folkeregisteret/{path}"
        assert use(address, token["access_token"]).status_code == 200
        assert use(f"{root_of(guarded)}/folkeregisteret/api/privat", token["access_token"]) \
            .status_code == 403  # fmt: skip
