"""Each service in each package: answered, or refused before it is sent. Over HTTP, both sides real.

The client and the synthetic register have a table of their own each; where they differ, this shows.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest

from freg_pipeline.client import EntydigKriterier, Register, SoekKriterier, TilpassetKriterier
from freg_pipeline.client.packages import PACKAGES
from freg_pipeline.commands.root import cli
from freg_pipeline.errors import NotFoundError, RefusedError
from freg_pipeline.settings import load
from freg_pipeline_tests.published import Recorder


@dataclass(frozen=True)
class Known:
    """What services are asked with."""

    number: str
    document: str
    event: str
    job: str


@pytest.fixture(scope="module")
def known(small_register: str) -> Known:
    async def ask() -> Known:
        async with Register.from_settings(load(base_url=small_register)) as register:
            page = await register.hendelser.feed(1)
            assert page is not None
            first = page.entries[0]
            job = await register.uttrekk.bestill_komplett(first.sekvensnummer)
        return Known(
            first.folkeregisteridentifikator or "", first.persondokument or "",
            first.hendelsesdokument or "", job,
        )  # fmt: skip

    return asyncio.run(ask())


NOBODY = EntydigKriterier(navn="Ingen Slik", foedselsdato="19850131")
DEAD = TilpassetKriterier(personstatustyper=("doed",)).to_register()
SERVICES: dict[str, Callable[[Register, Known], Awaitable[Any]]] = {
    "personer/{personidentifikator}": lambda at, known: at.personer.person(known.number),
    "personer/bulkoppslag": lambda at, known: at.personer.bulkoppslag([known.number], ()),
    "personer/soek": lambda at, _: at.personer.soek(SoekKriterier(navn="Slik")),
    "personer/entydigsoek": lambda at, _: at.personer.entydigsoek(NOBODY),
    "personer/xsd": lambda at, _: at.personer.xsd(),
    "personer/bulkoppslag/arkiv": lambda at, known: at.personer.bulkoppslag_arkiv(
        [known.document], ()
    ),
    "personer/arkiv/{dokumentidentifikator}": lambda at, known: at.personer.arkiv(known.document),
    "uttrekk/komplett": lambda at, _: at.uttrekk.bestill_komplett(1),
    "uttrekk/tilpasset": lambda at, _: at.uttrekk.bestill_tilpasset(DEAD),
    "uttrekk/batch": lambda at, known: at.uttrekk.batch(known.job, 0),
    "hendelser/feed": lambda at, _: at.hendelser.feed(1),
    "hendelser/siste/sekvensnummer": lambda at, _: at.hendelser.siste_sekvensnummer(),
    "hendelser/xsd": lambda at, _: at.hendelser.xsd(),
    "hendelser/feedxsd": lambda at, _: at.hendelser.feedxsd(),
    "hendelser/{hendelsesidentifikator}": lambda at, known: at.hendelser.hendelse(known.event),
    "hendelser/bulkoppslag": lambda at, known: at.hendelser.bulkoppslag([known.event]),
}


def test_no_service_is_missing() -> None:
    assert set(SERVICES) == set().union(*(package.services for package in PACKAGES.values()))


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("package", PACKAGES)
def test_a_service_is_answered_or_refused_before_it_is_sent(
    package: str, service: str, small_register: str, known: Known, sent_requests: Recorder
) -> None:
    root = small_register.split("/folkeregisteret/")[0]
    url = f"{root}/folkeregisteret/{PACKAGES[package].path}"

    async def ask() -> Any:
        async with Register.from_settings(load(base_url=url, rettighetspakke=package)) as register:
            return await SERVICES[service](register, known)

    if service in PACKAGES[package].services:
        try:
            assert asyncio.run(ask())
        except NotFoundError:
            assert service == "personer/entydigsoek", "nobody fits, and that is an answer"
        # Where nobody fits, one question more tells that from a wrong address.
        most = 2 if service == "personer/soek" else 1
        assert 1 <= len(sent_requests.sent) <= most
        return
    with pytest.raises(RefusedError, match="nothing was sent") as refused:
        asyncio.run(ask())
    assert (refused.value.exit_code, sent_requests.sent) == (3, set())
    having = [name for name, other in PACKAGES.items() if service in other.services]
    assert f"{service} is not in the package {package}" in str(refused.value)
    assert all(name in str(refused.value) for name in having)


README = (Path(__file__).parents[2] / "README.md").read_text()
_PACKAGES = {"M": "offentlig-med-hjemmel", "U": "offentlig-uten-hjemmel",
             "P": "privat-uten-hjemmel", "F": "finans", "E": "utsteder-eid"}  # fmt: skip
_NAMES = {"uttrekk/{jobbid}/batch/{batchnr}": ["uttrekk/batch"]}


def _table() -> dict[str, list[str]]:
    """The README's table of services: the other cells by the service's own name."""
    section = README.split("## The services, one by one")[1].split("```python")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if "/" in line[:12]]
    return {
        name: cells
        for first, *cells in rows
        for name in _NAMES.get(first, first.split(", "))
        if name != "online/oppslag"
    }


def test_the_readme_tells_every_service_with_its_packages_commands_and_calls() -> None:
    table = _table()
    assert set(table) == set(SERVICES)
    for service, (packages, commands, calls, *_) in table.items():
        names = set(PACKAGES) if packages == "all" else {_PACKAGES[one] for one in packages.split()}
        assert names == {name for name, one in PACKAGES.items() if service in one.services}
        for command in re.findall(r"`freg ([^`]+)`", commands):
            node: click.Command = cli
            for word in command.split():
                if isinstance(node, click.Group):
                    found = node.get_command(click.Context(node), word)
                    assert found, command
                    node = found
        register = Register.from_settings(load())
        for family, call in re.findall(r"`(\w+)\.(\w+)\(", calls):
            assert callable(getattr(getattr(register, family), call))
