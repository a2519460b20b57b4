"""Commands that meet servers as no server should be: each ends soon and in one line.

Each peer meets a command, the next one the next one; all of the table is met by
``python -m freg_pipeline_tests.hostile.table``.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from freg_pipeline_tests.hostile.meeting import (
    COMMANDS,
    faults_of,
    met_by,
    ran,
    settings_by_key,
    settings_for,
    written_key,
)
from freg_pipeline_tests.hostile.peers import ANSWERS, ENDLESS, NUMBER, PEERS, SECRET, said
from freg_pipeline_tests.hostile.server import Connection, answering_by
from freg_pipeline_tests.unit.client.test_network import Authority, server_context

_NAMES = list(COMMANDS)
PAIRS = [
    (peer, _NAMES[(number * step + step) % len(_NAMES)])
    for number, peer in enumerate(PEERS)
    for step in ((1, 4) if peer in ANSWERS else (1,))
]


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written_key(tmp_path_factory.mktemp("keys"))


@pytest.mark.parametrize(("peer", "command"), PAIRS)
def test_a_register_that_is_none(peer: str, command: str, tmp_path: Path) -> None:
    with answering_by(PEERS[peer]) as met:
        ended = met_by(peer, COMMANDS[command], settings_for(met.url, tmp_path))
    assert faults_of(ended, peer, command) == []
    assert met.heads or peer in ENDLESS  # half a second may be over before anything is asked
    assert not (tmp_path / "store" / "releases").exists()


@pytest.mark.parametrize("peer", [*PEERS][::2])
def test_a_maskinporten_that_is_none(peer: str, key_file: Path, tmp_path: Path) -> None:
    with answering_by(said("200 OK", b"7")) as register, answering_by(PEERS[peer]) as met:
        ended = met_by(
            peer, ["sekvensnummer"], settings_by_key(register.url, met.url, key_file, tmp_path)
        )
    assert faults_of(ended, peer, "a token") == []
    assert met.heads or peer in ENDLESS  # half a second may be over before anything is asked
    assert register.heads == []


TOKENS = {
    "a number": b'{"access_token":7}',
    "nothing": b'{"access_token":null}',
    "an empty one": b'{"access_token":""}',
    "two lines": b'{"access_token":"a\\r\\nX-A: b"}',
    "a letter that no header has": '{"access_token":"æ"}'.encode(),
    "half a pair": b'{"access_token":"\\ud800"}',
    "a large one": b'{"access_token":"%s"}' % (b"ab3" * 300_000),
    "one that is over": b'{"access_token":"abcdefgh","expires_in":-1}',
    "one for no time": b'{"access_token":"abcdefgh","expires_in":0}',
    "one for a word": b'{"access_token":"abcdefgh","expires_in":"soon"}',
    "one for no number": b'{"access_token":"abcdefgh","expires_in":NaN}',
    "another kind": b'["access_token"]',
}


@pytest.mark.parametrize("what", TOKENS)
def test_a_token_that_is_none_is_not_used(what: str, key_file: Path, tmp_path: Path) -> None:
    with answering_by(said("200 OK", b"7")) as register:
        with answering_by(said("200 OK", TOKENS[what])) as met:
            settings = settings_by_key(register.url, met.url, key_file, tmp_path)
            ended = met_by("nothing", ["sekvensnummer"], settings)
    assert faults_of(ended, "nothing", "a token") == []
    assert "holds no token" in ended.stderr
    assert register.heads == []


def test_a_token_for_ages_is_used(key_file: Path, tmp_path: Path) -> None:
    ages = b'{"access_token":"abcdefgh","access_token":"ijklmnop","expires_in":1e300}'
    with answering_by(said("200 OK", b"7")) as register, answering_by(said("200 OK", ages)) as met:
        ended = ran(["sekvensnummer"], settings_by_key(register.url, met.url, key_file, tmp_path))
    assert (ended.code, ended.stdout) == (0, b"7\n"), ended.stderr


@pytest.mark.parametrize("there", ["http://maskinporten.example/token", "ftp://x/", "", "x"])
def test_an_assertion_goes_nowhere_unencrypted(there: str, key_file: Path, tmp_path: Path) -> None:
    def metadata(to: Connection) -> None:
        issuer = f"http://{to.socket.getsockname()[0]}:{to.socket.getsockname()[1]}/"
        said("200 OK", f'{{"issuer":"{issuer}","token_endpoint":"{there}"}}'.encode())(to)

    with answering_by(metadata) as met:
        settings = settings_by_key("http://127.0.0.1:9", met.url, key_file, tmp_path)
        del settings["FREG_MASKINPORTEN_TOKEN_ENDPOINT"]
        ended = ran(["sekvensnummer"], settings)
    assert ended.code == 2
    assert "token endpoint" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_neither_token_nor_number_goes_where_an_answer_leads(status: int, tmp_path: Path) -> None:
    with answering_by(said("200 OK", b"{}")) as other:
        leads = said(f"{status} X", b"", f"Location: {other.url}/v1/personer/{NUMBER}")
        with answering_by(leads) as met:
            ended = met_by("", ["person", NUMBER], settings_for(met.url, tmp_path))
    assert faults_of(ended, "it leads nowhere", "person") == []
    assert (len(met.heads), other.heads) == (1, [])


@pytest.mark.parametrize("part", ["register", "maskinporten"])
def test_no_cookie_is_sent_back(part: str, key_file: Path, tmp_path: Path) -> None:
    """Each answer sets others, as many as a head holds."""

    def setting(to: Connection) -> None:
        cookies = [f"Set-Cookie: a{len(to.heads)}-{n}={'b' * 3_000}; Path=/" for n in range(10)]
        body = b'{"access_token":"abcdefgh","expires_in":1}' if "token" in to.target else b"7"
        said("200 OK", body, *cookies)(to)

    with answering_by(setting) as met:
        settings = settings_for(met.url, tmp_path)
        if part == "maskinporten":
            settings = settings_by_key(met.url, met.url, key_file, tmp_path)
        met_by("", ["check"], settings)
    assert len(met.heads) > 2
    assert b"cookie:" not in b"\n".join(met.heads).lower()


@pytest.mark.parametrize(
    ("given", "said_of_it"),
    [({}, "isn't trusted"), ({"days": -1}, "expired"), ({"host": "127.0.0.9"}, "mismatch")],
    ids=["of an unknown authority", "expired", "of another host"],
)
def test_nothing_is_sent_to_a_certificate_that_is_not_trusted(
    given: dict[str, object], said_of_it: str, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    trusted = {"FREG_CA_FILE": str(authority.ca_file)} if given else {}
    context = server_context(authority.certify(**given))  # type: ignore[arg-type]
    with answering_by(said("200 OK", b"7"), context) as met:
        ended = ran(["person", NUMBER], settings_for(met.url, tmp_path, **trusted))
    assert ended.code == 2
    assert said_of_it in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert met.heads == []


def test_https_where_nobody_speaks_it(tmp_path: Path) -> None:
    with answering_by(said("200 OK", b"7")) as met:
        url = met.url.replace("http:", "https:")
        ended = met_by("", ["sekvensnummer"], settings_for(url, tmp_path))
    assert (ended.code, len(ended.stderr.splitlines())) == (2, 1), ended.stderr
    assert SECRET.encode() not in b"".join(met.heads)


@pytest.mark.parametrize("command", ["person-arkiv", "hendelse"])
@pytest.mark.parametrize("named", [".", "..", " .. "])
def test_an_identifier_that_leads_elsewhere_is_none(
    command: str, named: str, tmp_path: Path
) -> None:
    with answering_by(said("200 OK", b"{}")) as met:
        ended = ran([command, named], settings_for(met.url, tmp_path))
    assert (ended.code, met.heads) == (2, [])


@pytest.mark.parametrize("named", ["../../x", "a/../..", "%2e%2e", "a?b", "a#b", "\\..\\x"])
def test_an_identifier_is_one_part_of_a_path(named: str, tmp_path: Path) -> None:
    with answering_by(said("200 OK", b"{}")) as met:
        ran(["person-arkiv", named], settings_for(met.url, tmp_path))
    path = met.heads[0].split(b" ")[1]
    assert path.startswith(b"/v1/personer/arkiv/")
    assert path.count(b"/") == 4
    assert not path.endswith(b"/..")


def test_the_table_has_every_command_and_peer() -> None:
    assert {command for _, command in PAIRS} == set(COMMANDS)
    assert {peer for peer, _ in PAIRS} == set(PEERS)
