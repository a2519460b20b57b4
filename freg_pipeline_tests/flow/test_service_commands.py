"""The single services as commands: results on stdout and nothing else, problems in one line."""

from __future__ import annotations

import asyncio
import io
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from freg_pipeline.cli import main
from freg_pipeline.client import Register
from freg_pipeline.settings import load
from freg_pipeline_tests.registers import Door

Run = Callable[..., tuple[int, str, str]]


@dataclass(frozen=True)
class Known:
    """Somebody whom the register knows, and her last event."""

    number: str
    document: str
    event: str
    navn: str
    foedselsdato: str


@pytest.fixture(scope="module")
def known(small_register: str) -> Known:
    async def ask() -> Known:
        async with Register.from_settings(load(base_url=small_register)) as register:
            page = await register.hendelser.feed(1)
            assert page is not None
            for event in page.entries:
                body = (await register.personer.person(event.folkeregisteridentifikator or "")).body
                person = json.loads(body)
                number = _current(person.get("identifikasjonsnummer", ())).get(
                    "foedselsEllerDNummer"
                )
                navn, born = _current(person.get("navn", ())), _current(person.get("foedsel", ()))
                if number == event.folkeregisteridentifikator and navn and "foedselsdato" in born:
                    name = f"{navn['fornavn'].split()[0]} {navn['etternavn'].split()[-1]}"
                    date = born["foedselsdato"].replace("-", "")
                    return Known(
                        number,
                        event.persondokument or "",
                        event.hendelsesdokument or "",
                        name,
                        date,
                    )
            raise AssertionError

    return asyncio.run(ask())


def _current(rows: Any) -> dict[str, Any]:
    every = rows if isinstance(rows, list) else [rows] if rows else []
    return next((row for row in every if row.get("erGjeldende")), {})


@pytest.fixture
def run(small_register: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run a command in this process; returns exit code, stdout and stderr."""

    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main([*arguments, "--base-url", small_register, "--store", str(tmp_path / "store")])
        said = capsys.readouterr()
        return int(str(ended.value.code)), said.out, said.err

    return run


COMMANDS: dict[str, Callable[[Known], list[str]]] = {
    "person": lambda known: ["person", known.number],
    "person-arkiv": lambda known: ["person-arkiv", known.document],
    "hendelse": lambda known: ["hendelse", known.event],
    "soek": lambda known: ["soek", "--navn", known.navn, "--foedselsdato", known.foedselsdato],
    "entydigsoek": lambda known: [
        "entydigsoek", "--navn", known.navn, "--identifikasjonsnummer", known.number,
    ],
    "feed": lambda known: ["feed", "1"],
}  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_readable_json_with_the_person_in_it(command: str, known: Known, run: Run) -> None:
    code, out, err = run(*COMMANDS[command](known))
    assert (code, err) == (0, "")
    assert known.number in json.dumps(json.loads(out))
    assert len(out.splitlines()) > 2


@pytest.mark.parametrize("command", COMMANDS)
def test_xml_with_the_person_in_it(command: str, known: Known, run: Run) -> None:
    code, out, err = run(*COMMANDS[command](known), "--format", "xml")
    assert (code, err) == (0, "")
    assert known.number in "".join(etree.fromstring(out.encode()).itertext())


@pytest.mark.parametrize("command", ["person", "person-arkiv", "entydigsoek"])
def test_what_tells_a_person_may_come_on_stdin(
    command: str, known: Known, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = COMMANDS[command](known)
    hidden = [one for one in given if one in {known.number, known.document, known.navn}]
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{one}\n" for one in hidden)))
    code, out, err = run(*("-" if one in hidden else one for one in given))
    assert (code, err) == (0, "")
    assert known.number in json.dumps(json.loads(out))
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    code, _, err = run(*("-" if one in hidden else one for one in given))
    assert code == 2
    assert "on stdin. Give it as a line" in err


def test_the_event_list_as_atom(run: Run) -> None:
    code, out, _ = run("feed", "1", "--format", "atom")
    assert code == 0
    assert etree.fromstring(out.encode()).tag == "{http://www.w3.org/2005/Atom}feed"


@pytest.mark.parametrize("which", ["person", "hendelse", "feed"])
def test_contracts(which: str, run: Run) -> None:
    code, out, _ = run("xsd", which)
    assert code == 0
    assert etree.fromstring(out.encode()).tag == "{http://www.w3.org/2001/XMLSchema}schema"


def test_the_last_sequence_number_and_nothing_else(run: Run) -> None:
    code, out, err = run("sekvensnummer")
    assert (code, err) == (0, "")
    assert int(out) > 1_000


def test_part_is_what_is_asked_for(known: Known, run: Run) -> None:
    _, out, _ = run("person", known.number, "--parts", "navn")
    assert set(json.loads(out)) == {"identifikasjonsnummer", "navn"}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ("person 20036914712", 2, "control digits are wrong"),
        ("person 41819077302", 3, "404"),
        ("person-arkiv ingen-slik", 3, "404"),
        ("hendelse ingen-slik", 3, "404"),
        ("xsd konto", 2, "person"),
        ("feed -1", 2, "feed --help"),
        ("soek", 2, "needs a criterion"),
        ("soek --adressenavn ab", 2, "fewer than 3"),
        ("soek --navn x --name y", 2, "Add --uttrekk"),
        ("entydigsoek --navn Fjell --foedselsdato 19850131", 2, "first and last"),
        ("entydigsoek --navn Ingen_Slik --foedselsdato 19850131", 2, "first and last"),
        ("person-arkiv x --rettighetspakke finans", 3, "It is in offentlig-med-hjemmel"),
        ("hendelse x --rettighetspakke privat", 3, "It is in offentlig-med-hjemmel"),
        ("person 41819077302 --rettighetspakke presse", 3, "privat-uten-hjemmel"),
        ("soek --navn x --rettighetspakke privat", 3, "finans"),
        ("uttrekk komplett --rettighetspakke finans", 3, "It is in offentlig-med-hjemmel"),
        ("uttrekk tilpasset --personstatustype doed --rettighetspakke privat", 3, "finans"),
        ("soek --navn x --uttrekk --rettighetspakke privat", 3, "finans"),
    ],
)
def test_what_is_wrong_in_one_line(
    arguments: str, code: int, said: str, run: Run, tmp_path: Path
) -> None:
    ended, out, err = run(*arguments.split())
    assert (ended, out) == (code, "")
    assert not list(tmp_path.rglob("request.json")), "nothing is begun that can't be done"
    (line,) = err.splitlines()
    assert said in line
    assert not any(part in line for part in arguments.split() if part.isdigit() and len(part) > 5)


def test_nobody_or_several_is_said_so(run: Run) -> None:
    _, _, err = run("entydigsoek", "--navn", "Ingen Slik", "--foedselsdato", "19850131")
    assert "Nobody or more than one person fits" in err
    assert "Slik" not in err


def test_where_nothing_answers_it_is_said_so(
    tmp_path: Path, small_register: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whether the store knows the address is looked up without the command's own thread."""
    with Door(small_register) as door:
        door.shut()
        with pytest.raises(SystemExit) as ended:
            main(["sekvensnummer", "--base-url", door.url, "--store", str(tmp_path)])
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "nothing answers at" in line
